"""Figures as a table, as JSON, and pictures as a contact sheet."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from pise_core.evaluation import intervals
from pise_core.evaluation.scoring import Outcome
from pise_core.regions import REGIONS

#: At most so many examples of each task are shown on a contact sheet, evenly spread.
SHOWN = 40

#: Key in the JSON -> title in the table, and format. What only the JSON holds has no title here.
COLUMNS = {
    "lpips": ("LPIPS", "{:.3f}"),
    "against_copy": ("vs copy", "{:.2f}"),
    "ssim": ("SSIM", "{:.3f}"),
    "ssim_rim": ("SSIM, rim", "{:.3f}"),
    "psnr": ("PSNR", "{:.1f}"),
    "fid_squeeze": ("FID-squeeze", "{:.1f}"),
    "pck@0.05": ("PCK@0.05", "{:.3f}"),
    "pck@0.1": ("PCK@0.1", "{:.3f}"),
    "parsing_miou": ("parsing mIoU", "{:.3f}"),
    "map_miou": ("map mIoU", "{:.3f}"),
    "edit_seen": ("edit seen", "{:.3f}"),
    "towards": ("towards", "{:.2f}"),
    "distance_left": ("left to go", "{:.2f}"),
    "others_changed": ("others", "{:.2f}"),
    "others_changed_most": ("others, worst", "{:.2f}"),
    "none_is_photo": ("share 0", "{:.2f}"),
    "all_is_swap": ("share 1", "{:.2f}"),
    "monotone": ("monotone", "{:.2f}"),
    "outside": ("outside", "{:.2%}"),
    "miou": ("mean IoU", "{:.3f}"),
    **{region: (region.replace("_", " "), "{:.3f}") for region in REGIONS},
    "wrists@0.05": ("wrists@0.05", "{:.3f}"),
    "wrists@0.1": ("wrists@0.1", "{:.3f}"),
    "legs@0.05": ("knees, ankles@0.05", "{:.3f}"),
    "legs@0.1": ("knees, ankles@0.1", "{:.3f}"),
    "missed": ("nobody found", "{:.0f}"),
    "left": ("left behind", "{:.2%}"),
    "left_median": ("median", "{:.2%}"),
    "left_most": ("worst", "{:.2%}"),
    "uncovered": ("uncovered", "{:.1f}"),
    "uncovered_median": ("median", "{:.1f}"),
    "uncovered_worst": ("worst tenth", "{:.1f}"),
    "wrong_layer": ("wrong layer", "{:.1%}"),
    "alpha_3": ("alpha, within 3", "{:.3f}"),
    "alpha_6": ("alpha, within 6", "{:.3f}"),
    "worn_lpips": ("LPIPS, frame", "{:.3f}"),
    "lender_skin": ("lender's skin", "{:.0f}"),
    "seconds": ("s", "{:.2f}"),
}

NOTES = {
    "worn_lpips": "LPIPS, frame: LPIPS-squeeze of the whole frame about the wearer, background included, against the "
    "rendered truth.",
    "lender_skin": "lender's skin: pixels of it in the worst picture.",
    "lpips": "LPIPS: LPIPS-squeeze at 256x176, both pictures grey outside the true person, divided by the person's "
    "share of the frame. Mean over clips (or photos).",
    "against_copy": "vs copy: LPIPS divided by that of copying the source.",
    "ssim": "SSIM (sigma 1.5) and PSNR (dB, float): with the same masks, over the true person's bounding "
    'rectangle. SSIM\'s windows lie within it; "SSIM, rim" counts those beyond, too, completed by reflection. Equal '
    "pictures, whose PSNR is infinite, are left out of its mean.",
    "fid_squeeze": "FID-squeeze: over the pooled features of SqueezeNet 1.1 (ImageNet), with the same masks; coarse "
    "for a few hundred pictures.",
    "pck@0.05": "PCK, parsing mIoU: joints and regions that the analyzer sees in the picture, against what was asked; "
    "the ground truth's row is what the analyzer itself reaches. Parsing mIoU is pooled over all pictures; --against "
    "compares each picture's own.",
    "map_miou": "map mIoU: the map that the picture was made on, against what was asked. A row is on the network's own "
    "map; one called 'true map' is on the true one, so that the image generator alone is judged. Where the map is "
    "given (identity, regions, styles) one row stands for both.",
    "edit_seen": "edit seen: share of the repainted pixels that the analyzer sees as what they were painted.",
    "towards": "towards: share of pairs whose garment's mean colour comes nearer to the reference's. left to go: the "
    "distance (CIE Lab) that is left of it.",
    "others_changed": "others: greatest change of the mean colour of any other region (CIE Lab); mean over the pairs, "
    "and the worst.",
    "none_is_photo": "share 0: pairs in which it gives the photo's own bytes. share 1: pairs in which it gives the "
    "bytes of a person whose own style was exchanged. monotone: pairs in which the colour never goes back.",
    "outside": "outside: share of the photo's pixels changed though further than 3 frame pixels from what the edit "
    "concerns (5 where the person moved).",
    "miou": "mean IoU, and IoU by region: pooled over the pixels of all photos. PCK: share of joints within that part "
    "of the person's height.",
    "left": "left behind, hands: share of the old pixels of bare hands and forearms that show what they showed; wall: "
    "share of the wall that an arm vacated that is more than 14 of 255 off. Mean, median and worst over the photos.",
    "uncovered": "uncovered: mean difference in levels of 255 from the truth over what a turned limb hid and hides no "
    "longer. Mean, median and mean of the worst tenth of the moves. wrong layer: share of it that shows the background "
    "for the person, or the reverse.",
    "alpha_3": "alpha: mean difference of the person's share of a pixel from the true one, within 3 and within 6 "
    "pixels of the silhouette.",
    "seconds": "s: seconds per picture; where pictures are made, the first look at the photo is not counted.",
}


def table(outcome: Outcome, columns: Mapping[str, tuple[str, str]] = COLUMNS) -> str:
    """The figures of one task in Markdown; columns that no row has are left out."""
    used = [c for c in columns if any(c in row for row in outcome.rows.values())]
    lines = [[f"{outcome.task} ({outcome.count})", *(columns[c][0] for c in used)]]
    for name, row in outcome.rows.items():
        lines.append([name, *(columns[c][1].format(row[c]) if c in row else "" for c in used)])
    return _markdown(lines)


def by_group(outcome: Outcome, column: str) -> str:
    """One figure of each group (clip, kind of edit) in each row, in Markdown."""
    groups = {g: rows for g, rows in outcome.groups.items() if any(column in row for row in rows.values())}
    lines = [[f"{outcome.task}: {COLUMNS[column][0]}", *groups]]
    for name in outcome.rows:
        cells = [groups[g].get(name, {}).get(column) for g in groups]
        if any(cell is not None for cell in cells):
            lines.append([name, *("" if cell is None else COLUMNS[column][1].format(cell) for cell in cells)])
    return _markdown(lines)


def compared(outcome: Outcome, against: str) -> str:
    """How each row differs from the row ``against``, with 95 % intervals, in Markdown; "" for a task without figures
    of each example."""
    found = intervals.differences(outcome, against)
    columns = [c for c in COLUMNS if any(c in row for row in found.values())]
    if not columns:
        return ""
    lines = [[f"{outcome.task}: against {against}", *(COLUMNS[c][0] for c in columns)]]
    for name, row in found.items():
        lines.append([name, *(_difference(row[c], COLUMNS[c][1]) if c in row else "" for c in columns)])
    return _markdown(lines)


def _difference(found: intervals.Difference, form: str) -> str:
    mean, low, high = (form.replace(":", ":+").format(value) for value in found)
    return f"{mean} ({low} to {high})"


def notes(outcomes: Sequence[Outcome]) -> str:
    """What the columns of these tables mean, a line each."""
    used = {c for outcome in outcomes for row in outcome.rows.values() for c in row}
    return "\n".join(note for column, note in NOTES.items() if column in used)


def to_json(outcome: Outcome) -> dict:
    """The same figures by name, and those that have no room in the table; null where a figure is infinite or has no
    meaning (the PSNR of equal pictures)."""
    rows = {name: _finite(row) for name, row in outcome.rows.items()}
    groups = {group: {name: _finite(row) for name, row in of.items()} for group, of in outcome.groups.items()}
    each = {
        name: {column: [v if math.isfinite(v) else None for v in values] for column, values in columns.items()}
        for name, columns in outcome.each.items()
    }
    more = {"groups": groups, "each": each}
    return {"count": outcome.count, "rows": rows, **{name: found for name, found in more.items() if found}}


def _finite(row: dict[str, float]) -> dict[str, float | None]:
    return {column: value if math.isfinite(value) else None for column, value in row.items()}


def _markdown(lines: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rows = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([rows[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *rows[1:]])


def contact_sheet(blocks: Sequence[tuple[str, Sequence[tuple[str, dict[str, np.ndarray]]]]]) -> np.ndarray:
    """A row per example, columns as the table's rows.

    Args:
        blocks: per task its name and its examples: name, and pictures (256, 176, 3) uint8 by column.

    Returns:
        (H, W, 3) uint8.
    """
    drawn = []
    for task, examples in blocks:
        for index, (name, pictures) in enumerate(examples):
            if index == 0:
                drawn.append(np.hstack([_label(f"{task}: {column}" if i == 0 else column, picture.shape[1])
                                        for i, (column, picture) in enumerate(pictures.items())]))  # fmt: skip
            row = np.hstack(list(pictures.values())).copy()
            for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
                cv2.putText(row, name, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, thickness, cv2.LINE_AA)
            drawn.append(row)
    width = max(row.shape[1] for row in drawn)
    return np.vstack([np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in drawn])


def _label(text: str, width: int) -> np.ndarray:
    strip = np.full((18, width, 3), 255, np.uint8)
    cv2.putText(strip, text, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
