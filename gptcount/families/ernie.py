"""ERNIE 4.5 (Baidu 2025, ERNIE 4.5 Technical Report): Llama with neighbours turned as pairs, and its mixture."""

from __future__ import annotations

from gptcount.families.common import Part, attending, mixed, predictors
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import EXPERTS, NAMES, decoder

CORRECTION = """
mlp.router.correction  model.layers.{}.mlp.moe_statics.e_score_correction_bias[|]  1, |
"""

WITHOUT_BEARING = (
    "moe_capacity moe_gate moe_group moe_group_experts moe_aux_loss_lambda moe_orthogonal_loss_lambda "
    "moe_z_loss_lambda moe_use_hard_gate moe_multimodal_dispatch_use_allgather multi_token_pred_lambda fuse_rope"
)


def ernie4_5(c: Config) -> Part:
    """ERNIE 4.5 (modeling_ernie4_5.py): one key for all biases, pairs that are neighbours, tied."""
    c.assume(vocab_size=103424, hidden_size=1024, intermediate_size=3072, num_hidden_layers=18, num_attention_heads=16)
    c.assume(num_key_value_heads=2, head_dim=128)
    return _ernie(c)


def paddleocr_vl_text(c: Config) -> Part:
    """The language model of PaddleOCR-VL (arXiv:2510.14528; modeling_paddleocr_vl.py): the halves of a head are turned
    against each other, as in Llama."""
    model = ernie4_5(c)
    return attending(model, rotary={**model["attention"]["rotary"], "interleaved": False})


def ernie4_5_moe(c: Config) -> Part:
    """ERNIE 4.5 with experts (modeling_ernie4_5_moe.py): every so many layers from one to another have them; their
    choice is corrected by a parameter."""
    c.not_null("num_key_value_heads", "head_dim")
    model = _ernie(c)
    width = c.size("moe_intermediate_size", absent=1536)
    n_shared = c.size("moe_num_shared_experts", absent=2, least=0)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("moe_num_experts", "num_experts", absent=64),
        "n_experts_per_token": c.size("moe_k", "num_experts_per_tok", absent=6),
        "expert": {**model["mlp"], "d_ff": width, "biases": []},
        "router_correction": "parameter",
    }
    if n_shared:
        mixture["shared"] = {**model["mlp"], "d_ff": n_shared * width}
    c.only(moe_norm_min=1e-12, moe_use_aux_free=True, moe_gate_act="softmax")
    c.ignore(*WITHOUT_BEARING.split())
    predictors(c)
    unembedding = {**model["unembedding"], "bias": bool(model["mlp"]["biases"])}
    return {**mixed(model, mixture, _sparse(c, model["n_layers"])), "unembedding": unembedding}


def _ernie(c: Config) -> Part:
    c.assume(max_position_embeddings=131072, rms_norm_eps=1e-5, rope_theta=500_000.0, tie_word_embeddings=True)
    on = c.flag("use_bias", absent=False, null=False)
    c.only(attention_bias=on, mlp_bias=on, use_rmsnorm=True, compression_ratio=1.0)
    model = decoder(c)
    return attending(model, rotary={**model["attention"]["rotary"], "interleaved": True})


def _sparse(c: Config, n_layers: int) -> list[bool]:
    first = c.size("moe_layer_start_index", absent=1, least=0)
    last = c.size("moe_layer_end_index", absent=-1, least=-1)
    step = c.size("moe_layer_interval", absent=1)
    last = n_layers - 1 if last == -1 else last
    return [(index + 1) % step == 0 and first <= index <= last for index in range(n_layers)]


READERS = {"ernie4_5": ernie4_5, "ernie4_5_moe": ernie4_5_moe, "paddleocr_vl_text": paddleocr_vl_text}
TABLES = {"ernie4_5": NAMES, "paddleocr_vl_text": NAMES, "ernie4_5_moe": NAMES + EXPERTS + CORRECTION}


DEFAULTS: Defaults = {
    "ernie4_5_moe": dict(
        vocab_size=103424,
        hidden_size=2560,
        intermediate_size=12288,
        num_attention_heads=20,
        num_hidden_layers=28,
        num_key_value_heads=4,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
