"""What quantized checkpoints hold: the table of packings read forwards and backwards, and what configurations say.

Bytes and numbers of tensors that are said to be published are those of an index beside a published checkpoint.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from strategies import junk
from test_audit import LLAMA, MIXTRAL, adds_up, described, entries, quantized
from test_audit import held as agreeing

from gptcount.audit import Audit, audit, load
from gptcount.errors import InputError
from gptcount.ledger import breakdown
from gptcount.output import json as as_json
from gptcount.output import plain, records, tables
from gptcount.packed import fits, read
from gptcount.packings.packing import known, packings, size
from gptcount.packings.patterns import is_readable, matcher
from gptcount.sources import config_json, specification
from gptcount.sources.entries import Entry

Config = dict[str, Any]

LARGE: Config = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}
"""The sizes of Llama 3 8B."""

SMALL = LLAMA | {"hidden_size": 256, "intermediate_size": 512, "vocab_size": 384, "tie_word_embeddings": False}
"""Sizes that groups of 128 divide."""

WEIGHTS: Config = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 32}


def compressed(form: str, inputs: Config | None = None, **weights: Any) -> Config:
    group = {"targets": ["Linear"], "weights": WEIGHTS | weights, "input_activations": inputs}
    return {
        "quant_method": "compressed-tensors",
        "format": form,
        "ignore": ["lm_head"],
        "config_groups": {"group_0": group},
    }


GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "checkpoint_format": "gptq"}
STATIC = {"num_bits": 8, "type": "float", "dynamic": False}

METHODS: dict[str, Config] = {
    "gptq": GPTQ,
    "gptq-3": GPTQ | {"bits": 3, "group_size": -1},
    "gptq-v2": GPTQ | {"bits": 8, "group_size": 32, "checkpoint_format": "gptq_v2"},
    "gptq-with-zero-biases": {"quant_method": "gptq", "bits": 2, "group_size": 64, "model_file_base_name": "model"},
    "marlin": GPTQ | {"checkpoint_format": "marlin"},
    "awq-gemm": {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"},
    "awq-gemv": {"quant_method": "awq", "bits": 4, "group_size": 64, "version": "gemv"},
    "awq-gemv-fast": {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemv_fast"},
    "awq-marlin": {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "marlin"},
    "fp8": {"quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic"},
    "fp8-tensor": {"quant_method": "fp8", "activation_scheme": "static"},
    "fbgemm": {"quant_method": "fbgemm_fp8", "modules_to_not_convert": ["model.layers.0"]},
    "bnb-8": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "bnb-4": {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    "int8": compressed("int-quantized", num_bits=8, strategy="channel", group_size=None),
    "float8": compressed("float-quantized", STATIC, num_bits=8, type="float", strategy="tensor", group_size=None),
    "float8-block": compressed(
        "float-quantized", num_bits=8, type="float", strategy="block", block_structure=[128, 128], group_size=None
    ),
    "packed": compressed("pack-quantized"),
    "packed-asymmetric": compressed("pack-quantized", symmetric=False, actorder="group", group_size=128),
    "packed-3": compressed("pack-quantized", num_bits=3, strategy="channel", group_size=None),
    "nvfp4-packed": compressed("nvfp4-pack-quantized", STATIC | {"num_bits": 4}, type="float", group_size=16),
    "mxfp4-packed": compressed("mxfp4-pack-quantized", type="float"),
    "nvfp4": {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head", "model.layers.0.self_attn*"]},
    "modelopt-fp8": {"quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"]},
    "mlx-3": {"bits": 3, "group_size": 64},
    "mlx-mxfp4": {"bits": 4, "group_size": 32, "mode": "mxfp4", "model.layers.0.mlp.up_proj": False},
    "mlx-mixed": {"bits": 4, "group_size": 64, "lm_head": {"bits": 8, "group_size": 64}},
    "eetq": {"quant_method": "eetq"},
}


def quantizing(config: Config, said: Config) -> Config:
    return config | {"quantization_config" if "quant_method" in said else "quantization": said}


def written(said: Config, config: Config = SMALL) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Every tensor that the files are said to hold, by name. The layers that are left as they are come first."""
    architecture, found = described(quantizing(config, said)), {}
    for one in breakdown(architecture).files:
        assert one.dtype
        assert one.shape is not None
        first = 0 if one.tensor.endswith(".weight") and one.dtype == "BF16" else architecture.n_layers - one.copies
        for layer in range(first, first + one.copies) if "{}" in one.tensor else [0]:
            found[one.tensor.format(layer)] = (one.dtype, one.shape)
    return found


# What is published of some checkpoints.


def size_of(config: Config) -> tuple[int, int]:
    ledger = breakdown(described(config), "stored")
    assert ledger.totals["bytes"] == sum(one.least for one in ledger.files)
    return ledger.totals["bytes"], sum(one.copies for one in ledger.files)


def test_gpt_oss_20b_is_as_large_as_published() -> None:
    kept = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    config = {
        "model_type": "gpt_oss",
        "num_hidden_layers": 24,
        "num_local_experts": 32,
        "tie_word_embeddings": False,
        "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": kept},
    }
    assert size_of(config) == (13_761_264_768, 459)


def test_llama_3_8b_in_8_bits_is_as_large_as_published() -> None:
    said = {"quant_method": "bitsandbytes", "load_in_8bit": True, "llm_int8_skip_modules": None}
    assert size_of(quantizing(LARGE, said) | {"torch_dtype": "float32"}) == (11_188_584_672, 739)


def test_qwen_3_14b_of_mlx_is_as_large_as_published() -> None:
    config = LARGE | {
        "model_type": "qwen3",
        "hidden_size": 5120,
        "intermediate_size": 17408,
        "num_hidden_layers": 40,
        "num_attention_heads": 40,
        "head_dim": 128,
        "vocab_size": 151_936,
        "quantization": {"group_size": 64, "bits": 4},
    }
    assert size_of(config) == (8_307_783_680, 1_007)


def test_what_depends_on_the_weights_is_a_range_around_what_is_published() -> None:
    """A Llama 2 13B in 4 bits, quantized twice: the mean of the scales is written with as many digits as it needs."""
    said = METHODS["bnb-4"] | {"bnb_4bit_use_double_quant": True}
    config = {"hidden_size": 5120, "intermediate_size": 13824, "num_hidden_layers": 40, "vocab_size": 32000}
    config = LARGE | config | {"num_attention_heads": 40, "num_key_value_heads": 40, "torch_dtype": "float16"}
    ledger = breakdown(described(quantizing(config, said)))
    assert "bytes" not in ledger.totals
    assert ledger.totals["bytes_least"] < 7_201_770_923 < ledger.totals["bytes_most"]
    assert ledger.totals["bytes_most"] - ledger.totals["bytes_least"] == 280 * 21
    assert sum(one.copies for one in ledger.files) == 1_763
    assert "On disk: 7.20 GB (6.71 GiB), as" in tables.on_disk(ledger)


def test_early_gptq_has_biases_beside_every_weight() -> None:
    """A layer of Qwen 7B in 4 bits by AutoGPTQ, whose files come to 5,860,564,992 bytes in 867 tensors: four of its
    five matrices have no bias in the model."""
    said = METHODS["gptq-with-zero-biases"]
    with_biases, without = (breakdown(described(quantizing(SMALL, one))) for one in (said, GPTQ | {"bits": 2}))
    biases = [one for one in with_biases.files if one.tensor.endswith("_proj.bias")]
    assert [one.dtype for one in biases] == ["F16"] * 7
    assert not [one for one in without.files if one.tensor.endswith(".bias")]
    unsure = breakdown(described(quantizing(SMALL, {"quant_method": "gptq", "bits": 2, "group_size": 64})))
    assert unsure.totals["bytes_most"] == with_biases.totals["bytes"]
    assert with_biases.totals["bytes"] - unsure.totals["bytes_least"] == sum(one.least for one in biases)


# Forwards, then backwards.


@pytest.mark.parametrize("method", METHODS)
def test_what_is_written_is_read(method: str) -> None:
    """The tensors that a configuration tells agree with its model, and by themselves are never another number."""
    config = quantizing(SMALL, METHODS[method])
    of = written(METHODS[method])
    found = agreeing(config, of)
    assert found.agrees, [row for row in found.rows if not row.agrees]
    alone = audit(entries(of))
    adds_up(alone)
    total = alone.reconciliation[-1]
    right = breakdown(described(config)).totals["stored"]
    assert total.total == "elements" or total.parameters == right
    assert (total.total == "elements") == any("cannot be read" in note for note in alone.notes)
    assert audit(entries(of), bits=described(config).quantization.bits).reconciliation[-1].total  # type: ignore[union-attr]


@pytest.mark.parametrize("method", METHODS)
def test_the_bytes_are_those_of_the_tensors(method: str) -> None:
    ledger = breakdown(described(quantizing(SMALL, METHODS[method])), "stored")
    for one in ledger.files:
        entry = Entry(one.tensor, one.dtype or "", one.shape or ())
        assert one.least == one.most == one.copies * entry.bytes
    assert ledger.totals["bytes"] == sum(one.least for one in ledger.files)
    assert sum(row.parameters for row in ledger.stored) == ledger.totals["stored"]
    assert ledger.totals["parameters"] == breakdown(described(SMALL)).totals["parameters"]


@pytest.mark.parametrize("name", packings())
@pytest.mark.parametrize("stack", [(), (4,)])
def test_no_packing_is_read_as_another_number(name: str, stack: tuple[int, ...]) -> None:
    """Every packing, at every number of bits: the weight that it was made of fits, and the number is that or open."""
    packing = packings()[name]
    flat = any(word in formula for part in packing.parts for shape in part.shapes for formula in shape for word in "n")
    for bits in packing.bits:
        for group in packing.groups or (32, 128):
            for out, goes_in in ((256, 512), (384, 1024)):
                words = known(out, goes_in, bits, group) | {"rows": 1, "columns": 8, "n_codebooks": 2, "some": 7}
                of: dict[str, Entry] = {}
                for part in packing.parts:
                    dims = [size(word, words) for word in part.shapes[0]] if part.shapes else [3]
                    lead = () if flat or not part.shapes or part.shapes[0] == ("1",) else stack
                    assert None not in dims
                    one = Entry(part.named("x.weight"), part.dtypes[0], (*lead, *(n or 0 for n in dims)))
                    of.setdefault(one.name, one)
                wanted = (out, goes_in) if flat else (*stack, out, goes_in)
                stands, helpers = read(of)
                first = stands[packing.parts[0].named("x.weight")]
                assert first.name == "x.weight"
                assert first.numbers in (None, prod(wanted)), (bits, group)
                assert fits(first, wanted)
                assert helpers.keys() == of.keys() - {packing.parts[0].named("x.weight")}


def test_a_stack_of_experts_is_read_whole() -> None:
    of = {"a.weight": ("U32", (8, 64, 16)), "a.scales": ("BF16", (8, 64, 2)), "a.biases": ("BF16", (8, 64, 2))}
    stands = read({name: Entry(name, *one) for name, one in of.items()}).stands["a.weight"]
    assert fits(stands, (8, 64, 128))
    assert fits(stands, (8, 64, 128), bits=[4])
    assert not fits(stands, (8, 64, 128), bits=[8])
    assert not fits(stands, (8, 64, 100))


# What headers leave open.


def counted(**of: tuple[str, tuple[int, ...]]) -> Audit:
    found = audit(entries({name.replace("__", "."): one for name, one in of.items()}))
    adds_up(found)
    return found


@pytest.mark.parametrize(
    "of",
    [
        {"a__weight_packed": ("I32", (16, 8)), "a__weight_scale": ("BF16", (16, 1))},
        {"a__qweight": ("I32", (4, 16)), "a__scales": ("F16", (1, 16))},
        {"a__weight": ("U8", (16, 8)), "a__weight_scale": ("F32", (16, 1))},
        {"a__weight": ("U8", (16, 8)), "a__weight_scale": ("F8_E4M3", (16, 1))},
        {"a__weight": ("U8", (16, 8)), "a__weight_scale": ("BF16", (1,))},
        {"a__weight": ("U8", (16, 8))},
        {"a__weight": ("I8", (16, 8))},
        {"a__Qidxs": ("I64", (16, 8))},
        {"a__indices": ("I16", (16, 8))},
        {"a__q_weight": ("I32", (16, 8))},
        {"a__qweight": ("I32", (16, 8)), "a__scales": ("F16", (3, 5))},
        {
            "a__weight__compressed": ("BF16", (60,)),
            "a__weight__bitmask": ("U8", (8, 2)),
            "a__weight__shape": ("I64", (2,)),
        },
    ],
)
def test_what_cannot_be_told_has_no_total(of: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    found = counted(norm__weight=("BF16", (7,)), **of)
    assert [item.total for item in found.reconciliation] == ["elements"]
    (note,) = found.notes
    assert "cannot be read from headers alone" in note
    (row,) = (row for row in found.rows if row.parameters is None)
    assert row.tensor in note
    assert row.kind == "packed in a way that headers do not tell"


def test_other_tensors_tell_how_many_bits_there_are() -> None:
    """int4 with a shape that only the data have: as wide as the norm is what goes in at one number of bits alone."""
    of = written(METHODS["packed"], SMALL | {"intermediate_size": 640})
    found = audit(entries(of))
    expected = breakdown(described(SMALL | {"intermediate_size": 640})).totals["stored"]
    assert (found.reconciliation[-1].total, found.reconciliation[-1].parameters) == ("stored", expected)
    alone = {name: one for name, one in of.items() if "norm" not in name}
    assert audit(entries(alone)).reconciliation[-1].total == "elements"


def test_biases_of_every_packed_weight_may_be_zeros() -> None:
    of = written(METHODS["gptq-with-zero-biases"])
    assert audit(entries(of)).reconciliation[-1].total == "elements"
    found = agreeing(quantizing(SMALL, METHODS["gptq-with-zero-biases"]), of)
    kinds = {row.kind for row in found.rows if row.tensor.endswith(".bias")}
    assert kinds == {"biases of packed weights that the model has without"}


def test_a_tensor_without_elements_is_no_surplus() -> None:
    of = {name: ("BF16", shape) for name, (_, shape) in written(METHODS["int8"]).items() if "scale" not in name}
    found = agreeing(SMALL, of | {"model.layers.0.mlp.shared_experts.up_proj.weight": ("BF16", (0, 256))})
    assert found.agrees


def test_a_refused_configuration_still_tells_the_bits(tmp_path: Path) -> None:
    header, end = {}, 0
    for name, (dtype, shape) in written(METHODS["mlx-3"]).items():
        after = end + Entry(name, dtype, shape).bytes
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, after]}
        end = after
    text = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "none", "quantization": METHODS["mlx-3"]}))
    found = load(str(tmp_path))
    assert found.reconciliation[-1].parameters == breakdown(described(SMALL)).totals["stored"]


def test_a_bitnet_agrees_with_its_model_and_is_open_without() -> None:
    assert audit(entries(quantized("bitnet"))).reconciliation[-1].total == "elements"


# What a configuration says.


@pytest.mark.parametrize("method", METHODS)
def test_a_specification_keeps_what_is_said(method: str) -> None:
    architecture = described(quantizing(SMALL, METHODS[method]))
    assert architecture.quantization
    assert not architecture.quantization.unknown
    assert specification.parse(specification.toml(architecture), "x.toml") == architecture


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"quant_method": "aqlm", "nbits_per_codebook": 16}, "aqlm"),
        ({"quant_method": "vptq"}, "vptq"),
        ({"strange": True}, "of no name"),
        ("int4", "of no name"),
        ({"quant_method": "\u202eevil"}, "\\u202eevil"),
    ],
)
def test_an_unknown_method_has_no_total_of_what_is_stored(said: Any, words: str) -> None:
    ledger = breakdown(described(SMALL | {"quantization_config": said}))
    assert ledger.totals["parameters"] == breakdown(described(SMALL)).totals["parameters"]
    assert "stored" not in ledger.totals
    assert all(item.total != "stored" for item in ledger.reconciliation)
    text = plain.render(tables.breakdown(ledger))
    assert f"On disk: not known. The configuration says {words}" in " ".join(text.split())
    with pytest.raises(InputError, match="is not known for the quantization method"):
        breakdown(ledger.architecture, "stored")


@pytest.mark.parametrize(
    "said",
    [
        {"quant_method": "hqq"},
        GPTQ | {"bits": "four"},
        GPTQ | {"bits": 400},
        GPTQ | {"dynamic": {"+:.*": {"bits": 8}}},
        {"quant_method": "awq", "version": "none"},
        compressed("dense"),
        {"quant_method": "compressed-tensors", "format": "int-quantized"},
        compressed("pack-quantized") | {"ignore": ["re:(a+)+$"]},
        compressed("pack-quantized") | {"kv_cache_scheme": {"num_bits": 8}},
        {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"},
        {"quant_method": "bitsandbytes"},
        {"quant_method": "fp8", "weight_block_size": ["a", 1]},
        {"quant_method": "mlx", "bits": 4, "group_size": 64, "mode": "none"},
    ],
)
def test_a_known_method_that_says_too_little_keeps_the_count(said: Config) -> None:
    ledger = breakdown(described(SMALL | {"quantization_config": said}), "stored")
    assert ledger.totals["stored"] == breakdown(described(SMALL)).totals["stored"]
    assert "bytes" not in ledger.totals
    assert ledger.unknown
    assert "On disk: not known" in tables.on_disk(ledger)
    document = records.breakdown(ledger)
    assert "tensors" not in document
    assert document["unknown"] == ledger.unknown


@given(junk)
def test_nothing_that_is_said_of_quantization_changes_the_parameters(said: Any) -> None:
    for one in (said, {**GPTQ, **(said if isinstance(said, dict) else {"bits": said})}):
        text = json.dumps(LLAMA | {"quantization_config": one}, default=repr)
        ledger = breakdown(config_json.parse(text, "config.json"))
        assert ledger.totals["parameters"] == breakdown(described(LLAMA)).totals["parameters"]


def test_a_larger_configuration_says_it_in_any_of_its_objects() -> None:
    inner = {**SMALL, "model_type": "gemma3_text", "head_dim": 64, "tie_word_embeddings": True}
    kept = ["model.language_model.layers.0.self_attn", "vision_tower"]
    said = {"quant_method": "awq", "bits": 4, "group_size": 128, "modules_to_not_convert": kept}
    outer = {"model_type": "gemma3", "text_config": inner}
    for config in (
        outer | {"quantization_config": said},
        {**outer, "text_config": inner | {"quantization_config": said}},
    ):
        architecture = described(config)
        assert architecture.quantization
        assert architecture.quantization.kept == ("model.layers.0.self_attn", "vision_tower")
        q = [one.copies for one in breakdown(architecture).files if "self_attn.q_proj" in one.tensor]
        assert q == [1, 2, 2, 2]


def test_routers_are_left_open_where_nothing_says_it() -> None:
    said = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    assert "block_sparse_moe.gate" in breakdown(described(quantizing(MIXTRAL, said))).unknown
    listed = quantizing(MIXTRAL, said | {"llm_int8_skip_modules": ["lm_head", "block_sparse_moe.gate"]})
    ledger = breakdown(described(listed))
    assert ledger.totals["bytes"]
    (experts,) = (one for one in ledger.files if one.tensor.endswith("experts.{}.w1.weight"))
    assert (experts.dtype, experts.copies) == ("I8", 3 * 4)


def test_a_billion_experts_take_no_time() -> None:
    said = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    config = MIXTRAL | {"num_local_experts": 1_000_000_000}
    ledger = breakdown(described(quantizing(config, said)))
    assert ledger.totals["bytes"] > ledger.totals["parameters"]
    one_by_one = said | {"modules_to_not_convert": ["gate", "lm_head", "model.layers.0.block_sparse_moe.experts.7.w1"]}
    assert breakdown(described(quantizing(config, one_by_one))).unknown
    few = breakdown(described(quantizing(MIXTRAL | {"num_local_experts": 9}, one_by_one)))
    assert [one.copies for one in few.files if one.tensor.endswith("experts.{}.w1.weight")] == [26, 1]


def test_experts_of_mlx_are_one_tensor_a_layer() -> None:
    said = {"bits": 4, "group_size": 32, "model.layers.0.block_sparse_moe.gate": {"bits": 8, "group_size": 32}}
    said |= {f"model.layers.{layer}.block_sparse_moe.gate": {"bits": 8, "group_size": 32} for layer in (1, 2)}
    ledger = breakdown(described(MIXTRAL | {"quantization": said}))
    shapes = {one.tensor: (one.dtype, one.shape, one.copies) for one in ledger.files}
    assert shapes["model.layers.{}.block_sparse_moe.switch_mlp.down_proj.weight"] == ("U32", (4, 32, 8), 3)
    assert shapes["model.layers.{}.block_sparse_moe.gate.weight"] == ("U32", (4, 8), 3)


# Patterns.


@pytest.mark.parametrize(
    ("pattern", "named", "others"),
    [
        ("lm_head", ["lm_head"], ["model.lm_heads", "xlm_head"]),
        ("gate", ["model.layers.0.mlp.gate"], ["model.layers.0.mlp.gate_proj"]),
        ("=model.layers.0.mlp", ["model.layers.0.mlp"], ["model.layers.0.mlp.gate"]),
        ("model.layers.1", ["model.layers.1.mlp"], ["model.layers.11.mlp"]),
        ("model.layers.*.self_attn", ["model.layers.7.self_attn.q_proj"], ["model.layers.7.mlp.up_proj"]),
        ("model.layers.0*", ["model.layers.0.mlp.up_proj"], ["model.layers.10.mlp.up_proj"]),
        ("*.mlp.gate", ["model.layers.0.mlp.gate"], ["model.layers.0.mlp.gate_proj"]),
        ("re:.*mlp\\.(gate|up)_proj.*", ["model.layers.0.mlp.up_proj"], ["model.layers.0.mlp.down_proj"]),
        ("re:model\\.layers\\.\\d+\\.mlp$", ["model.layers.12.mlp"], ["model.layers.12.mlp.up_proj"]),
    ],
)
def test_patterns_name_modules(pattern: str, named: list[str], others: list[str]) -> None:
    assert is_readable(pattern)
    test = matcher([pattern, "of-no-module"])
    assert all(map(test, named))
    assert not any(map(test, others))


@pytest.mark.parametrize(
    "pattern", ["re:(a*)*b", "re:(a+)+", "re:" + ".*a" * 9, "re:(", "re:(?=a)", "x" * 600, "*" * 20]
)
def test_patterns_that_could_take_long_are_not_read(pattern: str) -> None:
    assert not is_readable(pattern)
    config = compressed("pack-quantized") | {"ignore": [pattern]}
    assert breakdown(described(quantizing(SMALL, config))).unknown


# What is shown.


def test_a_quantized_model_shows_its_files() -> None:
    ledger = breakdown(described(quantizing(SMALL, METHODS["packed"])), "stored")
    text = plain.render(tables.breakdown(ledger))
    assert "self_attn.q_proj.weight_packed" in text
    assert "numbers that they stand for: stored" in text
    assert f"{ledger.totals['bytes']:,}" in text
    assert "as quantization_config says: compressed-tensors" in " ".join(text.split())
    document = json.loads(as_json.render(records.breakdown(ledger)))
    assert sum(tensor["bytes"] for tensor in document["tensors"]) == document["totals"]["bytes"]
    assert document["tensors"][2].keys() == {"name", "dtype", "shape", "copies", "elements", "bytes"}
    logical = json.loads(as_json.render(records.breakdown(breakdown(described(SMALL), "stored"))))
    assert [row["tensor"] for row in document["rows"]] == [row["tensor"] for row in logical["rows"]]
    assert "tensors" not in logical
    assert "at 16 bits per parameter" in plain.render(tables.breakdown(breakdown(described(SMALL))))
