"""Charts as plotly draws them, for a page and for a notebook. plotly is imported where a figure is made.

Each chart is first a plain dictionary, which the page takes as it is, and a ``plotly.graph_objects.Figure`` for whoever
asks for one. Text from outside is escaped here: plotly takes ``<b>`` in a name for markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any, Literal

from gptcount.errors import GptCountError, shown
from gptcount.ledger import Ledger
from gptcount.numbers import count, share
from gptcount.output import palette, series
from gptcount.output.text import wrap
from gptcount.output.tiles import all_tiles, whole

Kind = Literal["treemap", "bars", "waterfall"]
Figure = dict[str, Any]

HOVER = 44
"""Characters in a line of what hovering shows: as many as a telephone has room for."""
SLOT = 46
"""Pixels that a bar takes, with its name above it."""
ROOT = "all"
"""The key of the tile that all others lie within."""
MISSING = "plotly is not installed, and charts are drawn with it: pip install plotly"


def escaped(text: str) -> str:
    """Text that plotly shows as it is: no tags, no entities, no TeX where a page has MathJax."""
    for character in "&<>$":
        text = text.replace(character, f"&#{ord(character)};")
    return text.replace("\n", "<br>")


def treemap(ledger: Ledger) -> Any:
    """A plotly figure: part, weight, run of layers, areas true to the parameters; hovering shows the working."""
    return figure(treemap_of(ledger))


def waterfall(ledger: Ledger) -> Any:
    """A plotly figure: from the matrices to what is learned and what is stored, step by step."""
    return figure(waterfall_of(ledger))


def bars(ledgers: Sequence[Ledger]) -> Any:
    """A plotly figure: shares as stacked bars, totals on a log scale, the smallest model first."""
    return figure(bars_of(ledgers))


def figure(drawn: Figure) -> Any:
    """The figure that a dictionary describes. Raises GptCountError where plotly is not installed."""
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise GptCountError(MISSING) from None
    return go.Figure(drawn)


def treemap_of(ledger: Ledger) -> Figure:
    """The treemap as a dictionary. Nothing is padded, for padding would take from the areas of small tiles."""
    label, parameters = whole(ledger)
    model, tiles = shown(ledger.model, 40), all_tiles(ledger)
    trace = {
        "type": "treemap",
        "ids": [ROOT, *(tile.key for tile in tiles)],
        "parents": ["", *(tile.within or ROOT for tile in tiles)],
        "labels": [escaped(model), *(escaped(tile.label) for tile in tiles)],
        "values": [parameters, *(tile.parameters for tile in tiles)],
        "text": [f"{label}<br>{count(parameters)}", *(escaped(tile.value) for tile in tiles)],
        "customdata": [
            _hover(model, [label, f"= {count(parameters)} parameters"]),
            *(
                _hover(tile.label.replace("\n", ", "), [*tile.working, f"{share(tile.share)} of {label}"])
                for tile in tiles
            ),
        ],
        "marker": {
            "colors": [palette.OTHER.page, *(palette.page(tile.part) for tile in tiles)],
            "pad": {"t": 0, "l": 0, "r": 0, "b": 0},
            "line": {"width": 1.5},
        },
        "branchvalues": "total",
        "tiling": {"packing": "squarify", "pad": 0},
        "texttemplate": "<b>%{label}</b><br>%{text}",
        "textposition": "middle center",
        "textfont": {"color": palette.INK, "size": 13},
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverlabel": _label(),
        "pathbar": {"textfont": {"color": palette.INK, "size": 13}, "thickness": 24},
        "root": {"color": palette.OTHER.page},
    }
    layout = {"margin": _margin(t=54), "uniformtext": {"minsize": 10, "mode": "hide"}}
    return {"data": [trace], "layout": layout}


def waterfall_of(ledger: Ledger) -> Figure:
    """The reconciliation as a dictionary. Where the steps are small the axis begins above 0, and says so."""
    steps = series.steps(ledger)
    low, high = series.window(steps)
    begins = f"parameters; the axis begins<br>at {count(low)}, not at 0" if low else "parameters"
    trace = {
        "type": "waterfall",
        "orientation": "h",
        "measure": ["absolute" if step.total else "relative" for step in steps],
        "x": [step.parameters for step in steps],
        "customdata": [_hover(step.said, [f"{step.value} parameters"]) for step in steps],
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverlabel": _label(),
        "increasing": {"marker": {"color": palette.page("attention")}},
        "decreasing": {"marker": {"color": palette.LESS.page}},
        "totals": {"marker": {"color": palette.OTHER.page}},
        "connector": {"line": {"width": 1, "color": palette.OTHER.page}},
        **_slots(len(steps)),
    }
    axis = {"range": [low, high], "showticklabels": False, "title": _title(begins), "showgrid": False}
    names = [(escaped(step.label), step.value) for step in steps]
    return {"data": [trace], "layout": _bar_layout(names, axis)}


def shares_of(ledgers: Sequence[Ledger], axis: str = "x") -> Figure:
    """Where each model has its parameters, as a dictionary: bars that add up to 100 %."""
    accounts = series.in_order(ledgers)
    wholes = [one.ledger.totals["parameters"] for one in accounts]
    models = [shown(one.ledger.model, 40) for one in accounts]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": stack.label,
            "x": [100 * n / whole for n, whole in zip(stack.parameters, wholes, strict=True)],
            "marker": {"color": stack.colour},
            "customdata": [
                _hover(model, [stack.label, f"{count(n)} parameters", f"{share(n / whole)} of {count(whole)}"])
                for model, n, whole in zip(models, stack.parameters, wholes, strict=True)
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
            "hoverlabel": _label(),
            "xaxis": axis,
            **_slots(len(accounts)),
        }
        for stack in series.stacks(accounts)
    ]
    scale = {
        "range": [0, 100],
        "tickvals": [0, 25, 50, 75, 100],
        "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
        "title": _title("share of the parameters"),
    }
    layout = _bar_layout([(escaped(model), "") for model in models], scale)
    layout |= {"barmode": "stack", "showlegend": True, "legend": _legend(), "margin": _margin(t=76, b=44, side=26)}
    layout["height"] += 48
    return {"data": traces, "layout": layout}


def totals_of(ledgers: Sequence[Ledger], axis: str = "x") -> Figure:
    """How many parameters each model has, as a dictionary: bars on a log scale, a mark at what is active."""
    found = series.totals(series.in_order(ledgers))
    ticks, called = series.decades(found)
    places = list(range(len(found)))
    traces: list[Figure] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": "parameters",
            "x": [total.parameters for total in found],
            "marker": {"color": palette.OTHER.page},
            "customdata": [_hover(total.model, _counts(total)) for total in found],
            "hovertemplate": "%{customdata}<extra></extra>",
            "hoverlabel": _label(),
            "xaxis": axis,
            **_slots(len(found)),
        }
    ]
    active = [(place + 0.17, total) for place, total in zip(places, found, strict=True) if total.active]
    if active:
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "active",
                "x": [total.active for _, total in active],
                "y": [place for place, _ in active],
                "marker": {"color": palette.page("mlp"), "size": 11, "symbol": "diamond", "line": {"width": 1.5}},
                "customdata": [_hover(total.model, _counts(total)) for _, total in active],
                "hovertemplate": "%{customdata}<extra></extra>",
                "hoverlabel": _label(),
                "xaxis": axis,
            }
        )
    scale = {
        "type": "log",
        "range": [log10(ticks[0]), log10(ticks[-1])],
        "tickvals": ticks,
        "ticktext": called,
        "title": _title("parameters, log scale"),
    }
    layout = _bar_layout([(escaped(total.model), count(total.parameters)) for total in found], scale)
    layout |= {"showlegend": bool(active), "legend": _legend(), "margin": _margin(t=76, b=44, side=26)}
    layout["height"] += 48
    return {"data": traces, "layout": layout}


def bars_of(ledgers: Sequence[Ledger]) -> Figure:
    """Shares and totals side by side, as a dictionary."""
    shares, totals = shares_of(ledgers), totals_of(ledgers, "x2")
    left, right = [0.0, 0.56], [0.62, 1.0]
    notes = [note | {"x": right[1] if note["xanchor"] == "right" else 0.0} for note in totals["layout"]["annotations"]]
    layout = shares["layout"] | {
        "xaxis": shares["layout"]["xaxis"] | {"domain": left},
        "xaxis2": totals["layout"]["xaxis"] | {"domain": right, "anchor": "y"},
        "annotations": notes,
    }
    return {"data": [*shares["data"], *totals["data"]], "layout": layout}


def _hover(title: str, lines: Sequence[str]) -> str:
    wrapped = [escaped(part) for line in lines for part in wrap(line, HOVER)]
    return "<br>".join([f"<b>{escaped(title)}</b>", *wrapped])


def _counts(total: series.Total) -> list[str]:
    return [f"{count(total.parameters)} parameters", *([f"{count(total.active)} active"] if total.active else [])]


def _label() -> Figure:
    return {"align": "left", "font": {"size": 13}}


def _title(text: str) -> Figure:
    return {"text": text, "standoff": 6, "font": {"size": 12}}


def _legend() -> Figure:
    return {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"}


def _margin(t: int, b: int = 4, side: int = 4) -> Figure:
    return {"t": t, "l": side, "r": side, "b": b}


def _slots(n: int) -> Figure:
    """Where so many bars lie: in the lower half of a slot each, beneath their names."""
    return {"y": list(range(n)), "offset": -0.05, "width": 0.44}


def _bar_layout(names: Sequence[tuple[str, str]], axis: Figure) -> Figure:
    """Bars beneath their names and counts, so that a narrow chart has room for both."""
    sides = ("left", "right")
    both = [(n, text, side) for n, pair in enumerate(names) for text, side in zip(pair, sides, strict=True)]
    return {
        "height": SLOT * len(names) + 76,
        "margin": _margin(t=28, b=48),
        "dragmode": False,
        "showlegend": False,
        "xaxis": axis,
        "yaxis": {
            "range": [len(names) - 0.45, -0.6],
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
        },
        "annotations": [
            {
                "xref": "paper",
                "x": 0 if side == "left" else 1,
                "xanchor": side,
                "y": n - 0.06,
                "yanchor": "bottom",
                "text": text,
                "showarrow": False,
                "borderpad": 0,
            }
            for n, text, side in both
            if text
        ],
    }
