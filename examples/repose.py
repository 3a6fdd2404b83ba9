"""Lift a wrist: ``python examples/repose.py PHOTO OUT``."""

import sys

from pise_core import Editor
from pise_core.images import read_image, write_image
from pise_core.skeleton import JOINT


def main(photo: str, out: str) -> None:
    """Move the right wrist above the right shoulder, and write the edited photo."""
    person = Editor.from_pretrained().set_person(read_image(photo))
    pose = person.pose.copy()
    shoulder, elbow, wrist = (JOINT[f"right_{name}"] for name in ("shoulder", "elbow", "wrist"))
    # The bones keep their lengths, and the arm points up and a little to the side.
    upper, lower = (((pose[a, :2] - pose[b, :2]) ** 2).sum() ** 0.5 for a, b in ((shoulder, elbow), (elbow, wrist)))
    pose[elbow, :2] = pose[shoulder, :2] + (-0.8 * upper, -0.6 * upper)
    pose[wrist, :2] = pose[elbow, :2] + (0, -lower)
    write_image(out, person.render(pose=pose).photo)


if __name__ == "__main__":
    main(*sys.argv[1:])
