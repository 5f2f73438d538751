"""Random specifications of all blocks: whatever a person could write, small, and by far not always allowed.

``drawn`` gives plain data of a specification from a seed. Most of what it gives validation takes; what it refuses is
no fault. What is taken must hold together: see ``test_random_specifications.py``, and the script there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Data = dict[str, Any]

ACTIVATIONS = ["gelu", "gelu_tanh", "gelu_quick", "silu", "relu", "relu_squared", "xielu"]
RESIDUALS = ["pre-norm", "post-norm", "output-norm", "sandwich", "parallel", "parallel-shared", "normed-residual"]
FAMILIES = ["llama", "gpt2", "mixtral", "deepseek_v3", "gemma3_text", "gpt_oss", "longcat_flash", "jetmoe", None]


class Draw:
    """Random choices, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, part: float) -> bool:
        """True in so many cases."""
        return self.random.random() < part

    def size(self, least: int = 1, most: int = 9) -> int:
        """A small size."""
        return self.random.randint(least, most)

    def one(self, *among: Any) -> Any:
        """One of these."""
        return self.random.choice(among)

    def some(self, *among: str) -> list[str]:
        """Some of these."""
        return [name for name in among if self.chance(0.4)]

    def with_some(self, data: Data, part: float, **fields: Callable[[], Any]) -> Data:
        """The data, and each of the further fields in so many cases."""
        return data | {name: make() for name, make in fields.items() if self.chance(part)}

    def norm(self) -> Data:
        """A norm."""
        return self.with_some(
            {"kind": self.one("layer", "rms")},
            0.25,
            gain=lambda: self.chance(0.5),
            bias=lambda: self.chance(0.5),
            plus_one=lambda: self.chance(0.5),
            eps=lambda: self.one(1e-6, 1e-3),
        )

    def head_norm(self) -> Data:
        """A norm of queries and keys."""
        over = self.one("head", "each-head", "all-heads")
        return self.norm() | {"over": over, "after_rotary": self.chance(0.3)}

    def scaling(self, pairs: int) -> Data:
        """A scaling of rotary positions."""
        kind = self.one("linear", "dynamic", "yarn", "llama3", "longrope")
        data: Data = {"kind": kind, "factor": self.one(1.0, 2.0, 8.0), "n_ctx_original": self.size(2, 30)}
        if kind == "longrope":
            data |= {name: [1.0 + self.size() / 9] * pairs for name in ("short_factors", "long_factors")}
        return data

    def rotary(self, width: int) -> Data:
        """Rotary positions of vectors of this width."""
        data = self.with_some({}, 0.2, base=lambda: self.one(100.0, 1e6), interleaved=lambda: True)
        data = self.with_some(data, 0.1, backwards=lambda: True, from_end=lambda: True, whole_head=lambda: True)
        turned = width
        if self.chance(0.3):
            data["d_rotary"] = turned = self.size(1, max(width, 2))
        return self.with_some(data, 0.15, scaling=lambda: self.scaling(turned // 2))

    def multi_head(self) -> Data:
        """Attention of heads."""
        kv_heads, d_head = self.size(1, 3), self.one(2, 4, 6, 8, 3)
        data: Data = {"kind": "multi-head", "n_heads": kv_heads * self.size(1, 3), "d_head": d_head}
        data = self.with_some(data, 0.6, n_kv_heads=lambda: kv_heads, rotary=lambda: self.rotary(d_head))
        return self.with_some(
            data,
            0.12,
            d_value=self.size,
            biases=lambda: self.some("query", "key", "value", "output"),
            shares_kv=lambda: True,
            value_is_key=lambda: True,
            query_key_norm=self.head_norm,
            value_norm=self.norm,
            sinks=lambda: True,
            gate=lambda: True,
            output_norm=self.norm,
            differential=lambda: self.norm() | {"gain": self.chance(0.3)},
            alibi=lambda: self.one("exact", "bfloat16", "mpt"),
            window=self.size,
            chunk=self.size,
            bidirectional=lambda: True,
            scale=lambda: self.one(0.5, 1.0),
            scale_by_layer=lambda: True,
            softcap=lambda: self.one(0.0, 30.0),
            clip=lambda: self.one(0.5, 8.0),
            value_scale=lambda: 0.7,
            gate_of=lambda: "heads",
            n_taps=lambda: self.size(1, 5),
            relative=lambda: {"d_relative": self.size(), "n_distances": self.size()},
            temperature=lambda: {
                "scale": 0.1,
                "n_positions": self.size(),
                "offset": self.one(0, 1),
                "smooth": self.one(True, False),
            },
            input_scale=lambda: 0.7,
            output_scale=lambda: 0.7,
        )

    def indexer(self, compressor: Data | None = None) -> Data:
        """An indexer."""
        width = self.one(2, 4, 6)
        data: Data = {"n_index_heads": self.size(), "d_index_head": width, "n_chosen": self.size()}
        data = self.with_some(data, 0.5, rotary=lambda: self.rotary(width), norm=self.norm)
        return data | ({"compressor": compressor} if compressor and self.chance(0.9) else {})

    def latent(self) -> Data:
        """Latent attention."""
        d_rotary = self.one(2, 4, 6)
        data: Data = {"kind": "latent", "n_heads": self.size(), "d_kv_latent": self.size(), "d_nope": self.size()}
        data |= {"d_rotary": d_rotary, "d_value": self.size(), "norm": self.norm()}
        data = self.with_some(data, 0.6, d_query_latent=self.size, rotary=lambda: self.rotary(d_rotary))
        return self.with_some(
            data,
            0.2,
            biases=lambda: self.some("query_down", "kv_down", "output"),
            query_scale=lambda: 2.0,
            kv_scale=lambda: 2.0,
            indexer=lambda: self.one("shared", self.indexer()),
        )

    def compressor(self) -> Data:
        """A compressor of keys."""
        return self.with_some({"n_block": self.size(1, 5), "norm": self.norm()}, 0.5, n_blocks=lambda: self.size(1, 3))

    def compressed(self) -> Data:
        """Compressed attention."""
        groups, d_head = self.size(1, 3), self.one(2, 4, 6)
        data: Data = {"kind": "compressed", "n_heads": groups * self.size(1, 3), "d_head": d_head, "norm": self.norm()}
        data |= {"d_query_latent": self.size(), "n_output_groups": groups, "d_output_latent": self.size()}
        data |= {"rotary": self.rotary(d_head), "window": self.size()}
        data = self.with_some(data, 0.6, compressor=self.compressor)
        return self.with_some(data, 0.5, indexer=lambda: self.indexer(data.get("compressor")))

    def attention_mixture(self) -> Data:
        """A mixture of heads."""
        n_experts, d_head = self.size(2, 16), self.one(2, 4, 6)
        data: Data = {"kind": "attention-mixture", "n_kv_heads": self.size(1, 4), "d_head": d_head}
        data |= {"n_experts": n_experts, "n_experts_per_token": self.size(1, n_experts)}
        return self.with_some(data, 0.5, output_bias=lambda: True, rotary=lambda: self.rotary(d_head))

    def convolutional(self) -> Data:
        """Attention whose queries and keys are convolved."""
        groups, d_head = self.size(1, 3), self.one(2, 4, 6)
        data: Data = {"kind": "convolutional", "n_heads": groups * self.size(1, 3), "n_kv_heads": groups}
        data |= {"d_head": d_head, "n_taps": self.size(1, 4), "n_mixed": self.size(1, 4), "bias": self.chance(0.5)}
        return self.with_some(data, 0.5, rotary=lambda: self.rotary(d_head), window=self.size)

    def attention(self) -> Data:
        """Any attention."""
        makers = [self.multi_head] * 5 + [self.latent] * 2 + [self.compressed, self.attention_mixture]
        makers += [self.convolutional]
        return self.random.choice(makers)()  # type: ignore[no-any-return]

    def mamba2(self) -> Data:
        """A Mamba-2 mixer."""
        groups = self.size(1, 3)
        data: Data = {"kind": "mamba2", "n_heads": groups * self.size(1, 3), "d_head": self.size(), "n_groups": groups}
        data |= {"d_state": self.size(), "n_taps": self.size(1, 5)}
        data |= {"biases": self.some("input", "convolution", "output"), "activation": self.one("silu", "gelu")}
        return self.with_some(
            data,
            0.3,
            norm=self.norm,
            norm_before_gate=lambda: True,
            time_step_least=lambda: 0.1,
            time_step_most=lambda: self.one(0.05, 1.0),
            input_scale=lambda: 0.5,
            output_scale=lambda: 0.5,
            part_scales=lambda: {"gate": 0.5, "time_step": 2.0},
        )

    def delta(self) -> Data:
        """A gated delta rule."""
        heads = self.size(1, 3)
        data: Data = {"kind": "delta", "n_key_heads": heads, "n_value_heads": heads * self.size(1, 3)}
        data |= {"d_key": self.size(), "d_value": self.size(), "n_taps": self.size(1, 5), "norm": self.norm()}
        return self.with_some(
            data,
            0.4,
            decay=lambda: "channel",
            d_decay=self.size,
            d_gate=self.size,
            write_scale=lambda: 2.0,
            gate_activation=lambda: "sigmoid",
        )

    def mamba(self) -> Data:
        """A Mamba mixer."""
        heads = self.size(1, 3)
        data: Data = {"kind": "mamba", "d_inner": heads * self.size(1, 5), "d_state": self.size()}
        data |= {"d_time_step": self.size(), "n_taps": self.size(1, 5)}
        data |= {"biases": self.some("input", "convolution", "output"), "activation": self.one("silu", "gelu")}
        return self.with_some(data, 0.4, n_heads=lambda: heads, norm=self.norm)

    def shared(self) -> Data:
        """A block that layers share."""
        heads, d_head = self.size(1, 3), self.one(2, 4, 6)
        data: Data = {"n_heads": heads * self.size(1, 3), "n_kv_heads": heads, "d_head": d_head, "norm": self.norm()}
        data |= {"mlp": {"kind": "gated", "d_ff": self.size(), "biases": self.some("gate", "up", "down")}}
        return self.with_some(
            data,
            0.5,
            n_blocks=lambda: self.size(1, 3),
            d_adapter=self.size,
            attention_adapters=lambda: self.chance(0.5),
            rotary=lambda: self.rotary(d_head),
        )

    def short_convolution(self) -> Data:
        """A gated short convolution."""
        return {"kind": "short-convolution", "n_taps": self.size(1, 5), "bias": self.chance(0.5)}

    def lightning(self) -> Data:
        """Lightning attention."""
        data = {"kind": "lightning", "n_heads": self.size(), "d_head": self.size(), "n_chunk": self.size(1, 5)}
        return data | {"activation": self.one("silu", "gelu"), "norm": self.norm()}

    def rg_lru(self) -> Data:
        """A real-gated linear recurrent unit."""
        data = {"kind": "rg-lru", "n_blocks": self.size(1, 4), "d_block": self.size(), "n_taps": self.size(1, 5)}
        return data | {"activation": self.one("silu", "gelu_tanh")}

    def mlstm(self) -> Data:
        """An mLSTM."""
        data: Data = {"kind": "mlstm", "n_heads": self.size(), "d_head": self.size(), "d_value": self.size()}
        data |= {"biases": self.some("query", "key", "value", "gate", "output"), "norm": self.norm()}
        return data | {"gate_softcap": self.one(3.0, 15.0)}

    def rwkv(self) -> Data:
        """Time mixing."""
        return {"kind": "rwkv", "d_value": self.size()}

    def mixer(self) -> Data:
        """Any mixer."""
        makers = [self.delta, self.mamba, self.mamba2, self.short_convolution]
        makers += [self.lightning, self.rg_lru, self.mlstm, self.rwkv]
        return self.random.choice(makers)()

    def plain_or_gated(self) -> Data:
        """An MLP, or an expert."""
        if self.chance(0.4):
            data: Data = {"kind": "plain", "d_ff": self.size(1, 12)}
            return self.with_some(
                data, 0.4, biases=lambda: self.some("up", "down"), activation=lambda: self.one(*ACTIVATIONS)
            )
        return self.with_some(
            {"kind": "gated", "d_ff": self.size(1, 12)},
            0.2,
            biases=lambda: self.some("gate", "up", "down"),
            activation=lambda: self.one(*ACTIVATIONS, "swiglu_clipped"),
            limit=lambda: 7.0,
            alpha=lambda: 1.5,
            learned_scale=lambda: True,
            sparsity=lambda: self.one(0.0, 0.5, 0.95),
            gate_scale=lambda: 0.7,
            output_scale=lambda: 0.7,
            norm=self.norm,
        )

    def mixture(self) -> Data:
        """A mixture of experts."""
        groups, in_group = self.one(1, 1, 2, 3), self.size(1, 6)
        n_experts = groups * in_group
        data: Data = {"kind": "mixture", "n_experts": n_experts, "n_experts_per_token": self.size(1, n_experts)}
        data |= {"expert": self.plain_or_gated()} | ({"n_groups": groups} if groups > 1 else {})
        if groups > 1:
            data["n_groups_per_token"] = self.size(1, groups)
        data = self.with_some(data, 0.3, shared=self.plain_or_gated, normalize=lambda: self.chance(0.5))
        if self.chance(0.06):
            data |= {"d_latent": self.size(), "latent_bias": True}
        return self.with_some(
            data,
            0.12,
            n_zero_experts=self.size,
            d_latent=self.size,
            shared_gate=lambda: True,
            n_shared=lambda: self.size(1, 3),
            learned_scale=lambda: True,
            output_bias=lambda: True,
            router_bias=lambda: True,
            router_hidden=lambda: self.with_some(
                {"d_router": self.size(), "norm": self.norm()}, 0.2, carried=lambda: True
            ),
            zero_gives=lambda: "nothing",
            router_correction=lambda: self.one("buffer", "parameter"),
            scores=lambda: self.one("softmax", "sigmoid", "sqrt-softplus", "sparse-mixer"),
            normalize_power=lambda: 2.0,
            weigh_input=lambda: True,
            scale=lambda: 2.5,
            group_score=lambda: self.one("best-two", "best"),
            jitter=lambda: self.one(0.0, 0.1),
            hashed=lambda: True,
            own_norms=self.norm,
            router_norm=self.norm,
            router_scale=lambda: 0.5,
            expert_scales=lambda: True,
        )

    def mlp(self) -> Data:
        """An MLP, or a mixture of them."""
        if self.chance(0.05):
            return {"kind": "channel-mixing", "d_ff": self.size(1, 12)}
        return self.mixture() if self.chance(0.3) else self.plain_or_gated()

    def embedding(self, n_ctx: int, n_vocab: int) -> Data:
        """The embedding, and positions that are added to it."""
        positions = self.one(
            {"kind": "learned"},
            {"kind": "learned", "n_positions": n_ctx + self.size(0, 3)},
            {"kind": "sinusoidal", "ends": self.chance(0.5), "offset": self.one(0.0, 2.0)},
        )
        return self.with_some(
            {},
            0.3,
            positions=lambda: positions,
            d_embedding=self.size,
            n_embedded=lambda: n_vocab + self.size(0, 9),
            scale=lambda: self.one(2.0, "sqrt(d_model)"),
            norm=self.norm,
            scaling=lambda: True,
        )

    def beside(self) -> Data:
        """What stands beside attention and MLP."""
        data: Data = self.with_some({}, 0.06, layer_scalar=lambda: True, residual_scale=lambda: 0.5)
        factors = {"attention": {"kept": 1.5}, "mixer": {"kept": 1.3, "brought": 0.8}, "mlp": {"brought": 0.7}}
        data = self.with_some(data, 0.04, residual_factors=lambda: factors, halved_every=lambda: self.size(1, 3))
        data = self.with_some(data, 0.05, residual_scaling=lambda: True)
        data = self.with_some(data, 0.05, branch_convolution=lambda: {"n_taps": self.size(1, 5)})
        if self.chance(0.06):
            data["shortcut"] = self.with_some({"mixture": self.mixture()}, 0.3, n_pairs=lambda: self.size(1, 3))
        if self.chance(0.1):
            names = {"d_per_layer": self.size(), "n_vocab_per_layer": self.size(), "norm": self.norm()}
            data["per_layer_embedding"] = names | {"activation": self.one(*ACTIVATIONS)}
        if self.chance(0.08):
            data["streams"] = {"kind": "altup", "n_streams": self.size(1, 4), "norm": self.norm()}
        elif self.chance(0.06):
            data["streams"] = {"kind": "hyper-connections", "n_streams": self.size(1, 4)}
        elif self.chance(0.06):
            streams = {"kind": "gated-streams", "n_streams": self.size(1, 4), "d_rank": self.size()}
            data |= {"norm": (own := self.norm()), "final_norm": False, "streams": streams | {"norm": own}}
        return self.with_some(data, 0.06, laurel=lambda: {"d_rank": self.size(), "norm": self.norm()})

    def end(self) -> Data:
        """How the model ends."""
        unembedding = self.with_some(
            {"tied": self.chance(0.5)}, 0.2, bias=lambda: True, scale=lambda: 0.5, softcap=lambda: 30.0
        )
        head = self.with_some({"n_labels": self.size()}, 0.5, bias=lambda: True)
        return self.with_some({"unembedding": self.one(unembedding, unembedding, False)}, 0.2, head=lambda: head)

    def specification(self) -> Data:
        """A whole specification."""
        n_ctx, n_layers = self.size(2, 20), self.size(1, 6)
        data: Data = {"name": "random", "n_vocab": self.size(2, 30), "n_ctx": n_ctx, "n_layers": n_layers}
        data |= {"d_model": self.one(4, 6, 8, 12, 5), "attention": self.attention(), "mlp": self.mlp()}
        data |= {
            "norm": self.norm(),
            "residual": self.one(*RESIDUALS),
            "embedding": self.embedding(n_ctx, data["n_vocab"]),
        }
        data |= self.beside() | self.end()
        if self.chance(0.5):
            data["residual"] = "pre-norm"
        if self.chance(0.3):
            variation = self.with_some({"layers": str(self.size(0, n_layers - 1))}, 0.7, attention=self.attention)
            data["variations"] = [self.with_some(variation, 0.5, mlp=self.mlp)]
        if self.chance(0.25):
            data = {key: value for key, value in data.items() if key not in ("streams", "shortcut", "laurel")}
            data["mixer"] = self.mixer()
            data = self.with_some(data, 0.6, attention=lambda: False, mlp=lambda: False)
            data = self.with_some(data, 0.2, n_ctx=lambda: False)
            data = self.with_some(data, 0.2, shared=self.shared)
            if "shared" in data:
                data |= {"residual": "pre-norm", "uses_shared": self.chance(0.3)}
            hybrid = self.with_some({"layers": str(self.size(0, n_layers - 1))}, 0.7, attention=self.attention)
            hybrid = self.with_some(hybrid, 0.7, mixer=lambda: self.one(False, self.mixer()))
            data["variations"] = [hybrid | ({"uses_shared": True} if "shared" in data else {})]
        family = self.one(*FAMILIES)
        data |= {"checkpoint": family} if family else {}
        return self.with_some(data, 0.2, final_norm=lambda: self.one(True, False, self.norm()))


def drawn(seed: int) -> Data:
    """The plain data of the specification that belongs to a seed."""
    return Draw(seed).specification()
