"""Shapes cannot lie: the bench confirms every preset, and catches every mutant of every line of its inventory."""

from collections.abc import Iterator
from importlib import import_module

import numpy as np
import pytest

from gptcount import Architecture, load
from gptcount.blocks.reach import Reach
from gptcount.errors import InputError
from gptcount.layer import SLOTS
from gptcount.reference import latent_attention
from gptcount.reference.attention import mask
from gptcount.reference.bench import verify
from gptcount.reference.small import small
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array
from gptcount.sources import presets
from gptcount.weight import Axis, Inventory, Weight


@pytest.mark.parametrize("name", presets.names())
def test_bench_confirms(name: str):
    seen = verify(load(name))
    assert seen.failures == ()
    assert seen.confirmed


def test_gpt3_draws_what_the_notes_say():
    confirmed = verify(load("gpt3")).confirmed
    assert confirmed
    assert (confirmed.matrices, confirmed.parameters) == (27_938, 175_181_291_520)
    assert (confirmed.layers, confirmed.arrays, confirmed.n_vocab, confirmed.temperature) == (2, 37, 50_257, 1.0)


def test_walk_is_at_real_sizes():
    walk = {step.does: step for step in verify(load("gpt3")).walk}
    assert walk["pattern"].gives.sizes == (96, 2048, 2048)
    assert walk["unembedding"].gives.sizes == (50257,)
    query = walk["query"]
    assert (query.where, query.name) == ("each of 96 layers", "attention.query")
    assert (query.takes.sizes, query.meets.sizes) == ((2048, 12_288), (96, 12_288, 128))
    assert walk["output"].meets == ("n_heads*d_head d_model", (12_288, 12_288))


CHOICES = {"n_groups", "n_groups_per_token", "offset", "n_other_streams", "n_blocks"}
"""Numbers that follow from others, and so cannot be chosen apart."""


def test_sizes_of_the_likeness_are_pairwise_different():
    for name in presets.names():
        likeness, real = small(load(name))
        sizes = [size for word, size in real if word not in CHOICES]
        assert len(set(sizes)) == len(sizes), name
        for weight in likeness.inventory():
            found = {axis.name.rstrip("'"): axis.n for axis in weight.axes if not axis.where}
            assert len(set(found.values())) == len(found), f"{name}: {weight.name}"


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_temperature_must_be_positive(temperature: float):
    with pytest.raises(InputError, match="temperature"):
        verify(load("gpt2"), temperature)


def mutants(weight: Weight, axes: list[Axis]) -> Iterator[tuple[str, list[Weight]]]:
    """Every wrong way to write one line of an inventory that is a different line."""
    yield "drop", []
    yield "double", [weight, weight]
    if weight.sizes != weight.sizes[::-1]:
        yield "transpose", [weight._replace(shape=weight.shape[::-1])]
    for place, axis in enumerate(weight.per):
        yield f"take {axis.name} from per", [weight._replace(per=weight.per[:place] + weight.per[place + 1 :])]
    one = next(axis for axis in axes if axis not in weight.per)
    yield f"add {one.name} to per", [weight._replace(per=(*weight.per, one))]
    for place, dimension in enumerate(weight.shape):
        for at, axis in enumerate(dimension):
            other = next(new for new in axes if new.n != axis.n)
            renamed = (*dimension[:at], other, *dimension[at + 1 :])
            shape = (*weight.shape[:place], renamed, *weight.shape[place + 1 :])
            yield f"rename {axis.name} to {other.name}", [weight._replace(shape=shape)]
        shape = weight.shape[:place] + weight.shape[place + 1 :]
        yield "take an axis from shape", [weight._replace(shape=shape)]


def structure(value: object) -> object:
    """A block without its sizes: what the inventory is written from."""
    if isinstance(value, dict):
        return tuple((key, structure(inner)) for key, inner in value.items())
    return (
        "size" if type(value) in (int, float) else tuple(map(structure, value)) if isinstance(value, tuple) else value
    )


def around(likeness: Architecture, weight: Weight) -> object:
    """The structure of the blocks that a weight stands in."""
    part = weight.name.partition(".")[0]
    if part in SLOTS:
        blocks = [block for layer in likeness.layers() for slot, block in layer.slots() if slot == part]
        return structure(tuple({str(structure(block.model_dump())) for block in blocks}))
    return structure(likeness.model_dump(include=set(Architecture.model_fields) - APART))


APART = {"name", "notes", "published", "checkpoint", "n_layers", *SLOTS, "variations", "residual_scale"}


def test_every_mutant_of_every_inventory_is_caught(capsys: pytest.CaptureFixture[str]):
    """Lines alike in blocks alike are mutated once, and counted for each preset that has them."""
    told: dict[object, int] = {}
    total = 0
    for name in presets.names():
        architecture = load(name)
        likeness, _ = small(architecture)
        inventory = likeness.inventory()
        axes = list({axis.name: axis for weight in inventory for axis in weight.axes if not axis.where}.values())
        for place, weight in enumerate(inventory):
            words = [[axis.label for axis in dimension] for dimension in (*weight.shape, weight.per)]
            line = (around(likeness, weight), weight.name, str(words))
            if line not in told:
                told[line] = 0
                for kind, instead in mutants(weight, axes):
                    mutant = Inventory([*inventory[:place], *instead, *inventory[place + 1 :]])
                    assert verify(architecture, inventory=mutant).failures, f"{name}: {weight.name}: {kind}: not caught"
                    told[line] += 1
            total += told[line]
    with capsys.disabled():
        print(f"\n{total} mutants of {len(presets.names())} presets' inventories, every one caught")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("attention", "gpt2"),
        ("attention", "gemma-3-4b"),
        ("latent_attention", "deepseek-v3"),
        ("compressed_attention", "deepseek-v4-flash"),
        ("attention_mixture", "jetmoe-8b"),
    ],
)
def test_a_look_at_the_next_token_is_caught(kind: str, name: str, monkeypatch: pytest.MonkeyPatch):
    module = import_module(f"gptcount.reference.{kind}")

    def ahead(w: Weights) -> Array:
        """The mask of tokens that stand one later than they do."""
        return np.where(w.reach.sees(w.here[:, None] + 1, w.there), np.float32(0), np.float32(-np.inf))

    monkeypatch.setattr(module, "mask", ahead)
    assert any(failure.startswith("mask: ") for failure in verify(load(name)).failures)


@pytest.mark.parametrize("leak", [-4.0, -8.0])
@pytest.mark.parametrize("name", ["gpt3", "llama-3-8b"])
def test_a_mask_that_lets_a_little_through_is_caught(leak: float, name: str, monkeypatch: pytest.MonkeyPatch):
    module = import_module("gptcount.reference.attention")
    monkeypatch.setattr(module, "mask", lambda *given: np.maximum(mask(*given), np.float32(leak)))
    assert any(failure.startswith("mask: ") for failure in verify(load(name)).failures)


def test_a_token_that_is_not_seen_is_caught(monkeypatch: pytest.MonkeyPatch):
    module = import_module("gptcount.reference.model")
    embed = module.embed
    monkeypatch.setattr(module, "embed", lambda model, tokens, w: embed(model, np.zeros_like(tokens), w))
    assert any("nothing of itself" in failure for failure in verify(load("gpt3")).failures)


REACHES = [
    Reach(window, chunk, both) for window in (None, 1, 3, 7) for chunk in (None, 1, 4, 5) for both in (False, True)
]


@pytest.mark.parametrize("reach", REACHES, ids=str)
@pytest.mark.parametrize(("n_tokens", "before"), [(1, 0), (2, 0), (9, 0), (16, 0), (1, 11), (4, 13)])
def test_pairs_are_the_zeros_of_the_mask(reach: Reach, n_tokens: int, before: int):
    here, there = np.arange(before, before + n_tokens)[:, None], np.arange(before + n_tokens)
    if not (reach.bidirectional and before):  # what stands before would look at what comes, and was done without it
        assert reach.pairs(n_tokens, before) == np.sum(reach.sees(here, there))
    after = before + n_tokens
    kept = there[there >= after - reach.kept(after)]
    assert set(there[reach.sees(after, there)]) == set(kept)


def test_another_order_of_latent_attention_that_says_something_else_is_caught(monkeypatch):
    plain = latent_attention.absorbed

    def without_values(query, latent, pattern, w):
        return plain(query, latent + np.float32(1), pattern, w)

    monkeypatch.setattr(latent_attention, "absorbed", without_values)
    assert any("absorbed" in failure for failure in verify(load("deepseek-v3")).failures)
