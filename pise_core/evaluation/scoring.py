"""Every row of a table is judged here, example by example: against the truth, and against what was asked."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from pise_core.detection.analyzer import Analyzer
from pise_core.detection.decoding import decode_joints
from pise_core.evaluation.entries import COPY, TRUTH, Made
from pise_core.evaluation.image_metrics import Frechet, Measures, person_only, psnr, ssim
from pise_core.training.analyzer.metrics import KeypointAccuracy, RegionOverlap

#: Figures that are kept for each example.
EACH = ("lpips", "ssim", "ssim_rim", "psnr", "parsing_miou")
#: Equal pictures are this far apart at most: batches of other sizes round otherwise.
_EQUAL = 1e-6


@dataclass(frozen=True)
class Example:
    """One question and the answer of every row, in the frame.

    Attributes:
        name: for messages and sheets.
        group: clip, or kind of edit; means are taken over groups.
        pose: (18, 3), the joints that were asked for, in frame pixels.
        parsing: (H, W) uint8, the map that was asked for.
        made: the rows' pictures.
        truth: (H, W, 3) uint8, the true picture, where there is one; ``parsing > 0`` is then the true person.
        edited: (H, W) bool, the pixels whose region was asked to change, where that is the question.
    """

    name: str
    group: str
    pose: np.ndarray
    parsing: np.ndarray
    made: dict[str, Made]
    truth: np.ndarray | None = None
    edited: np.ndarray | None = None


@dataclass
class Outcome:
    """What a task came to: figures by row and column (``report.COLUMNS``), for all examples and for each group; where
    there are no groups, also those of each example, in their order."""

    task: str
    count: int
    rows: dict[str, dict[str, float]]
    groups: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    each: dict[str, dict[str, list[float]]] = field(default_factory=dict)


class Reader:
    """Joints and regions that the analyzer sees in pictures that are framed already: one look, no search."""

    def __init__(self, analyzer: Analyzer):
        self._network, self._device = analyzer.network, analyzer.device

    @torch.no_grad()
    def read(self, pictures: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """(N, H, W, 3) uint8 -> per picture a pose (18, 3) and a map (H, W), in its own pixels."""
        x = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(self._device).float() / 127.5 - 1
        found = self._network(x)
        labels = F.interpolate(found.parsing, size=x.shape[2:], mode="bilinear", align_corners=False).argmax(1)
        poses = [decode_joints(maps, 4) for maps in found.heatmaps.cpu().numpy()]
        return list(zip(poses, labels.cpu().numpy().astype(np.uint8), strict=True))


class _Row:
    """What one row has come to so far."""

    def __init__(self, num_features: int):
        self.values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))  # group, column
        self.joints, self.read, self.made = KeypointAccuracy(), RegionOverlap(), RegionOverlap()
        self.frechet = Frechet(num_features)

    def figures(self) -> dict[str, float]:
        """Means over groups of the means within each; overlaps and joints pooled over all pictures."""
        columns = list(dict.fromkeys(column for group in self.values.values() for column in group))
        found = {c: finite_mean([finite_mean(g[c]) for g in self.values.values() if c in g]) for c in columns}
        found |= self.joints.mean | {"parsing_miou": self.read.mean}
        if self.made.confusion.any():
            found["map_miou"] = self.made.mean
        if "lpips" in found:
            found["fid_squeeze"] = self.frechet.value()
        return found


def finite_mean(values: list[float]) -> float:
    """Mean of what is finite, infinite if nothing is: one pair of equal pictures must not make a mean PSNR infinite."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite or values))


class Scorer:
    """Adds up examples; ``outcome()`` tells the figures."""

    def __init__(self, measures: Measures, reader: Reader):
        self._measures, self._reader = measures, reader
        self._rows: dict[str, _Row] = {}
        self._count = 0

    def add(self, example: Example) -> None:
        made = dict(example.made)
        if example.truth is not None:
            made[TRUTH] = Made(example.truth)
        self._count += 1
        for name in made:
            self._rows.setdefault(name, _Row(int(self._measures.features.num_features)))  # type: ignore[arg-type]
        self._against_what_was_asked(example, made)
        if example.truth is not None:
            self._against_the_truth(example, made)
        for name, one in made.items():
            values = self._rows[name].values[example.group]
            if one.seconds is not None:
                values["seconds"].append(one.seconds)
            if one.outside is not None:
                values["outside"].append(one.outside)

    def _against_what_was_asked(self, example: Example, made: dict[str, Made]) -> None:
        seen = self._reader.read(np.stack([one.picture for one in made.values()]))
        for (name, one), (pose, parsing) in zip(made.items(), seen, strict=True):
            row = self._rows[name]
            row.joints.add(example.pose, pose)
            row.read.add(example.parsing, parsing)
            own = RegionOverlap()
            own.add(example.parsing, parsing)
            row.values[example.group]["parsing_miou"].append(own.mean)
            if one.parsing is not None:
                row.made.add(example.parsing, one.parsing)
            if example.edited is not None:
                hit = float((parsing == example.parsing)[example.edited].mean())
                row.values[example.group]["edit_seen"].append(hit)

    def _against_the_truth(self, example: Example, made: dict[str, Made]) -> None:
        assert example.truth is not None
        person = example.parsing > 0
        true = person_only(example.truth, person)[None]
        pictures = torch.stack([person_only(one.picture, person) for one in made.values()])
        distances = self._measures.distance(pictures, true.expand_as(pictures))
        features = self._measures.features(torch.cat([pictures, true]))
        for index, (name, one) in enumerate(made.items()):
            values = self._rows[name].values[example.group]
            values["lpips"].append(float(distances[index]) / float(person.mean()))
            values["lpips_undivided"].append(float(distances[index]))
            values["ssim"].append(ssim(example.truth, one.picture, person))
            values["ssim_rim"].append(ssim(example.truth, one.picture, person, rim=True))
            values["psnr"].append(psnr(example.truth, one.picture, person))
            self._rows[name].frechet.add(features[index : index + 1], features[-1:])

    def outcome(self, task: str) -> Outcome:
        rows = {name: row.figures() for name, row in self._rows.items()}
        groups: dict[str, dict[str, dict[str, float]]] = {}
        for name, row in self._rows.items():
            for group, columns in row.values.items():
                if group:
                    means = {column: finite_mean(values) for column, values in columns.items()}
                    groups.setdefault(group, {})[name] = means
        for figures in (rows, *groups.values()):
            copied = figures.get(COPY, {}).get("lpips", 0.0)
            for row in figures.values():
                if copied > _EQUAL:
                    row["against_copy"] = row["lpips"] / copied
        each = {}
        if not groups:
            each = {n: {c: row.values[""][c] for c in EACH if c in row.values[""]} for n, row in self._rows.items()}
        return Outcome(task, self._count, rows, groups, each)
