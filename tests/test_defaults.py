"""What absent keys stand for: held against the configuration classes of the reference implementation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gptcount.families import MODULES, defaults

CLASSES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "authorities" / "reference" / "defaults.json").read_text()
)

OTHERWISE = {
    ("qwen2_5_omni_text", "sliding_window"): "the class says null where use_sliding_window is off",
    ("axk2", "n_group"): "null is one group",
    ("axk2", "topk_group"): "null is one group",
}
"""Where a class says another word for the same thing."""


def held() -> list[tuple[str, str]]:
    return [
        (model_type, key)
        for model_type in MODULES
        for key in defaults(model_type)
        if key in CLASSES.get(model_type, {}) and isinstance(defaults(model_type)[key], int | float | None)
    ]


@pytest.mark.parametrize("model_type", sorted({model_type for model_type, _ in held()}))
def test_absent_keys_stand_for_what_the_class_takes(model_type: str):
    said, keys = defaults(model_type), [key for other, key in held() if other == model_type]
    mine = {key: said[key] for key in keys if (model_type, key) not in OTHERWISE}
    assert mine == {key: CLASSES[model_type][key] for key in mine}


def test_most_of_them_are_held():
    assert len(held()) > 500
