"""Spellings of families that no reference implementation builds: published checkpoints say how much they hold, and a
model that is spelled in two ways, its weights renamed, gives the same logits in both.

The configurations restate sizes; what is said of a checkpoint is from the index beside it in the repository that is
named. The renaming here is written from the published code's own words, and not from the tables that it holds.
"""

import json
from typing import Any

import numpy as np
import pytest

from gptcount.architecture import Architecture
from gptcount.errors import InputError
from gptcount.ledger import breakdown
from gptcount.reference import logits
from gptcount.reference.bench import verify
from gptcount.sources import config_json

Config = dict[str, Any]
Arrays = dict[str, np.ndarray]

CHATGLM = dict(model_type="chatglm", hidden_size=4096, ffn_hidden_size=13696, kv_channels=128, num_attention_heads=32)
CHATGLM |= dict(multi_query_attention=True, multi_query_group_num=2, add_qkv_bias=True, add_bias_linear=False)
CHATGLM |= dict(rmsnorm=True, post_layer_norm=True, tie_word_embeddings=False)
QWEN = dict(model_type="qwen", hidden_size=4096, intermediate_size=22016, num_hidden_layers=32, kv_channels=128)
QWEN |= dict(num_attention_heads=32, no_bias=True, vocab_size=151936, seq_length=8192, use_logn_attn=True)
INTERNLM2 = dict(model_type="internlm2", vocab_size=92544, bias=False, max_position_embeddings=32768)
BAICHUAN = dict(model_type="baichuan", vocab_size=64000)
BAICHUAN2 = dict(model_type="baichuan", vocab_size=125696)
EXAONE = dict(model_type="exaone", hidden_size=4096, intermediate_size=14336, num_layers=32, num_attention_heads=32)
EXAONE |= dict(num_key_value_heads=8, vocab_size=102400, activation_function="silu", tie_word_embeddings=False)
FALCON = dict(vocab_size=65024, bias=False, parallel_attn=True, alibi=False)
KIMI = dict(model_type="kimi_k2", vocab_size=163840, hidden_size=7168, intermediate_size=18432, num_hidden_layers=61)
KIMI |= dict(num_attention_heads=64, n_routed_experts=384, n_group=1, topk_group=1, first_k_dense_replace=1)
MINICPM = dict(model_type="minicpm", hidden_size=2304, intermediate_size=5760, num_hidden_layers=40)
MINICPM |= dict(num_attention_heads=36, scale_emb=12, scale_depth=1.4, dim_model_base=256)
STABLELM = dict(model_type="stablelm_epoch", hidden_size=2560, intermediate_size=6912, num_hidden_layers=32)
STABLELM |= dict(num_attention_heads=32, num_heads=32, norm_eps=1e-5, rope_pct=0.25, vocab_size=50304)
PHI = dict(model_type="mixformer-sequential", n_embd=2048, n_head=32, n_layer=24, rotary_dim=32, vocab_size=51200)
MIMO = dict(model_type="mimo", hidden_size=4096, intermediate_size=11008, num_hidden_layers=36, vocab_size=151680)
MIMO |= dict(num_attention_heads=32, num_key_value_heads=8, head_dim=128, attention_bias=True)
TELECHAT = dict(model_type="telechat", hidden_size=4096, n_head=32, n_layer=30, ffn_hidden_size=12288)

A_PREDICTOR_OF_MIMO = 210_790_400
"""One more layer of MiMo-7B, a matrix of 8192 × 4096 and three norms: in its checkpoint, and not counted."""

PUBLISHED: list[tuple[str, Config, int, int, int | None]] = [
    # what, its configuration, its parameters, what its checkpoint holds, in how many tensors
    ("THUDM/chatglm2-6b", CHATGLM | {"num_layers": 28, "padded_vocab_size": 65024}, 6243584000, 6243584032, 200),
    (
        "THUDM/codegeex2-6b",
        CHATGLM | {"num_layers": 28, "padded_vocab_size": 65024, "rotary_percent": 0.5},
        6243584000,
        6243584032,
        None,
    ),
    ("THUDM/glm-4-9b-chat", CHATGLM | {"num_layers": 40, "padded_vocab_size": 151552}, 9399951360, 9399951392, 284),
    ("Qwen/Qwen-7B", QWEN, 7721324544, 7721324544, None),
    (
        "Qwen/Qwen-72B",
        QWEN
        | dict(hidden_size=8192, intermediate_size=49152, num_hidden_layers=80, num_attention_heads=64)
        | dict(vocab_size=152064, padded_vocab_size=152064, rotary_emb_base=1000000, rope_theta=1000000),
        72287920128,
        72287920128,
        None,
    ),
    (
        "internlm/internlm2-chat-7b",
        INTERNLM2
        | dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32)
        | dict(num_key_value_heads=8),
        7737708544,
        7737708544,
        227,
    ),
    (
        "internlm/internlm2-chat-1_8b",
        INTERNLM2
        | dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=24, num_attention_heads=16)
        | dict(num_key_value_heads=8),
        1889110016,
        1889110016,
        171,
    ),
    ("stabilityai/stable-code-3b", STABLELM, 2795443200, 2795443200, 356),
    ("Tele-AI/telechat-7B", TELECHAT | {"vocab_size": 160256, "training_seqlen": 8192}, 7200018432, 7200018432, 302),
    ("XiaomiMiMo/MiMo-7B-RL", MIMO, 15666819072 // 2 - A_PREDICTOR_OF_MIMO, 7622619136, 451 - 16),
    ("moonshotai/Kimi-K2-Instruct", KIMI, 1026408209408, 1026408209408 + 60 * 384, None),
    ("microsoft/phi-1_5", PHI, 1418270720, 1418270720, None),
    ("openbmb/MiniCPM-2B-sft-bf16", MINICPM | {"vocab_size": 122753}, 2724880896, 2724880896, None),
    (
        "tiiuae/falcon-40b",
        FALCON | dict(model_type="RefinedWeb", hidden_size=8192, n_layer=60, n_head=128, n_head_kv=8),
        41303293952,
        41303293952,
        None,
    ),
    (
        "tiiuae/falcon-7b",
        FALCON | dict(model_type="RefinedWebModel", hidden_size=4544, n_layer=32, n_head=71, multi_query=True),
        6921720704,
        6921720704,
        None,
    ),
    ("baichuan-inc/Baichuan-7B", BAICHUAN | {"max_position_embeddings": 4096}, 7000559616, 7000559616, None),
    ("baichuan-inc/Baichuan2-7B-Base", BAICHUAN2 | {"max_position_embeddings": 4096}, 7505973248, 7505973248, None),
    ("baichuan-inc/Baichuan2-13B-Base", BAICHUAN2 | {"model_max_length": 4096}, 13896668160, 13896668160, None),
    ("LGAI-EXAONE/EXAONE-3.0-7.8B-Instruct", EXAONE, 7818448896, 7818448896, 291),
    ("baichuan-inc/Baichuan-13B-Base", BAICHUAN | {"model_max_length": 4096}, 13264901120, 13264901120, None),
]


def read(config: Config) -> Architecture:
    return config_json.parse(json.dumps(config), "case")


@pytest.mark.parametrize(("config", "parameters", "stored", "tensors"), [row[1:] for row in PUBLISHED])
def test_published_checkpoints_hold_as_much(config: Config, parameters: int, stored: int, tensors: int | None):
    ledger = breakdown(read(config), "stored")
    assert (ledger.totals["parameters"], ledger.totals["stored"]) == (parameters, stored)
    assert tensors in (None, sum(row.copies for row in ledger.stored))


# ------------------------------------------------------------------------------------------ one model, two spellings

LLAMA = dict(vocab_size=53, hidden_size=24, intermediate_size=22, num_hidden_layers=2, num_attention_heads=6)
LLAMA |= dict(num_key_value_heads=3, max_position_embeddings=31, rms_norm_eps=1e-2, tie_word_embeddings=False)
WHOLE = LLAMA | {"num_key_value_heads": 6}


def without(config: Config, key: str) -> Config:
    return {other: value for other, value in config.items() if other != key}


def weights(architecture: Architecture) -> Arrays:
    """A checkpoint of random weights."""
    rng, found = np.random.default_rng(7), {}
    for row in breakdown(architecture, "stored").stored:
        copies = {0: [], 1: [row.copies], 2: [2, row.copies // 2]}[row.tensor.count("{}")]
        for index in np.ndindex(*copies):
            found[row.tensor.format(*index)] = rng.normal(0.3, 0.5, row.sizes).astype(np.float32)
    return found


def renamed(arrays: Arrays, *words: tuple[str, str]) -> Arrays:
    found = {}
    for name, array in arrays.items():
        for old, new in words:
            name = name.replace(old, new)
        found[name] = array
    return found


def stapled(arrays: Arrays, path: str, new: str, groups: int = 1, parts: str = "qkv") -> Arrays:
    """With the matrices of queries, keys and values of each layer as one, side by side in each of so many groups."""
    found = dict(arrays)
    for layer in range(2):
        for ending in (".weight", ".bias"):
            names = [f"{path.format(layer)}{part}_proj{ending}" for part in parts]
            if names[0] in arrays:
                rows = [array.reshape(groups, -1, *array.shape[1:]) for array in map(found.pop, names)]
                whole = np.concatenate(rows, axis=1)
                found[new.format(layer) + ending] = whole.reshape(-1, *whole.shape[2:])
    return found


def with_gate_up(arrays: Arrays, name: str) -> Arrays:
    found = dict(arrays)
    for layer in range(2):
        pair = [found.pop(f"model.layers.{layer}.mlp.{part}_proj.weight") for part in ("gate", "up")]
        found[name.format(layer)] = np.concatenate(pair)
    return found


ATTENTION = "model.layers.{}.self_attn."


def chatglm(arrays: Arrays, groups: int = 1) -> Arrays:
    fused = stapled(arrays, ATTENTION, "model.layers.{}.self_attention.query_key_value", groups)
    words = [("self_attn.o_proj", "self_attention.dense"), ("mlp.gate_up_proj", "mlp.dense_h_to_4h")]
    words += [("mlp.down_proj", "mlp.dense_4h_to_h"), ("model.embed_tokens", "transformer.embedding.word_embeddings")]
    words += [("model.layers", "transformer.encoder.layers"), ("model.norm", "transformer.encoder.final_layernorm")]
    found = renamed(fused, *words, ("lm_head", "transformer.output_layer"))
    return found | {"transformer.rotary_pos_emb.inv_freq": np.ones(4 if groups == 1 else 2, np.float32)}


def qwen(arrays: Arrays) -> Arrays:
    fused = stapled(arrays, ATTENTION, "model.layers.{}.attn.c_attn")
    words = [("self_attn.o_proj", "attn.c_proj"), ("gate_proj", "w2"), ("up_proj", "w1"), ("down_proj", "c_proj")]
    words += [("input_layernorm", "ln_1"), ("post_attention_layernorm", "ln_2"), ("model.layers", "transformer.h")]
    return renamed(fused, *words, ("model.embed_tokens", "transformer.wte"), ("model.norm", "transformer.ln_f"))


def internlm2(arrays: Arrays) -> Arrays:
    fused = stapled(arrays, ATTENTION, "model.layers.{}.attention.wqkv", groups=3)
    words = [("self_attn.o_proj", "attention.wo"), ("mlp.gate_proj", "feed_forward.w1"), ("lm_head", "output")]
    words += [
        ("mlp.up_proj", "feed_forward.w3"),
        ("mlp.down_proj", "feed_forward.w2"),
        ("embed_tokens", "tok_embeddings"),
    ]
    return renamed(fused, *words, ("input_layernorm", "attention_norm"), ("post_attention_layernorm", "ffn_norm"))


def baichuan(arrays: Arrays) -> Arrays:
    return stapled(arrays, ATTENTION, "model.layers.{}.self_attn.W_pack")


def exaone(arrays: Arrays) -> Arrays:
    words = [("self_attn.o_proj", "attn.attention.out_proj"), ("self_attn", "attn.attention"), ("gate_proj", "c_fc_0")]
    words += [
        ("up_proj", "c_fc_1"),
        ("down_proj", "c_proj"),
        ("input_layernorm", "ln_1"),
        ("model.norm", "transformer.ln_f"),
    ]
    words += [("post_attention_layernorm", "ln_2"), ("model.layers", "transformer.h")]
    return renamed(arrays, *words, ("model.embed_tokens", "transformer.wte"))


def telechat(arrays: Arrays) -> Arrays:
    fused = stapled(arrays, ATTENTION, "model.layers.{}.self_attention.key_value", groups=6, parts="kv")
    words = [("self_attn.q_proj", "self_attention.query"), ("self_attn.o_proj", "self_attention.dense")]
    words += [("model.layers", "transformer.h"), ("model.embed_tokens", "transformer.word_embeddings")]
    found = renamed(fused, *words, ("model.norm", "transformer.ln_f"))
    return {name: array for name, array in found.items() if not name.endswith(tuple(UNBIASED))}


UNBIASED = [f"{part}_proj.bias" for part in ("q", "k", "v", "gate", "up")]
UNBIASED += ["query.bias", "key_value.bias"]


def mixformer(arrays: Arrays) -> Arrays:
    fused = stapled(arrays, ATTENTION, "model.layers.{}.mixer.Wqkv")
    words = [("self_attn.dense", "mixer.out_proj"), ("input_layernorm", "ln"), ("layers.1.", "layers.2.")]
    words += [("layers.0.", "layers.1."), ("model.embed_tokens", "layers.0.wte"), ("lm_head", "layers.3.linear")]
    return renamed(fused, *words, ("model.final_layernorm", "layers.3.ln"), ("model.", ""))


def phi_msft(arrays: Arrays) -> Arrays:
    fused = stapled(arrays, ATTENTION, "model.layers.{}.mixer.Wqkv")
    words = [("self_attn.dense", "mixer.out_proj"), ("input_layernorm", "ln"), ("model.layers", "transformer.h")]
    words += [("lm_head", "lm_head.linear"), ("model.final_layernorm", "lm_head.ln")]
    return renamed(fused, *words, ("model.embed_tokens", "transformer.embd.wte"))


def openelm(arrays: Arrays) -> Arrays:
    fused = stapled(arrays, ATTENTION, "model.layers.{}.attn.qkv_proj")
    fused = with_gate_up(fused, "model.layers.{}.ffn.proj_1.weight")
    words = [("self_attn.o_proj", "attn.out_proj"), ("self_attn", "attn"), ("mlp.down_proj", "ffn.proj_2")]
    words += [("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"), ("model.", "transformer.")]
    return renamed(fused, *words, ("embed_tokens", "token_embeddings"))


def mixture(arrays: Arrays) -> Arrays:
    return renamed(arrays, ("block_sparse_moe", "mlp"))


def same(arrays: Arrays) -> Arrays:
    return arrays


OF_CHATGLM = dict(num_layers=2, padded_vocab_size=53, hidden_size=24, ffn_hidden_size=22, num_attention_heads=6)
OF_CHATGLM |= dict(seq_length=31, layernorm_epsilon=1e-2, rope_ratio=3, model_type="chatglm", add_qkv_bias=True)
OF_GLM = LLAMA | dict(model_type="glm", rope_theta=30_000, attention_bias=True)
OF_PHI = dict(vocab_size=64, hidden_size=24, intermediate_size=22, num_hidden_layers=2, num_attention_heads=6)
OF_PHI |= dict(model_type="phi", max_position_embeddings=31, layer_norm_eps=1e-2)
IN_PHI = dict(vocab_size=53, n_embd=24, n_inner=22, n_layer=2, n_head=6, rotary_dim=2, n_positions=31)
IN_PHI |= dict(layer_norm_epsilon=1e-2)
OF_RW = dict(vocab_size=53, hidden_size=24, bias=True, layer_norm_epsilon=1e-2)
IN_QWEN = dict(vocab_size=53, hidden_size=24, intermediate_size=44, num_hidden_layers=2, num_attention_heads=6)
IN_QWEN |= dict(kv_channels=4, seq_length=31, layer_norm_epsilon=1e-2, tie_word_embeddings=False, model_type="qwen")
IN_MINICPM = dict(scale_emb=3, scale_depth=0.9, dim_model_base=12, model_type="minicpm")
OF_GRANITE = dict(embedding_multiplier=3.0, residual_multiplier=0.9 / 2**0.5, logits_scaling=2.0, model_type="granite")
STABLE = dict(rope_pct=0.5, norm_eps=1e-2, num_heads=6, use_qkv_bias=True, model_type="stablelm_epoch")

TWICE: dict[str, tuple[Config, Any, Config]] = {
    # a family that is there, the renaming, the spelling
    "chatglm": (
        OF_GLM | {"head_dim": 16},
        chatglm,
        OF_CHATGLM | dict(kv_channels=16, multi_query_attention=True, multi_query_group_num=3),
    ),
    "chatglm, a key each": (
        OF_GLM | {"head_dim": 8, "num_key_value_heads": 6},
        lambda arrays: chatglm(arrays, groups=6),
        OF_CHATGLM | dict(kv_channels=8),
    ),
    "qwen": (WHOLE | {"model_type": "qwen2"}, qwen, IN_QWEN),
    "qwen, first weeks": (
        WHOLE | {"model_type": "qwen2"},
        qwen,
        dict(model_type="qwen", n_embd=24, n_layer=2, n_head=6, padded_vocab_size=53, ffn_hidden_size=44, kv_channels=4)
        | dict(seq_length=31, layer_norm_epsilon=1e-2, pos_emb="rotary", activation="swiglu"),
    ),
    "internlm": (
        WHOLE | {"model_type": "llama", "attention_bias": True},
        same,
        without(WHOLE, "num_key_value_heads")
        | {"model_type": "internlm", "rotary": {"type": "dynamic", "base": 10000}},
    ),
    "internlm2": (
        LLAMA | {"model_type": "llama", "attention_bias": True},
        internlm2,
        LLAMA | {"model_type": "internlm2"},
    ),
    "internlm2, no biases": (
        LLAMA | {"model_type": "llama"},
        internlm2,
        LLAMA | {"model_type": "internlm2", "bias": False},
    ),
    "baichuan": (WHOLE | {"model_type": "llama"}, baichuan, WHOLE | {"model_type": "baichuan"}),
    "exaone": (
        LLAMA | {"model_type": "llama", "rope_theta": 500_000},
        exaone,
        without(LLAMA, "num_hidden_layers") | {"model_type": "exaone", "num_layers": 2, "activation_function": "silu"},
    ),
    "mixformer-sequential": (OF_PHI, mixformer, IN_PHI | {"model_type": "mixformer-sequential"}),
    "phi-msft": (OF_PHI, phi_msft, IN_PHI | {"model_type": "phi-msft"}),
    "phi, in its first words": (OF_PHI, phi_msft, IN_PHI | {"model_type": "phi"}),
    "openelm": (
        LLAMA
        | {"model_type": "qwen3", "head_dim": 8, "num_attention_heads": 4, "num_key_value_heads": 2}
        | {"rms_norm_eps": 1e-6, "intermediate_size": 16},
        openelm,
        dict(model_type="openelm", model_dim=24, head_dim=8, num_transformer_layers=2, vocab_size=53)
        | dict(num_gqa_groups=2, qkv_multipliers=1.3, ffn_multipliers=0.7, ffn_dim_divisor=8, max_context_length=31)
        | dict(normalize_qk_projections=True),
    ),
    "minicpm": (LLAMA | OF_GRANITE | {"attention_multiplier": 0.5}, same, LLAMA | IN_MINICPM),
    "minicpm, a mixture": (
        LLAMA | dict(model_type="mixtral", num_local_experts=4, num_experts_per_tok=2, rope_theta=10_000.0),
        mixture,
        LLAMA | dict(model_type="minicpm", num_experts=4, dim_model_base=24, scale_depth=2**0.5),
    ),
    "telechat": (
        WHOLE | dict(model_type="llama", attention_bias=True, mlp_bias=True, rope_theta=10_000 * 3**2.0),
        telechat,
        dict(model_type="telechat", vocab_size=53, hidden_size=24, ffn_hidden_size=22, n_layer=2, n_head=6)
        | dict(layer_norm_epsilon=1e-2, training_seqlen=31, base_seqlen=16, tie_word_embeddings=False),
    ),
    "stablelm_epoch": (
        without(LLAMA, "rms_norm_eps")
        | dict(model_type="stablelm", partial_rotary_factor=0.5, layer_norm_eps=1e-2, use_qkv_bias=True),
        same,
        without(LLAMA, "rms_norm_eps") | STABLE,
    ),
    "RefinedWeb": (
        OF_RW
        | dict(model_type="falcon", num_hidden_layers=2, num_attention_heads=6, num_kv_heads=3)
        | dict(new_decoder_architecture=True),
        same,
        OF_RW | dict(model_type="RefinedWeb", n_layer=2, n_head=6, n_head_kv=3, parallel_attn=True),
    ),
    "RefinedWebModel": (
        OF_RW
        | dict(model_type="falcon", num_hidden_layers=2, num_attention_heads=6, alibi=True)
        | dict(multi_query=False, parallel_attn=False),
        same,
        OF_RW | dict(model_type="RefinedWebModel", n_layer=2, n_head=6, alibi=True),
    ),
    "gpt2-ja": (
        dict(model_type="gpt2", vocab_size=53, n_embd=24, n_head=6, n_layer=2, n_positions=31),
        same,
        dict(model_type="gpt2-ja", vocab_size=53, n_embd=24, n_head=6, n_layer=2, n_positions=31),
    ),
    "gpt-sw3": (
        dict(model_type="gpt2", vocab_size=53, n_embd=24, n_head=6, n_layer=2, n_positions=31),
        same,
        dict(model_type="gpt-sw3", vocab_size=53, n_embd=24, n_head=6, n_layer=2, n_positions=31),
    ),
    "mimo": (LLAMA | {"model_type": "qwen2"}, same, LLAMA | {"model_type": "mimo", "num_nextn_predict_layers": 1}),
    "PanguEmbedded": (
        LLAMA | {"model_type": "llama", "attention_bias": True, "rope_theta": 16_000_000},
        same,
        LLAMA | {"model_type": "PanguEmbedded", "bias": True},
    ),
}


@pytest.mark.parametrize("spelled", TWICE)
def test_a_model_spelled_twice_gives_the_same_logits(spelled: str):
    known, renaming, config = TWICE[spelled]
    first, second = read(known), read(config)
    arrays = weights(first)
    for name in arrays:
        if spelled == "telechat" and name.endswith(tuple(UNBIASED)):
            arrays[name][:] = 0
    tokens = np.random.default_rng(1).integers(0, 53, (2, 9))
    want = logits(first, arrays, tokens)
    found = logits(second, renaming(arrays), tokens)
    assert np.abs(want).max() > 0.1
    assert np.abs(found - want).max() <= 2e-5 * np.abs(want).max()


def test_the_second_baichuan_unembeds_with_vectors_of_length_1():
    config = WHOLE | {"model_type": "baichuan", "z_loss_weight": 0}
    architecture = read(config)
    arrays = weights(architecture)
    tokens = np.random.default_rng(1).integers(0, 53, (1, 9))
    found = logits(architecture, arrays, tokens)
    lengths = np.sqrt((arrays["lm_head.weight"] ** 2).sum(axis=1, keepdims=True))
    plain = read(without(config, "z_loss_weight"))
    want = logits(plain, arrays | {"lm_head.weight": arrays["lm_head.weight"] / lengths}, tokens)
    assert np.abs(found - want).max() <= 1e-5 * np.abs(want).max()


def test_the_larger_baichuan_has_alibi_instead_of_rotary_positions():
    larger = read(BAICHUAN | {"model_max_length": 4096}).attention.model_dump()
    assert (larger["alibi"], larger["rotary"]) == ("exact", None)
    with pytest.raises(InputError, match="model_max_length"):
        read(BAICHUAN)


OPENELM = dict(model_type="openelm", model_dim=1280, head_dim=64, num_transformer_layers=16, num_gqa_groups=4)
OPENELM |= dict(ffn_multipliers=[0.5, 4.0], qkv_multipliers=[0.5, 1.0], normalize_qk_projections=True)
OPENELM |= dict(share_input_output_layers=True, vocab_size=32000)


def test_openelm_grows_from_layer_to_layer():
    """apple/OpenELM-270M: 271,527,168 parameters; its file lists heads and widths, which agree with the multipliers."""
    heads = [12] * 5 + [16] * 7 + [20] * 4
    widths = [0.5, 0.73, 0.97, 1.2, 1.43, 1.67, 1.9, 2.13, 2.37, 2.6, 2.83, 3.07, 3.3, 3.53, 3.77, 4.0]
    listed = OPENELM | dict(num_query_heads=heads, num_kv_heads=[n // 4 for n in heads], ffn_multipliers=widths)
    for config in (OPENELM, listed):
        assert breakdown(read(config)).totals["parameters"] == 271_527_168
    with pytest.raises(InputError, match="num_query_heads"):
        read(OPENELM | {"num_query_heads": [12] * 16})


@pytest.mark.parametrize("config", [*(row[1] for row in PUBLISHED), *(row[2] for row in TWICE.values()), OPENELM])
def test_shapes_hold(config: Config):
    assert not verify(read(config)).failures


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (dict(model_type="chatglm", inner_hidden_size=16384, position_encoding_2d=True), "first of its name"),
        (CHATGLM | {"pre_seq_len": 128}, "pre_seq_len"),
        (CHATGLM | {"padded_vocab_size": 65024, "vocab_size": 65000}, "vocab_size"),
        (CHATGLM | {"num_layers": 28, "num_hidden_layers": 27}, "num_hidden_layers"),
        (QWEN | {"kv_channels": 64}, "kv_channels"),
        (QWEN | {"intermediate_size": 11007}, "odd"),
        (PHI | {"architecture": {"block_cls": "sequential"}}, "block_cls"),
        (FALCON | dict(model_type="RefinedWeb", hidden_size=8192, n_layer=60, n_head=128), "n_head_kv|num_kv_heads"),
        (TELECHAT | {"num_key_value_heads": 8}, "num_key_value_heads"),
        (dict(model_type="exaone", auto_map={"AutoConfig": "configuration_exaone.ExaoneConfig"}), "missing"),
        (STABLELM | {"rotary_scaling_factor": 2.0}, "rotary_scaling_factor"),
        (dict(model_type="internlm", rotary={"type": "xpos"}), "xpos"),
        (CHATGLM | {"multi_query_group_num": 3}, "multi_query_group_num"),
        (QWEN | {"rotary_pct": 0.01}, "rotary_pct"),
        (PHI | {"n_head_kv": 5}, "n_head_kv"),
        (EXAONE | {"num_layers": float("nan")}, "num_layers"),
        (EXAONE | {"num_hidden_layers": 31}, "num_layers"),
        (dict(model_type="apertus1p5_text", output_vocab_size=131072), "output_vocab_size"),
    ],
)
def test_what_is_not_exact_is_refused_by_name(config: Config, why: str):
    with pytest.raises(InputError, match=why):
        read(config)


def test_parts_that_see_and_hear_are_said_not_to_be_counted():
    assert any("visual" in note for note in read(QWEN | {"visual": {"layers": 48}}).notes)
    assert any("audio" in note for note in read(QWEN | {"audio": {"n_layer": 32}}).notes)
    assert any("1 multi-token-prediction layer" in note for note in read(MIMO | {"num_nextn_predict_layers": 1}).notes)


# ---------------------------------------------------------------------------------------------- without a model_type

GPT2 = dict(n_embd=24, n_head=6, n_layer=2, n_positions=31, vocab_size=53)


@pytest.mark.parametrize(
    ("name", "config", "family"),
    [
        ("GPT2LMHeadModel", GPT2, "gpt2"),
        ("OpenAIGPTLMHeadModel", GPT2, "openai-gpt"),
        ("LlamaForCausalLM", LLAMA, "llama"),
        ("MistralModel", LLAMA, "mistral"),
        ("DeepseekV3ForCausalLM", {"vocab_size": 211}, "deepseek_v3"),
        ("MiniCPMForCausalLM", {"vocab_size": 211}, "minicpm"),
        ("ChatGLMModel", {"padded_vocab_size": 211}, "chatglm"),
    ],
)
def test_a_class_that_one_family_builds_stands_for_its_model_type(name: str, config: Config, family: str):
    named = config | {"architectures": [name]}
    assert read(named) == read(named | {"model_type": family})


@pytest.mark.parametrize(
    ("config", "key"),
    [(QWEN | {"rope_theta": 1e6}, "rope_theta"), (CHATGLM | {"rotary_percent": 1.0}, "rotary_percent")],
)
def test_a_second_word_that_says_something_else_is_refused(config: Config, key: str):
    with pytest.raises(InputError, match=f"case: {key}: .*in this family it is"):
        read(config)


@pytest.mark.parametrize("said", [{}, {"architectures": ["LlamaForCausalLM"], "bos_token_id": 128000}])
def test_a_stub_without_sizes_names_no_model(said: Config):
    with pytest.raises(InputError, match="case: gives no sizes"):
        read({"model_type": "llama"} | said)


@pytest.mark.parametrize("classes", [[], None, ["RWForCausalLM"], ["SomethingElse"]])
def test_without_either_nothing_is_guessed(classes: list[str] | None):
    with pytest.raises(InputError, match="model_type is missing"):
        read(GPT2 | {"architectures": classes})


SPELLED = {row[1]["model_type"] for row in PUBLISHED} | {row[2]["model_type"] for row in TWICE.values()}
"""The families that are held here."""
