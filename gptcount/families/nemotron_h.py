"""Nemotron-H: one block in each layer, which is a Mamba-2 mixer, attention without positions, an MLP or a mixture."""

from __future__ import annotations

from collections.abc import Callable

from gptcount.families.common import Part, activation, biases, heads, plain, predictors, rms, slotted
from gptcount.families.config import Config
from gptcount.families.mamba2 import mixer_names
from gptcount.numbers import count

NAMES = (
    mixer_names("backbone.layers.{}", "mixer")
    + """
embedding.token      backbone.embeddings                            |, d_model
attention_norm       backbone.layers.{}.norm                        |
attention.query      backbone.layers.{}.mixer.q_proj                |, d_model
attention.key        backbone.layers.{}.mixer.k_proj                |, d_model
attention.value      backbone.layers.{}.mixer.v_proj                |, d_model
attention.output     backbone.layers.{}.mixer.o_proj                d_model, |
mlp_norm             backbone.layers.{}.norm                        |
mlp.up               backbone.layers.{}.mixer.up_proj               |, d_model
mlp.down             backbone.layers.{}.mixer.down_proj             d_model, |
mlp.router           backbone.layers.{}.mixer.gate                  |, d_model
mlp.router.correction  backbone.layers.{}.mixer.gate.e_score_correction_bias[|]  |
mlp.latent_down      backbone.layers.{}.mixer.fc1_latent_proj       |, d_model
mlp.experts.up       backbone.layers.{}.mixer.experts.{}.up_proj    d_ff, |
mlp.experts.down     backbone.layers.{}.mixer.experts.{}.down_proj  |, d_ff
mlp.latent_up        backbone.layers.{}.mixer.fc2_latent_proj       d_model, |
mlp.shared.up        backbone.layers.{}.mixer.shared_experts.up_proj  |, d_model
mlp.shared.down      backbone.layers.{}.mixer.shared_experts.down_proj  d_model, |
final_norm           backbone.norm_f                                |
unembedding.token    lm_head                                        |, d_model
"""
)

LETTERS = {"M": "linear_attention", "*": "full_attention", "-": "mlp", "E": "moe"}
"""What a pattern of layers says of each."""

OLDER = {"mamba": "linear_attention", "attention": "full_attention"}
"""Older words for kinds of layer."""

SPELLED = {
    "n_groups": "mamba_n_groups",
    "conv_kernel": "mamba_d_conv",
    "use_conv_bias": "mamba_conv_bias",
    "time_step_min": "mamba_dt_min",
}
"""Words of older files."""


def nemotron_h(c: Config) -> Part:
    """Nemotron-H and Nemotron 3 (arXiv:2504.03624; modeling_nemotron_h.py): one block in each layer; attention has no
    positions."""
    c.spelled(**SPELLED)
    norm = rms(c, absent=1e-5, key="layer_norm_epsilon")
    which = _kinds(c)
    slots: dict[str, Callable[[], Part]] = {
        "linear_attention": lambda: {"mixer": _mixer(c, norm)},
        "full_attention": lambda: {"attention": _attention(c)},
        "mlp": lambda: {"mlp": plain(c.size("intermediate_size", absent=21504), *_ungated(c))},
        "moe": lambda: {"mlp": _mixture(c)},
    }
    kinds = {kind: slots[kind]() for kind in dict.fromkeys(which)}
    predictors(c)
    c.ignore(*UNREAD.split(), *(key for key in c.data if key.startswith("mtp_")))
    return dict(
        n_vocab=c.size("vocab_size", absent=131_072),
        n_ctx=c.size("max_position_embeddings", absent=4096),
        d_model=c.size("hidden_size", absent=4096),
        n_layers=len(which),
        **slotted(kinds, which),
        norm=norm,
        unembedding={"tied": False},
    )


def _kinds(c: Config) -> list[str]:
    """The kind of each layer: from a list, or else a pattern with a letter a layer."""
    said = c.raw("layers_block_type", "layer_types", absent=None, null=None)
    if said is None and c.has("hybrid_override_pattern"):
        key, said = "hybrid_override_pattern", c.raw("hybrid_override_pattern")
        if not isinstance(said, str):
            raise c.refusal(key, "expected a text, a letter a layer")
        said = [LETTERS.get(letter, letter) for letter in said]
    else:
        key = "layers_block_type"
        if said is None:
            said = ["linear_attention", "moe", "full_attention", "mlp"]
            c.take_for(key, ", ".join(said))
        if not isinstance(said, list):
            raise c.refusal(key, "expected a list, a word a layer")
        said = [OLDER.get(word, word) if isinstance(word, str) else word for word in said]
    for word in said:
        if word not in LETTERS.values():
            raise c.refusal(key, f"{word!r} is not known; there are {', '.join([*LETTERS, *LETTERS.values()])}")
    if not 0 < len(said) <= 100_000:
        raise c.refusal(key, f"expected 1 to 100,000 layers, and there are {count(len(said))}")
    if (n_layers := c.data.get("num_hidden_layers")) not in (None, len(said)):
        c.notes.append(f"num_hidden_layers says {n_layers!r}; {key} lists {len(said)} layers, and counts.")
    return said


def _mixer(c: Config, norm: Part) -> Part:
    c.not_null("time_step_min")
    least = c.number("time_step_min", absent=0.001)
    others, convolved = c.flag("use_bias", absent=False), c.flag("use_conv_bias", absent=True)
    return {
        "kind": "mamba2",
        "n_heads": c.size("mamba_num_heads", absent=128),
        "d_head": c.size("mamba_head_dim", absent=64),
        "d_state": c.size("ssm_state_size", absent=128),
        "n_groups": c.size("n_groups", absent=8),
        "n_taps": c.size("conv_kernel", absent=4),
        "biases": biases(others, "input") + biases(convolved, "convolution") + biases(others, "output"),
        "activation": activation(c, "mamba_hidden_act", absent="silu"),
        "norm": norm,
        "time_step_least": least,
    }


def _attention(c: Config) -> Part:
    c.not_null("num_key_value_heads")
    attention = heads(c, c.size("hidden_size", absent=4096), n_heads=32, kv_absent=8, head_absent=128)
    c.only(attention_head_dim=attention["d_head"])
    return attention


def _ungated(c: Config) -> tuple[str, bool]:
    """The activation of an MLP, and whether it has biases."""
    return activation(c, "mlp_hidden_act", absent="relu2"), c.flag("mlp_bias", absent=False)


def _mixture(c: Config) -> Part:
    """Experts have no biases; the shared one has, and the two matrices around narrower experts."""
    act, on = _ungated(c)
    latent = c.size("moe_latent_size", absent=None, null=None)
    shared = c.size("moe_shared_expert_intermediate_size", absent=7688, least=0)
    shared = shared or c.size("intermediate_size", absent=21504)
    return {
        "kind": "mixture",
        "n_experts": c.size("n_routed_experts", "num_local_experts", absent=8),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=2),
        "expert": plain(c.size("moe_intermediate_size", absent=7688), act, False),
        "shared": plain(shared, act, on),
        "router_correction": "buffer",
        "scores": "sigmoid",
        "normalize": c.flag("norm_topk_prob", absent=True),
        "scale": c.number("routed_scaling_factor", absent=1.0),
        "n_groups": c.size("n_group", absent=1),
        "n_groups_per_token": c.size("topk_group", absent=1),
        **({"d_latent": latent, "latent_bias": on} if latent else {}),
    }


UNREAD = """
attention_bias attention_head_dim chunk_size conv_kernel expand head_dim hybrid_override_pattern intermediate_size
mamba_chunk_size mamba_dt_init_floor mamba_dt_limit mamba_dt_max mamba_expand mamba_head_dim mamba_hidden_act
mamba_num_heads mamba_proj_bias mamba_ssm_cache_dtype mlp_bias mlp_hidden_act moe_intermediate_size moe_latent_size
moe_shared_expert_intermediate_size moe_shared_expert_overlap n_group n_groups n_routed_experts n_shared_experts
norm_eps norm_topk_prob num_attention_heads num_experts_per_tok num_hidden_layers num_key_value_heads
num_local_experts partial_rotary_factor residual_in_fp32 rescale_prenorm_residual rms_norm_eps rope_parameters
rope_scaling rope_theta routed_scaling_factor sliding_window ssm_state_size tie_word_embeddings time_step_floor
time_step_limit time_step_max time_step_min time_step_rank topk_group use_bias use_conv_bias use_mamba_kernels
"""
"""Keys that the class does not read, or reads for kinds of layer that a model may lack."""

READERS = {"nemotron_h": nemotron_h}
TABLES = {"nemotron_h": NAMES}
