"""The larger configurations that a language model stands in: its family, and who decides whether it is tied.

The table says what the classes of Hugging Face transformers 5.24 build from each (``models/*/configuration_*.py`` and
``modeling_*.py``), and a few classes that come with code of their own. It knows no sizes, and calls no reader.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

from gptcount.families.config import Config

TABLE = """
apertus1p5               Apertus1p5                apertus1p5_text          whole:untied
aria                     Aria                      aria_text                whole:untied
audioflamingo3           AudioFlamingo3            qwen2*                   never
aya_vision               AyaVision                 cohere2*                 whole:tied
blip-2                   Blip2                     opt*                     text           as-text
cohere2_vision           Cohere2Vision             cohere2*                 whole:tied
cohere_compass           CohereCompass             cohere_compass_text      whole:untied
cosmos3_edge             Cosmos3Edge               cosmos3_edge_text        never
cosmos3_omni             Cosmos3Omni               qwen3_vl_text*           whole:untied
deepseek_ocr2            DeepseekOcr2              deepseek_ocr2_text       whole:untied
deepseek_vl              DeepseekVL                llama*                   whole:tied
deepseek_vl_hybrid       DeepseekVLHybrid          llama*                   whole:tied
dots3_note               Dots3Note                 dots3_note_text          whole:untied
ernie4_5_vl_moe          Ernie4_5_VLMoe            ernie4_5_vl_moe_text     whole:tied
exaone4_5                Exaone4_5_                exaone4*                 whole:untied
fast_vlm                 FastVlm                   qwen2*                   either:untied
fun_asr_nano             FunAsrNano                qwen3*                   whole:tied
fuyu                     Fuyu                      persimmon*               whole:untied
gemma3                   Gemma3                    gemma3_text              whole:tied
gemma3n                  Gemma3n                   gemma3n_text             whole:tied     scaled
gemma4                   Gemma4                    gemma4_text              whole:tied     scaled
gemma4_unified           Gemma4Unified             gemma4_unified_text      whole:tied     scaled
glm46v                   Glm46V                    glm4v_text*              whole:untied
glm4v                    Glm4v                     glm4v_text               either:untied
glm4v_moe                Glm4vMoe                  glm4v_moe_text           either:untied
glm5_next                Glm5Next                  glm5_next_text           whole:untied
glm_ocr                  GlmOcr                    glm_ocr_text             either:untied
glmasr                   GlmAsr                    llama*                   whole:tied
glmga                    Glm46V                    glm4v_text*              whole:untied
got_ocr2                 GotOcr2                   qwen2*                   whole:tied
granite4_vision          Granite4Vision            granite4_vision_text     whole:untied   scaled
granite_docling          GraniteDocling            granite_docling_text     whole:tied     scaled
granite_speech           GraniteSpeech             granite*                 whole:tied
granite_speech_plus      GraniteSpeechPlus         granite*                 whole:tied
hunyuan_vl               HunYuanVL                 hunyuan_vl_text          either:tied
hy_v4_vl                 HYV4VL                    hy_v4_vl_text            whole:untied
hyperclovax_vision_v2    HyperCLOVAXVisionV2       hyperclovax*             whole:tied     scaled
idefics2                 Idefics2                  mistral*                 whole:untied
idefics3                 Idefics3                  llama*                   whole:untied
inkling_mm_model         Inkling                   inkling_text             never          as-text
instructblip             InstructBlip              opt*                     text           as-text
instructblipvideo        InstructBlipVideo         opt*                     text           as-text
internvl                 InternVL                  qwen2*                   whole:tied
internvl_chat            InternVLChat              internlm2*               text           as-text
janus                    Janus                     llama*                   whole:tied
kimi_k25                 Kimi_K25                  deepseek_v3*             whole:tied
kimi_vl                  KimiVL                    deepseek_v3*             text           as-text
lfm2_vl                  Lfm2Vl                    lfm2*                    whole:tied
lfm3_vl                  Lfm3Vl                    lfm3*                    whole:tied
lighton_ocr              LightOnOcr                qwen3*                   whole:tied
llama4                   Llama4                    llama4_text              text           as-text
llava                    Llava                     llama*                   either:untied
llava_llama              LlavaLlama                llama                    text           as-text
llava_mistral            LlavaMistral              mistral                  text           as-text
llava_next               LlavaNext                 llama*                   whole:untied
llava_next_video         LlavaNextVideo            llama*                   either:untied
llava_onevision          LlavaOnevision            qwen2*                   either:untied
llava_qwen               LlavaQwen                 qwen2                    text           as-text
minicpm_ocr              MiniCPMOcr                qwen3_5_text*            whole:tied
minicpmv4_6              MiniCPMV4_6               qwen3_5_text*            whole:untied
minicpmv4_7              MiniCPMV4_7               qwen3_5_text*            whole:untied
minimax_m3_vl            MiniMaxM3Sparse           minimax_m3_vl_text       either:untied
mistral3                 Mistral3                  mistral*                 whole:tied
mistral_large4           MistralLarge4             mistral_large4_text      whole:untied
mllama                   Mllama                    mllama_text_model        never
molmo2                   Molmo2                    molmo2_text              never
moss_transcribe_diarize  MossTranscribeDiarize     qwen3*                   whole:tied
multi_modality           MultiModality             llama*                   text           as-text
muse_glimmer             MuseGlimmer               muse_glimmer_text        whole:untied   scaled
muse_spark               MuseSpark                 muse_spark_text          never
musicflamingo            MusicFlamingo             qwen2*                   never
nemo_speechlm            Nemotron3_5Transcribe     nemotron_h*              never
nemotron_h_omni          NemotronH_Omni            nemotron_h*              text           as-text
omniasr                  OmniASR                   llama*                   never
ovis2                    Ovis2                     qwen2*                   whole:tied
paddleocr_vl             PaddleOCRVL               paddleocr_vl_text        either:tied
paligemma                PaliGemma                 gemma*                   whole:tied     scaled
perception_lm            PerceptionLM              llama*                   whole:text
pp_chart2table           GotOcr2                   qwen2*                   whole:tied
qianfan_ocr              QianfanOCR                qwen3*                   whole:untied
qwen2_5_omni             Qwen2_5Omni               qwen2_5_omni_thinker     whole:untied
qwen2_5_omni_thinker     Qwen2_5OmniThinker        qwen2_5_omni_text        whole:untied
qwen2_5_vl               Qwen2_5_VL                qwen2_5_vl_text          either:untied
qwen2_audio              Qwen2Audio                qwen2*                   never
qwen2_vl                 Qwen2VL                   qwen2_vl_text            either:untied
qwen3_5                  Qwen3_5                   qwen3_5_text             whole:untied
qwen3_5_moe              Qwen3_5Moe                qwen3_5_moe_text         whole:untied
qwen3_asr                Qwen3ASR                  qwen3*                   whole:tied
qwen3_omni_moe           Qwen3OmniMoe              qwen3_omni_moe_thinker   whole:untied
qwen3_omni_moe_thinker   Qwen3OmniMoeThinker       qwen3_omni_moe_text      whole:untied
qwen3_vl                 Qwen3VL                   qwen3_vl_text            whole:untied
qwen3_vl_moe             Qwen3VLMoe                qwen3_vl_moe_text        whole:untied
qwen4_exp                Qwen4Exp                  qwen4_exp_text           whole:untied
shieldgemma2             Gemma3                    gemma3_text*             either:untied
smolvlm                  SmolVLM                   llama*                   whole:untied
step3p7                  Step3p7                   step3p5                  whole:untied
unlimited_ocr            UnlimitedOcr              unlimited_ocr_text       whole:untied
vibevoice                VibeVoice                 qwen2*                   text
vibevoice_asr            VibeVoiceAsr              qwen2*                   never
video_llama_3            VideoLlama3               qwen2*                   either:untied
video_llava              VideoLlava                llama*                   whole:untied
vipllava                 VipLlava                  llama*                   whole:untied
voxtral                  Voxtral                   llama*                   never
voxtral_realtime         VoxtralRealtime           voxtral_realtime_text    whole:tied
"""
"""A ``model_type``; the word that its classes begin with; the family of the language model inside, with a star where
the nested object may name another; who decides whether that is tied, and what its silence means:

- ``whole``: the outer object's ``tie_word_embeddings``; where it says nothing, as is said behind the colon, and
  ``text``: as the nested object or its family has it;
- ``either``: tied where one of the two says so, or where the outer one says nothing and is tied by default;
- ``text``: the nested object's alone;
- ``never``: not tied, whatever they say;

and the matrix that scores tokens, where it is not one without bias, cap or factor: ``scaled``, with the cap and the
factor that the language model has; ``as-text``, the language model's own in all."""

KEYS = {
    "internvl_chat": "llm_config",
    "multi_modality": "language_config",
    "qwen2_5_omni": "thinker_config",
    "qwen3_omni_moe": "thinker_config",
}
"""Where the language model is described, if not in a ``text_config``."""

OLDER_KEYS = {"nemotron_h_omni": ("llm_config",)}
"""Where older files of some describe it, which have no ``text_config``."""

REMOTE = frozenset("internvl_chat kimi_vl multi_modality".split())
"""Built by code that their files bring, which may read any key."""

FLAT = frozenset("fuyu glm4v hunyuan_vl llava_llama llava_mistral llava_qwen paddleocr_vl qwen2_vl qwen2_5_vl".split())
"""Older files of these, and those of LLaVA's own code, describe the language model in the outer object itself."""

DEFAULTS: dict[str, dict[str, Any]] = {
    "voxtral": dict(
        vocab_size=131_072, hidden_size=3072, intermediate_size=8192, num_hidden_layers=30, num_key_value_heads=8
    )
    | dict(max_position_embeddings=131_072, rms_norm_eps=1e-5, rope_theta=100_000_000.0, head_dim=128),
}
"""What a whole takes absent keys of its language model for, where that is not what the family takes them for."""

OF_THE_HEAD = {"ovis2": {"vocab_size": ("n_vocab", 151_643), "hidden_size": ("d_model", 1536)}}
"""Sizes in the outer object that an unembedding of its own has, and what they are taken for where they are absent."""

OLDER_TIE = {"lfm2_vl": "tie_embedding"}
"""What the files of some call ``tie_word_embeddings``: where it is there, it counts, in both objects."""

UNTIED = frozenset(["mistral3"])
"""Published files of these say nowhere whether they are tied, and their checkpoints keep an unembedding of their own:
where both objects are silent and the file names its class, the family of the language model says it."""

INNER = ("text_config", "llm_config", "language_config", "thinker_config")
"""The words by which a configuration that is not known may describe a language model."""

RENAMED = {"kimi_k2": "deepseek_v3", "exaone4_5_text": "exaone4"}
"""Older names of families, as nested objects have them."""

OF_THE_WHOLE = "architectures auto_map id2label num_labels _name_or_path quantization_config transformers_version"
"""Keys that the outer object says of the language model too; the nested object's own are passed over, but for how it is
quantized."""

OF_IMAGES = re.compile(r"(\w+_)?mm_\w+|(image|vision|video)_\w+", re.ASCII)
"""Keys that speak of images beside a text (``mm``: multimodal), as LLaVA's own code calls them."""

OF_OTHER_PARTS = frozenset(
    """
    acoustic_tokenizer_chunk_size acoustic_tokenizer_encoder_config adapter_config adapter_layer_norm_eps
    adaptor_config alignment_intermediate_size audio_chunk_size audio_config audio_frame_step audio_length_per_tok
    audio_merge_size audio_soft_tokens_per_image audio_token_offset backbone_hidden_size code2wav_config
    deepstack_layer_map default_num_delay_tokens diffusion_head_config downsample_factor downsample_mode
    downsample_rate downsample_ratio drop_vision_last_layer dynamic_image_size enable_audio_output enable_talker
    encoder_config faster_token_stride force_image_size ignore_index has_lora_adapter high_res_vision_config
    image_grid_pinpoints image_patch_id image_seq_length image_size image_token_offset insert_layer_id latent_query_num
    max_dynamic_patch merge_kernel_size merger_times min_dynamic_patch mm_tokens_per_image multimodal_projector_bias
    num_channels num_query_tokens out_hidden_size pad2square patch_size perceiver_config pos_skipping_range
    position_id_per_seconds projection_dim projection_hidden_size projection_layer_norm_eps projector_bias
    projector_config projector_dropout projector_hidden_act projector_hidden_size projector_layernorm_eps
    projector_patch_to_query_dict projector_pooling_ratio projector_use_layernorm ps_version qformer_config
    scale_factor seconds_per_chunk select_layer semantic_model_config semantic_tokenizer_encoder_config
    spatial_merge_size spatial_pool_mode spatial_pool_stride spatial_target_layers spatial_vision_layer
    talker_config template token2wav_config use_backbone_lora use_image_text_projection use_llm_lora use_thumbnail
    use_unified_vision_chunk video_pruning_rate video_seq_length video_temporal_patch_size vision_aspect_ratio
    vision_config vision_feature_layer vision_feature_select_strategy vision_hidden_size
    vision_soft_tokens_per_image vocabulary_map vq_config window_size word_timestamp_config
    """.split()
)
"""Keys of a larger configuration that speak of its vision and audio and of what joins them."""

OF_THE_OTHERS = {
    "inkling_mm_model": "mtp_config",
    "musicflamingo": "head_dim",
    "ovis2": "hidden_size vocab_size",
    "paligemma": "hidden_size vocab_size",
    "voxtral": "hidden_size",
}
"""Keys of some that are called as a language model's are, and speak of something else."""

TIE = "tie_word_embeddings"
NOTE = "the language model of a larger configuration: vision, audio and what joins them are not counted"


class Whole(NamedTuple):
    """What is known of a larger configuration (see ``TABLE``)."""

    stem: str
    text: str
    open: bool
    decides: str
    silent: str
    head: str


class Tied(NamedTuple):
    """Whether a language model is tied (None: as its family has it), with what to say of it and what was assumed."""

    tied: bool | None
    notes: tuple[str, ...]
    assumed: tuple[str, ...]


class Inside(NamedTuple):
    """A language model inside a larger configuration: its own keys, with what the whole decides, and the whole."""

    whole: str
    head: str
    data: dict[str, Any]
    outer: dict[str, Any]
    origin: str
    notes: tuple[str, ...]
    assumed: tuple[str, ...]

    def check(self, read: set[str], own: bool) -> None:
        """Raises InputError for a key that stands beside and that is not known; where the file names the whole's
        ``own`` class, for one that the language model reads and lacks: a size of its own, perhaps."""
        left = {key: value for key, value in self.outer.items() if key not in self.data}
        beside = Config({"model_type": self.whole} | left, self.origin)
        beside.ignore(*OF_THE_OTHERS.get(self.whole, "").split())
        beside.ignore(TIE, "text_config", KEYS.get(self.whole, TIE), *OF_OTHER_PARTS)
        if own and self.whole not in REMOTE:
            alike = () if TIE in self.outer else get_close_matches(TIE, self.outer, 1, 0.85)
            beside.ignore(*self.outer.keys() - read - set(alike))
        beside.finish()

    def ended(self, model: dict[str, Any]) -> dict[str, Any]:
        """The language model with the matrix that the whole scores tokens with."""
        if self.head == "as-text" or not model.get("unembedding"):
            return model
        if model.get("embedding", {}).get("d_embedding"):
            why = f"narrower than the model, and the unembedding of {self.whole} is not"
            raise Config(self.data, self.origin).refusal("word_embed_proj_dim", why)
        sizes = {} if model["unembedding"]["tied"] else OF_THE_HEAD.get(self.whole, {})
        for key, (size, absent) in sizes.items():
            if (said := self.outer.get(key, absent)) != model[size]:
                why = f"{said} for the unembedding of {self.whole}, and {model[size]} inside"
                raise Config(self.outer, self.origin).refusal(key, why)
        kept = {"tied", "scale", "softcap"} if self.head == "scaled" else {"tied"}
        return {**model, "unembedding": {key: part for key, part in model["unembedding"].items() if key in kept}}


@cache
def wholes() -> dict[str, Whole]:
    """Every larger configuration that is known, by its ``model_type``."""
    found = {}
    for line in TABLE.split("\n")[1:-1]:
        kind, stem, text, who, *head = line.split()
        decides, _, silent = who.partition(":")
        found[kind] = Whole(stem, text.rstrip("*"), text.endswith("*"), decides, silent, *(head or ["plain"]))
    return found


def inside(data: dict[str, Any], origin: str) -> Inside | None:
    """The language model inside a larger configuration; None where the configuration is that of a model itself.

    Raises InputError where the whole is not known to be exact, or does not describe a language model.
    """
    kind = _kind(data)
    if not (whole := wholes().get(kind)):
        return None
    key = next((word for word in OLDER_KEYS.get(kind, ()) if "text_config" not in data and word in data), "")
    key = key or KEYS.get(kind, "text_config")
    nested, outer = data.get(key), data
    if nested is None and kind in FLAT:
        nested, outer = {name: value for name, value in data.items() if not _of_another_part(name)}, {}
        nested["model_type"] = whole.text
    if not isinstance(nested, dict):
        raise Config(data, origin).refusal(key, "missing: the language model of this family is described there")
    data, nested, outer = (_usually_tied(kind, part) for part in (data, nested, outer))
    lifted = {name: data[name] for name in OF_THE_WHOLE.split() if name in data}
    passed = {*OF_THE_WHOLE.split()} - {"quantization_config"}
    own = {name: value for name, value in nested.items() if name not in passed}
    usual = {name: value for name, value in DEFAULTS.get(kind, {}).items() if name not in nested}
    own = usual | own | {"model_type": _family(whole, nested)} | lifted
    if whole.text in wholes():
        deeper = inside(own, f"{origin}: {key}")
        return deeper and deeper._replace(whole=kind, outer=data | deeper.outer)
    tied, notes, assumed = _tied(kind, key, data, nested, origin)
    assumed = (*assumed, *(f"{name} is absent: taken for {json.dumps(value)}" for name, value in usual.items()))
    own = {name: value for name, value in own.items() if name != TIE} | ({} if tied is None else {TIE: tied})
    return Inside(kind, whole.head, own, outer, origin, (*notes, NOTE), assumed)


def _usually_tied(kind: str, part: dict[str, Any]) -> dict[str, Any]:
    """An object that says in the usual word whether it is tied."""
    word = OLDER_TIE.get(kind, TIE)
    if word == TIE or word not in part:
        return part
    return {key: value for key, value in part.items() if key != word} | {TIE: part[word]}


def _kind(data: dict[str, Any]) -> str:
    """The ``model_type``. LLaVA's own code says llava of each of its language models, and the class says which."""
    kind, named = str(data.get("model_type")), data.get("architectures")
    if kind == "llava" and "text_config" not in data and isinstance(named, list):
        own = {f"{whole.stem}ForCausalLM": one for one, whole in wholes().items() if one.startswith("llava_")}
        return next((own[name] for name in named if isinstance(name, str) and name in own), kind)
    return kind


def _of_another_part(key: str) -> bool:
    return key in OF_OTHER_PARTS or bool(OF_IMAGES.fullmatch(key))


def _family(whole: Whole, nested: dict[str, Any]) -> Any:
    """The family of the language model: what the nested object names, where it has a choice."""
    said = nested.get("model_type", whole.text) if whole.open else whole.text
    return RENAMED.get(said, said) if isinstance(said, str) else said


def _tied(kind: str, key: str, data: dict[str, Any], nested: dict[str, Any], origin: str) -> Tied:
    """Whether the language model is tied, as the one that decides it says."""
    whole, older = wholes()[kind], str(data.get("transformers_version")).startswith("4.")
    outer, inner = (Config(part, origin).flag(TIE, absent=None) for part in (data, nested))
    tied = _decided(whole, outer, inner, older)
    if kind in UNTIED and outer is None and inner is None and "architectures" in data:
        why = "said nowhere; published checkpoints store an unembedding, although their class would tie it"
        return Tied(None, (f"{TIE}: {why}",), ())
    notes = () if tied is None or {tied, None} >= {outer, inner} else (_differs(kind, key, outer, inner, tied),)
    silent = whole.decides in ("whole", "either") and outer is None and tied is not None and tied is not inner
    return Tied(tied, notes, (f"{TIE} is absent: taken for {str(tied).lower()}",) if silent else ())


def _decided(whole: Whole, outer: bool | None, inner: bool | None, older: bool) -> bool | None:
    """Tied or not; None where the family of the language model says it. Before version 5, transformers asked the nested
    object where a file's outer one is silent."""
    if whole.decides == "never":
        return False
    if whole.decides == "text" or (outer is None and (older or whole.silent == "text")):
        return inner
    said = whole.silent == "tied" if outer is None else outer
    return inner if whole.decides == "either" and not said else said


def _differs(kind: str, key: str, outer: bool | None, inner: bool | None, tied: bool) -> str:
    """What to say where an object says other than what counts."""
    words = {None: "not said", True: "true", False: "false"}
    said = f"{words[outer]} in the outer object, {words[inner]} in {key}"
    kept = ", and a checkpoint that stores an unembedding has that many more parameters" if tied else ""
    return f"{TIE}: {said}: {kind} is {'tied' if tied else 'not tied'} in that case{kept}"
