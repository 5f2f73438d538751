"""What people and programs read: every total re-added from what is printed, every count whole at every width."""

import csv
import html
import json
import re
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gptcount import Architecture, breakdown, load
from gptcount.comparison import check, compare
from gptcount.explain import SENTENCES, explain, keyed
from gptcount.numbers import count, share, size
from gptcount.output import csv as csv_format
from gptcount.output import html as html_format
from gptcount.output import json as json_format
from gptcount.output import latex, markdown, plain, records, tables, terminal, text, verification
from gptcount.output.table import Table
from gptcount.reference.bench import Confirmed, Verification, verify
from gptcount.sources.presets import names

COUNT = re.compile(r"−?(?<![\d,.])\d{1,3}(?:,\d{3})*(?![\d,]|\.\d)")
WIDTHS = range(20, 201)
MODELS = ["gpt3", "gpt2", "llama-3-8b", "deepseek-v3"]


def number(words):
    return int(words.replace(",", "").replace("−", "-"))


def cells_of_markdown(rendered):
    for line in rendered.splitlines():
        if line.startswith("|"):
            yield [cell.strip().strip("*") for cell in line.strip("|").split("|")]


def cells_of_latex(rendered):
    for line in rendered.splitlines():
        if r"\\" in line:
            words = re.sub(r"\\textbf\{(.*?)\}(?= &|$| \\\\)", r"\1", line.split(r"\\")[0].strip()).replace("$-$", "−")
            yield [cell.strip() for cell in words.split("&")]


def cells_of_text(rendered):
    for line in rendered.splitlines():
        yield [cell for cell in re.split(r"\s{2,}", line.strip()) if cell]


def cells_of_html(rendered):
    for line in re.findall(r"<tr>(.*?)</tr>", rendered):
        yield [html.unescape(cell).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line)]


TEXTS = {
    "plain": (plain.render, cells_of_text),
    "terminal": (lambda parts: terminal.render(parts, 120, colour=False), cells_of_text),
    "markdown": (markdown.render, cells_of_markdown),
    "latex": (latex.render, cells_of_latex),
    "html": (html_format.render, cells_of_html),
}


def parameters_in(cells):
    """The count of a line of the tables of a breakdown: the cell before the share, or the last one."""
    counts = [cell for cell in cells if COUNT.fullmatch(cell)]
    return number(counts[-1]) if counts else None


@pytest.mark.parametrize("format", TEXTS)
@pytest.mark.parametrize("reading", ["heads", "value-up"])
@pytest.mark.parametrize("model", MODELS)
def test_every_printed_total_is_the_sum_of_the_printed_rows(model, reading, format):
    ledger = breakdown(load(model), reading)
    render, parse = TEXTS[format]
    lines = [(cells[0], cells) for cells in parse(render(tables.breakdown(ledger))) if cells]
    groups = {row.group for row in ledger.rows}

    rows = [cells for name, cells in lines if name in groups and parameters_in(cells)]
    assert len(rows) == len(ledger.rows)
    whole = next(cells for name, cells in lines if name == "all matrices")
    assert sum(map(parameters_in, rows)) == parameters_in(whole) == ledger.totals["matrix_parameters"]
    copies = [number(next(cell for cell in cells if COUNT.fullmatch(cell))) for cells in [*rows, whole]]
    assert sum(copies[:-1]) == copies[-1] == ledger.totals["matrices"]
    subtotals = {name: parameters_in(cells) for name, cells in lines if name.endswith(" in all")}
    assert subtotals == {f"{tables.name(part)} in all": ledger.part(part) for part in ("attention", "mlp")}

    running, seen = 0, []
    for name, cells in lines:
        if name.startswith(("weight matrices of the flow", "+ ", "− ", "$-$")) and parameters_in(cells) is not None:
            running += parameters_in(cells)
        elif name.startswith("= "):
            assert parameters_in(cells) == running
            seen.append(name.split(":")[0])
    assert seen == ["= parameters", "= stored"]


@pytest.mark.parametrize("model", MODELS)
def test_csv_rows_add_up_and_are_raw(model):
    ledger = breakdown(load(model))
    found = list(csv.DictReader(StringIO(csv_format.render(ledger.to_records()))))
    assert list(found[0]) == ["group", "weight", "shape", "sizes", "matrices", "parameters", "share", "formula"]
    assert sum(int(row["parameters"]) for row in found) == ledger.totals["matrix_parameters"]
    assert sum(int(row["matrices"]) for row in found) == ledger.totals["matrices"]


@pytest.mark.parametrize("reading", ["heads", "value-up"])
@pytest.mark.parametrize("model", MODELS)
def test_the_json_contract(model, reading):
    document = json.loads(json_format.render(records.breakdown(breakdown(load(model), reading))))
    assert document["schema"] == 1
    assert document["reading"] == reading
    totals = document["totals"]
    assert set(totals) == {"matrices", "matrix_parameters", "parameters", "stored", "active", "non_embedding"}
    assert all(type(total) is int for total in totals.values())
    assert sum(row["parameters"] for row in document["rows"]) == totals["matrix_parameters"]
    assert sum(row["matrices"] for row in document["rows"]) == totals["matrices"]
    for row in document["rows"]:
        words, numbers = row["formula"].split(" = ")
        assert len(words.split(" × ")) == len(numbers.split(" × "))
        assert eval(numbers.replace("×", "*")) == row["parameters"]
        assert row["share"] == row["parameters"] / totals["matrix_parameters"]
    running = 0
    for item in document["reconciliation"]:
        if item["total"] in ("parameters", "stored"):
            assert item["parameters"] == running == totals[item["total"]]
        else:
            running += item["parameters"]


def test_gpt3_to_the_last_matrix():
    document = json.loads(json_format.render(records.breakdown(breakdown(load("gpt3")))))
    assert document["totals"] == {
        "matrices": 27_938,
        "matrix_parameters": 175_181_291_520,
        "parameters": 174_604_259_328,
        "stored": 174_604_259_328,
        "active": 174_604_259_328,
        "non_embedding": 173_961_535_488,
    }
    assert [row["group"] for row in document["rows"]] == [
        *("embedding", "query", "key", "value-down", "output", "up-projection", "down-projection", "unembedding")
    ]
    assert breakdown(load("gpt3"), "value-up").totals["matrices"] == 37_058


def test_json_says_large_numbers_as_text_too():
    document = json.loads(json_format.render({"rows": [{"n": 2**53}, {"n": -(2**53) - 1}], "totals": {"n": 2**60}}))
    assert document["rows"] == [{"n": 2**53}, {"n": -(2**53) - 1, "n_text": str(-(2**53) - 1)}]
    assert document["totals"] == {"n": 2**60, "n_text": str(2**60)}


@given(st.text())
def test_json_says_any_name_in_any_encoding(name):
    for encoding in ("utf-8", "ascii", "cp1252"):
        rendered = json_format.render({"model": name}, encoding)
        assert json.loads(rendered) == {"model": name}
        assert rendered.encode(encoding)
        assert rendered.replace("\n", "").isprintable()


def whole_counts(ledger):
    totals = set(ledger.totals.values()) | {item.parameters for item in ledger.reconciliation if item.parameters}
    return {count(n) for n in totals | {row.parameters for row in ledger.rows} | {row.matrices for row in ledger.rows}}


@pytest.mark.parametrize("model", MODELS)
def test_every_count_is_whole_at_every_width(model):
    ledger = breakdown(load(model))
    wanted = whole_counts(ledger)
    for width in WIDTHS:
        file = StringIO()
        Console(file=file, width=width, force_terminal=False, color_system=None).print(ledger)
        shown = file.getvalue()
        ours = terminal.render(tables.breakdown(ledger), width, colour=width % 10 == 0)
        for drawn in (shown, re.sub(r"\x1b\[[\d;]*m", "", ours)):
            assert wanted <= set(COUNT.findall(drawn)), (width, wanted - set(COUNT.findall(drawn)))
            assert "…" not in drawn
            too_long = [line.strip() for line in drawn.splitlines() if len(line) > width]
            assert not any(" " in line or COUNT.fullmatch(line) for line in too_long), (width, too_long)


@pytest.mark.parametrize("models", [["gpt3", "gpt2"], ["gpt3", "gpt2", "deepseek-v3", "llama-3-8b", "mistral-7b"]])
def test_every_parameter_count_of_a_comparison_is_whole_at_every_width(models):
    accounts = compare([load(model) for model in models])
    wanted = {count(one.ledger.totals["parameters"]) for one in accounts}
    for width in WIDTHS:
        drawn = terminal.render(tables.comparison(accounts), width, colour=False)
        assert wanted <= set(COUNT.findall(drawn)), width


def test_the_parts_of_a_comparison_add_up_as_printed():
    accounts = compare([load(model) for model in names()])
    lines = list(cells_of_text(plain.render(tables.comparison(accounts))))
    by_name = {cells[0]: cells for cells in lines if cells}
    sizes = []
    for one in accounts:
        cells = by_name[one.ledger.model]
        *parts, total = map(number, cells[1 : 4 + len(tables.parts_of(accounts))])
        assert sum(parts) == total == one.ledger.totals["parameters"]
        sizes.append((one.ledger.totals["parameters"], [line[:1] for line in lines].index([one.ledger.model])))
    assert [place for _, place in sorted(sizes)] == sorted(place for _, place in sizes), "smallest first"


@pytest.mark.parametrize("models", [["gpt3", "llama-3-8b"], ["deepseek-v3", "gpt2", "mixtral-8x7b"]])
def test_every_column_side_by_side_adds_up_to_the_parameters(models):
    rendered = tables.comparison(compare([load(model) for model in models]))[0]
    assert isinstance(rendered, Table)
    end = next(place for place, row in enumerate(rendered.rows) if row.kind == "total")
    for column in range(1, 2 * len(models), 2):
        assert sum(row.cells[column] for row in rendered.rows[:end]) == rendered.rows[end].cells[column]
    assert "tied unembedding" in [row.cells[0] for row in rendered.rows]


def test_a_model_named_twice_shows_its_note_once():
    shown = plain.render(tables.comparison(compare([load("gpt3"), load("gpt3")])))
    assert shown.count("The table prints 175.0B") == 1


def test_active_is_said_only_where_it_differs():
    assert "active" not in plain.render(tables.comparison(compare([load("gpt3"), load("gpt2")])))
    assert "active" not in plain.render(tables.breakdown(breakdown(load("gpt3"))))
    assert "active" in plain.render(tables.comparison(compare([load("gpt3"), load("mixtral-8x7b")])))
    assert "active" in plain.render(tables.breakdown(breakdown(load("mixtral-8x7b"))))
    assert "buffers" not in plain.render(tables.breakdown(breakdown(load("gpt3"))))


def test_shares_outlive_what_is_published_in_a_narrow_place():
    accounts = compare([load(model) for model in names()])
    for width in (80, 100, 120):
        drawn = terminal.render(tables.comparison(accounts), width, colour=False)
        head = drawn.splitlines()[0].split()
        assert {"embedding", "attention", "MLP", "unembedding", "parameters"} <= set(head), (width, head)
        assert max(map(len, drawn.splitlines())) <= width
    assert "published" not in terminal.render(tables.comparison(accounts), 80, colour=False).splitlines()[0]


def test_a_comparison_says_what_its_reading_changes():
    shown = plain.render(tables.comparison(compare([load("gpt3"), load("gpt2")], "stored")))
    assert "Reading stored, which changes the matrices only" in shown
    assert records.comparison(compare([load("gpt3")], "stored"))["reading"] == "stored"


def test_the_plain_breakdown_of_gpt3_fits_80_columns():
    for reading in ("heads", "value-up"):
        rendered = plain.render(tables.breakdown(breakdown(load("gpt3"), reading), explained=True))
        assert max(map(len, rendered.splitlines())) <= 80
        assert rendered == re.sub(r" +$", "", rendered, flags=re.M)


def published(total, **more):
    architecture = load("gpt3")
    return check(
        breakdown(
            architecture.model_copy(
                update={"published": architecture.published.model_copy(update={"total": total, **more})}
            )
        )
    )


@pytest.mark.parametrize(
    ("total", "status"),
    [
        (174_604_259_328, "exact"),
        (174_604_259_327, "differs"),
        ("174.6B", "rounds"),
        ("175B", "rounds"),
        ("174,604M", "rounds"),
        ("0.17T", "rounds"),
        ("174.5B", "differs"),
        ("175.0B", "differs"),
        ("many", "unreadable"),
    ],
)
def test_published_totals(total, status):
    assert published(total).status == status


def test_a_difference_is_never_hidden():
    assert tables.status(published(174_604_259_327)) == "+0.000000001 %"
    assert tables.status(published("175.0B")) == "−0.2 %"
    assert tables.status(published("1.3B")).startswith("+13,331")


@given(st.integers(-(10**30), 10**30))
def test_a_count_reads_back(n):
    assert number(count(n)) == n
    assert COUNT.fullmatch(count(n))


@given(st.floats(0, 1), st.integers(1, 60))
def test_a_bar_is_to_scale(part, width):
    drawn = text.bar(part, width)
    eighths = sum(text.EIGHTHS.index(c) + 1 for c in drawn)
    assert abs(eighths - 8 * width * part) <= 1
    assert bool(drawn) == (part > 0)
    assert len(drawn) <= width


@given(st.lists(st.text("0123456789,", min_size=1, max_size=30), min_size=1), st.integers(1, 40))
def test_wrapping_never_divides_a_word(words, columns):
    assert " ".join(text.wrap(" ".join(words), columns)).split(" ") == words


def test_bytes_and_shares():
    assert size(350_362_583_040) == "350.4 GB (326.3 GiB)"
    assert size(1_342_052_838_400) == "1.34 TB (1.22 TiB)"
    assert size(9_999) == "10.0 kB (9.76 KiB)"
    assert size(999) == "999 bytes (999 bytes)"
    assert share(57_982_058_496 / 175_181_291_520) == "33.1 %"
    assert share(-0.0001) == "0.0 %"


HOSTILE = [
    "my[red]model",
    "weird[/x]",
    ":tiger:",
    "\x1b[31mred\x1b]0;t\x07",
    "a\u202eb",
    "<script>|&",
    "$x$_{}%\\",
    "[a]",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_and_do_nothing(name):
    ledger = breakdown(load("gpt2").model_copy(update={"name": name}))
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    parts = tables.breakdown(ledger)
    assert safe in plain.render(parts)
    assert safe in terminal.render(parts, 100, colour=False)
    coloured = re.sub(r"\x1b\[[\d;]*m", "", terminal.render(parts, 100, colour=True))
    assert safe in coloured
    assert coloured.replace("\n", "").isprintable()
    assert html.escape(safe) in ledger._repr_html_()
    assert "<script>" not in ledger._repr_html_()
    for render in (markdown.render, latex.render):
        assert render(parts).replace("\n", "").isprintable()
    assert json.loads(json_format.render(records.breakdown(ledger)))["model"] == name


def test_markdown_keeps_its_columns_whatever_a_cell_says():
    assert markdown.escaped("a|b_c_ *d* <e>") == r"a\|b_c\_ \*d\* \<e\>"


def test_a_name_never_becomes_a_formula_of_a_sheet():
    assert "'=1+1" in csv_format.render([{"model": "=1+1", "n": -1}])
    assert ",-1" in csv_format.render([{"model": "=1+1", "n": -1}])


@pytest.mark.parametrize("model", names())
def test_every_group_is_explained_with_the_models_own_numbers(model):
    ledger = breakdown(load(model))
    explanations = explain(ledger)
    assert {row.group for row in ledger.rows} <= {one.group for one in explanations}
    for one in explanations:
        assert re.search(r"\d", one.text), one
        assert "None" not in one.text
    everything = " ".join(one.text for one in explanations)
    assert ("50,000 merges" in everything) == (ledger.architecture.n_vocab == 50_257)


def test_the_explanation_of_gpt3_has_the_numbers_that_a_student_looks_for():
    everything = " ".join(one.text for one in explain(breakdown(load("gpt3"))))
    for said in (
        "256 bytes + 50,000 merges + 1",
        "−∞",
        "2,048² = 4,194,304",
        "150,994,944",
        "2 × 1,572,864",
        "48 times",
        "6,291,456",
        "temperature",
        "softmax",
        "tied",
    ):
        assert said in everything
    changed = " ".join(one.text for one in explain(breakdown(load("gpt3", ["n_ctx=4096", "n_vocab=1000"]))))
    assert "4,096² = 16,777,216" in changed
    assert "merges" not in changed


def test_pandas_takes_the_records_as_they_are():
    rows = breakdown(load("gpt3")).to_records()
    assert all(list(row) == list(rows[0]) for row in rows)


def test_the_walk_of_gpt3_fits_80_columns_and_says_real_sizes():
    shown = plain.render(verification.parts([verify(load("gpt3"))]))
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if "layers" in line and "likeness" not in line] == [
        "before the layers",
        "each of 96 layers",
        "after the layers",
    ]
    cells = {line[0]: line[1:] for line in cells_of_text(shown) if line}
    assert cells["query"] == ["2,048 × 12,288", "96 × 12,288 × 128", "96 × 2,048 × 128"]
    assert cells["scores"] == ["query · key", "96 × 2,048 × 2,048"], "data are no weight"
    assert cells["pattern"] == ["scores", "96 × 2,048 × 2,048"]
    assert {row.group for row in breakdown(load("gpt3")).rows} <= set(cells)
    assert lines[-1] == "GPT-3 175B: all shapes hold"
    assert "27,938 matrices and 175,181,291,520 parameters drawn, as the ledger has them" in shown
    assert text.said("✓ all", "ascii") == "ok all"


def test_the_walk_is_two_lines_a_step_at_80_columns():
    found = verify(load("deepseek-v3"))
    drawn = terminal.render(verification.parts([found]), 80, colour=False).splitlines()
    assert len(drawn) <= 2 * len(found.walk) + 24
    assert "layers 3:61 (58 of 61)" in drawn


def test_a_verification_that_fails_says_which():
    fails = Verification("mine", (), None, ("mlp.up: too wide",))
    assert plain.render(verification.parts([fails])).splitlines() == [
        "✗ mlp.up: too wide",
        "mine: the shapes do not hold",
    ]
    holds = Verification("other", (), Confirmed(2, 3, 4, 5, 6, 1.0), ())
    both = plain.render(verification.parts([holds, fails]))
    assert re.search(r"other +4 +5 +all shapes hold", both)
    assert re.search(r"mine +the shapes do not hold", both)
    assert "✗ mlp.up: too wide" in both


def test_the_json_of_a_verification():
    found = verify(load("gpt3"))
    document = json.loads(json_format.render(verification.document([found])))
    assert list(document) == ["schema", "model", "steps", "confirmed", "failures"]
    assert document["confirmed"]["parameters"] == 175_181_291_520
    assert document["failures"] == []
    assert document["steps"][2] == {
        "layers": "each of 96 layers",
        "does": "query",
        "weight": "attention.query",
        "takes": "n_tokens d_model",
        "takes_sizes": [2048, 12_288],
        "meets": "n_heads d_model d_head",
        "meets_sizes": [96, 12_288, 128],
        "gives": "n_heads n_tokens d_head",
        "gives_sizes": [96, 2048, 128],
    }
    models = verification.document([found, found])["models"]
    assert models[0]["holds"]
    assert models[0]["matrices"] == 27_938


BASE = {
    "name": "a model",
    "n_vocab": 1000,
    "n_ctx": 64,
    "n_layers": 6,
    "d_model": 32,
    "attention": {"kind": "multi-head", "n_heads": 4, "d_head": 8},
    "mlp": {"kind": "gated", "d_ff": 64},
    "norm": {"kind": "rms"},
    "unembedding": {"tied": False},
}
RMS: dict[str, object] = {"kind": "rms"}
INDEXER = {"n_index_heads": 2, "d_index_head": 4, "n_chosen": 8}
BLOCKS = INDEXER | {"n_chosen": 2, "n_block": 5, "norm": RMS}
LATENT = {"kind": "latent", "n_heads": 4, "d_query_latent": 16, "d_kv_latent": 12, "d_nope": 6, "d_rotary": 4} | {
    "d_value": 8,
    "norm": RMS,
}
COMPRESSOR = {"n_block": 4, "n_blocks": 2, "norm": RMS}
COMPRESSED = {"kind": "compressed", "n_heads": 4, "d_head": 8, "d_query_latent": 16, "n_output_groups": 2} | {
    "d_output_latent": 12,
    "norm": RMS,
    "rotary": {},
    "window": 16,
}
MIXTURE = {"kind": "mixture", "n_experts": 8, "n_experts_per_token": 2, "expert": {"kind": "plain", "d_ff": 16}}
GATED = {"kind": "gated", "d_ff": 24}
MIXERS = {
    "mamba2": {"kind": "mamba2", "n_heads": 6, "d_head": 8, "d_state": 5, "n_groups": 2, "norm": RMS},
    "delta": {"kind": "delta", "n_key_heads": 2, "n_value_heads": 6, "d_key": 4, "d_value": 5, "norm": RMS}
    | {"d_decay": 3, "d_gate": 7, "decay": "channel"},
    "mamba": {"kind": "mamba", "d_inner": 24, "d_state": 5, "d_time_step": 3},
    "short convolution": {"kind": "short-convolution", "n_taps": 3},
    "lightning": {"kind": "lightning", "n_heads": 6, "d_head": 8, "n_chunk": 5, "norm": RMS},
    "rg-lru": {"kind": "rg-lru", "n_blocks": 3, "d_block": 7},
    "mlstm": {"kind": "mlstm", "n_heads": 3, "d_head": 7, "d_value": 9, "gate_softcap": 15.0, "norm": RMS},
    "rwkv": {"kind": "rwkv", "d_value": 24},
}
VARIED = {name: {"attention": False, "mixer": mixer, "mlp": False} for name, mixer in MIXERS.items()} | {
    "a block that layers share": {
        "mlp": False,
        "shared": {"n_blocks": 2, "n_heads": 4, "n_kv_heads": 2, "d_head": 8, "norm": RMS}
        | {"mlp": {"kind": "gated", "d_ff": 24}, "d_adapter": 3, "attention_adapters": True},
        "variations": [{"layers": "1:", "uses_shared": True}],
    },
    "grouped, gated, windows": {
        "attention": {"kind": "multi-head", "n_heads": 4, "n_kv_heads": 2, "d_head": 8, "gate": True, "window": 16},
        "variations": [{"layers": "::3", "attention": {"kind": "multi-head", "n_heads": 2, "d_head": 16}}],
    },
    "gate of heads": {"attention": {"kind": "multi-head", "n_heads": 4, "d_head": 8, "gate": True, "gate_of": "heads"}},
    "relative positions, scored shared experts": {
        "attention": {"kind": "multi-head", "n_heads": 4, "d_head": 8, "n_taps": 3}
        | {"relative": {"d_relative": 5, "n_distances": 9}},
        "mlp": MIXTURE | {"expert": GATED, "shared": GATED, "n_shared": 3, "scores": "sigmoid", "learned_scale": True},
        "branch_convolution": {"n_taps": 3},
    },
    "convolutional": {
        "attention": {"kind": "convolutional", "n_heads": 4, "n_kv_heads": 2, "d_head": 8},
        "mlp": MIXTURE | {"expert": GATED, "router_hidden": {"d_router": 7, "norm": RMS}},
        "residual_scaling": True,
        "embedding": {"scaling": True},
    },
    "channel mixing": {"mlp": {"kind": "channel-mixing", "d_ff": 24}},
    "values": {"attention": {"kind": "multi-head", "n_heads": 4, "d_head": 8, "d_value": 6, "bidirectional": True}},
    "no values": {"attention": {"kind": "multi-head", "n_heads": 4, "d_head": 8, "value_is_key": True, "chunk": 9}},
    "narrow table": {"embedding": {"d_embedding": 16}, "residual": "parallel"},
    "latent": {"attention": LATENT},
    "latent, indexed": {"attention": LATENT | {"indexer": INDEXER | {"norm": RMS}}},
    "latent, gated": {"attention": LATENT | {"gate": "heads", "d_input_gate": 5}},
    "worth": {"attention": {"kind": "multi-head", "n_heads": 4, "n_kv_heads": 2, "d_head": 8, "worth": {"n_kept": 5}}},
    "blocks": {"attention": {"kind": "multi-head", "n_heads": 4, "d_head": 8, "indexer": BLOCKS}},
    "more tokens": {"embedding": {"n_more": 9}},
    "latent and not": {"variations": [{"layers": "0:2", "attention": LATENT}]},
    "compressed": {
        "attention": COMPRESSED | {"compressor": COMPRESSOR, "indexer": INDEXER | {"compressor": COMPRESSOR}}
    },
    "mixture": {"mlp": MIXTURE | {"shared": GATED, "shared_gate": True, "n_zero_experts": 2, "router_bias": True}},
    "mixture of narrow experts": {"mlp": MIXTURE | {"d_latent": 12, "latent_bias": True}},
    "mixture of what is let in": {"mlp": MIXTURE | {"d_input_gate": 5}},
    "mixture of gated": {"mlp": MIXTURE | {"expert": GATED, "shared": GATED}},
    "some experts": {
        "variations": [{"layers": "2:", "mlp": MIXTURE}, {"layers": "0", "mlp": {"kind": "gated", "d_ff": 9}}]
    },
    "attention mixture": {
        "attention": {
            "kind": "attention-mixture",
            "n_kv_heads": 2,
            "d_head": 8,
            "n_experts": 4,
            "n_experts_per_token": 2,
        }
    },
    "crossed": {
        "variations": [{"layers": "1::3", "attention": {"kind": "cross", "n_heads": 4, "n_kv_heads": 2, "d_head": 8}}],
        "embedding": {"n_embedded": 1008},
        "unembedding": False,
        "head": {"n_labels": 3},
    },
    "altup": {
        "residual": "sandwich",
        "streams": {"kind": "altup", "n_streams": 4, "norm": RMS},
        "laurel": {"d_rank": 5, "norm": RMS},
        "per_layer_embedding": {"d_per_layer": 7, "n_vocab_per_layer": 900, "norm": RMS},
    },
    "gated streams": {
        "streams": {"kind": "gated-streams", "n_streams": 4, "d_rank": 5, "norm": RMS},
        "norm": RMS,
        "final_norm": False,
        "attention": {
            "kind": "multi-head",
            "n_heads": 4,
            "d_head": 8,
            "pooled_indexer": {"n_index_heads": 3, "d_index_head": 6, "n_block": 4, "n_chosen": 2, "norm": RMS},
        },
    },
    "hyper-connections": {"streams": {"kind": "hyper-connections", "n_streams": 4}},
    "per layer": {"per_layer_embedding": {"d_per_layer": 7, "n_vocab_per_layer": 900, "norm": RMS}},
    "shortcut": {"shortcut": {"mixture": MIXTURE | {"expert": GATED, "n_zero_experts": 3}}},
}


def all_kinds():
    return [load(model) for model in names()] + [
        Architecture.model_validate(BASE | varied | {"name": name}) for name, varied in VARIED.items()
    ]


@pytest.mark.parametrize("reading", ["heads", "value-up"])
def test_every_matrix_of_every_kind_of_block_is_explained(reading):
    explained = set()
    for architecture in all_kinds():
        ledger = breakdown(architecture, reading)
        keys = {facts.row.weight: key for key, facts in keyed(ledger)}
        assert not {weight: key for weight, key in keys.items() if key not in SENTENCES}, architecture.name
        explained |= set(keys.values())
        for one in explain(ledger):
            assert re.search(r"\d", one.text), one
            assert not re.search(r"None|[{}]|\.\.|  ", one.text), one
            assert one.text.endswith("."), one
    assert set(SENTENCES) == explained, "no sentences without a matrix"


def test_where_layers_differ_in_size_explain_says_so():
    architecture = Architecture.model_validate(BASE | VARIED["grouped, gated, windows"])
    query = next(one for one in explain(breakdown(architecture)) if one.group == "query")
    assert "Layers differ" in query.text
    assert "2 of 32 × 16 in each of n_layers[0,3]" in query.text
    assert "Layers differ" not in " ".join(one.text for one in explain(breakdown(load("gpt3"))))


def test_gpt3_is_explained_as_a_student_would_check_it():
    up = next(one.text for one in explain(breakdown(load("gpt3"))) if one.group == "up-projection")
    assert "49,152 questions of the token's 12,288 numbers, each a column of weights" in up
