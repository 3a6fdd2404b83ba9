"""The photos that are measured with: an example of the studio, at any number of megapixels."""

from pathlib import Path

import cv2


def example(root: Path, index: int = 0) -> Path:
    """One of the bundled example photos."""
    return sorted((root / "app" / "examples" / "people").glob("*.*g"))[index]


def sized(photo: Path, megapixels: float, folder: Path) -> Path:
    """The same photo with so many megapixels, as a JPEG in ``folder``."""
    path = folder / f"{photo.stem}-{megapixels:g}.jpg"
    if not path.exists():
        image = cv2.imread(str(photo))
        assert image is not None, photo
        scale = (megapixels * 1e6 / (image.shape[0] * image.shape[1])) ** 0.5
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        cv2.imwrite(str(path), cv2.resize(image, size, interpolation=method), [cv2.IMWRITE_JPEG_QUALITY, 92])
    return path
