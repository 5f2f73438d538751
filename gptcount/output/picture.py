"""A chart as a picture in a file: SVG, PNG or PDF, drawn by matplotlib without a browser; HTML by plotly.

plotly's own pictures need Chrome at run time (kaleido 1). Of what draws SVG, PNG and PDF by itself matplotlib is the
best kept: a release every few months for twenty years, wheels for every platform, typed. vl-convert (Vega-Lite) has no
treemap; squarify has had no release since 2023 and is thirty lines, which are in tiles.py.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack, chdir, suppress
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptcount.errors import GptCountError, InputError, shown
from gptcount.ledger import Ledger
from gptcount.numbers import count, share
from gptcount.output import charts, palette, series
from gptcount.output.tiles import Place, laid, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = "matplotlib is not installed, and pictures are drawn with it: pip install matplotlib"
KINDS: tuple[charts.Kind, ...] = ("treemap", "bars", "waterfall")
FORMATS = ("svg", "png", "pdf", "html")
WIDTH = 10.0
"""Inches."""
LINE = 0.48
"""Inches that a bar takes, with its name above it."""

_SETTINGS = {
    "font.family": "sans-serif",
    "font.size": 10.0,
    "svg.hashsalt": "gptcount",  # the same picture is the same bytes
    "svg.fonttype": "path",  # and looks the same where the font is not
    "pdf.fonttype": 42,  # text that can be searched
}


def format_of(file: str) -> str:
    """The format that a file's name ends in. Raises InputError where it is none of FORMATS."""
    ending = file.rpartition(".")[2].lower() if "." in file else ""
    if ending not in FORMATS:
        raise InputError(f"-o {shown(file, 200)}: expected a file that ends in {', '.join(f'.{e}' for e in FORMATS)}")
    return ending


def render(ledgers: Sequence[Ledger], kind: charts.Kind, format: str) -> bytes:
    """The picture, or the page. Raises InputError where a kind shows one model and there are several."""
    if kind != "bars" and len(ledgers) != 1:
        raise InputError(f"--kind {kind}: it shows one model, and there are {len(ledgers)}; --kind bars shows several")
    if format == "html":
        from gptcount.output import report

        return report.chart(ledgers, kind).encode("utf-8", "backslashreplace")
    return _rendered(ledgers, kind, format)


def _rendered(ledgers: Sequence[Ledger], kind: charts.Kind, format: str) -> bytes:
    _import()
    import matplotlib.style

    file = BytesIO()
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format, {})
    with matplotlib.style.context(["default", _SETTINGS], after_reset=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a name in letters that the font has not is shown as boxes
        draw(ledgers, kind).savefig(file, format=format, dpi=150, metadata=undated)
    return file.getvalue()


def _import() -> None:
    """Import matplotlib by its own settings: no matplotlibrc of the working directory is read, and no MPLBACKEND."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise GptCountError(MISSING)
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        with ExitStack() as elsewhere:
            with suppress(FileNotFoundError):  # a working directory that is gone has no file either
                elsewhere.enter_context(chdir(Path(found.origin).parent / "mpl-data"))
            import matplotlib.style  # noqa: F401 - its settings are read here, and once
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


def draw(ledgers: Sequence[Ledger], kind: charts.Kind) -> Figure:
    """The figure that matplotlib draws."""
    drawers: dict[str, Callable[[Sequence[Ledger]], Figure]] = {
        "treemap": lambda one: _treemap(one[0]),
        "waterfall": lambda one: _waterfall(one[0]),
        "bars": _bars,
    }
    return drawers[kind](ledgers)


def _figure(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), facecolor="white", layout="constrained")


def _bare(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=12, parse_math=False)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks([])


def _treemap(ledger: Ledger) -> Figure:
    """Tiles as large as the parameters."""
    from matplotlib.patches import Rectangle

    label, parameters = whole(ledger)
    figure = _figure(6.0)
    axes = figure.add_subplot()
    _bare(axes, f"{shown(ledger.model, 60)}: {count(parameters)} parameters in {label}")
    axes.set_xticks([])
    room = Place(0.0, 0.0, WIDTH, 5.0)
    axes.set_xlim(0, room.width)
    axes.set_ylim(0, room.height)
    seen = {}
    for tile, place in laid(ledger, room):
        colour = palette.page(tile.part)
        axes.add_patch(Rectangle(place[:2], *place[2:], facecolor=colour, edgecolor="white", linewidth=1))
        seen[tile.part] = colour
        words = f"{tile.label}\n{tile.value}"
        for size in (10, 8, 7):
            if _fits(words, size, place):
                middle = (place.x + place.width / 2, place.y + place.height / 2)
                axes.text(*middle, words, ha="center", va="center", fontsize=size, color=palette.INK, parse_math=False)
                break
    _parts(axes, ledger, seen)
    return figure


def _parts(axes: Axes, ledger: Ledger, seen: dict[str, str]) -> None:
    """What the colours mean, in the order of the flow, with the share of each part."""
    from matplotlib.patches import Patch

    from gptcount.output.tiles import all_tiles

    parts = [tile for tile in all_tiles(ledger) if tile.part in seen and not tile.within]
    handles = [Patch(color=seen[tile.part], label=f"{tile.label} {share(tile.share)}") for tile in parts]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=5, frameon=False, fontsize=9)


def _fits(words: str, size: int, place: Place) -> bool:
    """Whether words of this size have room in a tile, both in inches; a letter is 0.62 as wide as it is high."""
    lines = words.split("\n")
    wide = max(map(len, lines)) * size * 0.62 / 72
    return wide + 0.08 <= place.width and len(lines) * size * 1.3 / 72 + 0.08 <= place.height


def _names(axes: Axes, names: Sequence[tuple[str, str]]) -> None:
    """The name of each bar above it, at the left, and its count at the right."""
    axes.set_ylim(len(names) - 0.45, -0.6)
    over = axes.get_yaxis_transform()
    for place, (name, value) in enumerate(names):
        axes.text(0, place - 0.08, name, transform=over, va="bottom", fontsize=9, parse_math=False)
        axes.text(1, place - 0.08, value, transform=over, va="bottom", ha="right", fontsize=9, parse_math=False)


def _waterfall(ledger: Ledger) -> Figure:
    steps = series.steps(ledger)
    low, high = series.window(steps)
    figure = _figure(LINE * len(steps) + 0.9)
    axes = figure.add_subplot()
    _bare(axes, f"{shown(ledger.model, 60)}: from the matrices to what is learned and stored")
    for place, step in enumerate(steps):
        start = low if step.total else step.start
        axes.barh(place + 0.17, float(step.end - start), left=float(start), height=0.44, color=step.colour)
    axes.set_xlim(float(low), high)
    axes.set_xticks([])
    axes.set_xlabel(f"parameters; the axis begins at {count(low)}, not at 0" if low else "parameters")
    _names(axes, [(step.said, step.value) for step in steps])
    return figure


def _bars(ledgers: Sequence[Ledger]) -> Figure:
    accounts = series.in_order(ledgers)
    figure = _figure(LINE * len(accounts) + 1.5)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2], gridspec_kw={"wspace": 0.1})
    _bare(left, "where each has its parameters")
    begin = [0.0] * len(accounts)
    places = [place + 0.17 for place in range(len(accounts))]
    for stack in series.stacks(accounts):
        shares = [100 * n / one.ledger.totals["parameters"] for n, one in zip(stack.parameters, accounts, strict=True)]
        left.barh(places, shares, left=begin, height=0.44, color=stack.colour, label=stack.label)
        begin = [at + part for at, part in zip(begin, shares, strict=True)]
    left.set_xlim(0, 100)
    left.set_xlabel("share of the parameters, %")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=6, frameon=False, fontsize=9)
    _names(left, [(shown(one.ledger.model, 40), "") for one in accounts])
    _totals(right, series.totals(accounts), places)
    return figure


def _totals(axes: Axes, totals: Sequence[series.Total], places: Sequence[float]) -> None:
    ticks, called = series.decades(totals)
    _bare(axes, "how many there are")
    axes.set_xscale("log")
    axes.set_xlim(float(ticks[0]), float(ticks[-1]))
    axes.set_xticks(list(map(float, ticks)), called)
    axes.minorticks_off()
    axes.set_xlabel("parameters, log scale")
    axes.barh(places, [float(total.parameters) for total in totals], height=0.44, color=palette.OTHER.page)
    for place, total in zip(places, totals, strict=True):
        if total.active:
            axes.plot(float(total.active), place, marker="D", color=palette.page("mlp"), markeredgecolor="white")
    _names(
        axes, [(f"◆ {count(total.active)} active" if total.active else "", count(total.parameters)) for total in totals]
    )
