"""A recipe: edits that are made on any photo, as a saved document or a JSON file describes them.

A ``.pise`` file of the studio is a recipe by what was edited in it: its pose is fitted to each person, and what was
borrowed is borrowed again. A saved look is worn. What was painted belongs to one photo and is left out, and so is
motion.

A JSON file says it in words; paths are relative to it::

    {
      "pose": "pose.json",                          a pose file, fitted to each person
      "pose_from": "model.jpg",                     or the pose of whom another photo shows
      "grow": true,                                 with room beside the photo where the pose leaves it
      "replace": {"pants": "dress"},                regions that become others
      "styles": {"upper_clothes": "shirt.jpg",      regions borrowed from a photo or a saved look,
                 "hair": {"a.jpg": 0.5}},           or by shares of several
      "wear": {"dress": "model.jpg"},               garments of others, cut and all
      "recolour": {"upper_clothes": "#1b3a8c",      regions in another colour,
                   "hair": {"hue": 40}}             or with other hue, saturation or lightness
    }
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pise_core.document.document import Document
from pise_core.document.edits import Edits
from pise_core.document.file_reader import is_document, read
from pise_core.document.file_writer import write_edits
from pise_core.document.references import wearable
from pise_core.document.replacing import replaced
from pise_core.errors import InputError
from pise_core.images import read_image
from pise_core.pose_files import PoseFile, open_pose_file
from pise_core.regions import GARMENTS, REGION, REGIONS, region_index
from pise_core.rendering.recolour import Recolour, checked_recolours

if TYPE_CHECKING:
    from pise_core.editor import Editor
    from pise_core.person import Person

_KEYS = ("pose", "pose_from", "grow", "replace", "styles", "wear", "recolour")


@dataclass(frozen=True, eq=False)
class Recipe:
    """Edits for any photo.

    Attributes:
        digest: SHA-256, in hexadecimal, of the recipe and of every file that it names.
        pose: of somebody, (18, 3) or a file of poses, to be fitted to each person; None where the pose stays.
        replace: region -> region that it becomes, both as indices.
        styles: region -> [(name, person, weight)].
        recolour: region -> what becomes of its colours.
        wear: region -> (name, person) whose garment is worn.
        grow: whether a photo gets room beside it where the pose leaves it.
        left_out: what of the file belongs to one photo alone, in words; empty if nothing.
        note: what else whoever gets the pictures should know, in words; empty if nothing.
    """

    digest: str
    pose: np.ndarray | PoseFile | None = None
    replace: Mapping[int, int] = field(default_factory=dict)
    styles: Mapping[str, list[tuple[str, "Person", float]]] = field(default_factory=dict)
    recolour: Mapping[str, Recolour] = field(default_factory=dict)
    wear: Mapping[str, tuple[str, "Person"]] = field(default_factory=dict)
    grow: bool = False
    left_out: str = ""
    note: str = ""

    def apply(self, document: Document) -> Document:
        """Make the edits, each a step of the document's history.

        Returns:
            The document; another one where the photo has grown.

        Raises:
            InputError: if the pose can't be fitted to the person, or a reference lacks a region.
        """
        keys: dict[int, str] = {}

        def key_of(name: str, person: "Person") -> str:
            if id(person) not in keys:
                keys[id(person)] = document.add_reference(person, name)
            return keys[id(person)]

        if self.wear:
            document.set_wear({region: key_of(*lent) for region, lent in self.wear.items()})
        if self.pose is not None:
            height, width = document.photo.shape[:2]
            pose = self.pose.pose((width, height), own=True) if isinstance(self.pose, PoseFile) else self.pose
            document.fit_pose(pose)
            if self.grow and document.leaves_photo:
                document = document.grow()
        if self.replace:
            document.set_regions(replaced(document.base_map(), self.replace))
        if self.styles:
            styles: dict[str, dict[str, float]] = {}
            for region, mix in self.styles.items():
                for name, person, weight in mix:
                    styles.setdefault(region, {})[key_of(name, person)] = weight
            styles, worn = wearable(document.render(preview=True).parsing, styles)
            if worn:
                document.set_wear({**document.edits.wear, **worn})
            document.set_styles(styles)
        if self.recolour:
            document.set_recolour(self.recolour)
        return document


def recipe_of(document: Document) -> Recipe:
    """The edits of an open document, as a recipe for other photos; what was painted and motion are left out.

    Raises:
        InputError: if there is nothing in it for other photos.
    """
    edits = document.edits
    digest = hashlib.sha256(write_edits(document.contents())).hexdigest()
    people = {key: (reference.name, reference.person) for key, reference in document.references.items()}
    recipe = _of_edits(edits, people, digest)
    if recipe is None:
        raise InputError("nothing is edited yet that fits other photos: change the pose, a garment or a colour first")
    return recipe


def _of_edits(edits: Edits, people: Mapping[str, tuple[str, "Person"]], digest: str) -> Recipe | None:
    """None if all that is asked for belongs to one photo."""
    styles = {
        region: [(*people[key], weight) for key, weight in mix.items() if weight]
        for region, mix in edits.styles.items()
    }
    own = ("paint", edits.paint), ("retouching", edits.retouch), ("held things", edits.things)
    own = *own, ("motion", edits.motion.keys)
    left_out = [what for what, there in own if there]
    worn = {region: people[key] for region, key in edits.wear.items()}
    if edits.pose is None and not (styles or worn or edits.recolour):
        return None
    lost = " and ".join([", ".join(left_out[:-1]), left_out[-1]] if left_out[1:] else left_out)
    return Recipe(digest, edits.pose, styles=styles, recolour=edits.recolour, wear=worn, left_out=lost)


def read_recipe(path: Path, editor: "Editor") -> Recipe:
    """Read a ``.pise`` or JSON file.

    Raises:
        InputError: if the file, or one that it names, is missing or damaged, or if it asks for nothing.
    """
    path = Path(path)
    data = _bytes_of(path)
    if is_document(path):
        return _of_document(data, editor)
    try:
        wanted = json.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise InputError(f"{path.name} is neither a .pise file nor JSON ({error})") from None
    strange = [key for key in wanted if key not in _KEYS] if isinstance(wanted, dict) else []
    if not isinstance(wanted, dict) or not wanted or strange:
        found = f" and not {', '.join(map(repr, strange[:3]))}" if strange else ""
        raise InputError(f"{path.name} is no recipe: it may hold {', '.join(_KEYS)}, one or several{found}")
    if "pose" in wanted and "pose_from" in wanted:
        raise InputError(f"{path.name} names pose and pose_from; only one of them can be fitted")
    return _Words(path, editor, data).recipe(wanted)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None


def _of_document(data: bytes, editor: "Editor") -> Recipe:
    saved = read(data)
    edits, digest = saved.history[saved.position], hashlib.sha256(data).hexdigest()
    if edits.none:
        shown = [int(region) for region in np.unique(saved.person.parsing) if region]
        if len(shown) != 1:
            raise InputError("nothing is edited in that .pise file, and it is no saved look: it is no recipe")
        person = saved.person.known_to(editor)
        return Recipe(digest, styles={REGIONS[shown[0]]: [(saved.name, person, 1.0)]})
    people = {key: (name, person.known_to(editor)) for key, (name, person) in saved.references.items()}
    recipe = _of_edits(edits, people, digest)
    if recipe is None:
        raise InputError("that .pise file holds only what belongs to its own photo (paint, motion): it is no recipe")
    then, now = (name or "Built-in" for name in (saved.background, editor.background_name))
    if then != now:
        note = f"the recipe was saved with the background {then}; with {now} pictures may differ"
        recipe = replace(recipe, note=note)
    return recipe


class _Words:
    """A recipe in words, and the files that it names."""

    def __init__(self, path: Path, editor: "Editor", data: bytes) -> None:
        self._path, self._editor = path, editor
        self._hash = hashlib.sha256(data)
        self._people: dict[Path, Person] = {}

    def recipe(self, wanted: Mapping[str, Any]) -> Recipe:
        pose = None
        if "pose" in wanted:
            pose = self._once("pose", wanted["pose"], self._pose_file)
        elif "pose_from" in wanted:
            pose = self._once("pose_from", wanted["pose_from"], lambda path: self._person(path).pose)
        grow = wanted.get("grow", False)
        if not isinstance(grow, bool):
            raise InputError(f'"grow" of {self._path.name} must be true or false')
        replace = self._table("replace", wanted.get("replace", {}))
        indices = {region_index(region): region_index(becomes) for region, becomes in replace.items()}
        styles = {
            region: self._mix(region, mix) for region, mix in self._table("styles", wanted.get("styles", {})).items()
        }
        worn = {
            region: self._worn(region, name) for region, name in self._table("wear", wanted.get("wear", {})).items()
        }
        recolours = checked_recolours(wanted.get("recolour", {}))
        return Recipe(self._hash.hexdigest(), pose, indices, styles, recolours, worn, grow)

    def _table(self, name: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict) or not value.keys() <= REGION.keys():
            raise InputError(
                f'"{name}" of {self._path.name} must be an object with names of regions ({", ".join(REGIONS)})'
            )
        return value

    def _mix(self, region: str, mix: Any) -> list[tuple[str, "Person", float]]:
        mix = {mix: 1.0} if isinstance(mix, str) else mix
        weights = list(mix.values()) if isinstance(mix, dict) else []
        numbers = all(isinstance(w, int | float) and not isinstance(w, bool) and 0 <= w <= 1 for w in weights)
        if not weights or not numbers or sum(weights) > 1 + 1e-6:
            raise InputError(f"{region} of {self._path.name} must be a file, or files with shares of at most 1 in all")
        mixed = []
        for name, weight in mix.items():
            person = self._once(region, name, self._person)
            if not np.any(person.parsing == REGION[region]):
                raise InputError(f"{name} shows no {region.replace('_', ' ')} to borrow")
            mixed.append((Path(name).stem, person, float(weight)))
        return mixed

    def _worn(self, region: str, name: Any) -> tuple[str, "Person"]:
        if region not in GARMENTS:
            raise InputError(f"what can be worn is {', '.join(GARMENTS)}; {self._path.name} asks for {region}")
        person = self._once(region, name, self._person)
        if not person.present[REGION[region]]:
            raise InputError(f"{name} shows no {region.replace('_', ' ')} to wear")
        return Path(name).stem, person

    def _once(self, name: str, value: Any, read_it: Callable[[Path], Any]) -> Any:
        """What a file holds; its bytes count for the digest."""
        if not isinstance(value, str):
            raise InputError(f'"{name}" of {self._path.name} must name a file')
        path = self._path.parent / value
        self._hash.update(_bytes_of(path))
        try:
            return read_it(path)
        except InputError as error:
            raise type(error)(str(error) if path.name in str(error) else f"{path.name}: {error}") from None

    def _pose_file(self, path: Path) -> PoseFile:
        return open_pose_file(path)

    def _person(self, path: Path) -> "Person":
        if path not in self._people:
            if is_document(path):
                person = read(path).person.known_to(self._editor)
            else:
                person = self._editor.set_person(read_image(path))
            self._people[path] = person
        return self._people[path]
