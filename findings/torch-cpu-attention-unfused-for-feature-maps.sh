#!/bin/bash
# torch 2.14.1 (CPython 3.11, Linux x86-64), on the processor.
#
# scaled_dot_product_attention is fused on processors only where queries, keys and values have as many channels and these
# lie side by side in memory. Otherwise, without a warning, it makes the whole matrix of N x N places: so for the maps of
# a convolutional network that were flattened and transposed, (N, C, H, W) -> (N, H * W, C), the usual way to attend from
# one picture to another, and for values with fewer channels than the queries, which the documentation allows (E and Ev).
# One would expect the same kernel, or a copy: 6,400 places of 32 channels then take 360 MB instead of 3, and 16 times
# that for a picture of twice the side. A .contiguous() and zeros beside the values bring the fused one back.
#
# Seen: "alike: fused; transposed: whole matrix; transposed, made contiguous: fused; fewer values: whole matrix; fewer
# values, filled with zeros: fused".
# Exits with 0 while that is so, and with 1 when it has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/kernels.py" <<'PYTHON'
import torch
import torch.nn.functional as F
from torch.profiler import profile


def kernel(queries, keys, values):
    with torch.no_grad(), profile() as seen:
        F.scaled_dot_product_attention(queries, keys, values)
    names = {event.name for event in seen.events()}
    if "aten::_scaled_dot_product_flash_attention_for_cpu" in names:
        return "fused"
    return "whole matrix" if "aten::_scaled_dot_product_attention_math" in names else "another"


def maps(channels):
    return torch.randn(1, 1, channels, 20 * 20)


alike = [torch.randn(1, 1, 400, 32) for _ in range(3)]
transposed = [maps(32).transpose(2, 3) for _ in range(3)]
fewer = torch.randn(1, 1, 400, 8)
cases = {
    "alike": alike,
    "transposed": transposed,
    "transposed, made contiguous": [one.contiguous() for one in transposed],
    "fewer values": [*alike[:2], fewer],
    "fewer values, filled with zeros": [*alike[:2], F.pad(fewer, (0, 24))],
}
print("; ".join(f"{name}: {kernel(*inputs)}" for name, inputs in cases.items()))
PYTHON
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --disable-pip-version-check -q "torch==2.14.1" "numpy==2.3.5" 2>"$work/log" ||
    { cat "$work/log" >&2; exit 2; }
found=$("$work/venv/bin/python" "$work/kernels.py" 2>/dev/null)
echo "$found"
[ "$found" = "alike: fused; transposed: whole matrix; transposed, made contiguous: fused; fewer values: whole matrix; fewer values, filled with zeros: fused" ]
