"""Inkling: convolutions in and after attention and after the MLP, and positions that are relative."""

from __future__ import annotations

from gptcount.families.common import Part, activation, gated, grouped, layer_types, predictors, renamed, rms, slotted
from gptcount.families.config import Config
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA,
    """
embedding.norm                 model.embed_tokens.embed_norm                          |
attention.key_convolution      model.layers.{}.self_attn.k_sconv.conv1d               |, 1, n_taps
attention.value_convolution    model.layers.{}.self_attn.v_sconv.conv1d               |, 1, n_taps
attention.relative.query       model.layers.{}.self_attn.r_proj                       |, d_model
attention.relative.profiles    model.layers.{}.self_attn.rel_logits_proj.proj[|]      d_relative, |
attention_convolution          model.layers.{}.attn_sconv.conv1d                      |, 1, n_taps
mlp.scale                      model.layers.{}.mlp.global_scale[|]                    1
mlp.router+router_shared       model.layers.{}.mlp.gate                               |, d_model
mlp.experts.gate+up            model.layers.{}.mlp.experts.gate_up_proj[|]            n_experts, |, d_model
mlp.experts.down               model.layers.{}.mlp.experts.down_proj[|]               n_experts, d_model, |
mlp.shared.gate                model.layers.{}.mlp.shared_experts.gate_proj[|]        n_shared, |, d_model
mlp.shared.up                  model.layers.{}.mlp.shared_experts.up_proj[|]          n_shared, |, d_model
mlp.shared.down                model.layers.{}.mlp.shared_experts.down_proj[|]        n_shared, d_model, |
mlp.router.scale               model.layers.{}.mlp.gate.global_scale[|]               1
mlp.router.correction          model.layers.{}.mlp.gate.e_score_correction_bias[|]    |
mlp_convolution                model.layers.{}.mlp_sconv.conv1d                       |, 1, n_taps
""",
)

FULL, SLIDING = "hybrid", "hybrid_sliding"


def inkling_text(c: Config) -> Part:
    """The language model of Inkling (modeling_inkling.py): keys, values and what each branch brings are convolved; the
    shared experts take part in the shares."""
    c.spelled(logits_mup_width_multiplier="embedding_multiplier", sliding_window_size="sliding_window")
    c.spelled(n_routed_experts="num_local_experts", conv_kernel_size="sconv_kernel_size")
    c.spelled(max_position_embeddings="model_max_length")
    d_model, n_layers, norm = c.size("hidden_size", absent=6144), c.layers(absent=66), rms(c)
    n_taps, act = c.size("conv_kernel_size", absent=4), activation(c, absent="silu")
    window, d_relative = c.size("sliding_window_size", absent=512), c.size("d_rel", absent=16)
    floor = c.size("log_scaling_n_floor", absent=None, null=None)
    alpha = c.number("log_scaling_alpha", absent=0.1)
    full = _heads(c, "", 8) | {"relative": {"d_relative": d_relative, "n_distances": c.size("rel_extent", absent=1024)}}
    full |= {"temperature": {"scale": alpha, "n_positions": floor, "smooth": True}} if floor else {}
    sliding = _heads(c, "swa_", 16) | {"relative": {"d_relative": d_relative, "n_distances": window}, "window": window}
    dense, d_expert = _widths(c)
    mlps = {"dense": {**gated(dense, act), "learned_scale": True}, "sparse": _mixture(c, d_expert, act)}
    local = c.indices("local_layer_ids", n_layers, absent=None, null=None)
    usual = [
        SLIDING if (index in local if local is not None else (index + 1) % 6) else FULL for index in range(n_layers)
    ]
    which = layer_types(c, n_layers, usual, (FULL, SLIDING))
    first = c.size("dense_mlp_idx", absent=0, least=0)
    by_default = ["dense" if index < first else "sparse" for index in range(n_layers)]
    thinking = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=by_default, null=by_default)
    attention = {
        kind: part | {"n_taps": n_taps, "query_key_norm": norm} for kind, part in ((FULL, full), (SLIDING, sliding))
    }
    kinds = {(one, two): {"attention": attention[one], "mlp": mlps[two]} for one in attention for two in mlps}
    width = c.number("logits_mup_width_multiplier", absent=24.0)
    if not width:
        raise c.refusal("logits_mup_width_multiplier", "0, and vectors are divided by it")
    n_vocab, scored = c.size("vocab_size", absent=201_024), c.size("unpadded_vocab_size", absent=None, null=None)
    predictors(c, "num_mtp_layers")
    c.not_null("shared_expert_sink", "chain_hidden_post_norm", "mtp_hidden_states_first")
    c.ignore("shared_expert_sink", "rms_norm_eps_moe_gate", "tie_word_embeddings", "chain_hidden_post_norm")
    c.ignore("mtp_hidden_states_first", "mtp_local_layer_ids", "number_of_conv_states")
    return dict(
        n_vocab=n_vocab,
        n_ctx=c.size("max_position_embeddings", absent=131_072),
        d_model=d_model,
        n_layers=n_layers,
        embedding={"norm": norm},
        **slotted(kinds, list(zip(which, thinking, strict=True))),
        norm=norm,
        branch_convolution={"n_taps": n_taps},
        unembedding={"tied": False, "scale": 1 / width} | ({"n_scored": scored} if scored and scored < n_vocab else {}),
    )


def _heads(c: Config, prefix: str, kv_absent: int) -> Part:
    """The heads of one kind of layer, whose scores are scaled by their width, not by its root."""
    n_heads, d_head = c.size(f"{prefix}num_attention_heads", absent=64), c.size(f"{prefix}head_dim", absent=128)
    key = f"{prefix}num_key_value_heads"
    part: Part = {"kind": "multi-head", "n_heads": n_heads, "d_head": d_head, "scale": 1 / d_head}
    return part | grouped(c, key, n_heads, c.size(key, absent=kv_absent))


def _widths(c: Config) -> tuple[int, int]:
    """The width of a dense MLP and of an expert: where a file gives the former a key of its own, the usual key is that
    of the latter."""
    usual, dense = c.size("intermediate_size", absent=24_576), c.size("dense_intermediate_size", absent=None, null=None)
    expert = c.size("moe_intermediate_size", absent=3072)
    return (usual, expert) if dense is None else (dense, usual)


def _mixture(c: Config, width: int, act: str) -> Part:
    expert = gated(width, act)
    return {
        "kind": "mixture",
        "n_experts": c.size("n_routed_experts", absent=256),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=6),
        "expert": expert,
        "shared": expert,
        "n_shared": c.size("n_shared_experts", absent=2),
        "router_correction": "buffer",
        "scores": "sigmoid",
        "scale": c.number("route_scale", absent=8.0),
        "learned_scale": True,
    }


READERS = {"inkling_text": inkling_text}
TABLES = {"inkling_text": NAMES}
