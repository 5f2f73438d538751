"""Small configurations of LFM2-MoE, LFM3, MiniMax, RecurrentGemma, xLSTM and RWKV for the two scripts that make the
evidence; ``...`` leaves a key out."""

FULL, SLIDING = "full_attention", "sliding_attention"
_SMALL = {"vocab_size": 61, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4}
_SMALL |= {"num_key_value_heads": 2, "max_position_embeddings": 64, "pad_token_id": None}

LFM2_MOE = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "moe_intermediate_size": 26,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "max_position_embeddings": 97,
    "norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "conv_L_cache": 4,
    "conv_bias": False,
    "num_dense_layers": 1,
    "num_experts": 8,
    "num_experts_per_tok": 3,
    "layer_types": ["conv", "conv", FULL, "conv"],
}

LFM3 = {
    "vocab_size": 211,
    "pad_token_id": None,
    "hidden_size": 72,
    "intermediate_size": 116,
    "num_hidden_layers": 5,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 10,
    "max_position_embeddings": 97,
    "norm_eps": 1e-05,
    "conv_L_cache": 4,
    "conv_bias": False,
    "sliding_window": 16,
    "layer_types": ["conv", FULL, "conv", "conv", SLIDING],
}

COUNTS = {
    "lfm2_moe": (
        LFM2_MOE,
        {
            "bias": {"conv_bias": True},
            "no-expert-bias": {"use_expert_bias": False},
            "all-sparse": {"num_dense_layers": 0},
            "dense-absent": {"num_dense_layers": ...},
            "tie-embedding": {"tie_embedding": False},
            "defaults": {"moe_intermediate_size": ..., "num_experts": ..., "num_experts_per_tok": ...},
        },
    ),
    "lfm3": (
        LFM3,
        {
            "bias": {"conv_bias": True, "attention_bias": True},
            "plain": {"use_sandwich_norm": False, "use_attention_gate": False},
            "types-absent": {"layer_types": ..., "num_hidden_layers": 9},
            "window-null": {"sliding_window": None, "layer_types": ["conv", FULL, "conv", "conv", FULL]},
            "eps-other-word": {"norm_eps": ..., "rms_norm_eps": 1e-3},
            "all-convolutions": {"layer_types": ["conv"] * 5},
        },
    ),
}

PARITY = {
    "lfm2_moe": (
        "lfm2_moe",
        {**LFM2_MOE, **_SMALL, "intermediate_size": 29, "moe_intermediate_size": 11, "num_experts": 6}
        | {"num_experts_per_tok": 2, "rope_theta": ..., "layer_types": [FULL, "conv", "conv"]}
        | {"routed_scaling_factor": 1.5, "rope_parameters": {"rope_type": "default", "rope_theta": 200.0}},
    ),
    "lfm2_moe-plain": (
        "lfm2_moe",
        {**LFM2_MOE, **_SMALL, "intermediate_size": 29, "moe_intermediate_size": 11, "num_experts": 6}
        | {"num_experts_per_tok": 2, "rope_theta": ..., "layer_types": ["conv", FULL, "conv"], "conv_bias": True}
        | {"use_expert_bias": False, "norm_topk_prob": False, "tie_word_embeddings": False}
        | {"rope_parameters": {"rope_type": "default", "rope_theta": 200.0}},
    ),
    "lfm3": (
        "lfm3",
        {**LFM3, **_SMALL, "intermediate_size": 29, "head_dim": 8, "sliding_window": 5}
        | {"layer_types": ["conv", FULL, SLIDING]},
    ),
    "lfm3-plain": (
        "lfm3",
        {**LFM3, **_SMALL, "intermediate_size": 29, "head_dim": 8, "sliding_window": 4, "attention_bias": True}
        | {"layer_types": [SLIDING, "conv", FULL], "use_sandwich_norm": False, "use_attention_gate": False}
        | {
            "rope_parameters": {
                SLIDING: {"rope_type": "default", "rope_theta": 300.0},
                FULL: {"rope_type": "linear", "factor": 2.0, "rope_theta": 200.0},
            }
        },
    ),
}
