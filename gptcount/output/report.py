"""A page that shows models to a browser: charts by plotly, and behind each the table that it is drawn from.

One file that loads nothing from anywhere: plotly's script is within it, once, and a policy forbids the rest. Every text
from outside is escaped. The same models give the same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from gptcount.comparison import account
from gptcount.errors import GptCountError, shown
from gptcount.ledger import Ledger
from gptcount.numbers import count, share, size
from gptcount.output import charts, palette, tables
from gptcount.output.table import Column, Prose, Row, Table
from gptcount.output.text import cell
from gptcount.output.tiles import Tile, all_tiles, whole

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; connect-src 'none'; "
    "form-action 'none'; base-uri 'none'"
)
"""Only the two scripts of the page run, and nothing is fetched. plotly writes style sheets and style attributes as it
draws, which no hash can foretell; they can fetch nothing. The images are those that it makes when a chart is saved."""

TEMPLATES = {
    "light": {"text": "#1b1f23", "line": "#d5d9dd", "ground": "#ffffff", "raised": "#f4f5f6"},
    "dark": {"text": "#e6e8ea", "line": "#3a4046", "ground": "#14171a", "raised": "#1e2226"},
}
"""The colours of report.css that a chart takes over."""


def render(ledgers: Sequence[Ledger]) -> str:
    """The page. Raises GptCountError where plotly is not installed."""
    figures: dict[str, charts.Figure] = {}
    body = "\n".join(_body(ledgers, figures))
    return _page(shown(ledgers[0].model) if len(ledgers) == 1 else f"{len(ledgers)} models", body, figures)


def chart(ledgers: Sequence[Ledger], kind: charts.Kind) -> str:
    """A page of one chart, and of the table behind it."""
    figures: dict[str, charts.Figure] = {}
    if kind == "bars":
        title, body = "Where models have their parameters", _comparison(ledgers, figures)
    else:
        part = _treemap if kind == "treemap" else _waterfall
        title, body = shown(ledgers[0].model), part(ledgers[0], "m1", figures)
    return _page(title, f"<h1>{escape(title)}</h1><main>{''.join(body)}</main>", figures)


def _page(title: str, body: str, figures: dict[str, charts.Figure]) -> str:
    data = {"templates": {name: _template(colours) for name, colours in TEMPLATES.items()}, "charts": figures}
    scripts = [_plotly(), _own("report.js")]
    policy = POLICY.format(scripts=" ".join(map(_hash, scripts)))
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(title)}: where the parameters are</title>",
            f"<style>{_own('report.css')}{_colours()}</style>",
            "</head>",
            "<body>",
            body,
            f'<script type="application/json" id="figures">{_json(data)}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def _plotly() -> str:
    """plotly's own script, as the Python package brings it."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise GptCountError(charts.MISSING) from None
    script: str = get_plotlyjs()
    return script.replace("\r\n", "\n")  # as a browser reads it before it takes the hash


def _own(name: str) -> str:
    return files("gptcount.output").joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """JSON that ends no script and that any encoding can say."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


def _colours() -> str:
    colours = {**palette.PALETTE, "other": palette.OTHER}
    return "".join(f".{name} {{ background: {c.page}; fill: {c.page}; }}\n" for name, c in colours.items())


def _template(colours: dict[str, str]) -> charts.Figure:
    axis = {"gridcolor": colours["line"], "linecolor": colours["line"], "zeroline": False, "automargin": True}
    label = {"bgcolor": colours["raised"], "bordercolor": colours["line"], "font": {"color": colours["text"]}}
    return {
        "layout": {
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": colours["text"]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": label,
            "annotationdefaults": {"bgcolor": colours["ground"]},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": colours["text"], "activecolor": colours["text"]},
        },
        "data": {
            "treemap": [{"marker": {"line": {"color": colours["ground"]}}}],
            "scatter": [{"marker": {"line": {"color": colours["ground"]}}}],
        },
    }


def _body(ledgers: Sequence[Ledger], figures: dict[str, charts.Figure]) -> Iterator[str]:
    if len(ledgers) == 1:
        yield f"<header><h1>{_name(ledgers[0])}</h1>"
        yield '<p class="quiet">Where the parameters are, and how they are counted.</p></header>'
        yield "<main>"
        yield from _model(ledgers[0], "m1", figures)
    else:
        yield f"<header><h1>{len(ledgers)} models</h1>"
        yield '<p class="quiet">Where the parameters are, and how they are counted.</p>'
        links = (f'<li><a href="#m{n}">{_name(ledger)}</a></li>' for n, ledger in enumerate(ledgers, 1))
        yield f'<nav aria-label="Models"><ul>{"".join(links)}</ul></nav></header>'
        yield "<main>"
        yield from _comparison(ledgers, figures)
        for n, ledger in enumerate(ledgers, 1):
            yield f'<section class="model" id="m{n}" aria-labelledby="m{n}-name">'
            yield f'<h2 id="m{n}-name">{_name(ledger)}</h2>'
            yield from _model(ledger, f"m{n}", figures)
            yield "</section>"
    yield "</main>"
    yield "<noscript><p>The charts need a script; the tables say the same.</p></noscript>"


def _comparison(ledgers: Sequence[Ledger], figures: dict[str, charts.Figure]) -> Iterator[str]:
    figures["shares"], figures["totals"] = charts.shares_of(ledgers), charts.totals_of(ledgers)
    parts = tables.comparison([account(ledger) for ledger in ledgers])
    yield '<div class="columns">'
    yield '<section aria-labelledby="where"><h2 id="where">Where each has its parameters</h2>'
    yield _chart("shares", "Stacked bars: the share of each part of a model. The table below has the numbers.")
    yield "</section>"
    yield '<section aria-labelledby="many"><h2 id="many">How many there are</h2>'
    yield _chart("totals", "Bars on a log scale: the parameters of each model. The table below has the numbers.")
    yield "</section></div>"
    yield '<section aria-labelledby="numbers"><h2 id="numbers">The numbers</h2>'
    for part in parts:
        yield _prose(part) if isinstance(part, Prose) else _table(part, "wide", "All models")
    yield "</section>"


def _model(ledger: Ledger, key: str, figures: dict[str, charts.Figure]) -> Iterator[str]:
    yield _headline(ledger)
    yield from _treemap(ledger, key, figures)
    yield from _waterfall(ledger, key, figures)
    yield from map(_prose, tables.notes(ledger))


def _treemap(ledger: Ledger, key: str, figures: dict[str, charts.Figure]) -> Iterator[str]:
    figures[f"{key}-treemap"] = charts.treemap_of(ledger)
    label, parameters = whole(ledger)
    stored = ledger.reading == "stored"
    yield f"<h3>{count(parameters)} parameters in {label}</h3>"
    yield '<p class="quiet">Areas are true to the parameters. Point at one for its formula; click to go in.</p>'
    yield _key(ledger, f"{key}-treemap")
    yield _chart(f"{key}-treemap", "Treemap: areas as large as the parameters. The table below has the numbers.")
    title = "The tensors of a checkpoint" if stored else "The matrices of the flow"
    yield _table(tables.stored(ledger) if stored else tables.matrices(ledger), "ledger", title)


def _waterfall(ledger: Ledger, key: str, figures: dict[str, charts.Figure]) -> Iterator[str]:
    figures[f"{key}-waterfall"] = charts.waterfall_of(ledger)
    yield "<h3>Which total is which</h3>"
    yield '<div class="columns"><div>'
    yield _chart(f"{key}-waterfall", "Waterfall: from the matrices to what is learned. The table has the numbers.")
    yield "</div><div>"
    yield _table(tables.reconciliation(ledger), "bridge", "")
    yield "</div></div>"


def _headline(ledger: Ledger) -> str:
    totals = ledger.totals
    active = totals["active"]
    facts = [
        ("parameters", count(totals["parameters"]), "what training learns, tied ones once"),
        *(
            [("active", count(active), f"a token visits {share(active / totals['parameters'])} of them")]
            if tables.has_experts(ledger)
            else []
        ),
        ("matrices", count(totals["matrices"]), f"reading: {ledger.reading}"),
        *_size(ledger),
    ]
    items = (f"<div><dt>{name}</dt><dd>{value}<small>{said}</small></dd></div>" for name, value, said in facts)
    return f'<dl class="headline">{"".join(items)}</dl>'


def _size(ledger: Ledger) -> list[tuple[str, str, str]]:
    """The size of a checkpoint, where it is known: of a quantized one, what its files hold."""
    totals, said = ledger.totals, ledger.architecture.quantization
    if said and "bytes" not in totals:
        return []
    decimal, binary = size(totals["bytes"] if said else 2 * totals["stored"]).rstrip(")").split(" (")
    of = f"{binary}, as quantized: {escape(shown(said.method))}" if said else f"{binary}, all that a checkpoint stores"
    return [("on disk" if said else "at 2 bytes each", decimal, of)]


def _key(ledger: Ledger, chart: str) -> str:
    """What the colours mean; each is a button that goes into its part, so that a keyboard can too."""
    whole = f'<button type="button" data-chart="{chart}" data-level="{charts.ROOT}" aria-pressed="true">all</button>'
    parts = "".join(_button(tile, chart) for tile in all_tiles(ledger) if not tile.within)
    return f'<div class="key" role="group" aria-label="Parts">{whole}{parts}</div>'


def _button(tile: Tile, chart: str) -> str:
    return (
        f'<button type="button" data-chart="{chart}" data-level="{escape(tile.key)}" aria-pressed="false">'
        f'<span class="swatch {palette.css(tile.part)}"></span>{escape(tile.label)} {share(tile.share)}</button>'
    )


def _chart(key: str, said: str) -> str:
    kind = " treemap" if key.endswith("treemap") else ""
    return f'<div class="chart{kind}" id="{key}" role="figure" aria-label="{said}"></div>'


def _name(ledger: Ledger) -> str:
    return escape(shown(ledger.model))


def _prose(prose: Prose) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in prose.text.split("\n") if line)
    return f'<div class="notes">{lines}</div>'


def _table(table: Table, style: str, caption: str) -> str:
    """A table, in a frame of its own that scrolls where the page is too narrow for it."""
    head = "".join(_cell("th", column, escape(column.name), ' scope="col"') for column in table.columns)
    rows = "".join(_row(table.columns, row) for row in table.rows)
    said = caption or table.columns[0].name
    return (
        f'<div class="scroll {style}" role="region" aria-label="{escape(said)}" tabindex="0"><table>'
        + (f"<caption>{escape(caption)}</caption>" if caption else "")
        + f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(columns: Sequence[Column], row: Row) -> str:
    cells = []
    for place, (column, value) in enumerate(zip(columns, row.cells, strict=True)):
        text = escape(cell(value))
        if place == 0:
            swatch = f'<span class="swatch {palette.css(row.group)}"></span>' if row.group else ""
            formula = f'<span class="formula">{escape(row.remark)}</span>' if row.remark else ""
            cells.append(_cell("th", column, f"{swatch}{text}{formula}", ' scope="row"'))
        elif column.bar and isinstance(value, float) and row.kind == "row":
            cells.append(_cell("td", column, f'{_bar(value, row.group)}<span class="share">{text}</span>'))
        else:
            cells.append(_cell("td", column, text))
    return f'<tr class="{row.kind}">{"".join(cells)}</tr>'


def _cell(tag: str, column: Column, inside: str, more: str = "") -> str:
    styles = " ".join([*["right"] * column.right, *["extra"] * (column.optional > 1)])
    style = f' class="{styles}"' if styles else ""
    return f"<{tag}{more}{style}>{inside}</{tag}>"


def _bar(part: float, group: str) -> str:
    drawn = f'<rect class="{palette.css(group)}" width="{100 * part:.2f}%" height="100%"/>'
    return f'<svg class="bar" aria-hidden="true">{drawn}</svg>'
