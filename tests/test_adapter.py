"""Adapters that are made here as peft writes them: counted by target, and held against models that they fit or not."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_audit import GPT2, LLAMA
from typer.testing import CliRunner

from gptcount.adapter import Adapter, adapter
from gptcount.audit import load
from gptcount.cli import app
from gptcount.errors import InputError
from gptcount.output import audit as view
from gptcount.output import plain
from gptcount.sources import config_json
from gptcount.sources.entries import Checkpoint, Entry

LORA: dict[str, Any] = {
    "peft_type": "LORA",
    "r": 4,
    "lora_alpha": 8,
    "target_modules": ["q_proj", "k_proj"],
    "base_model_name_or_path": "some/base",
}
Shapes = dict[str, tuple[int, ...]]


def lora(rank: int = 4, key: int = 16) -> Shapes:
    """Rank 4 beside the queries and keys of every layer."""
    found: Shapes = {}
    for layer in range(3):
        for target, out in (("q_proj", 32), ("k_proj", key)):
            base = f"base_model.model.model.layers.{layer}.self_attn.{target}"
            found |= {f"{base}.lora_A.weight": (rank, 32), f"{base}.lora_B.weight": (out, rank)}
    return found


def held(of: Shapes, settings: dict[str, Any] = LORA, model: dict[str, Any] | None = LLAMA) -> Adapter:
    entries = tuple(Entry(name, "F32", shape) for name, shape in of.items())
    architecture = config_json.parse(json.dumps(model), "config.json") if model else None
    found = adapter(Checkpoint("made here", entries, adapter=json.dumps(settings)), architecture)
    assert found.parameters == sum(map(prod, of.values())) == sum(row.parameters for row in found.rows)
    assert found.bytes == 4 * found.parameters
    return found


def test_a_lora_fits_its_model() -> None:
    found = held(lora())
    assert found.agrees
    assert [(row.target, row.copies, row.finding) for row in found.rows] == [
        ("model.layers.{0:3}.self_attn.q_proj", 3, "fits"),
        ("model.layers.{0:3}.self_attn.k_proj", 3, "fits"),
    ]
    text = plain.render(view.parts(found))
    assert "LoRA, rank 4, alpha 8: what it adds is multiplied by 2." in text
    assert "Made for: some/base." in text
    assert "Fits." in text
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (lora(key=32), "B: 16 × 4 wanted"),
        (lora() | {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": (4, 31)}, "A: 4 × 32 wanted"),
        (lora(rank=5), "rank 5, and adapter_config.json says 4"),
        (lora() | {"base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": (32, 3)}, "ranks 4 and 3"),
        ({"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": (4, 32)}, "lora_B is missing"),
        (
            {
                "base_model.model.model.layers.0.attn.c_attn.lora_A.weight": (4, 32),
                "base_model.model.model.layers.0.attn.c_attn.lora_B.weight": (32, 4),
            },
            "no such module",
        ),
        (
            {
                "base_model.model.model.norm.lora_A.weight": (4, 32),
                "base_model.model.model.norm.lora_B.weight": (32, 4),
            },
            "not beside a matrix",
        ),
    ],
)
def test_what_does_not_fit_is_said(of: Shapes, says: str) -> None:
    found = held(of)
    assert not found.agrees
    assert says in " ".join(row.finding for row in found.rows)
    assert "Does not fit" in " ".join(plain.render(view.parts(found)).split())


def test_a_layer_that_the_model_lacks_is_no_module_of_it() -> None:
    base = "base_model.model.model.layers.3.self_attn.q_proj"
    assert not held(lora() | {f"{base}.lora_A.weight": (4, 32), f"{base}.lora_B.weight": (32, 4)}).agrees


def test_magnitudes_modules_of_their_own_embeddings_and_biases_fit_too() -> None:
    of = lora()
    of |= {
        name.replace("lora_A.weight", "lora_magnitude_vector"): (32 if "q_proj" in name else 16,)
        for name in of
        if "lora_A" in name
    }
    of |= {"base_model.model.lm_head.weight": (48, 32), "base_model.model.score.weight": (2, 32)}
    of |= {
        "base_model.model.model.embed_tokens.lora_embedding_A": (4, 48),
        "base_model.model.model.embed_tokens.lora_embedding_B": (32, 4),
    }
    found = held(of, LORA | {"use_dora": True, "modules_to_save": ["lm_head", "score"]})
    assert found.agrees, [(row.target, row.finding) for row in found.rows]
    assert "DoRA" in found.settings.method
    assert {row.finding for row in found.rows if row.target == "score"} == {"counted"}
    wrong = of | {"base_model.model.lm_head.weight": (49, 32)}
    assert not held(wrong).agrees
    wrong = of | {"base_model.model.model.embed_tokens.lora_embedding_A": (4, 32)}
    assert not held(wrong).agrees
    wrong = {name: (8,) if "magnitude" in name else shape for name, shape in of.items()}
    assert not held(wrong).agrees


def test_conv1d_matrices_are_the_other_way_round() -> None:
    base = "base_model.model.transformer.h.0.attn.c_attn"
    of = {f"{base}.lora_A.weight": (4, 8), f"{base}.lora_B.weight": (24, 4)}
    assert held(of, LORA | {"fan_in_fan_out": True}, GPT2).agrees
    assert not held(of, LORA, GPT2).agrees


@pytest.mark.parametrize("key", ["k_proj", "self_attn.k_proj", r"^model\.layers\.\d+\.self_attn\.k_proj"])
def test_ranks_of_some_modules(key: str) -> None:
    of = {
        name: tuple(2 if n == 4 else n for n in shape) if "k_proj" in name else shape for name, shape in lora().items()
    }
    assert held(of, LORA | {"rank_pattern": {key: 2}}).agrees
    assert not held(of, LORA | {"rank_pattern": {"v_proj": 2}}).agrees


def test_the_scale_of_a_rank_stabilized_adapter() -> None:
    text = plain.render(view.parts(held(lora(), LORA | {"use_rslora": True})))
    assert "multiplied by 4." in text


def test_other_methods_are_counted() -> None:
    of = {"base_model.model.model.layers.0.self_attn.k_proj.ia3_l": (16, 1)}
    found = held(of, {"peft_type": "IA3"})
    assert found.agrees
    assert found.settings.method == "IA3"
    assert "not known here" in found.notes[0]


def write(folder: Path, of: Shapes, settings: object = LORA) -> Path:
    from safetensors.numpy import save_file

    save_file({name: np.zeros(shape, np.float32) for name, shape in of.items()}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def test_a_folder_of_an_adapter_is_one(tmp_path: Path) -> None:
    folder = write(tmp_path, lora())
    for named in (folder, folder / "adapter_model.safetensors"):
        found = load(str(named))
        assert isinstance(found, Adapter)
        assert not found.model
        assert "name its base with --against" in " ".join(plain.render(view.parts(found)).split())
    (tmp_path / "base.json").write_text(json.dumps(LLAMA))
    done = CliRunner().invoke(app, ["audit", str(folder), "--against", str(tmp_path / "base.json"), "--json"])
    document = json.loads(done.stdout)
    assert done.exit_code == 0
    assert document["agrees"] is True
    assert document["totals"]["adapter"] == sum(map(prod, lora().values()))
    assert document["adapter"]["base"] == "some/base"
    write(tmp_path, lora(key=32))
    wrong = CliRunner().invoke(app, ["audit", str(folder), "--against", str(tmp_path / "base.json")])
    assert wrong.exit_code == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ([], "not a JSON object"),
        ({"r": "4"}, "r: expected an integer"),
        ({"r": True}, "r: expected an integer"),
        ({"target_modules": 3}, "target_modules: expected a text or a list"),
        ({"rank_pattern": {"a": "b"}}, "rank_pattern: expected integers"),
        ({"peft_type": 1}, "peft_type: expected a text"),
    ],
)
def test_settings_of_another_type_are_refused(settings: object, says: str, tmp_path: Path) -> None:
    write(tmp_path, lora(), settings)
    with pytest.raises(InputError, match=says):
        load(str(tmp_path))


def test_a_model_with_an_adapter_beside_it_is_a_model(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    write(tmp_path, lora())
    save_file({"a.weight": np.zeros((2, 3), np.float32)}, tmp_path / "model.safetensors")
    assert not isinstance(load(str(tmp_path)), Adapter)
