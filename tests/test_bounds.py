"""What is asked for is bounded before it is done: the work that small files could make, counted, never timed.

bench/bounds.py measures the worst of them in seconds and bytes.
"""

from __future__ import annotations

import difflib
import json
import os
import struct
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from gptcount import GptCountError, breakdown, load, verify
from gptcount.architecture import Architecture
from gptcount.audit import load as audited
from gptcount.explain import explain
from gptcount.reference import full, logits
from gptcount.reference.bench import MOST_KINDS
from gptcount.settings import MOST_DOTS, overlong
from gptcount.sources import checkpoint
from gptcount.sources import entries as entries_of_files
from gptcount.sources.specification import parse, toml
from gptcount.stored import tensors

LLAMA = {
    "model_type": "llama", "vocab_size": 16, "hidden_size": 8, "intermediate_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 8, "architectures": ["LlamaForCausalLM"],
}  # fmt: skip
QWEN3 = LLAMA | {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "num_key_value_heads": 2}


def complaint(function, *arguments) -> str:
    with pytest.raises(GptCountError) as fault:
        function(*arguments)
    return str(fault.value)


def header(names) -> bytes:
    text = json.dumps({name: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for name in names}).encode()
    return struct.pack("<Q", len(text)) + text


def varied(kinds: int) -> Architecture:
    layers = [{"layers": str(n), "mlp": {"kind": "plain", "d_ff": n + 2}} for n in range(kinds)]
    return load("gpt2").changed(n_layers=kinds, variations=layers)


@pytest.fixture
def likened(monkeypatch) -> list[str]:
    """The words that something close was looked for."""
    asked = []

    def matches(word, *_args, **_keywords):
        asked.append(word)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", matches)
    return asked


@pytest.mark.parametrize("n", [100, 5_000])
def test_of_unknown_keys_twenty_are_looked_at(n, likened):
    lines = complaint(parse, "".join(f"k{number} = 1\n" for number in range(n)) + toml(load("gpt2")), "x").split("\n")
    assert len(lines) == 21
    assert lines[-1] == f"x: and {n - 20:,} more"
    assert len(likened) <= 20


def test_of_unknown_keys_of_a_configuration_none_is_looked_at_where_they_are_many(likened):
    many = {f"k{number}": "x" for number in range(2_000)}
    assert "2000 keys that nobody reads" in complaint(load, LLAMA | many)
    assert "rope_scaling: 2000 keys" in complaint(load, LLAMA | {"rope_scaling": many})
    assert not likened
    load(LLAMA | {"k" * 1_000_000: "x"})
    assert not likened, "a long key is no other one misspelt"


@pytest.mark.parametrize(
    "key",
    [".".join("a" * 12), '"a b".' * 12 + "c", "'a.b'." * 12 + "c", " . ".join("a" * 12)],
    ids=["plain", "quoted", "single quotes", "spaces"],
)
def test_a_key_of_many_dots_is_refused_before_it_is_read(key):
    for text in (f"{key} = 1", f"[{key}]", f"x = {{{key} = 1}}", f'x = """\n""" # "\n{key} = 1'):
        assert f"more than {MOST_DOTS} dots" in overlong(text), text
    assert f"more than {MOST_DOTS} dots" in complaint(load, "gpt2", f"name = 1\n{key} = 1")


@pytest.mark.parametrize(
    "text",
    ['x = "a.b.c.d.e.f.g.h.i.j.k.l.m.n"', "# a.b.c.d.e.f.g.h.i.j.k.l.m.n", 'x = """\na.b.c.d.e.f.g.h.i.j.k.l.m"""'],
)
def test_dots_in_texts_and_comments_are_no_keys(text):
    assert not overlong(text)


def test_a_text_of_a_million_characters_is_enough():
    assert "at most 1,000,000" in complaint(parse, "x = 1\n" * 200_000, "x")


def test_a_long_list_is_written_in_lines_that_are_read():
    kept = [f"model.layers.{number}.mlp.router" for number in range(1_000)]
    said = {"quant_method": "fp8", "modules_to_not_convert": kept, "weight_block_size": [128, 128]}
    model = load(LLAMA | {"quantization_config": said})
    assert parse(toml(model), "x") == model


def test_layers_in_no_pattern_name_the_list_that_says_so():
    kinds = [("full_attention", "sliding_attention")[number * number % 7 % 2] for number in range(5_000)]
    window = {"use_sliding_window": True, "sliding_window": 8}
    assert load(QWEN3 | window | {"num_hidden_layers": 100, "layer_types": kinds[:100]}).n_layers == 100
    text = complaint(load, QWEN3 | window | {"num_hidden_layers": 5_000, "layer_types": kinds})
    assert text.startswith("configuration: layer_types: ")


def test_a_block_is_looked_at_once_however_many_rows_are_explained(monkeypatch):
    ledger = breakdown(varied(60))
    kind, made = type(ledger.architecture.variations[0].mlp), []
    weights = kind.weights
    monkeypatch.setattr(kind, "weights", lambda self: made.append(self) or weights(self))
    explain(ledger)
    assert not made, "a row knows its block"


def test_the_different_layers_are_looked_for_once(monkeypatch):
    model, asked = varied(20), []
    pairs = Architecture._slots
    monkeypatch.setattr(Architecture, "_slots", lambda self: asked.append(self) or pairs(self))
    assert len(model.layers()) == 20
    assert model.layers() is model.layers()
    assert not asked, "what validation has found is kept"
    assert model == varied(20)
    assert hash(model) == hash(varied(20))


def test_layers_of_more_kinds_than_the_bench_runs_are_refused():
    assert not verify(varied(MOST_KINDS - 2)).failures
    assert f"at most {MOST_KINDS}" in complaint(verify, varied(MOST_KINDS + 1))


def test_a_run_at_true_size_says_what_memory_it_would_need(monkeypatch):
    huge = load("gpt2", ["mlp.d_ff=1000000000", "n_layers=1"])
    assert "--full would need about 192.0 GB" in complaint(full.run, huge)
    small = load("gpt2", ["n_layers=1"])
    assert full.memory_of(small) < 100_000_000
    monkeypatch.setattr(full, "memory", lambda: 1_000_000)
    assert "there are 1.00 MB" in complaint(full.run, small)


def test_a_file_is_read_once_by_whatever_names_it_is_called(tmp_path, monkeypatch):
    (tmp_path / "0.safetensors").write_bytes(header(["w0", "w1"]))
    for place in range(1, 9):
        os.link(tmp_path / "0.safetensors", tmp_path / f"{place}.safetensors")
    places = {"w0": "0.safetensors", "w1": "0.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places | {f"x{n}": f"{n}.safetensors" for n in range(1, 9)}}))
    read, entries = [], checkpoint.entries_of
    monkeypatch.setattr(checkpoint, "entries_of", lambda *given: read.append(given) or entries(*given))
    complaint(audited, str(tmp_path))
    assert len(read) == 1


def test_no_further_file_is_read_after_too_many_tensors(tmp_path, monkeypatch):
    places = {}
    for place in range(9):
        names = [f"w{place}.{number}" for number in range(10)]
        (tmp_path / f"{place}.safetensors").write_bytes(header(names))
        places |= dict.fromkeys(names, f"{place}.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    assert len(audited(str(tmp_path)).rows) == 9
    read, entries = [], checkpoint.entries_of
    monkeypatch.setattr(checkpoint, "entries_of", lambda *given: read.append(given) or entries(*given))
    for most, value in (("MOST_TENSORS", 25), ("MOST_CHARACTERS", 100)):
        monkeypatch.setattr(entries_of_files, most, value)
        assert "more than" in complaint(audited, str(tmp_path))
        assert len(read) == 3, most
        monkeypatch.undo()
        read.clear()
        monkeypatch.setattr(checkpoint, "entries_of", lambda *given: read.append(given) or entries(*given))


def test_a_folder_that_may_not_be_listed_is_no_folder_without_a_checkpoint(tmp_path, monkeypatch, capsys):
    from gptcount.cli import main

    (tmp_path / "config.json").write_text(json.dumps(LLAMA))

    def refused(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refused)
    for command in ("verify-shapes", "audit"):
        with pytest.raises(SystemExit) as left:
            main([command, str(tmp_path)])
        assert left.value.code == 2
        out, err = capsys.readouterr()
        assert not out
        assert "cannot be listed: permission denied" in err


def weights() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(0)
    return {
        tensor.name.format(*places): chance.standard_normal(tensor.shape, np.float32)
        for tensor in tensors(load(LLAMA))
        for places in product(*(axis.where or range(axis.n) for axis in tensor.indices))
    }


class OfNoNumPy:
    """What NumPy cannot read, as PyTorch's bfloat16."""

    dtype = "torch.bfloat16"

    def __array__(self, *_args, **_keywords):
        raise TypeError("Got unsupported ScalarType BFloat16")


@pytest.mark.parametrize("given", [OfNoNumPy(), [[1.0], [1.0, 2.0]], None, "text"])
def test_what_is_no_array_is_named(given):
    text = complaint(logits, load(LLAMA), weights() | {"model.norm.weight": given}, [[1]])
    assert text.startswith("model.norm.weight: of type ")


@pytest.mark.parametrize("tokens", [[[1, 2], [3]], None, "abc", [[10**400]], [[object()]], [], [[1.5]]])
def test_what_are_no_tokens_is_said(tokens):
    assert complaint(logits, load(LLAMA), weights(), tokens).startswith("tokens: ")


def test_what_grows_beyond_float32_is_refused():
    grown = weights()
    for name in ("model.norm.weight", "lm_head.weight"):
        grown[name] = grown[name] * np.float32(1e30)
    assert "beyond float32" in complaint(logits, load(LLAMA), grown, [[1, 2]])


def test_a_name_that_the_forward_pass_lacks_is_a_sentence(monkeypatch):
    from gptcount.reference import functions

    monkeypatch.delitem(functions.ACTIVATIONS, "gelu_tanh")
    (failure,) = verify(load("gpt2")).failures
    assert failure == "gelu_tanh: the forward pass knows nothing of this name"


def test_a_reason_is_said_whole_whatever_the_value():
    for key in ("rope_theta", "vocab_size", "head_dim", "is_causal"):
        text = complaint(load, LLAMA | {key: 10**400})
        assert text.startswith(f"configuration: {key}: 1000")
        assert " is not " in text
        assert len(text) < 200
    assert complaint(load, LLAMA | {"hidden_act": "x" * 10_000}).count("is not known") == 1


@pytest.mark.parametrize("given", [None, 5, [], b"gpt2", object()])
def test_what_names_no_model_is_said(given):
    assert "expected the name of a model" in complaint(load, given)
    assert "expected an Architecture" in complaint(verify, given)


def test_an_interrupt_is_heard_whatever_a_library_makes_of_it():
    import signal
    import subprocess
    import sys

    code = """
import os, signal, sys
import gptcount.__main__ as program
class Slow:
    def find_spec(self, name, *_):
        if name == "gptcount.cli":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                raise ValueError("in the words of a library") from None
sys.meta_path.insert(0, Slow())
program.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (128 + signal.SIGINT, "")


def test_what_is_said_to_a_closed_stderr_does_not_land_on_stdout(tmp_path: Path):
    import subprocess
    import sys

    run = f'"{sys.executable}" -m gptcount report gpt2 -o "{tmp_path / "x.html"}" 2>&-'
    done = subprocess.run(["sh", "-c", run], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")
