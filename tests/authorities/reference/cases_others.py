"""Small configurations of LFM2-MoE, LFM3, MiniMax, RecurrentGemma, xLSTM, RWKV, Inkling and ZAYA1 for the two scripts
that make the evidence; ``...`` leaves a key out."""

FULL, SLIDING, LINEAR = "full_attention", "sliding_attention", "linear_attention"
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

MINIMAX = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 26,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "max_position_embeddings": 97,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "num_local_experts": 8,
    "num_experts_per_tok": 3,
    "block_size": 7,
    "layer_types": [LINEAR, FULL, LINEAR, LINEAR],
    "tie_word_embeddings": False,
}

RECURRENT_GEMMA = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "lru_width": 54,
    "attention_window_size": 16,
    "conv1d_width": 5,
    "logits_soft_cap": 30.0,
    "rms_norm_eps": 1e-06,
    "hidden_activation": "gelu_pytorch_tanh",
    "block_types": ["recurrent", "recurrent", "attention"],
    "attention_bias": False,
}

XLSTM = {
    "vocab_size": 211,
    "hidden_size": 72,
    "num_hidden_layers": 4,
    "num_heads": 6,
    "use_bias": False,
    "qk_dim_factor": 0.5,
    "v_dim_factor": 1.5,
    "ffn_proj_factor": 1.7,
    "ffn_round_up_to_multiple_of": 8,
    "norm_eps": 1e-06,
    "gate_soft_cap": 15.0,
    "output_logit_soft_cap": 30.0,
    "chunk_size": 7,
}

RWKV = {
    "vocab_size": 211,
    "hidden_size": 72,
    "num_hidden_layers": 4,
    "attention_hidden_size": 54,
    "intermediate_size": 116,
    "context_length": 97,
    "layer_norm_epsilon": 1e-05,
    "rescale_every": 2,
    "tie_word_embeddings": False,
}

INKLING = {
    "vocab_size": 211,
    "hidden_size": 72,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 10,
    "swa_num_attention_heads": 8,
    "swa_num_key_value_heads": 4,
    "swa_head_dim": 14,
    "sliding_window_size": 16,
    "d_rel": 7,
    "rel_extent": 23,
    "max_position_embeddings": 97,
    "conv_kernel_size": 5,
    "intermediate_size": 116,
    "moe_intermediate_size": 26,
    "n_routed_experts": 8,
    "num_experts_per_tok": 3,
    "n_shared_experts": 2,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-06,
    "layer_types": ["hybrid_sliding", "hybrid", "hybrid_sliding", "hybrid"],
    "mlp_layer_types": ["dense", "sparse", "sparse", "dense"],
}

ZAYA = {
    "vocab_size": 211,
    "hidden_size": 72,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 12,
    "max_position_embeddings": 97,
    "rms_norm_eps": 1e-05,
    "hidden_act": "silu",
    "moe_intermediate_size": 26,
    "num_experts": 5,
    "router_hidden_size": 20,
    "cca_time0": 4,
    "cca_time1": 7,
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
    "minimax": (
        MINIMAX,
        {
            "head-dim": {"head_dim": 10},
            "types-absent": {"layer_types": ...},
            "chunk-absent": {"block_size": ...},
            "all-full": {"layer_types": [FULL] * 4},
            "all-linear": {"layer_types": [LINEAR] * 4, "hidden_act": "gelu"},
            "factors": {"full_attn_alpha_factor": 3.5, "mlp_beta_factor": 0.5},
            "defaults": {"num_local_experts": ..., "num_experts_per_tok": ...},
            "window": {"sliding_window": 16},
        },
    ),
    "recurrent_gemma": (
        RECURRENT_GEMMA,
        {
            "width-absent": {"lru_width": ...},
            "width-null": {"lru_width": None},
            "types-absent": {"block_types": ...},
            "attention-first": {"block_types": ["attention", "recurrent"]},
            "all-recurrent": {"block_types": ["recurrent"]},
            "window-other-word": {"attention_window_size": ..., "sliding_window": 9},
            "taps-absent": {"conv1d_width": ...},
        },
    ),
    "xlstm": (
        XLSTM,
        {
            "biases": {"use_bias": True},
            "factors-absent": {"qk_dim_factor": ..., "v_dim_factor": ..., "ffn_proj_factor": ...},
            "multiple-absent": {"ffn_round_up_to_multiple_of": ...},
            "blocks": {"num_blocks": 3},
            "blocks-alone": {"num_blocks": 3, "num_hidden_layers": ...},
            "width-twice": {"embedding_dim": 72},
            "no-out-norm": {"add_out_norm": False},
        },
    ),
    "rwkv": (
        RWKV,
        {
            "widths-absent": {"attention_hidden_size": ..., "intermediate_size": ...},
            "widths-null": {"attention_hidden_size": None, "intermediate_size": None},
            "never-halved": {"rescale_every": 0},
            "halved-below-zero": {"rescale_every": -1},
            "other-word": {"context_length": ..., "max_position_embeddings": 64},
        },
    ),
    "inkling_text": (
        INKLING,
        {
            "types-absent": {"layer_types": ..., "mlp_layer_types": ..., "num_hidden_layers": 7},
            "local-layers": {"layer_types": ..., "local_layer_ids": [0, 3]},
            "dense-first": {"mlp_layer_types": ..., "dense_mlp_idx": 2},
            "dense-width": {"dense_intermediate_size": 62},
            "scaled": {"log_scaling_n_floor": 9, "log_scaling_alpha": 0.3},
            "unpadded": {"unpadded_vocab_size": 200},
            "one-shared": {"n_shared_experts": 1},
            "other-words": {"conv_kernel_size": ..., "sconv_kernel_size": 3, "sliding_window_size": ...}
            | {"sliding_window": 9, "n_routed_experts": ..., "num_local_experts": 5},
        },
    ),
    "zaya": (
        ZAYA,
        {
            "biases": {"attention_bias": True, "lm_head_bias": True, "tie_word_embeddings": False},
            "windows": {"layer_types": ["hybrid_sliding", "hybrid"] * 2, "sliding_window": 16},
            "taps-absent": {"cca_time0": ..., "cca_time1": ...},
            "experts-absent": {"num_experts": ..., "router_hidden_size": ...},
        },
    ),
}

_MINIMAX = {**MINIMAX, **_SMALL, "intermediate_size": 11, "num_local_experts": 5, "num_experts_per_tok": 2}
_MINIMAX |= {"block_size": 5, "rope_theta": ..., "layer_types": [LINEAR, FULL, LINEAR], "rms_norm_eps": 1e-2}
_MINIMAX |= {"rope_parameters": {"rope_type": "default", "rope_theta": 200.0}}
_GEMMA = {**RECURRENT_GEMMA, **_SMALL, "max_position_embeddings": ..., "intermediate_size": 30, "hidden_size": 32}
_GEMMA |= {"conv1d_width": 4}
_XLSTM = {**XLSTM, "vocab_size": 61, "hidden_size": 24, "num_heads": 3, "num_hidden_layers": 2, "pad_token_id": None}
_RWKV = {**RWKV, "vocab_size": 61, "hidden_size": 24, "num_hidden_layers": 3, "intermediate_size": 37}

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
    "minimax": (
        "minimax",
        {**_MINIMAX, "full_attn_alpha_factor": 1.5, "full_attn_beta_factor": 0.9, "linear_attn_alpha_factor": 1.4}
        | {"linear_attn_beta_factor": 0.8, "mlp_alpha_factor": 1.3, "mlp_beta_factor": 0.7},
    ),
    "minimax-one-chunk": (
        "minimax",
        {**_MINIMAX, "block_size": 16, "hidden_act": "gelu", "head_dim": 10, "sliding_window": 4}
        | {"layer_types": [FULL, LINEAR, FULL], "tie_word_embeddings": True},
    ),
    "recurrent_gemma": (
        "recurrent_gemma",
        {**_GEMMA, "lru_width": 20, "attention_window_size": 5, "logits_soft_cap": 3.0}
        | {"block_types": ["recurrent", "attention", "recurrent"], "rope_theta": 200.0},
    ),
    "recurrent_gemma-biases": (
        "recurrent_gemma",
        {**_GEMMA, "lru_width": None, "attention_window_size": 4, "attention_bias": True, "hidden_activation": "silu"}
        | {"block_types": ["attention", "recurrent"], "tie_word_embeddings": False, "partial_rotary_factor": 1.0},
    ),
    "xlstm": ("xlstm", {**_XLSTM, "gate_soft_cap": 3.0, "output_logit_soft_cap": 4.0, "chunk_size": 16}),
    "xlstm-biases-chunks": (
        "xlstm",
        {**_XLSTM, "use_bias": True, "qk_dim_factor": 1.0, "v_dim_factor": 0.75, "chunk_size": 4, "norm_eps": 1e-2}
        | {"eps": 0.3},
    ),
    "rwkv": ("rwkv", {**_RWKV, "attention_hidden_size": 20, "rescale_every": 1, "layer_norm_epsilon": 1e-2}),
    "rwkv-never-halved": (
        "rwkv",
        {**_RWKV, "attention_hidden_size": ..., "intermediate_size": ..., "rescale_every": 0}
        | {"tie_word_embeddings": True, "num_hidden_layers": 2},
    ),
    "inkling_text": (
        "inkling_text",
        {**INKLING, **_SMALL, "intermediate_size": 29, "moe_intermediate_size": 11, "n_routed_experts": 6}
        | {"num_hidden_layers": 3, "head_dim": 8, "swa_num_attention_heads": 3, "swa_num_key_value_heads": 1}
        | {"swa_head_dim": 6, "sliding_window_size": 5, "d_rel": 3, "rel_extent": 9, "num_experts_per_tok": 2}
        | {"layer_types": ["hybrid_sliding", "hybrid", "hybrid"], "mlp_layer_types": ["dense", "sparse", "sparse"]}
        | {"route_scale": 1.5, "logits_mup_width_multiplier": 2.0, "conv_kernel_size": 4},
    ),
    "inkling_text-scaled": (
        "inkling_text",
        {**INKLING, **_SMALL, "intermediate_size": 29, "moe_intermediate_size": 11, "n_routed_experts": 5}
        | {"num_hidden_layers": 2, "head_dim": 8, "d_rel": 3, "rel_extent": 20, "num_experts_per_tok": 1}
        | {"layer_types": ["hybrid", "hybrid"], "mlp_layer_types": ["sparse", "dense"], "n_shared_experts": 1}
        | {"route_scale": 0.8, "logits_mup_width_multiplier": 1.0, "conv_kernel_size": 3, "unpadded_vocab_size": 61}
        | {"log_scaling_n_floor": 4, "log_scaling_alpha": 0.5, "vocab_size": 64},
    ),
    "zaya": (
        "zaya",
        {**ZAYA, **_SMALL, "num_key_value_heads": 2, "head_dim": 8, "moe_intermediate_size": 11, "num_experts": 3}
        | {"router_hidden_size": 10, "cca_time0": 3, "cca_time1": 2},
    ),
    "zaya-windows-biases": (
        "zaya",
        {**ZAYA, **_SMALL, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 8, "num_experts": 2}
        | {"moe_intermediate_size": 11, "router_hidden_size": 10, "cca_time0": 2, "cca_time1": 3}
        | {"layer_types": ["hybrid_sliding", "hybrid", "hybrid_sliding"], "sliding_window": 4}
        | {"attention_bias": True, "lm_head_bias": True, "tie_word_embeddings": False},
    ),
}
