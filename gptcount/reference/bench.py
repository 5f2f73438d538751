"""The bench, where what is stored and what is done meet: every weight of the inventory is made at pairwise different
sizes and the forward pass is run over them; each must find what it needs and leave nothing over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from gptcount.architecture import Architecture
from gptcount.errors import InputError, ShapeError, shown
from gptcount.ledger import breakdown, label
from gptcount.numbers import count
from gptcount.reference.functions import softmax
from gptcount.reference.model import forward, scored
from gptcount.reference.positions import unfilled, unturned
from gptcount.reference.small import Real, small
from gptcount.reference.weights import Step, of_text
from gptcount.reference.words import Array, Dimensions, text
from gptcount.showing import as_html, as_rich
from gptcount.weight import Inventory, Weight, slices

Sizes = tuple[int | str, ...]
"""The dimensions of an array; a word where only the data know (how many tokens an expert gets)."""


MOST_KINDS, MOST_NUMBERS = 128, 20_000_000
"""Kinds of layer of a model that the bench runs, and numbers in the weights of its likeness."""


class Shaped(NamedTuple):
    """An array of the walk: its dimensions in words, and at the model's real sizes."""

    words: str
    sizes: Sizes


class Done(NamedTuple):
    """One step of the walk."""

    where: str
    """The layers that do it, or nothing."""
    does: str
    """What it is called: as the ledger calls its weight, or ``scores``, ``pattern`` and such."""
    name: str
    """The weight that it takes, by its name in the inventory, or nothing."""
    takes: Shaped
    meets: Shaped
    """The weight, or other data."""
    gives: Shaped


class Confirmed(NamedTuple):
    """What a run of the small likeness has shown, in numbers."""

    layers: int
    """How many layers the likeness has."""
    arrays: int
    """How many arrays were made and drawn, no two sizes of different names equal."""
    matrices: int
    """How many matrices were drawn at the real sizes, as many as the ledger has."""
    parameters: int
    n_vocab: int
    """How many tokens were scored; 0 of a model without an unembedding."""
    temperature: float
    causal: bool = True
    """Whether no token was seen to look at a later one; else, that they do."""


@dataclass(frozen=True)
class Verification:
    """What the bench saw: the walk, what it confirms, and what disagrees (nothing, if all is well)."""

    model: str
    walk: tuple[Done, ...]
    confirmed: Confirmed | None
    failures: tuple[str, ...]

    _repr_html_ = as_html
    __rich__ = as_rich


class Shelf:
    """An array for every weight of an inventory, handed out by name, layer and copy; remembers what was drawn."""

    def __init__(self, inventory: Inventory, seed: int = 0) -> None:
        numbers = np.random.default_rng(seed)
        self.arrays: dict[tuple[str, int | None], Array] = {}
        self.drawn: set[tuple[str, int | None]] = set()
        for weight in inventory:
            array = self._array(weight, numbers)
            for place, layer in enumerate(_layers_of(weight)):
                if (weight.name, layer) in self.arrays:
                    raise ShapeError(f"{weight.name}: twice in the inventory")
                self.arrays[weight.name, layer] = array if layer is None else array[place]

    def _array(self, weight: Weight, numbers: np.random.Generator) -> Array:
        shape = [axis.n for axis in weight.per] + list(weight.sizes)
        if weight.tied_to:
            table = self.arrays.get((weight.tied_to, None))
            if table is None or list(table.T.shape) != shape:
                raise ShapeError(f"{weight.name}: tied to {weight.tied_to}, and not of its shape")
            return table.T
        # single numbers and gains near 1: small factors in every layer leave nothing of a token
        scale = np.float32(not weight.sizes or weight.role == "norm")
        return scale + numbers.standard_normal(shape, np.float32) / np.float32(4)

    def __call__(self, name: str, layer: int | None, copy: int | None) -> Array:
        """The array of a weight. Raises ShapeError where the inventory has none."""
        if (name, layer) not in self.arrays:
            raise ShapeError(f"{name}: the forward pass needs it and the inventory has none")
        self.drawn.add((name, layer))
        array = self.arrays[name, layer]
        return array if copy is None else array[copy]

    def surplus(self) -> list[str]:
        """The names of weights that nothing has drawn."""
        return sorted({name for name, layer in self.arrays.keys() - self.drawn})


def _layers_of(weight: Weight) -> Sequence[int | None]:
    """The layers that a weight is in; None alone where it stands beside them."""
    if not weight.per or weight.per[0].name != "n_layers":
        return (None,)
    return weight.per[0].where or range(weight.per[0].n)


def verify(architecture: Architecture, temperature: float = 1.0, inventory: Inventory | None = None) -> Verification:
    """Hold the forward pass against the inventory of ``architecture``.

    ``inventory`` takes the place of the small likeness's own, to show that a wrong one is caught. Nothing is raised
    where the two disagree: the failures say it, by weight and words. Raises InputError for a temperature that is not
    positive, and for layers of so many kinds or sizes that they cannot be run in little memory.
    """
    if not isinstance(architecture, Architecture):
        raise InputError(f"{shown(architecture)}: expected an Architecture, such as gptcount.load gives")
    if not isinstance(temperature, int | float) or not 0 < temperature < float("inf"):
        raise InputError(f"temperature {shown(temperature)}: expected a finite number above 0")
    if faults := tuple(unrunnable(architecture)):
        return Verification(architecture.name, (), None, faults)
    if (kinds := len(architecture.layers())) > MOST_KINDS:
        raise _too_much(architecture, f"{kinds} kinds of layer, and the bench runs at most {MOST_KINDS}")
    likeness, real = small(architecture)
    if (numbers := sum(weight.parameters for weight in likeness.inventory())) > MOST_NUMBERS:
        raise _too_much(architecture, f"so many sizes that a small likeness of it has {count(numbers)} numbers")
    try:
        return _run(architecture, likeness, real, likeness.inventory() if inventory is None else inventory, temperature)
    except KeyError as fault:
        failure = f"{shown(fault.args[0])}: the forward pass knows nothing of this name"
    except (ShapeError, LookupError) as fault:
        failure = str(fault)
    return Verification(architecture.name, (), None, (failure,))


def _too_much(architecture: Architecture, why: str) -> InputError:
    return InputError(f"{shown(architecture.name)}: {why}; --set variations=[] runs it with layers of one kind")


def unrunnable(architecture: Architecture) -> Iterator[str]:
    """What could not be done at the model's own sizes, whatever a likeness can do."""
    if (positions := architecture.embedding.positions) and (fault := unfilled(positions, architecture.d_model)):
        yield fault
    found = (
        (slot, unturned(rotary, width))
        for layer in architecture.layers()
        for slot, block in layer.slots()
        for rotary, width, _ in block.turned()
    )
    yield from dict.fromkeys(f"{slot}.{fault}" for slot, fault in found if fault)


def _run(
    architecture: Architecture, likeness: Architecture, real: Real, inventory: Inventory, temperature: float
) -> Verification:
    shelf, steps = Shelf(inventory), list[Step]()
    positions = likeness.embedding.positions
    n_ctx = likeness.n_ctx or 0
    if architecture.n_ctx:
        real = real | dict.fromkeys((("n_tokens", n_ctx), ("n_keys", n_ctx)), architecture.n_ctx)
    if positions and likeness.n_ctx and architecture.n_ctx:
        real = real | {
            ("n_positions", positions.n_positions or likeness.n_ctx): positions.n_positions or architecture.n_ctx
        }
    tokens = np.arange(n_ctx) % likeness.n_vocab
    w = of_text(likeness, shelf, len(tokens), steps.append)
    vectors = forward(likeness, tokens, w)
    scores = scored(likeness, vectors[-1], w)

    failures = [f"{name}: in the inventory, and nothing in the forward pass draws it" for name in shelf.surplus()]
    matrices, parameters = _drawn(architecture, likeness, real, steps, inventory)
    totals = breakdown(architecture).totals
    if not failures and (matrices, parameters) != (totals["matrices"], totals["matrix_parameters"]):
        failures.append(
            f"drawn: {count(matrices)} matrices of {count(parameters)} parameters, and the ledger has "
            f"{count(totals['matrices'])} of {count(totals['matrix_parameters'])}"
        )
    later = tokens.copy()
    later[-1] = (later[-1] + 1) % likeness.n_vocab
    changed = forward(likeness, later, of_text(likeness, shelf, len(tokens)))
    before = np.allclose(changed[:-1], vectors[:-1], atol=_rounding(likeness))
    causal = not any(getattr(layer.attention, "bidirectional", False) for layer in architecture.layers())
    other = forward(likeness, tokens, of_text(likeness, shelf, len(tokens), absorbed=True))
    if not np.allclose(other, vectors, atol=10 * _rounding(likeness)):
        failures.append("latent attention: what is absorbed does not come to what is unfolded")
    if (causal and not before) or np.allclose(changed[-1], vectors[-1], atol=1e-5):
        failures.append("mask: a token sees a later one, or nothing of itself")
    total = float(softmax(scores["tokens"], temperature).sum()) if "tokens" in scores else 1.0
    if not abs(total - 1) < 1e-5:
        failures.append(f"softmax: the probabilities sum to {total:.6f}")
    n_vocab = architecture.n_vocab if "tokens" in scores else 0
    counts = (likeness.n_layers, len(shelf.drawn), matrices, parameters)
    confirmed = Confirmed(*counts, n_vocab, temperature, before)
    walk = tuple(_walk(architecture, likeness, real, steps))
    return Verification(architecture.name, walk, None if failures else confirmed, tuple(failures))


def _rounding(likeness: Architecture) -> float:
    """How far two runs of the same tokens may differ; a gate that lets few numbers through makes rounding larger."""
    mlps = [layer.mlp for layer in likeness.layers()] + ([likeness.shortcut.mixture] if likeness.shortcut else [])
    return 1e-3 if any(map(_is_sparse, mlps)) else 1e-5


def _is_sparse(mlp: object) -> bool:
    inner = [part for name in ("expert", "shared") if (part := getattr(mlp, name, None))]
    return bool(getattr(mlp, "sparsity", None)) or any(map(_is_sparse, inner))


def _first_of_each(likeness: Architecture, steps: list[Step]) -> Iterator[tuple[int | None, Step]]:
    """Each different step once, with the kind of layer that does it; a weight's other copies are the same step."""
    kinds = {where[0]: kind for kind, where in enumerate(likeness.layers().values())}
    seen = set()
    for step in steps:
        key = (step.layer, step.does, step.takes)
        if (step.layer is None or step.layer in kinds) and key not in seen:
            seen.add(key)
            yield (None if step.layer is None else kinds[step.layer]), step


def _drawn(
    architecture: Architecture, likeness: Architecture, real: Real, steps: list[Step], inventory: Inventory
) -> tuple[int, int]:
    """How many matrices the forward pass drew, and of how many parameters, at the real sizes of the words it said."""
    layers = list(architecture.layers().values())
    matrix = {(weight.name, at) for weight in inventory if weight.role == "matrix" for at in _layers_of(weight)}
    at: dict[str, set[int]] = {}
    for weight in architecture.inventory():
        at.setdefault(weight.name, set()).update(weight.per[0].where if weight.per else ())
    matrices = parameters = 0
    for kind, step in _first_of_each(likeness, steps):
        if (step.weight, step.layer) in matrix:
            words = ((step.copies.name,), *step.weight_words) if step.copies else step.weight_words
            plain = [[word.rstrip("'") for word in dimension] for dimension in words]
            sizes = [prod(real[word, step.sizes[word]] for word in dimension) for dimension in plain]
            where = set() if kind is None else set(layers[kind])
            times = 1 if kind is None else len(where & at[step.weight] if at[step.weight] else where)
            matrices += times * prod(sizes[:-2])
            parameters += times * prod(sizes)
    return matrices, parameters


def _walk(architecture: Architecture, likeness: Architecture, real: Real, steps: list[Step]) -> Iterator[Done]:
    places = [_place(where, architecture.n_layers) for where in architecture.layers().values()]
    labels = {weight.name: label(weight) for weight in likeness.inventory()}
    for kind, step in _first_of_each(likeness, steps):
        if step.gives:
            where = "" if kind is None else places[kind]
            does = labels.get(step.weight) or step.does.partition(".")[2]
            takes, meets, gives = (
                Shaped(text(words), _sizes(words, step.sizes, real))
                for words in (step.takes, step.weight_words, step.gives)
            )
            yield Done(where, does, step.weight, takes, meets, gives)


def _sizes(words: Dimensions, small_sizes: Mapping[str, int], real: Real) -> Sizes:
    """The real size of each dimension; the words themselves where one of them has none."""
    sizes: list[int | str] = []
    for dimension in words:
        names = [word.rstrip("'") for word in dimension]
        found = [real.get((name, small_sizes.get(name, 0)), name) for name in names]
        numbers = [int(one) for one in found if isinstance(one, int) or one.isdecimal()]
        sizes.append(prod(numbers) if len(numbers) == len(found) else " × ".join(map(str, found)))
    return tuple(sizes)


def _place(where: tuple[int, ...], n_layers: int) -> str:
    if len(where) == n_layers:
        return f"each of {count(n_layers)} layers"
    return f"layers {slices(where)} ({count(len(where))} of {count(n_layers)})"
