"""The commands that list what there is: presets, and model types that are read."""

from __future__ import annotations

from gptcount.options import answering
from gptcount.output.answer import Answer


@answering
def presets() -> Answer:
    """List the presets with their parameters."""
    from gptcount.comparison import compare as account
    from gptcount.output import records, tables
    from gptcount.sources.loading import load_all
    from gptcount.sources.presets import names

    accounts = dict(zip(names(), account(load_all(["presets"])), strict=True))
    return Answer(
        parts=lambda: tables.presets(accounts),
        records=lambda: records.of_presets(accounts),
        document=lambda: records.presets(accounts),
    )


@answering
def families() -> Answer:
    """List the model types whose config.json is read, and what each is."""
    from gptcount.families import listed
    from gptcount.output import listing

    found = listed()
    return Answer(
        parts=lambda: listing.parts(found),
        records=lambda: listing.records(found),
        document=lambda: listing.document(found),
    )
