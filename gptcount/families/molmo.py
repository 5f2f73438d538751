"""Molmo 2, whose language model has a second table of tokens that are read and never scored."""

from __future__ import annotations

from gptcount.families.common import Part, attending, biases, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import decoder

MOLMO = """
embedding.token            model.transformer.wte.embedding[|]                           |, d_model
embedding.more             model.transformer.wte.new_embedding[|]                       |, d_model
attention_norm             model.transformer.blocks.{}.attn_norm                        |
attention_output_norm      model.transformer.blocks.{}.attn_norm                        |
attention.query+key+value  model.transformer.blocks.{}.self_attn.att_proj               |, d_model
attention.query_norm       model.transformer.blocks.{}.self_attn.q_norm                 |
attention.key_norm         model.transformer.blocks.{}.self_attn.k_norm                 |
attention.output           model.transformer.blocks.{}.self_attn.attn_out               d_model, |
mlp_norm                   model.transformer.blocks.{}.ff_norm                          |
mlp_output_norm            model.transformer.blocks.{}.ff_norm                          |
mlp.up+gate                model.transformer.blocks.{}.mlp.ff_proj                      |, d_model
mlp.down                   model.transformer.blocks.{}.mlp.ff_out                       d_model, |
final_norm                 model.transformer.ln_f                                       |
unembedding.token          lm_head                                                      |, d_model
"""


def molmo2(c: Config) -> Part:
    """The language model of Molmo 2 (modeling_molmo2.py): norms before or after a branch, of each head or of all;
    rotary positions are stretched in the layers that are listed."""
    c.spelled(attention_bias="qkv_bias", rms_norm_eps="layer_norm_eps")
    c.only(mlp_bias=False, use_qk_norm=True)
    c.not_null("head_dim", "num_key_value_heads")
    model = decoder(c)
    over = "head" if c.word("qk_norm_type", among=("qwen3", "olmo"), absent="qwen3") == "qwen3" else "all-heads"
    on = biases(bool(model["attention"]["biases"]), "query", "key", "value")
    model = attending(model, biases=on, query_key_norm={**model["norm"], "over": over})
    n_layers, more = model["n_layers"], c.size("additional_vocab_size", absent=128, least=0)
    scaled = set(c.indices("rope_scaling_layers", n_layers, absent=list(range(n_layers)), null=list(range(n_layers))))
    stretched = model["attention"]
    flat = {key: part for key, part in stretched["rotary"].items() if key != "scaling"}
    attention, variations = varied(
        "attention", {True: stretched, False: stretched | {"rotary": flat}}, [at in scaled for at in range(n_layers)]
    )
    after = c.flag("norm_after", absent=False)
    return {
        **model,
        **({"embedding": {"n_more": more}} if more else {}),
        "attention": attention,
        "variations": variations,
        "residual": "output-norm" if after else "pre-norm",
    }


READERS = {"molmo2_text": molmo2}
TABLES = {"molmo2_text": MOLMO}


DEFAULTS: Defaults = {
    "molmo2_text": dict(
        vocab_size=151_936,
        intermediate_size=12_288,
        num_hidden_layers=36,
        head_dim=128,
        num_key_value_heads=8,
        max_position_embeddings=36_864,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
