"""Wear somebody else's top, wholly and by half: ``python examples/borrow.py PHOTO LENDER OUT``."""

import sys

import numpy as np

from pise_core import Editor
from pise_core.images import read_image, write_image


def main(photo: str, lender: str, out: str) -> None:
    """Write the photo, half of the lender's upper clothes, and all of them, side by side."""
    editor = Editor.from_pretrained()
    person, other = (editor.set_person(read_image(path)) for path in (photo, lender))
    steps = [person.photo]
    for share in (0.5, 1.0):
        steps.append(person.render(styles={"upper_clothes": [(other, share)]}).photo)
    write_image(out, np.hstack(steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
