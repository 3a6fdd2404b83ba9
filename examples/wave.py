"""Let somebody wave, as a GIF and as a document to go on with: ``python examples/wave.py PHOTO OUT.gif OUT.pise``."""

import sys

from pise_core import Document, Editor
from pise_core.skeleton import JOINT


def main(photo: str, out: str, saved: str) -> None:
    """Animate between the person's own pose and one with the right hand higher; both files can be opened in the studio
    or shown anywhere."""
    document = Document(Editor.from_pretrained(), photo)
    own = document.person.pose
    waving = own.copy()
    height = own[JOINT["right_hip"], 1] - own[JOINT["right_shoulder"], 1]
    waving[JOINT["right_elbow"], :2] += -0.1 * height, -0.3 * height
    waving[JOINT["right_wrist"], :2] += -0.2 * height, -0.9 * height
    document.set_motion([own, waving], seconds=0.4)
    document.animate(out)
    document.save(saved)


if __name__ == "__main__":
    main(*sys.argv[1:])
