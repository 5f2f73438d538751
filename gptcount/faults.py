"""What is wrong with a specification, one line per problem: pydantic's faults in our words, each with the way out.

It knows blocks by their fields alone: not which blocks there are, nor where the data come from.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from gptcount.errors import InputError, shown
from gptcount.numbers import count

B = TypeVar("B", bound=BaseModel)

MOST = 20
"""So many problems are listed; of the others it is said how many they are."""

WRAPPED = re.compile(r"(tagged-union|function-after)\[.*\]|constrained-int", re.DOTALL)
"""What pydantic puts into a path for a choice of blocks, a block with validators, and a size that may be absent."""

ABSENT = "function-before[_only_false(), literal[False]]"
"""What it puts there for what may be absent."""

WANTED = {
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
}
"""What is expected where a value is of another type, by pydantic's name for the fault."""

ALIASES = {
    "d_model": "d_embed hidden_size n_embd n_embed model_dim dim",
    "n_vocab": "vocab_size d_vocab",
    "n_ctx": "max_position_embeddings n_positions max_seq_len max_sequence_length seq_length block_size",
    "n_layers": "num_hidden_layers num_layers n_layer",
    "n_heads": "num_attention_heads n_head num_heads",
    "n_kv_heads": "num_key_value_heads num_kv_heads n_head_kv",
    "d_head": "head_dim head_size d_query d_key",
    "d_ff": "n_neurons intermediate_size ffn_dim ffn_hidden_size n_inner d_mlp moe_intermediate_size",
    "d_value": "v_head_dim",
    "d_rotary": "rotary_dim qk_rope_head_dim",
    "d_nope": "qk_nope_head_dim",
    "d_query_latent": "q_lora_rank",
    "d_kv_latent": "kv_lora_rank",
    "n_experts": "num_experts num_local_experts n_routed_experts",
    "n_experts_per_token": "num_experts_per_tok top_k",
    "tied": "tie_word_embeddings tie_embeddings weight_tying",
    "activation": "hidden_act activation_function hidden_activation",
    "window": "sliding_window",
    "base": "rope_theta rotary_base",
    "eps": "rms_norm_eps layer_norm_eps layer_norm_epsilon norm_eps",
}
"""Other words for a key, as papers, other programs and configurations have them."""

MEANT = {word: key for key, words in ALIASES.items() for word in words.split()}


class Bad(NamedTuple):
    """What could not be read: data, as what block, and what to call them."""

    root: type[BaseModel]
    data: Any
    origin: str


def checked(block: type[B], data: Any, origin: str) -> B:
    """Plain data as a block. Raises InputError, one line per problem, each naming ``origin`` and the key."""
    try:
        found: B = block.__pydantic_validator__.validate_python(data)
    except ValidationError as faults:
        raise refusal(faults, block, data, origin) from None
    except RecursionError:
        raise InputError(f"{origin}: nested too deeply") from None
    return found


def refusal(faults: ValidationError, block: type[BaseModel], data: Any, origin: str) -> InputError:
    """The error that says what pydantic found."""
    bad = Bad(block, data, origin)
    every = faults.errors(include_url=False)
    left = (fault for fault in every if fault["loc"][-1:] != (ABSENT,))  # what else could stand there says it
    lines = dict[str, None]()
    while len(lines) < MOST and (fault := next(left, None)):
        lines[f"{origin}: {_line(fault, bad)}"] = None
    more = sum(1 for _ in left)
    return InputError("\n".join([*lines, *([f"{origin}: and {count(more)} more"] if more else [])]))


def closest(word: str, words: typing.Iterable[str]) -> str:
    """The way out of a word that there is not: the closest of those that there are, or all of them."""
    from difflib import get_close_matches

    words = list(words)
    near = get_close_matches(word[:80], words, 1, 0.5)
    return f"did you mean {near[0]}?" if near else f"expected one of {', '.join(words)}"


def _line(fault: Any, bad: Bad) -> str:
    """One line for one of pydantic's faults: the key, what is wrong, and what is allowed."""
    block, path = _place(fault["loc"], bad.root)
    key, kind, given = ".".join(path), fault["type"], fault["input"]
    at = f"{shown(key)}: " if key else ""
    if kind == "extra_forbidden":
        return f"unknown key {shown(key) or repr(key)}{_way_out(path, block, bad)}"
    if kind == "missing":
        return f"{at}missing"
    if kind == "union_tag_not_found":
        return f"{shown(key)}.kind: missing; expected one of {_tags(block, path[-1])}"
    if kind == "union_tag_invalid":
        return f"{shown(key)}.kind: {shown(fault['ctx']['tag'])!r} is none of {fault['ctx']['expected_tags']}"
    if kind in WANTED:
        return f"{at}expected {WANTED[kind]}, not {shown(_repr(given))}{_lower(kind, given)}"
    message = re.sub(r"^Value error, |^Input ", "", fault["msg"])
    if kind == "value_error" or isinstance(given, dict):
        return f"{at}{message}"
    return f"{at}{message}, is {shown(_repr(given))}"


def _lower(kind: str, given: Any) -> str:
    """The way out of a truth value that is spelled as in another language."""
    word = str(given).lower() if isinstance(given, str) else ""
    return f"; write {word}" if kind == "bool_type" and word in ("true", "false") else ""


def _repr(value: object) -> str:
    try:
        return str(value).lower() if isinstance(value, bool) else repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; data nested thousands deep
        return "too long to show"


def _place(location: tuple[int | str, ...], root: type[BaseModel]) -> tuple[type[BaseModel], list[str]]:
    """The block that a fault is in, and its path without pydantic's tags."""
    block: type[BaseModel] = root
    path: list[str] = []
    inner: list[type[BaseModel]] = [root]
    while WRAPPED.fullmatch(str(location[-1] if location else "")):
        location = location[:-1]
    for place, part in enumerate(location):
        tagged = [candidate for candidate in inner if part == _kind(candidate)]
        if tagged and part not in block.model_fields:
            block, inner = tagged[0], tagged
            continue
        choices = ("bool", *(candidate.__name__ for candidate in inner))
        if path and part not in block.model_fields and (part in choices or (inner and WRAPPED.fullmatch(str(part)))):
            continue
        path.append(str(part))
        if isinstance(part, str) and part in block.model_fields and place + 1 < len(location):
            inner = list(_blocks(block.model_fields[part].annotation))
            block = inner[0] if inner else block
    return block, path


def _kind(block: type[BaseModel]) -> str | None:
    field = block.model_fields.get("kind")
    return field.default if field else None


def _blocks(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _blocks(inner)


def _tags(block: type[BaseModel], field: str) -> str:
    found = block.model_fields.get(field)
    return ", ".join(repr(_kind(inner)) for inner in _blocks(found.annotation)) if found else ""


def _way_out(path: list[str], block: type[BaseModel], bad: Bad) -> str:
    """The way out of a key that there is not: of another kind, in another place, of another spelling."""
    *above, word = path
    if kinds := _having(word, above, bad.root):
        needed = ", ".join(name for name, field in block.model_fields.items() if field.is_required())
        return f": only kind {' or '.join(kinds)} has it, and this is {_kind(block)!r}, which needs {needed}"
    meant = MEANT.get(word, word)
    found = list(_named(meant, bad.root, bad.data)) or list(_named(meant, bad.root))
    if found := list(dict.fromkeys(found)):
        return f"; did you mean {' or '.join(found[:3])}?"
    return "; " + closest(word, block.model_fields).replace("mean ", "mean " + "".join(f"{part}." for part in above))


def _having(word: str, above: list[str], root: type[BaseModel]) -> list[str]:
    """The kinds of block that may stand at a place and have a key of this name."""
    blocks = [root]
    for part in above:
        fields = [block.model_fields[part] for block in blocks if part in block.model_fields]
        blocks = [inner for field in fields for inner in _blocks(field.annotation)] or (
            blocks if part.isdecimal() else []
        )
    return list(dict.fromkeys(repr(_kind(block)) for block in blocks if word in block.model_fields and _kind(block)))


def _named(word: str, block: type[BaseModel], data: Any = None, path: str = "") -> Iterator[str]:
    """The dotted keys of the fields of this name, in a block and the blocks in it; with data, those that it has."""
    for name, field in block.model_fields.items():
        if name == word:
            yield f"{path}{name}"
        held = data.get(name) if isinstance(data, dict) else None
        if name == "variations" or (data is not None and not isinstance(held, dict)):
            continue
        for inner in _blocks(field.annotation):
            if held is None or _kind(inner) in (None, held.get("kind", _kind(inner))):
                yield from _named(word, inner, held, f"{path}{name}.")
