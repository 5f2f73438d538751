"""GGUF files that the library's own writer makes here, and some that nobody should make."""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

gguf = pytest.importorskip("gguf", reason="gguf is not installed: pip install gguf")

from gptcount import GptCountError, load  # noqa: E402
from gptcount.architecture import Architecture  # noqa: E402
from gptcount.audit import load as audited  # noqa: E402
from gptcount.cli import main  # noqa: E402
from gptcount.errors import InputError  # noqa: E402
from gptcount.families.gguf import tables  # noqa: E402
from gptcount.families.metadata import FAMILIES  # noqa: E402
from gptcount.ledger import breakdown  # noqa: E402
from gptcount.output import audit as view  # noqa: E402
from gptcount.output import plain  # noqa: E402
from gptcount.sources import config_json  # noqa: E402
from gptcount.sources import gguf as reader  # noqa: E402
from gptcount.sources.entries import Checkpoint, Entry  # noqa: E402

Types = gguf.GGMLQuantizationType
Shapes = dict[str, tuple[int, ...]]

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 512,
    "vocab_size": 48,
    "max_position_embeddings": 16,
}
SIZES = {
    "embedding_length": 256,
    "block_count": 2,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "feed_forward_length": 512,
    "context_length": 16,
    "attention.layer_norm_rms_epsilon": 1e-5,
    "rope.freq_base": 10_000.0,
}


def llama(tied: bool = False, experts: int = 0, **more: tuple[int, ...]) -> Shapes:
    """The tensors of a small Llama, or Mixtral, by llama.cpp's names, each as rows × columns."""
    found: Shapes = {"token_embd.weight": (48, 256), "output_norm.weight": (256,)}
    found |= {} if tied else {"output.weight": (48, 256)}
    for layer in range(2):
        block = {"attn_norm": (256,), "ffn_norm": (256,), "attn_q": (256, 256), "attn_k": (128, 256)}
        block |= {"attn_v": (128, 256), "attn_output": (256, 256)}
        ends, copies = ("_exps", (experts,)) if experts else ("", ())
        block |= {f"ffn_{one}{ends}": (*copies, 512, 256) for one in ("gate", "up")}
        block |= {f"ffn_down{ends}": (*copies, 256, 512)} | ({"ffn_gate_inp": (experts, 256)} if experts else {})
        found |= {f"blk.{layer}.{name}.weight": shape for name, shape in block.items()}
    return found | more


def write(path: Path, of: Shapes, arch: str = "llama", sizes: dict[str, Any] = SIZES, split: int = 0) -> Path:
    """A file as the library writes it: matrices in Q8_0 or Q4_K, vectors in F32, and a vocabulary."""
    writer = gguf.GGUFWriter(path, arch, split_max_tensors=split)
    writer.add_name("made here")
    for key, value in sizes.items():
        put = writer.add_float32 if isinstance(value, float) else writer.add_uint32
        put(f"{arch}.{key}", value)
    writer.add_token_list([f"word{n}" for n in range(48)])
    writer.add_array("tokenizer.ggml.scores", [0.5] * 5_000)
    for name, shape in of.items():
        kind = Types.F32 if len(shape) < 2 else Types.Q4_K if shape[-1] % 256 == 0 and "attn" in name else Types.Q8_0
        block, width = gguf.GGML_QUANT_SIZES[kind]
        if kind is Types.F32:
            writer.add_tensor(name, np.zeros(shape, np.float32))
        else:
            data = np.zeros((*shape[:-1], shape[-1] // block * width), np.uint8)
            writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def stored(config: dict[str, Any]) -> int:
    return breakdown(config_json.parse(json.dumps(config), "config.json")).totals["stored"]


def test_a_file_is_counted_by_type_with_its_bytes(tmp_path: Path) -> None:
    of = llama()
    found = audited(str(write(tmp_path / "model.gguf", of)))
    assert found.agrees
    assert found.model == "made here"
    assert found.reconciliation[0].parameters == sum(map(prod, of.values())) == stored(LLAMA)
    by_type = {one.dtype: one for one in found.dtypes}
    assert set(by_type) == {"F32", "Q4_K", "Q8_0"}
    assert by_type["Q4_K"].bytes == by_type["Q4_K"].elements // 256 * 144
    assert by_type["Q8_0"].bytes == by_type["Q8_0"].elements // 32 * 34
    theirs = gguf.GGUFReader(tmp_path / "model.gguf").tensors
    entries = reader.read(tmp_path / "model.gguf").entries
    assert [(e.name, e.dtype, e.begin, e.bytes) for e in entries] == [
        (t.name, t.tensor_type.name, t.data_offset, t.n_bytes) for t in theirs
    ]
    assert "Q4_K" in plain.render(view.parts(found))


def test_it_is_held_against_a_model_by_the_librarys_names(tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf", llama() | {"rope_freqs.weight": (32,)})
    (tmp_path / "model.json").write_text(json.dumps(LLAMA))
    found = audited(str(path), str(tmp_path / "model.json"))
    assert found.agrees
    assert [row.kind for row in found.rows if row.finding == "surplus"] == ["rotary tables, stored as tensors"]
    (tmp_path / "model.json").write_text(json.dumps(LLAMA | {"num_hidden_layers": 3}))
    found = audited(str(path), str(tmp_path / "model.json"))
    assert "blk.2.attn_q.weight" in [row.tensor for row in found.rows if row.finding == "missing"]
    (tmp_path / "model.json").write_text(json.dumps(LLAMA | {"num_key_value_heads": 4}))
    assert not audited(str(path), str(tmp_path / "model.json")).agrees


@pytest.mark.parametrize(
    ("of", "sizes", "config"),
    [
        (llama(), {}, LLAMA),
        (llama(tied=True), {}, LLAMA | {"tie_word_embeddings": True}),
        (
            llama() | {f"blk.{n}.attn_{one}.bias": (size,) for n in (0, 1) for one, size in
                       (("q", 256), ("k", 128), ("v", 128), ("output", 256))},
            {},
            LLAMA | {"attention_bias": True},
        ),
        (
            llama(experts=4),
            {"expert_count": 4, "expert_used_count": 2},
            LLAMA | {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2},
        ),
    ],
)  # fmt: skip
def test_a_model_is_told_by_its_metadata(
    of: Shapes, sizes: dict[str, Any], config: dict[str, Any], tmp_path: Path
) -> None:
    model = load(write(tmp_path / "model.gguf", of, sizes=SIZES | sizes))
    assert model.name == "made here"
    assert breakdown(model).totals["stored"] == stored(config) == sum(map(prod, of.values()))


def test_conv1d_matrices_are_turned(tmp_path: Path) -> None:
    of: Shapes = {"token_embd.weight": (48, 64), "position_embd.weight": (16, 64)}
    for layer in range(2):
        block = {"attn_norm": (64,), "ffn_norm": (64,), "attn_qkv": (192, 64), "attn_output": (64, 64)}
        block |= {"ffn_up": (256, 64), "ffn_down": (64, 256)}
        of |= {f"blk.{layer}.{name}.weight": shape for name, shape in block.items()}
        of |= {f"blk.{layer}.{name}.bias": shape[:1] for name, shape in block.items()}
    of |= {"output_norm.weight": (64,), "output_norm.bias": (64,)}
    sizes = {"embedding_length": 64, "block_count": 2, "attention.head_count": 4, "feed_forward_length": 256}
    sizes |= {"context_length": 16, "attention.layer_norm_epsilon": 1e-5}
    model = load(write(tmp_path / "model.gguf", of, "gpt2", sizes))
    assert breakdown(model).totals["stored"] == sum(map(prod, of.values()))
    assert model.checkpoint == "gpt2"


@pytest.mark.parametrize(
    ("of", "sizes", "says"),
    [
        (llama() | {"blk.0.attn_q.weight": (512, 256)}, {}, "has another shape"),
        (llama() | {"blk.0.new.weight": (256,)}, {}, "is none of the model"),
        (llama(), {"block_count": 3}, "is missing"),
        (llama(), {"embedding_length": 0}, "hidden_size"),
    ],
)
def test_what_metadata_and_tensors_say_otherwise_is_refused(
    of: Shapes, sizes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "model.gguf", of, sizes=SIZES | sizes)
    with pytest.raises(GptCountError, match=says):
        load(path)
    found = audited(str(path))
    assert "So nothing is checked" in found.notes[-1]
    assert found.reconciliation[-1].parameters == sum(map(prod, of.values()))


def test_an_architecture_that_is_not_read_is_counted_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf", {"token_embd.weight": (8, 32)}, "mamba", {"block_count": 1})
    with pytest.raises(GptCountError, match="= mamba: not read"):
        load(path)
    assert audited(str(path)).reconciliation[-1].parameters == 256


COUNTS = Path(__file__).parent / "authorities/reference/counts"
ARCHES = [arch for arch, (model_type, _) in FAMILIES.items() if (COUNTS / f"{model_type}.json").exists()]


def metadata(arch: str, config: dict[str, Any], model: Architecture) -> dict[str, Any]:
    """What llama.cpp's converter writes of such a model."""
    layers = model.stack()
    dense = [layer.mlp for layer in layers if layer.mlp.kind != "mixture"]
    mixed = [layer.mlp for layer in layers if layer.mlp.kind == "mixture"]
    attention = model.attention
    rotary = getattr(attention, "rotary", None)
    said = {
        "embedding_length": model.d_model,
        "block_count": model.n_layers,
        "context_length": model.n_ctx,
        "attention.head_count": attention.n_heads,
        "attention.head_count_kv": getattr(attention, "n_kv_heads", None) or attention.n_heads,
        "attention.key_length": getattr(attention, "d_head", None),
        "feed_forward_length": dense[0].d_ff if dense else config.get("intermediate_size", 8),
        "attention.layer_norm_epsilon": 1e-5,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.sliding_window": config.get("sliding_window"),
        "rope.freq_base": 10_000.0,
        "rope.dimension_count": (rotary.d_rotary or getattr(attention, "d_head", None)) if rotary else None,
    }
    if mixed:
        said |= {"expert_count": mixed[0].n_experts, "expert_used_count": mixed[0].n_experts_per_token}
        said |= {"expert_feed_forward_length": mixed[0].expert.d_ff}
        said |= {"expert_shared_feed_forward_length": mixed[0].shared.d_ff if mixed[0].shared else None}
        said |= {"expert_shared_count": config.get("n_shared_experts")}
        said |= {"leading_dense_block_count": config.get("first_k_dense_replace")}
    if arch == "deepseek2":
        said |= {
            "attention.key_length": attention.d_nope + attention.d_rotary,
            "attention.value_length": attention.d_value,
        }
        said |= {"attention.q_lora_rank": attention.d_query_latent, "attention.kv_lora_rank": attention.d_kv_latent}
        said |= {"rope.dimension_count": attention.d_rotary}
    values = {f"{arch}.{key}": value for key, value in said.items() if value is not None}
    return values | {"general.architecture": arch}


@pytest.mark.parametrize("arch", ARCHES)
def test_every_architecture_is_told_by_metadata_and_tensors(arch: str) -> None:
    """The models are those that the reference implementation counted; names and metadata are llama.cpp's."""
    case = json.loads((COUNTS / f"{FAMILIES[arch][0]}.json").read_text())[0]
    model = config_json.parse(json.dumps(case["config"]), "config.json")
    names = tables(model)[0]
    entries = [
        Entry(tensor.name.format(*numbers), "F32", tensor.shape)
        for tensor in names.tensors
        for numbers in product(*(axis.where or range(axis.n) for axis in tensor.indices))
    ]
    found = reader.described(
        Checkpoint("made here", tuple(entries), gguf=metadata(arch, case["config"], model)), "made here"
    )
    assert breakdown(found).totals["stored"] == case["stored"]


def test_parts_are_one_checkpoint(tmp_path: Path) -> None:
    of = llama()
    write(tmp_path / "model.gguf", of, split=7)
    parts = sorted(path.name for path in tmp_path.glob("*.gguf"))
    assert parts[0] == f"model-00001-of-{len(parts):05}.gguf"
    for named in (*parts, "."):
        found = audited(str(tmp_path / named))
        assert found.agrees
        assert found.reconciliation[0].parameters == sum(map(prod, of.values()))
    (tmp_path / parts[1]).unlink()
    with pytest.raises(InputError, match="no such file"):
        audited(str(tmp_path / parts[0]))


def test_a_folder_of_several_models_is_refused(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        write(tmp_path / name, llama())
    with pytest.raises(InputError, match=r"name one of them: a\.gguf, b\.gguf"):
        audited(str(tmp_path))
    (tmp_path / "b.gguf").rename(tmp_path / "mmproj-b.gguf")
    assert audited(str(tmp_path)).agrees


def test_without_the_library_one_line_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "model.gguf", llama())
    monkeypatch.setitem(sys.modules, "gguf", None)
    monkeypatch.setattr(sys, "argv", ["gptcount", "audit", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert re.fullmatch(
        r"gptcount: \S+: a GGUF file, which needs the library gguf: pip install gguf\n", capsys.readouterr().err
    )


# Headers that are meant to do harm.


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def header(tensors: list[bytes], pairs: Sequence[bytes] = (), n_tensors: int = -1, n_pairs: int = -1) -> bytes:
    counts = (len(tensors) if n_tensors < 0 else n_tensors, len(pairs) if n_pairs < 0 else n_pairs)
    return b"GGUF" + struct.pack("<IQQ", 3, *counts) + b"".join(pairs) + b"".join(tensors)


def tensor(name: bytes, dims: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def pair(key: bytes, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def array(inner: int, n: int, value: bytes = b"") -> bytes:
    return struct.pack("<IQ", inner, n) + value


ONE = tensor(b"a", (8,))
DEEP = array(9, 1, array(9, 1, array(9, 1, array(9, 1, array(4, 0)))))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GGUF", "truncated in its header"),
        (b"GGML" + bytes(40), "not a GGUF file"),
        (b"GGUF" + struct.pack("<I", 1) + bytes(40), "version 1"),
        (b"GGUF" + struct.pack("<I", 9) + bytes(40), "version 9"),
        (header([], n_tensors=2**63), "more than are read"),
        (header([], n_pairs=2**63), "more than are read"),
        (header([], [text(b"k" * 2000)]), "a key of 2000 bytes"),
        (header([], [struct.pack("<Q", 2**63)]), "at most 1000"),
        (header([], [pair(b"\xff", 4, bytes(4))]), "not UTF-8"),
        (header([], [pair(b"k", 99, bytes(4))]), "unknown kind 99"),
        (header([], [pair(b"k", 8, struct.pack("<Q", 2**63))]), "truncated in its header"),
        (header([], [pair(b"k", 9, array(4, 2**63))]), "truncated in its header"),
        (header([], [pair(b"k", 9, array(8, 2**63))]), "words in its lists"),
        (header([], [pair(b"k", 9, DEEP)]), "unknown kind 9"),
        (header([], [pair(b"k", 4, bytes(4))] * 2), "given twice"),
        (header([ONE, tensor(b"a", (8,), 0, 32)]) + bytes(99), "a: given twice"),
        (header([tensor(b"a", (1,) * 5)]), "5 dimensions"),
        (header([tensor(b"a", (2**40, 2**40))]), "a shape that F32 cannot have"),
        (header([tensor(b"a", (33,), 8)]), "a shape that Q8_0 cannot have"),
        (header([tensor(b"a", (8,), 200)]), "the type 200"),
        (header([tensor(b"a", (8,), 0, 32)]) + bytes(99), "leaves a gap"),
        (header([ONE, tensor(b"b", (8,), 0, 0)]) + bytes(99), "overlaps"),
        (header([ONE]), "truncated: "),
        (header([ONE], [pair(b"general.alignment", 4, struct.pack("<I", 33))]) + bytes(99), "no power of two"),
        (header([ONE], [pair(b"general.alignment", 8, text(b"x"))]) + bytes(99), "no power of two"),
        (header([]), "no tensors"),
    ],
)  # fmt: skip
def test_hostile_headers_are_refused_in_a_line(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(InputError, match=says) as refusal:
        reader.read(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - began < 10
    assert most < 50_000_000
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(header([], [pair(b"k", 9, array(8, 5_000_000))]))
    os.truncate(path, 2**40)
    began = time.process_time()
    with pytest.raises(InputError, match="no tensors"):
        reader.read(path)
    assert time.process_time() - began < 30


def test_files_of_the_other_byte_order_are_read(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama", endianess=gguf.GGUFEndian.BIG)
    writer.add_tensor("a", np.zeros((4, 8), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (entry,) = reader.read(tmp_path / "model.gguf").entries
    assert (entry.name, entry.shape, entry.bytes) == ("a", (4, 8), 128)


@given(st.binary(max_size=300), st.integers(0, 250))
def test_any_bytes_are_a_header_or_refused(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    good = header([ONE, tensor(b"b", (4, 2), 1, 32)], [pair(b"general.architecture", 8, text(b"llama"))]) + bytes(99)
    for data in (noise, b"GGUF\3\0\0\0" + noise, good[:at] + noise + good[at + len(noise) :]):
        path.write_bytes(data)
        with suppress(InputError):
            reader.read(path)
        with suppress(InputError):
            load(path)
