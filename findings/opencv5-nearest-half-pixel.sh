#!/bin/bash
# opencv-python-headless 5.0.0.93 (CPython 3.11, Linux x86-64), numpy 2.3.5.
#
# Moving a map of labels by exactly half a pixel with cv2.warpAffine and INTER_NEAREST loses every second column of it:
# 0 1 2 3 4 5 ... becomes 0 0 2 2 4 4 ... (each even label twice, each odd one gone), for the half is rounded to the even
# neighbour. One would expect a shift: every label once, as 4.14.0.94 does (0 1 2 3 4 5 ...). Maps of pictures of odd
# width, centred in a frame of even width, are moved by exactly that.
#
# Seen: "5.0.0.93: 88 of 175 labels are left; 4.14.0.94: 175 of 175".
# Exits with 0 while that is so, and with 1 when it has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/shift.py" <<'PYTHON'
import cv2
import numpy as np

labels = np.tile(np.arange(175, dtype=np.uint8), (8, 1))
moved = cv2.warpAffine(labels, np.float32([[1, 0, 0.5], [0, 1, 0]]), (176, 8), flags=cv2.INTER_NEAREST,
                       borderMode=cv2.BORDER_CONSTANT, borderValue=255)
print(len(set(moved[4].tolist()) - {255}))
PYTHON
left() {
    python3 -m venv "$work/$1"
    "$work/$1/bin/python" -m pip install --disable-pip-version-check -q "opencv-python-headless==$1" "numpy==2.3.5" 2>"$work/log" ||
        { cat "$work/log" >&2; exit 2; }
    "$work/$1/bin/python" "$work/shift.py"
}
new=$(left 5.0.0.93)
old=$(left 4.14.0.94)
echo "5.0.0.93: $new of 175 labels are left; 4.14.0.94: $old of 175"
[ "$new" = 88 ] && [ "$old" = 175 ]
