"""How time and memory grow with pixels and with visitors: exponents, and a plot of both axes in logarithms."""

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import UNITS, Row

_PIXELS = re.compile(r"^(?P<what>.+), (?P<size>[\d.]+) MP$")
_VISITORS = re.compile(r"^(?P<size>\d+) visitors: (?P<what>.+)$")
_COLOURS = ("#1f5fa8", "#c2531b", "#3a8043", "#8a3fa0", "#a88a1f", "#555555", "#1b9aa0", "#b02a4f")
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT = 960, 560, 84, 30, 380


class Series(NamedTuple):
    """One figure at several sizes."""

    name: str
    against: str  # "MP" or "visitors"
    unit: str
    points: list[tuple[float, float]]  # size and figure, the smallest size first

    @property
    def exponent(self) -> float | None:
        """p of size ** p, the straight line of least squares through the logarithms; None for a single size."""
        found = [(math.log(x), math.log(y)) for x, y in self.points if x > 0 and y > 0]
        mean_x, mean_y = (sum(axis) / max(1, len(found)) for axis in (zip(*found, strict=True) if found else ((), ())))
        spread = sum((x - mean_x) ** 2 for x, _ in found)
        return sum((x - mean_x) * (y - mean_y) for x, y in found) / spread if spread else None


def series_of(rows: Sequence[Row], build: int = -1) -> list[Series]:
    """The figures of one build by what they grow with, and the memory beyond what was held where that was measured."""
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for row in rows:
        for pattern, against in ((_PIXELS, "MP"), (_VISITORS, "visitors")):
            match, figure = pattern.match(row.name), row.figures[build]
            if match is None or figure is None:
                continue
            size = float(match["size"])
            found.setdefault((match["what"], against, row.unit), []).append((size, figure))
            extra = [figures["extra"] for of in row.rounds if (figures := of[build]) and "extra" in figures]
            if extra:
                found.setdefault((match["what"], against, "MB more"), []).append((size, max(extra)))
    several = ((key, sorted(points)) for key, points in found.items() if len({size for size, _ in points}) > 1)
    return [Series(*key, points) for key, points in several]


def exponents(rows: Sequence[Row], builds: list[str]) -> str:
    """A table in Markdown of the exponents of every build; empty if nothing was measured at several sizes."""
    of_builds = [{(s.name, s.against, s.unit): s for s in series_of(rows, n)} for n in range(len(builds))]
    keys = list(dict.fromkeys(key for known in of_builds for key in known))
    if not keys:
        return ""
    lines = [["grows with", "what", "unit", *(f"exponent, {build}" for build in builds)]]
    lines.append(["---"] * len(lines[0]))
    for key in keys:
        name, against, unit = key
        figures = [known[key].exponent if key in known else None for known in of_builds]
        lines.append([against, name, unit, *("" if p is None else f"{p:.2f}" for p in figures)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plot(rows: Sequence[Row], path: Path, against: str = "MP") -> None:
    """Write the times of the last build over the size as an SVG, both axes in logarithms."""
    times = {unit for unit, _ in UNITS.values() if unit.startswith("ms")}
    shown = [s for s in series_of(rows) if s.against == against and s.unit in times]
    xs, ys = ([p[axis] for s in shown for p in s.points if p[axis] > 0] for axis in (0, 1))
    if not xs or not ys:
        path.write_text(_svg([]))
        return
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - 2 * _TOP
    low_x, high_x = math.log10(min(xs)), math.log10(max(xs))
    low_y, high_y = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low_x) / max(high_x - low_x, 1e-9)
        up = (math.log10(y) - low_y) / max(high_y - low_y, 1e-9)
        return _LEFT + across * wide, _TOP + (1 - up) * high

    parts = []
    for decade in range(low_y, high_y + 1):
        _, y = at(10**low_x, 10.0**decade)
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{wide}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**decade:g} ms</text>')
    for size in sorted(set(xs)):
        x, _ = at(size, 10.0**low_y)
        parts.append(f'<path d="M{x:.1f} {_TOP}v{high}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{size:g} {against}</text>')
    for number, s in enumerate(shown):
        colour, places = _COLOURS[number % len(_COLOURS)], [at(x, y) for x, y in s.points if x > 0 and y > 0]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        told = escape(f"{s.name} (exponent {s.exponent:.2f})" if s.exponent is not None else s.name)
        parts.append(f'<text x="{_WIDTH - _RIGHT + 16}" y="{_TOP + 12 + 20 * number}" fill="{colour}">{told}</text>')
    path.write_text(_svg(parts))


def _svg(parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
    return "\n".join([f'{head} font-size="13">', '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])
