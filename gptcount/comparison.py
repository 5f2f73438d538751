"""Comparison: where several models have their parameters, and whether the published totals hold.

It reads ledgers; it does not know how they are printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from gptcount.architecture import Architecture, Published
from gptcount.errors import InputError, shown
from gptcount.ledger import GROUPS, Ledger, Reading, breakdown
from gptcount.showing import as_html, as_rich

UNITS = {"": 0, "K": 3, "M": 6, "B": 9, "T": 12}

Status = Literal["exact", "rounds", "differs", "unreadable"]


class Check(NamedTuple):
    """A published total held against the counted one."""

    published: Published
    counted: int
    status: Status
    difference: float = 0.0
    """How far the counted total is from the published one, as a part of the published one."""

    @property
    def holds(self) -> bool:
        """Whether the counted total is the published one, or rounds to it."""
        return self.status in ("exact", "rounds")

    def to_record(self) -> dict[str, Any]:
        """The check as a plain record."""
        return {
            "published": self.published.total,
            "of": self.published.of,
            "counted": self.counted,
            "status": self.status,
            "difference": self.difference,
            "source": self.published.source,
            "note": self.published.note,
        }


class Account(NamedTuple):
    """One model of a comparison. ``parts``, ``other``, ``beside`` and ``tied`` add up to the parameters."""

    ledger: Ledger
    parts: dict[str, int]
    """The matrix parameters of each of GROUPS."""
    other: int
    """The matrix parameters of no such part: of what stands beside attention and MLP."""
    beside: int
    """What is learned and no matrix: biases, norms, positions, kernels of convolutions."""
    tied: int
    """An unembedding that is stored once with the embedding: taken off, and so never positive."""
    check: Check | None

    def to_record(self) -> dict[str, Any]:
        """The account as a plain record, for a JSON file or a sheet."""
        totals = self.ledger.totals
        check = self.check
        return {
            "model": self.ledger.model,
            **self.parts,
            "rest": self.other + self.beside + self.tied,
            "other_matrices": self.other,
            "biases_norms_positions": self.beside,
            "tied": self.tied,
            **{name: totals.get(name) for name in ("parameters", "active", "stored", "matrices", "matrix_parameters")},
            "published": check.published.total if check else None,
            "published_of": check.published.of if check else None,
            "status": check.status if check else None,
            "difference": check.difference if check else None,
            "source": check.published.source if check else None,
            "note": check.published.note if check else None,
        }


class Comparison(list[Account]):
    """The accounts of several models, as a list that a notebook and rich show side by side."""

    def to_records(self) -> list[dict[str, Any]]:
        """The accounts as plain records, for ``pandas.DataFrame(...)``, a sheet or a JSON file."""
        return [one.to_record() for one in self]

    _repr_html_ = as_html
    __rich__ = as_rich


def compare(architectures: Sequence[Architecture], reading: Reading = "heads") -> Comparison:
    """The accounts of several models, in the order given: what each part of each holds, and whether its published total
    holds. Different ones of one name are numbered. Raises InputError as ``breakdown`` does."""
    return Comparison(account(breakdown(architecture, reading)) for architecture in _numbered(architectures))


def _numbered(architectures: Sequence[Architecture]) -> Iterator[Architecture]:
    seen: dict[str, list[Architecture]] = {}
    for architecture in architectures:
        if not isinstance(architecture, Architecture):
            raise InputError(f"{shown(architecture)}: expected an Architecture, such as gptcount.load gives")
        alike = seen.setdefault(architecture.name, [])
        if architecture not in alike:
            alike.append(architecture)
        number = alike.index(architecture) + 1
        yield architecture if number == 1 else architecture.changed(name=f"{architecture.name} ({number})")


def account(ledger: Ledger) -> Account:
    """The account of one model."""
    parts = {part: ledger.part(part) for part in GROUPS}
    totals, tied = ledger.totals, sum(item.parameters for item in ledger.reconciliation if item.parameters < 0)
    other = totals["matrix_parameters"] - sum(parts.values())
    beside = totals["parameters"] - totals["matrix_parameters"] - tied
    return Account(ledger, parts, other, beside, tied, check(ledger))


def check(ledger: Ledger) -> Check | None:
    """The published total held against the ledger; None where nothing is published, or that total is not known."""
    published = ledger.architecture.published
    counted = ledger.totals.get(published.of) if published else None
    if published is None or counted is None:
        return None
    read = _printed(published.total)
    if read is None:
        return Check(published, counted, "unreadable")
    printed, step = read
    whole = printed * step
    rounded = (2 * counted + step) // (2 * step)
    status: Status = "exact" if counted == whole else "rounds" if rounded == printed else "differs"
    return Check(published, counted, status, (counted - whole) / whole)


def _printed(total: str | int) -> tuple[int, int] | None:
    """The digits of a printed total and what the last is worth: 175.0B is 1750 of 10^8. None where it is no number."""
    if isinstance(total, int):
        return total, 1
    found = re.fullmatch(r"(\d{1,15})(?:\.(\d{1,9}))?\s?([KMBT]?)", total.replace(",", ""))
    if not found:
        return None
    decimals = found[2] or ""
    digits, power = int(found[1] + decimals), UNITS[found[3]] - len(decimals)
    return (digits, 10**power) if digits and power >= 0 else None


def parts_of(accounts: Iterable[Account]) -> list[str]:
    """The parts, of GROUPS, that any of the models has."""
    accounts = list(accounts)
    return [part for part in GROUPS if any(one.parts[part] for one in accounts)]
