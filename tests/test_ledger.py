"""The ledger re-added: rows make totals, signed lines make the bridge, and more equal layers are no more work."""

import pytest
from hypothesis import given
from strategies import architectures, counted

from gptcount import Architecture, breakdown, load, weight
from gptcount.errors import InputError
from gptcount.ledger import Reading
from gptcount.output import records
from gptcount.quoted import quoted
from gptcount.sources import presets

READINGS: tuple[Reading, ...] = ("heads", "value-up")
READ = pytest.mark.parametrize("reading", READINGS)


def bridge(ledger):
    """Hold every total of the reconciliation against the sum of the signed lines above it."""
    running = 0
    for place, item in enumerate(ledger.reconciliation):
        if item.total and place:
            assert item.parameters == running, item.label
        else:
            running += item.parameters
        assert not item.total or ledger.totals[item.total] == item.parameters, item.label
    assert [item.total for item in ledger.reconciliation if item.total] == ["matrix_parameters", "parameters", "stored"]


def re_add(ledger):
    """Hold every total and every row against what they are made of."""
    rows, totals = ledger.rows, ledger.totals
    assert sum(row.matrices for row in rows) == totals["matrices"]
    assert sum(row.parameters for row in rows) == totals["matrix_parameters"]
    assert sum(ledger.part(part) for part in {row.part for row in rows}) == totals["matrix_parameters"]
    parts = {row.part for row in rows}
    assert parts >= {"embedding", "unembedding"}
    assert parts & {"attention", "mixer"}
    for row in rows:
        one = counted_product(row.sizes)
        assert row.matrices * one == row.parameters, row.weight
        assert counted_product(number for _, number in row.factors) == row.parameters, row.weight
        assert row.formula.startswith(" × ".join(label for label, _ in row.factors))
        assert 0 < row.active <= row.parameters
    bridge(ledger)
    assert 0 < totals["active"] <= totals["parameters"] <= totals["stored"]
    assert 0 <= totals["non_embedding"] < totals["parameters"]
    assert totals["parameters"] - totals["active"] >= sum(row.parameters - row.active for row in rows)
    assert abs(sum(record["share"] for record in ledger.to_records()) - 1) < 1e-9


def counted_product(numbers):
    product = 1
    for number in numbers:
        product *= number
    return product


@READ
@pytest.mark.parametrize("name", presets.names())
def test_the_totals_of_every_preset_are_the_sums_of_its_rows(name, reading):
    re_add(breakdown(load(name), reading))


@given(architectures)
def test_the_totals_of_any_model_are_the_sums_of_its_rows_in_every_reading(architecture):
    heads, value_up = (breakdown(architecture, reading) for reading in READINGS)
    re_add(heads)
    re_add(value_up)
    assert {**heads.totals, "matrices": 0} == {**value_up.totals, "matrices": 0}
    assert heads.reconciliation == value_up.reconciliation


@given(architectures)
def test_any_model_has_the_parameters_that_are_counted_layer_by_layer_without_an_inventory(architecture):
    totals = breakdown(architecture).totals
    expected = counted(architecture)
    assert {key: totals[key] for key in expected} == expected


@given(architectures)
def test_value_up_makes_a_matrix_for_every_head_of_every_layer(architecture):
    extra = 0
    for index in range(architecture.n_layers):
        attention = architecture.attention
        for variation in architecture.variations:
            if index in variation.of(architecture.n_layers):
                attention = variation.attention or attention
        extra += attention.n_heads - 1
    heads, value_up = (breakdown(architecture, reading).totals["matrices"] for reading in READINGS)
    assert value_up - heads == extra


def test_a_reading_that_there_is_not_is_refused():
    with pytest.raises(InputError, match=r"heads.*value-up"):
        breakdown(load("gpt3"), "backwards")  # type: ignore[arg-type]


def test_records_are_the_rows():
    ledger = breakdown(load("gpt3"))
    record = ledger.to_records()[1]
    assert record.pop("formula").startswith("n_layers × n_heads × d_model × d_head")
    assert record == {
        "group": "query",
        "weight": "attention.query",
        "shape": "d_model d_head",
        "sizes": [12_288, 128],
        "matrices": 9_216,
        "parameters": 14_495_514_624,
        "share": 14_495_514_624 / 175_181_291_520,
    }


def work(monkeypatch, architecture):
    """How many weights are made to read a model's ledger."""
    made = 0
    make = weight.Weight.__new__

    def counting(cls, *args, **kwargs):
        nonlocal made
        made += 1
        return make(cls, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(weight.Weight, "__new__", counting)
        ledger = breakdown(architecture)
    return made, len(ledger.rows), len(ledger.reconciliation)


@pytest.mark.parametrize("name", ["gpt3", "llama-3.1-405b", "mixtral-8x7b", "deepseek-v3"])
def test_more_layers_of_the_same_kinds_are_no_more_work(monkeypatch, name):
    few, many, very_many = (work(monkeypatch, load(name, [f"n_layers={n}"])) for n in (16, 126, 9_999))
    assert few[0] > few[1] > 0
    assert few == many == very_many


def test_alternating_layers_are_as_much_work_as_two_kinds_of_layer(monkeypatch):
    def alternating(n_layers: int) -> Architecture:
        return load(
            "mistral-7b", [f"n_layers={n_layers}", 'variations=[{layers = "::2", mlp = {kind = "gated", d_ff = 7}}]']
        )

    assert work(monkeypatch, alternating(16)) == work(monkeypatch, alternating(126))


@pytest.mark.parametrize("name", presets.names())
def test_the_rows_of_a_stored_reading_add_up(name):
    document = records.breakdown(breakdown(load(name), "stored"))
    assert sum(row["parameters"] for row in document["rows"]) == document["totals"]["stored"]


def test_numbers_kept_one_by_one_are_among_the_rows():
    rows = breakdown(load("apertus-8b"), "stored").to_records()
    assert any(row["parameters"] == row["copies"] for row in rows)


QUOTED = {
    "gpt2": (85_056_000, 84_934_656),
    "gpt2-xl": (1_475_561_600, 1_474_560_000),
    "mistral-7b": (7_110_660_096, 7_784_628_224),
    "mixtral-8x7b": (46_571_720_704, 47_245_688_832),
    "deepseek-v3": (670_099_725_312, None),
}
"""Of transformers 5.24, num_parameters(exclude_embeddings=True) of a model on the meta device; of TransformerLens,
its formula by hand: layers * (4 * d_model * d_head * n_heads + MLP), a mixture being (3 * d_model * d_ff + d_model)
for each expert."""


@pytest.mark.parametrize("name", QUOTED)
def test_totals_of_other_programs(name):
    assert tuple(one.parameters for one in quoted(load(name))) == QUOTED[name]
