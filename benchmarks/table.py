"""From rounds to rows: medians, ratios, and how they are printed."""

from statistics import median
from typing import NamedTuple

#: Row by row, round by round, what each build gave: "seconds" or another figure, and beside it counts.
Rounds = dict[str, list[list[dict | None]]]
#: How figures are printed: their unit, and the factor to it.
UNITS = {"seconds": ("ms", 1000.0), "wall": ("ms wall", 1000.0), "megabytes": ("MB", 1.0), "rate": ("a second", 1.0)}


class Row(NamedTuple):
    """One line of the table."""

    name: str
    unit: str
    figures: list[float | None]  # of each build, the median of its rounds
    ratio: float | None  # of the last build to the first, the median of the rounds' ratios
    notes: list[str]  # of each build: passes of networks, extra memory
    rounds: list[list[dict | None]]


def rows_of(rounds: Rounds) -> list[Row]:
    """The rows in the order in which they were measured."""
    return [_row(name, found) for name, found in rounds.items()]


def _row(name: str, found: list[list[dict | None]]) -> Row:
    known = next(figures for row in found for figures in row if figures)
    kind = next(kind for kind in UNITS if kind in known)
    builds = list(zip(*found, strict=True))
    figures = [median(values) if (values := [f[kind] for f in of if f]) else None for of in builds]
    pairs = [(row[0][kind], row[-1][kind]) for row in found if row[0] and row[-1] and row[0][kind]]
    ratio = median(last / first for first, last in pairs) if len(builds) > 1 and pairs else None
    notes = [_notes([f for f in of if f]) for of in builds]
    unit, factor = UNITS[kind]
    return Row(name, unit, [None if f is None else f * factor for f in figures], ratio, notes, found)


def _notes(figures: list[dict]) -> str:
    if not figures:
        return ""
    last, parts = figures[-1], []
    if last.get("passes"):
        parts.append(" + ".join(f"{count} {network}" for network, count in last["passes"].items()))
    if "arithmetic" in last:
        limits = [1000 * median(f[kind] for f in figures) for kind in ("arithmetic", "memory")]
        parts.append(
            "limit {} ms by {:.3g} GMAC, {} ms by {:.3g} MB".format(
                _short(limits[0]), last["products"] / 1e9, _short(limits[1]), last["bytes"] / 1e6
            )
        )
    if "extra" in last:
        parts.append(f"{median(f['extra'] for f in figures):.0f} MB more")
    return ", ".join(parts)


def _short(figure: float) -> str:
    return f"{figure:.3g}" if figure < 100 else f"{figure:.0f}"


def text(rows: list[Row], builds: list[str]) -> str:
    """The table in Markdown."""
    header = ["what", *builds, *(["ratio"] if len(builds) > 1 else []), *(f"passes, {build}" for build in builds)]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        figures = ["" if f is None else f"{_short(f)} {row.unit}" for f in row.figures]
        ratio = [] if len(builds) == 1 else ["" if row.ratio is None else f"{row.ratio:.2f}"]
        lines.append([row.name, *figures, *ratio, *row.notes])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
