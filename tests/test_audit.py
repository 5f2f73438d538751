"""Audits of checkpoints that are made here, right and wrong in every way, and headers that are meant to do harm."""

from __future__ import annotations

import json
import os
import re
import time
import tracemalloc
from collections import Counter
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gptcount
from gptcount import names
from gptcount.architecture import Architecture
from gptcount.audit import Audit, Row, audit, load
from gptcount.errors import InputError
from gptcount.families.namings import wanted
from gptcount.ledger import breakdown
from gptcount.names import Prefix, Wanted, prefix
from gptcount.output import audit as view
from gptcount.output import plain
from gptcount.sources import checkpoint, config_json
from gptcount.sources.checkpoint import MOST_HEADER
from gptcount.sources.entries import BITS, Checkpoint, Entry
from gptcount.stored import tensors

GPT2 = {"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 3, "vocab_size": 16, "n_positions": 12}
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 3,
    "intermediate_size": 64,
    "vocab_size": 48,
    "max_position_embeddings": 16,
}
MIXTRAL = LLAMA | {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2}
DEEPSEEK: dict[str, Any] = {
    "model_type": "deepseek_v3",
    "hidden_size": 32,
    "intermediate_size": 64,
    "moe_intermediate_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_group": 2,
    "topk_group": 1,
    "q_lora_rank": 12,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
    "first_k_dense_replace": 1,
    "vocab_size": 48,
    "max_position_embeddings": 16,
}
CONFIGS = {"gpt2": GPT2, "llama": LLAMA, "mixtral": MIXTRAL, "deepseek_v3": DEEPSEEK}

Shapes = dict[str, tuple[int, ...]]
Kinds = dict[str, tuple[str, tuple[int, ...]]]


def described(config: dict[str, Any]) -> Architecture:
    return config_json.parse(json.dumps(config), "config.json")


def shapes(architecture: Architecture) -> Shapes:
    """Every tensor of a checkpoint of this architecture, by its full name."""
    found: Shapes = {}
    for tensor in tensors(architecture):
        each: list[tuple[int, ...]] = [()]
        for axis in tensor.indices:
            each = [(*numbers, n) for numbers in each for n in (axis.where or range(axis.n))]
        for numbers in each:
            found[tensor.name.format(*numbers)] = tensor.shape
    return found


def entries(of: Shapes | Kinds, dtype: str = "F32") -> Checkpoint:
    """A checkpoint as its headers would give it; a shape has the usual dtype."""
    pairs = {name: one if one and isinstance(one[0], str) else (dtype, one) for name, one in of.items()}
    return Checkpoint("made here", tuple(Entry(name, *one) for name, one in pairs.items()))  # type: ignore[arg-type]


def save(path: Path, of: Shapes) -> None:
    from safetensors.numpy import save_file

    save_file({name: np.zeros(shape, np.float32) for name, shape in of.items()}, path)


def write(path: Path, header: object, data: int = 0, length: int | None = None) -> Path:
    """A file with a header as it is given, be it well made or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + bytes(data))
    return path


def adds_up(found: Audit) -> None:
    """Every total of the reconciliation is the sum of the lines above it, and the rows are the elements."""
    running = 0
    for item in found.reconciliation:
        if item.total and item is not found.reconciliation[0]:
            assert item.parameters == running
        else:
            running += item.parameters
    assert found.reconciliation[0].parameters == sum(row.elements for row in found.rows)
    assert found.reconciliation[0].parameters == sum(one.elements for one in found.dtypes)


def held(config: dict[str, Any], of: Shapes | Kinds) -> Audit:
    """The audit of these tensors against this model; it re-adds, and ends in what the ledger says."""
    architecture = described(config)
    found = audit(entries(of), architecture)
    adds_up(found)
    totals = {item.total: item.parameters for item in found.reconciliation if item.total}
    expected = breakdown(architecture).totals
    assert (totals["stored"], totals["parameters"]) == (expected["stored"], expected["parameters"])
    return found


def only(found: Audit, finding: str) -> Row:
    (row,) = (row for row in found.rows if row.finding == finding)
    return row


@pytest.mark.parametrize("family", CONFIGS)
def test_a_true_checkpoint_agrees(family: str, tmp_path: Path) -> None:
    of = shapes(described(CONFIGS[family]))
    save(tmp_path / "model.safetensors", of)
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS[family]))
    found = load(str(tmp_path))
    assert found.agrees
    assert {row.finding for row in found.rows} == {"right"}
    assert sum(row.copies for row in found.rows) == len(of)
    assert load(str(tmp_path / "model.safetensors")).rows == found.rows
    adds_up(found)


def test_numbers_in_names_are_said_as_slices() -> None:
    found = held(MIXTRAL, shapes(described(MIXTRAL)))
    assert "model.layers.{0:3}.block_sparse_moe.experts.{0:4}.w1.weight" in [row.tensor for row in found.rows]


def test_a_missing_tensor_is_named() -> None:
    of = shapes(described(LLAMA))
    del of["model.layers.1.mlp.up_proj.weight"]
    found = held(LLAMA, of)
    row = only(found, "missing")
    assert (row.tensor, row.copies, row.parameters) == ("model.layers.1.mlp.up_proj.weight", 1, 32 * 64)
    assert not found.agrees


def test_a_missing_layer_and_experts_are_named() -> None:
    of = shapes(described(MIXTRAL))
    kept = {name: shape for name, shape in of.items() if ".experts.3." not in name and not name.startswith("lm_")}
    found = held(MIXTRAL, kept)
    missing = [row.tensor for row in found.rows if row.finding == "missing"]
    assert "model.layers.{0:3}.block_sparse_moe.experts.3.w2.weight" in missing
    assert "lm_head.weight" in missing


def test_another_shape_is_said_beside_the_one_wanted() -> None:
    of = shapes(described(LLAMA)) | {"model.layers.2.self_attn.k_proj.weight": (32, 32)}
    found = held(LLAMA, of)
    row = only(found, "shape")
    assert (row.tensor, row.shape, row.wanted) == ("model.layers.2.self_attn.k_proj.weight", (32, 32), (16, 32))
    assert "wrong: 16 × 32 wanted" in plain.render(view.parts(found))


def test_a_transposed_matrix_is_said_to_be_transposed() -> None:
    of = shapes(described(LLAMA)) | {"model.layers.0.mlp.up_proj.weight": (32, 64)}
    found = held(LLAMA, of)
    assert only(found, "shape").wanted == (64, 32)
    assert "transposed: 64 × 32 wanted" in plain.render(view.parts(found))
    assert "1 transposed" in view.verdict(found)
    assert only(held(LLAMA, of | {"model.layers.0.mlp.up_proj.weight": (32, 65)}), "shape").kind == ""


def test_a_surplus_of_no_known_kind_disagrees() -> None:
    found = held(LLAMA, shapes(described(LLAMA)) | {"model.layers.0.self_attn.q_proj.bias": (32,)})
    assert only(found, "surplus").kind == "surplus, of no known kind"
    assert not found.agrees


@pytest.mark.parametrize(
    ("config", "tensor", "shape", "kind"),
    [
        (GPT2, "transformer.h.0.attn.bias", (1, 1, 12, 12), "attention masks, stored as tensors"),
        (GPT2, "transformer.h.0.attn.masked_bias", (), "attention masks, stored as tensors"),
        (LLAMA, "model.layers.0.self_attn.rotary_emb.inv_freq", (4,), "rotary tables, stored as tensors"),
        (LLAMA, "model.embeddings.position_ids", (1, 16), "indices of positions, stored as tensors"),
        (LLAMA, "model.layers.0.self_attn.k_scale", (), "scales of cached keys and values"),
        (GPT2, "lm_head.weight", (16, 8), "unembedding, stored although tied"),
        (LLAMA, "mtp.layers.0.mlp.up_proj.weight", (64, 32), "multi-token-prediction layers"),
        (LLAMA, "vision_tower.encoder.layers.0.mlp.fc1.weight", (64, 32), "other parts of a larger model"),
        (LLAMA, "multi_modal_projector.linear_1.weight", (64, 32), "other parts of a larger model"),
        (LLAMA, "image_newline", (32,), "other parts of a larger model"),
        (LLAMA, "model.connector.modality_projection.proj.weight", (32, 64), "other parts of a larger model"),
        (LLAMA, "model.layers.0.mlp.up_proj.lora_A.default.weight", (4, 32), "an adapter that is not merged"),
        (LLAMA, "layers.0.attention.wq.weight", (32, 32), "a second copy, under other names"),
    ],
)
def test_known_kinds_of_surplus_agree(config: dict[str, Any], tensor: str, shape: tuple[int, ...], kind: str) -> None:
    found = held(config, shapes(described(config)) | {tensor: shape})
    row = only(found, "surplus")
    assert (row.kind, row.parameters) == (kind, prod(shape))
    assert found.agrees
    assert kind in [item.label for item in found.reconciliation]


@pytest.mark.parametrize(
    ("config", "tensor", "shape"),
    [
        (GPT2, "transformer.h.0.attn.bias", (12,)),
        (GPT2, "lm_head.weight", (17, 8)),
        (LLAMA, "model.layers.0.mlp.layer_scale", (32,)),
        (LLAMA, "nothing.weight_scale", (1,)),
        (LLAMA, "layers.0.attention.wq.weight", (32, 31)),
        (LLAMA, "model.layers.0.connector.weight", (32, 32)),
        (LLAMA, "v_head.summary.weight", (1, 32)),
    ],
)
def test_what_only_looks_like_a_known_kind_disagrees(config: dict[str, Any], tensor: str, shape: Any) -> None:
    assert not held(config, shapes(described(config)) | {tensor: shape}).agrees


def test_layers_beyond_the_last_are_predictions_only_where_they_look_like_it() -> None:
    of = shapes(described(DEEPSEEK))
    further = {name.replace("layers.2", "layers.3"): shape for name, shape in of.items() if "layers.2." in name}
    assert not held(DEEPSEEK, of | further).agrees
    predicting = {"model.layers.3.eh_proj.weight": (32, 64), "model.layers.3.enorm.weight": (32,)}
    found = held(DEEPSEEK, of | further | predicting)
    assert {row.kind for row in found.rows if row.finding == "surplus"} == {"multi-token-prediction layers"}
    assert found.agrees


@pytest.mark.parametrize(
    ("config", "wanted", "has", "said"),
    [
        (GPT2, "transformer.", "", "lack the leading 'transformer.'"),
        (LLAMA, "", "language_model.", "begin with 'language_model.'"),
        (LLAMA, "model.", "model.language_model.", "begin with 'model.language_model.' instead of 'model.'"),
        (LLAMA, "model.", "", "lack the leading 'model.'"),
        (MIXTRAL, "", "module.", "begin with 'module.'"),
    ],
)
def test_a_uniform_prefix_is_accepted_and_said(config: dict[str, Any], wanted: str, has: str, said: str) -> None:
    of = shapes(described(config))
    of = {has + name.removeprefix(wanted) if name.startswith(wanted) else name: one for name, one in of.items()}
    found = held(config, of)
    assert found.agrees
    assert said in found.notes[0]
    assert "vision" in held(config, of | {"vision_tower.layers.0.fc1.weight": (4, 4)}).rows[-1].tensor


def written(of: Shapes, *changes: tuple[str, str]) -> Shapes:
    """The same tensors by other names."""
    found = {}
    for name, shape in of.items():
        for old, new in changes:
            name = re.sub(old, new, name)
        found[name] = shape
    return found


@pytest.mark.parametrize(
    "wrapper", ["_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "module", "_orig_mod.module"]
)
def test_words_of_wrappers_inside_names_are_passed_over(wrapper: str) -> None:
    found = held(LLAMA, written(shapes(described(LLAMA)), (r"(layers\.\d+)\.", rf"\1.{wrapper}.")))
    assert found.agrees
    assert wrapper.split(".")[0] in found.notes[0]
    assert found.rows[1].tensor.startswith(f"model.layers.{{0:3}}.{wrapper}.")


def test_an_adapter_that_is_not_merged_is_no_disagreement() -> None:
    of = written(shapes(described(LLAMA)), (r"q_proj\.weight", "q_proj.base_layer.weight"), ("^", "base_model.model."))
    for layer in range(3):
        base = f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_"
        of |= {f"{base}A.default.weight": (4, 32), f"{base}B.default.weight": (32, 4)}
    found = held(LLAMA, of)
    assert found.agrees
    assert {row.kind for row in found.rows if row.finding == "surplus"} == {"an adapter that is not merged"}


def test_a_name_and_the_same_with_a_wrapper_are_two_tensors() -> None:
    of = shapes(described(LLAMA))
    found = held(LLAMA, of | {"model.layers.0.module.input_layernorm.weight": (32,)})
    assert only(found, "surplus").tensor == "model.layers.0.module.input_layernorm.weight"


META = (
    (r"^model\.embed_tokens", "tok_embeddings"),
    (r"^model\.", ""),
    (r"^lm_head", "output"),
    (r"self_attn\.([qkvo])_proj", r"attention.w\1"),
    (r"post_attention_layernorm", "ffn_norm"),
    (r"input_layernorm", "attention_norm"),
    (r"mlp\.gate_proj", "feed_forward.w1"),
    (r"mlp\.up_proj", "feed_forward.w3"),
    (r"mlp\.down_proj", "feed_forward.w2"),
    (r"block_sparse_moe", "feed_forward"),
)


@pytest.mark.parametrize("config", [LLAMA, LLAMA | {"model_type": "mistral"}, MIXTRAL])
@pytest.mark.parametrize("prefix", ["", "model."])
def test_metas_and_mistrals_own_names_are_known(config: dict[str, Any], prefix: str) -> None:
    of = written(shapes(described(config)), *META, ("^", prefix))
    found = held(config, of)
    assert found.agrees, [row for row in found.rows if not row.agrees]
    assert "Meta's and Mistral's own" in found.notes[0]
    del of[f"{prefix}layers.1.attention.wk.weight"]
    assert only(held(config, of), "missing").tensor == "layers.1.attention.wk.weight"


def test_a_second_copy_under_other_names_is_named() -> None:
    of = shapes(described(LLAMA))
    found = held(LLAMA, written(of, *META) | of)
    assert found.agrees
    copies = [row for row in found.rows if row.finding == "surplus"]
    assert {row.kind for row in copies} == {"a second copy, under other names"}
    assert sum(row.parameters for row in copies) == sum(map(prod, of.values()))


def stacked(of: Shapes) -> Shapes:
    """The experts of each layer in one tensor, as transformers 5 keeps them in memory."""
    n, width = 4, 64
    found = {name: shape for name, shape in of.items() if ".experts." not in name}
    for layer in range(3):
        base = f"model.layers.{layer}.mlp.experts"
        found |= {f"{base}.gate_up_proj": (n, 2 * width, 32), f"{base}.down_proj": (n, 32, width)}
    return written(found, ("block_sparse_moe", "mlp"))


def test_experts_stacked_in_memory_agree() -> None:
    of = stacked(shapes(described(MIXTRAL)))
    found = held(MIXTRAL, of)
    assert found.agrees, [row for row in found.rows if not row.agrees]
    assert "transformers 5" in found.notes[0]
    of["model.layers.0.mlp.experts.gate_up_proj"] = (4, 32, 128)
    assert only(held(MIXTRAL, of), "shape").kind == "transposed"


IN_MEMORY = json.loads((Path(__file__).parent / "authorities/reference/in_memory.json").read_text())


@pytest.mark.parametrize("family", IN_MEMORY)
def test_what_the_reference_implementation_has_in_memory_agrees(family: str) -> None:
    case = IN_MEMORY[family]
    architecture = described(case["config"])
    theirs = Counter({(name, tuple(shape)): n for name, shape, n in case["tensors"] if 0 not in shape})
    forms = []
    for by in wanted(architecture):
        forms.append(Counter[Any]())
        for tensor in by.tensors:
            forms[-1][tensor.name, tensor.shape] += tensor.copies
    best = min(forms, key=lambda found: len(theirs - found) + len(found - theirs))
    assert theirs == best, (theirs - best, best - theirs)


@pytest.mark.parametrize(
    ("family", "ours", "published"),
    [
        ("kimi_linear", "block_sparse_moe.up_proj", "mlp.up_proj"),
        ("olmo_hybrid", "attention_layer_norm", "input_layernorm"),
        ("olmo_hybrid", "feedforward_layer_norm", "post_attention_layernorm"),
    ],
)
def test_what_is_published_under_other_names_agrees(family: str, ours: str, published: str) -> None:
    named = {by.naming: {tensor.name for tensor in by.tensors} for by in wanted(described(IN_MEMORY[family]["config"]))}
    assert f"model.layers.{{}}.{ours}.weight" in named[""]
    assert f"model.layers.{{}}.{published}.weight" in named["as they are published"]


def test_experts_stacked_by_mlx_agree() -> None:
    of = {name: shape for name, shape in shapes(described(MIXTRAL)).items() if ".experts." not in name}
    for layer in range(3):
        base = f"model.layers.{layer}.block_sparse_moe.switch_mlp"
        of |= {f"{base}.{one}_proj.weight": (4, 64, 32) for one in ("gate", "up")}
        of |= {f"{base}.down_proj.weight": (4, 32, 64)}
    assert held(MIXTRAL, of).agrees


@pytest.mark.parametrize("config", [GPT2, LLAMA | {"tie_word_embeddings": True}])
def test_the_tied_matrix_may_be_kept_under_the_name_of_the_head(config: dict[str, Any]) -> None:
    of = shapes(described(config))
    embedding = next(name for name in of if name.endswith(("wte.weight", "embed_tokens.weight")))
    of["lm_head.weight"] = of.pop(embedding)
    found = held(config, of)
    assert found.agrees
    assert f"lm_head.weight is there in place of {embedding}" in found.notes[0]
    of["lm_head.weight"] = (17, 8)
    assert not held(config, of).agrees


def test_an_untied_matrix_is_not_in_place_of_another() -> None:
    of = shapes(described(LLAMA))
    del of["model.embed_tokens.weight"]
    assert only(held(LLAMA, of), "missing").tensor == "model.embed_tokens.weight"


GEMMA3N = {
    "model_type": "gemma3n_text",
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "num_hidden_layers": 4,
    "num_kv_shared_layers": 2,
    "intermediate_size": 64,
    "vocab_size": 48,
    "vocab_size_per_layer_input": 48,
    "hidden_size_per_layer_input": 4,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "activation_sparsity_pattern": [0.0] * 4,
}


def test_keys_and_values_of_layers_that_share_them_are_known() -> None:
    of = shapes(described(GEMMA3N))
    more = {f"model.layers.{layer}.self_attn.{one}_proj.weight": (16, 32) for layer in (2, 3) for one in "kv"}
    more |= {f"model.layers.{layer}.self_attn.k_norm.weight": (8,) for layer in (2, 3)}
    assert not more.keys() & of.keys()
    found = held(GEMMA3N, of | more)
    assert found.agrees
    (kind,) = {row.kind for row in found.rows if row.finding == "surplus"}
    assert kind == "keys and values of layers that use an earlier layer's"
    wrong = dict.fromkeys(more, (16, 31))
    assert not held(GEMMA3N, of | wrong).agrees
    assert not held(GEMMA3N, of | {"model.layers.4.self_attn.k_proj.weight": (16, 32)}).agrees
    assert not held(GEMMA3N, of | {"model.layers.2.self_attn.o_norm.weight": (8,)}).agrees


def test_what_lies_outside_a_language_model_is_another_part() -> None:
    of = written(shapes(described(LLAMA)), ("^", "language_model."))
    assert held(LLAMA, of | {"mlp1.0.weight": (32, 64), "encoder.layers.0.norm.weight": (4,)}).agrees
    assert not held(LLAMA, of | {"language_model.model.extra.weight": (4,)}).agrees
    assert not held(LLAMA, shapes(described(LLAMA)) | {"mlp1.0.weight": (32, 64)}).agrees


def test_tensors_of_no_elements_are_known() -> None:
    found = held(LLAMA, shapes(described(LLAMA)) | {"model.layers.0.mlp.nothing.weight": (0, 32)})
    assert found.agrees
    assert only(found, "surplus").kind == "tensors without elements"


def test_braces_in_a_name_are_no_numbers() -> None:
    found = audit(entries({"{}": (2,), "model.layers.{}.self_attn.q_proj.weight": (32, 32)}), described(LLAMA))
    adds_up(found)
    assert sum(row.finding == "surplus" for row in found.rows) == 2


def test_a_name_under_two_prefixes_is_found_once() -> None:
    of = shapes(described(GPT2))
    bare = {name.removeprefix("transformer."): shape for name, shape in of.items()}
    found = held(GPT2, bare | {"transformer.wte.weight": (16, 8)})
    assert only(found, "surplus").tensor == "transformer.wte.weight"


def test_a_prefix_needs_no_vote_of_few() -> None:
    assert prefix(["a.b.c"], ["x.y.z"]) == (Prefix(), 0)
    assert prefix([], []) == (Prefix(), 0)


def test_one_number_is_of_either_shape() -> None:
    config = {**LLAMA, "model_type": "apertus", "hidden_act": "xielu"}
    architecture = described(config)
    of = shapes(architecture)
    assert () in of.values() or (1,) in of.values()
    swapped = {name: {(): (1,), (1,): ()}.get(shape, shape) for name, shape in of.items()}
    assert audit(entries(swapped), architecture).agrees


# Quantized weights: what packed elements stand for.


def quantized(how: str) -> Kinds:
    """A Llama whose projections are packed in one of the ways that checkpoints know."""
    found: Kinds = {}
    for name, shape in shapes(described(LLAMA)).items():
        base, (out, goes_in) = name.removesuffix(".weight"), (shape if len(shape) > 1 else (0, 0))
        if "_proj" not in name:
            found[name] = ("BF16", shape)
        elif how == "gptq":
            found |= {
                f"{base}.qweight": ("I32", (goes_in // 8, out)),
                f"{base}.qzeros": ("I32", (2, out // 8)),
                f"{base}.scales": ("F16", (2, out)),
                f"{base}.g_idx": ("I32", (goes_in,)),
            }
        elif how == "awq":
            found |= {
                f"{base}.qweight": ("I32", (goes_in, out // 8)),
                f"{base}.qzeros": ("I32", (2, out // 8)),
                f"{base}.scales": ("F16", (2, out)),
            }
        elif how == "bitsandbytes":
            found |= {
                name: ("U8", (out * goes_in // 2, 1)),
                f"{name}.absmax": ("U8", (out * goes_in // 64,)),
                f"{name}.quant_map": ("F32", (16,)),
                f"{name}.nested_absmax": ("F32", (1,)),
                f"{name}.nested_quant_map": ("F32", (256,)),
                f"{name}.quant_state.bitsandbytes__nf4": ("U8", (80,)),
            }
        elif how == "compressed-tensors":
            found |= {
                f"{base}.weight_packed": ("I32", (out, goes_in // 8)),
                f"{base}.weight_scale": ("BF16", (out, goes_in // 32)),
                f"{base}.weight_shape": ("I64", (2,)),
            }
        elif how == "nvfp4":
            found |= {
                name: ("U8", (out, goes_in // 2)),
                f"{base}.weight_scale": ("F8_E4M3", (out, goes_in // 16)),
                f"{base}.weight_scale_2": ("F32", ()),
                f"{base}.input_scale": ("F32", ()),
            }
        elif how == "exponents":
            found |= {name: ("I8", (out, goes_in // 2)), f"{base}.scale": ("F8_E8M0", (out, goes_in // 32))}
        elif how == "bitnet":
            found |= {name: ("U8", (out // 4, goes_in)), f"{base}.weight_scale": ("BF16", (1,))}
        elif how == "fp8":
            found |= {name: ("F8_E4M3", shape), f"{base}.weight_scale_inv": ("F32", (1, 1))}
        elif how == "int8":
            found |= {name: ("I8", shape), f"{base}.SCB": ("F32", (out,)), f"{base}.weight_format": ("U8", ())}
    return found


@pytest.mark.parametrize("how", ["gptq", "awq", "bitsandbytes", "compressed-tensors", "nvfp4", "exponents", "bitnet"])
def test_packed_elements_are_counted_as_what_they_stand_for(how: str) -> None:
    found = held(LLAMA, quantized(how))
    assert found.agrees, [row for row in found.rows if not row.agrees]
    assert {row.kind for row in found.rows if row.finding == "surplus"} == {"scales and tables of packed weights"}
    assert {row.kind for row in found.rows if row.finding == "right"} == {"", "packed"}
    labels = {item.label: item.parameters for item in found.reconciliation}
    assert labels["numbers packed into fewer elements"] > 0


@pytest.mark.parametrize("how", ["gptq", "awq", "bitsandbytes", "nvfp4", "exponents", "fp8", "int8"])
def test_what_packed_elements_stand_for_is_known_without_a_model(how: str) -> None:
    found = audit(entries(quantized(how)))
    adds_up(found)
    assert found.reconciliation[-1].parameters == breakdown(described(LLAMA)).totals["stored"]


@pytest.mark.parametrize("how", ["fp8", "int8"])
def test_scales_of_8_bit_weights_are_known(how: str) -> None:
    found = held(LLAMA, quantized(how))
    assert found.agrees
    assert {row.kind for row in found.rows if row.finding == "surplus"} == {"scales of 8-bit weights"}


def test_blocks_of_16_bytes_stand_for_32_numbers() -> None:
    name = "model.layers.0.mlp.experts.gate_up_proj"
    found = audit(entries({f"{name}_blocks": ("U8", (4, 64, 2, 16)), f"{name}_scales": ("U8", (4, 64, 2))}))
    assert [row.parameters for row in found.rows] == [4 * 64 * 64, 4 * 64 * 2]
    assert found.reconciliation[-1].parameters == 4 * 64 * 64


def test_the_blocks_of_gpt_oss_are_its_experts() -> None:
    config = {k: v for k, v in LLAMA.items() if k != "max_position_embeddings"}
    config |= {"model_type": "gpt_oss", "head_dim": 8, "num_local_experts": 4, "num_experts_per_tok": 2}
    of: Kinds = {}
    for name, shape in shapes(described(config)).items():
        if name.endswith(("gate_up_proj", "down_proj")):
            n, goes_in, out = shape
            of |= {
                f"{name}_blocks": ("U8", (n, out, goes_in // 32, 16)),
                f"{name}_scales": ("U8", (n, out, goes_in // 32)),
            }
        else:
            of[name] = ("BF16", shape)
    assert sum(name.endswith("_blocks") for name in of) == 6
    assert held(config, of).agrees


def test_packed_elements_of_another_shape_are_wrong() -> None:
    of = quantized("gptq")
    of["model.layers.0.mlp.up_proj.qweight"] = ("I32", (8, 64))
    found = held(LLAMA, of)
    assert only(found, "shape").kind == "packed"


# Without a model.


def test_a_checkpoint_without_a_config_is_counted_by_group(tmp_path: Path) -> None:
    of = shapes(described(LLAMA))
    save(tmp_path / "model.safetensors", of)
    found = load(str(tmp_path / "model.safetensors"))
    assert found.agrees
    assert "No config.json" in found.notes[0]
    assert {row.finding for row in found.rows} == {"counted"}
    assert {row.group for row in found.rows} == {"embedding", "attention", "mlp", "norm", "unembedding"}
    assert found.reconciliation[-1].parameters == sum(map(prod, of.values()))
    text = plain.render(view.parts(found))
    assert "attention in all" in text
    assert "Counted by name" in text


def test_a_refused_config_is_said_and_the_checkpoint_counted(tmp_path: Path) -> None:
    save(tmp_path / "model.safetensors", {"a.weight": (2, 3)})
    (tmp_path / "config.json").write_text('{"model_type": "no\\u202esuch"}')
    found = load(str(tmp_path))
    assert "not known" in found.notes[0]
    assert found.reconciliation[-1].parameters == 6
    assert "\u202e" not in plain.render(view.parts(found))


def test_against_another_model_is_held(tmp_path: Path) -> None:
    save(tmp_path / "model.safetensors", shapes(described(LLAMA)))
    other = tmp_path / "other.json"
    other.write_text(json.dumps(LLAMA))
    assert load(str(tmp_path), str(other)).agrees
    assert not load(str(tmp_path), str(other), ["n_layers=4"]).agrees
    assert not load(str(tmp_path), "gpt3", ['checkpoint="gpt2"']).agrees
    with pytest.raises(InputError, match="no preset"):
        load(str(tmp_path), "no-such-model")


def test_what_is_printed_and_what_a_program_reads_are_the_same_numbers() -> None:
    found = held(GPT2, shapes(described(GPT2)) | {"lm_head.weight": (16, 8)})
    text, document = plain.render(view.parts(found)), view.document(found)
    json.dumps(document)
    assert "<table" in found._repr_html_()
    assert document["agrees"] is True
    for item in document["reconciliation"]:
        assert f"{abs(item['parameters']):,}" in text
    assert "kB" in text
    assert "KiB" in text
    assert sum(row["elements"] for row in document["rows"]) == document["totals"]["elements"]


some_names = st.sampled_from(
    [
        *shapes(described(LLAMA)),
        *quantized("gptq"),
        *quantized("nvfp4"),
        "lm_head.weight",
        "h.0.attn.bias",
        "x.9.y",
        "1.2",
    ]
)
some_shapes = st.lists(st.integers(0, 70), max_size=4).map(tuple)


@given(st.dictionaries(some_names, st.tuples(st.sampled_from(sorted(BITS)), some_shapes), max_size=30))
def test_the_reconciliation_adds_up_whatever_is_in_the_file(of: Kinds) -> None:
    held(LLAMA, shapes(described(LLAMA)) | of)
    held(LLAMA, of)
    adds_up(audit(entries(of)))


def test_a_billion_missing_experts_take_no_time() -> None:
    architecture = described(MIXTRAL | {"num_local_experts": 1_000_000_000})
    began = time.process_time()
    found = audit(entries(shapes(described(MIXTRAL))), architecture)
    adds_up(found)
    assert time.process_time() - began < 10
    assert any("{…}" in row.tensor for row in found.rows if row.finding == "missing")


def test_numbers_that_are_written_otherwise_are_no_numbers() -> None:
    wanted = Wanted(tensors(described(LLAMA)))
    assert wanted.find("model.layers.1.input_layernorm.weight") is not None
    for layer in ("01", "3", "-1", "１", "1_0", "9" * 30):
        assert wanted.find(f"model.layers.{layer}.input_layernorm.weight") is None
    assert names.parts("h.01.2") == ("h.01.{}", (2,))


# Files, indices, folders.


def split(folder: Path, of: Shapes, n: int = 2) -> dict[str, str]:
    """A checkpoint in several files, and its index, which is returned."""
    places = {}
    for at in range(n):
        name = f"model-{at + 1:05}-of-{n:05}.safetensors"
        part = dict(list(of.items())[at::n])
        save(folder / name, part)
        places |= dict.fromkeys(part, name)
    return index(folder, places)


def index(folder: Path, places: dict[str, str], **metadata: int) -> dict[str, str]:
    text = json.dumps({"metadata": metadata, "weight_map": places})
    (folder / "model.safetensors.index.json").write_text(text)
    return places


def test_several_files_are_one_checkpoint(tmp_path: Path) -> None:
    split(tmp_path, shapes(described(LLAMA)), 3)
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    assert load(str(tmp_path)).agrees
    assert load(str(tmp_path / "model.safetensors.index.json")).agrees
    (tmp_path / "model.safetensors.index.json").unlink()
    assert load(str(tmp_path)).agrees
    assert len({entry.file for entry in checkpoint.read(tmp_path).entries}) == 3


def test_an_index_says_which_of_two_files_has_a_tensor(tmp_path: Path) -> None:
    of = shapes(described(LLAMA))
    places = split(tmp_path, of)
    changed = "model.layers.0.self_attn.k_proj.weight"
    save(tmp_path / "overlay.safetensors", {changed: (32, 32)})
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    index(tmp_path, places | {changed: "overlay.safetensors"})
    found = load(str(tmp_path))
    assert only(found, "shape").tensor == changed
    assert f"{changed}: in two files" in found.notes[0]
    files = {entry.name: entry.file for entry in checkpoint.read(tmp_path).entries}
    assert files[changed] == tmp_path / "overlay.safetensors"


def test_the_metadata_of_an_index_is_held_against_the_tensors(tmp_path: Path) -> None:
    of = shapes(described(LLAMA))
    n, places = sum(map(prod, of.values())), split(tmp_path, of)
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    index(tmp_path, places, total_size=4 * n, total_parameters=n)
    assert load(str(tmp_path)).notes == ()
    index(tmp_path, places, total_size=2 * n, total_parameters=n - 1)
    found = load(str(tmp_path))
    assert found.agrees
    assert [note.split(" = ")[0] for note in found.notes] == [
        "The index says total_size",
        "The index says total_parameters",
    ]


def test_a_whole_model_beside_an_index_is_passed_over_and_said(tmp_path: Path) -> None:
    split(tmp_path, shapes(described(LLAMA)))
    save(tmp_path / "model.safetensors", {"a.weight": (2,)})
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    found = load(str(tmp_path))
    assert found.agrees
    assert "A model.safetensors lies beside the index" in found.notes[0]


def test_settings_without_a_model_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "model.safetensors", {"a.weight": (2,)})
    with pytest.raises(InputError, match="no model to change"):
        load(str(tmp_path), None, ["n_layers=2"])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("pytorch_model.bin", b"PK\3\4", "could run code"),
        ("consolidated.00.pth", b"\x80\2", "could run code"),
        ("model.pt", b"", "could run code"),
        ("pytorch_model.bin.index.json", b"{}", "could run code"),
        ("model.onnx", b"\x08", "ONNX"),
        ("weights.npz", b"PK\3\4", "NumPy"),
        ("model.nemo", b"", "NeMo"),
        ("__0_0.distcp", b"", "distributed PyTorch checkpoint"),
        ("tf_model.h5", b"\x89HDF", "Keras or TensorFlow"),
        ("flax_model.msgpack", b"", "Flax"),
        ("weights", b"PK\3\4" + bytes(99), "zip archive"),
        ("weights", b"\x80\2}q\0." + b"x" * 99, "could run code"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("config.json", b'{"model_type": "llama"}', "a configuration; expected a checkpoint"),
        ("params.json", b'{"dim": 8, "n_layers": 1}', "a configuration; expected a checkpoint"),
    ],
)
def test_files_of_other_kinds_are_named(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert says in refused(tmp_path / name)
    if says not in ("zip archive", "git lfs pull") and name not in ("config.json", "params.json", "weights"):
        assert says in refused(tmp_path)
        with pytest.raises(InputError, match=says):
            gptcount.load(tmp_path / name)


def test_a_checkpoint_describes_no_model(tmp_path: Path) -> None:
    save(tmp_path / "model.safetensors", {"a.weight": (2,)})
    with pytest.raises(InputError, match="gptcount audit"):
        gptcount.load(tmp_path / "model.safetensors")


def test_a_truncated_json_is_not_called_toml(tmp_path: Path) -> None:
    for text in ('{"model_type": "lla', '"model', "[", "null"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(InputError, match="JSON"):
            gptcount.load(tmp_path / "config.json")


def test_an_index_in_the_cache_of_the_hub_has_links_to_blobs(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "models--a--b" / "blobs", tmp_path / "models--a--b" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    split(blobs, shapes(described(LLAMA)))
    for file in blobs.iterdir():
        (snapshot / file.name).symlink_to(f"../../blobs/{file.name}")
    (snapshot / "config.json").write_text(json.dumps(LLAMA))
    assert load(str(snapshot)).agrees


def refused(path: Path) -> str:
    """The one line that a file is refused with, soon and in little memory."""
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(InputError) as refusal:
            checkpoint.read(path)
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert time.process_time() - began < 30
    assert most < 100_000_000
    line = str(refusal.value)
    assert "\n" not in line
    assert line.isprintable()
    assert len(line) < 700
    return line


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
RAW = json.dumps(ONE).encode()
TWO = {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}


@pytest.mark.parametrize(
    ("header", "data", "says"),
    [
        ({"a": ONE, "b": {**TWO, "data_offsets": [4, 12]}}, 12, "overlaps"),
        ({"a": ONE, "b": {**TWO, "data_offsets": [0, 8]}}, 8, "overlaps"),
        ({"a": ONE, "b": {**TWO, "data_offsets": [12, 20]}}, 20, "no tensor has"),
        ({"a": {**ONE, "data_offsets": [-8, 0]}}, 8, "none below zero"),
        ({"a": {**ONE, "data_offsets": [8, 0]}}, 8, "-8 bytes"),
        ({"a": {**ONE, "data_offsets": [0, 2**70]}}, 8, "whole numbers"),
        ({"a": {**ONE, "data_offsets": [0, 8, 8]}}, 8, "two whole numbers"),
        ({"a": {**ONE, "shape": [2**62, 2**62, 2**62]}}, 8, "its shape and dtype make"),
        ({"a": {**ONE, "shape": [2, -1]}}, 8, "whole numbers"),
        ({"a": {**ONE, "shape": [2.0]}}, 8, "whole numbers"),
        ({"a": {**ONE, "shape": [True, 2]}}, 8, "whole numbers"),
        ({"a": {**ONE, "shape": [1] * 65}}, 4, "at most 64"),
        ({"a": {**ONE, "shape": "2"}}, 8, "whole numbers"),
        ({"a": {**ONE, "dtype": "F\u202e9"}}, 8, "none of BOOL"),
        ({"a": {**ONE, "dtype": ["F32"]}}, 8, "none of BOOL"),
        ({"a": {**ONE, "more": 1}}, 8, "nothing else"),
        ({"a": 1}, 0, "dtype, shape"),
        ({"a\u202e\n": 1}, 0, r"a\u202e\n: expected dtype, shape"),
        ({"n" * 2000: ONE}, 8, "2000 characters"),
        ({"__metadata__": {"a": 1}, "a": ONE}, 8, "__metadata__"),
        ({"__metadata__": [], "a": ONE}, 12, "no tensor has"),
        ({"a": ONE}, 7, "truncated"),
        ({"a": ONE}, 9, "1 bytes at the end"),
        ({}, 0, "no tensors"),
        (b'{"a":%s,"a":%s}' % (RAW, RAW), 8, "a: given twice"),
        (b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8, "dtype: given twice"),
        (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}', 8, "not valid JSON"),
        (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 0, "brackets"),
        (b'{"a":' + (b"[" + b" " * 16) * 50_000, 0, "nested too deeply"),
        (b'{"a":[' + b"[]," * 3_000_000 + b"[]]}", 0, "brackets"),
        (b'{"a":' + b"9" * 100_000 + b"}", 0, "not valid JSON"),
        (b'{"a":NaN}', 0, "dtype, shape"),
        (b'{"\xff":1}', 0, "not UTF-8"),
        (b"[]", 0, "brace"),
        (b' {"a":1}', 0, "brace"),
        (b"", 0, "brace"),
        ("{" * 50, 0, "brace"),
    ],
)  # fmt: skip
def test_hostile_headers_are_refused_in_a_line(header: object, data: int, says: str, tmp_path: Path) -> None:
    assert says in refused(write(tmp_path / "model.safetensors", header, data))


@pytest.mark.parametrize(
    ("length", "says"),
    [
        (2**63, "a header of 9223372036854775808 bytes"),
        (2**64 - 1, "truncated"),
        (10_000, "truncated"),
        (1, "not valid JSON"),
    ],
)
def test_hostile_lengths_are_refused(length: int, says: str, tmp_path: Path) -> None:
    assert says in refused(write(tmp_path / "model.safetensors", {"a": ONE}, 8, length))


def test_a_huge_header_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", {"a": ONE}, 8, MOST_HEADER + 1)
    os.truncate(path, 2 * MOST_HEADER)
    assert "at most 25000000 are read" in refused(path)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "short.safetensors").write_bytes(b"1234567")
    assert "too short" in refused(tmp_path / "short.safetensors")
    os.mkfifo(tmp_path / "pipe.safetensors")
    assert "not a file" in refused(tmp_path / "pipe.safetensors")
    assert "no such file" in refused(tmp_path / "absent.safetensors")
    assert "cannot be read" in refused(tmp_path / "nul\0.safetensors")
    (tmp_path / "empty").mkdir()
    assert "no .safetensors file" in refused(tmp_path / "empty")
    (tmp_path / "empty" / "pytorch_model.bin").write_bytes(b"")
    assert "pytorch_model.bin is a PyTorch file, which could run code" in refused(tmp_path / "empty")


@pytest.mark.parametrize(
    ("shard", "says"),
    [
        ("/etc/passwd", "not the name"),
        ("/etc/model.safetensors", "not the name"),
        ("../model.safetensors", "not the name"),
        ("..\\model.safetensors", "not the name"),
        ("c:model.safetensors", "not the name"),
        ("sub/model.safetensors", "not the name"),
        ("\u202e.safetensors", "not the name"),
        (".safetensors", "not the name"),
        (7, "not the name"),
        (["model.safetensors"], "not the name"),
        ("absent.safetensors", "no such file"),
        ("model-00001-of-00002.safetensors", "it has not"),
    ],
)
def test_hostile_shards_are_refused(shard: Any, says: str, tmp_path: Path) -> None:
    places = split(tmp_path, {"a.weight": (2,), "b.weight": (2,)})
    index(tmp_path, places | {"b.weight": shard})
    assert says in refused(tmp_path)


def test_an_index_that_names_what_its_shard_lacks_is_refused(tmp_path: Path) -> None:
    places = split(tmp_path, {"a.weight": (2,), "b.weight": (2,)})
    index(tmp_path, places | {"c.weight": "model-00001-of-00002.safetensors"})
    assert "c.weight: the index says" in refused(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "not a JSON object"),
        ("{}", "weight_map: missing"),
        ('{"weight_map": {}}', "weight_map: missing"),
        ('{"weight_map": []}', "weight_map: missing"),
        ('{"weight_map": {"a": "b.safetensors", "a": "b.safetensors"}}', "given twice"),
        ("{", "not valid JSON"),
        ("[" * 1_000_000, "brackets"),
    ],
)
def test_hostile_indices_are_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    assert says in refused(tmp_path)


def test_links_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    places = split(outside, {"a.weight": (2,), "b.weight": (2,)})
    for name in set(places.values()):
        (folder / name).symlink_to(outside / name)
    index(folder, places)
    assert "leads out of its folder" in refused(folder)
    first = folder / "model-00001-of-00002.safetensors"
    first.unlink()
    first.symlink_to(first)
    assert refused(folder)
    first.unlink()
    first.symlink_to("/dev/zero")
    assert "leads out of its folder" in refused(folder)


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors", {"a.weight": (2,)})
    save(tmp_path / "b.safetensors", {"a.weight": (2,)})
    assert "two files" in refused(tmp_path)


def test_many_tensors_take_little_time() -> None:
    many = {f"model.layers.{n}.x{n}.weight": (1,) for n in range(20_000)}
    began = time.process_time()
    adds_up(audit(entries(many), described(LLAMA)))
    assert time.process_time() - began < 30


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_refused(header: bytes) -> None:
    with suppress(InputError):
        checkpoint.entries_of(header, 8, "made here")
