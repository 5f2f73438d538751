"""Families that are Llama with one thing or two changed. Each says what, and its defaults; the rest is Llama's."""

from __future__ import annotations

from gptcount.families.common import (
    Part,
    attending,
    biases,
    each_attention,
    every,
    layer_norm,
    layer_types,
    optional_window,
    renamed,
    ungated,
    varied,
    windowed,
)
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES, decoder, llama, mistral

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "original_max_position_embeddings": 8192,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 1_000_000.0,
    "factor": 16.0,
    "original_max_position_embeddings": 16384,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "mscale_all_dim": 1.0,
    "mscale": 1.0,
    "llama_4_scaling_beta": 0.1,
}


def scaled(c: Config, **rope_parameters: object) -> None:
    """Rotary positions that are stretched unless the file says otherwise."""
    if not c.data.get("rope_scaling"):
        c.assume(rope_parameters=rope_parameters)


def ministral(c: Config) -> Part:
    """Ministral (modeling_ministral.py): Mistral with windows on some layers."""
    c.size("head_dim")
    window = c.size("sliding_window", absent=4096, null=None)
    c.settled["sliding_window"] = None
    model = mistral(c)
    return windowed(c, model, window, ["sliding_attention"] * model["n_layers"])


def ministral3(c: Config) -> Part:
    """Ministral 3 (arXiv:2601.08584; modeling_ministral3.py): Mistral, its queries longer at later positions."""
    c.not_null("head_dim")
    scaled(c, **YARN)
    model = mistral(c)
    said = c.table("rope_parameters", absent=None, null=None) or c.table("rope_scaling", absent=None, null=None)
    scale = said.number("llama_4_scaling_beta", absent=None, null=None) if said else None
    if said is None or scale is None:
        return model
    n_positions = said.size("original_max_position_embeddings", absent=model["n_ctx"])
    longer = {"scale": scale, "n_positions": n_positions}
    return each_attention(model, lambda attention: attention | {"temperature": longer})


def arcee(c: Config) -> Part:
    """Arcee (modeling_arcee.py): the MLP is plain, its activation the square of ReLU."""
    model = llama(c)
    return {**model, "mlp": ungated(model["mlp"])}


def seed_oss(c: Config) -> Part:
    """Seed-OSS (modeling_seed_oss.py): biases on query, key and value, and on the output by a key of its own."""
    inner, outer = c.flag("attention_bias", absent=True), c.flag("attention_out_bias", absent=False)
    return attending(decoder(c), biases=biases(inner, "query", "key", "value") + biases(outer, "output"))


def cwm(c: Config) -> Part:
    """Code World Model (arXiv:2510.02387; modeling_cwm.py): a window on three layers of four, no bias in attention."""
    scaled(c, **LLAMA3 | {"rope_theta": 1_000_000.0, "factor": 16.0})
    c.only(attention_bias=False)
    c.not_null("num_key_value_heads", "head_dim")
    model = llama(c)
    usual = ["sliding_attention" if index % 4 else "full_attention" for index in range(model["n_layers"])]
    return windowed(c, model, c.size("sliding_window", absent=8192), usual)


def smollm3(c: Config) -> Part:
    """SmolLM3 (modeling_smollm3.py): no positions on every fourth layer, where there may be a window."""
    c.not_null("head_dim")
    c.ignore("max_window_layers")
    model = decoder(c)
    n_layers = model["n_layers"]
    turned = _turned(c, n_layers)
    window = optional_window(c)
    usual = ["full_attention" if on or not window else "sliding_attention" for on in turned]
    kinds = list(zip(turned, layer_types(c, n_layers, usual), strict=True))
    blocks = {}
    for on, kind in set(kinds):
        block = {key: field for key, field in model["attention"].items() if on or key != "rotary"}
        blocks[on, kind] = block | ({"window": window} if window and kind == "sliding_attention" else {})
    attention, variations = varied("attention", blocks, kinds)
    return {**model, "attention": attention, "variations": variations}


def _turned(c: Config, n_layers: int) -> list[bool]:
    """The layers that have rotary positions."""
    interval = c.size("no_rope_layer_interval", absent=4)
    usual = [int(kind != "nope") for kind in every(n_layers, interval, "nope", "rope")]
    listed = c.raw("no_rope_layers", absent=usual, null=usual)
    if not isinstance(listed, list) or len(listed) != n_layers or any(on not in (0, 1) for on in listed):
        raise c.refusal("no_rope_layers", f"expected a list of {n_layers}, 1 or 0 for each layer")
    return [bool(on) for on in listed]


def helium(c: Config) -> Part:
    """Helium (modeling_helium.py): neighbours make the pairs that are turned; the output has no bias."""
    c.not_null("num_key_value_heads", "head_dim")
    model = _filled(c, decoder(c))
    on = [name for name in model["attention"]["biases"] if name != "output"]
    return attending(model, biases=on, rotary=model["attention"]["rotary"] | {"interleaved": True})


def _filled(c: Config, model: Part) -> Part:
    """The model, whose heads must bring as much as its vector holds."""
    n_heads, d_head = model["attention"]["n_heads"], model["attention"]["d_head"]
    if n_heads * d_head != model["d_model"]:
        raise c.refusal("head_dim", f"{n_heads} heads of {d_head} do not make hidden_size = {model['d_model']}")
    return model


def iquestcoder(c: Config) -> Part:
    """IQuest-Coder (configuration_iquestcoder.py): Llama in other sizes."""
    c.only(clip_qkv=None, use_sliding_window=False)
    c.ignore("sliding_window", "max_window_layers")
    return {**llama(c), "checkpoint": "llama"}


def pangu_embedded(c: Config) -> Part:
    """openPangu-Embedded (arXiv:2505.22375; modeling_openpangu_dense.py): Llama with biases in attention."""
    c.spelled(attention_bias="bias")
    c.assume(attention_bias=True)
    c.only(mlp_bias=False)
    return {**decoder(c), "checkpoint": "llama"}


def hyperclovax(c: Config) -> Part:
    """HyperCLOVA X (arXiv:2506.22403; modeling_hyperclovax.py): a norm after each branch too, and four multipliers."""
    model = llama(c)
    scale = c.number("attention_multiplier", absent=None, null=None)
    c.ignore("summary_first_dropout")
    return {
        **(attending(model, scale=scale) if scale is not None else model),
        "embedding": {"scale": c.number("embedding_multiplier", absent=1.0)},
        "residual": "sandwich" if c.flag("use_post_norm", absent=True) else "pre-norm",
        "residual_scale": c.number("residual_multiplier", absent=1.0),
        "unembedding": {**model["unembedding"], "scale": c.number("logits_scaling", absent=1.0)},
    }


def jais2(c: Config) -> Part:
    """Jais 2 (modeling_jais2.py): layer norms, a plain MLP of squared ReLU, biases everywhere."""
    model = llama(c, norm=layer_norm(c, "layer_norm_eps"))
    return {**model, "mlp": ungated(model["mlp"])}


def nemotron(c: Config) -> Part:
    """Nemotron (arXiv:2402.16819; modeling_nemotron.py): layer norms of 1 + gain, a plain MLP of squared ReLU, half of
    each head turned."""
    c.size("num_key_value_heads")
    eps = c.number("norm_eps", "layer_norm_eps", absent=1e-5)
    model = decoder(c, norm={"kind": "layer", "bias": True, "plus_one": True, "eps": eps})
    c.only(kv_channels=model["attention"]["d_head"])
    return {**model, "mlp": ungated(model["mlp"])}


def nanochat(c: Config) -> Part:
    """nanochat (modeling_nanochat.py): norms without weights, also of the embedding and of turned queries and keys; a
    plain MLP of squared ReLU."""
    c.only(mlp_bias=False, qkv_bias=False)
    c.not_null("head_dim")
    model = decoder(c)
    norm = model["norm"] | {"gain": False}
    rotary = model["attention"]["rotary"] | {"backwards": True}
    return {
        **attending(model, rotary=rotary, query_key_norm={**norm, "after_rotary": True}),
        "embedding": {"norm": norm},
        "mlp": ungated(model["mlp"]),
        "norm": norm,
        "unembedding": {**model["unembedding"], "softcap": c.number("final_logit_softcapping", absent=15.0, null=None)},
    }


def apertus(c: Config) -> Part:
    """Apertus (arXiv:2509.14233; modeling_apertus.py): norms on queries and keys, a plain MLP of xIELU."""
    c.assume(vocab_size=131072, intermediate_size=14336, max_position_embeddings=65536, rms_norm_eps=1e-5)
    c.assume(hidden_act="xielu", rope_theta=12_000_000.0)
    scaled(c, **LLAMA3 | {"rope_theta": 12_000_000.0})
    c.only(mlp_bias=False, qk_norm=True, post_norm=False)
    c.not_null("head_dim")
    model = decoder(c)
    return {**attending(model, query_key_norm=model["norm"]), "mlp": ungated(model["mlp"])}


def apertus1p5_text(c: Config) -> Part:
    """The language model of Apertus 1.5 (modeling_apertus1p5.py): Apertus, whose tokens stand for images and sounds
    too; where those are never predicted, the unembedding has fewer rows."""
    c.only(output_vocab_size=c.size("vocab_size"))
    return {**apertus(c), "checkpoint": "apertus"}


def bitnet(c: Config) -> Part:
    """BitNet b1.58 (arXiv:2504.12285; modeling_bitnet.py): norms before the last matrix of each branch."""
    c.only(mlp_bias=False)
    c.not_null("head_dim")
    model = _filled(c, decoder(c))
    return {**attending(model, output_norm=model["norm"]), "mlp": {**model["mlp"], "norm": model["norm"]}}


def diffllama(c: Config) -> Part:
    """DiffLlama (arXiv:2410.05258; modeling_diffllama.py): the difference of two patterns of attention."""
    c.only(mlp_bias=False)
    c.ignore("lambda_std_dev")
    model = decoder(c)
    if model["attention"]["n_kv_heads"] % 2:
        raise c.refusal("num_key_value_heads", "an odd number, and values are parted in two halves of the heads")
    return attending(model, differential={**model["norm"], "gain": False})


APERTUS = """
attention_norm                 model.layers.{}.attention_layernorm      |
mlp_norm                       model.layers.{}.feedforward_layernorm    |
mlp.activation.alpha_positive  model.layers.{}.mlp.act_fn.alpha_p[|]    1
mlp.activation.alpha_negative  model.layers.{}.mlp.act_fn.alpha_n[|]    1
mlp.activation.beta            model.layers.{}.mlp.act_fn.beta[|]
mlp.activation.eps             model.layers.{}.mlp.act_fn.eps[|]
"""
BITNET = """
attention.output_norm          model.layers.{}.self_attn.attn_sub_norm  |
mlp.norm                       model.layers.{}.mlp.ffn_sub_norm         |
"""
DIFFLLAMA = """
attention.lambda_query_1       model.layers.{}.self_attn.lambda_q1[|]   |
attention.lambda_key_1         model.layers.{}.self_attn.lambda_k1[|]   |
attention.lambda_query_2       model.layers.{}.self_attn.lambda_q2[|]   |
attention.lambda_key_2         model.layers.{}.self_attn.lambda_k2[|]   |
"""
NANOCHAT = """
mlp.up                         model.layers.{}.mlp.fc1                  |, d_model
mlp.down                       model.layers.{}.mlp.fc2                  d_model, |
"""
HYPERCLOVAX = """
attention_output_norm          model.layers.{}.post_norm1               |
mlp_output_norm                model.layers.{}.post_norm2               |
"""

KIN = [ministral, ministral3, arcee, seed_oss, cwm, smollm3, helium, iquestcoder, hyperclovax, jais2, nemotron]
KIN += [nanochat, apertus, apertus1p5_text, bitnet, diffllama]
READERS = {reader.__name__: reader for reader in KIN} | {"PanguEmbedded": pangu_embedded}
TABLES = dict.fromkeys(READERS, NAMES) | {
    "hyperclovax": NAMES + HYPERCLOVAX,
    "nanochat": renamed(NAMES, NANOCHAT),
    "apertus": renamed(NAMES, APERTUS),
    "apertus1p5_text": renamed(NAMES, APERTUS),
    "bitnet": NAMES + BITNET,
    "diffllama": NAMES + DIFFLLAMA,
}


DEFAULTS: Defaults = {
    "ministral3": dict(
        vocab_size=131072,
        num_hidden_layers=34,
        head_dim=128,
        max_position_embeddings=262144,
        rms_norm_eps=1e-5,
        sliding_window=None,
    ),
    "arcee": dict(
        hidden_size=2560, intermediate_size=18432, max_position_embeddings=4096, rms_norm_eps=1e-5, hidden_act="relu2"
    ),
    "seed_oss": dict(
        vocab_size=155136,
        intermediate_size=27648,
        num_hidden_layers=64,
        num_attention_heads=80,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=524288,
    ),
    "cwm": dict(
        vocab_size=128256,
        hidden_size=6144,
        intermediate_size=21504,
        num_hidden_layers=64,
        num_attention_heads=48,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=131072,
        rms_norm_eps=1e-5,
        rope_theta=1_000_000.0,
    ),
    "smollm3": dict(
        vocab_size=128256,
        hidden_size=2048,
        num_hidden_layers=36,
        num_attention_heads=16,
        num_key_value_heads=4,
        max_position_embeddings=32768,
        rope_theta=2_000_000.0,
        sliding_window=None,
        tie_word_embeddings=True,
    ),
    "helium": dict(
        vocab_size=48000,
        hidden_size=2560,
        intermediate_size=7040,
        num_hidden_layers=24,
        num_attention_heads=20,
        num_key_value_heads=20,
        head_dim=128,
        max_position_embeddings=4096,
        rms_norm_eps=1e-8,
        rope_theta=100_000.0,
    ),
    "iquestcoder": dict(
        vocab_size=76_800,
        hidden_size=5120,
        intermediate_size=27_648,
        num_hidden_layers=80,
        head_dim=128,
        num_attention_heads=40,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
    ),
    "PanguEmbedded": dict(
        vocab_size=153_376,
        intermediate_size=12_800,
        num_hidden_layers=34,
        num_key_value_heads=8,
        max_position_embeddings=32_768,
        rms_norm_eps=1e-5,
        rope_theta=16_000_000.0,
    ),
    "jais2": dict(
        vocab_size=150272,
        hidden_size=3328,
        intermediate_size=26624,
        num_attention_heads=26,
        max_position_embeddings=8192,
        hidden_act="relu2",
        attention_bias=True,
        mlp_bias=True,
    ),
    "nemotron": dict(
        vocab_size=256000,
        hidden_size=6144,
        intermediate_size=24576,
        num_attention_heads=48,
        max_position_embeddings=4096,
        hidden_act="relu2",
        partial_rotary_factor=0.5,
    ),
    "nanochat": dict(
        vocab_size=50304,
        hidden_size=768,
        intermediate_size=8192,
        num_hidden_layers=12,
        num_attention_heads=6,
        hidden_act="relu2",
    ),
    "apertus1p5_text": dict(vocab_size=266_752),
    "bitnet": dict(
        vocab_size=128256,
        hidden_size=2560,
        intermediate_size=6912,
        num_hidden_layers=30,
        num_attention_heads=20,
        num_key_value_heads=5,
        hidden_act="relu2",
        rms_norm_eps=1e-5,
        rope_theta=500_000.0,
    ),
    "diffllama": dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, rms_norm_eps=1e-5),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
