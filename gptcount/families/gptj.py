"""GPT-J and CodeGen: attention and MLP side by side on one norm, rotary positions, a bias of the unembedding."""

from __future__ import annotations

from gptcount.families.common import Part, layer_norm, tied
from gptcount.families.config import Config
from gptcount.families.gpt2 import attention, mlp, sizes

NAMES = """
embedding.token      transformer.wte                    |, d_model
attention_norm       transformer.h.{}.ln_1              |
attention.query      transformer.h.{}.attn.q_proj       |, d_model
attention.key        transformer.h.{}.attn.k_proj       |, d_model
attention.value      transformer.h.{}.attn.v_proj       |, d_model
attention.output     transformer.h.{}.attn.out_proj     d_model, |
mlp.up               transformer.h.{}.mlp.fc_in         |, d_model
mlp.down             transformer.h.{}.mlp.fc_out        d_model, |
final_norm           transformer.ln_f                   |
unembedding.token    lm_head                            |, d_model
"""

# Query, value and key of a quarter of the heads, then of the next: CodeGen was trained on four devices.
CODEGEN = """
embedding.token              transformer.wte                    |, d_model
attention_norm               transformer.h.{}.ln_1              |
attention.query+value+key    transformer.h.{}.attn.qkv_proj     4*|, d_model
attention.output             transformer.h.{}.attn.out_proj     d_model, |
mlp.up                       transformer.h.{}.mlp.fc_in         |, d_model
mlp.down                     transformer.h.{}.mlp.fc_out        d_model, |
final_norm                   transformer.ln_f                   |
unembedding.token            lm_head                            |, d_model
"""


def gptj(c: Config) -> Part:
    """GPT-J (Wang & Komatsuzaki 2021; modeling_gptj.py), and CodeGen (arXiv:2203.13474; modeling_codegen.py)."""
    model = sizes(c, n_vocab=50400, n_ctx=2048, d_model=4096, n_layers=28)
    c.not_null("n_ctx")
    c.only(rotary=True, scale_attn_weights=True)
    return dict(
        **model,
        attention=attention(c, model["d_model"], 16)
        | {"rotary": {"d_rotary": c.size("rotary_dim", absent=64), "interleaved": True}},
        mlp=mlp(c, model["d_model"]),
        norm=layer_norm(c, "layer_norm_epsilon"),
        residual="parallel-shared",
        unembedding=tied(c, absent=False) | {"bias": True},
    )


READERS = {"gptj": gptj, "codegen": gptj}
TABLES = {"gptj": NAMES, "codegen": CODEGEN}
