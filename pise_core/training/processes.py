"""One training run in several processes, on one machine or on many.

``accelerate`` starts and connects them (``accelerate launch -m pise_core train ...``); alone, none of it is needed.
Every process has the same networks, draws the same random numbers and makes its part of each batch. Losses are scaled
so that their mean over the processes is the loss of the whole batch; gradients are averaged likewise.
"""

import os
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from pise_core.errors import InputError


class Processes:
    """This process among ``count``; alone, every method answers what it was given.

    Attributes:
        index, count: which of how many.
        device: where this one computes.
    """

    def __init__(self, device: str | torch.device = "cpu", index: int = 0, count: int = 1):
        self.device = torch.device(device)
        self.index, self.count = index, count

    @property
    def main(self) -> bool:
        """This one writes files and talks; the others only compute."""
        return self.index == 0

    def part(self, size: int) -> slice:
        """This process's share of a batch of ``size``."""
        share = size // self.count
        return slice(self.index * share, (self.index + 1) * share)

    def mean(self, value: Tensor) -> Tensor:
        """Mean over the processes; no gradient passes."""
        if self.count == 1:
            return value
        value = value.detach().clone()
        torch.distributed.all_reduce(value)
        return value / self.count

    def variance(self, values: Tensor) -> Tensor:
        """Of all values of all processes, each of which has equally many; no gradient passes."""
        if self.count == 1:
            return values.var()
        values = values.detach().double()
        squares = self.mean(((values - self.mean(values.mean())) ** 2).sum()) * self.count
        return (squares / (values.numel() * self.count - 1)).float()

    def agree(self, value: float) -> float:
        """The main process's value, in all of them: clocks differ."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(shared, 0)
        return float(shared)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.mean(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def synchronize_norms(self, module: nn.Module) -> None:
        """Batch normalization inside ``module`` takes mean and variance over all processes from now on."""
        if self.count > 1:
            for parent in list(module.modules()):
                for name, part in list(parent.named_children()):
                    if type(part) is nn.BatchNorm2d:
                        setattr(parent, name, SynchronizedBatchNorm2d.of(part))


ALONE = Processes()


class SynchronizedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization over the batches of all processes; torch's own works on GPUs only."""

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> "SynchronizedBatchNorm2d":
        """The same layer with the same state."""
        made = cls(norm.num_features, norm.eps, norm.momentum)
        made.load_state_dict(norm.state_dict())
        return made

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        if not self.training:
            return super().forward(input)
        count, x = torch.distributed.get_world_size(), input.float()
        mean = _Sum.apply(x.mean((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        variance = _Sum.apply((centred**2).mean((0, 2, 3))) / count
        with torch.no_grad():
            values = x.numel() // x.shape[1] * count
            momentum = self.momentum or 0.1
            assert self.running_mean is not None and self.running_var is not None
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * values / (values - 1), momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale[:, None, None] + self.bias[:, None, None]


class _Sum(torch.autograd.Function):
    """Sum over the processes, of values and, on the way back, of gradients."""

    @staticmethod
    def forward(ctx, values: Tensor) -> Tensor:
        values = values.clone()
        torch.distributed.all_reduce(values)
        return values

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return _Sum.forward(ctx, gradient)


def usable_device(name: str) -> torch.device:
    """The device of that name; "auto" is a GPU where torch finds one.

    Raises:
        InputError: if there is none on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.ones(1, device=device).cpu()
    except (RuntimeError, AssertionError):
        raise InputError(f"--device {name} can't be used here; use cpu, or cuda where torch finds a GPU") from None
    return device


def fast_in_bfloat16(device: str | torch.device) -> bool:
    """Whether convolutions are faster in bfloat16 there: processors without instructions for it are far slower."""
    kind = torch.device(device).type
    if kind == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))
    return kind != "cuda" or torch.cuda.is_bf16_supported()


def join(device: str) -> Processes:
    """The processes that were launched together with this one.

    Raises:
        InputError: if there are several and accelerate is not installed, or fewer than were asked for; if ``device`` is
            not there.
    """
    count = int(os.environ.get("WORLD_SIZE", 1))
    if count == 1:
        if "ACCELERATE_USE_CPU" in os.environ and "MASTER_PORT" in os.environ:
            # Without MPI, accelerate starts a single process, whatever number it is asked for, and says nothing.
            raise InputError(
                "accelerate launch --cpu starts one process only; for several on a CPU use: "
                "accelerate launch --multi_gpu --num_processes N -m pise_core train ... --device cpu"
            )
        return Processes(usable_device(device))
    try:
        from accelerate import PartialState
    except ImportError:
        raise InputError("several processes need accelerate: pip install -r requirements-train.txt") from None
    state = PartialState(cpu=usable_device(device).type == "cpu")
    return Processes(state.device or device, state.process_index, state.num_processes)


def leave(processes: Processes) -> None:
    """Wait for the others and part from them."""
    if processes.count > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
