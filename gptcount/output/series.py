"""What the bars of a chart say, before any library draws them: the steps of a reconciliation, shares, totals."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from gptcount.comparison import Account, account
from gptcount.errors import shown
from gptcount.ledger import GROUPS, Ledger
from gptcount.numbers import count
from gptcount.output import palette
from gptcount.output.tables import has_experts, name

UNITS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Step(NamedTuple):
    """A line of the reconciliation as a bar: from where to where it reaches."""

    label: str
    """What it is, in few words."""
    said: str
    """What it is, as the table says it."""
    parameters: int
    start: int
    end: int
    total: bool

    @property
    def value(self) -> str:
        """The count as it is shown, a step with its sign."""
        return count(self.parameters) if self.total or self.parameters < 0 else f"+{count(self.parameters)}"

    @property
    def colour(self) -> str:
        """The colour of its bar."""
        less = palette.LESS if self.parameters < 0 else palette.PALETTE["attention"]
        return (palette.OTHER if self.total else less).page


def steps(ledger: Ledger) -> list[Step]:
    """The reconciliation, but for what adds nothing."""
    found: list[Step] = []
    at = 0
    for item in ledger.reconciliation:
        if item.total:
            at = item.parameters
            found.append(Step(_short(item.label), item.label, at, 0, at, True))
        elif item.parameters:
            found.append(Step(_short(item.label), item.label, item.parameters, at, at + item.parameters, False))
            at += item.parameters
    return found


def _short(label: str) -> str:
    return label.partition(":")[0].replace(", stored once with the embedding", "").partition(" that a ")[0]


def window(found: Sequence[Step]) -> tuple[int, float]:
    """Where the axis of a reconciliation begins and ends: at 0, but where the steps would be too small to see."""
    low, high = min(step.end for step in found), max(step.end for step in found)
    span = high - low
    if not span or 5 * span > high:
        return 0, high * 1.02
    digit = 10 ** (len(str(span)) - 1)
    return (low - span // 8) // digit * digit, high + span * 0.05


class Stack(NamedTuple):
    """One colour of the stacked bars: what it stands for, and how much of it each model has."""

    label: str
    colour: str
    parameters: tuple[int, ...]


def in_order(ledgers: Sequence[Ledger]) -> list[Account]:
    """The accounts, the smallest model first."""
    return sorted(map(account, ledgers), key=lambda one: one.ledger.totals["parameters"])


def stacks(accounts: Sequence[Account]) -> list[Stack]:
    """Parts that add up to the parameters of each model: an unembedding that is tied is no part of its own."""
    own = [one.parts | {"unembedding": one.parts["unembedding"] + one.tied} for one in accounts]
    tied = any(one.tied for one in accounts)
    labels = {part: name(part) for part in GROUPS} | ({"unembedding": "unembedding, untied"} if tied else {})
    found = [
        *(Stack(labels[part], palette.page(part), tuple(parts[part] for parts in own)) for part in GROUPS),
        Stack("other", palette.OTHER.page, tuple(one.other + one.beside for one in accounts)),
    ]
    return [stack for stack in found if any(stack.parameters)]


class Total(NamedTuple):
    """A model's total as a bar, and what of it is active, where that is less."""

    model: str
    parameters: int
    active: int | None


def totals(accounts: Sequence[Account]) -> list[Total]:
    """The totals, one a model."""
    return [
        Total(
            shown(one.ledger.model, 40),
            one.ledger.totals["parameters"],
            one.ledger.totals["active"] if has_experts(one.ledger) else None,
        )
        for one in accounts
    ]


def decades(found: Sequence[Total]) -> tuple[list[int], list[str]]:
    """Powers of ten on either side of all totals, nine at most, and how they are called: 100M, 1B, 10B."""
    least = min(total.active or total.parameters for total in found)
    low, high = floor(log10(least)), ceil(log10(max(total.parameters for total in found)))
    step = max(1, ceil((high - low) / 8))
    ticks = [10**power for power in range(low, max(high, low + 1) + step, step)]
    return ticks, [_called(tick) for tick in ticks]


def _called(tick: int) -> str:
    if tick >= 1000 * UNITS[0][0]:
        return "10" + str(len(str(tick)) - 1).translate(SUPERSCRIPTS)
    return next((f"{count(tick // unit)}{letter}" for unit, letter in UNITS if tick >= unit), count(tick))
