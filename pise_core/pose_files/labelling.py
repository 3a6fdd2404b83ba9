"""Points that people set by hand in a labelling program, as one person's named points each.

A program's file comes out as other files of poses are: pictures with their size and people, see ``contents``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pise_core.errors import InputError
from pise_core.pose_files.layouts import joint_name

Picture = dict[str, Any]


def from_labelling(data: Any) -> list[Picture] | None:
    """The pictures of a file of labelme, Label Studio, VGG Image Annotator 1 or 2, or Supervisely; None if it is of
    none of these.

    Raises:
        InputError: if it is Supervisely's with skeletons, whose points another file names.
    """
    if isinstance(data, Mapping):
        if isinstance(data.get("shapes"), list):
            return [_labelme(data)]
        if isinstance(data.get("objects"), list) and _any_with(data["objects"], "geometryType"):
            return [_supervisely(data)]
        metadata = data.get("_via_img_metadata", data)
        files = list(metadata.values()) if isinstance(metadata, Mapping) else []
        if files and all(isinstance(file, Mapping) and "filename" in file and "regions" in file for file in files):
            return [_via(file) for file in files]
    pages = data if isinstance(data, list) else [data]
    if all(isinstance(page, Mapping) and _label_studio_points(page) is not None for page in pages) and pages:
        return [_label_studio(page) for page in pages]
    if isinstance(data, list) and data and all(isinstance(page, Mapping) and "shapes" in page for page in data):
        return [_labelme(page) for page in data]
    return None


def _labelme(page: Mapping[str, Any]) -> Picture:
    """Shapes of type "point"; those of one group are one person's."""
    shapes = [shape for shape in page["shapes"] if isinstance(shape, Mapping) and shape.get("shape_type") == "point"]
    people: dict[Any, list[dict[str, Any]]] = {}
    for shape in shapes:
        at = shape.get("points")
        if isinstance(at, list) and len(at) == 1 and isinstance(at[0], list) and len(at[0]) == 2:
            people.setdefault(str(shape.get("group_id")), []).append(_point(shape.get("label"), *at[0]))
    size = (page.get("imageWidth"), page.get("imageHeight"))
    return _picture(people.values(), size)


def _label_studio(page: Mapping[str, Any]) -> Picture:
    """Key points in percent of a picture whose sides stand beside each of them."""
    points, size = [], None
    for entry in _label_studio_points(page) or ():
        value = entry.get("value", entry)
        labels = value.get("keypointlabels")
        size = (entry["original_width"], entry["original_height"])
        if not all(isinstance(number, int | float) for number in (*size, value.get("x"), value.get("y"))):
            raise InputError(
                "holds a key point of Label Studio without x and y in percent, or without its picture's sides"
            )
        x, y = (value[axis] / 100 * side for axis, side in zip("xy", size, strict=True))
        points.append(_point(labels[0] if isinstance(labels, list) and labels else None, x, y))
    return _picture([points], size)


def _label_studio_points(page: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """The entries of a page that are key points: of its first annotation that counts, or of the short export's lists;
    None where there is no such list."""
    annotations = page.get("annotations")
    lists = []
    if isinstance(annotations, list):
        results = [
            one.get("result") for one in annotations if isinstance(one, Mapping) and not one.get("was_cancelled")
        ]
        lists = [result for result in results if isinstance(result, list)][:1]
    for entries in (*lists, *(value for value in page.values() if isinstance(value, list))):
        found = [entry for entry in entries if isinstance(entry, Mapping) and "original_width" in entry]
        points = [one for one in found if "keypointlabels" in (one["value"] if _within(one, "value") else one)]
        if points and all("original_height" in entry for entry in points):
            return points
    return None


def _via(file: Mapping[str, Any]) -> Picture:
    """Regions of shape "point", named by whichever of their attributes is a joint's name. How large the picture is, the
    file does not say: its "size" counts bytes."""
    regions = file["regions"]
    regions = list(regions.values()) if isinstance(regions, Mapping) else regions
    points = []
    for region in regions if isinstance(regions, list) else []:
        shape, about = (region.get(key) for key in ("shape_attributes", "region_attributes"))
        if isinstance(shape, Mapping) and isinstance(about, Mapping) and shape.get("name") == "point":
            called = [value for value in about.values() if joint_name(value)] or [None]
            points.append(_point(called[0], shape.get("cx"), shape.get("cy")))
    return _picture([points], (None, None))


def _supervisely(page: Mapping[str, Any]) -> Picture:
    """Objects of the kind "point", each of a class that is called like a joint."""
    kinds = [thing.get("geometryType") for thing in page["objects"] if isinstance(thing, Mapping)]
    if "graph" in kinds:
        raise InputError("holds skeletons of Supervisely, whose points its meta.json names; export as COCO key points")
    points = []
    for thing in page["objects"]:
        exterior = thing["points"].get("exterior") if _within(thing, "points") else None
        if thing.get("geometryType") == "point" and isinstance(exterior, list) and len(exterior) == 1:
            points.append(_point(thing.get("classTitle"), *exterior[0][:2]))
    size = page["size"] if _within(page, "size") else {}
    return _picture([points], (size.get("width"), size.get("height")))


def _point(name: Any, x: Any, y: Any) -> dict[str, Any]:
    return {"name": name, "x": x, "y": y}


def _picture(people: Iterable[list[dict[str, Any]]], size: tuple[Any, Any] | None) -> Picture:
    """As others write it: sides, and named points of each person. Points that are no joint's are left out."""
    bodies = [[point for point in points if joint_name(point["name"])] for points in people]
    width, height = size or (None, None)
    return {"width": width, "height": height, "people": [{"keypoints": body} for body in bodies if body]}


def _within(entry: Any, key: str) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get(key), Mapping)


def _any_with(entries: list[Any], key: str) -> bool:
    return any(isinstance(entry, Mapping) and key in entry for entry in entries)
