"""mLSTM: heads that keep a matrix of all tokens before, with exponential gates that forget it and write into it."""

from typing import Literal

from gptcount.blocks.block import Block, Names, NotNegative, Positive, Size
from gptcount.blocks.norm import Norm
from gptcount.weight import Inventory, linear, per


class MLSTM(Block):
    """The matrix LSTM (Beck et al. 2024, arXiv:2405.04517, section 2.3; ``modeling_xlstm.py``).

    The state of a head is ``d_head`` x ``d_value``, and a sum of the keys that it was written with.
    """

    kind: Literal["mlstm"] = "mlstm"
    n_heads: Size
    d_head: Size
    """Of queries and keys."""
    d_value: Size
    biases: Names[Literal["query", "key", "value", "gate", "output"]] = ()
    """Beside those of the gates of input and forgetting, which always have one."""
    gate_softcap: Positive
    """What opens those two gates is held below this."""
    eps: NotNegative = 1e-6
    """Added to what the states are divided by."""
    norm: Norm
    """Of each head, before the output gate; its gain is that of all heads."""

    def weights(self) -> Inventory:
        inner = "n_heads*d_value"
        return (
            per("n_heads", linear("query", "d_model d_head", "query" in self.biases))
            + per("n_heads", linear("key", "d_model d_head", "key" in self.biases))
            + per("n_heads", linear("value", "d_model d_value", "value" in self.biases))
            + linear("input_gate", "d_model n_heads", True)
            + linear("forget_gate", "d_model n_heads", True)
            + self.norm.across(inner).under("norm")
            + linear("gate", f"d_model {inner}", "gate" in self.biases)
            + linear("output", f"{inner} d_model", "output" in self.biases, stapled="n_heads")
        )
