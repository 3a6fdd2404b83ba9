"""DeepFashion's pictures and a parser's maps of them, found by the names that the lists have for them.

The lists flatten paths: ``img/WOMEN/Blouses_Shirts/id_00000001/02_1_front.jpg`` is
``fashionWOMENBlouses_Shirtsid0000000102_1front.jpg``.
"""

import re
import zipfile
from pathlib import Path, PurePosixPath

from pise_core.errors import InputError
from pise_core.training.data.deepfashion_lists import one_spelling

PICTURES, MAPS = ".jpg", ".png"
_EXAMPLE = "img/WOMEN/Dresses/id_00000001/02_1_front"


def flat_name(path: str) -> str | None:
    """The lists' name, without its ending, of a picture or map of the archive, or of a flattened copy; None for other
    files."""
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.suffix.lower() not in (PICTURES, MAPS):
        return None
    if re.fullmatch(r"fash?ion(WO)?MEN[\w-]+", parts.stem, re.IGNORECASE):
        return one_spelling(parts.stem)
    found = re.search(r"(?:^|/)((?:WO)?MEN)/([^/]+)/id_(\d+)/(\d+)_(\d+)_([^/]+)$", str(parts), re.IGNORECASE)
    if found is None:
        return None
    people, category, person, outfit, view, kind = found.groups()
    return f"fashion{people}{category}id{person}{outfit}_{view}{kind[:-4].replace('_', '')}"


class Files:
    """Pictures or maps of a folder or a zip file, by their flattened names.

    What lies below ``img_highres`` is passed over: those are the same people in other sizes.

    Args:
        source: the folder or zip file.
        ending: ``PICTURES`` or ``MAPS``.
        needed: there must be one at least.

    Raises:
        InputError: if there is nothing, or nothing in it is named as DeepFashion's pictures are.
    """

    def __init__(self, source: Path, ending: str, needed: bool = True):
        self.source = source
        self._zip: zipfile.ZipFile | None = None
        if source.is_dir():
            paths = [path.relative_to(source).as_posix() for path in source.rglob("*")]
        else:
            try:
                self._zip = zipfile.ZipFile(source)
            except FileNotFoundError:
                raise InputError(f"there is no folder or file {source}") from None
            except (OSError, zipfile.BadZipFile):
                raise InputError(f"{source} is neither a folder nor a zip file") from None
            paths = self._zip.namelist()
        # A folder of one part only (img/WOMEN, say) still tells by its own name what is below it.
        above = f"{source.resolve().name}/" if source.is_dir() else ""
        self._paths: dict[str, list[str]] = {}
        for path in sorted(set(paths)):
            if not path.lower().endswith(ending) or re.search(r"(^|/)img_highres", path, re.IGNORECASE):
                continue
            if (name := flat_name(above + path)) is not None:
                self._paths.setdefault(name, []).append(path)
        if needed and not self._paths:
            what = "picture" if ending == PICTURES else "map"
            raise InputError(f"{source} holds no {what} like {_EXAMPLE}{ending} (img_highres does not count)")

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def read(self, name: str) -> bytes:
        """The file, byte for byte.

        Raises:
            InputError: if it can't be read, or there are two of that name that differ.
        """
        path, *others = self._paths[name]
        data = self._bytes(path)
        for other in others:
            if self._bytes(other) != data:
                raise InputError(f"{path} and {other} in {self.source} are not the same file; leave one of them there")
        return data

    def _bytes(self, path: str) -> bytes:
        if self._zip is None:
            return (self.source / path).read_bytes()
        try:
            return self._zip.read(path)
        except RuntimeError as error:  # a password, or a compression that Python does not know
            raise InputError(f"{self.source}: {error}; unpack it, and give the folder") from None
        except Exception as error:  # each compression has an exception of its own for damage
            raise InputError(f"{path} in {self.source} is damaged ({error}); fetch that file again") from None
