"""A gate of what a block reads: each of its numbers is let through in part, as a narrow MLP of all of them says."""

from gptcount.weight import Inventory, linear


def input_gate() -> Inventory:
    """Its weights, ``d_input_gate`` narrow (A.X K2)."""
    return linear("input_gate.down", "d_model d_input_gate") + linear("input_gate.up", "d_input_gate d_model")
