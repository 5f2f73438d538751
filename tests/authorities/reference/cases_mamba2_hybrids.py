"""Small configurations of hybrids of Mamba-2 and attention: Nemotron-H, Granite 4, Bamba and Falcon-H1.

For the two scripts that make the evidence; ``...`` leaves a key out.
"""

from typing import Any

from cases_mixers import MAMBA2

INFINITE = [0.0, {"__float__": "Infinity"}]
_ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 200.0}}

NEMOTRON_H = {
    "vocab_size": 211,
    "hidden_size": 72,
    "intermediate_size": 116,
    "hybrid_override_pattern": "ME*-EM",
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 14,
    "max_position_embeddings": 97,
    "ssm_state_size": 10,
    "mamba_num_heads": 9,
    "mamba_head_dim": 8,
    "n_groups": 3,
    "conv_kernel": 5,
    "chunk_size": 7,
    "mlp_hidden_act": "relu2",
    "mlp_bias": False,
    "use_bias": False,
    "use_conv_bias": True,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 26,
    "moe_shared_expert_intermediate_size": 38,
    "moe_latent_size": 20,
    "n_group": 2,
    "topk_group": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "tie_word_embeddings": False,
}

_LLAMA = {
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
}

_MAMBA = {
    "mamba_n_heads": 9,
    "mamba_d_head": 16,
    "mamba_expand": 2,
    "mamba_n_groups": 3,
    "mamba_d_state": 10,
    "mamba_d_conv": 5,
    "mamba_chunk_size": 7,
    "mamba_conv_bias": True,
    "mamba_proj_bias": False,
}

GRANITE = {
    **_LLAMA,
    **_MAMBA,
    "attention_bias": False,
    "num_local_experts": 5,
    "num_experts_per_tok": 2,
    "shared_intermediate_size": 38,
    "intermediate_size": 26,
    "layer_types": ["mamba", "attention", "mamba", "mamba"],
    "position_embedding_type": "rope",
    "tie_word_embeddings": True,
}

BAMBA = {**_LLAMA, **_MAMBA, "attn_layer_indices": [1, 3], "attention_bias": False, "mlp_bias": False}

FALCON_H1 = {
    **_LLAMA,
    **_MAMBA,
    "mamba_d_ssm": 108,
    "mamba_d_head": 12,
    "mamba_rms_norm": True,
    "mamba_norm_before_gate": False,
    "attention_bias": False,
    "mlp_bias": False,
    "projectors_bias": False,
    "tie_word_embeddings": False,
}

COUNTS: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "nemotron_h": (
        NEMOTRON_H,
        {
            "biases": {"use_bias": True, "mlp_bias": True},
            "biases-ignored": {"attention_bias": True, "mamba_proj_bias": True},
            "no-convolution-bias": {"use_conv_bias": False},
            "no-latent": {"moe_latent_size": None},
            "older-words": {"n_groups": ..., "mamba_n_groups": 1, "conv_kernel": ..., "mamba_d_conv": 3},
            "older-words-win": {"mamba_conv_bias": False, "use_conv_bias": ..., "mamba_dt_min": 0.1},
            "layers-block-type": {"layers_block_type": ["mamba", "attention", "mlp"], "hybrid_override_pattern": ...},
            "layer-types": {"layer_types": ["linear_attention", "full_attention"], "hybrid_override_pattern": ...},
            "list-before-pattern": {"layers_block_type": ["mamba", "moe"]},
            "layers-absent": {"hybrid_override_pattern": ...},
            "layers-ignored": {"num_hidden_layers": 9},
            "dense": {"hybrid_override_pattern": "M-M*-", "n_routed_experts": ..., "moe_latent_size": ...},
            "no-attention": {"hybrid_override_pattern": "MM-", "num_attention_heads": ...},
            "shared-as-wide": {"moe_shared_expert_intermediate_size": 0},
            "predicted": {"num_nextn_predict_layers": 1, "mtp_hybrid_override_pattern": "*E"},
            "tied": {"tie_word_embeddings": True},
            "expand-ignored": {"expand": 5, "n_shared_experts": 3},
        },
    ),
    "granitemoehybrid": (
        GRANITE,
        {
            "attention": {"layer_types": ["attention"] * 4},
            "dense": {"num_local_experts": 0, "num_experts_per_tok": 0},
            "dense-attention": {"num_local_experts": 0, "layer_types": ["full_attention"] * 4},
            "new-names": {"layer_types": ["linear_attention", "full_attention", "linear_attention", "full_attention"]},
            "layers_block_type": {"layer_types": ..., "layers_block_type": ["attention", "mamba"] * 2},
            "layers-absent": {"layer_types": ...},
            "no-position": {"position_embedding_type": "nope"},
            "position-absent": {"position_embedding_type": ...},
            "shared-zero": {"shared_intermediate_size": 0},
            "shared-absent": {"shared_intermediate_size": ...},
            "biases": {"mamba_proj_bias": True, "attention_bias": True},
            "no-convolution-bias": {"mamba_conv_bias": False},
            "one-group": {"mamba_n_groups": ...},
            "d-head-auto": {"mamba_d_head": "auto"},
            "d-head-absent": {"mamba_d_head": ..., "mamba_n_heads": 18},
            "heads-too-wide": {"mamba_d_head": 17},
            "limits": {"time_step_limit": [0.01, 0.1]},
        },
    ),
    "bamba": (
        BAMBA,
        {
            "biases": {"mamba_proj_bias": True, "attention_bias": True, "mlp_bias": True},
            "no-convolution-bias": {"mamba_conv_bias": False},
            "one-group": {"mamba_n_groups": ...},
            "no-attention": {"attn_layer_indices": ...},
            "no-attention-empty": {"attn_layer_indices": []},
            "attention-beyond": {"attn_layer_indices": [2, 9]},
            "d-head-auto": {"mamba_d_head": "auto"},
            "heads-too-wide": {"mamba_d_head": 17},
            "limits": {"time_step_limit": [0.01, 0.1]},
            "part-ignored": {"partial_rotary_factor": 0.25},
        },
    ),
    "falcon_h1": (
        FALCON_H1,
        {
            "biases": {"mamba_proj_bias": True, "attention_bias": True, "mlp_bias": True},
            "output-bias": {"projectors_bias": True},
            "no-convolution-bias": {"mamba_conv_bias": False},
            "one-group": {"mamba_n_groups": ...},
            "d-ssm-null": {"mamba_d_ssm": None, "mamba_d_head": 16},
            "d-head-auto": {"mamba_d_head": "auto"},
            "no-norm": {"mamba_rms_norm": False, "mamba_norm_before_gate": True},
            "norm-absent": {"mamba_rms_norm": ...},
            "norm-before": {"mamba_norm_before_gate": ...},
            "heads-too-wide": {"mamba_d_head": 17},
            "factors": {"mlp_multipliers": [0.5, 2.0], "ssm_multipliers": [0.5, 2.0, 3.0, 0.25, 1.5]},
        },
    ),
}

_NEMOTRON_H = {**NEMOTRON_H, "vocab_size": 61, "hidden_size": 24, "intermediate_size": 29, "num_attention_heads": 4}
_NEMOTRON_H |= {"num_key_value_heads": 2, "head_dim": 10, "mamba_num_heads": 6, "mamba_head_dim": 8}
_NEMOTRON_H |= {"ssm_state_size": 5, "n_groups": 2, "conv_kernel": 4, "chunk_size": 4, "moe_latent_size": 15}

_SMALL = {**BAMBA, "vocab_size": 61, "hidden_size": 24, "intermediate_size": 29, "num_hidden_layers": 2}
_SMALL |= {"num_attention_heads": 4, "num_key_value_heads": 2, "mamba_n_heads": 6, "mamba_d_head": 8}
_SMALL |= {
    "mamba_n_groups": 2,
    "mamba_d_state": 5,
    "mamba_d_conv": 4,
    "mamba_chunk_size": 4,
    "rope_theta": ...,
    **_ROPE,
}
_SMALL |= {"attn_layer_indices": ...}
_ON = {"attention_bias": True, "mamba_proj_bias": True}
_GRANITE = {**_SMALL, "layer_types": ["mamba", "attention"], "mlp_bias": ..., "position_embedding_type": "rope"}
_GRANITE |= {"intermediate_size": 11, "shared_intermediate_size": 13, "num_local_experts": 4, "num_experts_per_tok": 2}
_GRANITE |= {"attention_multiplier": 0.2, "embedding_multiplier": 3.0, "logits_scaling": 2.0}
_GRANITE |= {"residual_multiplier": 0.5, "tie_word_embeddings": True}
_FALCON_H1 = {**_SMALL, "mamba_d_ssm": 42, "mamba_d_head": 7, "embedding_multiplier": 2.0, "lm_head_multiplier": 0.5}
_FALCON_H1 |= {"key_multiplier": 0.7, "attention_in_multiplier": 1.2, "attention_out_multiplier": 0.9}
_FALCON_H1 |= {"ssm_in_multiplier": 1.1, "ssm_out_multiplier": 0.8, "ssm_multipliers": [0.9, 0.8, 0.7, 1.3, 1.4]}
_FALCON_H1 |= {"mlp_multipliers": [0.9, 0.7]}

PARITY: dict[str, tuple[str, dict[str, Any]]] = {
    "mamba2-short-steps": (  # both limits bind
        "mamba2",
        {**MAMBA2, "vocab_size": 61, "hidden_size": 24, "num_heads": 6, "head_dim": 8, "state_size": 5, "n_groups": 2}
        | {"num_hidden_layers": 2, "conv_kernel": 4, "chunk_size": 4, "time_step_limit": (0.05, 0.2)},
    ),
    "nemotron_h": ("nemotron_h", _NEMOTRON_H),
    "nemotron_h-dense-biases": (
        "nemotron_h",
        {**_NEMOTRON_H, "hybrid_override_pattern": "M*-M", "use_bias": True, "mlp_bias": True, "n_groups": 3}
        | {"use_conv_bias": False, "time_step_min": 0.6, "mlp_hidden_act": "silu", "mamba_hidden_act": "gelu"},
    ),
    "nemotron_h-latent-biases": ("nemotron_h", {**_NEMOTRON_H, "hybrid_override_pattern": "EM", "mlp_bias": True}),
    "nemotron_h-moe-wide": (
        "nemotron_h",
        {**_NEMOTRON_H, "hybrid_override_pattern": "ME*E", "moe_latent_size": None, "mlp_bias": True, "n_group": 1}
        | {"norm_topk_prob": False, "n_groups": 1},
    ),
    "granitemoehybrid": ("granitemoehybrid", _GRANITE),
    "granitemoehybrid-dense-biases": (
        "granitemoehybrid",
        {**_GRANITE, "num_local_experts": 0, "position_embedding_type": "nope", "mamba_n_groups": 1, **_ON}
        | {"mamba_conv_bias": False, "time_step_limit": (0.05, 0.6), "tie_word_embeddings": False},
    ),
    "bamba": ("bamba", {**_SMALL, "attn_layer_indices": [1], "head_dim": 12}),
    "bamba-biases-quarter": (
        "bamba",
        {**_SMALL, **_ON, "attn_layer_indices": [0], "mlp_bias": True, "mamba_n_groups": 1, "head_dim": 8}
        | {"rope_parameters": {**_ROPE["rope_parameters"], "partial_rotary_factor": 0.25}},
    ),
    "falcon_h1": ("falcon_h1", {**_FALCON_H1, "mamba_rms_norm": True, "mamba_norm_before_gate": False}),
    "falcon_h1-norm-before": (
        "falcon_h1",
        {**_FALCON_H1, **_ON, "mamba_rms_norm": True, "mamba_norm_before_gate": True, "projectors_bias": True}
        | {"mlp_bias": True},
    ),
    "falcon_h1-no-norm": (
        "falcon_h1",
        {**_FALCON_H1, "mamba_rms_norm": False, "mamba_d_ssm": None, "mamba_d_head": "auto", "num_hidden_layers": 1},
    ),
}
