"""Which place of the source looks like which place of the target (eq. 3), and what is carried by it.

The matrix of all pairs of places grows with the fourth power of a picture's side: 32 MB for 256x176 pixels, 508 MB for
512x352 and 8.1 GB for 1024x704. On processors PyTorch's fused attention never makes it, where the values have no more
channels than what is compared. Elsewhere it is made and used in strips, and where gradients are wanted of a large one
its strips are made once more on the way back instead of being kept. (Values of more channels than what is compared
make ``scaled_dot_product_attention`` take more time than these strips, and as much memory as the whole matrix with
gradients: torch 2.14.)
"""

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Entries of the matrix that are made at once: 4 MB in float32, which stays in a processor's cache.
STRIP = 1 << 20
#: Entries of the whole matrix (batch included) from which it isn't kept for the gradient: 256 MB in float32.
KEPT = 1 << 26


def full_precision(x: Tensor) -> AbstractContextManager:
    """No autocasting on the tensor's device; devices that can't autocast, such as "meta", are left as they are."""
    kind = x.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()


def at_least_float32(x: Tensor) -> Tensor:
    """float16 and bfloat16 as float32; float32 and float64 as they are."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def centred_unit(x: Tensor) -> Tensor:
    """(N, C, h, w), channel-wise centred and then of unit length over the channels: what eq. 3 compares."""
    x = x - x.mean(1, keepdim=True)
    return F.normalize(x, dim=1, eps=1e-4)


def placed_through(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """What a 1x1 layer makes of (N, C, h, w) of unit length over the channels, and three more: x and y from -1 to 1,
    and the distance from the centre. In full precision: the softmax's temperature enlarges errors a hundredfold."""
    y = torch.linspace(-1, 1, x.shape[2], device=x.device, dtype=x.dtype)[:, None].expand(x.shape[2:])
    across = torch.linspace(-1, 1, x.shape[3], device=x.device, dtype=x.dtype)[None].expand(x.shape[2:])
    places = torch.stack([across, y, torch.hypot(across, y)]).expand(len(x), -1, -1, -1)
    with full_precision(x):
        placed = torch.cat([F.normalize(x, dim=1, eps=1e-15), places], 1)
        bias = None if layer.bias is None else layer.bias.to(x.dtype)
        return F.conv2d(placed, layer.weight.to(x.dtype), bias)


def carry_by_likeness(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    matching: str,
    temperature: float,
    patches: bool = False,
    strip: int | None = None,
    kept: int = KEPT,
) -> Tensor:
    """Values of the source, carried to the places of the target by the matrix of likenesses.

    Args:
        queries: (N, C, h, w) of the target, float32 or float64.
        keys: (N or 1, C, h, w) of the source, of that dtype.
        values: (N or 1, V, h * w) of the source, of that dtype.
        matching: "source": at every target place the shares of all source places sum to 1 (a softmax). "target": every
            source place hands out shares that sum to 1. "printed": no softmax, the matrix of eq. 3 itself.
        temperature: of the softmax.
        patches: 3x3 patches are correlated, see :func:`patch_correlation`; otherwise likeness is the inner product.
        strip: entries of the matrix that are made at once, at least a row of places; by default none where fused
            attention does without, and ``STRIP`` elsewhere.
        kept: entries of the whole matrix from which its parts are made again for the gradient.

    Returns:
        (N, V, h, w). Whatever the strips, the same up to the order in which numbers are summed.
    """
    height, width = queries.shape[2:]
    places, batch = height * width, len(queries)
    if strip is None and matching == "source" and not patches and _can_be_fused(queries, values):
        return _fused(queries, keys, values, temperature).unflatten(2, (height, width))
    rows = max(1, (strip or STRIP) // (batch * places * width))
    # Strips run along the axis that the softmax does not, so that each holds all that it sums over.
    strips = _Strips(matching, temperature, patches, [(n, min(n + rows, height)) for n in range(0, height, rows)])
    if torch.is_grad_enabled() and batch * places * places > kept and not torch.compiler.is_compiling():
        return _MadeAgain.apply(queries, keys, values, strips)
    if matching == "target":
        parts = (strips.part(queries, keys, values, n) for n in range(len(strips.rows)))
        return sum(parts, start=queries.new_zeros(())).unflatten(2, (height, width))
    parts = [strips.part(queries, keys, values, n) for n in range(len(strips.rows))]
    return torch.cat(parts, 2).unflatten(2, (height, width))


def _can_be_fused(queries: Tensor, values: Tensor) -> bool:
    """Whether fused attention is there and quicker than strips; graphs for other runtimes have strips."""
    return queries.device.type == "cpu" and values.shape[1] <= queries.shape[1] and not torch.onnx.is_in_onnx_export()


def _fused(queries: Tensor, keys: Tensor, values: Tensor, temperature: float) -> Tensor:
    """All of the target's places at once, (N, V, h * w). Attention is fused only where its three inputs have as many
    channels, which lie side by side: zeros are added to the values."""
    count, channels, carried = len(queries), queries.shape[1], values.shape[1]
    asked, known, given = (
        one.flatten(2).transpose(1, 2).contiguous().expand(count, -1, -1)[:, None]
        for one in (queries, keys, F.pad(values, (0, 0, 0, channels - carried)))
    )
    made = F.scaled_dot_product_attention(asked, known, given, scale=1 / temperature)
    return made[:, 0, :, :carried].transpose(1, 2)


class _Strips(NamedTuple):
    """How a matrix is cut; arguments as in :func:`carry_by_likeness`."""

    matching: str
    temperature: float
    patches: bool
    rows: list[tuple[int, int]]  # first row of places and the one behind the last: of the target, or of the source

    def part(self, queries: Tensor, keys: Tensor, values: Tensor, number: int) -> Tensor:
        """What one strip makes: (N, V, rows * w) for its places of the target, or its share in all of them."""
        first, last = self.rows[number]
        if self.matching == "target":
            return _from_source_rows(queries, keys, values, first, last, self.temperature, self.patches)
        softmax = self.matching == "source"
        return _to_target_rows(queries, keys, values, first, last, self.temperature, self.patches, softmax)


class _MadeAgain(torch.autograd.Function):
    """The same, every strip made once more for its gradient. (``torch.utils.checkpoint`` a strip leaves holes of a
    strip's size between what it keeps, and takes a gigabyte where this takes some megabytes.)"""

    @staticmethod
    def forward(ctx, queries: Tensor, keys: Tensor, values: Tensor, strips: _Strips) -> Tensor:
        ctx.save_for_backward(queries, keys, values)
        ctx.strips = strips
        width = queries.shape[3]
        made = queries.new_zeros((len(queries), values.shape[1], queries.shape[2] * width))
        for number, (first, last) in enumerate(strips.rows):
            here = slice(None) if strips.matching == "target" else slice(first * width, last * width)
            made[:, :, here] += strips.part(queries, keys, values, number)
        return made.unflatten(2, queries.shape[2:])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        given, strips = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors], ctx.strips
        totals = [torch.zeros_like(tensor) for tensor in given]
        width, gradient = gradient.shape[3], gradient.flatten(2)
        for number, (first, last) in enumerate(strips.rows):
            here = slice(None) if strips.matching == "target" else slice(first * width, last * width)
            with torch.enable_grad():
                part = strips.part(*given, number)
            for total, found in zip(totals, torch.autograd.grad(part, given, gradient[:, :, here]), strict=True):
                total += found
        return *totals, None


def _to_target_rows(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    first: int,
    last: int,
    temperature: float,
    patches: bool,
    softmax: bool,
) -> Tensor:
    """Values at the target's rows ``first`` to ``last``, (N, V, rows * w)."""
    if patches:
        likeness = _patch_rows(keys, queries, first, last).transpose(1, 2)
    else:
        likeness = queries[:, :, first:last].flatten(2).transpose(1, 2) @ keys.flatten(2)
    shares = torch.softmax(likeness / temperature, 2) if softmax else likeness
    return values @ shares.transpose(1, 2)


def _from_source_rows(
    queries: Tensor, keys: Tensor, values: Tensor, first: int, last: int, temperature: float, patches: bool
) -> Tensor:
    """What the source's rows ``first`` to ``last`` hand out, to all places of the target, (N, V, h * w)."""
    if patches:
        likeness = _patch_rows(queries, keys, first, last)
    else:
        likeness = queries.flatten(2).transpose(1, 2) @ keys[:, :, first:last].flatten(2)
    given = values.unflatten(2, keys.shape[2:])[:, :, first:last].flatten(2)
    return given @ torch.softmax(likeness / temperature, 1).transpose(1, 2)


def _patch_rows(a: Tensor, b: Tensor, first: int, last: int) -> Tensor:
    """:func:`patch_correlation` with the patches about the rows ``first`` to ``last`` of ``b`` alone."""
    top, bottom = max(0, first - 1), min(b.shape[2], last + 1)
    found = patch_correlation(a, b[:, :, top:bottom]).unflatten(2, (bottom - top, b.shape[3]))
    return found[:, :, first - top : last - top].flatten(2)


def patch_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Correlation coefficients of all 3x3 patches of ``a`` with all those of ``b``, zeros beyond the border.

    Patches are never laid out: where one place is correlated with another, their neighbours are in the same row and
    column of the matrix's diagonals.

    Args:
        a: (N, C, h, w).
        b: (N or 1, C, h', w').

    Returns:
        (N, h w, h' w') in [-1, 1], a patch of ``a`` per row.
    """
    values = 9 * a.shape[1]
    with full_precision(a):
        products = (a.flatten(2).transpose(1, 2) @ b.flatten(2)).unflatten(2, b.shape[2:]).unflatten(1, a.shape[2:])
        for axes in ((1, 3), (2, 4)):
            products = _with_neighbours(products, *axes)
        (sum_a, norm_a), (sum_b, norm_b) = _patch_statistics(a), _patch_statistics(b)
        products = products.flatten(3).flatten(1, 2)
        covariance = products - sum_a[:, :, None] * sum_b[:, None] / values
        return covariance * (1 / norm_a)[:, :, None] * (1 / norm_b)[:, None]


def _with_neighbours(products: Tensor, i: int, j: int) -> Tensor:
    """Every entry, with those one before and one after it along the axes ``i`` and ``j`` at once added."""
    n, m = products.shape[i] - 1, products.shape[j] - 1
    total = products.clone()
    total.narrow(i, 1, n).narrow(j, 1, m).add_(products.narrow(i, 0, n).narrow(j, 0, m))
    total.narrow(i, 0, n).narrow(j, 0, m).add_(products.narrow(i, 1, n).narrow(j, 1, m))
    return total


def _patch_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Of every 3x3 patch: the sum of its values, and the length of the patch once its mean is taken off; (N, hw)."""
    sums = 9 * F.avg_pool2d(torch.cat([x.sum(1, keepdim=True), (x * x).sum(1, keepdim=True)], 1), 3, 1, 1).flatten(2)
    total, squares = sums.unbind(1)
    return total, (squares - total * total / (9 * x.shape[1])).clamp(min=1e-12).sqrt()
