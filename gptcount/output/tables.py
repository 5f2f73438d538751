"""What is shown of a ledger, a comparison, the presets: the tables and the words around them, before any format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gptcount import ledger as account
from gptcount.architecture import Architecture
from gptcount.comparison import Account, Check, check
from gptcount.errors import shown
from gptcount.ledger import GROUPS, Ledger
from gptcount.output.table import Cell, Column, Kind, Part, Prose, Row, Table
from gptcount.output.text import cell, count, difference, size

if TYPE_CHECKING:
    from gptcount.reference.bench import Verification

SIDE_BY_SIDE = 4
"""As many models are compared side by side; more have a row each."""

NAMES = {"mlp": "MLP"}

READINGS = {
    "heads": "output, the heads' value-ups stapled, is one matrix a layer",
    "value-up": "each head's value-up is a matrix of its own",
}

OF_THE_PARAMETERS = (
    ("active", "active: the parameters that one token visits"),
    ("non_embedding", "non-embedding: without token tables and positions"),
)


def breakdown(ledger: Ledger, explained: bool = False) -> list[Part]:
    """Everything that ``gptcount breakdown`` shows of a model."""
    parts: list[Part] = [matrices(ledger), reconciliation(ledger), *notes(ledger)]
    return [*parts, *explanation(ledger)] if explained else parts


def matrices(ledger: Ledger) -> Table:
    """The matrices of the flow, group by group, with a subtotal for each part that has several."""
    columns = (
        Column("group"),
        Column("one matrix", optional=2),
        Column("matrices", right=True),
        Column("parameters", right=True),
        Column("share", right=True, optional=1, bar=True),
    )
    parts = list(dict.fromkeys(row.part for row in ledger.rows))
    rows = [row for part in parts for row in _part(ledger, part)]
    totals = ledger.totals
    whole = Row(("all matrices", "", totals["matrices"], totals["matrix_parameters"], 1.0), kind="total")
    title = f"{shown(ledger.model)}: the matrices of the flow"
    return Table(title, columns, (*rows, whole), remark="formula")


def _part(ledger: Ledger, part: str) -> list[Row]:
    of_part = [row for row in ledger.rows if row.part == part]
    rows = [
        Row(
            (row.group, " × ".join(row.shape), row.matrices, row.parameters, ledger.share(row.parameters)),
            part,
            remark=formula(row),
        )
        for row in of_part
    ]
    if len(of_part) > 1:
        parameters = ledger.part(part)
        cells = (f"{name(part)} in all", "", sum(row.matrices for row in of_part), parameters, ledger.share(parameters))
        rows.append(Row(cells, part, "subtotal"))
    return rows


def formula(row: account.Row) -> str:
    """The product in words, then with the numbers put in."""
    return f"{row.formula} = {' × '.join(count(n) for _, n in row.factors)}"


def name(part: str) -> str:
    """What a part of the model is called."""
    return NAMES.get(part, part)


def reconciliation(ledger: Ledger) -> Table:
    """The bridge between the totals that people quote, line by line, and the totals that count a part only."""
    rows = [
        Row((f"{_sign(item, place)}{item.label}", item.parameters), kind="total" if item.total and place else "row")
        for place, item in enumerate(ledger.reconciliation)
    ]
    rows += [Row((f"  {label}", ledger.totals[total])) for total, label in OF_THE_PARAMETERS]
    columns = (Column("from the matrices to what is learned and stored"), Column("parameters", right=True))
    return Table("", columns, tuple(rows))


def _sign(item: account.Item, place: int) -> str:
    if item.total:
        return "= " if place else "  "
    return "− " if item.parameters < 0 else "+ "


def explanation(ledger: Ledger) -> list[Prose]:
    """What each group does and why it has its size."""
    from gptcount.explain import explain

    return [Prose(one.text, one.group, one.part) for one in explain(ledger)]


def notes(ledger: Ledger) -> list[Prose]:
    """What a reader should know beside the numbers."""
    stored = ledger.totals["stored"]
    lines = (
        f"Reading {ledger.reading}: {READINGS[ledger.reading]}.",
        "Shares are of all matrices, rounded: they may not add to 100.0 %.",
        f"On disk: {size(2 * stored)} in 16 bits, {size(4 * stored)} in 32.",
    )
    return [Prose("\n".join(lines)), *_published(check(ledger))]


def _published(found: Check | None) -> list[Prose]:
    if found is None:
        return []
    which = found.published.of.replace("_", " ")
    text = f"Published: {printed(found)} {which} ({shown(found.published.source, 300)}); {verdict(found)}."
    note = f" {shown(found.published.note, 1000)}" if found.published.note else ""
    return [Prose(f"{text}{note}")]


def printed(found: Check) -> str:
    """A published total as it was printed; an exact one is a count."""
    total = found.published.total
    return count(total) if isinstance(total, int) else shown(total)


def verdict(found: Check) -> str:
    """How the counted total stands to the published one, in words."""
    counted = f"counted {count(found.counted)}"
    return {
        "exact": f"{counted}, exactly that",
        "rounds": f"{counted}, which rounds to it",
        "differs": f"{counted}, {difference(found.difference)}",
        "unreadable": f"{counted}, and the published total is no number to compare with",
    }[found.status]


def status(found: Check | None) -> str:
    """How the counted total stands to the published one, in a word."""
    if found is None:
        return "none published"
    return {"exact": "exact", "rounds": "rounds to it", "differs": difference(found.difference), "unreadable": "?"}[
        found.status
    ]


def comparison(accounts: Sequence[Account]) -> list[Part]:
    """Everything that ``gptcount compare`` shows: few models side by side, many with a row each, smallest first."""
    if len(accounts) > SIDE_BY_SIDE:
        accounts = sorted(accounts, key=lambda one: one.ledger.totals["parameters"])
    table = side_by_side(accounts) if len(accounts) <= SIDE_BY_SIDE else model_by_model(accounts)
    remarks = ["The rest is biases, norms and learned positions, less an unembedding tied to the embedding."]
    remarks += [
        f"{shown(one.ledger.model)}: {_remark(one.check)}" for one in accounts if one.check and _remark(one.check)
    ]
    return [table, Prose("\n".join(remarks))]


def _remark(found: Check) -> str:
    """What must be said of a published total: its note, or how far off it is."""
    return shown(found.published.note, 1000) or (
        "" if found.holds else f"published {printed(found)}, {verdict(found)}."
    )


def side_by_side(accounts: Sequence[Account]) -> Table:
    """Parts as rows, models as columns, each count with its share of the model's parameters."""
    columns = [Column("")]
    for one in accounts:
        columns += [Column(shown(one.ledger.model), right=True), Column("share", right=True, optional=1)]

    def line(label: str, cells: Iterable[Cell], group: str = "", kind: Kind = "row") -> Row:
        return Row((label, *cells), group, kind)

    def shared(counts: Sequence[int]) -> Iterable[Cell]:
        for one, parameters in zip(accounts, counts, strict=True):
            yield from (parameters, parameters / one.ledger.totals["parameters"])

    def alone(cells: Iterable[Cell]) -> Iterable[Cell]:
        for value in cells:
            yield from (value, None)

    def totals(total: str) -> list[int]:
        return [one.ledger.totals[total] for one in accounts]

    return Table(
        "",
        tuple(columns),
        (
            *(line(name(part), shared([one.parts[part] for one in accounts]), part) for part in GROUPS),
            line("the rest", shared([one.rest for one in accounts])),
            line("parameters", shared(totals("parameters")), kind="total"),
            line("active", shared(totals("active"))),
            line("matrices", alone(totals("matrices"))),
            line("published", alone(printed(one.check) if one.check else "" for one in accounts)),
            line("counted", alone(status(one.check) for one in accounts)),
        ),
    )


def model_by_model(accounts: Sequence[Account], shares: bool = False) -> Table:
    """Models as rows, parts as columns; in a narrow place the parts are shares."""
    columns = (
        Column("model"),
        *(Column(part, right=True, optional=2 * shares) for part in (*map(name, GROUPS), "the rest")),
        Column("parameters", right=True),
        Column("active", right=True, optional=3),
        Column("matrices", right=True, optional=4),
        Column("published", right=True, optional=1 * shares),
        Column("counted", right=True, optional=1 * shares),
    )
    rows = tuple(_model(one, shares) for one in accounts)
    return Table("", columns, rows, instead=None if shares else model_by_model(accounts, shares=True))


def _model(one: Account, shares: bool) -> Row:
    totals = one.ledger.totals
    parts = [*(one.parts[part] for part in GROUPS), one.rest]
    return Row(
        (
            shown(one.ledger.model),
            *((part / totals["parameters"] for part in parts) if shares else parts),
            totals["parameters"],
            totals["active"],
            totals["matrices"],
            printed(one.check) if one.check else "",
            status(one.check),
        )
    )


def presets(accounts: Mapping[str, Account]) -> list[Part]:
    """Everything that ``gptcount presets`` shows."""
    columns = (
        Column("preset"),
        Column("model", optional=3),
        Column("parameters", right=True),
        Column("published", right=True, optional=1),
        Column("counted", right=True, optional=2),
    )
    return [Table("", columns, tuple(_preset(preset, one) for preset, one in accounts.items()))]


def _preset(preset: str, one: Account) -> Row:
    published = printed(one.check) if one.check else ""
    return Row((preset, shown(one.ledger.model), one.ledger.totals["parameters"], published, status(one.check)))


def verification(architecture: Architecture, found: Verification) -> list[Part]:
    """The walk at the model's real sizes, step by step, and what it confirmed."""
    columns = (
        Column("where"),
        Column("does"),
        Column("takes", optional=3),
        Column("weight"),
        Column("gives", optional=2),
        Column("at real sizes", right=True),
    )
    walk = tuple(
        Row((step.where, step.does, step.takes, step.weight, step.gives, " × ".join(map(cell, step.sizes))))
        for step in found.walk
    )
    title = f"{shown(architecture.name)}: the shapes, step by step"
    return [Table(title, columns, walk), Prose("\n".join(found.confirmed))]
