"""The language models of DeepSeek-OCR 2 and Unlimited-OCR: DeepSeek-V2 with plain heads, not latent attention."""

from __future__ import annotations

from gptcount.families.common import Part, even_heads, mixed
from gptcount.families.config import REFUSED, REQUIRED, Config, Defaults
from gptcount.families.deepseek import experts
from gptcount.families.llama import EXPERTS, NAMES, decoder


def deepseek_ocr2(c: Config) -> Part:
    """The language model of DeepSeek-OCR 2 (modeling_deepseek_ocr2.py): the file lists which layers have experts."""
    c.only(num_experts=c.size("n_routed_experts", "num_experts", absent=64))
    return _with_experts(c, None)


def unlimited_ocr(c: Config) -> Part:
    """The language model of Unlimited-OCR (modeling_unlimited_ocr.py): a text is read whole; what is generated sees it,
    and of what was generated the last tokens alone."""
    n_layers, window = c.layers(), c.size("sliding_window", absent=128)
    kinds = ("full_attention", "reference_sliding_attention")
    if "reference_sliding_attention" in c.words(
        "layer_types", n_layers, kinds, [kinds[1]] * n_layers, [kinds[1]] * n_layers
    ):
        c.notes.append(
            f"a token that is generated sees {window} of its kind at most; the forward pass reads a text whole"
        )
    first = c.size("first_k_dense_replace", absent=1, least=0)
    return _with_experts(c, ["sparse" if at >= first else "dense" for at in range(n_layers)])


def _with_experts(c: Config, usual: list[str] | None) -> Part:
    c.assume(moe_intermediate_size=1407, n_shared_experts=2, routed_scaling_factor=1.0)
    c.assume(hidden_size=4096, num_attention_heads=32)
    c.only(scoring_func="softmax", norm_topk_prob=False, moe_layer_freq=1, use_mla=False)
    c.not_null("num_experts_per_tok", "n_shared_experts")
    even_heads(c)
    c.data = {key: value for key, value in c.data.items() if key != "head_dim"}
    model = decoder(c)
    mixture = experts(c, model, "n_routed_experts", "num_experts")
    mixture |= {
        "n_experts": c.size("n_routed_experts", "num_experts", absent=64),
        "normalize": False,
        "group_score": "best",
    }
    n_groups, n_per_token = (c.size(key, absent=None, null=None) for key in ("n_group", "topk_group"))
    if c.word("topk_method", among=("greedy", "group_limited_greedy"), absent="greedy") != "greedy":
        if n_groups is None or n_per_token is None:
            raise c.refusal("topk_method", "chooses among groups, and n_group or topk_group is missing")
        mixture |= {"n_groups": n_groups, "n_groups_per_token": n_per_token}
    among = ("dense", "sparse")
    types = c.words("mlp_layer_types", model["n_layers"], among, usual or REQUIRED, usual or REFUSED)
    return mixed(model, mixture, [word == "sparse" for word in types])


READERS = {"deepseek_ocr2_text": deepseek_ocr2, "unlimited_ocr_text": unlimited_ocr}
TABLES = dict.fromkeys(READERS, NAMES + EXPERTS)


DEFAULTS: Defaults = {
    "deepseek_ocr2_text": dict(vocab_size=102_400),
    "unlimited_ocr_text": dict(
        vocab_size=129_280,
        hidden_size=1280,
        intermediate_size=6848,
        num_hidden_layers=12,
        num_attention_heads=10,
        num_key_value_heads=10,
        max_position_embeddings=32_768,
        moe_intermediate_size=896,
        num_experts_per_tok=6,
        n_group=1,
        topk_group=1,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
