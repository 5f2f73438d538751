"""RWKV-4: time mixing and channel mixing."""

from __future__ import annotations

from gptcount.families.common import Part, layer_norm, tied
from gptcount.families.config import Config

NAMES = """
embedding.token       rwkv.embeddings                                      |, d_model
embedding.norm        rwkv.blocks.0.pre_ln                                 |
mixer_norm            rwkv.blocks.{}.ln1                                   |
mixer.blend.key       rwkv.blocks.{}.attention.time_mix_key[|]             1, 1, |
mixer.blend.value     rwkv.blocks.{}.attention.time_mix_value[|]           1, 1, |
mixer.blend.receptance  rwkv.blocks.{}.attention.time_mix_receptance[|]    1, 1, |
mixer.key             rwkv.blocks.{}.attention.key                         |, d_model
mixer.value           rwkv.blocks.{}.attention.value                       |, d_model
mixer.receptance      rwkv.blocks.{}.attention.receptance                  |, d_model
mixer.log_decay       rwkv.blocks.{}.attention.time_decay[|]               |
mixer.bonus           rwkv.blocks.{}.attention.time_first[|]               |
mixer.output          rwkv.blocks.{}.attention.output                      d_model, |
mlp_norm              rwkv.blocks.{}.ln2                                   |
mlp.blend.up          rwkv.blocks.{}.feed_forward.time_mix_key[|]          1, 1, |
mlp.blend.receptance  rwkv.blocks.{}.feed_forward.time_mix_receptance[|]   1, 1, |
mlp.up                rwkv.blocks.{}.feed_forward.key                      |, d_model
mlp.receptance        rwkv.blocks.{}.feed_forward.receptance               |, d_model
mlp.down              rwkv.blocks.{}.feed_forward.value                    d_model, |
final_norm            rwkv.ln_out                                          |
unembedding.token     head                                                 |, d_model
"""


def rwkv(c: Config) -> Part:
    """RWKV-4 (arXiv:2305.13048; modeling_rwkv.py): the first layer's further norm is that of the embedding."""
    c.spelled(context_length="max_position_embeddings")
    d_model, norm = c.size("hidden_size", absent=4096), layer_norm(c, "layer_norm_epsilon")
    halved = c.raw("rescale_every", absent=6)
    if type(halved) is not int:
        raise c.refusal("rescale_every", f"{halved!r} is not a whole number")
    return dict(
        n_vocab=c.size("vocab_size", absent=50277),
        n_ctx=c.size("context_length", absent=1024),
        d_model=d_model,
        n_layers=c.layers(absent=32),
        embedding={"norm": norm},
        attention=False,
        mixer={"kind": "rwkv", "d_value": c.size("attention_hidden_size", absent=d_model, null=d_model)},
        mlp={"kind": "channel-mixing", "d_ff": c.size("intermediate_size", absent=4 * d_model, null=4 * d_model)},
        norm=norm,
        final_norm={**norm, "eps": 1e-5},
        unembedding=tied(c, absent=False),
        **({"halved_every": halved} if halved > 0 else {}),
    )


READERS = {"rwkv": rwkv}
TABLES = {"rwkv": NAMES}
