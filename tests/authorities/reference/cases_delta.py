"""Small configurations of the families with gated delta rules, for the scripts that make the evidence."""

QWEN = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "num_hidden_layers": 5,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 16,
    "max_position_embeddings": 97,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "linear_conv_kernel_dim": 5,
    "linear_key_head_dim": 9,
    "linear_value_head_dim": 14,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 8,
}
MOE = {
    "num_experts": 7,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 26,
    "shared_expert_intermediate_size": 34,
    "norm_topk_prob": True,
}
KINDS = ["linear_attention", "full_attention", "full_attention", "linear_attention", "linear_attention"]
OF_QWEN = {
    "interval": {"full_attention_interval": 2},
    "layer-types": {"layer_types": KINDS},
    "as-many-heads": {"linear_num_key_heads": 8},
}

OLMO = {key: value for key, value in QWEN.items() if key not in ("head_dim", "rope_theta")} | {
    "linear_key_head_dim": 7,
    "linear_value_head_dim": 7,
    "linear_num_key_heads": 8,
    "num_hidden_layers": 4,
}

KIMI = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "moe_intermediate_size": 26,
    "num_hidden_layers": 5,
    "num_attention_heads": 6,
    "num_key_value_heads": 6,
    "model_max_length": 97,
    "kv_lora_rank": 14,
    "q_lora_rank": None,
    "qk_nope_head_dim": 10,
    "qk_rope_head_dim": 4,
    "v_head_dim": 18,
    "num_experts": 8,
    "num_experts_per_token": 3,
    "num_shared_experts": 2,
    "moe_renormalize": True,
    "num_expert_group": 2,
    "topk_group": 1,
    "routed_scaling_factor": 2.0,
    "rms_norm_eps": 1e-05,
    "linear_attn_config": {
        "head_dim": 8,
        "num_heads": 5,
        "short_conv_kernel_size": 4,
        "full_attn_layers": [2, 5],
        "kda_layers": [1, 3, 4],
    },
}

QSA = ("indexer_n_heads", "indexer_kv_heads", "indexer_head_dim", "indexer_budget", "indexer_compress_ratio")
QWEN4 = {key: value for key, value in QWEN.items() if key != "intermediate_size"} | MOE
QWEN4 |= {"hc_count": 3, "hc_lowrank": 10, "indexer_n_heads": 4, "indexer_kv_heads": 1, "indexer_head_dim": 18}
QWEN4 |= {"indexer_budget": 6, "indexer_compress_ratio": 3}

COUNTS = {
    "qwen3_next": (
        {**QWEN, **MOE, "decoder_sparse_step": 1},
        {**OF_QWEN, "some-dense": {"mlp_only_layers": [1, 2]}, "no-experts": {"num_experts": 0}},
    ),
    "qwen3_5_text": (QWEN, OF_QWEN),
    "qwen3_5_moe_text": ({key: value for key, value in QWEN.items() if key != "intermediate_size"} | MOE, OF_QWEN),
    "qwen4_exp_text": (
        QWEN4,
        {
            **OF_QWEN,
            "indexed": {"layer_types": [kind.replace("full", "indexed") for kind in KINDS], "attention_bias": True},
            "none-indexed": {"layer_types": ["linear_attention"] * 5, **dict.fromkeys(QSA)},
        },
    ),
    "lara_mini": (
        {key: value for key, value in QWEN.items() if key != "intermediate_size"} | MOE | {"sliding_window": 6},
        {"layer-types": {"layer_types": KINDS}, "window-absent": {"sliding_window": ...}},
    ),
    "olmo_hybrid": (
        OLMO,
        {
            "rope": {"rope_theta": 10000.0},
            "no-positions": {"rope_theta": None},
            "layer-types": {"layer_types": KINDS[:4]},
            "no-negative": {"linear_allow_neg_eigval": False},
        },
    ),
    "kimi_linear": (
        KIMI,
        {
            "latent-queries": {"q_lora_rank": 11, "attention_bias": True},
            "lists-absent": {"linear_attn_config": {"head_dim": 8, "num_heads": 5, "short_conv_kernel_size": 3}},
            "dense-first": {"first_k_dense_replace": 2},
        },
    ),
}

_ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 200.0, "partial_rotary_factor": 0.5}}
_SMALL = {**QWEN, "vocab_size": 61, "hidden_size": 24, "intermediate_size": 29, "num_hidden_layers": 3, "head_dim": 8}
_SMALL |= {"num_attention_heads": 4, "num_key_value_heads": 2, "linear_key_head_dim": 5, "linear_value_head_dim": 6}
_SMALL |= {"linear_num_value_heads": 4, "linear_conv_kernel_dim": 4, "rope_theta": ..., "rms_norm_eps": 1e-2, **_ROPE}
_MIXED = {"layer_types": ["linear_attention", "full_attention", "linear_attention"]}
_MOE = {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 7, "shared_expert_intermediate_size": 9}
_OLMO = {**_SMALL, **_MIXED, "head_dim": ..., "rope_parameters": None, "linear_num_key_heads": 2}
_OLMO |= {"linear_num_value_heads": 2, "linear_value_head_dim": 5, "pad_token_id": None, "eos_token_id": 2}
_QWEN4 = {key: QWEN4[key] for key in ("hc_lowrank", "hc_count", *QSA)} | {"intermediate_size": ..., "indexer_budget": 6}
_QWEN4 |= {"indexer_head_dim": 6}

PARITY = {
    "qwen3_next": ("qwen3_next", {**_SMALL, **_MIXED, **_MOE}),
    "qwen3_5_text": ("qwen3_5_text", {**_SMALL, **_MIXED, "attention_bias": True, "hidden_act": "gelu"}),
    "qwen3_5_moe_text": ("qwen3_5_moe_text", {**_SMALL, **_MIXED, **_MOE, "intermediate_size": ...}),
    "qwen4_exp_text": ("qwen4_exp_text", {**_SMALL, **_MIXED, **_MOE, **_QWEN4}),
    "qwen4_exp_text-sigmoid": (
        "qwen4_exp_text",
        {**_SMALL, **_MIXED, **_MOE, **_QWEN4, "output_gate_type": "sigmoid", "indexer_compress_ratio": 2}
        | {"attention_bias": True, "norm_topk_prob": False, "hc_count": 2},
    ),
    "lara_mini": (
        "lara_mini",
        {**_SMALL, **_MOE, "intermediate_size": ..., "sliding_window": 5}
        | {"rope_parameters": {"rope_type": "default", "rope_theta": 200.0}}
        | {"layer_types": ["linear_attention", "sliding_attention", "full_attention"]},
    ),
    "olmo_hybrid": ("olmo_hybrid", _OLMO),
    "olmo_hybrid-no-positions": (
        "olmo_hybrid",
        {**_OLMO, "rope_parameters": {"rope_type": "default", "rope_theta": None}},
    ),
    "kimi_linear": (
        "kimi_linear",
        {key: value for key, value in KIMI.items() if key not in ("linear_attn_config", "model_max_length")}
        | {"vocab_size": 61, "hidden_size": 24, "intermediate_size": 29, "num_hidden_layers": 3, "rms_norm_eps": 1e-2}
        | {
            "moe_intermediate_size": 7,
            "max_position_embeddings": 32,
            "pad_token_id": None,
            "linear_head_dim": 6,
            "linear_num_heads": 3,
        }
        | {**_MIXED, "first_k_dense_replace": 1, "num_attention_heads": 3, "num_key_value_heads": 3},
    ),
}
