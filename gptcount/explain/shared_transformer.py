"""Sentences about a transformer block that several layers share."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

_ADAPTER = "Each layer that uses a shared block adapts its {} by matrices of its own, of rank {{d_adapter}}: {}."


TO = {"up": "what is added to them", "gate": "what is added to the gate"}


def _adapters(name: str, what: str, inner: str) -> dict[str, Sentences]:
    return {
        f"shared-transformer.{name}_adapter.down": said(_ADAPTER.format(what, "first down")),
        **{
            f"shared-transformer.{name}_adapter.{up}": said(_ADAPTER.format(what, f"then up to {TO[up]}"))
            for up in inner.split()
        },
    }


SHARED_TRANSFORMER: dict[str, Sentences] = {
    "shared-transformer.query": said(
        "Some layers use a transformer block that they share: it is stored once and used many times. It reads a "
        "token's vector and its embedding side by side, and its {n_heads} heads have queries of {d_head} numbers."
    ),
    "shared-transformer.key": said("The keys of the shared block, by {n_kv_heads} heads of {d_head} numbers."),
    "shared-transformer.value": said("The values of the shared block, by {n_kv_heads} heads of {d_head} numbers."),
    "shared-transformer.output": said(
        "The output matrix takes what the {n_heads} heads of the shared block have seen back to {d_model} numbers."
    ),
    "shared-transformer.mlp.gate": said("The gate of the shared block's MLP: {d_model} numbers become {d_ff} valves."),
    "shared-transformer.mlp.up": said("The up-projection of the shared block's MLP, from {d_model} to {d_ff} numbers."),
    "shared-transformer.mlp.down": said("The down-projection of the shared block's MLP, back to {d_model} numbers."),
    "shared-transformer.linear": said(
        "Each layer passes what the shared block brings through a matrix of its own, of {d_model} × {d_model}, before "
        "its mixer reads it."
    ),
    **_adapters("query", "queries", "up"),
    **_adapters("key", "keys", "up"),
    **_adapters("value", "values", "up"),
    **_adapters("mlp", "MLP", "gate up"),
}
"""The sentences of a group, by kind and name of its weight."""
