"""A.X K1 and K2 (SK Telecom), which are DeepSeek-V3 and V3.2 with norms and gates more."""

from __future__ import annotations

from gptcount.architecture import Architecture
from gptcount.blocks.mixture import Mixture
from gptcount.families.common import Part, attending, renamed
from gptcount.families.config import Config, Defaults
from gptcount.families.deepseek import corrected, dense, indexed, listed, names

K1 = """
mlp.output_norm        model.layers.{}.post_mlp_layernorm                    |
"""

K2 = """
attention_norm                       model.layers.{}.input_layernorm.norm                   |
attention.input_gate.down            model.layers.{}.input_layernorm.W_down                 |, d_model
attention.input_gate.up              model.layers.{}.input_layernorm.W_up                   d_model, |
attention.query+query_rotary+gate    model.layers.{}.self_attn.q_b_proj                     n_heads*|, d_query_latents
mlp.input_gate.down                  model.layers.{}.post_attention_layernorm.W_down        |, d_model
mlp.input_gate.up                    model.layers.{}.post_attention_layernorm.W_up          d_model, |
"""


def names_k1(architecture: Architecture) -> str:
    """The names of a checkpoint of A.X K1."""
    return names(architecture) + K1


def names_k2(architecture: Architecture) -> str:
    """The names of a checkpoint of A.X K2. The norm before a mixture has a name of its own."""
    where = [index for layer, at in architecture.layers().items() if isinstance(layer.mlp, Mixture) for index in at]
    dense = sorted(set(range(architecture.n_layers)) - set(where))
    norms = ((where, "post_attention_layernorm.norm"), (dense, "post_attention_layernorm"))
    lines = (f"mlp_norm@{','.join(map(str, at))} model.layers.{{}}.{name} |\n" for at, name in norms if at)
    return renamed(names(architecture), K2 + "".join(lines))


def axk1(c: Config) -> Part:
    """A.X K1 (modeling_axk1.py): DeepSeek-V3 with a norm of what a mixture brings."""
    c.only(mlp_bias=False)
    c.not_null("q_lora_rank", "n_group", "topk_group")
    _listed(c)
    model = dense(c)
    return listed(c, model, corrected(c, model) | {"output_norm": model["norm"]})


def axk2(c: Config) -> Part:
    """A.X K2 (modeling_axk2.py): DeepSeek-V3.2 whose queries read their latent vector twice, normed and not, with gates
    of what attention and mixtures read, and of what the heads bring."""
    groups = [c.data.get(key) for key in ("n_group", "topk_group")]
    if groups.count(None) == 1:
        raise c.refusal("n_group", "contradicts topk_group: both are said or neither is")
    if groups == [None, None]:
        c.data = {key: value for key, value in c.data.items() if key not in ("n_group", "topk_group")}
    _listed(c)
    c.only(num_experts=c.size("n_routed_experts", "num_local_experts", absent=128))
    rank = {"d_input_gate": c.size("gated_norm_rank", absent=16)}
    model = attending(indexed(c, interleaved=False), gate="latents", **rank)

    def gated(part: Part) -> Part:
        mlp = part.get("mlp", {})
        if mlp.get("kind") != "mixture":
            return part
        outside = {"outside": "zero"} if mlp["n_groups"] > 1 else {}
        return part | {"mlp": mlp | rank | outside}

    return {**gated(model), "variations": [gated(each) for each in model["variations"]]}


def _listed(c: Config) -> None:
    """Say of each layer whether it has a mixture, where the file gives how many come first and every how many."""
    n_layers, first = c.layers(absent=61), c.size("first_k_dense_replace", absent=1, least=0)
    period = c.size("moe_layer_freq", absent=1)
    usual = ["sparse" if index >= first and index % period == 0 else "dense" for index in range(n_layers)]
    types = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    c.data = {key: value for key, value in c.data.items() if key != "moe_layer_freq"} | {"mlp_layer_types": types}


READERS = {"axk1": axk1, "axk2": axk2}
TABLES = {"axk1": names_k1, "axk2": names_k2}


DEFAULTS: Defaults = {
    "axk1": dict(vocab_size=163_840, num_attention_heads=64, n_routed_experts=192, max_position_embeddings=32_768),
    "axk2": dict(
        vocab_size=163_840,
        hidden_size=2048,
        intermediate_size=5120,
        moe_intermediate_size=512,
        num_hidden_layers=48,
        num_attention_heads=32,
        n_routed_experts=128,
        kv_lora_rank=128,
        q_lora_rank=384,
        qk_rope_head_dim=32,
        v_head_dim=64,
        qk_nope_head_dim=64,
        max_position_embeddings=131_072,
        index_n_heads=16,
        n_group=1,
        topk_group=1,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
