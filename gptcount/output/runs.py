"""What is shown of a run at true size, and of a run on real weights: what was done, and how it came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gptcount.errors import shown
from gptcount.numbers import count, size
from gptcount.output.table import Column, Part, Prose, Row, Table
from gptcount.output.text import cell

if TYPE_CHECKING:
    from gptcount.reference.full import FullRun
    from gptcount.reference.real import RealRun

MARK = "✓"


def full(found: FullRun) -> list[Part]:
    """What a run at true size did."""
    flops = sum(2 * rows * n * m for rows, n, m in found.products)
    lines = (
        f"{shown(found.model)} at its true size, on made-up numbers",
        f"{MARK} {count(found.n_tokens)} tokens through {count(found.matrices)} matrices, "
        f"{count(found.parameters)} numbers in all",
        f"{MARK} {count(len(found.products))} products, {flops / 1e12:.3g} × 10¹² operations, in {found.seconds:.1f} s",
        *(
            []
            if found.total_probability is None
            else [f"{MARK} the probabilities sum to {found.total_probability:.6f}"]
        ),
        f"{MARK} the peak of memory is {size(found.peak)}",
    )
    return [Prose("\n".join(lines))]


def real(found: RealRun, temperature: float) -> list[Part]:
    """What a run on real weights did: tensors used, and the most probable next tokens."""
    said = "label" if found.scores == "labels" else "next token"
    columns = (Column(said, right=True), Column("probability", right=True, bar=True))
    best = tuple(Row((cell(token), probability)) for token, probability in found.best)
    title = f"after the tokens {', '.join(map(str, found.tokens))}, at temperature {temperature:g}"
    lines = [f"{MARK} {count(found.n_used)} tensors of the checkpoint used, none missing"]
    if found.surplus:
        few = ", ".join(shown(name) for name in found.surplus[:3]) + (" …" if len(found.surplus) > 3 else "")
        lines.append(f"  {count(len(found.surplus))} not used: {few}")
    else:
        lines.append(f"{MARK} every tensor of the file has its place")
    return [*([Table(title, columns, best)] if best else []), Prose("\n".join(lines))]


def full_document(found: FullRun) -> dict[str, Any]:
    """A run at true size as raw numbers."""
    return {key: value for key, value in found._asdict().items() if key != "products"}


def real_document(found: RealRun) -> dict[str, Any]:
    """A run on real weights as raw numbers."""
    return found._asdict() | {"best": [{"token": token, "probability": p} for token, p in found.best]}
