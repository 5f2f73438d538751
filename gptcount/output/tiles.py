"""A ledger as tiles whose areas are its parameters: part, then weight, then run of layers. And where they are laid.

It knows no library that draws, and what it says of a tile is plain text, safe to show and not yet escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from gptcount.errors import shown
from gptcount.ledger import Ledger, Row
from gptcount.numbers import count, share
from gptcount.weight import runs


class Tile(NamedTuple):
    """Parameters that belong together: what they are called, the part that they are of, and how they are counted."""

    key: str
    """Unlike any other of the model; what it lies within is told by ``within``."""
    within: str
    label: str
    part: str
    parameters: int
    share: float
    working: tuple[str, ...]
    """The formula, the numbers put in, and what comes of them, a line each."""

    @property
    def value(self) -> str:
        """The count and the share, as they are shown."""
        return f"{count(self.parameters)}\n{share(self.share)}"


class Place(NamedTuple):
    """Where a tile lies: its lower left corner, its width and its height."""

    x: float
    y: float
    width: float
    height: float


def whole(ledger: Ledger) -> tuple[str, int]:
    """What all tiles are together, and how many parameters that is."""
    total = "stored" if ledger.reading == "stored" else "matrix_parameters"
    return "all tensors" if total == "stored" else "all matrices", ledger.totals[total]


def leaves(ledger: Ledger) -> list[Tile]:
    """The tiles that nothing lies within: a weight, or each of its runs of layers. They add up to the whole."""
    found = all_tiles(ledger)
    holding = {tile.within for tile in found}
    return [tile for tile in found if tile.key not in holding]


def all_tiles(ledger: Ledger) -> list[Tile]:
    """Every tile, each after what it lies within; the parts of the model lie within the empty key."""
    of_parts: dict[str, list[Tile]] = {}
    for tile in _tensors(ledger) if ledger.reading == "stored" else _weights(ledger):
        of_parts.setdefault(tile.part, []).append(tile)
    return [tile for part, tiles in of_parts.items() for tile in [_part(part, tiles), *tiles]]


def _part(part: str, tiles: Sequence[Tile]) -> Tile:
    from gptcount.output.tables import name

    own = [tile for tile in tiles if tile.within == part]
    parameters = sum(tile.parameters for tile in own)
    working = (f"{len(own)} weight{'s' if len(own) > 1 else ''}", f"= {count(parameters)} parameters")
    return Tile(part, "", name(part), part, parameters, sum(tile.share for tile in own), working)


def _weights(ledger: Ledger) -> Iterator[Tile]:
    by_name: dict[str, list[Row]] = {}
    for row in ledger.rows:
        by_name.setdefault(row.weight, []).append(row)
    for name, rows in by_name.items():
        found = [run for row in rows for run in _runs(row)]
        part, key, several = rows[0].part, f"{rows[0].part}/{name}", len(found) > 1
        label = rows[0].group
        if several:
            parameters = sum(row.parameters for row in rows)
            working = (f"{len(found)} runs of layers", f"= {count(parameters)} parameters")
            yield Tile(key, part, label, part, parameters, ledger.share(parameters), working)
        for place, run in enumerate(found):
            yield Tile(
                f"{key}/{place}" if several else key,
                key if several else part,
                f"{label}\n{run.layers}" if run.layers else label,
                part,
                run.row.parameters,
                ledger.share(run.row.parameters),
                (
                    run.row.formula,
                    f"= {' × '.join(count(n) for _, n in run.row.factors)}",
                    f"= {count(run.row.parameters)} parameters",
                    _matrices(run.row),
                ),
            )


def _matrices(row: Row) -> str:
    sizes = " × ".join(map(count, row.sizes))
    return f"{count(row.matrices)} matrices of {sizes}" if row.matrices > 1 else f"one matrix of {sizes}"


class _Run(NamedTuple):
    """A row, or that part of it that is in one run of layers; ``layers`` says which, where they are not all."""

    row: Row
    layers: str


def _runs(row: Row) -> Iterator[_Run]:
    """A row run by run: that of ``n_layers[0:3,5:61]`` is two."""
    for place, axis in enumerate(row.of.per):
        if axis.where:
            for run in runs(axis.where):
                part = axis._replace(size=len(run), where=tuple(run))
                per = (*row.of.per[:place], part, *row.of.per[place + 1 :])
                yield _Run(Row(row.of._replace(per=per)), _said(run))
            return
    yield _Run(row, "")


def _said(run: range) -> str:
    if len(run) == 1:
        return f"layer {run[0]}"
    every = "" if run.step == 1 else f", one in {run.step}"
    return f"layers {run[0]} to {run[-1]}{every}"


def _tensors(ledger: Ledger) -> Iterator[Tile]:
    for part, rows in groupby(sorted(enumerate(ledger.stored), key=lambda one: one[1].part), lambda one: one[1].part):
        for place, row in rows:
            sizes = " × ".join(map(count, row.sizes)) or "one number"
            working = (f"{count(row.copies)} × {sizes}", f"= {count(row.parameters)} parameters")
            share_of_all = row.parameters / ledger.totals["stored"]
            yield Tile(f"{part}/{place}", part, shown(row.tensor), part, row.parameters, share_of_all, working)


def squarified(sizes: Sequence[int], room: Place) -> list[Place]:
    """Where tiles of these sizes lie, largest first, each as near a square as it comes (Bruls et al. 2000).

    ``sizes`` are sorted and none is 0. The areas are to the whole of the room as the sizes to their sum.
    """
    scale = room.width * room.height / sum(sizes) if sizes else 0.0
    places: list[Place] = []
    at = 0
    while at < len(sizes):
        side, end, area = min(room.width, room.height), at + 1, sizes[at] * scale
        while end < len(sizes):
            wider = area + sizes[end] * scale
            if _worst(sizes[at] * scale, sizes[end] * scale, wider, side) > _worst(
                sizes[at] * scale, sizes[end - 1] * scale, area, side
            ):
                break
            area, end = wider, end + 1
        depth, along = area / side, 0.0
        for size in sizes[at:end]:
            length = size * scale / depth
            if room.width < room.height:  # a row along the top
                places.append(Place(room.x + along, room.y + room.height - depth, length, depth))
            else:  # a column along the left, from the top
                places.append(Place(room.x, room.y + room.height - along - length, depth, length))
            along += length
        if room.width < room.height:
            room = Place(room.x, room.y, room.width, room.height - depth)
        else:
            room = Place(room.x + depth, room.y, room.width - depth, room.height)
        at = end
    return places


def _worst(largest: float, smallest: float, area: float, side: float) -> float:
    """How far from a square the worst tile is, of those that fill so much area along a side."""
    return max(side**2 * largest / area**2, area**2 / (side**2 * smallest))


def laid(ledger: Ledger, room: Place) -> list[tuple[Tile, Place]]:
    """Every leaf with its place: the parts first, and within each its weights and their runs."""

    def within(key: str, place: Place) -> Iterator[tuple[Tile, Place]]:
        inside = sorted((tile for tile in every if tile.within == key and tile.parameters), key=lambda t: -t.parameters)
        if inside:
            for tile, own in zip(inside, squarified([t.parameters for t in inside], place), strict=True):
                deeper = list(within(tile.key, own))
                yield from deeper or [(tile, own)]

    every = all_tiles(ledger)
    return list(within("", room))
