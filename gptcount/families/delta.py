"""Families whose layers mix tokens by the gated delta rule, and in every few by attention: Qwen3-Next, Qwen3.5, OLMo
Hybrid, Lara and Kimi Linear."""

from __future__ import annotations

from gptcount.architecture import Architecture
from gptcount.blocks.delta import Delta
from gptcount.families.common import Part, attending, biases, every, layer_types, renamed, rotary_table, slotted
from gptcount.families.config import Config, Defaults
from gptcount.families.deepseek import corrected, dense, latent_names
from gptcount.families.llama import EXPERTS, decoder
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.qwen import SHARED, mixture_of, sparse
from gptcount.weight import slices

MIXER = """
mixer_norm                model.layers.{}.input_layernorm                   |
mixer.decay_bias          model.layers.{}.linear_attn.dt_bias[|]            |
mixer.log_decay           model.layers.{}.linear_attn.A_log[|]              |
mixer.norm                model.layers.{}.linear_attn.norm                  |
mixer.output              model.layers.{}.linear_attn.out_proj              d_model, |
mixer.convolution.query+convolution.key+convolution.value  model.layers.{}.linear_attn.conv1d  |, 1, n_taps
"""

GATED = """
attention.query+gate      model.layers.{}.self_attn.q_proj                  n_heads*|, d_model
"""

APART = """
mixer.query+key+value     model.layers.{}.linear_attn.in_proj_qkv           |, d_model
mixer.gate                model.layers.{}.linear_attn.in_proj_z             |, d_model
mixer.write               model.layers.{}.linear_attn.in_proj_b             |, d_model
mixer.decay               model.layers.{}.linear_attn.in_proj_a             |, d_model
"""

FUSED = """
mixer.query+key+value+gate  model.layers.{}.linear_attn.in_proj_qkvz        n_key_heads*|, d_model
mixer.write+decay           model.layers.{}.linear_attn.in_proj_ba          {groups}*|, d_model
"""

LARA = """
mixer.norm                model.layers.{}.linear_attn.out_norm              |
mixer.query+key+value+gate+write+decay  model.layers.{}.linear_attn.in_proj |, d_model
mlp.experts.gate+up       model.layers.{}.mlp.experts.gate_up_proj[|]       n_experts, |, d_model
mlp.experts.down          model.layers.{}.mlp.experts.down_proj[|]          n_experts, d_model, |
"""

OF_DELTA = """
mixer.query               model.layers.{}.{mixer}.q_proj                    |, d_model
mixer.key                 model.layers.{}.{mixer}.k_proj                    |, d_model
mixer.value               model.layers.{}.{mixer}.v_proj                    |, d_model
mixer.convolution.query   model.layers.{}.{mixer}.q_conv1d                  |, 1, n_taps
mixer.convolution.key     model.layers.{}.{mixer}.k_conv1d                  |, 1, n_taps
mixer.convolution.value   model.layers.{}.{mixer}.v_conv1d                  |, 1, n_taps
mixer.write               model.layers.{}.{mixer}.b_proj                    |, d_model
mixer.decay_bias          model.layers.{}.{mixer}.dt_bias[|]                |
mixer.norm                model.layers.{}.{mixer}.o_norm                    |
mixer.output              model.layers.{}.{mixer}.o_proj                    d_model, |
"""

OLMO = renamed(
    LLAMA + OF_DELTA.replace("{mixer}", "linear_attn"),
    """
mixer_norm                model.layers.{}.attention_layer_norm              |
mixer.decay               model.layers.{}.linear_attn.a_proj                |, d_model
mixer.log_decay           model.layers.{}.linear_attn.A_log[|]              |
mixer.gate                model.layers.{}.linear_attn.g_proj                |, d_model
attention_output_norm     model.layers.{}.feedforward_layer_norm            |
mlp_norm                  model.layers.{}.feedforward_layer_norm            |
mlp_output_norm           model.layers.{}.post_feedforward_layernorm        |
""",
)

KIMI = renamed(
    LLAMA + OF_DELTA.replace("{mixer}", "self_attn"),
    """
mixer_norm                model.layers.{}.input_layernorm                   |
mixer.decay_down          model.layers.{}.self_attn.f_a_proj                |, d_model
mixer.decay               model.layers.{}.self_attn.f_b_proj                |, d_decay
mixer.log_decay           model.layers.{}.self_attn.A_log[|]                1, 1, |, 1
mixer.gate_down           model.layers.{}.self_attn.g_a_proj                |, d_model
mixer.gate                model.layers.{}.self_attn.g_b_proj                |, d_gate
""",
)

MOE_OF_KIMI = """
mlp.gate                  model.layers.{}.block_sparse_moe.gate_proj                     |, d_model
mlp.up                    model.layers.{}.block_sparse_moe.up_proj                       |, d_model
mlp.down                  model.layers.{}.block_sparse_moe.down_proj                     d_model, |
mlp.router                model.layers.{}.block_sparse_moe.gate                          |, d_model
mlp.router.correction     model.layers.{}.block_sparse_moe.gate.e_score_correction_bias[|]  |
mlp.experts.gate          model.layers.{}.block_sparse_moe.experts.{}.w1                 |, d_model
mlp.experts.up            model.layers.{}.block_sparse_moe.experts.{}.w3                 |, d_model
mlp.experts.down          model.layers.{}.block_sparse_moe.experts.{}.w2                 d_model, |
mlp.shared.gate           model.layers.{}.block_sparse_moe.shared_experts.gate_proj      |, d_model
mlp.shared.up             model.layers.{}.block_sparse_moe.shared_experts.up_proj        |, d_model
mlp.shared.down           model.layers.{}.block_sparse_moe.shared_experts.down_proj      d_model, |
"""


def qwen3_next(c: Config) -> Part:
    """Qwen3-Next (modeling_qwen3_next.py): three layers of gated delta rules to one of gated attention, and a mixture
    in every layer."""
    model = hybrid(c)
    mlp = model["mlp"]
    mixture = mixture_of(c, model, d_expert=512, n_experts=512, n_chosen=10, d_shared=512, normalize=True)
    return _placed(c, model, [mixture if on else mlp for on in sparse(c, model, mixture)])


def qwen3_5(c: Config) -> Part:
    """Qwen3.5 (modeling_qwen3_5.py): three layers of gated delta rules to one of gated attention."""
    model = hybrid(c)
    return _placed(c, model, [model["mlp"]] * model["n_layers"])


def qwen3_5_moe(c: Config) -> Part:
    """Qwen3.5 with a mixture (modeling_qwen3_5_moe.py): what the chosen experts weigh always adds up to one."""
    c.ignore("norm_topk_prob", "intermediate_size", "decoder_sparse_step", "mlp_only_layers")
    model = hybrid(c)
    mixture = mixture_of(c, model, d_expert=512, n_experts=256, n_chosen=8, d_shared=512, normalize=True)
    return _placed(c, model, [mixture | {"normalize": True}] * model["n_layers"])


def lara_mini(c: Config) -> Part:
    """Lara (modeling_lara_mini.py): gated delta rules, windows, and attention without positions, in turn; a mixture
    everywhere."""
    c.not_null("head_dim", "num_key_value_heads")
    c.only(mlp_bias=False)
    c.ignore("intermediate_size")
    model = decoder(c)
    model = attending(model, query_key_norm=model["norm"])
    mixture = mixture_of(c, model, d_expert=512, n_experts=128, n_chosen=4, d_shared=512, normalize=True)
    mixture = {key: value for key, value in mixture.items() if key != "shared_gate"}
    full = {key: value for key, value in model["attention"].items() if key != "rotary"}
    window = c.size("sliding_window", absent=512)
    kinds = {
        "linear_attention": {"mixer": delta_of(c, model, 8, 16), "mlp": mixture},
        "sliding_attention": {"attention": model["attention"] | {"window": window}, "mlp": mixture},
        "full_attention": {"attention": full, "mlp": mixture},
    }
    pattern = ["linear_attention", "sliding_attention", "linear_attention", "full_attention", "sliding_attention"]
    usual = [pattern[index % 5] for index in range(model["n_layers"])]
    return model | slotted(kinds, layer_types(c, model["n_layers"], usual, tuple(kinds)))


def olmo_hybrid(c: Config) -> Part:
    """OLMo Hybrid (modeling_olmo_hybrid.py): layers with attention are normed behind it, those with delta rules
    before; no positions where the base of the rotary ones is null."""
    c.only(mlp_bias=False)
    table = rotary_table(c)
    based = table.data if table and table.has("rope_theta") else c.data
    model = decoder(c)
    attention = model["attention"] | {"query_key_norm": model["norm"] | {"over": "all-heads"}}
    if based.get("rope_theta", 1e4) is None:
        attention.pop("rotary")
    n_heads = attention["n_heads"]
    key_heads = c.size("linear_num_key_heads", absent=None, null=None) or n_heads
    value_heads = c.size("linear_num_value_heads", absent=None, null=None) or n_heads
    d_key = c.size("linear_key_head_dim", absent=None, null=None) or int(0.75 * model["d_model"] / key_heads)
    mixer = {
        "kind": "delta",
        "n_key_heads": key_heads,
        "n_value_heads": value_heads,
        "d_key": d_key,
        "d_value": c.size("linear_value_head_dim", absent=None, null=None) or 2 * d_key,
        "n_taps": c.size("linear_conv_kernel_dim", absent=4),
        "activation": model["mlp"]["activation"],
        "norm": {"kind": "rms", "eps": 1e-5},
        **({"write_scale": 2.0} if c.flag("linear_allow_neg_eigval", absent=True) else {}),
    }
    if value_heads % key_heads:
        raise c.refusal(
            "linear_num_value_heads", f"{value_heads} is not a multiple of linear_num_key_heads = {key_heads}"
        )
    c.ignore("linear_a_log_min", "linear_a_log_max", "linear_dt_min", "linear_dt_max", "linear_dt_init_floor")
    n_layers = model["n_layers"]
    usual = every(n_layers, 4, others="linear_attention")
    usual = usual if "full_attention" in usual else [*usual[:-1], "full_attention"]
    kinds = {"linear_attention": {"mixer": mixer, "mlp": model["mlp"]}, "full_attention": {"attention": attention}}
    kinds["full_attention"] |= {"mlp": model["mlp"]}
    which = layer_types(c, n_layers, usual, tuple(kinds))
    if len(set(which)) < 2:
        raise c.refusal("layer_types", "expected layers of both kinds, full_attention and linear_attention")
    found = model | slotted(kinds, which)
    behind = [index for index, kind in enumerate(which) if kind == "full_attention"]
    return found | {"variations": [*found["variations"], {"layers": slices(behind), "residual": "output-norm"}]}


def kimi_linear(c: Config) -> Part:
    """Kimi Linear (arXiv:2510.26692; modeling_kimi_linear.py): three layers of delta rules whose decay is by channel to
    one of latent attention without positions."""
    c.spelled(max_position_embeddings="model_max_length", norm_topk_prob="moe_renormalize", n_group="num_expert_group")
    c.spelled(num_experts_per_tok="num_experts_per_token", n_shared_experts="num_shared_experts")
    c.assume(vocab_size=163_840, hidden_size=2304, intermediate_size=9216, num_hidden_layers=27)
    c.assume(num_attention_heads=32, max_position_embeddings=1_048_576, rms_norm_eps=1e-5, n_group=1, topk_group=1)
    c.assume(moe_intermediate_size=1024, routed_scaling_factor=2.446, q_lora_rank=None, first_k_dense_replace=1)
    c.only(mlp_bias=False, mla_use_nope=True, moe_router_activation_func="sigmoid", use_grouped_topk=True)
    c.only(moe_layer_freq=1)
    c.ignore("head_dim", "rope_theta", "rope_scaling", "rope_parameters", "partial_rotary_factor", "qk_head_dim")
    c.not_null("n_group", "topk_group", "num_experts_per_tok", "norm_topk_prob", "v_head_dim")
    model = dense(c)
    attention = model["attention"] | {"rotary": False}
    n_layers, inner = model["n_layers"], c.table("linear_attn_config", absent=None, null=None)
    said = inner or Config({}, c.origin)
    n_heads = said.size("num_heads", absent=c.size("linear_num_heads", absent=32))
    d_head = said.size("head_dim", absent=c.size("linear_head_dim", absent=128))
    mixer = {
        "kind": "delta",
        "n_key_heads": n_heads,
        "n_value_heads": n_heads,
        "d_key": d_head,
        "d_value": d_head,
        "n_taps": said.size("short_conv_kernel_size", absent=c.size("linear_conv_kernel_dim", absent=4)),
        "decay": "channel",
        "d_decay": d_head,
        "d_gate": d_head,
        "activation": model["mlp"]["activation"],
        "norm": {"kind": "rms", "eps": model["norm"]["eps"]},
        "gate_activation": "sigmoid",
    }
    usual = ["full_attention" if index and index % 4 == 0 else "linear_attention" for index in range(n_layers)]
    which = layer_types(c, n_layers, _listed(said, n_layers) or usual, ("full_attention", "linear_attention"))
    first = c.size("first_k_dense_replace", absent=1, least=0)
    dense_first = ["dense" if index < first else "sparse" for index in range(n_layers)]
    mlps = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=dense_first, null=dense_first)
    slots = {"linear_attention": {"mixer": mixer}, "full_attention": {"attention": attention}}
    mlp = {"dense": model["mlp"], "sparse": corrected(c, model, "num_experts")}
    kinds = {(kind, word): slots[kind] | {"mlp": mlp[word]} for kind in slots for word in mlp}
    untied = {"unembedding": {"tied": False}}  # whatever tie_word_embeddings says: the class ties nothing
    return model | slotted(kinds, list(zip(which, mlps, strict=True))) | untied


def _listed(said: Config, n_layers: int) -> list[str]:
    """The kinds of the layers that two lists name, which count from 1; empty where they are not there."""
    if not (said.has("full_attn_layers") and said.has("kda_layers")):
        said.ignore("full_attn_layers", "kda_layers")
        return []
    lists = {"full_attention": "full_attn_layers", "linear_attention": "kda_layers"}
    kinds = {layer: kind for kind, key in lists.items() for layer in said.indices(key, n_layers + 1)}
    if sorted(kinds) != list(range(1, n_layers + 1)):
        raise said.refusal("kda_layers", f"with full_attn_layers they are not the layers 1 to {n_layers}, each once")
    return [kinds[index + 1] for index in range(n_layers)]


def hybrid(c: Config) -> Part:
    """A decoder whose attention is gated, its norms stored less one, and a quarter of each head turned."""
    c.assume(head_dim=256, partial_rotary_factor=0.25)
    c.only(mlp_bias=False, sliding_window=None, attn_output_gate=True, use_sliding_window=False)
    c.not_null("head_dim", "num_key_value_heads")
    c.ignore(
        "mlp_only_layers",
        "mamba_ssm_dtype",
        "mtp_num_hidden_layers",
        "mtp_use_dedicated_embeddings",
        "full_attention_interval",
    )
    model = decoder(c)
    norm = model["norm"] | {"plus_one": True}
    attention = model["attention"] | {"gate": True, "query_key_norm": norm}
    attention["biases"] += biases(bool(attention["biases"]), "gate")
    return model | {"norm": norm, "attention": attention}


def delta_of(c: Config, model: Part, key_heads: int, value_heads: int) -> Part:
    """The mixer of the layers with delta rules, with a family's usual numbers of heads."""
    mixer = {
        "kind": "delta",
        "n_key_heads": c.size("linear_num_key_heads", absent=key_heads),
        "n_value_heads": c.size("linear_num_value_heads", absent=value_heads),
        "d_key": c.size("linear_key_head_dim", absent=128),
        "d_value": c.size("linear_value_head_dim", absent=128),
        "n_taps": c.size("linear_conv_kernel_dim", absent=4),
        "activation": model["mlp"]["activation"],
        "norm": {"kind": "rms", "eps": model["norm"]["eps"]},
    }
    if mixer["n_value_heads"] % mixer["n_key_heads"]:
        why = f"{mixer['n_value_heads']} is not a multiple of linear_num_key_heads = {mixer['n_key_heads']}"
        raise c.refusal("linear_num_value_heads", why)
    return mixer


def _placed(c: Config, model: Part, mlps: list[Part]) -> Part:
    """A model whose layers have attention or delta rules, as the file says, and each its MLP."""
    mixer, n_layers = delta_of(c, model, 16, 32), model["n_layers"]
    interval = c.size("full_attention_interval", absent=4) if "layer_types" not in c.data else 4
    kinds = {"linear_attention": {"mixer": mixer}, "full_attention": {"attention": model["attention"]}}
    which = layer_types(c, n_layers, every(n_layers, interval, others="linear_attention"), tuple(kinds))
    both = {(kind, id(mlp)): slots | {"mlp": mlp} for kind, slots in kinds.items() for mlp in mlps}
    return model | slotted(both, [(kind, id(mlp)) for kind, mlp in zip(which, mlps, strict=True)])


def kimi_names(architecture: Architecture) -> str:
    """The names of Kimi Linear's tensors; those of its latent attention are DeepSeek-V3's."""
    found = (layer.attention for layer in architecture.layers() if layer.attention)
    latent = next(found, architecture.attention)
    return renamed(KIMI, MOE_OF_KIMI + latent_names(latent, "model.layers.{}.self_attn"))


def qwen3_next_names(architecture: Architecture) -> str:
    """The names of Qwen3-Next's tensors, which fuse what is made for a key head and its value heads."""
    mixers = (layer.mixer for layer in architecture.layers())
    groups = next((mixer.n_key_heads for mixer in mixers if isinstance(mixer, Delta)), 1)
    return QWEN + FUSED.replace("{groups}", str(groups))


QWEN = renamed(renamed(LLAMA + EXPERTS, SHARED), GATED) + MIXER

READERS = {"qwen3_next": qwen3_next, "qwen3_5_text": qwen3_5, "qwen3_5_moe_text": qwen3_5_moe}
READERS |= {"lara_mini": lara_mini, "olmo_hybrid": olmo_hybrid, "kimi_linear": kimi_linear}
TABLES = {
    "qwen3_next": qwen3_next_names,
    "qwen3_5_text": QWEN + APART,
    "qwen3_5_moe_text": QWEN + APART,
    "lara_mini": renamed(renamed(LLAMA + EXPERTS, SHARED) + MIXER, LARA),
    "olmo_hybrid": OLMO,
    "kimi_linear": kimi_names,
}


DEFAULTS: Defaults = {
    "qwen3_next": dict(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=5632,
        num_hidden_layers=48,
        num_attention_heads=16,
        num_key_value_heads=2,
        max_position_embeddings=32768,
    ),
    "qwen3_5_text": dict(
        vocab_size=248320,
        intermediate_size=12288,
        num_attention_heads=16,
        num_key_value_heads=4,
        max_position_embeddings=32768,
    ),
    "qwen3_5_moe_text": dict(
        vocab_size=248320,
        hidden_size=2048,
        num_hidden_layers=40,
        num_attention_heads=16,
        num_key_value_heads=2,
        max_position_embeddings=32768,
    ),
    "lara_mini": dict(
        vocab_size=151936,
        hidden_size=1024,
        num_hidden_layers=34,
        num_attention_heads=16,
        head_dim=128,
        num_key_value_heads=4,
        max_position_embeddings=131_072,
        tie_word_embeddings=True,
    ),
    "olmo_hybrid": dict(
        vocab_size=100_352,
        hidden_size=3840,
        num_hidden_layers=32,
        num_attention_heads=30,
        max_position_embeddings=65536,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
