# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Predicted times against the length, as SVG that takes its colours from the page around it."""

from __future__ import annotations

import io
import re
from typing import Any, Dict, Optional

import matplotlib
from matplotlib.figure import Figure

#: Stand for colours of the page, which knows whether it is dark.
TEXT, GRID = "#010203", "#040506"
PAGE_COLORS = {TEXT: "currentColor", GRID: "var(--line)"}
#: By degree; readable on light and dark.
COLORS = ["#d18f00", "#d2571f", "#2e9d6e", "#8a6fd1", "#328cc1"]

STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "polyattn", "font.size": 10, "text.color": TEXT, "axes.edgecolor": TEXT,
    "axes.labelcolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT, "grid.color": GRID, "axes.spines.top": False,
    "axes.spines.right": False, "lines.linewidth": 2,
}


def draw(costs: Dict[str, Any], length: Optional[int], chosen: Optional[int]) -> str:
    """`length` is the attention's own, `chosen` the degree that was taken; None where there is none."""
    with matplotlib.rc_context(STYLE):
        # About as wide as a phone, so that letters keep their size there.
        figure = Figure(figsize=(5, 4), layout="constrained")
        axes = figure.subplots()
        draw_curves(axes, costs, chosen)
        if length is not None:
            axes.axvline(length, color=TEXT, linewidth=1, linestyle=":", label=f"n = {length:,} here")
        axes.set(xscale="log", yscale="log", ylabel="million cycles of one core",
                 xlabel="n, number of " + costs["varies"])
        axes.grid(alpha=1, linewidth=0.6)
        axes.minorticks_off()
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
        return to_svg(figure)


def draw_curves(axes: Any, costs: Dict[str, Any], chosen: Optional[int]) -> None:
    lengths = costs["lengths"]
    axes.plot(lengths, [c / 1e6 for c in costs["direct"]], color=TEXT, label="exact, direct")
    for entry in costs["degrees"]:
        degree, color = entry["degree"], COLORS[(entry["degree"] - 1) % len(COLORS)]
        name = f"degree {degree}" + (", taken" if degree == chosen else "")
        axes.plot(lengths, [c / 1e6 for c in entry["cycles"]], color=color, label=name,
                  linewidth=3 if degree == chosen else 1.5)
        even = entry["breakEven"]
        if even is not None and lengths[0] <= even <= lengths[-1]:
            axes.plot([even], [interpolate(lengths, entry["cycles"], even) / 1e6], "o", color=color)


def interpolate(xs: Any, ys: Any, x: float) -> float:
    """Between neighbours, along a straight line."""
    for (x0, y0), (x1, y1) in zip(zip(xs, ys), zip(xs[1:], ys[1:])):
        if x0 <= x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    raise ValueError(f"{x} is not between {xs[0]} and {xs[-1]}")


def to_svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg"):]
    # The page sets size and font.
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"(font: [^;\"]*?)'DejaVu Sans'[^;\"]*", r"\1sans-serif", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for color, replacement in PAGE_COLORS.items():
        svg = svg.replace(color, replacement)
    return svg
