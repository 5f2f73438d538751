"""Shapes cannot lie: the bench confirms every preset, and catches every mutant of every line of its inventory."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gptcount import load
from gptcount.errors import InputError
from gptcount.reference.bench import verify
from gptcount.reference.small import small
from gptcount.sources import presets
from gptcount.weight import Axis, Inventory, Weight


@pytest.mark.parametrize("name", presets.names())
def test_bench_confirms(name: str):
    seen = verify(load(name))
    assert seen.failures == ()
    assert len(seen.confirmed) == 4


def test_gpt3_draws_what_the_notes_say():
    confirmed = "\n".join(verify(load("gpt3")).confirmed)
    assert "27,938 matrices and 175,181,291,520 parameters drawn" in confirmed


def test_walk_is_at_real_sizes():
    walk = {step.does: step for step in verify(load("gpt3")).walk}
    assert walk["attention.pattern"].sizes == (96, 2048, 2048)
    assert walk["unembedding.token"].sizes == (50257,)


def test_sizes_of_the_likeness_are_pairwise_different():
    for name in presets.names():
        _, real = small(load(name))
        sizes = [size for word, size in real]
        assert len(set(sizes)) == len(sizes)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_temperature_must_be_positive(temperature: float):
    with pytest.raises(InputError, match="temperature"):
        verify(load("gpt2"), temperature)


def mutants(weight: Weight, axes: list[Axis]) -> Iterator[tuple[str, list[Weight]]]:
    """Every wrong way to write one line of an inventory that is a different line."""
    yield "drop", []
    yield "double", [weight, weight]
    if weight.shape != weight.shape[::-1]:
        yield "transpose", [replace(weight, shape=weight.shape[::-1])]
    for place, axis in enumerate(weight.per):
        yield f"take {axis.name} from per", [replace(weight, per=weight.per[:place] + weight.per[place + 1 :])]
    for axis in axes:
        yield f"add {axis.name} to per", [replace(weight, per=(*weight.per, axis))]
    for place, dimension in enumerate(weight.shape):
        for at, axis in enumerate(dimension):
            other = next(new for new in axes if new.n != axis.n)
            renamed = (*dimension[:at], other, *dimension[at + 1 :])
            shape = (*weight.shape[:place], renamed, *weight.shape[place + 1 :])
            yield f"rename {axis.name} to {other.name}", [replace(weight, shape=shape)]
        shape = weight.shape[:place] + weight.shape[place + 1 :]
        yield "take an axis from shape", [replace(weight, shape=shape)]


def test_every_mutant_of_every_inventory_is_caught(capsys: pytest.CaptureFixture[str]):
    told: dict[object, list[str]] = {}
    total = 0
    for name in presets.names():
        architecture = load(name)
        likeness, _ = small(architecture)
        inventory = likeness.inventory()
        key = (inventory, likeness.residual)
        if key not in told:
            axes = list({axis.name: axis for weight in inventory for axis in weight.axes if not axis.where}.values())
            told[key] = []
            for place, weight in enumerate(inventory):
                for kind, instead in mutants(weight, axes):
                    mutant = Inventory([*inventory[:place], *instead, *inventory[place + 1 :]])
                    failures = verify(architecture, inventory=mutant).failures
                    assert failures, f"{name}: {weight.name}: {kind}: not caught"
                    told[key].append(kind)
        total += len(told[key])
    with capsys.disabled():
        print(f"\n{total} mutants of {len(presets.names())} presets' inventories, every one caught")
