#!/bin/bash
# pyoxipng 9.1.1, pillow 12.3.0 (CPython 3.11).
#
# A lossless PNG optimiser gives the palette another order, and renumbers the pixels to fit: the colours are the same, the
# indices are not. A label map is read by its indices (Pascal VOC, LIP, ATR), so that every pixel of it may become another
# class while the picture looks untouched. One would expect "lossless" to keep what is stored in the pixels.
#
# Seen: "same colours: True; labels 0..7 are stored as [7, 4, 1, 6, 3, 0, 5, 2]".
# Exits with 0 while the indices change and the colours don't, and with 1 when that has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --disable-pip-version-check -q pyoxipng==9.1.1 pillow==12.3.0 numpy==2.3.5 2>"$work/log" ||
    { cat "$work/log" >&2; exit 2; }
cat > "$work/map.py" <<'PYTHON'
import io, sys
import numpy as np
import oxipng
from PIL import Image

colours = [(32, 34, 37), (122, 81, 54), (255, 209, 168), (66, 135, 245), (214, 84, 160), (44, 160, 110), (245, 158, 66), (150, 110, 230)]
rows, columns = np.indices((96, 64))
labels = ((rows // 12 + columns // 24) * 5 % 8).astype(np.uint8)
image = Image.fromarray(labels)
image.putpalette([v for colour in colours for v in colour])
before = io.BytesIO()
image.save(before, "PNG")
after = Image.open(io.BytesIO(oxipng.optimize_from_memory(before.getvalue(), level=4)))
stored = np.array(after)
same = np.array_equal(np.array(image.convert("RGB")), np.array(after.convert("RGB")))
order = [int(stored[labels == label][0]) for label in range(8)]
print(f"same colours: {same}; labels 0..7 are stored as {order}")
sys.exit(0 if same and after.mode == "P" and order != list(range(8)) else 1)
PYTHON
"$work/venv/bin/python" "$work/map.py"
