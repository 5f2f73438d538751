"""Small configurations of Mamba, Jamba, Mamba-2 and LFM2 for the scripts that make the evidence."""

MAMBA2 = {
    "vocab_size": 211,
    "hidden_size": 72,
    "num_heads": 9,
    "head_dim": 16,
    "state_size": 10,
    "n_groups": 3,
    "num_hidden_layers": 4,
    "conv_kernel": 5,
    "expand": 2,
    "chunk_size": 7,
    "hidden_act": "silu",
    "layer_norm_epsilon": 1e-05,
    "use_bias": False,
    "use_conv_bias": True,
    "time_step_limit": [0.0, {"__float__": "Infinity"}],
    "tie_word_embeddings": False,
}

LFM2 = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "num_hidden_layers": 5,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "max_position_embeddings": 97,
    "norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "conv_L_cache": 4,
    "conv_bias": False,
    "full_attn_idxs": [1, 3],
    "block_multiple_of": 8,
    "block_ffn_dim_multiplier": 1.3,
    "block_auto_adjust_ff_dim": True,
}

MAMBA = {
    "vocab_size": 211,
    "hidden_size": 72,
    "state_size": 10,
    "num_hidden_layers": 4,
    "conv_kernel": 5,
    "expand": 2,
    "time_step_rank": 7,
    "hidden_act": "silu",
    "layer_norm_epsilon": 1e-05,
}

OF_MAMBA = {
    "rank-auto": {"time_step_rank": "auto"},
    "rank-absent": {"time_step_rank": ..., "hidden_size": 70},
    "width-of-its-own": {"intermediate_size": 101},
    "biases": {"use_bias": True, "use_conv_bias": False},
    "untied": {"tie_word_embeddings": False},
}

JAMBA = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "max_position_embeddings": 97,
    "rms_norm_eps": 1e-06,
    "num_experts": 5,
    "num_experts_per_tok": 2,
    "attn_layer_period": 3,
    "attn_layer_offset": 2,
    "expert_layer_period": 2,
    "expert_layer_offset": 1,
    "mamba_d_state": 10,
    "mamba_d_conv": 5,
    "mamba_expand": 2,
    "mamba_dt_rank": 7,
}

COUNTS = {
    "mamba": (MAMBA, OF_MAMBA),
    "falcon_mamba": (MAMBA, OF_MAMBA | {"norm-eps": {"mixer_rms_eps": 1e-3}}),
    "jamba": (
        JAMBA,
        {
            "rank-auto": {"mamba_dt_rank": "auto"},
            "biases": {"mamba_proj_bias": True, "mamba_conv_bias": False},
            "one-expert": {"num_experts": 1},
            "periods-absent": {
                name: ...
                for name in ("attn_layer_period", "attn_layer_offset", "expert_layer_period", "expert_layer_offset")
            },
            "head-dim": {"head_dim": 10},
        },
    ),
    "mamba2": (
        MAMBA2,
        {
            "biases": {"use_bias": True},
            "no-convolution-bias": {"use_conv_bias": False},
            "one-group": {"n_groups": 1},
            "intermediate-ignored": {"intermediate_size": 999},
            "groups-absent": {"n_groups": ..., "num_heads": 24, "head_dim": 6},
            "limits": {"time_step_limit": [0.01, 0.1]},
        },
    ),
    "lfm2": (
        LFM2,
        {
            "bias": {"conv_bias": True},
            "not-adjusted": {"block_auto_adjust_ff_dim": False},
            "multiplier-null": {"block_ffn_dim_multiplier": None},
            "indices-absent": {"full_attn_idxs": ...},
            "layer-types": {"layer_types": ["conv", "full_attention", "conv", "conv", "full_attention"]},
            "tie-embedding": {"tie_embedding": False},
            "block-ff-dim": {"block_ff_dim": 131},
        },
    ),
}

_ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 200.0}}

_SMALL = {**MAMBA, "vocab_size": 61, "hidden_size": 24, "state_size": 5, "num_hidden_layers": 2, "conv_kernel": 4}

PARITY = {
    "mamba": ("mamba", {**_SMALL, "time_step_rank": 3, "intermediate_size": 40}),
    "mamba-biases": ("mamba", {**_SMALL, "use_bias": True, "use_conv_bias": False, "hidden_act": "gelu"}),
    "falcon_mamba": ("falcon_mamba", {**_SMALL, "use_bias": True, "mixer_rms_eps": 1e-2}),
    "jamba": (
        "jamba",
        {**JAMBA, "vocab_size": 61, "hidden_size": 24, "intermediate_size": 29, "num_hidden_layers": 4}
        | {"num_attention_heads": 4, "num_key_value_heads": 2, "mamba_dt_rank": 3, "mamba_d_state": 5}
        | {"mamba_proj_bias": True, "rms_norm_eps": 1e-2},
    ),
    "mamba2": (
        "mamba2",
        {**MAMBA2, "vocab_size": 61, "hidden_size": 24, "num_heads": 6, "head_dim": 8, "state_size": 5, "n_groups": 2}
        | {"num_hidden_layers": 2, "conv_kernel": 4, "chunk_size": 4, "time_step_limit": (0.0, float("inf"))},
    ),
    "mamba2-limits-biases": (
        "mamba2",
        {**MAMBA2, "vocab_size": 61, "hidden_size": 24, "num_heads": 6, "head_dim": 8, "state_size": 5, "n_groups": 3}
        | {"num_hidden_layers": 2, "conv_kernel": 3, "chunk_size": 5, "use_bias": True, "use_conv_bias": False}
        | {"time_step_limit": (0.3, 0.5), "tie_word_embeddings": True},
    ),
    "lfm2": (
        "lfm2",
        {**LFM2, "vocab_size": 61, "hidden_size": 24, "intermediate_size": 29, "num_hidden_layers": 3}
        | {"num_attention_heads": 4, "num_key_value_heads": 2, "rope_theta": ..., "full_attn_idxs": [1]}
        | {"conv_bias": True, **_ROPE},
    ),
}

ZAMBA = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "num_hidden_layers": 5,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "n_mamba_heads": 2,
    "mamba_d_state": 10,
    "mamba_d_conv": 5,
    "mamba_expand": 2,
    "mamba_dt_rank": 7,
    "max_position_embeddings": 97,
    "layers_block_type": ["mamba", "hybrid", "mamba", "mamba", "hybrid"],
    "rms_norm_eps": 1e-5,
}
ZAMBA2 = {key: value for key, value in ZAMBA.items() if key not in ("mamba_dt_rank", "n_mamba_heads")} | {
    "n_mamba_heads": 9,
    "mamba_ngroups": 3,
    "adapter_rank": 7,
    "num_mem_blocks": 2,
    "num_hidden_layers": 6,
    "layers_block_type": ["hybrid", "mamba", "hybrid", "mamba", "hybrid", "hybrid"],
}

COUNTS |= {
    "zamba": (
        ZAMBA,
        {
            "one-head": {"n_mamba_heads": 1},
            "biases": {"mamba_proj_bias": True, "mamba_conv_bias": False},
            "rank-auto": {"mamba_dt_rank": "auto"},
            "types-absent": {"layers_block_type": ..., "num_hidden_layers": 8, "attn_layer_period": 3},
            "no-hybrid": {"layers_block_type": ["mamba"] * 5},
        },
    ),
    "zamba2": (
        ZAMBA2,
        {
            "attention-adapters": {"use_shared_attention_adapter": True, "num_key_value_heads": 6},
            "biases": {"add_bias_linear": True},
            "rotary": {"use_mem_rope": True},
            "width-absent": {"intermediate_size": ...},
            "kv-null": {"num_key_value_heads": None},
            "three-blocks": {"num_mem_blocks": 3},
            "more-blocks-than-uses": {"num_mem_blocks": 7},
        },
    ),
}

_FEW = {"num_hidden_layers": 3, "layers_block_type": ["hybrid", "mamba", "hybrid"]}
_TINY = {
    **_FEW,
    "vocab_size": 61,
    "hidden_size": 24,
    "intermediate_size": 29,
    "num_attention_heads": 4,
    "mamba_d_state": 5,
}

PARITY |= {
    "zamba": ("zamba", {**ZAMBA, **_TINY, "num_key_value_heads": 2, "mamba_dt_rank": 3, "mamba_conv_bias": False}),
    "zamba2-adapters": (
        "zamba2",
        {**ZAMBA2, **_TINY, "num_key_value_heads": 4, "n_mamba_heads": 6, "use_shared_attention_adapter": True}
        | {"use_mem_rope": True, **_ROPE, "chunk_size": 4, "time_step_min": 0.2, "intermediate_size": 9}
        | {"num_hidden_layers": 2, "layers_block_type": ["hybrid", "hybrid"], "rms_norm_eps": 1e-2},
    ),
    "zamba2-plain": (
        "zamba2",
        {
            **ZAMBA2,
            **_TINY,
            "num_key_value_heads": 2,
            "n_mamba_heads": 6,
            "num_mem_blocks": 1,
            "chunk_size": 32,
            "add_bias_linear": True,
        },
    ),
}
