"""Zamba and Zamba2: mixers that keep a state in every layer, and transformer blocks that some layers share."""

from __future__ import annotations

from gptcount.architecture import Architecture
from gptcount.families.common import Part, activation, biases, gated, rms, rotary, slotted
from gptcount.families.config import Config
from gptcount.families.mamba import rank
from gptcount.families.mamba2 import MIXER as MAMBA2
from gptcount.weight import slices

ENDS = """
embedding.token        model.embed_tokens         |, d_model
final_norm             model.final_layernorm      |
unembedding.token      lm_head                    |, d_model
"""

MAMBA = """
mixer_norm                {layer}.input_layernorm                              |
mixer.input+gate          {layer}.mamba.in_proj                                n_heads*d_head*|, d_model
mixer.convolution         {layer}.mamba.conv1d                                 |, 1, n_taps
mixer.time_step_down+b+c  {layer}.mamba.x_proj_weight[|]                       n_heads, |, d_head
mixer.time_step           {layer}.mamba.dt_proj[_weight|_bias]                 n_heads, |, d_time_step
mixer.log_decay           {layer}.mamba.A_log[|]                               n_heads, |, d_state
mixer.skip                {layer}.mamba.D[|]                                   n_heads, |
mixer.output              {layer}.mamba.out_proj                               d_model, |
"""

SHARED = """
shared.linear             model.layers.{}.linear                               |, d_model
shared.norm               model.layers.{}.{block}.input_layernorm              |
shared.query              model.layers.{}.{block}.self_attn.q_proj             |, n_read*d_model
shared.key                model.layers.{}.{block}.self_attn.k_proj             |, n_read*d_model
shared.value              model.layers.{}.{block}.self_attn.v_proj             |, n_read*d_model
shared.output             model.layers.{}.{block}.self_attn.o_proj             d_model, |
shared.mlp_norm           model.layers.{}.{block}.pre_ff_layernorm             |
shared.mlp.down           model.layers.{}.{block}.feed_forward.down_proj       d_model, |
"""

APART = """
shared.mlp.gate           model.layers.{}.shared_transf.feed_forward.gate_proj          |, d_model
shared.mlp.up             model.layers.{}.shared_transf.feed_forward.up_proj            |, d_model
"""

FUSED = """
shared.mlp.gate+up        model.layers.{}.shared_transformer.feed_forward.gate_up_proj  |, d_model
"""

ADAPTERS = """
shared.query_adapter.down{at}     {own}.self_attn.linear_q_adapter_list.{use}.0             |, n_read*d_model
shared.query_adapter.up{at}       {own}.self_attn.linear_q_adapter_list.{use}.1             |, d_adapter
shared.key_adapter.down{at}       {own}.self_attn.linear_k_adapter_list.{use}.0             |, n_read*d_model
shared.key_adapter.up{at}         {own}.self_attn.linear_k_adapter_list.{use}.1             |, d_adapter
shared.value_adapter.down{at}     {own}.self_attn.linear_v_adapter_list.{use}.0             |, n_read*d_model
shared.value_adapter.up{at}       {own}.self_attn.linear_v_adapter_list.{use}.1             |, d_adapter
shared.mlp_adapter.down{at}       {own}.feed_forward.gate_up_proj_adapter_list.{use}.0      |, d_model
shared.mlp_adapter.gate+up{at}    {own}.feed_forward.gate_up_proj_adapter_list.{use}.1      |, d_adapter
"""
"""Of the layer that uses a block for the ``use``-th time; they are stored with the block."""


def zamba(c: Config) -> Part:
    """Zamba (arXiv:2405.16712; modeling_zamba.py): Mamba with heads, and one transformer block that layers share."""
    d_model, n_layers, norm = c.size("hidden_size", absent=3712), c.layers(absent=76), rms(c, absent=1e-5)
    n_heads, d_inner = c.size("n_mamba_heads", absent=2), c.size("mamba_expand", absent=2) * d_model
    if d_inner % n_heads:
        raise c.refusal("n_mamba_heads", f"{n_heads} do not divide mamba_expand x hidden_size = {d_inner}")
    on = c.flag("mamba_proj_bias", absent=False)
    mixer = {
        "kind": "mamba",
        "d_inner": d_inner,
        "n_heads": n_heads,
        "d_state": c.size("mamba_d_state", absent=16),
        "d_time_step": rank(c, "mamba_dt_rank", d_model),
        "n_taps": c.size("mamba_d_conv", absent=4),
        "biases": biases(on, "input")
        + biases(c.flag("mamba_conv_bias", absent=True), "convolution")
        + biases(on, "output"),
        "activation": activation(c, "hidden_mamba_act", absent="silu"),
    }
    period, offset = c.size("attn_layer_period", absent=6), c.size("attn_layer_offset", absent=4, least=0)
    usual = ["mamba", "mamba", "hybrid", *("hybrid" if i % period == offset else "mamba" for i in range(n_layers - 3))]
    heads = c.size("num_attention_heads", absent=16)
    d_head = c.size("attention_head_dim", "head_dim", absent=2 * d_model // heads, null=2 * d_model // heads)
    c.only(attention_hidden_size=2 * d_model)
    n_kv_heads = c.size("num_key_value_heads", absent=16)
    if heads % n_kv_heads:
        raise c.refusal("num_key_value_heads", f"{n_kv_heads} do not divide num_attention_heads = {heads}")
    shared = {
        "n_heads": heads,
        "n_kv_heads": n_kv_heads,
        "d_head": d_head,
        "norm": norm,
        "mlp": gated(c.size("intermediate_size", absent=14848), activation(c, absent="gelu")),
    }
    c.ignore("use_associative_scan", "ssm_cfg", "mamba_inner_layernorms")
    return _model(c, d_model, n_layers, norm, mixer, shared, usual)


def zamba2(c: Config) -> Part:
    """Zamba2 (arXiv:2411.15242; modeling_zamba2.py): Mamba-2, and blocks that layers share in turn, adapted at each
    use."""
    d_model, n_layers, norm = c.size("hidden_size", absent=2560), c.layers(absent=54), rms(c, absent=1e-5)
    n_heads, d_inner = c.size("n_mamba_heads", absent=8), int(c.number("mamba_expand", absent=2) * d_model)
    n_groups, on = c.size("mamba_ngroups", absent=1), c.flag("add_bias_linear", absent=False)
    if d_inner % n_heads:
        raise c.refusal("n_mamba_heads", f"{n_heads} do not divide mamba_expand x hidden_size = {d_inner}")
    c.only(mamba_headdim=d_inner // n_heads)
    mixer = {
        "kind": "mamba2",
        "n_heads": n_heads,
        "d_head": d_inner // n_heads,
        "d_state": c.size("mamba_d_state", absent=64),
        "n_groups": n_groups,
        "n_taps": c.size("mamba_d_conv", absent=4),
        "biases": [*biases(on, "input"), "convolution", *biases(on, "output")],
        "norm": {"kind": "rms", "eps": 1e-5},
        "time_step_least": c.number("time_step_min", absent=0.001),
    }
    usual = [
        "mamba",
        *(["mamba"] * 5 + ["hybrid"]) * 7,
        *["mamba"] * 4,
        "hybrid",
        *["mamba"] * 3,
        "hybrid",
        *["mamba"] * 2,
    ]
    heads = c.size("num_attention_heads", absent=32)
    n_kv_heads = c.size("num_key_value_heads", absent=heads, null=heads)
    if heads % n_kv_heads:
        raise c.refusal("num_key_value_heads", f"{n_kv_heads} do not divide num_attention_heads = {heads}")
    adapted, d_head = c.flag("use_shared_attention_adapter", absent=False), 2 * d_model // heads
    if adapted and (n_kv_heads != heads or d_head * heads != 2 * d_model):
        raise c.refusal("use_shared_attention_adapter", "adapters of keys and values are as wide as those of queries")
    c.only(attention_head_dim=d_head, head_dim=d_head, attention_hidden_size=2 * d_model)
    c.only(kv_channels=d_model // heads, num_query_groups=heads, use_shared_mlp_adapter=True)
    shared = {
        "n_blocks": c.size("num_mem_blocks", absent=1),
        "n_heads": heads,
        "n_kv_heads": n_kv_heads,
        "d_head": d_head,
        "norm": norm,
        "mlp": gated(
            c.size("intermediate_size", absent=4 * d_model, null=4 * d_model), activation(c, absent="gelu"), on
        ),
        "d_adapter": c.size("adapter_rank", absent=128),
        "attention_adapters": adapted,
    }
    if long := c.flag("use_long_context", absent=False):
        c.only(max_position_embeddings=16384)
    if c.flag("use_mem_rope", absent=False):
        shared["rotary"] = rotary(c, d_head=d_head)
    else:
        c.ignore("rope_theta", "rope_scaling", "rope_parameters", "partial_rotary_factor")
    c.ignore("use_conv_bias", "use_mem_eff_path", "rope_scaling", "state_size", "conv_dimension", "mamba_dt_rank")
    model = _model(c, d_model, n_layers, norm, mixer, shared, usual)
    return model | ({"n_ctx": 16384} if long else {})


def _model(c: Config, d_model: int, n_layers: int, norm: Part, mixer: Part, shared: Part, usual: list[str]) -> Part:
    c.ignore("use_mamba_kernels", "num_logits_to_keep", "chunk_size", "time_step_max", "time_step_floor")
    c.ignore("time_step_min", "attn_layer_period", "attn_layer_offset", "hybrid_layer_ids", "time_step_limit")
    if not c.flag("tie_word_embeddings", absent=True):
        raise c.refusal(
            "tie_word_embeddings", "false would part the shared blocks too, in the reference implementation"
        )
    words = ("mamba", "hybrid", "linear_attention", "m", "g")
    key = "layer_types" if "layer_types" in c.data else "layers_block_type"
    kinds = c.words(key, n_layers, words, absent=usual, null=usual)
    if len(kinds) != n_layers:
        raise c.refusal("layers_block_type", f"absent, which means {len(kinds)} layers, not {n_layers}")
    users = [index for index, kind in enumerate(kinds) if kind in ("hybrid", "g")]
    using = [{"layers": slices(users), "uses_shared": True}] if users else []
    return dict(
        n_vocab=c.size("vocab_size", absent=32000),
        n_ctx=c.size("max_position_embeddings", absent=4096),
        d_model=d_model,
        n_layers=n_layers,
        **slotted({"": {"mixer": mixer}}, [""] * n_layers) | {"variations": using},
        **({"shared": shared} if users else {}),
        norm=norm,
        unembedding={"tied": True},
    )


def _table(mixer: str, block: str, mlp: str, architecture: Architecture) -> str:
    """The names of a model's tensors: those of its mixers are others where a layer uses a shared block."""
    users = architecture.users()
    others = [index for index in range(architecture.n_layers) if index not in set(users)]
    table = ENDS + SHARED.replace("{block}", block) + mlp
    for layers, layer in ((others, "model.layers.{}"), (users, "model.layers.{}.mamba_decoder")):
        at = "@" + ",".join(map(str, layers))
        for line in mixer.strip().splitlines() if layers else ():
            weights, _, rest = line.partition(" ")
            table += f"{weights}{at} {rest.replace('{layer}', layer)}\n"
    n_blocks = architecture.shared.n_blocks if architecture.shared else 1
    for use, user in enumerate(users):
        own = f"model.layers.{users[use % n_blocks]}.{block}"
        table += ADAPTERS.replace("{at}", f"@{user}").replace("{own}", own).replace("{use}", str(use))
    return table


def zamba_names(architecture: Architecture) -> str:
    """The names of Zamba's tensors."""
    return _table(MAMBA, "shared_transf", APART, architecture)


def zamba2_names(architecture: Architecture) -> str:
    """The names of Zamba2's tensors."""
    mixer = MAMBA2.replace("{layer}.norm", "{layer}.input_layernorm").replace("{mixer}", "mamba")
    return _table(mixer, "shared_transformer", FUSED, architecture)


READERS = {"zamba": zamba, "zamba2": zamba2}
TABLES = {"zamba": zamba_names, "zamba2": zamba2_names}
