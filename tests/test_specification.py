"""A specification reads back to itself, and whatever is wrong with one is said in clear lines, never otherwise."""

import copy
import os
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import architectures, bare_keys, junk, specifications, texts

from gptcount import Architecture, GptCountError, breakdown, compare, load
from gptcount.sources import presets
from gptcount.sources.loading import load_all
from gptcount.sources.specification import parse, toml, validate

GOOD = (presets.folder() / "gpt3.toml").read_text(encoding="utf-8")


def complaint(act, *args):
    """What is said about a bad input: lines that a terminal shows as they are; any other exception fails the test."""
    with pytest.raises(GptCountError) as caught:
        act(*args)
    text = str(caught.value)
    assert text.strip()
    for line in text.split("\n"):
        assert line.strip(), "an empty line among the faults"
        assert line.isprintable(), f"not printable: {line!r}"
        assert len(line) < 600, "a line that no one reads"
        assert "pydantic" not in line
    return text


def altered(old, new):
    """The specification of GPT-3 with one thing altered, as TOML text."""
    assert GOOD.count(old) >= 1, f"{old!r} is not in the preset"
    return GOOD.replace(old, new, 1)


def said_of(old, new):
    return complaint(parse, altered(old, new), "my.toml")


# what reads back


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_reads_back_to_itself(name):
    architecture = load(name)
    assert parse(toml(architecture), "again") == architecture


@given(architectures)
def test_any_specification_reads_back_to_itself(architecture):
    text = toml(architecture)
    again = parse(text, "again")
    assert again == architecture
    assert toml(again) == text
    assert breakdown(again) == breakdown(architecture)


@given(st.text())
def test_any_name_reads_back_and_is_printable_in_the_file(name):
    architecture = load("gpt1").model_copy(update={"name": name})
    text = toml(architecture)
    assert parse(text, "again").name == name
    assert all(character.isprintable() for character in text.replace("\n", ""))


def test_a_file_is_read_by_str_and_by_path_and_a_path_is_never_a_preset(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(GOOD, encoding="utf-8")
    assert load(file) == load(str(file)) == load("gpt3")
    assert "gpt3" in complaint(load, Path("gpt3"))


def test_a_preset_goes_before_a_file_of_the_same_name(tmp_path, monkeypatch):
    (tmp_path / "gpt3").write_text("not TOML = =")
    monkeypatch.chdir(tmp_path)
    assert load("gpt3").name == "GPT-3 175B"
    assert "TOML" in complaint(load, "./gpt3")


def test_windows_files_with_a_byte_order_mark_are_read(tmp_path):
    file = tmp_path / "windows.toml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(file) == load("gpt3")


def test_a_folder_gives_its_models_in_the_order_of_their_names(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.toml").write_text(altered('name = "GPT-3 175B"', f'name = "{name}"'), encoding="utf-8")
    assert [model.name for model in load_all([str(tmp_path), "gpt3"])] == ["a", "b", "GPT-3 175B"]
    assert len(load_all(["presets"])) == len(presets.names())


# sources that cannot be used


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("gtp3", "gpt3"), ("GPT3", "gpt3"), ("llama3-8b", "llama-3-8b"), ("gpt-2", "gpt2"), ("mixtral", "mixtral-8x7b")],
)
def test_an_unknown_preset_is_named_with_the_closest(typed, meant):
    text = complaint(load, typed)
    assert text.startswith(typed)
    assert meant in text


def test_an_unknown_preset_with_nothing_close_says_where_they_are_listed():
    assert "gptcount presets" in complaint(load, "qqqqqqqqq")


@pytest.mark.parametrize("name", ["no/such/file.toml", "nothing.toml", "./gpt9"])
def test_a_missing_file_is_named(name):
    text = complaint(load, name)
    assert text.startswith(name)
    assert "no such file" in text


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "/",
        "a\0b",
        "\ud800",
        "a" * 5000,
        "a" * 5000 + ".toml",
        "my[red]model",
        "weird[/x]",
        ":tiger:",
        "\x1b[31mred",
        "\u202eltr",
        "../presets/gpt3",
        "line\nbreak",
    ],
)
def test_whatever_a_name_is_made_of(name):
    text = complaint(load, name)
    assert "\n" not in text


def test_markup_in_a_name_is_shown_whole_and_escape_sequences_are_shown_escaped():
    assert complaint(load, "my[red]model").startswith("my[red]model:")
    assert complaint(load, "a\x1b[31mb\u202e").startswith("a\\x1b[31mb\\u202e:")


def test_a_folder_where_one_model_is_wanted(tmp_path):
    assert complaint(load, str(tmp_path)).startswith(str(tmp_path))


def test_a_folder_without_models(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    text = complaint(load_all, [str(tmp_path)])
    assert text.startswith(str(tmp_path))
    assert "TOML" in text


def test_a_folder_with_one_bad_model_names_the_file(tmp_path):
    (tmp_path / "bad.toml").write_text("n_ctx = 0")
    assert all(line.startswith(str(tmp_path / "bad.toml")) for line in complaint(load_all, [tmp_path]).split("\n"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (bytes(range(256)) * 4, "not a text file"),
        (b"\0" * 100, "line 1"),
        (b"\x7fELF\x02\x01\x01", "line 1"),
        ("n_ctx = 1".encode("utf-16"), "not a text file"),
    ],
)
def test_a_file_that_is_no_specification(tmp_path, content, said):
    file = tmp_path / "file.toml"
    file.write_bytes(content)
    text = complaint(load, file)
    assert text.startswith(f"{file}: ")
    assert said in text
    assert "\n" not in text


def test_a_file_of_100_megabytes_is_not_read(tmp_path, monkeypatch):
    file = tmp_path / "large.toml"
    with file.open("wb") as sparse:
        sparse.truncate(100_000_000)
    monkeypatch.setattr(Path, "read_bytes", None)
    monkeypatch.setattr("gptcount.sources.files.decode", None)  # reading it all would come here
    text = complaint(load, file)
    assert text.startswith(f"{file}: ")
    assert "8000000" in text.replace(",", "").replace("_", "")


def test_a_device_is_not_read():
    assert complaint(load, "/dev/null").startswith("/dev/null: ")
    assert complaint(load, "/dev/zero").startswith("/dev/zero: ")


def test_a_pipe_that_nobody_writes_to_is_empty_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert complaint(load, pipe) == f"{pipe}: empty"


def test_a_pipe_that_somebody_writes_to_is_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # so that the writer need not wait
    writer = pipe.open("w", encoding="utf-8")

    def write():
        with writer:
            writer.write(GOOD)

    late = threading.Timer(0.05, write)
    late.start()
    try:
        assert load(pipe).name == "GPT-3 175B"
    finally:
        late.join()
        os.close(reader)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path):
    file = tmp_path / "secret.toml"
    file.write_text(GOOD)
    file.chmod(0)
    text = complaint(load, file)
    assert text.startswith(f"{file}: ")
    assert "permission denied" in text


def test_a_file_that_the_system_refuses_is_named(tmp_path, monkeypatch):
    file = tmp_path / "secret.toml"
    file.write_text(GOOD)

    def refused(*_args, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    monkeypatch.setattr(Path, "open", refused)
    text = complaint(load, file)
    assert text.startswith(f"{file}: ")
    assert "permission denied" in text


# keys and values that cannot be used


def test_broken_toml_is_named_with_its_line():
    text = said_of("n_ctx = 2048", "n_ctx = = 2048")
    assert text.startswith("my.toml: ")
    assert f"line {GOOD[: GOOD.index('n_ctx')].count(chr(10)) + 1}" in text
    assert "TOML" in text


def test_a_key_given_twice_is_named_with_its_line():
    assert "line 5" in said_of("n_ctx = 2048", "n_ctx = 2048\nn_ctx = 2048")


@pytest.mark.parametrize(
    ("old", "new", "key", "closest"),
    [
        ("n_ctx =", "n_ctxx =", "n_ctxx", "n_ctx"),
        ("d_head =", "d_haed =", "attention.d_haed", "d_head"),
        ("d_ff =", "dff =", "mlp.dff", "d_ff"),
        ("tied =", "tie =", "unembedding.tie", "tied"),
        ("n_layers =", "n_layer =", "n_layer", "n_layers"),
        ("source =", "sources =", "published.sources", "source"),
    ],
)
def test_an_unknown_key_is_named_with_the_closest(old, new, key, closest):
    lines = said_of(old, new).split("\n")
    assert any(key in line and line.endswith(f"{closest}?") and line.startswith("my.toml: ") for line in lines), lines
    assert any("missing" in line and closest in line for line in lines), lines


def test_an_unknown_key_with_nothing_close_lists_what_there_is():
    assert "n_ctx" in said_of("n_ctx = 2048", "n_ctx = 2048\nqqqqqqq = 1")


SIZED = [
    "n_vocab = 50_257",
    "n_ctx = 2048",
    "n_layers = 96",
    "d_model = 12_288",
    "n_heads = 96",
    "d_head = 128",
    "d_ff = 49_152",
]


@pytest.mark.parametrize("line", SIZED)
@pytest.mark.parametrize(
    "value",
    [
        "0",
        "-1",
        "1" + 30 * "0",
        "true",
        "false",
        "nan",
        "inf",
        "-inf",
        "2048.0",
        '"2048"',
        "[1]",
        "{a = 1}",
        "2024-01-01",
        "1e400",
    ],
)
def test_a_size_that_is_none(line, value):
    key = line.split()[0]
    text = said_of(line, f"{key} = {value}")
    assert "\n" not in text
    assert text.startswith("my.toml: ")
    assert f"{key}: " in text


@pytest.mark.parametrize("value", ["0", "-1", "1" + 30 * "0", "true", '"2048"'])
def test_the_value_and_what_is_allowed_are_said(value):
    text = said_of("n_ctx = 2048", f"n_ctx = {value}")
    assert any(word in text for word in ("greater than 0", "1000000000", "1,000,000,000", "integer"))
    assert {'"2048"': "'2048'"}.get(value, value) in text


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", '"a"', "[]", "1" + 400 * "0"])
def test_a_number_that_only_computes_is_finite(value):
    text = said_of('kind = "layer"', f'kind = "layer"\neps = {value}')
    assert text.startswith("my.toml: norm.eps: ")
    assert "\n" not in text


@pytest.mark.parametrize("value", ["true", '"1e-5"'])
def test_a_number_that_only_computes_is_a_number(value):
    assert said_of('kind = "layer"', f'kind = "layer"\neps = {value}').startswith("my.toml: norm.eps: ")


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 4000, "0x" + "f" * 5000, "-" + "9" * 5000])
def test_an_integer_of_thousands_of_digits(number):
    text = said_of("n_ctx = 2048", f"n_ctx = {number}")
    assert text.startswith("my.toml: ")
    assert "\n" not in text


@pytest.mark.parametrize(
    "value",
    ["[" * 5000 + "]" * 5000, "[" * 300 + "]" * 300, "{a=" * 3000 + "1" + "}" * 3000, "{a=" * 200 + "1" + "}" * 200],
    ids=["lists", "a few lists", "tables", "a few tables"],
)
def test_deep_nesting_in_a_file(value):
    assert said_of("n_ctx = 2048", f"n_ctx = {value}").startswith("my.toml: ")


def test_deep_nesting_in_a_key():
    assert "more than 10 dots" in complaint(parse, ".".join("a" * 1000) + " = 1", "my.toml")


def test_deep_nesting_in_data():
    table: dict = {}
    values: list = []
    inner = table
    for _ in range(100_000):
        inner["n_ctx"] = inner = {}
        values = [values]
    assert "my data: " in complaint(validate, table, "my data")
    assert "n_ctx" in complaint(validate, {"n_ctx": values}, "my data")
    while values:  # an interpreter that frees it at once would recurse
        values = values.pop()


def test_a_kind_that_there_is_not_is_named_with_those_that_there_are():
    text = said_of('kind = "multi-head"', 'kind = "multihead"')
    assert "attention.kind" in text
    assert "'multi-head', 'latent'" in text
    text = said_of('kind = "multi-head"\n', "")
    assert "attention.kind: missing" in text
    assert "'multi-head', 'latent'" in text


def test_a_bias_that_there_is_not_is_named_with_those_that_there_are():
    text = said_of('"query", "key"', '"qeury", "key"')
    assert text.startswith("my.toml: attention.biases.0: ")
    assert "'query', 'key', 'value', 'gate' or 'output'" in text


@pytest.mark.parametrize(
    ("name", "setting", "words"),
    [
        ("gpt3", "attention.n_kv_heads=7", ["attention", "n_heads = 96", "n_kv_heads = 7"]),
        ("mixtral-8x7b", "mlp.n_experts_per_token=9", ["mlp", "n_experts_per_token = 9", "n_experts = 8"]),
        ("deepseek-v3", "mlp.n_groups=7", ["mlp", "n_experts = 256", "n_groups = 7"]),
        ("deepseek-v3", 'variations=[{layers = "61:"}]', ["variations", "'61:'", "n_layers = 61"]),
    ],
)
def test_sizes_that_contradict_each_other_are_all_named(name, setting, words):
    text = complaint(load, name, [setting])
    assert "\n" not in text
    assert all(word in text for word in words), text


@pytest.mark.parametrize(
    "layers", ["", "a", "-1", "1:2:0", "1:2:-1", "1,,2", "1 2", "3\n", "96", "200:300", "9" * 5000]
)
def test_layers_that_select_nothing_or_are_no_slices(layers):
    data = {"layers": layers, "mlp": {"kind": "plain", "d_ff": 1}}
    text = complaint(validate, {**parse(GOOD, "x").model_dump(exclude_none=True), "variations": [data]}, "my.toml")
    assert text.startswith("my.toml: ")


def test_every_fault_has_a_line_of_its_own():
    text = complaint(
        parse, altered("n_ctx = 2048", "n_ctx = 0\nfoo = 1").replace("d_ff = 49_152", "d_ff = -1"), "my.toml"
    )
    assert len(text.split("\n")) == 3
    assert all(line.startswith("my.toml: ") for line in text.split("\n"))


def test_control_characters_in_a_key_and_in_a_value_are_shown_escaped():
    assert "\\x1b[31m" in complaint(parse, '"\\u001b[31m" = 1', "my.toml")
    assert "\\x1b[31m" in said_of("n_ctx = 2048", 'n_ctx = "\\u001b[31m"')
    assert "\\u202e" in said_of('kind = "multi-head"', 'kind = "\\u202e"')


# --set


def test_what_is_set_is_set():
    changed = load("gpt3", ["n_layers=48", "attention.n_kv_heads = 8", "attention.biases=[]", "name=Mine"])
    assert (changed.n_layers, changed.attention.n_kv_heads, changed.attention.biases) == (48, 8, ())
    assert changed.name == "Mine"
    assert load("deepseek-v3", ["variations.0.mlp.d_ff=7"]).variations[0].mlp.d_ff == 7
    assert load("llama-2-7b", ["attention.rotary.base=5"]).attention.rotary.base == 5
    assert load("gpt3", ["attention.rotary.base=5"]).attention.rotary.base == 5
    assert load("gpt3", ["n_layers=48", "n_layers=12"]).n_layers == 12


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("n_layer=48", ["n_layer", "n_layers"]),
        ("attention.n_kv_head=8", ["attention.n_kv_head", "n_kv_heads"]),
        ("foo.bar=1", ["foo", "n_layers"]),
        ("n_layers.x=1", ["n_layers.x"]),
        ("attention.biases.9=x", ["attention.biases.9"]),
        ("variations.0.mlp.d_ff=1", ["variations.0"]),
        ("n_layers", ["KEY=VALUE"]),
        ("=48", ["KEY=VALUE"]),
        ("", ["KEY=VALUE"]),
        ("n_layers=0", ["n_layers", "greater than 0"]),
        ("n_layers=", ["n_layers"]),
        ("n_layers=many", ["n_layers", "'many'"]),
        ("n_layers=1e400", ["n_layers", "inf"]),
        ("n_layers=true", ["n_layers", "true"]),
        ("n_layers=48\nn_ctx=3", ["n_layers"]),
        ("attention=3", ["attention"]),
        ("mlp.kind=mixtures", ["mlp.kind", "'mixture'"]),
        ("..=1", [".."]),
        ("attention..d_head=1", ["attention..d_head"]),
        ("\x1b[31m=1", ["\\x1b[31m"]),
        ("n_layers=" + "9" * 5000, ["n_layers"]),
        ("n_layers=" + "[" * 3000, ["n_layers"]),
        (".".join("a" * 3000) + "=1", ["a"]),
    ],
)
def test_what_cannot_be_set(setting, words):
    text = complaint(load, "gpt3", [setting])
    assert "--set" not in text
    assert all(line.startswith("GPT-3 175B with ") for line in text.splitlines())
    assert all(word in text for word in words), text


# random ones


def refused_or_read(act, *args):
    """Read it, or be told in lines why not, and by no other exception. Returns what was read."""
    try:
        return act(*args)
    except GptCountError:
        complaint(act, *args)
        return None


def places(data, path=()):
    """Every place in plain data."""
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@st.composite
def mutated(draw):
    """Plain data of a valid specification with one to three places dropped, renamed, or made something else."""
    data = copy.deepcopy(draw(specifications()))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from([path for path in places(data) if path] or [("name",)]))
        inner = data
        for key in path:
            inner = inner[key]
        action = draw(st.sampled_from(["drop", "rename", "junk", "add"]))
        if action == "drop" and len(inner):
            del inner[last]
        elif action == "rename" and isinstance(inner, dict):
            inner[draw(bare_keys | texts)] = inner.pop(last, 1)
        elif action == "add" and isinstance(inner, dict):
            inner[draw(bare_keys | texts)] = draw(junk)
        else:
            inner[last] = draw(junk)
    return data


@given(mutated())
def test_a_random_fault_is_said_in_lines_or_is_none(data):
    read = refused_or_read(validate, data, "my data")
    if read is not None:
        assert isinstance(read, Architecture)
        assert parse(toml(read), "again") == read


@given(junk)
def test_random_data_is_refused(data):
    complaint(validate, data, "my data")


@given(st.text())
def test_random_text_is_refused(text):
    complaint(parse, text, "my.toml")


@given(st.integers(0, len(GOOD)), st.integers(0, 30), st.text(max_size=8))
def test_a_specification_with_a_hole_or_a_splash_is_read_or_refused(place, length, splash):
    refused_or_read(parse, GOOD[:place] + splash + GOOD[place + length :], "my.toml")


@given(st.sampled_from(presets.names()), st.text(max_size=20) | bare_keys, texts | st.integers().map(str))
def test_random_settings_are_taken_or_refused(name, key, value):
    refused_or_read(load, name, [f"{key}={value}"])


KEYS = ["n_layers", "attention.n_heads", "mlp.d_ff", "mlp.kind", "attention.kind", "norm.eps", "variations.0.layers"]


@given(
    st.sampled_from(presets.names()),
    st.lists(st.tuples(st.sampled_from(KEYS), texts | st.integers(-3, 99).map(str)), max_size=3),
)
def test_settings_of_keys_that_there_are(name, pairs):
    refused_or_read(load, name, [f"{key}={value}" for key, value in pairs])


# in Python


GPT3 = load("gpt3")


@pytest.mark.parametrize("change", [GPT3.changed, lambda **keys: GPT3.model_copy(update=keys)], ids=["changed", "copy"])
def test_a_specification_is_changed_in_python_as_a_file_is_read(change):
    half = change(**{"n_layers": 48, "attention.n_kv_heads": 8, "attention.biases": ()})
    assert half == load("gpt3", ["n_layers=48", "attention.n_kv_heads=8", "attention.biases=[]"])
    for bad in ({"n_layers": -5}, {"n_layers": 0}, {"n_layers": True}, {"n_layers": "48"}, {"d_models": 48}):
        text = complaint(lambda keys: change(**keys), bad)
        assert text.startswith("GPT-3 175B with ")
        assert next(iter(bad)) in text
        assert "--set" not in text


def test_a_block_is_changed_the_same_way_and_a_block_is_a_value():
    attention = GPT3.attention.changed(n_kv_heads=8)
    assert GPT3.changed(attention=attention).attention.n_kv_heads == 8
    assert GPT3.changed("mlp.d_ff=7", n_ctx=5) == GPT3.changed(**{"mlp.d_ff": 7, "n_ctx": 5})
    assert "n_heads = 96" in complaint(lambda: GPT3.attention.changed(n_kv_heads=7))
    assert GPT3.changed() is GPT3
    assert GPT3.model_copy() == GPT3


@given(architectures, st.sampled_from(["n_layers", "d_model", "n_vocab", "n_ctx"]), st.integers(1, 99))
def test_changing_a_size_is_what_the_file_would_say(architecture, key, size):
    if key == "n_layers":
        size = architecture.n_layers
    if key == "n_vocab" and architecture.embedding.n_embedded:
        size = min(size, architecture.embedding.n_embedded)
    again = validate({**architecture.plain(), key: size}, "x")
    assert breakdown(architecture.changed(**{key: size})).totals == breakdown(again).totals


def test_a_bad_specification_built_in_code_is_one_line_per_problem():
    text = complaint(lambda: Architecture(name="x", n_vocab=50257))
    assert "Architecture: n_layers: missing" in text.split("\n")
    assert "expected an integer" in complaint(lambda: type(GPT3.mlp)(d_ff="many"))
    assert "d_ff" in complaint(type(GPT3.mlp).model_validate, {"kind": "plain"})
    lines = complaint(Architecture.model_validate, {f"k{n}": 1 for n in range(99)}).split("\n")
    assert len(lines) == 21
    assert lines[-1] == "Architecture: and 88 more"


def test_counting_refuses_a_size_below_1_however_it_came_in():
    forged = GPT3.model_construct(
        **{**{name: getattr(GPT3, name) for name in Architecture.model_fields}, "n_layers": -5}
    )
    assert "n_layers = -5" in complaint(breakdown, forged)


def test_data_are_loaded_as_files_are():
    config = {"model_type": "gpt2", "n_layer": 2, "n_embd": 8, "n_head": 2, "vocab_size": 9, "n_positions": 4}
    assert (load(config).n_layers, load(config, "n_layers=3").n_layers) == (2, 3)
    assert load(GPT3.plain()) == GPT3
    assert "model_type" in complaint(load, {"model_type": "gpt22"})
    assert "n_vocab: missing" in complaint(load, {"name": "x"})
    assert "config.json" in complaint(load, {"model_type": "gpt2", "n_layer": {1}})


def test_a_layer_has_the_sizes_of_the_model():
    for name in ("gpt3", "deepseek-v3", "gemma-3n-e2b"):
        model = load(name)
        layered = sum(
            len(where) * weight.parameters
            for layer, where in model.layers().items()
            for weight in model.of_layer(layer)
        )
        assert layered == sum(w.parameters for w in model.inventory() if w.per and w.per[0].name == "n_layers") - sum(
            w.parameters
            for block in model.beside().values()
            for w in block.of_model().bind(model.sizes())
            if w.per and w.per[0].name == "n_layers"
        )


# published totals and names


def test_a_published_total_holds_for_the_published_sizes(tmp_path):
    file = tmp_path / "mine.toml"

    def read(text):
        file.write_text(text, encoding="utf-8")
        return load(file)

    text = toml(GPT3)
    assert read(text).published == GPT3.published
    assert read(text.replace("GPT-3 175B", "Mine")).published == GPT3.published
    for edited in (text.replace("n_layers = 96", "n_layers = 48"), GOOD.replace("n_layers = 96", "n_layers = 48")):
        assert read(edited).published is None
        assert any("gpt3" in note for note in load(file).notes)
    own = text.replace("n_layers = 96", "n_layers = 48").replace("arXiv:2005.14165", "my own paper")
    assert read(own).published.source == "table 2.1 of my own paper"
    assert GPT3.changed(n_layers=48).published is None
    assert GPT3.changed(name="Mine").published == GPT3.published


def test_models_of_one_name_are_told_apart(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(toml(GPT3), encoding="utf-8")
    assert [model.name for model in load_all(["gpt3", file, "gpt2"])] == [
        "GPT-3 175B (gpt3)",
        f"GPT-3 175B ({file})",
        "GPT-2 124M",
    ]
    assert [one.ledger.model for one in compare([GPT3, GPT3.changed(n_layers=48)])] == ["GPT-3 175B", "GPT-3 175B (2)"]


# what is meant


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("gpt-3", "gpt3"),
        ("GPT-3", "gpt3"),
        ("GPT3", "gpt3"),
        ("llama3", "llama-3-8b"),
        ("llama-3", "llama-3-8b"),
        ("Llama 3", "llama-3-8b"),
        ("qwen3", "qwen3-4b"),
        ("gemma2", "gemma-2-2b"),
        ("meta-llama/Llama-3.1-8B", "hub:meta-llama/Llama-3.1-8B"),
        ("https://huggingface.co/openai-community/gpt2", "hub:openai-community/gpt2"),
        ("https://huggingface.co/a/b/blob/v2/config.json", "hub:a/b@v2"),
        ("gpt3.toml", "the preset gpt3"),
    ],
)
def test_what_a_person_means_first_is_named_first(typed, first):
    assert re.search(rf"; did you mean {re.escape(first)}(,| or |\?)", complaint(load, typed))


@pytest.mark.parametrize(
    ("model", "setting", "says"),
    [
        ("gpt3", "d_embed=4", "did you mean d_model?"),
        ("gpt3", "hidden_size=4", "did you mean d_model?"),
        ("gpt3", "vocab_size=4", "did you mean n_vocab?"),
        ("gpt3", "num_hidden_layers=4", "did you mean n_layers?"),
        ("gpt3", "n_neurons=4", "did you mean mlp.d_ff?"),
        ("mixtral-8x7b", "n_neurons=4", "did you mean mlp.expert.d_ff?"),
        ("gpt3", "d_query=4", "did you mean attention.d_head?"),
        ("gpt3", "attention.num_heads=4", "did you mean attention.n_heads?"),
        ("gpt3", "attention.d_haed=4", "did you mean attention.d_head?"),
        ("gpt3", "unembedding.tied=False", "write false"),
        ("gpt3", "attention.kind=latent", "which needs n_heads, d_kv_latent"),
        ("deepseek-v3", "attention.n_kv_heads=4", "only kind 'multi-head' or"),
        ("gpt3", "name.a.b=1", "there is no name.a.b to set"),
        ("gpt3", "name=1\na" + ".a" * 9000 + "=1", "more than 10,000 characters"),
    ],
)
def test_what_is_set_wrongly_has_its_way_out(model, setting, says):
    text = complaint(load, model, [setting])
    assert says in text
    assert all(f"did you mean {setting.partition('=')[0]}?" not in line for line in text.split("\n"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"model_type": "llama"'),
        ("a.json", "[]"),
        ("a.json", "null"),
        ("a.json", "model"),
        ("a", "[]"),
        ("a", "[{}]"),
    ],
)
def test_json_that_is_no_configuration_is_not_called_toml(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    text = complaint(load, tmp_path / name)
    assert "JSON" in text
    assert "TOML" not in text


@pytest.mark.parametrize(
    ("ending", "said"), [("safetensors", "gptcount audit"), ("gguf", "truncated"), ("bin", "config.json")]
)
def test_a_checkpoint_is_not_a_model(tmp_path, ending, said):
    (tmp_path / f"model.{ending}").write_bytes(b"\x80")
    assert said in complaint(load, tmp_path / f"model.{ending}")


def test_toml_may_begin_with_a_section(tmp_path):
    sections = toml(GPT3).partition("\n[")[2]
    (tmp_path / "a").write_text(f"[{sections}")
    assert "n_layers: missing" in complaint(load, tmp_path / "a")


def test_a_folder_with_a_configuration_and_files_gives_all(tmp_path):
    (tmp_path / "b.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "n_layer": 12, "_name_or_path": "a"}')
    assert [model.name for model in load_all([tmp_path])] == ["a", "GPT-3 175B"]


HYPER = {"streams": {"kind": "hyper-connections", "n_streams": 2}}
MIXTURE = {
    "kind": "mixture",
    "n_experts": 4,
    "n_experts_per_token": 2,
    "expert": {"kind": "gated", "d_ff": 6},
}
SHORTCUT = {"shortcut": {"mixture": MIXTURE}}
NORM = {"kind": "rms"}
LAUREL = {"laurel": {"d_rank": 3, "norm": NORM}}
PER_LAYER = {"per_layer_embedding": {"d_per_layer": 3, "n_vocab_per_layer": 50_257, "norm": NORM}}
CROSS = {"attention": {"kind": "cross", "n_heads": 2, "n_kv_heads": 2, "d_head": 4}}


@pytest.mark.parametrize(
    ("together", "said"),
    [
        (HYPER | {"residual": "post-norm"}, "residual: layers with hyper-connections are pre-norm and not scaled"),
        (HYPER | {"residual_scale": 0.5}, "residual: layers with hyper-connections"),
        (SHORTCUT | {"residual": "parallel"}, "residual: layers with a shortcut"),
        (SHORTCUT | {"residual_scale": 0.5}, "residual: layers with a shortcut"),
        (HYPER | LAUREL, "laurel: layers with hyper-connections have none"),
        (SHORTCUT | LAUREL, "laurel: layers with a shortcut have none"),
        (HYPER | SHORTCUT, "shortcut: one vector flows"),
        (HYPER | PER_LAYER, "per_layer_embedding: not beside hyper-connections"),
        (HYPER | {"layer_scalar": True}, "layer_scalar: not beside hyper-connections"),
        ({"streams": {"kind": "altup", "n_streams": 2, "norm": NORM}}, "streams: altup brings per-layer embeddings"),
        (LAUREL, 'laurel: it stands in layers whose residual is "sandwich"'),
        (SHORTCUT | {"mlp": MIXTURE}, "shortcut: beside its mixture there are no others"),
        (CROSS | {"residual": "sandwich"}, "attention: the kind cross"),
        (CROSS | {"residual_scale": 0.5}, "attention: the kind cross"),
        (CROSS | HYPER, "attention: the kind cross"),
        (CROSS | SHORTCUT, "attention: the kind cross"),
        ({"embedding": {"n_embedded": 50_000}}, "embedding.n_embedded = 50000 is less than n_vocab = 50257"),
        ({"embedding": {"n_embedded": 50_300}, "unembedding": {"tied": True}}, "embedding.n_embedded: a tied"),
        ({"embedding": {"positions": {"kind": "learned", "n_positions": 9}}}, "embedding.positions.n_positions: fewer"),
    ],
)
def test_what_the_forward_pass_does_not_do_together_is_refused_by_key(together, said):
    plain = load("gpt3").plain() | {"published": None}
    validate({key: value for key, value in plain.items() if value is not None}, "my.toml")
    faulty = {key: value for key, value in (plain | together).items() if value is not None}
    assert f"my.toml: {said}" in complaint(validate, faulty, "my.toml")
