"""Every preset against its published total and against outside evidence (tests/authorities/, each with its origin)."""

import csv
import json
import re
from decimal import Decimal
from functools import reduce
from itertools import combinations
from pathlib import Path

import pytest

from gptcount import breakdown, load
from gptcount.sources import presets

AUTHORITIES = Path(__file__).parent / "authorities"
COUNTS = json.loads((AUTHORITIES / "counts.json").read_text())
CONFIGURATIONS = json.loads((AUTHORITIES / "configurations.json").read_text())
TABLE = list(csv.DictReader((AUTHORITIES / "gpt3-table-2.1.csv").read_text().splitlines()))
NAMES = presets.names()

UNITS = {"M": 10**6, "B": 10**9, "T": 10**12}
CONTRADICTIONS = {"gpt3-xl": ["attention.n_heads=16"], "gpt3-13b": ["d_model=5120", "mlp.d_ff=20480"]}
"""Presets whose source contradicts itself, and what would have to be changed for the other reading."""


def rounds_to(count, printed):
    """Whether a count, rounded to as many decimals as are printed, is what is printed (``175.0B``)."""
    number, unit = Decimal(printed[:-1]), UNITS[printed[-1]]
    return (Decimal(count) / unit).quantize(number) == number


def exact(total):
    """An exact published total as an integer, or None for one that is printed rounded."""
    return total if isinstance(total, int) else int(total.replace(",", "")) if total[-1].isdigit() else None


def counts_in(text):
    """The exact counts that a text quotes."""
    quoted = [int(count.replace(",", "")) for count in re.findall(r"\d{1,3}(?:,\d{3})+", text)]
    products = re.findall(r"(\d[\d,]*)(?: \w+)? x (\d[\d,]*)", text)
    return quoted + [int(one.replace(",", "")) * int(other.replace(",", "")) for one, other in products]


def test_that_every_model_of_the_first_release_is_there():
    assert set(NAMES) >= {
        *("gpt1", "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"),
        *("gpt3-small", "gpt3-medium", "gpt3-large", "gpt3-xl", "gpt3-2.7b", "gpt3-6.7b", "gpt3-13b", "gpt3"),
        *("llama-2-7b", "llama-3-8b", "llama-3-70b", "llama-3.1-405b", "mistral-7b", "mixtral-8x7b", "deepseek-v3"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_published_total_holds_or_the_note_says_why_not(name):
    architecture = load(name)
    published = architecture.published
    assert published, f"{name}: no published total"
    assert published.source
    count = breakdown(architecture).totals[published.of]
    total = exact(published.total)
    if total is not None:
        quoted = counts_in(published.note)
        sums = {sum(chosen) for n in range(len(quoted) + 1) for chosen in combinations(quoted, n)}
        assert abs(total - count) in sums, f"{name}: {total - count:+,} and the note does not come to it"
    elif not rounds_to(count, published.total):
        assert published.note, f"{name}: {count} is not {published.total}, and no note says why"
        unit, number = UNITS[published.total[-1]], Decimal(published.total[:-1])
        within = abs(count - number * unit) <= Decimal("0.1") * number * unit
        other_reading = name in CONTRADICTIONS and any(rounds_to(c, published.total) for c in counts_in(published.note))
        cut = count // unit == number  # a nominal size is often the count cut, not rounded
        assert within or cut or other_reading


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_the_note_of_a_contradiction_tells_what_both_readings_come_to(name):
    printed = load(name)
    assert "contradicts itself" in printed.published.note
    readings = [printed, load(name, CONTRADICTIONS[name])]
    assert [breakdown(reading).totals["parameters"] for reading in readings] == counts_in(printed.published.note)
    assert printed.attention.n_heads * printed.attention.d_head != printed.d_model
    assert readings[1].attention.n_heads * readings[1].attention.d_head == readings[1].d_model


@pytest.mark.parametrize("line", COUNTS, ids=lambda line: " ".join([line["name"], *line["settings"]]))
def test_against_counts_from_outside(line):
    totals = breakdown(load(line["name"], line["settings"])).totals
    counted = {key: line[key] for key in ("parameters", "stored", "active") if key in line}
    assert {key: totals[key] for key in counted} == counted, line["origin"]


def test_that_outside_counts_cover_all_presets_but_those_that_no_one_else_counted():
    assert set(NAMES) - {line["name"] for line in COUNTS} <= {"gpt3-large", "gpt3-2.7b"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["preset"])
def test_the_table_of_the_gpt3_paper_is_taken_as_printed(row):
    architecture = load(row["preset"])
    assert {
        "n_params": architecture.published.total,
        "n_layers": str(architecture.n_layers),
        "d_model": str(architecture.d_model),
        "n_heads": str(architecture.attention.n_heads),
        "d_head": str(architecture.attention.d_head),
    } == {key: value for key, value in row.items() if key != "preset"}
    assert architecture.mlp.d_ff == 4 * architecture.d_model
    assert (architecture.n_ctx, architecture.n_vocab) == (2048, 50257)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_only_the_forward_pass_needs_is_as_published(name):
    architecture = load(name)
    for key, value in CONFIGURATIONS[name].items():
        assert reduce(getattr, key.split("."), architecture) == value, key


@pytest.mark.parametrize("name", NAMES)
def test_the_style_of_the_file(name):
    text = (presets.folder() / f"{name}.toml").read_text(encoding="utf-8")
    assert text.startswith("# "), "the first line says whose model it is and where it is described"
    values = re.sub(r'"[^"\n]*"|#.*', "", text)
    assert not re.findall(r"(?<![\w.])\d{5,}(?![\d.])", values), "numbers of five digits and more have underscores"
    assert all(
        len(line) <= 120
        or line.startswith(("note = ", "source = ", "notes = ", "short_factors = ", "long_factors = ", "# "))
        for line in text.splitlines()
    )
    assert re.fullmatch(r"[a-z0-9._-]+", name)


GPT3_ROWS = [
    ("embedding", 1, 617_558_016),
    ("query", 9_216, 14_495_514_624),
    ("key", 9_216, 14_495_514_624),
    ("value-down", 9_216, 14_495_514_624),
    ("output", 96, 14_495_514_624),
    ("up-projection", 96, 57_982_058_496),
    ("down-projection", 96, 57_982_058_496),
    ("unembedding", 1, 617_558_016),
]


def test_gpt3_row_by_row():
    ledger = breakdown(load("gpt3"))
    assert [(row.group, row.matrices, row.parameters) for row in ledger.rows] == GPT3_ROWS
    assert ledger.totals["matrices"] == 27_938
    assert ledger.totals["matrix_parameters"] == 175_181_291_520


def test_gpt3_with_every_value_up_a_matrix_of_its_own():
    ledger = breakdown(load("gpt3"), "value-up")
    rows = [("value-up", 9_216, count) if group == "output" else (group, n, count) for group, n, count in GPT3_ROWS]
    assert [(row.group, row.matrices, row.parameters) for row in ledger.rows] == rows
    assert ledger.totals == {**breakdown(load("gpt3")).totals, "matrices": 37_058}
    assert next(row.sizes for row in ledger.rows if row.group == "value-up") == (128, 12_288)


def test_gpt3_part_by_part():
    ledger = breakdown(load("gpt3"))
    parts = {part: ledger.part(part) for part in ("embedding", "attention", "mlp", "unembedding")}
    assert parts == {
        "embedding": 617_558_016,
        "attention": 57_982_058_496,
        "mlp": 115_964_116_992,
        "unembedding": 617_558_016,
    }
    assert f"{ledger.share(parts['attention']):.1%} {ledger.share(parts['mlp']):.1%}" == "33.1% 66.2%"


def test_gpt3_from_the_matrices_to_what_a_checkpoint_stores():
    assert [(item.parameters, item.total) for item in breakdown(load("gpt3")).reconciliation] == [
        (175_181_291_520, "matrix_parameters"),
        (10_616_832, ""),  # biases
        (4_743_168, ""),  # norm gains and biases
        (25_165_824, ""),  # learned positions
        (-617_558_016, ""),  # unembedding, stored once with the embedding
        (174_604_259_328, "parameters"),
        (0, ""),  # buffers
        (174_604_259_328, "stored"),
    ]
    labels = [item.label.split()[0].strip(",:") for item in breakdown(load("gpt3")).reconciliation]
    assert labels == ["weight", "biases", "norm", "learned", "unembedding", "parameters", "buffers", "stored"]


def test_gpt3_non_embedding_leaves_out_both_tables():
    totals = breakdown(load("gpt3")).totals
    assert totals["non_embedding"] == 174_604_259_328 - 617_558_016 - 25_165_824
