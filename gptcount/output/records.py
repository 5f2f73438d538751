"""What a program reads of a ledger and of a comparison: plain records and documents of raw numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gptcount.comparison import Account, check
from gptcount.ledger import Ledger

SCHEMA = 1


def breakdown(ledger: Ledger, explained: bool = False) -> dict[str, Any]:
    """The document of ``gptcount breakdown --json``."""
    items = [
        {"label": item.label, "parameters": item.parameters, "total": item.total or None}
        for item in ledger.reconciliation
    ]
    from gptcount.quoted import quoted

    found = check(ledger)
    document = {
        "schema": SCHEMA,
        "model": ledger.model,
        "reading": ledger.reading,
        "rows": ledger.to_records(),
        "reconciliation": items,
        "totals": ledger.totals,
        "quoted": [one._asdict() for one in quoted(ledger.architecture)],
        "published": found.to_record() if found else None,
        "notes": list(ledger.architecture.notes),
    }
    if ledger.files:
        document["tensors"] = [one.to_record() for one in ledger.files]
    elif ledger.unknown:
        document["unknown"] = ledger.unknown
    if explained:
        from gptcount.explain import explain

        document["explanation"] = [{"group": one.group, "text": one.text} for one in explain(ledger)]
    return document


def comparison(accounts: Sequence[Account]) -> dict[str, Any]:
    """The document of ``gptcount compare --json``."""
    return {"schema": SCHEMA, "reading": accounts[0].ledger.reading, "models": [one.to_record() for one in accounts]}


def presets(accounts: Mapping[str, Account]) -> dict[str, Any]:
    """The document of ``gptcount presets --json``."""
    return {"schema": SCHEMA, "presets": of_presets(accounts)}


def of_presets(accounts: Mapping[str, Account]) -> list[dict[str, Any]]:
    """The presets as records, each with its name."""
    return [{"preset": preset, **one.to_record()} for preset, one in accounts.items()]
