"""What a gentle run is told about people whom nobody labelled."""

import numpy as np
import torch
from torch import Tensor, nn

from pise_core.detection.network import Analysis
from pise_core.training.analyzer.passers_by import with_passers_by
from pise_core.training.data.views import UNLABELLED, Views

FRAME = (64, 96)


class _SeesBright(nn.Module):
    """Takes bright pixels for upper clothes, and finds every joint in them at a half."""

    def forward(self, image: Tensor) -> Analysis:
        bright = (image.mean(1, keepdim=True) > 0).float()
        parsing = torch.zeros(len(image), 8, *(s // 2 for s in image.shape[2:]))
        parsing[:, 3:4] = 9 * bright[:, :, ::2, ::2]
        parsing[:, :1] = 1
        return Analysis((0.5 * bright[:, :, ::4, ::4]).expand(-1, 18, -1, -1), parsing)


def _view(*bright: tuple[slice, slice], labelled: tuple[slice, slice] | None, unknown: bool = False) -> Views:
    image = torch.full((1, 3, *FRAME), -1.0)
    for there in bright:
        image[0, :, there[0], there[1]] = 1
    labels = np.zeros(FRAME, np.int64)
    heatmaps = torch.zeros(1, 18, FRAME[0] // 4, FRAME[1] // 4)
    if labelled is not None:
        labels[labelled] = 5
        rows, columns = (slice(s.start // 4, s.stop // 4) for s in labelled)
        heatmaps[0, :, rows, columns] = 1
    if unknown:
        labels[:] = UNLABELLED
    half = torch.from_numpy(labels[None, ::2, ::2])
    return Views(image, heatmaps, half, torch.zeros(1, 1, FRAME[0] // 2, FRAME[1] // 2))


NAMED, STRANGER = (slice(8, 56), slice(8, 28)), (slice(16, 48), slice(64, 80))


def test_a_stranger_keeps_the_earlier_answer_and_the_labelled_person_the_truth():
    views = _view(NAMED, STRANGER, labelled=NAMED)
    told = with_passers_by(views, _SeesBright())
    stranger = slice(8, 24), slice(32, 40)
    assert (told.labels[0][stranger] == UNLABELLED).all()
    elsewhere = told.labels.clone()
    elsewhere[0][stranger] = 0
    assert torch.equal(elsewhere, views.labels)
    assert (told.heatmaps[0, :, 5:11, 17:19] == 0.5).all()
    assert torch.equal(told.heatmaps[..., :12], views.heatmaps[..., :12])
    assert torch.equal(told.images, views.images) and torch.equal(told.held, views.held)


def test_who_is_labelled_by_joints_alone_is_no_stranger():
    """Half of the photos have no map."""
    views = _view(NAMED, labelled=NAMED, unknown=True)
    told = with_passers_by(views, _SeesBright())
    assert torch.equal(told.heatmaps, views.heatmaps) and torch.equal(told.labels, views.labels)


def test_a_stranger_beside_the_labelled_person_takes_nothing_of_their_joints():
    close = slice(16, 48), slice(30, 40)
    views = _view(NAMED, close, labelled=NAMED)
    told = with_passers_by(views, _SeesBright())
    assert torch.equal(told.heatmaps[..., :7], views.heatmaps[..., :7])
    assert (told.heatmaps[0, :, 5:11, 8:10] == 0.5).all()


def test_where_nobody_is_seen_beside_nothing_changes():
    views = _view(labelled=NAMED)
    told = with_passers_by(views, _SeesBright())
    assert torch.equal(told.heatmaps, views.heatmaps) and torch.equal(told.labels, views.labels)
