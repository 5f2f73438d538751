"""What is shown of a ledger, a comparison, the presets: the tables and the words around them, before any format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gptcount import ledger as account
from gptcount.architecture import Architecture
from gptcount.comparison import Account, Check, check, parts_of
from gptcount.errors import shown
from gptcount.ledger import GROUPS, Ledger
from gptcount.numbers import count, difference, size
from gptcount.output.table import Cell, Column, Kind, Part, Prose, Row, Table
from gptcount.sources.specification import toml

SIDE_BY_SIDE = 4
"""As many models are compared side by side; more have a row each."""

NAMES = {"mlp": "MLP"}

READINGS = {
    "heads": "output, the heads' value-ups stapled, is one matrix a layer",
    "value-up": "each head's value-up is a matrix of its own",
    "stored": "the tensors of a checkpoint, under its names; {} stands for the numbers of layers and experts",
}

OF_THE_PARAMETERS = (
    ("active", "active: less the routed experts that one token does not visit"),
    ("non_embedding", "non-embedding: less token tables and positions"),
)


def breakdown(ledger: Ledger, explained: bool = False, quoted: bool = False) -> list[Part]:
    """Everything that ``gptcount breakdown`` shows of a model."""
    rows = matrices(ledger)
    if ledger.reading == "stored":
        rows = files(ledger) if ledger.files else stored(ledger)
    parts: list[Part] = [rows, reconciliation(ledger), *notes(ledger)]
    parts += other_totals(ledger) if quoted else ()
    return [*parts, *explanation(ledger)] if explained else parts


def other_totals(ledger: Ledger) -> list[Part]:
    """The totals that other programs quote, and what each counts."""
    from gptcount.quoted import quoted

    found = quoted(ledger.architecture)
    rows = tuple(Row((one.name, one.parameters if one.parameters is not None else "not defined")) for one in found)
    table = Table("", (Column("totals of other programs"), Column("parameters", right=True)), rows)
    return [table, Prose("\n".join(f"{one.name} is {one.convention}." for one in found))]


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


def stored(ledger: Ledger) -> Table:
    """The tensors of the checkpoint, as it names them."""
    columns = (
        Column("tensor"),
        Column("shape"),
        Column("copies", right=True),
        Column("parameters", right=True),
        Column("share", right=True, optional=1),
    )
    whole = ledger.totals["stored"]
    rows = [
        Row(
            (row.tensor, " × ".join(map(count, row.sizes)), row.copies, row.parameters, row.parameters / whole),
            row.part if row.part in GROUPS else "",
        )
        for row in ledger.stored
    ]
    total = Row(("all tensors", "", sum(row.copies for row in ledger.stored), whole, 1.0), kind="total")
    return Table(f"{shown(ledger.model)}: the tensors of a checkpoint", columns, (*rows, total))


def formula(row: account.Row) -> str:
    """The product in words, then with the numbers put in."""
    return f"{row.formula} = {' × '.join(count(n) for _, n in row.factors)}"


def name(part: str) -> str:
    """What a part of the model is called."""
    return NAMES.get(part, part.replace("_", " "))


def reconciliation(ledger: Ledger) -> Table:
    """The bridge between the totals that people quote, line by line, and the totals that count a part only."""
    items = [item for item in ledger.reconciliation if item.total or item.parameters]
    rows = [
        Row((f"{_sign(item, place)}{item.label}", item.parameters), kind="total" if item.total and place else "row")
        for place, item in enumerate(items)
    ]
    totals = ledger.totals
    rows += [
        Row((f"  {label}", totals[total]))
        for total, label in OF_THE_PARAMETERS
        if total != "active" or has_experts(ledger)
    ]
    columns = (Column("from the matrices to what is learned and stored"), Column("parameters", right=True))
    return Table("", columns, tuple(rows))


def has_experts(ledger: Ledger) -> bool:
    """Whether one token visits fewer parameters than there are."""
    return ledger.totals["active"] != ledger.totals["parameters"]


def _sign(item: account.Item, place: int) -> str:
    if item.total:
        return "= " if place else "  "
    return "− " if item.parameters < 0 else "+ "


def explanation(ledger: Ledger) -> list[Prose]:
    """What each group does and why it has its size."""
    from gptcount.explain import explain

    found = explain(ledger)
    parts = {one.group: {other.part for other in found if other.group == one.group} for one in found}
    return [
        Prose(one.text, f"{one.group} ({name(one.part)})" if len(parts[one.group]) > 1 else one.group, one.part)
        for one in found
    ]


def notes(ledger: Ledger) -> list[Prose]:
    """What a reader should know beside the numbers."""
    of = "all that is stored" if ledger.reading == "stored" else "all matrices"
    tells = ledger.reading == "stored" or any(layer.attention for layer in ledger.architecture.layers())
    lines = (
        *([f"Reading {ledger.reading}: {READINGS[ledger.reading]}."] if tells else ()),
        f"Shares are of {of}, rounded: they may not add to 100.0 %.",
        on_disk(ledger),
    )
    said = [f"Note: {shown(note, 1000)}." for note in ledger.architecture.notes]
    return [Prose("\n".join(lines)), *([Prose("\n".join(said))] if said else []), *_published(check(ledger))]


def on_disk(ledger: Ledger) -> str:
    """How large the files are, in a sentence."""
    said, totals = ledger.architecture.quantization, ledger.totals
    if said is None:
        stored = totals["stored"]
        return f"On disk, at 16 bits per parameter: {size(2 * stored)}; at 32 bits: {size(4 * stored)}."
    method = shown(said.method)
    if "stored" not in totals:
        return f"On disk: not known. The configuration says {method}, and what such files store is not known."
    if not ledger.files:
        return f"On disk: not known. The configuration says {method}; {shown(ledger.unknown, 300)}."
    least, most = (size(totals.get(total, totals.get("bytes", 0))) for total in ("bytes_least", "bytes_most"))
    return f"On disk: {least if least == most else f'{least} to {most}'}, as quantization_config says: {method}."


def files(ledger: Ledger) -> Table:
    """The tensors that the files of a quantized model hold, with their bytes, and how many numbers they stand for."""
    columns = (
        Column("tensor"),
        Column("dtype"),
        Column("shape", optional=1),
        Column("copies", right=True),
        Column("bytes", right=True),
    )
    rows = [
        Row(
            (
                one.tensor,
                one.dtype or "16 or 32 bits",
                "as the weights need" if one.shape is None else " × ".join(map(count, one.shape)) or "one number",
                one.copies,
                _range(one.least, one.most),
            )
        )
        for one in ledger.files
    ]
    least, most = sum(one.least for one in ledger.files), sum(one.most for one in ledger.files)
    whole = Row(("all tensors", "", "", sum(one.copies for one in ledger.files), _range(least, most)), kind="total")
    stands = Row(("numbers that they stand for: stored", "", "", None, ledger.totals["stored"]), kind="total")
    return Table(f"{shown(ledger.model)}: the tensors in its files", columns, (*rows, whole, stands))


def _range(least: int, most: int) -> Cell:
    return least if least == most else f"{count(least)} to {count(most)}"


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
        return ""
    return {"exact": "exact", "rounds": "rounds to it", "differs": difference(found.difference), "unreadable": "?"}[
        found.status
    ]


def specification(architecture: Architecture) -> list[Part]:
    """What a notebook shows of an architecture: the keys of its file, section by section."""
    rows = (
        Row((line, ""), kind="heading") if line.startswith("[") else Row(tuple(line.split(" = ", 1)))
        for line in toml(architecture).splitlines()
        if line
    )
    return [Table(shown(architecture.name), (Column("key"), Column("value")), tuple(rows))]


def comparison(accounts: Sequence[Account]) -> list[Part]:
    """Everything that ``gptcount compare`` shows: few models side by side, many with a row each, smallest first."""
    if len(accounts) > SIDE_BY_SIDE:
        accounts = sorted(accounts, key=lambda one: one.ledger.totals["parameters"])
    table = side_by_side(accounts) if len(accounts) <= SIDE_BY_SIDE else model_by_model(accounts)
    doubtful = [one for one in accounts if one.check and not one.check.holds]
    told = accounts if len(accounts) <= SIDE_BY_SIDE else doubtful
    remarks = [f"{shown(one.ledger.model)}: {remark}" for one in told for remark in _remarks(one)]
    said = [*_terms(accounts), *dict.fromkeys(remarks)]
    return [table, *([Prose("\n".join(said))] if said else [])]


def _terms(accounts: Sequence[Account]) -> Iterator[str]:
    """What the words of a comparison mean, where they do not say it themselves."""
    reading = accounts[0].ledger.reading if accounts else "heads"
    if len(accounts) > SIDE_BY_SIDE:
        yield (
            "Other: biases, norms, positions and whatever stands beside attention and MLP. Tied: an unembedding that "
            "is stored once with the embedding, and so taken off."
        )
    if reading != "heads":
        yield f"Reading {reading}, which changes the matrices only: {READINGS[reading]}."


def _remarks(one: Account) -> Iterator[str]:
    """What must be said of a model: its notes, and of its published total the note, or how far off it is."""
    yield from (f"{shown(note, 1000)}." for note in one.ledger.architecture.notes)
    found = one.check
    if found and found.published.note:
        yield shown(found.published.note, 1000)
    elif found and not found.holds:
        yield f"published {printed(found)}, {verdict(found)}."


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

    sums = [
        *((name(part), [one.parts[part] for one in accounts], part) for part in parts_of(accounts)),
        ("other matrices", [one.other for one in accounts], ""),
        ("biases, norms, and so on", [one.beside for one in accounts], ""),
        ("tied unembedding", [one.tied for one in accounts], ""),
    ]
    rows = [line(label, shared(counts), group) for label, counts, group in sums if group or any(counts)]
    rows.append(line("parameters", shared(totals("parameters")), kind="total"))
    if any(has_experts(one.ledger) for one in accounts):
        rows.append(line("active", shared(totals("active"))))
    rows.append(line("matrices", alone(totals("matrices"))))
    if any(one.check for one in accounts):
        rows.append(line("published", alone(printed(one.check) if one.check else "" for one in accounts)))
        rows.append(line("counted", alone(status(one.check) for one in accounts)))
    return Table("", tuple(columns), tuple(rows))


def model_by_model(accounts: Sequence[Account], shares: bool = False) -> Table:
    """Models as rows, parts as columns; in a narrow place the parts are shares, which outlive all but the total."""
    parts = parts_of(accounts)
    columns = (
        Column("model"),
        *(Column(name(part), right=True, optional=1 * (shares and part == "mixer")) for part in parts),
        *(Column(part, right=True, optional=1 * shares) for part in ("other", "tied")),
        Column("parameters", right=True),
        Column("active", right=True, optional=2 * shares),
        Column("matrices", right=True, optional=3 * shares),
        Column("published", right=True, optional=4 * shares),
        Column("counted", right=True, optional=4 * shares),
    )
    rows = tuple(_model(one, parts, shares) for one in accounts)
    return Table("", columns, rows, instead=None if shares else model_by_model(accounts, shares=True))


def _model(one: Account, parts: Sequence[str], shares: bool) -> Row:
    totals = one.ledger.totals
    counts = [*(one.parts[part] for part in parts), one.other + one.beside, one.tied]
    return Row(
        (
            shown(one.ledger.model),
            *((n / totals["parameters"] for n in counts) if shares else counts),
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
