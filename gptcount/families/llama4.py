"""Llama 4: experts beside a shared one, layers that see their own chunk, and layers without positions that see all."""

from __future__ import annotations

from gptcount.families.common import Part, mixed, renamed, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.llama import decoder

NAMES = renamed(
    LLAMA,
    """
mlp.gate              model.layers.{}.feed_forward.gate_proj                  |, d_model
mlp.up                model.layers.{}.feed_forward.up_proj                    |, d_model
mlp.down              model.layers.{}.feed_forward.down_proj                  d_model, |
mlp.router            model.layers.{}.feed_forward.router                     |, d_model
mlp.experts.gate+up   model.layers.{}.feed_forward.experts.gate_up_proj[|]    n_experts, d_model, |
mlp.experts.down      model.layers.{}.feed_forward.experts.down_proj[|]       n_experts, |, d_model
mlp.shared.gate       model.layers.{}.feed_forward.shared_expert.gate_proj    |, d_model
mlp.shared.up         model.layers.{}.feed_forward.shared_expert.up_proj      |, d_model
mlp.shared.down       model.layers.{}.feed_forward.shared_expert.down_proj    d_model, |
""",
)


def llama4(c: Config) -> Part:
    """Llama 4 (Meta 2025; modeling_llama4.py)."""
    c.only(mlp_bias=False)
    c.not_null("head_dim", "num_key_value_heads")
    c.ignore("router_jitter_noise", "for_llm_compressor")
    model = decoder(c)
    model["attention"]["rotary"]["interleaved"] = True
    return _with_experts(c, _with_chunks(c, model))


def _with_chunks(c: Config, model: Part) -> Part:
    """Layers with and without positions, and with and without chunks."""
    turned, n_layers = model["attention"], model["n_layers"]
    straight = {key: part for key, part in turned.items() if key != "rotary"}
    if c.flag("use_qk_norm", absent=True):
        turned["query_key_norm"] = {**model["norm"], "gain": False, "after_rotary": True}
    scale, n_positions = c.number("attn_scale", absent=0.1), c.size("floor_scale", absent=8192)
    tuning = c.raw("attn_temperature_tuning", absent=True)
    if not isinstance(tuning, int):
        raise c.refusal("attn_temperature_tuning", f"{tuning!r} is not true or false")
    if tuning:
        straight["temperature"] = {"scale": scale, "n_positions": n_positions, "offset": 1}
    chunk = c.size("attention_chunk_size", absent=8192, null=None)
    period = c.size("no_rope_layer_interval", absent=4)
    c.only(nope_layer_interval=period)
    turns = c.raw("no_rope_layers", absent=[], null=[])
    turns = [int(at % period > 0) for at in range(1, n_layers + 1)] if turns == [] else turns
    if not isinstance(turns, list) or len(turns) != n_layers or any(turn not in (0, 1) for turn in turns):
        raise c.refusal("no_rope_layers", f"expected a list of {n_layers}, 1 for a layer that has positions, or 0")
    usual = ["chunked_attention" if turn else "full_attention" for turn in turns]
    kinds = c.words("layer_types", n_layers, ("chunked_attention", "full_attention"), absent=usual, null=usual)
    blocks = {
        (kind, turn): block | ({"chunk": chunk} if chunk and kind == "chunked_attention" else {})
        for kind in set(kinds)
        for turn, block in enumerate((straight, turned))
    }
    attention, variations = varied("attention", blocks, list(zip(kinds, turns, strict=True)))
    return {**model, "attention": attention, "variations": variations}


def _with_experts(c: Config, model: Part) -> Part:
    """Experts in every so many layers, or in those that the file lists."""
    step, n_layers = c.size("interleave_moe_layer_step", absent=1), model["n_layers"]
    usual = list(range(step - 1, n_layers, step))
    sparse = set(c.indices("moe_layers", n_layers, absent=usual, null=usual))
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_local_experts", absent=16),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=1),
        "expert": model["mlp"],
        "shared": model["mlp"],
        "scores": "sigmoid",
        "normalize": False,
        "weigh_input": True,
    }
    dense = model["mlp"] | {"d_ff": c.size("intermediate_size_mlp", absent=16_384)}
    return mixed({**model, "mlp": dense}, mixture, [index in sparse for index in range(n_layers)])


READERS = {"llama4_text": llama4}
TABLES = {"llama4_text": NAMES}


DEFAULTS: Defaults = {
    "llama4_text": dict(
        vocab_size=202_048,
        hidden_size=5120,
        intermediate_size=8192,
        num_hidden_layers=48,
        head_dim=128,
        num_attention_heads=40,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        rope_theta=500_000.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
