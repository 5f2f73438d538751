"""Other names for a family's tensors: what checkpoints that others wrote call them, as further tables.

Each is made from the family's own table, so that it holds the same weights; it does not know who looks them up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gptcount.architecture import Architecture
from gptcount.families import table_of
from gptcount.families.common import renamed
from gptcount.stored import parsed

OWN = ""
"""The names that the family's published checkpoints have."""

META = "Meta's and Mistral's own names"

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


def namings(architecture: Architecture) -> dict[str, str]:
    """Every table by which a checkpoint of an architecture may name its tensors, the family's own first.

    Raises InputError where the architecture names no family.
    """
    own = table_of(architecture)
    found = {OWN: own} | {said: table for said, table in _stacked(own)}
    if architecture.checkpoint in IN_META:
        found[META] = _said_otherwise(own, WORDS)
    return {said: table for said, table in found.items() if said == OWN or table != own}


def same_order(naming: str) -> bool:
    """Whether the numbers of each tensor lie as the family's own do: Meta's queries and keys do not."""
    return naming != META


def _said_otherwise(table: str, words: dict[str, str]) -> str:
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))
    return "\n".join(pattern.sub(lambda found: words[found[0]], line) for line in table.splitlines())


def _stacked(table: str) -> Iterator[tuple[str, str]]:
    """The experts of a layer as one tensor: with gate and up-projection in one, as transformers 5 keeps them in memory,
    and each by itself, as MLX does."""
    for line in parsed(table):
        path, counted, last = line.tensor.partition(".experts.{}.")
        if counted and line.weights[0].endswith("experts.gate"):
            of = line.weights[0].removesuffix(".gate")
            fused = f"""
{of}.gate+up  {path}.experts.gate_up_proj[|]  n_experts, |, d_model
{of}.down     {path}.experts.down_proj[|]     n_experts, d_model, |
"""
            apart = "".join(
                f"\n{of}.{weight}  {path}.switch_mlp.{weight}_proj  n_experts, {shape}"
                for weight, shape in (("gate", "|, d_model"), ("up", "|, d_model"), ("down", "d_model, |"))
            )
            in_memory = renamed(table, fused).replace(".block_sparse_moe.", ".mlp.")
            yield "experts stacked, as transformers 5 keeps them in memory", in_memory
            yield "experts stacked, as MLX keeps them", renamed(table, apart)
