"""One affine map between a photo and the network's frame, for pixels and for coordinates alike.

Coordinates are (x, y) in pixels with pixel centres at +0.5, so that resizing is a plain multiplication.
"""

from dataclasses import dataclass

import cv2
import numpy as np

#: (H, W) of the frame that the networks work in.
FRAME_SIZE = (256, 176)


@dataclass(frozen=True)
class Framing:
    """``frame = photo * scale + (dx, dy)``; the frame may reach beyond the photo.

    Attributes:
        photo_size: (W, H) of the photo in pixels.
        scale: frame pixels per photo pixel; the same in x and y.
        dx, dy: where the photo's top left corner lies, in frame pixels.
        size: (H, W) of the frame.
    """

    photo_size: tuple[int, int]
    scale: float
    dx: float
    dy: float
    size: tuple[int, int] = FRAME_SIZE

    @classmethod
    def around(
        cls,
        box: tuple[float, float, float, float],
        photo_size: tuple[int, int],
        size: tuple[int, int] = FRAME_SIZE,
        fill: float = 0.8,
    ) -> "Framing":
        """The frame in whose middle ``box`` (x0, y0, x1, y1 in photo pixels) takes ``fill`` of the height or width."""
        x0, y0, x1, y1 = box
        scale = fill * min(size[0] / max(y1 - y0, 1.0), size[1] / max(x1 - x0, 1.0))
        return cls(photo_size, scale, size[1] / 2 - scale * (x0 + x1) / 2, size[0] / 2 - scale * (y0 + y1) / 2, size)

    @classmethod
    def whole(cls, photo_size: tuple[int, int], size: tuple[int, int] = FRAME_SIZE) -> "Framing":
        """The frame that holds the whole photo, centred (letterboxed)."""
        return cls.around((0, 0, photo_size[0], photo_size[1]), photo_size, size, fill=1.0)

    def resized(self, photo_size: tuple[int, int]) -> "Framing":
        """The same view of the same photo stored at another resolution."""
        return Framing(photo_size, self.scale * self.photo_size[1] / photo_size[1], self.dx, self.dy, self.size)

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Photo -> frame for the first two columns of (N, 2 or more); further columns (a score) stay as they are."""
        return self._map(points, self.scale, (self.dx, self.dy))

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """Frame -> photo; the inverse of :meth:`to_frame`."""
        return self._map(points, 1 / self.scale, (-self.dx / self.scale, -self.dy / self.scale))

    @staticmethod
    def _map(points: np.ndarray, scale: float, shift: tuple[float, float]) -> np.ndarray:
        moved = np.array(points, np.float64)
        moved[:, :2] = moved[:, :2] * scale + shift
        return moved.astype(np.asarray(points).dtype if np.asarray(points).dtype.kind == "f" else np.float64)

    def crop(self, image: np.ndarray, border: int | tuple[int, ...] = 0, labels: bool = False) -> np.ndarray:
        """The frame's view of a photo: (H, W[, C]) -> frame size. ``border`` fills what lies outside the photo.

        ``labels``: nearest neighbour, for maps of indices.
        """
        matrix = self._matrix()
        if not labels and self.scale < 0.75:
            # Without a low-pass a linear warp of a large photo aliases. Only what the frame sees is filtered.
            reach = int(2 / self.scale) + 2
            corners = self.to_photo(np.array([[0, 0], self.size[::-1]], np.float64))
            x0, y0 = np.clip(np.floor(corners[0]).astype(int) - reach, 0, np.array(self.photo_size) - 1)
            x1, y1 = np.clip(np.ceil(corners[1]).astype(int) + reach, (x0 + 1, y0 + 1), self.photo_size)
            image = cv2.GaussianBlur(image[y0:y1, x0:x1], (0, 0), 0.4 / self.scale, borderType=cv2.BORDER_REPLICATE)
            matrix[:, 2] += matrix[:, :2] @ [x0, y0]
        return self._warp(image, matrix, (self.size[1], self.size[0]), border, labels)

    def paste(
        self,
        image: np.ndarray,
        border: int | float = 0,
        labels: bool = False,
        window: tuple[slice, slice] | None = None,
    ) -> np.ndarray:
        """A frame's image or map put back at the photo's size; ``border`` fills what the frame does not cover.

        ``window``: rows and columns of the photo, when only those are wanted.
        """
        matrix = cv2.invertAffineTransform(self._matrix())
        width, height = self.photo_size
        if window is not None:
            rows, columns = window
            matrix[:, 2] -= columns.start, rows.start
            width, height = columns.stop - columns.start, rows.stop - rows.start
        return self._warp(image, matrix, (width, height), border, labels)

    def _matrix(self) -> np.ndarray:
        # OpenCV puts pixel centres at whole numbers: shift by half a pixel on both sides.
        half = 0.5 * (self.scale - 1)
        return np.array([[self.scale, 0, self.dx + half], [0, self.scale, self.dy + half]], np.float64)

    @staticmethod
    def _warp(image, matrix, size, border, labels) -> np.ndarray:
        return cv2.warpAffine(
            image,
            matrix,
            size,
            flags=cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=border if isinstance(border, tuple) else (border,) * 4,
        )
