"""How a model ends, by the class that its file names, against the reference implementation; and the score head.

The evidence is authorities/reference/endings.json, made by regenerate_endings.py there.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gptcount
from gptcount.errors import InputError
from gptcount.reference import logits
from gptcount.sources import config_json
from gptcount.sources.specification import parse, toml
from gptcount.stored import tensors

REFERENCE = Path(__file__).parent / "authorities" / "reference"
CASES = json.loads((REFERENCE / "endings.json").read_text())
SMALL: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 30,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
}


def read(**keys: Any) -> gptcount.Architecture:
    return config_json.parse(json.dumps(SMALL | keys), "config.json")


def named(case: dict[str, Any]) -> str:
    return f"{case['config']['model_type']} {' '.join(case['config'].get('architectures', ['xielu']))}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_totals_and_tensors_are_those_that_the_class_builds(case: dict[str, Any]):
    architecture = config_json.parse(json.dumps(case["config"]), "config.json")
    totals = gptcount.breakdown(architecture).totals
    assert {total: totals[total] for total in ("parameters", "stored", "active")} == {
        total: case[total] for total in ("parameters", "stored", "active")
    }
    assert all("are turned in pairs" in failure for failure in gptcount.verify(architecture).failures)
    assert parse(toml(architecture), "again") == architecture
    if "tensors" in case and architecture.checkpoint != "deepseek_v4":  # its base model's are renamed by other rules
        stored = [[tensor.name, list(tensor.shape), tensor.copies] for tensor in tensors(architecture)]
        assert [row for row in case["tensors"] if row not in stored] == []
        assert {row[0] for row in stored}.isdisjoint(case["lacks"])


def test_there_are_cases_of_every_ending():
    assert len(CASES) > 150
    heads = {config_json.parse(json.dumps(case["config"]), "x").head for case in CASES}
    assert {head.tensor for head in heads if head} == {
        "score", "classifier", "qa_outputs", "multiple_choice_head.summary",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["LlamaForCausalLMEagle3", "DFlashDraftModel", "InfiMMZephyrModel", "LlamaForRewardModel", "", "[red]"]
)
def test_a_class_that_is_not_known_is_refused_by_name(name: str):
    with pytest.raises(InputError, match=r"config\.json: architectures: .*unknown class") as fault:
        read(architectures=[name])
    assert name in str(fault.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"architectures": "LlamaModel"}, "expected a list"),
        ({"architectures": [1]}, "expected a list"),
        ({"architectures": ["LlamaModel", "LlamaForCausalLM"]}, "different heads"),
        ({"architectures": ["LlamaForSequenceClassification"], "num_labels": 0}, "num_labels: 0"),
        ({"architectures": ["LlamaForSequenceClassification"], "num_labels": 3, "id2label": {"0": "a"}}, "id2label"),
        ({"architectures": ["LlamaForSequenceClassification"], "id2label": [1]}, "id2label"),
    ],
)
def test_what_contradicts_itself_is_refused(keys: dict[str, Any], said: str):
    with pytest.raises(InputError, match=said):
        read(**keys)


def test_labels_are_counted_as_the_reference_counts_them():
    name = {"architectures": ["LlamaForSequenceClassification"]}
    assert read(**name).head.n_labels == 2
    assert read(**name, num_labels=5).head.n_labels == 5
    assert read(**name, id2label={"0": "a", "1": "b", "2": "c"}).head.n_labels == 3
    assert read(num_labels=5).head is None


@pytest.mark.parametrize(
    "files",
    [
        {"AutoConfig": "configuration_it.ItConfig", "AutoModel": "modeling_it.ItForCausalLM"},
        {"AutoModelForSequenceClassification": [None, "modeling_it.ItForSequenceClassification"]},
    ],
)
def test_a_class_of_labels_that_the_files_own_code_does_not_name_may_end_in_any_head(files: dict[str, Any]):
    """As one of InternLM whose checkpoint holds 13 rows in several classifiers, and whose file says nothing of them."""
    with pytest.raises(InputError, match=r"architectures: LlamaForSequenceClassification is none of the classes that"):
        read(architectures=["LlamaForSequenceClassification"], auto_map=files)
    named = {**files, "AutoModelForSequenceClassification": "modeling_it.LlamaForSequenceClassification"}
    assert read(architectures=["LlamaForSequenceClassification"], auto_map=named).head.n_labels == 2


def test_a_value_head_stands_beside_the_unembedding():
    plain, valued = read(), read(architectures=["LlamaForCausalLMWithValueHead"])
    assert valued.head.n_labels == 1
    assert gptcount.breakdown(valued).totals["parameters"] == gptcount.breakdown(plain).totals["parameters"] + 9


def made(architecture: gptcount.Architecture) -> dict[str, np.ndarray]:
    numbers = np.random.default_rng(1)
    return {
        tensor.name.format(layer): numbers.standard_normal(tensor.shape, np.float32)
        for tensor in tensors(architecture)
        for layer in range(tensor.copies)
    }


def test_a_classifier_scores_labels_from_the_vectors_of_the_base_model():
    classifier = read(architectures=["LlamaForTokenClassification"], num_labels=3)
    arrays = made(classifier)
    scores = logits(classifier, arrays, np.array([[3, 1, 4]]))
    assert scores.shape == (1, 3, 3)
    head = {"lm_head.weight": np.zeros((30, 8), np.float32)}
    head["lm_head.weight"][:3] = arrays["score.weight"]
    tokens = logits(read(), arrays | head, np.array([[3, 1, 4]]))[..., :3]
    np.testing.assert_allclose(scores, tokens + arrays["score.bias"], atol=1e-5)


def test_a_base_model_has_no_logits_and_says_so():
    base = read(architectures=["LlamaModel"])
    assert "embed_tokens.weight" in made(base)
    with pytest.raises(InputError, match="no unembedding and no head"):
        logits(base, made(base), np.array([[3, 1, 4]]))


@pytest.mark.parametrize(
    "key", [{"tokenizer": "fast"}, {"tokenizer_model_max_length": 4096}, {"tokenizer_padding_side": "right"}]
)
def test_what_is_said_of_the_tokenizer_has_no_bearing_with_or_without_a_class(key: dict[str, Any]):
    assert read(**key) == read()


NOTED: list[Any] = [True, False, None, 0.5, 1, 0, "a text", ["a", "b"]]
REFUSED: list[Any] = [2, 4096, {"a": 1}, [1, 2], [["a"]]]


@pytest.mark.parametrize("value", NOTED)
def test_a_key_that_the_class_does_not_read_is_noted(value: Any):
    found = read(architectures=["LlamaForCausalLM"], sequence_parallel_enabled=value)
    assert found.notes == ("not read by LlamaForCausalLM: sequence_parallel_enabled",)


@pytest.mark.parametrize("value", REFUSED)
def test_a_key_that_could_be_a_size_is_refused(value: Any):
    with pytest.raises(InputError, match="sequence_parallel_enabled: not known for model_type 'llama'"):
        read(architectures=["LlamaForCausalLM"], sequence_parallel_enabled=value)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"architectures": None},
        {"architectures": ["MistralForCausalLM"]},
        {"architectures": ["LlamaForCausalLM"], "auto_map": {"AutoModelForCausalLM": "modeling.LlamaForCausalLM"}},
    ],
)
def test_without_the_familys_own_class_every_unread_key_is_refused(keys: dict[str, Any]):
    with pytest.raises(InputError, match="sequence_parallel_enabled: not known"):
        read(**keys, sequence_parallel_enabled=True)


@pytest.mark.parametrize("key", ["head_dims", "tie_word_embedding", "num_key_values_heads"])
def test_a_misspelt_key_is_refused(key: str):
    with pytest.raises(InputError, match=f"{key}: not known"):
        read(architectures=["LlamaForCausalLM"], **{key: None})


@pytest.mark.parametrize("key", ["mask_token_id", "eos_token", "image_token_index", "badwordsids"])
def test_a_key_of_a_token_has_no_bearing(key: str):
    assert not read(**{key: 4096}).notes


def test_a_model_that_is_not_causal_sees_later_tokens():
    found = read(architectures=["LlamaModel"], is_causal=False)
    assert found.attention.bidirectional
    windowed = read(model_type="mistral", is_causal=False, num_key_value_heads=2, sliding_window=4)
    assert (windowed.attention.bidirectional, windowed.attention.window) == (True, 5)
    with pytest.raises(InputError, match="is_causal"):
        config_json.parse('{"model_type": "openai-gpt", "is_causal": false}', "config.json")
