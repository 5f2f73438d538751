"""Kolibri 1, Flint and Beam: mixtures whose layers without a window have no positions."""

from __future__ import annotations

from gptcount.families.common import Part, attending, every, layer_types, mixed, renamed, rotary, varied, windowed
from gptcount.families.config import Config, Defaults
from gptcount.families.deepseek import CORRECTION
from gptcount.families.llama import EXPERTS, NAMES, decoder
from gptcount.families.qwen import SHARED

KOLIBRI = renamed(
    NAMES + EXPERTS,
    """
attention_output_norm  model.layers.{}.post_attn_norm                          |
mlp_output_norm        model.layers.{}.post_ffn_norm                           |
mlp.router.correction  model.layers.{}.moe.router.expert_bias[|]               |
""",
)

FLINT = renamed(
    NAMES + EXPERTS,
    SHARED
    + """
attention.sinks        model.layers.{}.self_attn.softmax_offset[|]             |
""",
)

BEAM = renamed(
    NAMES + EXPERTS + CORRECTION,
    """
attention.gate         model.layers.{}.self_attn.gate[_proj.weight|_bias]      |, d_model
attention_output_norm  model.layers.{}.post_attention_layernorm                |
mlp_norm               model.layers.{}.pre_feedforward_layernorm               |
mlp_output_norm        model.layers.{}.post_feedforward_layernorm              |
""",
)


def kolibri1(c: Config) -> Part:
    """Kolibri 1 (modeling_kolibri1.py): norms on both sides of a branch; experts are chosen by what the router says of
    them, corrected, before it is made a score."""
    c.only(attention_bias=False, mlp_bias=False, use_qk_norm=True)
    c.not_null("head_dim", "num_key_value_heads")
    model = _unturned(c, decoder(c), c.size("sliding_window", absent=513, null=None), 5)
    c.ignore("intermediate_size")
    expert = model["mlp"] | {"d_ff": c.size("moe_intermediate_size", absent=512)}
    d_shared = c.size("shared_expert_intermediate_size", absent=512, least=0)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", "num_local_experts", absent=384),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=6),
        "expert": expert,
        **({"shared": expert | {"d_ff": d_shared}} if d_shared else {}),
        "router_correction": "buffer",
        "corrected": "logits",
        "scores": "sigmoid",
        "normalize": c.flag("norm_topk_prob", absent=False),
    }
    return {**model, "mlp": mixture, "residual": "sandwich"}


def flint(c: Config) -> Part:
    """Flint (modeling_flint.py): sinks in every layer; experts whose scores are sigmoids, uncorrected."""
    c.only(mlp_bias=False, use_qk_norm=True)
    c.not_null("head_dim", "num_key_value_heads")
    model = attending(decoder(c), sinks=True)
    n_layers = model["n_layers"]
    full = {0, 1, n_layers - 1} | {at for at in range(n_layers) if at % 4 == 1}
    usual = ["full_attention" if at in full else "sliding_attention" for at in range(n_layers)]
    model = _unturned(c, model, c.size("sliding_window", absent=513), usual)
    expert = model["mlp"] | {"d_ff": c.size("moe_intermediate_size", absent=512)}
    d_shared = c.size("shared_expert_intermediate_size", absent=1024, least=0)
    n_experts = c.size("num_experts", "num_local_experts", absent=256, least=0)
    mixture = {
        "kind": "mixture",
        "n_experts": n_experts,
        "n_experts_per_token": c.size("num_experts_per_tok", absent=6),
        "expert": expert,
        **({"shared": expert | {"d_ff": d_shared}} if d_shared else {}),
        "scores": "sigmoid",
        "normalize": c.flag("norm_topk_prob", absent=True),
    }
    step, dense = c.size("decoder_sparse_step", absent=1), c.indices("mlp_only_layers", n_layers, [0, 1], [0, 1])
    return mixed(model, mixture, [n_experts > 0 and (at + 1) % step == 0 and at not in dense for at in range(n_layers)])


def _unturned(c: Config, model: Part, window: int | None, usual: list[str] | int) -> Part:
    """The model with norms of queries and keys, and no positions in layers without a window, where some have one."""
    model = attending(model, query_key_norm=model["norm"])
    usual = every(model["n_layers"], usual) if isinstance(usual, int) else usual
    if window is None and "sliding_attention" in layer_types(c, model["n_layers"], usual):
        raise c.refusal("sliding_window", "null contradicts layer_types, where some have one")
    full = {key: part for key, part in model["attention"].items() if key != "rotary" or window is None}
    return windowed(c, model, window, usual, full)


def beam(c: Config) -> Part:
    """Beam (modeling_beam.py): what is added counts less the more there is; a gate with a bias for each head; queries
    of layers without positions grow with the position."""
    c.only(mlp_bias=False, rope_theta=10_000.0, rope_scaling=None, use_qk_norm=True)
    c.not_null("head_dim", "num_key_value_heads", "n_group", "topk_group")
    said = c.data.get("rope_parameters")
    c.data = {key: value for key, value in c.data.items() if key not in ("rope_parameters", "rope_scaling")}
    model = decoder(c)
    n_layers, d_head = model["n_layers"], model["attention"]["d_head"]
    usual = [*every(n_layers, 6)[:-1], "full_attention"]
    kinds = layer_types(c, n_layers, usual)
    window = c.size("sliding_window", absent=512, null=None)
    if window is None and "sliding_attention" in kinds:
        raise c.refusal("sliding_window", "null contradicts layer_types, where some have one")
    plain = attending(model, query_key_norm=model["norm"], gate=True, gate_bias=True)["attention"]
    plain = {key: part for key, part in plain.items() if key != "rotary"}
    of_kind = _tables(c, said, kinds)
    blocks = {}
    for kind, table in of_kind.items():
        own: Part = {"window": window} if kind == "sliding_attention" else {}
        own |= {"rotary": _turned(c, kind, table, d_head)} if table else {"temperature": SCALABLE}
        blocks[kind] = plain | own
    attention, variations = varied("attention", blocks, kinds)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", absent=256),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=8),
        "expert": model["mlp"] | {"d_ff": c.size("moe_intermediate_size", absent=2560)},
        "router_correction": "buffer",
        "scores": "sigmoid",
        "normalize": c.flag("norm_topk_prob", absent=True),
        "scale": c.number("routed_scaling_factor", absent=2.5),
        "n_groups": c.size("n_group", absent=8),
        "n_groups_per_token": c.size("topk_group", absent=4),
    }
    first = ["dense"] * min(3, n_layers) + ["sparse"] * max(n_layers - 3, 0)
    types = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=first, null=first)
    cap = c.number("final_logit_softcapping", absent=30.0, null=None)
    unembedding = model["unembedding"] | ({} if cap is None else {"softcap": cap})
    model |= {"attention": attention, "variations": variations, "residual": "averaged", "unembedding": unembedding}
    return mixed(model, mixture, [word == "sparse" for word in types])


SCALABLE = {"scale": 0.1, "n_positions": 2048, "offset": 1, "power": True}
"""How queries grow with their position where there are no rotary ones."""


def _tables(c: Config, said: object, kinds: list[str]) -> dict[str, dict[str, object] | None]:
    """The rotary positions of each kind of layer; None where it has none."""
    usual = {"sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0}, "full_attention": None}
    tables = usual if said is None else said
    if not isinstance(tables, dict) or not set(kinds) <= tables.keys():
        raise c.refusal("rope_parameters", f"expected a table or null for each kind: {', '.join(sorted(set(kinds)))}")
    for table in tables.values():
        if table is not None and not (isinstance(table, dict) and {"rope_type", "rope_theta"} <= table.keys()):
            raise c.refusal("rope_parameters", "expected rope_type and rope_theta in each table, or null for it")
    return {kind: tables[kind] for kind in sorted(set(kinds))}


def _turned(c: Config, kind: str, table: dict[str, object], d_head: int) -> Part:
    """Rotary positions as a table of one kind says."""
    own = Config({"rope_parameters": {kind: table}}, c.origin)
    own.taken = {"max_position_embeddings": c.size("max_position_embeddings")}
    found = rotary(own, d_head=d_head, kind=kind)
    for inner in own.tables.values():
        inner.finish()
    return found


READERS = {"kolibri1": kolibri1, "flint": flint, "beam": beam}
TABLES = {"kolibri1": KOLIBRI, "flint": FLINT, "beam": BEAM}


DEFAULTS: Defaults = {
    "kolibri1": dict(
        vocab_size=128_000,
        hidden_size=2560,
        num_hidden_layers=50,
        num_attention_heads=48,
        head_dim=128,
        num_key_value_heads=4,
        max_position_embeddings=262_144,
        intermediate_size=1,
    ),
    "flint": dict(
        vocab_size=150_144,
        hidden_size=2048,
        intermediate_size=6144,
        num_hidden_layers=49,
        head_dim=128,
        num_attention_heads=32,
        num_key_value_heads=4,
        max_position_embeddings=262_144,
    ),
    "beam": dict(
        vocab_size=151_936,
        hidden_size=5120,
        intermediate_size=20_480,
        num_hidden_layers=52,
        head_dim=128,
        num_attention_heads=48,
        num_key_value_heads=8,
        max_position_embeddings=8192,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
