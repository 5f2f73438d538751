"""What many families say alike: layers that vary, rotary positions, activations, and heads, norms, MLPs.

Each function takes a Config and gives a part of a specification as plain data. It knows no family by name.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from gptcount.families.config import REFUSED, REQUIRED, Config
from gptcount.layer import SLOTS
from gptcount.lines import renamed as renamed
from gptcount.weight import slices

Part = dict[str, Any]

ACTIVATIONS = {
    "silu": "silu",
    "swish": "silu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_pytorch_tanh_python": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "quick_gelu": "gelu_quick",
    "gelu_python": "gelu",
    "relu": "relu",
    "relu2": "relu_squared",
    "xielu": "xielu",
}
"""The words that files use for activations."""

LAYER_TYPES = ("full_attention", "sliding_attention")


def tied(c: Config, absent: bool) -> Part:
    """The unembedding: tied to the embedding or not; ``absent`` is the family's default."""
    return {"tied": c.flag("tie_word_embeddings", absent=absent)}


def activation(c: Config, *keys: str, absent: Any = REQUIRED) -> str:
    """The activation that a key names."""
    return ACTIVATIONS[c.word(*(keys or ("hidden_act",)), among=ACTIVATIONS, absent=absent)]


def biases(on: bool, *names: str) -> list[str]:
    """These biases, or none."""
    return list(names) if on else []


def varied(kind: str, blocks: Mapping[Any, Part], which: Sequence[Hashable]) -> tuple[Part, list[Part]]:
    """A block of every layer, and the variations of the layers whose block is another.

    ``which`` says for each layer which of ``blocks`` it has. The block that most layers have is the common one.
    """
    at: dict[Any, list[int]] = {}
    for index, key in enumerate(which):
        at.setdefault(key, []).append(index)
    alike: dict[str, tuple[Part, list[int]]] = {}
    for key, indices in at.items():
        alike.setdefault(repr(blocks[key]), (blocks[key], []))[1].extend(indices)
    common = max(alike.values(), key=lambda found: len(found[1]))[0]
    return common, [{"layers": slices(sorted(at)), kind: block} for block, at in alike.values() if block is not common]


def slotted(kinds: Mapping[Any, Part], which: Sequence[Hashable]) -> Part:
    """What is in each slot of the layers of several kinds, and the layers that differ from most.

    ``kinds`` has the slots of each kind, an absent one being empty; ``which`` says the kind of each layer.
    """
    found: Part = {"variations": []}
    for slot in SLOTS:
        block, variations = varied(slot, {key: kind.get(slot, False) for key, kind in kinds.items()}, which)
        found |= {slot: block, "variations": [*found["variations"], *variations]}
    return found


def layer_types(c: Config, n_layers: int, absent: Sequence[str], among: Sequence[str] = LAYER_TYPES) -> list[str]:
    """The kind of each layer; ``absent`` where the file does not list them."""
    return c.words("layer_types", n_layers, among, absent=list(absent), null=list(absent))


def every(n_layers: int, period: int, last: str = "full_attention", others: str = "sliding_attention") -> list[str]:
    """Every ``period``-th layer of one kind, those between of another."""
    return [last if (index + 1) % period == 0 else others for index in range(n_layers)]


def rotary(
    c: Config,
    *,
    base: float = 10_000.0,
    d_head: int,
    partial: float | None = None,
    kind: str = "",
    interleaved: bool = False,
    theta: str = "rope_theta",
    scaled: bool = True,
) -> Part:
    """Rotary positions: from ``rope_parameters`` (today's files; for layers of a ``kind``, where they differ), or from
    ``rope_theta``, ``rope_scaling`` and ``partial_rotary_factor``. ``base`` is the family's default, and ``partial``
    too, of a family that turns a part of each head; where older files give a kind of layer another base, ``theta`` is
    its key, and ``scaled`` whether it is scaled."""
    said = rotary_table(c, kind, scaled)
    c.ignore(theta)
    base_from = said if said and said.has("rope_theta") else c
    base = base_from.number("rope_theta" if base_from is said else theta, absent=base, null=base)
    scaling = rotary_scaling(said, c) if said else {}
    part: Part = {"base": base} | ({"interleaved": True} if interleaved else {})
    partial = c.defaults.get("partial_rotary_factor", partial)
    if scaling.get("kind") == "proportional":
        return part | _proportional(turned(c, said, d_head, partial or 1.0, pairs=2), scaling)
    d_rotary = d_head if partial is None else turned(c, said, d_head, partial)
    if d_rotary % 2 and d_rotary == d_head:
        raise c.refusal("head_dim", f"{d_rotary} numbers of a head do not make pairs, and rotary positions turn pairs")
    return part | ({"d_rotary": d_rotary} if d_rotary != d_head else {}) | ({"scaling": scaling} if scaling else {})


def rotary_table(c: Config, kind: str = "", scaled: bool = True) -> Config | None:
    """The object that speaks of rotary positions, in today's files or older ones; that of a ``kind`` of layer."""
    older = c.table("rope_scaling", absent=None, null=None) if scaled else None
    today = c.table("rope_parameters", absent=None, null=None)
    if older and today and older.data and older.data != today.data:
        raise c.refusal("rope_scaling", "and rope_parameters is there too and says something else; leave out one")
    if today and kind and kind in today.data:
        return today.table(kind)
    return today or older


def tables_of_kinds(c: Config) -> None:
    """What the Gemma 3 of the reference implementation passes over: it reads ``rope_parameters`` kind by kind, and of
    ``rope_scaling`` no older ``type``. Raises InputError for a table that names no kind."""
    today, older = c.data.get("rope_parameters"), c.data.get("rope_scaling")
    if isinstance(today, dict) and today.keys() - set(LAYER_TYPES):
        raise c.refusal("rope_parameters", f"expected a table for each kind of layer: {', '.join(LAYER_TYPES)}")
    if isinstance(older, dict) and "type" in older and "rope_type" not in older:
        c.data = {**c.data, "rope_scaling": {key: value for key, value in older.items() if key != "type"}}
        c.notes.append("rope_scaling: type is not read by the classes of this family, which ask for rope_type.")


def turned(c: Config, said: Config | None, d_head: int, absent: float, pairs: int = 1) -> int:
    """How many numbers of a head are turned; a multiple of ``pairs``."""
    key = "partial_rotary_factor"
    c.ignore(key)
    partial = (said if said and said.has(key) else c).number(key, absent=absent, null=absent)
    if not 0 < partial <= 1:
        raise c.refusal(key, f"{partial!r} is not above 0 and at most 1")
    return pairs * int(d_head * partial // pairs)


def _proportional(d_rotary: int, scaling: Part) -> Part:
    """Pairs are those of the whole head; what a factor stretches are the frequencies of those that are turned."""
    stretched = {"scaling": {"kind": "linear", "factor": scaling["factor"]}} if "factor" in scaling else {}
    return {"whole_head": True, "d_rotary": d_rotary} | stretched


SCALINGS = {
    "default": "",
    "linear": "linear",
    "dynamic": "dynamic",
    "ntk": "dynamic",
    "yarn": "yarn",
    "llama3": "llama3",
}
SCALINGS |= {"longrope": "longrope", "su": "longrope", "proportional": "proportional", "mrope": ""}
"""The words that files use for the scalings of rotary positions. Of text, ``mrope`` is the unscaled kind."""

SCALING_NUMBERS = {
    "factor": "factor",
    "low_frequency": "low_freq_factor",
    "high_frequency": "high_freq_factor",
    "beta_fast": "beta_fast",
    "beta_slow": "beta_slow",
    "attention_factor": "attention_factor",
    "mscale": "mscale",
    "mscale_all": "mscale_all_dim",
    "short_mscale": "short_mscale",
    "long_mscale": "long_mscale",
}


def rotary_scaling(said: Config, c: Config) -> Part:
    """The scaling that ``rope_parameters`` or ``rope_scaling`` say; empty where there is none."""
    said.ignore("type")  # where both are there, the reference implementation reads rope_type
    word = "rope_type" if said.has("rope_type") else "type"
    kind = SCALINGS[said.word(word, among=SCALINGS, absent="default", null="default")]
    part: Part = {"kind": kind}
    for field, key in SCALING_NUMBERS.items():
        value = said.number(key, absent=None, null=None)
        part |= {} if value is None else {field: value}
    for field, key in (("short_factors", "short_factor"), ("long_factors", "long_factor")):
        values = said.raw(key, absent=None, null=None)
        if values is not None and not (isinstance(values, list) and all(type(v) in (int, float) for v in values)):
            raise said.refusal(key, "expected a list of numbers")
        part |= {field: values} if values else {}
    if not said.flag("truncate", absent=True, null=False):
        part["truncate"] = False
    most = c.usual("max_position_embeddings")
    older = c.usual("original_max_position_embeddings", most)
    original = said.size("original_max_position_embeddings", absent=older, null=older)
    said.ignore("finetuned", "mrope_interleaved", "mrope_section", "attn_factor", "extrapolation_factor")
    if kind == "dynamic":
        part["n_ctx_original"] = most
    elif kind and original != older and c.has("original_max_position_embeddings"):
        raise said.refusal("original_max_position_embeddings", f"{original} contradicts the {older} beside this object")
    elif kind in ("llama3", "yarn", "longrope") and original is not None:
        part["n_ctx_original"] = original
    if kind in ("yarn", "longrope") and isinstance(most, int) and isinstance(original, int) and original:
        part.setdefault("factor", most / original)
    return part if kind else {}


def heads(
    c: Config,
    d_model: int,
    *,
    kv_absent: Any = None,
    kv_null: Any = None,
    head_absent: Any = None,
    n_heads: Any = REQUIRED,
) -> Part:
    """Heads, key/value heads and the width of a head, in today's usual words.

    ``kv_absent``, ``kv_null`` and ``head_absent`` are the family's; None stands for n_heads, and for d_model / n_heads.
    """
    count = c.size("num_attention_heads", absent=n_heads)
    n_kv_heads = c.size("num_key_value_heads", absent=kv_absent, null=count if kv_null is None else kv_null)
    n_kv_heads = count if n_kv_heads is None else n_kv_heads
    d_head = c.size("head_dim", absent=head_absent, null=None if head_absent is None else REFUSED)
    if d_head is None:
        if d_model % count:
            raise c.refusal("head_dim", f"absent, and hidden_size = {d_model} is not a multiple of {count} heads")
        d_head = d_model // count
        c.take_for("head_dim", f"hidden_size / num_attention_heads = {d_head}")
    if count % n_kv_heads:
        raise c.refusal("num_key_value_heads", f"{n_kv_heads} do not divide num_attention_heads = {count}")
    return {"kind": "multi-head", "n_heads": count, "n_kv_heads": n_kv_heads, "d_head": d_head}


def even_heads(c: Config) -> None:
    """Heads that share the width of the model evenly: ``head_dim`` can say no other. Raises InputError otherwise."""
    d_model, n_heads = c.size("hidden_size"), c.size("num_attention_heads")
    if d_model % n_heads:
        raise c.refusal("hidden_size", f"{d_model} is not a multiple of num_attention_heads = {n_heads}")
    c.only(head_dim=d_model // n_heads)


def whole_heads(c: Config, d_model: int, *keys: str, absent: Any = REQUIRED) -> Part:
    """Heads that share the width of the model evenly, each with a key and a value of its own."""
    n_heads = c.size(*(keys or ("num_attention_heads",)), absent=absent)
    if d_model % n_heads:
        raise c.refusal(keys[0] if keys else "num_attention_heads", f"{n_heads} do not divide a width of {d_model}")
    c.only(head_dim=d_model // n_heads)
    return {"kind": "multi-head", "n_heads": n_heads, "d_head": d_model // n_heads}


def paired(c: Config, key: str, d_rotary: int) -> int:
    """How many numbers of a head are turned, which must make pairs. Raises InputError, naming the key, where not."""
    if d_rotary < 2 or d_rotary % 2:
        raise c.refusal(key, f"{d_rotary} numbers of a head do not make pairs, and rotary positions turn pairs")
    return d_rotary


def grouped(c: Config, key: str, n_heads: int, n_kv_heads: int) -> Part:
    """Key/value heads, each for a group of heads. Raises InputError, naming the key, where they do not divide them."""
    if n_heads % n_kv_heads:
        raise c.refusal(key, f"{n_kv_heads} do not divide {n_heads} heads")
    return {"n_kv_heads": n_kv_heads}


def rms(c: Config, absent: float = 1e-6, key: str = "rms_norm_eps") -> Part:
    """The RMS norm of a model, with its epsilon."""
    return {"kind": "rms", "eps": c.number(key, absent=absent)}


def layer_norm(c: Config, key: str, absent: float = 1e-5, bias: bool = True) -> Part:
    """The layer norm of a model, with its epsilon."""
    return {"kind": "layer", "bias": bias, "eps": c.number(key, absent=absent)}


def gated(d_ff: int, act: str, on: bool = False) -> Part:
    """A gated MLP, with or without its three biases."""
    return {"kind": "gated", "d_ff": d_ff, "activation": act, "biases": biases(on, "gate", "up", "down")}


def attending(model: Part, **fields: Any) -> Part:
    """A model with these fields of its attention changed."""
    return {**model, "attention": {**model["attention"], **fields}}


def plain(d_ff: int, act: str, on: bool = True) -> Part:
    """A plain MLP, with or without its two biases."""
    return {"kind": "plain", "d_ff": d_ff, "activation": act, "biases": biases(on, "up", "down")}


def ungated(mlp: Part) -> Part:
    """The plain MLP that a gated one is without its gate."""
    return {**mlp, "kind": "plain", "biases": [name for name in mlp["biases"] if name != "gate"]}


def windowed(c: Config, model: Part, window: int | None, absent: Sequence[str], full: Part | None = None) -> Part:
    """A model whose layers see a window where ``layer_types`` says so; ``full`` is the attention of the other layers,
    where it differs in more than the window."""
    sliding = model["attention"] | ({"window": window} if window else {})
    blocks = {"sliding_attention": sliding, "full_attention": full or model["attention"]}
    attention, variations = varied("attention", blocks, layer_types(c, model["n_layers"], absent))
    return {**model, "attention": attention, "variations": variations}


def everywhere(model: Part, window: int | None) -> Part:
    """A model every layer of which sees a window, where there is one."""
    return attending(model, window=window) if window else model


def optional_window(c: Config) -> int | None:
    """The window, where ``use_sliding_window`` says that there is one."""
    window = c.size("sliding_window", absent=4096, null=None, least=0)
    on = c.flag("use_sliding_window", absent=False)
    if on and window == 0:
        raise c.refusal("sliding_window", "0 contradicts use_sliding_window, which says that there is one")
    return window if on else None


def seen_both_ways(c: Config, model: Part) -> Part:
    """A model whose tokens see later ones too, as far to either side as a window reaches (``masking_utils.py``)."""

    def both_ways(attention: Part) -> Part:
        if attention["kind"] != "multi-head" or {"chunk", "indexer", "worth"} & attention.keys():
            raise c.refusal("is_causal", "false, and attention of this kind sees no later tokens")
        wider = {"window": attention["window"] + 1} if "window" in attention else {}
        return attention | {"bidirectional": True} | wider

    return each_attention(model, both_ways)


def each_attention(model: Part, change: Callable[[Part], Part]) -> Part:
    """A model with the attention of every layer changed."""

    def changed(part: Part) -> Part:
        return part | {"attention": change(part["attention"])} if part.get("attention") else part

    return {**changed(model), "variations": [changed(each) for each in model.get("variations", [])]}


def mixed(model: Part, mixture: Part, sparse: Sequence[bool]) -> Part:
    """A model with a mixture for its MLP in the layers that are ``sparse``."""
    mlp, variations = varied("mlp", {True: mixture, False: model["mlp"]}, sparse)
    return {**model, "mlp": mlp, "variations": [*model.get("variations", []), *variations]}


def predictors(c: Config, *keys: str) -> None:
    """A note of multi-token-prediction layers, where the file says that there are some."""
    for key in keys or ("num_nextn_predict_layers",):
        if c.has(key) and (n := c.size(key, absent=0, null=0, least=0)):
            layers = "1 multi-token-prediction layer" if n == 1 else f"{n} multi-token-prediction layers"
            c.notes.append(f"{layers}, which some checkpoints carry, not counted")
