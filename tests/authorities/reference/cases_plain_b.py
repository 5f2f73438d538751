"""Small configurations of further families: what is counted (COUNTS), and what is run (PARITY); LANGUAGE and
PARITY_WHOLES are the same of families that stand in larger configurations alone."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]
DROP = ...  # as a value in a variant: leave the key out
FULL, SLIDING = "full_attention", "sliding_attention"
DENSE, SPARSE = "dense", "sparse"


def apply(base: Config, **more: Any) -> Config:
    """A configuration with changes; DROP leaves a key out."""
    return {key: value for key, value in (base | more).items() if value is not DROP}


LLAMA: Config = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "max_position_embeddings": 97,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
}
"""What is counted: sizes pairwise different."""

SMALL: Config = {
    "vocab_size": 61,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 4,
    "intermediate_size": 22,
    "max_position_embeddings": 31,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 200.0},
}
"""What is run: smaller still."""

SECTIONS: Config = {"rope_type": "default", "rope_theta": 500.0, "mrope_section": [2, 2, 1]}
PLAIN: Config = {"rope_type": "default", "rope_theta": 500.0}
OCR: Config = {
    "moe_intermediate_size": 26,
    "n_routed_experts": 8,
    "n_shared_experts": 2,
    "num_experts_per_tok": 3,
    "mlp_layer_types": [DENSE, SPARSE, DENSE, SPARSE],
    "rope_theta": DROP,
    "rope_parameters": PLAIN,
    "pad_token_id": 0,
}
M3 = "minimax_m3_sparse"
INDEXED: Config = {"index_n_heads": 3, "index_head_dim": 8, "index_block_size": 5, "index_topk_blocks": 7}
OLDER: Config = {
    "sparse_num_index_heads": 2,
    "sparse_index_dim": 14,
    "sparse_block_size": 5,
    "sparse_topk_blocks": 7,
    "sparse_local_block": 2,
    "sparse_attention_freq": [0, 0, 1, 1],
}

LATENT: Config = {
    "head_dim": DROP,
    "q_lora_rank": 22,
    "kv_lora_rank": 14,
    "qk_nope_head_dim": 10,
    "qk_rope_head_dim": 4,
    "v_head_dim": 18,
    "num_key_value_heads": 6,
}
ROUTED: Config = {
    "moe_intermediate_size": 26,
    "n_routed_experts": 8,
    "n_shared_experts": 2,
    "num_experts_per_tok": 3,
    "n_group": 2,
    "topk_group": 1,
    "routed_scaling_factor": 1.5,
}
SWA: Config = {
    "swa_num_attention_heads": 4,
    "swa_num_key_value_heads": 4,
    "swa_q_lora_rank": 20,
    "swa_kv_lora_rank": 16,
    "swa_head_dim": 14,
    "swa_qk_nope_head_dim": 8,
    "swa_v_head_dim": 12,
}
BY_LAYER: Config = {key.removeprefix("swa_"): size for key, size in SWA.items()} | {"qk_rope_head_dim": 6}
EXPERTS: Config = {"moe_intermediate_size": 26, "num_experts": 8, "num_experts_per_tok": 3}
INDEX: Config = {"index_n_heads": 5, "index_head_dim": 8, "index_topk": 6}

COUNTS: dict[str, tuple[Config, dict[str, Config]]] = {
    "gpt-sw3": (
        {"vocab_size": 211, "n_positions": 97, "n_embd": 72, "n_layer": 4, "n_head": 6, "n_inner": 116},
        {},
    ),
    "axk1": (
        apply(LLAMA, **LATENT, **ROUTED),
        {
            "every-other": {"moe_layer_freq": 2},
            "first-two-dense": {"first_k_dense_replace": 2, "moe_layer_freq": 3},
            "listed": {"mlp_layer_types": [SPARSE, DENSE, DENSE, SPARSE]},
            "class-sizes": dict.fromkeys(LATENT, DROP),
        },
    ),
    "axk2": (
        apply(LLAMA, **LATENT, **ROUTED, **INDEX, gated_norm_rank=11),
        {
            "no-groups": {"n_group": DROP, "topk_group": DROP},
            "null-groups": {"n_group": None, "topk_group": None},
            "half-a-group": {"n_group": DROP},
            "every-other": {"moe_layer_freq": 2},
            "all-dense": {"mlp_layer_types": [DENSE] * 4},
            "rank-absent": {"gated_norm_rank": DROP},
            "class-sizes": dict.fromkeys([*LATENT, *INDEX], DROP),
        },
    ),
    "doge": (
        apply(LLAMA, keep_window_size=16),
        {
            "window": {"sliding_window": 16},
            "biases": {"attention_bias": True, "mlp_bias": True},
            "class-sizes": dict.fromkeys(["vocab_size", "hidden_size", "num_attention_heads"], DROP),
        },
    ),
    "dots3_note_text": (
        apply(LLAMA, **LATENT, **ROUTED, **INDEX, **SWA, shared_experts_intermediate_size=34),
        {
            "all-indexed": {"use_sliding_window": False},
            "no-indexer": {"use_dsa": False},
            "older-names": {"layer_types": [FULL, SLIDING, FULL, SLIDING], "num_hidden_layers": 4},
            "listed": {
                "layer_types": ["indexed_attention", SLIDING, FULL, SLIDING],
                "per_layer_config": {"1": BY_LAYER, "3": BY_LAYER},
                **dict.fromkeys(SWA, DROP),
            },
            "experts-by-flags": {"moe_layer_freq": [0, 1, 0, 1], "first_k_dense_replace": 0},
            "shared-otherwise": {
                "shared_experts_intermediate_size": DROP,
                "moe_shared_expert_intermediate_size": 30,
                "n_shared_experts": 1,
            },
            "class-sizes": dict.fromkeys([*LATENT, *INDEX, *SWA, "num_attention_heads"], DROP),
        },
    ),
    "kolibri1": (
        apply(LLAMA, **EXPERTS, intermediate_size=DROP, head_dim=10, shared_expert_intermediate_size=34),
        {
            "normalized": {"norm_topk_prob": True},
            "no-windows": {"sliding_window": None, "layer_types": [FULL] * 4},
            "shared-zero": {"shared_expert_intermediate_size": 0},
            "nine-layers": {"num_hidden_layers": 9},
        },
    ),
    "flint": (
        apply(LLAMA, **EXPERTS, head_dim=10, shared_expert_intermediate_size=34),
        {
            "every-other": {"decoder_sparse_step": 2, "mlp_only_layers": []},
            "dense-last": {"mlp_only_layers": [3]},
            "no-experts": {"num_experts": 0},
            "ten-layers": {"num_hidden_layers": 10},
            "shared-zero": {"shared_expert_intermediate_size": 0},
        },
    ),
    "beam": (
        apply(LLAMA, **EXPERTS, head_dim=10, n_group=2, topk_group=2),
        {
            "seven-layers": {"num_hidden_layers": 7},
            "turned-otherwise": {
                "rope_theta": DROP,
                "rope_parameters": {
                    FULL: {"rope_type": "default", "rope_theta": 500.0},
                    SLIDING: None,
                },
            },
            "no-cap": {"final_logit_softcapping": None},
            "listed": {"mlp_layer_types": [SPARSE, DENSE, DENSE, SPARSE]},
        },
    ),
}

LATENT_SMALL = apply(
    SMALL,
    head_dim=DROP,
    num_attention_heads=3,
    num_key_value_heads=3,
    q_lora_rank=10,
    kv_lora_rank=7,
    qk_nope_head_dim=5,
    qk_rope_head_dim=4,
    v_head_dim=6,
    moe_intermediate_size=9,
    n_routed_experts=8,
    n_shared_experts=2,
    num_experts_per_tok=3,
    n_group=4,
    topk_group=2,
    routed_scaling_factor=1.7,
)

EXPERTS_SMALL = apply(
    SMALL,
    moe_intermediate_size=7,
    num_experts=5,
    num_experts_per_tok=2,
    shared_expert_intermediate_size=11,
    sliding_window=5,
)

PARITY: dict[str, tuple[str, Config]] = {
    "axk1": ("axk1", LATENT_SMALL),
    "axk2": ("axk2", apply(LATENT_SMALL, **INDEX, gated_norm_rank=11, n_group=DROP, topk_group=DROP)),
    "axk2-groups": ("axk2", apply(LATENT_SMALL, **INDEX, gated_norm_rank=11, num_experts_per_tok=4)),
    "dots3_note_text": (
        "dots3_note_text",
        apply(
            LATENT_SMALL,
            **INDEX | {"index_topk": 4},
            **SWA | {"swa_q_lora_rank": 13, "swa_kv_lora_rank": 11},
            shared_experts_intermediate_size=12,
            num_hidden_layers=4,
            sliding_window=5,
            n_group=2,
            topk_group=1,
            rope_parameters=DROP,
            rope_theta=200.0,
            swa_rope_theta=90.0,
            pad_token_id=0,
            attention_bias=True,
        ),
    ),
    "kolibri1": (
        "kolibri1",
        apply(EXPERTS_SMALL, intermediate_size=DROP, num_hidden_layers=3, layer_types=[SLIDING, FULL, SLIDING]),
    ),
    "flint": (
        "flint",
        apply(EXPERTS_SMALL, num_hidden_layers=4, mlp_only_layers=[0], layer_types=[SLIDING, FULL] * 2),
    ),
    "beam": (
        "beam",
        apply(
            EXPERTS_SMALL,
            shared_expert_intermediate_size=DROP,
            rope_parameters=DROP,
            num_experts=8,
            n_group=4,
            topk_group=2,
            num_hidden_layers=3,
            mlp_layer_types=[DENSE, SPARSE, SPARSE],
            layer_types=[SLIDING, FULL, SLIDING],
            attention_bias=True,
            final_logit_softcapping=2.0,
            rms_norm_eps=0.05,
        ),
    ),
    "doge": ("doge", apply(SMALL, keep_window_size=4)),
    "doge-window-biases": (
        "doge",
        apply(
            SMALL,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=DROP,
            keep_window_size=3,
            sliding_window=5,
            attention_bias=True,
            mlp_bias=True,
        ),
    ),
}

LANGUAGE: dict[str, tuple[str, Config, dict[str, Config]]] = {
    "minimax_m3_vl": (
        "minimax_m3_vl_text",
        apply(
            LLAMA,
            head_dim=10,
            intermediate_size=26,
            dense_intermediate_size=116,
            shared_intermediate_size=34,
            num_local_experts=8,
            num_experts_per_tok=3,
            **INDEXED | {"index_head_dim": 14},
            layer_types=[FULL, M3, FULL, M3],
            mlp_layer_types=[DENSE, DENSE, SPARSE, SPARSE],
        ),
        {
            "older": {
                **dict.fromkeys(INDEXED, DROP),
                "layer_types": DROP,
                "mlp_layer_types": DROP,
                "sparse_attention_config": OLDER,
                "moe_layer_freq": [0, 1, 1, 1],
            },
            "all-sparse": {"mlp_layer_types": DROP},
            "all-full": {"layer_types": DROP},
            "partial": {"rope_theta": DROP, "rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}},
            "shared-zero": {"shared_intermediate_size": 0},
        },
    ),
    "step3p7": (
        "step3p5",
        apply(
            LLAMA,
            head_dim=10,
            moe_intermediate_size=26,
            share_expert_dim=34,
            n_routed_experts=8,
            num_experts_per_tok=3,
            sliding_window=16,
            num_sliding_attention_heads=9,
            layer_types=[FULL, SLIDING, SLIDING, FULL],
            mlp_layer_types=[DENSE, DENSE, SPARSE, SPARSE],
            pad_token_id=0,
        ),
        {
            "older": {
                "num_sliding_attention_heads": DROP,
                "attention_other_setting": {"num_attention_heads": 12, "num_attention_groups": 3, "head_dim": 10},
                "num_key_value_heads": DROP,
                "num_attention_groups": 3,
                "n_routed_experts": DROP,
                "moe_num_experts": 7,
                "num_experts_per_tok": DROP,
                "moe_top_k": 2,
                "mlp_layer_types": DROP,
                "moe_layers_enum": "1,3",
                "num_nextn_predict_layers": 2,
                "layer_types": [FULL, SLIDING, SLIDING, SLIDING, SLIDING, SLIDING],
                "rope_theta": [10000.0, 500.0, 500.0, 500.0, 500.0, 500.0],
                "partial_rotary_factors": [0.5, 1.0, 1.0, 1.0, 1.0, 1.0],
                "swiglu_limits": [0.0, 0.0, 0.0, 7.0, 0.0, 0.0],
            },
            "local-experts-alone": {"n_routed_experts": DROP, "num_local_experts": 8},
            "kinds-absent": {"layer_types": DROP, "mlp_layer_types": DROP},
            "biases": {"attention_bias": True, "mlp_bias": True},
            "by-layer": {
                "num_sliding_attention_heads": DROP,
                "attention_other_setting": {"num_attention_heads": 9},
                "per_layer_config": {"1": {"num_attention_heads": 9}, "2": {"num_attention_heads": 9}},
            },
        },
    ),
    "deepseek_ocr2": (
        "deepseek_ocr2_text",
        apply(LLAMA, **OCR),
        {
            "kv-null": {"num_key_value_heads": None},
            "groups": {"topk_method": "group_limited_greedy", "n_group": 4, "topk_group": 2},
            "biases": {"attention_bias": True, "mlp_bias": True},
        },
    ),
    "unlimited_ocr": (
        "unlimited_ocr_text",
        apply(LLAMA, **OCR, sliding_window=16),
        {
            "first-two-dense": {"mlp_layer_types": DROP, "first_k_dense_replace": 2},
            "first-absent": {"mlp_layer_types": DROP},
            "all-full": {"layer_types": [FULL] * 4},
        },
    ),
    "cosmos3_edge": (
        "cosmos3_edge_text",
        apply(LLAMA, head_dim=10, hidden_act="relu2", rope_theta=DROP, rope_parameters=SECTIONS),
        {"biases": {"attention_bias": True, "mlp_bias": True}, "kv-null": {"num_key_value_heads": None}},
    ),
    "muse_glimmer": (
        "muse_glimmer_text",
        apply(LLAMA, head_dim=10, sliding_window=16, hidden_act=DROP, rope_theta=DROP, rope_parameters=PLAIN),
        {
            "biases": {"attention_bias": True},
            "nine-layers": {"num_hidden_layers": 9},
            "all-turned": {"layer_rope_theta": [500.0] * 4, "layer_types": [SLIDING, FULL, SLIDING, FULL]},
        },
    ),
    "molmo2": (
        "molmo2_text",
        apply(LLAMA, head_dim=10, additional_vocab_size=7, rope_theta=DROP, rope_parameters=PLAIN),
        {
            "none-more": {"additional_vocab_size": 0},
            "norms-of-all": {"qk_norm_type": "olmo", "norm_after": True},
            "biases": {"attention_bias": True},
        },
    ),
}

STEP_SMALL = apply(
    SMALL,
    rope_parameters=DROP,
    rope_theta=[200.0, 90.0, 200.0],
    num_hidden_layers=3,
    moe_intermediate_size=7,
    share_expert_dim=11,
    n_routed_experts=5,
    num_experts_per_tok=2,
    sliding_window=5,
    num_sliding_attention_heads=9,
    layer_types=[FULL, SLIDING, FULL],
    mlp_layer_types=[DENSE, SPARSE, SPARSE],
    moe_router_scaling_factor=1.7,
    pad_token_id=0,
)

M3_SMALL = apply(
    SMALL,
    **INDEXED | {"index_block_size": 3, "index_topk_blocks": 2},
    dense_intermediate_size=34,
    intermediate_size=7,
    shared_intermediate_size=11,
    num_local_experts=5,
    num_experts_per_tok=2,
    num_hidden_layers=3,
    layer_types=[FULL, M3, M3],
    mlp_layer_types=[DENSE, SPARSE, SPARSE],
    swiglu_limit=0.9,
    swiglu_alpha=1.3,
)

OCR_SMALL = apply(
    SMALL,
    **OCR | {"moe_intermediate_size": 7, "mlp_layer_types": [DENSE, SPARSE, SPARSE], "routed_scaling_factor": 1.7},
    hidden_size=24,
    head_dim=DROP,
    num_hidden_layers=3,
)

PARITY_WHOLES: dict[str, tuple[str, Config]] = {
    "minimax_m3_vl": ("minimax_m3_vl", M3_SMALL),
    "minimax_m3_vl-partial": (
        "minimax_m3_vl",
        apply(
            M3_SMALL,
            rope_parameters={"rope_type": "default", "rope_theta": 200.0, "partial_rotary_factor": 0.5},
            index_local_blocks=0,
            index_topk_blocks=1,
            index_n_heads=2,
            swiglu_limit=7.0,
        ),
    ),
    "step3p7": ("step3p7", STEP_SMALL),
    "deepseek_ocr2": ("deepseek_ocr2", OCR_SMALL),
    "unlimited_ocr-groups": (
        "unlimited_ocr",
        apply(
            OCR_SMALL,
            num_key_value_heads=6,
            sliding_window=5,
            topk_method="group_limited_greedy",
            n_group=4,
            topk_group=2,
        ),
    ),
    "cosmos3_edge": (
        "cosmos3_edge",
        apply(
            SMALL,
            hidden_size=24,
            hidden_act="relu2",
            rope_parameters=SECTIONS | {"mrope_section": [1, 1, 0]},
            attention_bias=True,
            pad_token_id=0,
        ),
    ),
    "muse_glimmer": (
        "muse_glimmer",
        apply(
            SMALL,
            hidden_size=24,
            num_hidden_layers=3,
            sliding_window=5,
            layer_types=[SLIDING, FULL, FULL],
            layer_rope_theta=[200.0, 0, 200.0],
            post_norm_eps=0.3,
            final_logit_softcapping=1.5,
            output_multiplier=0.7,
            qk_scale_factor=1.9,
        ),
    ),
    "molmo2": ("molmo2", apply(SMALL, additional_vocab_size=7)),
    "molmo2-norm-after": (
        "molmo2",
        apply(
            SMALL,
            additional_vocab_size=0,
            qk_norm_type="olmo",
            norm_after=True,
            attention_bias=True,
            num_hidden_layers=3,
            rope_scaling_layers=[1],
            rope_parameters={"rope_type": "linear", "rope_theta": 200.0, "factor": 3.0},
        ),
    ),
    "step3p7-limits": (
        "step3p7",
        apply(
            STEP_SMALL,
            partial_rotary_factors=[0.5, 1.0, 0.5],
            query_pre_attn_scalar=9,
            swiglu_limits=[None, 0.3, 0.0],
            swiglu_limits_shared=[0.4, None, 0.2],
            attention_bias=True,
            mlp_bias=True,
        ),
    ),
}
