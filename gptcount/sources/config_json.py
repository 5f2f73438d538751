"""A Hugging Face config.json: JSON text into an Architecture, by way of its family's reader. No code of it is run."""

from __future__ import annotations

import json
from typing import Any

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families import WHOLES, read
from gptcount.families.config import Config
from gptcount.families.quantization import quantization
from gptcount.sources import specification

OF_OTHER_PARTS = """
    audio_config audio_soft_tokens_per_image audio_token_id boa_token_id boi_token_id eoa_token_id eoa_token_index
    eoi_token_id image_token_id mm_tokens_per_image video_token_id vision_config vision_soft_tokens_per_image
    """.split()
"""Keys of a larger configuration that speak of its vision and audio."""


def parse(text: str, origin: str) -> Architecture:
    """The architecture that a config.json describes. Raises InputError that names the key that is not known."""
    return parse_with_comments(text, origin)[0]


def parse_with_comments(text: str, origin: str) -> tuple[Architecture, list[str]]:
    """The architecture, and a line for each key that was absent: what it was taken to be."""
    whole = data = _object(text, origin)
    nested = data.get("text_config")
    try:
        if isinstance(nested, dict):
            data = _language_model(data, nested, origin)
        found, assumed = read(data, origin)
    except RecursionError:
        raise InputError(f"{origin}: nested too deeply") from None
    if isinstance(nested, dict):
        note = "the language model of a larger configuration: vision, audio and what joins them are not counted"
        found["notes"] = [*found.get("notes", []), note]
    if said := quantization(whole):
        found["quantization"] = said
    return specification.validate(found, origin), assumed


def bits(text: str) -> tuple[int, ...]:
    """How many bits a number of a quantized checkpoint has, by its config.json, whether its model is known or not."""
    try:
        said = quantization(_object(text, "config.json")) or {}
    except (InputError, RecursionError):
        return ()
    return tuple(scheme["bits"] for scheme in said.get("schemes", ()))


def _language_model(outer: dict[str, Any], nested: dict[str, Any], origin: str) -> dict[str, Any]:
    """The nested ``text_config``, with what it leaves to the outer object: its family, and whether it is tied."""
    whole, key = WHOLES.get(str(outer.get("model_type"))), "tie_word_embeddings"
    said = [part[key] for part in (outer, nested) if key in part]
    if whole and key not in (outer if whole.outer_decides else nested):
        said.append(whole.tied)
    if whole:
        beside = Config({word: value for word, value in outer.items() if nested.get(word, ...) != value}, origin)
        beside.ignore("text_config", key, *OF_OTHER_PARTS)
        beside.finish()
    elif not said:
        raise InputError(f"{origin}: {key}: said neither by text_config nor by the whole; say it in one of them")
    if any(tied is not said[0] for tied in said):
        raise InputError(f"{origin}: {key}: the text_config and the whole do not agree on it")
    return ({"model_type": whole.text} if whole else {}) | nested | ({key: said[0]} if said else {})


def _object(text: str, origin: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, origin))
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{origin}: not valid JSON: {shown(str(fault), 200)}") from None
    if not isinstance(data, dict):
        raise InputError(f"{origin}: not a JSON object, as a config.json is")
    return data


def _once(pairs: list[tuple[str, Any]], origin: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{origin}: {shown(twice)}: given twice")
    return found
