"""True pairs: two frames of a clip, the one re-posed into the other.

A clip is a folder with frames (``NNNNN.jpg``) and ``keypoints.json``: frame name -> 18 rows ``[x, y, score]`` or null,
in pixels of the frame; a frame may be null as a whole. Joints are given, regions found by the analyzer.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pise_core.errors import InputError
from pise_core.evaluation.entries import COPY, WARP, Entry, Made, people, timed
from pise_core.evaluation.image_metrics import MOVED_MARGIN, changed_outside
from pise_core.evaluation.scoring import Example
from pise_core.evaluation.warp_baseline import warp
from pise_core.images import read_image
from pise_core.person import Edit, Person
from pise_core.pose import from_rows, visible


@dataclass(frozen=True)
class ClipPair:
    """Two frames of one clip: files, and joints (18, 3) in their pixels."""

    clip: str
    source: Path
    target: Path
    source_pose: np.ndarray
    target_pose: np.ndarray


def load_pairs(folder: Path, count: int, seed: int, limit: int | None = None) -> list[ClipPair]:
    """``count`` ordered pairs of different frames from each clip in ``folder``, drawn with ``seed``.

    Args:
        folder: of clips.
        count: pairs per clip; fewer where a clip has not so many.
        seed: the same pairs for the same seed, clip by clip.
        limit: at most so many clips.

    Raises:
        InputError: if there is no clip, or its keypoints can't be read.
    """
    clips = sorted(path.parent for path in Path(folder).glob("*/keypoints.json"))[:limit]
    if not clips:
        raise InputError(f"{folder} holds no clips; a clip is a folder with frames NNNNN.jpg and keypoints.json")
    pairs = []
    for clip in clips:
        poses = _poses(clip / "keypoints.json")
        if len(poses) < 2:
            raise InputError(f"{clip} has fewer than two frames with joints")
        names, rng = sorted(poses), np.random.default_rng(seed)
        ordered = [(a, b) for a in names for b in names if a != b]
        for index in rng.permutation(len(ordered))[:count]:
            a, b = ordered[index]
            pairs.append(ClipPair(clip.name, clip / a, clip / b, poses[a], poses[b]))
    return pairs


def _poses(path: Path) -> dict[str, np.ndarray]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        poses = {str(name): from_rows(joints) for name, joints in rows.items() if joints is not None}
    except (ValueError, AttributeError) as error:
        raise InputError(f"{path} is damaged: {error}") from None
    return {name: pose for name, pose in poses.items() if visible(pose).sum() >= 6}


def videos(pairs: Sequence[ClipPair], entries: Sequence[Entry]) -> Iterator[Example]:
    """An example per pair, in the frame about the target's person."""
    editor = entries[0].editor
    for pair in pairs:
        source, target = read_image(pair.source), read_image(pair.target)
        if source.shape != target.shape:
            raise InputError(f"{pair.source} and {pair.target} are of different sizes; a clip has one size")
        wanted = editor.analyze(target, pose=pair.target_pose)
        parsing = wanted.framing.crop(wanted.parsing, labels=True)
        if not (parsing > 0).any():
            raise InputError(f"the analyzer sees nobody at the joints of {pair.target}; leave the frame out")
        found = editor.analyze(source, pose=pair.source_pose)

        def in_frame(person: Person, edit: Edit, seconds: float, framing=wanted.framing) -> Made:
            concerned = (person.parsing > 0) | (edit.parsing > 0)
            outside = changed_outside(person.photo, edit.photo, concerned, person.framing.scale, MOVED_MARGIN)
            crop = framing.crop(edit.parsing, labels=True)
            return Made(framing.crop(edit.photo, 127), seconds, crop, outside)

        made: dict[str, Made] = {}
        persons = people(entries, source, found.pose, found.parsing)
        for entry, person in zip(entries, persons, strict=True):
            asked = wanted.parsing if entry.true_map else None
            edit, seconds = timed(
                lambda c=entry, p=person, t=wanted.pose, m=asked: p.render(
                    pose=t, parsing=m, detail=c.detail, any_map=True
                )
            )
            made[entry.name] = in_frame(person, edit, seconds)
        made[COPY] = Made(wanted.framing.crop(source, 127), parsing=wanted.framing.crop(found.parsing, labels=True))
        edit, seconds = timed(lambda p=persons[0], t=wanted.pose: warp(p, t))
        made[WARP] = in_frame(persons[0], edit, seconds)
        name = f"{pair.source.stem} to {pair.target.stem}"
        joints = wanted.framing.to_frame(wanted.pose)
        yield Example(name, pair.clip, joints, parsing, made, wanted.framing.crop(target, 127))
