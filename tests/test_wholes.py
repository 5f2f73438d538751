"""Language models inside larger configurations: who decides whether they are tied, and what stands beside them.

The evidence is in authorities/reference/wholes.json, made by regenerate_wholes.py there.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from gptcount.errors import InputError
from gptcount.families.wholes import TIE, wholes
from gptcount.ledger import breakdown
from gptcount.sources import config_json

EVIDENCE = json.loads((Path(__file__).parent / "authorities/reference/wholes.json").read_text())
PAIRS = EVIDENCE["wholes"]
REFUSED = {("voxtral", "opt"), ("voxtral", "phi")}
"""What the whole takes absent keys for, these families do not know."""

LLAMA = dict(hidden_size=72, intermediate_size=116, num_hidden_layers=4, num_attention_heads=6, vocab_size=211)
LLAMA |= dict(num_key_value_heads=3, max_position_embeddings=97)
TIED, UNTIED = 178_272, 193_464
"""How many parameters that Llama has: transformers builds as many."""


def read(config: dict[str, Any]) -> Any:
    return breakdown(config_json.parse(json.dumps(config), "config.json"))


def total(config: dict[str, Any]) -> int:
    return int(read(config).totals["parameters"])


def whole(kind: str, **said: Any) -> dict[str, Any]:
    """A larger configuration with that Llama inside."""
    return {"model_type": kind, "text_config": {"model_type": "llama", **LLAMA}} | said


def notes(config: dict[str, Any]) -> str:
    return "; ".join(read(config).architecture.notes)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['whole']}-{pair['family']}")
def test_the_count_is_that_of_the_reference_however_tying_is_said(pair):
    for said, expected in pair["parameters"].items():
        outer, inner = json.loads(f"[{said}]")
        nested = EVIDENCE["families"][pair["family"]] | ({} if inner is None else {TIE: inner})
        config = {"model_type": pair["whole"], "text_config": nested} | EVIDENCE["beside"].get(pair["whole"], {})
        config |= {} if outer is None else {TIE: outer}
        if (pair["whole"], outer) == ("ovis2", False) or (pair["whole"], pair["family"]) in REFUSED:
            with pytest.raises(InputError, match=r"vocab_size|not known|head_dim"):
                total(config)
        else:
            assert total(config) == expected, said


def test_a_whole_that_is_not_known_is_refused_with_the_way_out():
    with pytest.raises(InputError, match=r"'newvl' is not known, nor how it ties.*text_config; save that object as"):
        total(whole("newvl", tie_word_embeddings=False))


def test_a_family_that_is_not_known_is_refused_inside_too():
    with pytest.raises(InputError, match="'lama' is not known"):
        total(whole("llava", text_config={"model_type": "lama"}))


def test_a_whole_without_a_language_model_is_refused():
    with pytest.raises(InputError, match="text_config: missing"):
        total({"model_type": "llava"})


@pytest.mark.parametrize("said", [None, 1, "yes"])
def test_what_is_neither_true_nor_false_is_refused(said):
    with pytest.raises(InputError, match=TIE):
        total(whole("llava", tie_word_embeddings=said))


def test_the_outer_class_says_how_the_model_ends():
    assert total(whole("llava", architectures=["LlavaForConditionalGeneration"])) == UNTIED
    assert total(whole("llava", architectures=["LlavaModel"])) == UNTIED - 211 * 72
    nested = {"model_type": "gemma3_text", "architectures": ["Nonsense"], **LLAMA}
    scored = {"architectures": ["Gemma3ForSequenceClassification"], "num_labels": 5}
    base = total({"model_type": "gemma3", "text_config": nested, "architectures": ["Gemma3Model"]})
    assert total({"model_type": "gemma3", "text_config": nested} | scored) == base + 5 * 72
    with pytest.raises(InputError, match="LlavaForImages: unknown class"):
        total(whole("llava", architectures=["LlavaForImages"]))


def test_transformers_4_asked_the_nested_object():
    older = {"transformers_version": "4.57.1"}
    silent, tied = whole("internvl", **older), whole("idefics3", **older)
    assert total(silent) == UNTIED
    tied["text_config"][TIE] = True
    assert total(tied) == TIED
    assert total(whole("internvl")) == TIED
    assert total(whole("internvl", tie_word_embeddings=True, **older)) == TIED


def test_published_files_of_mistral_small_say_nothing_and_are_not_tied():
    inside = dict(hidden_size=5120, num_attention_heads=32, head_dim=128, num_key_value_heads=8, vocab_size=131_072)
    inside |= dict(intermediate_size=32_768, num_hidden_layers=40, max_position_embeddings=131_072)
    inside |= dict(sliding_window=None, rms_norm_eps=1e-5, rope_theta=1e9)
    config = {"model_type": "mistral3", "text_config": {"model_type": "mistral", **inside}}
    config |= {"architectures": ["Mistral3ForConditionalGeneration"]}
    assert total(config) == 23_572_403_200
    assert "published checkpoints store an unembedding" in notes(config)


def test_an_object_that_says_other_than_what_counts_is_named():
    config = whole("internvl")
    config["text_config"][TIE] = False
    assert total(config) == TIED
    assert "false in text_config: internvl is tied in that case" in notes(config)
    assert "true in text_config: fuyu is not tied in that case" in notes(
        {"model_type": "fuyu", "text_config": {"model_type": "persimmon", **LLAMA, "num_key_value_heads": 6, TIE: True}}
    )


def test_what_is_not_counted_is_said():
    assert "vision, audio and what joins them are not counted" in notes(whole("llava"))


def test_what_an_absent_key_means_inside_is_the_wholes():
    assert read(whole("voxtral")).architecture.attention.d_head == 128
    assert read(whole("llava")).architecture.attention.d_head == 12


FLAT = {**LLAMA, "num_key_value_heads": 3, "vision_config": {"depth": 2, "hidden_size": 64}, "vision_token_id": 7}


def test_older_files_describe_the_language_model_outside():
    nested = {"model_type": "qwen2_vl", "text_config": LLAMA}
    for tied in ({}, {TIE: True}, {TIE: False}):
        assert total({"model_type": "qwen2_vl", **FLAT} | tied) == total(nested | tied)
    fuyu = {key: value for key, value in LLAMA.items() if key != "num_key_value_heads"}
    assert total({"model_type": "fuyu", **fuyu}) == total({"model_type": "fuyu", "text_config": fuyu})


def test_a_thinker_stands_in_an_omni():
    thinker = {"text_config": {"model_type": "qwen2_5_omni_text", **LLAMA}, "audio_config": {"d_model": 64}}
    omni = {"model_type": "qwen2_5_omni", "thinker_config": thinker, "talker_config": {"hidden_size": 64}}
    alone = {"model_type": "qwen2_5_omni_thinker", **thinker}
    assert total(omni | {"architectures": ["Qwen2_5OmniModel"]}) == total(omni) == total(alone)


def test_a_size_outside_that_the_language_model_lacks_is_refused():
    config = whole("llava", intermediate_size=5120)
    assert total(config) == UNTIED
    del config["text_config"]["intermediate_size"]
    with pytest.raises(InputError, match="intermediate_size: not known"):
        total(config)


def test_keys_of_other_parts_have_no_bearing():
    parts = dict(vision_config={"hidden_size": 9}, projector_hidden_act="gelu", vision_feature_layer=-2)
    assert total(whole("llava", **parts)) == UNTIED
    with pytest.raises(InputError, match="n_patches: not known"):
        total(whole("llava", **parts, n_patches=3))
    own = dict(architectures=["LlavaForConditionalGeneration"])
    assert total(whole("llava", **parts, **own, n_patches=3)) == UNTIED
    with pytest.raises(InputError, match="tie_word_embedding: not known"):
        total(whole("llava", **parts, **own, tie_word_embedding=True))


def test_only_code_of_its_own_builds_it_so_its_keys_must_be_known():
    remote = {"model_type": "internvl_chat", "llm_config": {"model_type": "llama", **LLAMA}, "template": "phi3-chat"}
    remote |= {"architectures": ["InternVLChatModel"], "auto_map": {"AutoModel": "modeling_internvl_chat.Model"}}
    assert total(remote) == UNTIED
    with pytest.raises(InputError, match="n_adapters: not known"):
        total(remote | {"n_adapters": 3})


LLAVA = dict(mm_hidden_size=1024, mm_vision_tower="openai/clip", mm_vision_select_layer=-2, tune_mm_mlp_adapter=True)
LLAVA |= dict(image_aspect_ratio="anyres", image_crop_resolution=224, image_grid_pinpoints=[[336, 672]])
LLAVA |= dict(tokenizer_model_max_length=4096, tokenizer_padding_side="right", pos_skipping_range=4096)


@pytest.mark.parametrize(
    ("word", "family"), [("Llama", "llama"), ("Mistral", "mistral"), ("Qwen", "qwen2")], ids=lambda word: str(word)
)
@pytest.mark.parametrize("tied", [True, False])
def test_llavas_own_files_say_the_language_model_outside_and_its_family_by_the_class(
    word: str, family: str, tied: bool
):
    said = LLAMA | {TIE: tied}
    own = {"architectures": [f"Llava{word}ForCausalLM"], **LLAVA, **said}
    for kind in ("llava", f"llava_{word.lower()}"):
        assert total({"model_type": kind} | own) == total({"model_type": family} | said)
        assert "vision, audio and what joins them are not counted" in notes({"model_type": kind} | own)
        with pytest.raises(InputError, match="n_adapters: not known"):
            total({"model_type": kind, "n_adapters": 3} | own)


def test_of_another_class_a_flat_llava_is_refused():
    with pytest.raises(InputError, match="text_config: missing"):
        total({"model_type": "llava", "architectures": ["LlavaForConditionalGeneration"], **LLAVA, **LLAMA})


def test_an_unembedding_that_the_whole_sizes_must_fit():
    fits = dict(tie_word_embeddings=False, vocab_size=211, hidden_size=72)
    assert total(whole("ovis2", **fits)) == UNTIED
    with pytest.raises(InputError, match="vocab_size: 300 for the unembedding of ovis2, and 211 inside"):
        total(whole("ovis2", **fits | {"vocab_size": 300}))


def test_an_unembedding_of_its_own_is_as_wide_as_the_model():
    opt = dict(
        model_type="opt", hidden_size=72, num_hidden_layers=2, num_attention_heads=6, ffn_dim=116, vocab_size=211
    )
    assert total(whole("idefics3", text_config=opt | {"word_embed_proj_dim": 72}))
    with pytest.raises(InputError, match="word_embed_proj_dim: narrower"):
        total(whole("idefics3", text_config=opt | {"word_embed_proj_dim": 36}))


def test_tokens_that_are_read_and_never_scored_are_in_the_embedding_alone():
    ledger = read({"model_type": "mllama", "text_config": LLAMA | {"cross_attention_layers": [1]}})
    rows = {row.weight: row for row in ledger.rows}
    assert rows["embedding.token"].sizes == (219, 72)
    assert rows["unembedding.token"].sizes == (72, 211)
    assert ledger.totals["parameters"] - ledger.totals["non_embedding"] == (219 + 211) * 72
    assert rows["attention.crossed.query"].matrices == 6


def test_what_layer_by_layer_says_of_gemma_4():
    inside = {"model_type": "gemma4_text", **LLAMA, "head_dim": 10, "hidden_size_per_layer_input": 0}
    inside |= {"layer_types": ["sliding_attention", "full_attention"] * 2, "global_head_dim": 16}
    listed = {key: value for key, value in inside.items() if key != "global_head_dim"}
    listed["per_layer_config"] = {"01": {"head_dim": 16}, "3": {"head_dim": 16}}
    assert total(listed) == total(inside)
    assert total(listed | {"per_layer_config": {}}) == total(inside | {"global_head_dim": 10})
    for other in (
        {"1": {"head_dim": 16}},
        {"0": {"head_dim": 16}},
        {"a": {}},
        {"1": {"head_dim": 16}, "3": {"head_dim": 8}},
    ):
        with pytest.raises(InputError, match="per_layer_config"):
            total(listed | {"per_layer_config": other})
    with pytest.raises(InputError, match="hidden_size: not known"):
        total(listed | {"per_layer_config": {"1": {"hidden_size": 16}, "3": {"hidden_size": 16}}})


def test_every_whole_is_in_the_table_once():
    assert len(wholes()) > 80
    for kind, found in wholes().items():
        assert found.decides in ("whole", "either", "text", "never"), kind
        assert found.silent in (("tied", "untied", "text") if found.decides == "whole" else ("tied", "untied", "")), (
            kind
        )
        assert found.head in ("plain", "scaled", "as-text"), kind


def test_a_vision_model_of_lfm2_is_tied_as_the_older_word_says():
    assert total(whole("lfm2_vl")) == total(whole("lfm2_vl", tie_embedding=True, tie_word_embeddings=False)) == TIED
    assert total(whole("lfm2_vl", tie_embedding=False)) == UNTIED
