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
}

_NEMOTRON_H = {**NEMOTRON_H, "vocab_size": 61, "hidden_size": 24, "intermediate_size": 29, "num_attention_heads": 4}
_NEMOTRON_H |= {"num_key_value_heads": 2, "head_dim": 10, "mamba_num_heads": 6, "mamba_head_dim": 8}
_NEMOTRON_H |= {"ssm_state_size": 5, "n_groups": 2, "conv_kernel": 4, "chunk_size": 4, "moe_latent_size": 15}

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
}
