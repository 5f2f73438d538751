"""A params.json, as Meta and Mistral publish it: a model's configuration, counted as the published checkpoints are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gptcount import GptCountError, load
from gptcount.audit import load as audited
from gptcount.ledger import breakdown
from gptcount.reference import logits
from gptcount.sources import config_json

META: dict[str, Any] = {"dim": 4096, "n_heads": 32, "n_layers": 32, "norm_eps": 1e-5, "multiple_of": 256}
MISTRAL: dict[str, Any] = {
    "dim": 4096,
    "n_layers": 32,
    "head_dim": 128,
    "hidden_dim": 14336,
    "n_heads": 32,
    "n_kv_heads": 8,
    "norm_eps": 1e-5,
    "vocab_size": 32000,
}


def counted(data: dict[str, Any]) -> int:
    return breakdown(config_json.parse(json.dumps(data), "params.json")).totals["parameters"]


@pytest.mark.parametrize(
    ("data", "published"),
    [
        (META | {"vocab_size": 32000}, 6_738_415_616),  # Llama 2 7B
        (
            META
            | {"dim": 8192, "n_heads": 64, "n_kv_heads": 8, "n_layers": 80, "vocab_size": 32000}
            | {"multiple_of": 4096, "ffn_dim_multiplier": 1.3},
            68_976_648_192,  # Llama 2 70B
        ),
        (
            META
            | {"n_kv_heads": 8, "vocab_size": 128256, "multiple_of": 1024, "ffn_dim_multiplier": 1.3}
            | {"rope_theta": 500000.0, "use_scaled_rope": True},
            8_030_261_248,  # Llama 3.1 8B
        ),
        (MISTRAL | {"sliding_window": 4096}, 7_241_732_096),  # Mistral 7B
        (MISTRAL | {"moe": {"num_experts": 8, "num_experts_per_tok": 2}}, 46_702_792_704),  # Mixtral 8x7B
    ],
)
def test_counts_are_the_published_ones(data: dict[str, Any], published: int) -> None:
    assert counted(data) == published


def test_what_only_the_forward_pass_needs_is_taken_over() -> None:
    scaled = config_json.parse(
        json.dumps(META | {"vocab_size": 32000, "use_scaled_rope": True, "rope_theta": 5e5}), "p"
    )
    assert scaled.attention.rotary.base == 500_000.0
    assert scaled.attention.rotary.interleaved
    assert scaled.attention.rotary.scaling.kind == "llama3"
    windowed = config_json.parse(json.dumps(MISTRAL | {"sliding_window": 4096}), "p")
    assert windowed.attention.window == 4096
    assert windowed.attention.rotary.base == 10_000.0
    assert config_json.parse(json.dumps(MISTRAL), "p").attention.rotary.base == 1_000_000.0


def test_what_is_not_said_is_noted() -> None:
    model, assumed = config_json.parse_with_comments(json.dumps(META | {"vocab_size": 32000}), "params.json")
    assert "whether the unembedding is tied" in model.notes[0]
    assert "max_seq_len is absent: taken for 2048" in assumed
    tied = config_json.parse(json.dumps(META | {"vocab_size": 32000, "tied_embeddings": True}), "params.json")
    assert breakdown(tied).totals["parameters"] == 6_738_415_616 - 32000 * 4096
    assert not tied.notes


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (META | {"vocab_size": -1}, "vocab_size: missing or -1: .*32000"),
        (META, "vocab_size: missing"),
        (META | {"vocab_size": 32000, "moe_args": {}}, "moe_args: not known"),
        (META | {"vocab_size": 32000, "n_heads": 0}, "n_heads"),
        (META | {"vocab_size": 32000, "ffn_dim_multiplier": -1.0}, "ffn_dim_multiplier"),
        (META | {"vocab_size": 32000, "sliding_window": 5}, "sliding_window"),
        (MISTRAL | {"moe": {"num_experts": 8}}, "num_experts_per_tok: missing"),
        (MISTRAL | {"moe": {"num_experts": 8, "num_experts_per_tok": 2, "more": 1}}, "more"),
        (MISTRAL | {"use_biases": True}, "use_biases"),
        (MISTRAL | {"lora": {"rank": 4}}, "lora: not known"),
    ],
)
def test_what_is_not_exact_is_refused(data: dict[str, Any], says: str) -> None:
    with pytest.raises(GptCountError, match=says):
        counted(data)


SMALL = {"dim": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "vocab_size": 24, "multiple_of": 8, "norm_eps": 1e-5}


def tensors() -> dict[str, np.ndarray[Any, Any]]:
    """A small checkpoint in Meta's own names."""
    chance = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"tok_embeddings": (24, 16), "norm": (16,), "output": (24, 16)}
    for layer in range(2):
        block = {"attention.wq": (16, 16), "attention.wk": (8, 16), "attention.wv": (8, 16), "attention.wo": (16, 16)}
        block |= {"feed_forward.w1": (48, 16), "feed_forward.w3": (48, 16), "feed_forward.w2": (16, 48)}
        block |= {"attention_norm": (16,), "ffn_norm": (16,)}
        shapes |= {f"layers.{layer}.{name}": shape for name, shape in block.items()}
    return {f"{name}.weight": chance.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


HUGGING = {
    "model_type": "llama",
    "hidden_size": 16,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 24,
    "rms_norm_eps": 1e-5,
}


def converted(of: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """The same checkpoint in transformers' names, whose queries and keys lie in halves and not in pairs."""
    names = {"attention.wq": "self_attn.q_proj", "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj"}
    names |= {"attention.wo": "self_attn.o_proj", "feed_forward.w1": "mlp.gate_proj", "feed_forward.w3": "mlp.up_proj"}
    names |= {"feed_forward.w2": "mlp.down_proj", "attention_norm": "input_layernorm"}
    names |= {"ffn_norm": "post_attention_layernorm", "tok_embeddings": "embed_tokens"}
    found = {}
    for name, array in of.items():
        if ".wq." in name or ".wk." in name:
            array = array.reshape(-1, 2, 2, 16).swapaxes(1, 2).reshape(array.shape)
        for old, new in names.items():
            name = name.replace(f"{old}.weight", f"{new}.weight")
        found["lm_head.weight" if name == "output.weight" else f"model.{name}"] = array
    return found


def folder(path: Path, of: dict[str, np.ndarray[Any, Any]], **configurations: dict[str, Any]) -> Path:
    from safetensors.numpy import save_file

    path.mkdir()
    save_file(of, path / "consolidated.safetensors")
    for name, data in configurations.items():
        (path / f"{name}.json").write_text(json.dumps(data))
    return path


def test_a_folder_with_a_params_json_is_a_model_and_its_checkpoint(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", tensors(), params=SMALL)
    assert load(own).name == "own"
    found = audited(str(own))
    assert found.agrees
    assert "Meta's and Mistral's own" in found.notes[0]


def test_logits_are_the_same_under_either_names(tmp_path: Path) -> None:
    """Meta turns neighbouring numbers, transformers the halves of a head: each with its own order of rows."""
    own = folder(tmp_path / "own", tensors(), params=SMALL)
    theirs = folder(tmp_path / "theirs", converted(tensors()), config=HUGGING)
    tokens = np.array([[1, 5, 9, 2, 23, 0, 7]])
    a = logits(load(own), own, tokens)
    b = logits(load(theirs), theirs, tokens)
    assert np.abs(a - b).max() < 1e-4
    assert np.abs(a).max() > 1e-2


@pytest.mark.parametrize("swapped", [True, False])
def test_names_of_one_kind_with_a_configuration_of_the_other_are_refused(swapped: bool, tmp_path: Path) -> None:
    of, said = (tensors(), {"config": HUGGING}) if swapped else (converted(tensors()), {"params": SMALL})
    path = folder(tmp_path / "mixed", of, **said)
    assert audited(str(path)).agrees
    with pytest.raises(GptCountError, match="queries and keys lie otherwise"):
        logits(load(path), path, np.array([[1, 2]]))


def test_a_mapping_is_read_as_the_file_is() -> None:
    data = META | {"vocab_size": 32000}
    assert load(data).plain() == config_json.parse(json.dumps(data), "configuration").plain()
