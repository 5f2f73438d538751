"""The commands that say what a model costs."""

from __future__ import annotations

from typing import Annotated

import typer

from gptcount.errors import InputError, shown
from gptcount.options import Model, Settings, answering
from gptcount.output.answer import Answer

Context = Annotated[
    str | None,
    typer.Option(metavar="N", show_default=False, help="The tokens of a text, such as 8192; without it, the law."),
]
Batch = Annotated[
    str | None, typer.Option(metavar="B", show_default=False, help="So many texts at once; 1 by default.")
]


@answering
def flops(
    model: Model,
    context: Context = None,
    batch: Batch = None,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
) -> Answer:
    """What a text costs to run: FLOPs of prefill, one more token, training.

    \b
    gptcount flops gpt3 --context 2048
    gptcount flops deepseek-v3 --context 8192 --json
    gptcount flops llama-3-8b                   the law, for any length
    """
    if batch and not context:
        raise InputError("--batch: expected --context N with it, the tokens of each text")
    tokens, texts = whole("--context", context), whole("--batch", batch)
    from gptcount.costs.flops import flops as read
    from gptcount.output import flops as view
    from gptcount.sources.loading import load

    found = read(load(model, settings), tokens, texts or 1)
    return Answer(
        parts=lambda: view.parts(found),
        records=found.to_records,
        document=lambda: view.document(found),
    )


def whole(option: str, said: str | None) -> int | None:
    """The whole number that an option says, perhaps with commas or underscores. Raises InputError for anything else."""
    if said is None:
        return None
    plain = said.replace(",", "").replace("_", "")
    if not (plain.isascii() and plain.isdigit()) or not 0 < len(plain) <= 16 or not int(plain):
        raise InputError(f"{option} {shown(said)}: expected a whole number of at least 1, such as 8192")
    return int(plain)
