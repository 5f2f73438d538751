"""What is shown of the FLOPs of a model: what a text costs, and the law behind it, product by product."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gptcount.blocks.reach import Reach
from gptcount.costs.flops import PARTS, Flops, Work
from gptcount.costs.products import Product
from gptcount.errors import shown
from gptcount.numbers import count
from gptcount.output.records import SCHEMA
from gptcount.output.table import Column, Part, Prose, Row, Table

WITH = {
    "weights": "with weights of the layers",
    "attention": "of tokens with each other",
    "unembedding": "with the unembedding",
}

CONVENTIONS = (
    "A multiplication and an addition are two operations; only products are counted. Norms, softmax, activations, "
    "rotations, biases, look-ups and the scans of mixers are not.",
    "Pairs seen: a token and those that its mask lets it look at, which is what the model needs; what an indexer "
    "leaves out is not taken off. All pairs: the full table of scores, as PaLM (arXiv:2204.02311), Megatron "
    "(arXiv:2104.04473) and PyTorch's FlopCounterMode count.",
    "Scores of all positions are counted. A token visits as many experts as the router chooses; experts without "
    "weights cost nothing, so that with them this is at most.",
)


def parts(found: Flops) -> list[Part]:
    """Everything that ``gptcount flops`` shows of a model."""
    tables: list[Part] = [] if found.context is None else list(_of_context(found))
    return [*tables, law(found), Prose(said(found)), Prose("\n".join(CONVENTIONS)), *_notes(found)]


def _of_context(found: Flops) -> Iterator[Table]:
    n = count(found.context or 0)
    batch = "" if found.batch == 1 else f", {count(found.batch)} texts at once"
    both = {"pairs seen": found.prefill(), "all pairs": found.prefill(every=True)}
    yield _work(f"{shown(found.model)}: FLOPs of a prefill of {n} tokens{batch}", both)
    if found.goes_on:
        orders = {"FLOPs": found.decode()}
        if found.has_orders:
            orders = {"absorbed": found.decode(absorbed=True), "unfolded": found.decode()}
        yield _work(f"one more token after {n}", orders)
    both = {"pairs seen": found.training(), "all pairs": found.training(every=True)}
    yield _work(f"training on {n} tokens: 3 × the prefill, forward and backward", both)


def _work(title: str, columns: dict[str, Work]) -> Table:
    rows = [
        Row((WITH[part], *(getattr(work, part) for work in columns.values())), _group(part))
        for part in PARTS
        if any(getattr(work, part) for work in columns.values())
    ]
    total = Row(("in all", *(work.total for work in columns.values())), kind="total")
    return Table(title, (Column(""), *(Column(name, right=True) for name in columns)), (*rows, total))


def _group(part: str) -> str:
    return "mlp" if part == "weights" else part


def law(found: Flops) -> Table:
    """Every product, with what it costs for each token, key or pair, and the sums: the coefficients of the law."""
    each: dict[str, list[Product]] = {}
    for term in found.terms:
        each.setdefault(per(term), []).append(term)
    rows = []
    for unit, terms in sorted(each.items(), key=lambda found: ("token", "key", "pair").index(found[0].split()[0])):
        rows += [Row((term.does, term.flops), _group(term.of), remark=_working(term)) for term in terms]
        rows.append(Row((f"per {unit}", sum(term.flops for term in terms)), kind="subtotal"))
    title = "the products of the forward pass, in all layers" + ("" if found.context else f": {shown(found.model)}")
    return Table(title, (Column("product"), Column("FLOPs", right=True)), tuple(rows), remark="formula")


def per(term: Product) -> str:
    """What a product is done for, and within which reach."""
    return term.each if term.each == "token" else f"{term.each}{_within(term.reach)}"


def _within(reach: Reach) -> str:
    window = f" within a window of {count(reach.window)}" if reach.window else ""
    return window + (f" within a chunk of {count(reach.chunk)}" if reach.chunk else "")


def _working(term: Product) -> str:
    return f"{term.formula} = {' × '.join(['2', *(count(n) for _, n in term.factors)])}"


def said(found: Flops) -> str:
    """The law in a sentence."""
    units: dict[str, int] = {}
    for term in found.terms:
        unit = "tokens" if term.each != "pair" else f"pairs{_within(term.reach)}"
        units[unit] = units.get(unit, 0) + term.flops
    terms = " + ".join(f"{count(n)} × {unit}" for unit, n in units.items())
    return (
        f"A text of n tokens costs {terms}. Of n tokens, n × (n + 1) / 2 pairs see each other where each token looks "
        "at all before it and at itself; in all there are n² pairs."
    )


def _notes(found: Flops) -> list[Prose]:
    lines = [f"Note: {shown(note, 1000)}." for note in found.notes()]
    return [Prose("\n".join(lines))] if lines else []


def _decode(found: Flops) -> dict[str, int]:
    one = found.decode()
    if not found.has_orders:
        return one._asdict() | {"flops": one.total}
    absorbed = found.decode(absorbed=True)
    return absorbed._asdict() | {"absorbed": absorbed.total, "unfolded": one.total}


def document(found: Flops) -> dict[str, Any]:
    """The document of ``gptcount flops --json``."""
    numbers: dict[str, Any] = {"schema": SCHEMA, "model": found.model, "context": found.context, "batch": found.batch}
    if found.context is not None:
        seen, every = found.prefill(), found.prefill(every=True)
        numbers["prefill"] = seen._asdict() | {"seen_pairs": seen.total, "all_pairs": every.total}
        numbers["decode"] = _decode(found) if found.goes_on else None
        seen, every = found.training(), found.training(every=True)
        numbers["training"] = seen._asdict() | {"seen_pairs": seen.total, "all_pairs": every.total}
    numbers["per_token"], numbers["per_pair"] = found.per_token(), found.per_pair()
    return numbers | {"products": found.to_records(), "notes": found.notes()}
