"""Llama, and the decoder in Llama's words that many families share; Mistral and Mixtral."""

from __future__ import annotations

from gptcount.families.common import Part, activation, biases, everywhere, gated, heads, rms, rotary, tied
from gptcount.families.config import Config, Defaults

NAMES = """
embedding.token       model.embed_tokens                                |, d_model
attention_norm        model.layers.{}.input_layernorm                   |
attention.query       model.layers.{}.self_attn.q_proj                  |, d_model
attention.query_norm  model.layers.{}.self_attn.q_norm                  |
attention.key         model.layers.{}.self_attn.k_proj                  |, d_model
attention.key_norm    model.layers.{}.self_attn.k_norm                  |
attention.value       model.layers.{}.self_attn.v_proj                  |, d_model
attention.output      model.layers.{}.self_attn.o_proj                  d_model, |
mlp_norm              model.layers.{}.post_attention_layernorm          |
mlp.gate              model.layers.{}.mlp.gate_proj                     |, d_model
mlp.up                model.layers.{}.mlp.up_proj                       |, d_model
mlp.down              model.layers.{}.mlp.down_proj                     d_model, |
final_norm            model.norm                                        |
unembedding.token     lm_head                                           |, d_model
"""

EXPERTS = """
mlp.router            model.layers.{}.mlp.gate                          |, d_model
mlp.experts.gate      model.layers.{}.mlp.experts.{}.gate_proj          |, d_model
mlp.experts.up        model.layers.{}.mlp.experts.{}.up_proj            |, d_model
mlp.experts.down      model.layers.{}.mlp.experts.{}.down_proj          d_model, |
mlp.shared.gate       model.layers.{}.mlp.shared_experts.gate_proj      |, d_model
mlp.shared.up         model.layers.{}.mlp.shared_experts.up_proj        |, d_model
mlp.shared.down       model.layers.{}.mlp.shared_experts.down_proj      d_model, |
"""
"""The names that most mixtures have beside those of Llama."""

MIXTRAL = """
mlp.router            model.layers.{}.block_sparse_moe.gate             |, d_model
mlp.experts.gate      model.layers.{}.block_sparse_moe.experts.{}.w1    |, d_model
mlp.experts.up        model.layers.{}.block_sparse_moe.experts.{}.w3    |, d_model
mlp.experts.down      model.layers.{}.block_sparse_moe.experts.{}.w2    d_model, |
"""


def decoder(c: Config, norm: Part | None = None) -> Part:
    """A decoder in Llama's words, with its defaults (modeling_llama.py); ``norm``, where it is not an RMS norm."""
    d_model, n_ctx = c.size("hidden_size", absent=4096), c.size("max_position_embeddings", absent=2048)
    attention = heads(c, d_model, n_heads=32)
    on = c.flag("attention_bias", absent=False)
    attention |= {"biases": biases(on, "query", "key", "value", "output")}
    attention |= {"rotary": rotary(c, d_head=attention["d_head"])}
    d_ff, act = c.size("intermediate_size", absent=11008), activation(c, absent="silu")
    c.ignore("pretraining_tp", "max_sequence_length", "type_vocab_size")
    return dict(
        n_vocab=c.size("vocab_size", absent=32000),
        n_ctx=n_ctx,
        d_model=d_model,
        n_layers=c.layers(absent=32),
        attention=attention,
        mlp=gated(d_ff, act, c.flag("mlp_bias", absent=False)),
        norm=norm or rms(c),
        unembedding=tied(c, absent=False),
    )


def llama(c: Config, norm: Part | None = None) -> Part:
    """Llama (arXiv:2302.13971; modeling_llama.py)."""
    model = decoder(c, norm)
    d_model, n_heads = model["d_model"], model["attention"]["n_heads"]
    if d_model % n_heads:
        raise c.refusal("hidden_size", f"{d_model} is not a multiple of num_attention_heads = {n_heads}")
    c.only(rope_interleaved=False)
    return model


def mistral(c: Config) -> Part:
    """Mistral (arXiv:2310.06825; modeling_mistral.py): no biases, and a window on every layer."""
    c.assume(intermediate_size=14336, num_key_value_heads=8, max_position_embeddings=131072)
    c.only(attention_bias=False, mlp_bias=False)
    c.not_null("num_key_value_heads")
    return everywhere(decoder(c), c.size("sliding_window", absent=4096, null=None))


def mixtral(c: Config) -> Part:
    """Mixtral (arXiv:2401.04088; modeling_mixtral.py): Mistral whose MLP is a mixture; no window by default."""
    model = mistral(c)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_local_experts", "num_experts", absent=8),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=2),
        "expert": model["mlp"],
    }
    c.only(moe_frequency=1)
    c.ignore("router_jitter_noise")
    return {**model, "mlp": mixture}


READERS = {"llama": llama, "mistral": mistral, "mixtral": mixtral}
TABLES = {"llama": NAMES, "mistral": NAMES, "mixtral": NAMES + MIXTRAL}


DEFAULTS: Defaults = {
    "mixtral": dict(sliding_window=None, rope_theta=1_000_000.0),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
