"""xLSTM: every layer is an mLSTM and a gated MLP."""

from __future__ import annotations

from gptcount.families.common import Part, biases, gated
from gptcount.families.config import Config

NAMES = """
embedding.token       backbone.embeddings                              |, d_model
mixer_norm            backbone.blocks.{}.norm_mlstm                    |
mixer.query           backbone.blocks.{}.mlstm_layer.q                 |, d_model
mixer.key             backbone.blocks.{}.mlstm_layer.k                 |, d_model
mixer.value           backbone.blocks.{}.mlstm_layer.v                 |, d_model
mixer.input_gate      backbone.blocks.{}.mlstm_layer.igate_preact      |, d_model
mixer.forget_gate     backbone.blocks.{}.mlstm_layer.fgate_preact      |, d_model
mixer.norm            backbone.blocks.{}.mlstm_layer.multihead_norm    |
mixer.gate            backbone.blocks.{}.mlstm_layer.ogate_preact      |, d_model
mixer.output          backbone.blocks.{}.mlstm_layer.out_proj          d_model, |
mlp_norm              backbone.blocks.{}.norm_ffn                      |
mlp.gate              backbone.blocks.{}.ffn.proj_up_gate              |, d_model
mlp.up                backbone.blocks.{}.ffn.proj_up                   |, d_model
mlp.down              backbone.blocks.{}.ffn.proj_down                 d_model, |
final_norm            backbone.out_norm                                |
unembedding.token     lm_head                                          |, d_model
"""


def xlstm(c: Config) -> Part:
    """xLSTM (arXiv:2405.04517; modeling_xlstm.py): the 7B's block; widths are factors of the model's."""
    d_model, n_heads = c.size("hidden_size", absent=4096), c.size("num_heads", absent=8)
    if c.size("embedding_dim", absent=d_model, null=d_model) != d_model:
        raise c.refusal("embedding_dim", f"it is not hidden_size = {d_model}, and vectors would not fit the layers")
    n_layers = c.layers(absent=32)
    n_layers = c.layers("num_blocks", absent=n_layers) if c.data.get("num_blocks") is not None else n_layers
    if c.data.get("weight_mode", "single") != "single":
        raise c.refusal("weight_mode", "matrices are stapled, under names that are not known; only single is read")
    on, eps = c.flag("use_bias", absent=False), c.number("norm_eps", absent=1e-6)
    norm = {"kind": "rms", "eps": eps, "bias": on}
    mixer = {
        "kind": "mlstm",
        "n_heads": n_heads,
        "d_head": _of_head(c, "qk_dim_factor", d_model, n_heads, absent=0.5),
        "d_value": _of_head(c, "v_dim_factor", d_model, n_heads, absent=1.0),
        "biases": biases(on, "query", "key", "value", "gate", "output"),
        "gate_softcap": c.number("gate_soft_cap", absent=15.0),
        "eps": c.number("eps", absent=1e-6),
        "norm": {"kind": "layer", "eps": eps, "bias": on},
    }
    width, multiple = (
        d_model * c.number("ffn_proj_factor", absent=2.667),
        c.size("ffn_round_up_to_multiple_of", absent=64),
    )
    d_ff = int((width + multiple - 1) // multiple * multiple)
    c.ignore("num_blocks", "weight_mode")
    c.not_null(*AS_COMPUTED)
    c.ignore(*AS_COMPUTED)
    return dict(
        n_vocab=c.size("vocab_size", absent=50304),
        n_ctx=False,
        d_model=d_model,
        n_layers=n_layers,
        attention=False,
        mixer=mixer,
        mlp=gated(d_ff, "silu", on),
        norm=norm,
        final_norm={"kind": "rms", "eps": eps},
        unembedding={"tied": False, "softcap": c.number("output_logit_soft_cap", absent=30.0)},
    )


def _of_head(c: Config, key: str, d_model: int, n_heads: int, absent: float) -> int:
    """The width of a head, all of which together are a factor of the model's."""
    width = int(d_model * c.number(key, absent=absent))
    if width < n_heads or width % n_heads:
        raise c.refusal(key, f"it makes {width} numbers for {n_heads} heads, which do not share them evenly")
    return width // n_heads


AS_COMPUTED = """
    add_out_norm autocast_kernel_dtype chunk_size chunkwise_kernel inference_state_dtype max_inference_chunksize mode
    norm_reduction_force_float32 return_last_states sequence_kernel step_kernel tie_word_embeddings
""".split()
"""Keys that the class demands and that change nothing of the answer: there is a last norm, and nothing is tied."""


READERS = {"xlstm": xlstm}
TABLES = {"xlstm": NAMES}
