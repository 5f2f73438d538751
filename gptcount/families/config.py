"""A config.json as a reader takes it: every key that is asked for is ticked off, and none may be left over.

It knows types and absent keys; what a key means is the reader's affair.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gptcount.errors import InputError, shown

REQUIRED: Any = object()
"""The key must be there: the family has no default for it."""

REFUSED: Any = object()
"""A null is not taken."""

NO_BEARING = frozenset(
    """
    _attn_implementation _attn_implementation_autoset _commit_hash _experts_implementation _flash_attn_2_enabled
    _name_or_path _num_labels activation_dropout architectures attention_dropout attention_probs_dropout_prob
    attention_softmax_in_fp32 attn_dropout attn_implementation attn_pdrop auto_map bad_words_ids
    begin_suppress_tokens bias_dropout_fusion boi_token_index bos_token_id cache_implementation
    chunk_size_feed_forward classifier_dropout context_window_size custom_generate custom_pipelines
    decoder_start_token_id diversity_penalty do_sample dropout dtype early_stopping embd_pdrop embed_dropout
    embedding_dropout emb_pdrop encoder_no_repeat_ngram_size end_token_id eod_token_id eoi_token_index
    eos_token_id eos_token_ids ep_size expert_dropout expert_dtype exponential_decay_length_penalty ffn_dropout
    finetuning_task forced_bos_token_id forced_eos_token_id fused_qkv generation_config gradient_checkpointing
    hidden_dropout hidden_dropout_prob id2label im_end_token_id image_token_id image_token_index
    inference_runner init_config init_device init_std initializer_cutoff_factor initializer_range
    input_jitter_noise is_llama_config keys_to_ignore_at_inference label2id language layerdrop length_penalty
    logits_soft_cap_fp32 masked_softmax_fusion max_batch_size max_length max_new_tokens min_length mlp_dropout
    model_max_length model_type name no_repeat_ngram_size num_beam_groups num_beams num_labels
    num_logits_to_keep num_return_sequences output_attentions output_hidden_states output_past
    output_router_logits output_scores pad_token_id padding_idx prefill_chunk_size prefix problem_type
    quantization quantization_config remove_invalid_values repetition_penalty resid_dropout resid_pdrop
    residual_dropout return_dict return_dict_in_generate router_aux_loss_coef router_z_loss_coef
    scale_attention_softmax_in_fp32 sep_token_id seq_aux summary_activation summary_first_dropout
    summary_proj_to_labels summary_type summary_use_proj suppress_tokens task_specific_params temperature
    tf_legacy_loss tokenizer tokenizer_class tokenizer_model_max_length tokenizer_name tokenizer_padding_side top_k
    top_p torch_dtype torchscript transformers_version transformers.js_config typical_p unk_token_id
    unsloth_fixed unsloth_version unsloth_tiled_mlp use_bfloat16 use_cache use_flash_attention_2
    use_flash_attn verbose video_token_id vision_end_token_id vision_start_token_id vision_token_id
    zero_init
    """.split()
)
"""Keys that no family lets bear on what is stored. There is no size among them."""


TOKEN = re.compile(r"(\w+_)?token(_ids?|_index)?|\w*(bad_?words|suppress|forced)\w*ids", re.ASCII)
"""Keys that name a token, by its number or its text: they have no bearing on what is stored."""

HARMLESS: dict[str, tuple[Any, ...]] = {
    "is_encoder_decoder": (False, None),
    "is_decoder": (False, True, None),
    "add_cross_attention": (False, None),
    "cross_attention_hidden_size": (None,),
    "tie_encoder_decoder": (False, None),
    "pruned_heads": ({}, None),
    "adapters": ({}, None, {"adapters": {}, "config_map": {}}),
}
"""Keys that have no bearing as long as their value is one of these."""


LONGEST_KEY = 100
"""Characters of a key that could be another one misspelt."""

MOST_UNREAD = 1_000
"""Of so many keys that nobody reads each is looked at; published files have a handful."""


Defaults = Mapping[str, Mapping[str, Any]]
"""What absent keys stand for: by model type, then by key."""


class Config:
    """The keys of one configuration, by the words that files use. Each method ticks off the key that it reads."""

    def __init__(self, data: dict[str, Any], origin: str) -> None:
        self.data = data
        self.origin = origin
        self.used: set[str] = set()
        self.notes: list[str] = []
        self.assumed: list[str] = []
        self.defaults: dict[str, Any] = {}
        self.settled: dict[str, Any] = {}
        self.sized = False
        self.tables: dict[str, Config] = {}
        self.taken: dict[str, Any] = {}
        self.spellings: dict[str, str] = {}

    def model_type(self) -> str:
        """The family. Raises InputError where the file does not say it."""
        value = self.data.get("model_type")
        if not isinstance(value, str):
            raise InputError(f"{self.origin}: model_type is missing: not the config.json of a model")
        return value

    def name(self) -> str:
        """What to call the model: the file's own word for it, or its folder's name."""
        value = self.data.get("_name_or_path")
        if isinstance(value, str) and value.strip():
            return value
        *folders, file = self.origin.split("/")
        return folders[-1] if folders and file in ("config.json", "params.json") else self.origin

    def classes(self) -> list[str]:
        """The classes that ``architectures`` names; none where the file does not say it."""
        value = self.data.get("architectures") or []
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise self.refusal("architectures", "expected a list of the names of classes")
        return value

    def code(self) -> set[str]:
        """The classes that code beside the file defines, as its ``auto_map`` says."""
        return set(re.findall(r'\.(\w+)"', json.dumps(self.data.get("auto_map"))))

    def n_labels(self) -> int:
        """How many labels a classifier's head scores: as many as ``id2label`` names, or ``num_labels``, or 2."""
        names = self.data.get("id2label")
        if names is not None and not isinstance(names, dict):
            raise self.refusal("id2label", "expected an object")
        if names == {}:
            raise self.refusal("id2label", "names no label, and a head of none is none")
        n_labels = self.size("num_labels", "_num_labels", absent=None, null=None)
        if names is not None and n_labels not in (None, len(names)):
            raise self.refusal("num_labels", f"{n_labels}, and id2label names {len(names)}")
        if n_labels is None and names is None:
            self.take_for("num_labels", "2")
        return n_labels or (len(names) if names else 2)

    def has(self, key: str) -> bool:
        """Whether the key is there, with a value or null."""
        return key in self.data

    def assume(self, **defaults: Any) -> None:
        """What absent keys stand for in this family, whatever a reader that it calls takes them to be."""
        self.defaults = defaults | self.defaults

    def spelled(self, **words: str) -> None:
        """What this family's files call a key: the reader that is called from here asks for it by the usual word."""
        for usual, word in words.items():
            if word in self.data:
                value = self.data[word]
                if usual in self.data and self.data[usual] != value:
                    raise self.refusal(word, f"{value!r} contradicts {usual} = {self.data[usual]!r}")
                self.data = {key: said for key, said in self.data.items() if key != word} | {usual: value}
                self.spellings[usual] = word

    def only(self, **values: Any) -> None:
        """Keys that can say but one thing in this family: refused where they say another, and no matter of defaults."""
        for key, value in values.items():
            said = self.data.get(key)
            if said is not None and (said != value or isinstance(said, bool) is not isinstance(value, bool)):
                raise self.refusal(key, f"{said!r}, and in this family it is {value!r}")
        self.used.update(values)
        self.settled = values | self.settled

    def not_null(self, *keys: str) -> None:
        """Raises InputError for each of the keys that is there and null."""
        for key in keys:
            if self.data.get(key, 0) is None:
                raise self.refusal(key, "null; expected a value")

    def raw(self, *keys: str, absent: Any = REQUIRED, null: Any = REFUSED) -> Any:
        """The value of a key, which may be spelled in several ways; two spellings must agree."""
        self.used.update(keys)
        if keys[0] in self.settled:
            return self.settled[keys[0]]
        found = [key for key in keys if key in self.data]
        if not found:
            absent = self.defaults.get(keys[0], absent)
            if absent is REQUIRED:
                raise self.refusal(keys[0], "missing")
            self.taken[keys[0]] = absent
            if absent is not None and not isinstance(absent, list | dict):
                self.take_for(keys[0], json.dumps(absent))
            return absent
        for other in found[1:]:
            if self.data[other] != self.data[found[0]]:
                raise self.refusal(other, f"{self.data[other]!r} contradicts {found[0]} = {self.data[found[0]]!r}")
        value = self.data[found[0]]
        if value is None:
            if null is REFUSED:
                raise self.refusal(found[0], "null; expected a value")
            return null
        return value

    def take_for(self, key: str, what: str) -> None:
        """Note what an absent key is taken for."""
        if (line := f"{key} is absent: taken for {what}") not in self.assumed:
            self.assumed.append(line)

    def size(self, *keys: str, absent: Any = REQUIRED, null: Any = REFUSED, least: int = 1) -> int:
        """A whole number of at least 1 (or ``least``)."""
        value = self.raw(*keys, absent=absent, null=null)
        self.sized |= any(self.data.get(key) is not None for key in keys)
        if value is absent or value is null:
            return value  # type: ignore[no-any-return]
        if type(value) is not int or not least <= value <= 1_000_000_000:
            raise self.refusal(self._spelled(keys), f"{value!r} is not a whole number from {least} to 1,000,000,000")
        return value

    def layers(self, *keys: str, absent: Any = REQUIRED) -> int:
        """How many layers there are: few enough to make a list of them."""
        value = self.size(*(keys or ("num_hidden_layers",)), absent=absent)
        if value > 100_000:
            raise self.refusal(self._spelled(keys or ("num_hidden_layers",)), f"{value!r} layers are more than 100,000")
        return value

    def flag(self, *keys: str, absent: Any = REQUIRED, null: Any = REFUSED) -> bool:
        """True or false."""
        value = self.raw(*keys, absent=absent, null=null)
        if value is absent or value is null:
            return value  # type: ignore[no-any-return]
        if not isinstance(value, bool):
            raise self.refusal(self._spelled(keys), f"{value!r} is not true or false")
        return value

    def number(self, *keys: str, absent: Any = REQUIRED, null: Any = REFUSED) -> float:
        """A finite number."""
        value = self.raw(*keys, absent=absent, null=null)
        if value is absent or value is null:
            return value  # type: ignore[no-any-return]
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
            raise self.refusal(self._spelled(keys), f"{value!r} is not a finite number")
        return float(value)

    def bound(self, value: Any) -> float | None:
        """A number that may be infinite, as JSON and transformers write it; None where it is."""
        if value == {"__float__": "Infinity"} or value == "inf":
            return None
        return float(value) if type(value) in (int, float) and abs(value) < 1e30 else None

    def word(self, *keys: str, among: Iterable[str], absent: Any = REQUIRED, null: Any = REFUSED) -> str:
        """One of some words."""
        value = self.raw(*keys, absent=absent, null=null)
        if value is absent or value is null:
            return value  # type: ignore[no-any-return]
        if not isinstance(value, str) or value not in among:
            raise self.refusal(self._spelled(keys), f"{value!r} is not known; there are {', '.join(among)}")
        return value

    def words(self, key: str, n: int, among: Iterable[str], absent: Any = REQUIRED, null: Any = REFUSED) -> list[str]:
        """A list of ``n`` words, one a layer."""
        value = self.raw(key, absent=absent, null=null)
        if value is absent or value is null:
            return value  # type: ignore[no-any-return]
        if not isinstance(value, list) or len(value) != n:
            raise self.refusal(key, f"expected a list of {n}, one a layer")
        for word in value:
            if not isinstance(word, str) or word not in among:
                raise self.refusal(key, f"{word!r} is not known; there are {', '.join(among)}")
        return value

    def indices(self, key: str, n: int, absent: Any = REQUIRED, null: Any = REFUSED) -> list[int]:
        """A list of layers, each by its number from 0 to ``n`` - 1."""
        value = self.raw(key, absent=absent, null=null)
        if value is absent or value is null:
            return value  # type: ignore[no-any-return]
        if not isinstance(value, list) or any(type(index) is not int or not 0 <= index < n for index in value):
            raise self.refusal(key, f"expected a list of layers from 0 to {n - 1}")
        return value

    def table(self, *keys: str, absent: Any = REQUIRED, null: Any = REFUSED) -> Config | None:
        """A nested object, read and ticked off like the whole, which finishes it too."""
        value = self.raw(*keys, absent=absent, null=null)
        if value is absent or value is null:
            return value  # type: ignore[no-any-return]
        if not isinstance(value, dict):
            raise self.refusal(self._spelled(keys), "expected an object")
        key = self._spelled(keys)
        if key not in self.tables or self.tables[key].data is not value:
            self.tables[key] = inner = Config(value, f"{self.origin}: {key}")
            inner.notes, inner.assumed = self.notes, self.assumed
        return self.tables[key]

    def usual(self, key: str, absent: Any = None) -> Any:
        """The value of a key that another reader ticks off, or what it is taken for where it is absent."""
        return (self.taken | self.data).get(key, self.defaults.get(key, absent))

    def ignore(self, *keys: str) -> None:
        """Tick off keys that, for this family, have no bearing on what is stored or computed."""
        self.used.update(keys)

    def refusal(self, key: str, why: str) -> InputError:
        """The error that names file and key."""
        return InputError(f"{self.origin}: {self.spellings.get(key, key)}: {_short(why)}")

    def check_sized(self, n_vocab: int) -> None:
        """Raises InputError for a stub, as lies beside GGUF files: without any size, it has no class either, or names a
        token beyond the vocabulary of its class."""
        tokens = [value for key, value in self.data.items() if TOKEN.fullmatch(key) and isinstance(value, int)]
        if not self.sized and (not self.classes() or max(tokens, default=0) >= n_vocab):
            raise InputError(f"{self.origin}: gives no sizes, and so names a family of models and not a model")

    def finish(self, built_by: str = "") -> None:
        """Raises InputError, by name, for every key that nobody has read and that is not known to have no bearing.

        ``built_by`` is the class of the family itself that the file names, and that is built without code of the
        file's own: a key that this class does not read cannot change what it builds, and is noted, not refused, unless
        its value could be a size or it looks like a key that the class does read.
        """
        for key, values in HARMLESS.items():
            if key in self.data and key not in self.used and self.data[key] not in values:
                raise self.refusal(key, f"{self.data[key]!r} asks for parts that are not counted")
        known = self.used | NO_BEARING | HARMLESS.keys()
        left = [key for key in self.data if key not in known and not TOKEN.fullmatch(key)]
        if len(left) > MOST_UNREAD:
            raise InputError(f"{self.origin}: {len(left)} keys that nobody reads; no configuration has so many")
        refused = [key for key in left if not built_by or self._may_be_a_size(key) or self._misspelt(key)]
        if refused:
            raise InputError(
                f"{self.origin}: {_listed(refused)}: not known{self._family()}, so "
                "the count could be wrong; take it out if it has no bearing, or describe the model in a TOML file "
                "of blocks"
            )
        for table in self.tables.values():
            table.finish(built_by)
        if left:
            self.notes.append(f"not read by {built_by}: {_listed(left, 20)}")

    def _may_be_a_size(self, key: str) -> bool:
        """Whether a value could be a size or hold one: a whole number above 1, an object, a list of no texts."""
        value = self.data[key]
        if isinstance(value, list):
            return len(value) > 1_000 or not all(isinstance(item, str) for item in value)
        return isinstance(value, dict) or (isinstance(value, int) and value > 1)

    def _misspelt(self, key: str) -> bool:
        """Whether a key looks like one that the family reads and that the file lacks."""
        from difflib import get_close_matches

        absent = [name for name in self.used if name not in self.data]
        return len(key) <= LONGEST_KEY and bool(get_close_matches(key.lower(), absent, 1, 0.85))

    def _family(self) -> str:
        named = self.data.get("model_type")
        return f" for model_type {shown(named)!r}" if isinstance(named, str) else ""

    def _spelled(self, keys: Sequence[str]) -> str:
        return next((key for key in keys if key in self.data), keys[0])


def _short(why: str) -> str:
    """A reason in which long values are cut, so that it still says what is wrong with them."""
    why = re.sub(r"\S{60,}", lambda found: shown(found[0], 60), why)
    return shown(why if len(why) <= 300 else f"{why[:100]} … {why[-180:]}", 300)


def _listed(keys: Sequence[str], most: int = 5) -> str:
    return ", ".join(shown(key, 40) for key in keys[:most]) + (" …" if len(keys) > most else "")
