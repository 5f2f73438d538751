"""Other names for a family's tensors: what checkpoints that others wrote call them, as further tables.

Each is made from the family's own table, so that it holds the same weights; it does not know who looks them up.
"""

from __future__ import annotations

import re

from gptcount.architecture import Architecture
from gptcount.families import table_of
from gptcount.lines import parsed, renamed
from gptcount.names import Wanted
from gptcount.stored import laid, tensors

META = "Meta's and Mistral's own"

WORDS = {
    "model.embed_tokens": "tok_embeddings",
    "model.norm": "norm",
    "lm_head": "output",
    "model.layers": "layers",
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.o_proj": "attention.wo",
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.up_proj": "feed_forward.w3",
    "mlp.down_proj": "feed_forward.w2",
    "block_sparse_moe": "feed_forward",
}
"""What Meta's and Mistral's own checkpoints say for the words of Llama's names."""

IN_META = ("llama", "mistral", "mixtral", "ministral", "ministral3")
"""The families that their makers publish under these names too."""

GRANITE = {
    "block_sparse_moe.router.layer": "block_sparse_moe.router",
    "block_sparse_moe.input_linear": "block_sparse_moe.experts.gate_up_proj[|]",
    "block_sparse_moe.output_linear": "block_sparse_moe.experts.down_proj[|]",
}

OLMO = {"attention_layer_norm": "input_layernorm", "feedforward_layer_norm": "post_attention_layernorm"}

PUBLISHED = {
    "kimi_linear": {f"block_sparse_moe.{name}": f"mlp.{name}" for name in ("gate_proj", "up_proj", "down_proj")},
    "olmo_hybrid": OLMO,
}
"""Where published checkpoints say other words than transformers 5 writes."""

IN_MEMORY: dict[str, dict[str, str]] = {
    "mixtral": {"block_sparse_moe": "mlp"},
    "minimax_m2": {"block_sparse_moe": "mlp"},
    "phimoe": {"block_sparse_moe.gate": "mlp.router", "block_sparse_moe": "mlp"},
    "mimo_v2_flash": {"attention_sink_bias": "sinks"},
    "gpt_neox": {"embed_out": "lm_head"},
    "ernie4_5_moe": {"mlp.moe_statics": "mlp.gate.moe_statics"},
    "exaone_moe": {"mlp.e_score_correction_bias": "mlp.gate.e_score_correction_bias"},
    "granitemoe": GRANITE,
    "granitemoeshared": GRANITE,
    "granitemoehybrid": GRANITE,
    "nemotron_h": {"backbone": "model"},
    "axk1": {"post_mlp_layernorm": "mlp.post_mlp_layernorm"},
    "axk2": {"W_down": "mlp.fc1", "W_up": "mlp.fc2", "q_b_proj": "q_gate_proj"},
    "exaone": {
        "transformer.wte": "model.embed_tokens",
        "transformer.h": "model.layers",
        "transformer.ln_f": "model.norm",
        "attn.attention.out_proj": "self_attn.o_proj",
        "attn.attention": "self_attn",
        "ln_1": "input_layernorm",
        "ln_2": "post_attention_layernorm",
        "c_fc_0": "gate_proj",
        "c_fc_1": "up_proj",
        "c_proj": "down_proj",
    },
    "laguna": {
        "mlp.experts.e_score_correction_bias": "mlp.gate.e_score_correction_bias",
        "mlp.shared_expert": "mlp.shared_experts",
    },
    "hy_v3": {
        "mlp.router.gate": "mlp.gate",
        "mlp.expert_bias": "mlp.e_score_correction_bias",
        "mlp.shared_mlp": "mlp.shared_experts",
    },
    "flint": {"softmax_offset": "sinks"},
    "kimi_linear": {
        "self_attn.f_a_proj": "self_attn.forget_gate.f_a_proj",
        "self_attn.f_b_proj": "self_attn.forget_gate.f_b_proj",
        "self_attn.dt_bias": "self_attn.forget_gate.dt_bias",
        "self_attn.A_log": "self_attn.forget_gate.A_log",
        "block_sparse_moe": "mlp",
    },
    "kolibri1": {
        "moe.router.expert_bias": "mlp.gate.e_score_correction_bias",
        "post_attn_norm": "post_self_attn_layernorm",
        "post_ffn_norm": "post_mlp_layernorm",
    },
    "lara_mini": {"out_norm": "norm"},
    "lfm3": {"self_attn.gate_proj": "self_attn.g_proj"},
    "minimax": {"block_sparse_moe": "mlp"},
    "olmo_hybrid": OLMO,
    "sarvam_moe": {
        "model.word_embeddings": "model.embed_tokens",
        "attention.dense": "self_attn.o_proj",
        "attention.query_layernorm": "self_attn.q_norm",
        "attention.key_layernorm": "self_attn.k_norm",
        "attention": "self_attn",
        "mlp.gate.expert_bias": "mlp.gate.e_score_correction_bias",
    },
    "deepseek_v4": {
        "attn.indexer.compressor.wkv": "self_attn.compressor.indexer.kv_proj",
        "attn.indexer.compressor.wgate": "self_attn.compressor.indexer.gate_proj",
        "attn.indexer.compressor.ape": "self_attn.compressor.indexer.position_bias",
        "attn.indexer.compressor.norm": "self_attn.compressor.indexer.kv_norm",
        "attn.indexer.wq_b": "self_attn.compressor.indexer.q_b_proj",
        "attn.indexer.weights_proj": "self_attn.compressor.indexer.scorer.weights_proj",
        "attn.compressor.wkv": "self_attn.compressor.kv_proj",
        "attn.compressor.wgate": "self_attn.compressor.gate_proj",
        "attn.compressor.ape": "self_attn.compressor.position_bias",
        "attn.compressor.norm": "self_attn.compressor.kv_norm",
        "attn.wq_a": "self_attn.q_a_proj",
        "attn.wq_b": "self_attn.q_b_proj",
        "attn.q_norm": "self_attn.q_a_norm",
        "attn.wkv": "self_attn.kv_proj",
        "attn.norm": "self_attn.kv_norm",
        "attn.wo_a": "self_attn.o_a_proj",
        "attn.wo_b": "self_attn.o_b_proj",
        "attn.attn_sink": "self_attn.sinks",
        "attn_norm": "input_layernorm",
        "ffn_norm": "post_attention_layernorm",
        "ffn.shared_experts.w1": "mlp.shared_experts.gate_proj",
        "ffn.shared_experts.w3": "mlp.shared_experts.up_proj",
        "ffn.shared_experts.w2": "mlp.shared_experts.down_proj",
        "ffn.gate.bias": "mlp.gate.e_score_correction_bias",
        "ffn": "mlp",
        "hc_attn[_fn|_base]": "attn_hc[.fn|.base]",
        "hc_ffn[_fn|_base]": "ffn_hc[.fn|.base]",
        "hc_attn_scale": "attn_hc.scale",
        "hc_ffn_scale": "ffn_hc.scale",
        "head": "lm_head",
    },
}
"""Where transformers 5 says other words in memory than the checkpoints of a family."""

CONVOLUTIONS = """
mixer.convolution.query+convolution.key+convolution.value  model.layers.{{}}.{mixer}.conv1d  |, 1, n_taps
"""

CUT_OTHERWISE: dict[str, str] = {
    "kimi_linear": CONVOLUTIONS.format(mixer="self_attn"),
    "lara_mini": """
mixer.query+key+value     model.layers.{}.linear_attn.in_proj_qkv  |, d_model
mixer.gate                model.layers.{}.linear_attn.in_proj_z    |, d_model
mixer.write               model.layers.{}.linear_attn.in_proj_b    |, d_model
mixer.decay               model.layers.{}.linear_attn.in_proj_a    |, d_model
""",
    "olmo_hybrid": CONVOLUTIONS.format(mixer="linear_attn"),
    "sarvam_moe": """
attention.query           model.layers.{}.attention.q_proj         |, d_model
attention.key             model.layers.{}.attention.k_proj         |, d_model
attention.value           model.layers.{}.attention.v_proj         |, d_model
""",
}
"""Where it cuts tensors in memory otherwise: the lines that differ."""


def namings(architecture: Architecture) -> dict[str, str]:
    """Every table by which a checkpoint of an architecture may name its tensors, the family's own first.

    Raises InputError where the architecture names no family.
    """
    own, family = table_of(architecture), architecture.checkpoint or ""
    cut = renamed(own, CUT_OTHERWISE[family]) if family in CUT_OTHERWISE else own
    found = {
        "": own,
        "as they are published": _said_otherwise(own, PUBLISHED.get(family, {})),
        "as transformers 5 has them in memory": _said_otherwise(_stacked(cut, fused=True), IN_MEMORY.get(family, {})),
        "the experts of a layer in one tensor, as MLX has them": _stacked(own, fused=False),
    }
    if family in IN_META:
        found[META] = _said_otherwise(own, WORDS)
    return {said: table for said, table in found.items() if not said or parsed(table) != parsed(own)}


def wanted(architecture: Architecture) -> list[Wanted]:
    """The tensors of a model's checkpoint by each of these tables. Raises InputError as ``gptcount.stored.tensors``."""
    return [Wanted(tensors(architecture, table), said, table) for said, table in namings(architecture).items()]


def tied(architecture: Architecture, by: Wanted) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The tensors that a checkpoint leaves out because they are tied, each with the name of what it is tied to, and
    with its shape."""
    found, weights = {}, {weight.name: weight for weight in architecture.inventory() if weight.tied_to}
    held = {weight.name: tensor.name for tensor in by.tensors for weight in tensor.weights}
    for line in parsed(by.table):
        if len(line.weights) == 1 and line.weights[0] in weights:
            name, weight = line.tensor + line.endings[0], weights[line.weights[0]]
            found[name] = (held.get(weight.tied_to, ""), laid(line, name, (weight,)).shape)
    return found


def _said_otherwise(table: str, words: dict[str, str]) -> str:
    """A table with other words in the names of its tensors."""
    if not words:
        return table
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))
    return re.sub(
        r"^(\S+ +)(\S+)",
        lambda line: line[1] + pattern.sub(lambda found: words[found[0]], line[2]),
        table,
        flags=re.MULTILINE,
    )


def _stacked(table: str, fused: bool) -> str:
    """A table with the experts of a layer as one tensor: gate and up-projection fused, or each by itself."""
    held = {name for line in parsed(table) for name in line.weights}
    for line in parsed(table):
        path, counted, _ = line.tensor.partition(".experts.{}.")
        if counted and line.weights[0].endswith("experts.gate"):
            of = line.weights[0].removesuffix(".gate")
            table = renamed(table, (FUSED if fused else APART).format(of=of, path=path))
        elif counted and fused and line.weights[0].endswith("experts.up"):
            of = line.weights[0].removesuffix(".up")
            table = table if f"{of}.gate" in held else renamed(table, UNGATED.format(of=of, path=path))
    return table


FUSED = """
{of}.gate+up  {path}.experts.gate_up_proj[|]  n_experts, |, d_model
{of}.down     {path}.experts.down_proj[|]     n_experts, d_model, |
"""

UNGATED = """
{of}.up    {path}.experts.up_proj[|]    n_experts, d_ff, |
{of}.down  {path}.experts.down_proj[|]  n_experts, |, d_ff
"""

APART = """
{of}.gate  {path}.switch_mlp.gate_proj  n_experts, |, d_model
{of}.up    {path}.switch_mlp.up_proj    n_experts, |, d_model
{of}.down  {path}.switch_mlp.down_proj  n_experts, d_model, |
"""
