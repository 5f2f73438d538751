"""GPT-2 and its next of kin, in OpenAI's words: n_embd, n_head, n_layer."""

from __future__ import annotations

from gptcount.families.common import ACTIVATIONS, Part, activation, layer_norm, plain, tied, whole_heads
from gptcount.families.config import Config, Defaults

# Conv1D matrices are stored as they are used, what goes in by what comes out.
NAMES = """
embedding.token               transformer.wte                    |, d_model
embedding.position            transformer.wpe                    |, d_model
attention_norm                transformer.h.{}.ln_1              |
attention.query+key+value     transformer.h.{}.attn.c_attn       d_model, |
attention.output              transformer.h.{}.attn.c_proj       |, d_model
mlp_norm                      transformer.h.{}.ln_2              |
mlp.up                        transformer.h.{}.mlp.c_fc          d_model, |
mlp.down                      transformer.h.{}.mlp.c_proj        |, d_model
final_norm                    transformer.ln_f                   |
unembedding.token             lm_head                            |, d_model
"""

OPENAI_GPT = NAMES.replace(".wte", ".tokens_embed").replace(".wpe", ".positions_embed")

BIGCODE = """
embedding.token               transformer.wte                    |, d_model
embedding.position            transformer.wpe                    |, d_model
attention_norm                transformer.h.{}.ln_1              |
attention.query+key+value     transformer.h.{}.attn.c_attn       n_kv_heads*|, d_model
attention.output              transformer.h.{}.attn.c_proj       d_model, |
mlp_norm                      transformer.h.{}.ln_2              |
mlp.up                        transformer.h.{}.mlp.c_fc          |, d_model
mlp.down                      transformer.h.{}.mlp.c_proj        d_model, |
final_norm                    transformer.ln_f                   |
unembedding.token             lm_head                            |, d_model
"""

CTRL = """
embedding.token               transformer.w                                  |, d_model
attention_norm                transformer.h.{}.layernorm1                    |
attention.query               transformer.h.{}.multi_head_attention.Wq       |, d_model
attention.key                 transformer.h.{}.multi_head_attention.Wk       |, d_model
attention.value               transformer.h.{}.multi_head_attention.Wv       |, d_model
attention.output              transformer.h.{}.multi_head_attention.dense    d_model, |
mlp_norm                      transformer.h.{}.layernorm2                    |
mlp.up                        transformer.h.{}.ffn.0                         |, d_model
mlp.down                      transformer.h.{}.ffn.2                         d_model, |
final_norm                    transformer.layernorm                          |
unembedding.token             lm_head                                        |, d_model
"""

RUNNER = (
    "inference_runner",
    "max_sequence_length",
    "pad_key_length",
    "pre_allocate_kv_cache",
    "runner_max_sequence_length",
    "validate_runner_input",
)
"""What StarCoder's files say of the program that runs it."""


def sizes(c: Config, *, n_vocab: int, n_ctx: int, d_model: int, n_layers: int) -> Part:
    """The sizes in OpenAI's words, or in today's; the numbers are what the family takes for absent ones."""
    c.only(n_vocab=c.size("vocab_size", absent=n_vocab))
    c.ignore("n_ctx", "reorder_and_upcast_attn", "predict_special_tokens", "from_tf")
    c.only(n_special=0)
    return dict(
        n_vocab=c.size("vocab_size", absent=n_vocab),
        n_ctx=c.size("n_positions", "max_position_embeddings", absent=n_ctx),
        d_model=c.size("n_embd", "hidden_size", absent=d_model),
        n_layers=c.layers("n_layer", "num_hidden_layers", absent=n_layers),
    )


def attention(c: Config, d_model: int, n_heads: int, *with_bias: str) -> Part:
    """The heads in OpenAI's words, or in today's."""
    return whole_heads(c, d_model, "n_head", "num_attention_heads", absent=n_heads) | {"biases": list(with_bias)}


def mlp(c: Config, d_model: int, act: str = "gelu_new") -> Part:
    """The MLP in OpenAI's words, four times as wide as the model unless said otherwise."""
    d_ff = c.size("n_inner", absent=4 * d_model, null=4 * d_model)
    return plain(d_ff, activation(c, "activation_function", absent=act))


def gpt2(c: Config) -> Part:
    """GPT-2 (Radford et al. 2019; modeling_gpt2.py)."""
    model = sizes(c, n_vocab=50257, n_ctx=1024, d_model=768, n_layers=12)
    heads = attention(c, model["d_model"], 12, "query", "key", "value", "output")
    if not c.flag("scale_attn_weights", absent=True):
        heads["scale"] = 1.0
    if c.flag("scale_attn_by_inverse_layer_idx", absent=False):
        heads["scale_by_layer"] = True
    if c.flag("add_cross_attention", absent=False):
        raise c.refusal("add_cross_attention", "an encoder's attention is not counted")
    return dict(
        **model,
        embedding={"positions": {"kind": "learned"}},
        attention=heads,
        mlp=mlp(c, model["d_model"]),
        norm=layer_norm(c, "layer_norm_epsilon"),
        unembedding=tied(c, absent=True),
    )


def gpt2_ja(c: Config) -> Part:
    """Japanese GPT-2 (2020), its files before they were called ``gpt2``."""
    return {**gpt2(c), "checkpoint": "gpt2"}


def gpt_sw3(c: Config) -> Part:
    """GPT-SW3 (arXiv:2305.12987; modeling_gpt2.py): GPT-2 with a tokenizer of its own."""
    return {**gpt2(c), "checkpoint": "gpt2"}


def openai_gpt(c: Config) -> Part:
    """GPT, the first (Radford et al. 2018; modeling_openai.py): norms after each branch; its gelu is the tanh one."""
    model = sizes(c, n_vocab=40478, n_ctx=512, d_model=768, n_layers=12)
    d_ff = 4 * model["d_model"]
    act = c.word("afn", among=("gelu", "relu", "silu", "swish"), absent="gelu")
    c.only(n_inner=d_ff, is_causal=True)
    return dict(
        **model,
        embedding={"positions": {"kind": "learned"}},
        attention=attention(c, model["d_model"], 12, "query", "key", "value", "output"),
        mlp=plain(d_ff, "gelu_tanh" if act == "gelu" else ACTIVATIONS[act]),
        norm=layer_norm(c, "layer_norm_epsilon"),
        residual="post-norm",
        final_norm=False,
        unembedding=tied(c, absent=True),
    )


def gpt_bigcode(c: Config) -> Part:
    """SantaCoder and StarCoder (arXiv:2301.03988; modeling_gpt_bigcode.py): GPT-2, one key and value for all."""
    model = gpt2(c)
    heads = model["attention"]
    n_kv_heads = 1 if c.flag("multi_query", absent=True) else heads["n_heads"]
    c.only(num_key_value_heads=n_kv_heads, scale_attn_by_inverse_layer_idx=False)
    c.ignore(*RUNNER)
    return {**model, "attention": heads | {"n_kv_heads": n_kv_heads}}


def ctrl(c: Config) -> Part:
    """CTRL (arXiv:1909.05858; modeling_ctrl.py): sinusoidal positions; the layers' norms have a fixed epsilon."""
    model = sizes(c, n_vocab=246534, n_ctx=256, d_model=1280, n_layers=48)
    return dict(
        **model,
        embedding={"positions": {"kind": "sinusoidal"}, "scale": "sqrt(d_model)"},
        attention=attention(c, model["d_model"], 16, "query", "key", "value", "output"),
        mlp=plain(c.size("dff", absent=8192), "relu"),
        norm={"kind": "layer", "bias": True, "eps": 1e-6},
        final_norm=layer_norm(c, "layer_norm_epsilon", 1e-6),
        unembedding=tied(c, absent=True) | {"bias": True},
    )


READERS = {"gpt2": gpt2, "gpt2-ja": gpt2_ja, "gpt-sw3": gpt_sw3, "openai-gpt": openai_gpt}
READERS |= {"gpt_bigcode": gpt_bigcode, "ctrl": ctrl}
TABLES = {"gpt2": NAMES, "openai-gpt": OPENAI_GPT, "gpt_bigcode": BIGCODE, "ctrl": CTRL}


DEFAULTS: Defaults = {
    "gpt_bigcode": dict(activation_function="gelu_pytorch_tanh"),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
