#!/bin/bash
# pillow 12.3.0, numpy 2.3.5 (CPython 3.11, Linux x86-64).
#
# Every chunk of a PNG carries a checksum, and so does the compressed stream in it. Pillow looks at neither for the pixels
# themselves: of a label map with one flipped bit in its pixel data, it raises for most places, but for some it returns a
# whole picture with other labels and says nothing. One would expect a lossless format with checksums to be refused, as
# Image.verify() does (which has to be called on a picture of its own) and as libpng does.
#
# Seen: "1 flipped bit in 1079 bytes of pixels: 94 of 1079 files decode to other labels without an error; verify() refuses
# 94 of them".
# Exits with 0 while some do, and with 1 when none does any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --disable-pip-version-check -q pillow==12.3.0 numpy==2.3.5 2>"$work/log" ||
    { cat "$work/log" >&2; exit 2; }
cat > "$work/flip.py" <<'PYTHON'
import io, sys
import numpy as np
from PIL import Image

rows, columns = np.mgrid[:120, :90]
labels = ((np.hypot(rows - 60, columns - 45) + np.random.default_rng(0).random((120, 90))) // 8 % 8).astype(np.uint8)
stored = io.BytesIO()
Image.fromarray(labels).save(stored, "PNG")
data = stored.getvalue()
start = data.index(b"IDAT") + 4
length = int.from_bytes(data[start - 8 : start - 4], "big")
silent = verified = 0
for place in range(start, start + length):
    damaged = bytearray(data)
    damaged[place] ^= 1 << place % 8
    try:
        found = np.array(Image.open(io.BytesIO(damaged)))
    except Exception:
        continue
    if np.array_equal(found, labels):
        continue
    silent += 1
    try:
        Image.open(io.BytesIO(damaged)).verify()
    except Exception:
        verified += 1
print(f"1 flipped bit in {length} bytes of pixels: {silent} of {length} files decode to other labels without an error; "
      f"verify() refuses {verified} of them")
sys.exit(silent == 0)
PYTHON
"$work/venv/bin/python" "$work/flip.py"
