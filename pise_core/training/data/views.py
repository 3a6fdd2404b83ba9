"""Augmented views of whole photos, at any scale and place: what the analyzer learns from."""

from typing import NamedTuple

import cv2
import numpy as np
import torch

from pise_core.framing import FRAME_SIZE
from pise_core.label_warps import warp_labels
from pise_core.pose import heatmaps
from pise_core.skeleton import MIRROR
from pise_core.training.data.prepared_folder import Sample, person_box

#: The label of a pixel that nobody annotated.
UNLABELLED = 255
#: The share of the views that JPEG has taken details from. (None is enlarged from fewer pixels: blurred people are
#: passers-by in street photos, and nobody whom a photo is about.)
COMPRESSED = 0.1


def _backdrop(other: Sample, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A picture without a person, (H, W, 3) uint8: the street beside somebody, enlarged, or one colour."""
    height, width = size
    x0, _, x1, _ = person_box(other)
    left, right = int(x0), int(other.image.shape[1] - x1)
    if rng.random() < 0.3 or max(left, right) < 24:
        return np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    strip = other.image[:, :left] if left > right else other.image[:, -right:]
    tall = min(strip.shape[0], round(strip.shape[1] * height / width))
    top = int(rng.integers(0, strip.shape[0] - tall + 1))
    return cv2.resize(strip[top : top + tall], (width, height), interpolation=cv2.INTER_LINEAR)


class View(NamedTuple):
    """An augmented view."""

    image: np.ndarray  # (H, W, 3) uint8
    poses: list[np.ndarray]  # of everybody who is labelled, (18, 3) each
    labels: np.ndarray  # (H, W) uint8 regions, 255 where nobody annotated
    held: np.ndarray  # (H, W) uint8, 1 where something is held, 255 where nobody knows


def random_view(sample: Sample, other: Sample, rng: np.random.Generator, size: tuple[int, int] = FRAME_SIZE) -> View:
    """One augmented view.

    ``other`` lends its street where the view reaches beyond the photo.
    """
    height, width = size
    x0, y0, x1, y1 = person_box(sample)
    kind = rng.random()
    if kind < 0.18:  # half a body: head and torso, or less
        y1 = y0 + (y1 - y0) * rng.uniform(0.3, 0.65)
    fit = min(height / (y1 - y0), width / (x1 - x0))
    if kind < 0.68:  # the crop that the second pass sees
        scale = fit * np.exp(rng.uniform(np.log(0.6), np.log(1.05)))
        jitter = 0.06
    else:  # the whole scene that the first pass sees, the person small and anywhere
        scale = fit * np.exp(rng.uniform(np.log(0.2), np.log(0.8)))
        jitter = 0.5 * (1 - scale / fit)
    return view_about(sample, other, rng, size, ((x0 + x1) / 2, (y0 + y1) / 2), scale, jitter)


def view_about(
    sample: Sample,
    other: Sample,
    rng: np.random.Generator,
    size: tuple[int, int],
    centre: tuple[float, float],
    scale: float,
    jitter: float,
) -> View:
    """A view of any place of a sample, turned, mirrored and lit at random.

    Args:
        sample: what is shown.
        other: lends its street where the view reaches beyond the photo.
        rng: everything random comes from it.
        size: (H, W) of the view.
        centre: x, y in pixels of the sample, of what is shown about the middle.
        scale: pixels of the view per pixel of the sample.
        jitter: how far from the middle that may be, as a share of the view's size.
    """
    height, width = size
    angle = np.deg2rad(np.clip(rng.normal() * 7, -25, 25))
    mirrored = rng.random() < 0.5
    a = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    if mirrored:
        a = a @ np.array([[-1.0, 0], [0, 1]])
    place = np.array([width, height]) * (0.5 + rng.uniform(-jitter, jitter, 2))
    shift = place - a @ np.array(centre)
    # Pixel centres lie at +0.5 here and at whole numbers in OpenCV.
    matrix = np.c_[a, shift + a @ [0.5, 0.5] - 0.5]
    image = sample.image
    if scale < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    backdrop = _backdrop(other, size, rng)
    image = cv2.warpAffine(image, matrix, (width, height), backdrop, borderMode=cv2.BORDER_TRANSPARENT)
    # Beyond the photo lies the other's street. Of a photo that the network labelled nothing is known there.
    beyond = UNLABELLED if sample.parsing is None or (sample.parsing == UNLABELLED).any() else 0
    labels, held = (
        np.full(size, UNLABELLED, np.uint8)
        if known is None
        else warp_labels(known, np.c_[a, shift], (width, height), beyond)
        for known in (sample.parsing, sample.held)
    )
    poses = [_seen_in(pose, a, shift, mirrored, size) for pose in (sample.pose, *sample.others)]
    return View(recoloured(compressed(image, rng), rng), poses, labels, held)


def _seen_in(pose: np.ndarray, a: np.ndarray, shift: np.ndarray, mirrored: bool, size: tuple[int, int]) -> np.ndarray:
    """The pose moved by ``a @ x + shift``; joints beyond the view are missing."""
    pose = pose.copy()
    pose[:, :2] = pose[:, :2] @ a.T + shift
    if mirrored:
        pose = pose[list(MIRROR)]
    with np.errstate(invalid="ignore"):
        inside = ((pose[:, :2] >= 0) & (pose[:, :2] < size[::-1])).all(1)
    pose[~inside] = np.nan, np.nan, 0
    return pose


def compressed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes as a thrifty camera stores it."""
    if rng.random() >= COMPRESSED:
        return image
    _, stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR))


def recoloured(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    x = image.astype(np.float32)
    mean = x.mean()
    x = (x - mean) * rng.uniform(0.7, 1.3) + mean * rng.uniform(0.7, 1.3)
    x *= rng.uniform(0.88, 1.12, 3).astype(np.float32)
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(0.2, 1.5)
    if rng.random() < 0.2:
        x += rng.normal(size=x.shape).astype(np.float32) * rng.uniform(2, 10)
    if rng.random() < 0.15:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.5, 1.5))
    return np.clip(x, 0, 255).astype(np.uint8)


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


class Views(NamedTuple):
    """Views as tensors."""

    images: torch.Tensor  # (N, 3, H, W) float32 in [-1, 1]
    heatmaps: torch.Tensor  # (N, 18, H/4, W/4)
    labels: torch.Tensor  # (N, H/2, W/2) int64 regions, ``UNLABELLED`` where nobody knows
    held: torch.Tensor  # (N, 1, H/2, W/2) float32, 1 where something is held, ``UNLABELLED`` where nobody knows

    def to(self, device: str | torch.device) -> "Views":
        return Views(*(tensor.to(device) for tensor in self))


def views_of(drawn: list[tuple[Sample, Sample]], rng: np.random.Generator, frame: tuple[int, int]) -> Views:
    """Views of the first of each two, as tensors; the second lends its street.

    Args:
        drawn: N of these twos.
        rng: everything random comes from it.
        frame: (H, W) of the views.
    """
    views = [random_view(sample, other, rng, frame) for sample, other in drawn]
    images = to_tensor(np.stack([view.image for view in views]))
    # sigma 6 at the full frame; smaller frames keep it in proportion.
    sigma = 6 * frame[0] / FRAME_SIZE[0]
    maps = [np.max([heatmaps(pose, frame, sigma, stride=4) for pose in view.poses], 0) for view in views]
    labels = np.stack([view.labels for view in views])[:, ::2, ::2].astype(np.int64)
    held = np.stack([view.held for view in views])[:, None, ::2, ::2].astype(np.float32)
    return Views(images, torch.from_numpy(np.stack(maps)), torch.from_numpy(labels), torch.from_numpy(held))
