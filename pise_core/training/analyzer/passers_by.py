"""People in a street whom nobody labelled: what a network that goes on learning is told about them.

The data names one person a photo. Whoever else walks there is background in the truth, so that training on it teaches
to overlook people, and the network's own idea of who is meant shifts with every step. A run that begins with another's
weights therefore asks these weights: what they take for a person, apart from everybody labelled, keeps their answer.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from pise_core.training.data.views import UNLABELLED, Views

#: Of the pixels of something that passes for a person: so many labelled ones make it the labelled person's.
NAMED = 0.05
#: From here on a heat map says that a joint of the labelled person is there.
_JOINT = 0.3
#: Heat maps reach this far beyond a person's pixels, of the view's height.
_REACH = 1 / 24


@torch.no_grad()
def with_passers_by(views: Views, before: nn.Module) -> Views:
    """The views with the answers of earlier weights where these see somebody whom nobody labelled.

    Args:
        views: N of them; labelled people keep labels and joints.
        before: an ``AnalyzerNetwork`` with the earlier weights, in evaluation mode, on the device of the views.

    Returns:
        Views in whose unnamed people labels are ``UNLABELLED`` and heat maps are those of ``before``, 0 to 1.
    """
    found = before(views.images.to(memory_format=torch.channels_last)).float()
    taken = (found.parsing.argmax(1) > 0).cpu().numpy()
    known = views.labels.cpu().numpy()
    joints = F.interpolate(views.heatmaps.amax(1, keepdim=True), size=taken.shape[1:], mode="bilinear")[:, 0]
    of_named = ((known > 0) & (known != UNLABELLED)) | (joints.cpu().numpy() > _JOINT)
    unnamed = np.stack([_unnamed(t, n) for t, n in zip(taken, of_named, strict=True)])
    size = 2 * round(_REACH * taken.shape[1]) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    wide = np.stack([cv2.dilate(one, kernel) for one in unnamed])
    # Where both stand close together the labelled one's truth goes first.
    near_named = np.stack([cv2.dilate(one.astype(np.uint8), kernel) for one in of_named])
    wide[(near_named > 0) & (unnamed == 0)] = 0
    about = torch.from_numpy(wide[:, None, ::2, ::2] > 0).to(views.heatmaps.device)
    heatmaps = torch.where(about, found.heatmaps.clamp(0, 1), views.heatmaps)
    labels = views.labels.masked_fill(torch.from_numpy(unnamed > 0).to(views.labels.device), UNLABELLED)
    return views._replace(heatmaps=heatmaps, labels=labels)


def _unnamed(taken: np.ndarray, named: np.ndarray) -> np.ndarray:
    """(H, W) uint8, 1 on the connected pieces of ``taken`` that hardly meet ``named``; both (H, W) bool."""
    count, pieces = cv2.connectedComponents(taken.astype(np.uint8), connectivity=8)
    area = np.bincount(pieces.ravel(), minlength=count)
    met = np.bincount(pieces[named], minlength=count)
    alone = met < NAMED * area
    alone[0] = False
    return alone[np.asarray(pieces, np.intp)].astype(np.uint8)
