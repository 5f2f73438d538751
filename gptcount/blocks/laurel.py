"""A learned residual: beside each attention, a branch of low rank."""

from gptcount.blocks.block import Beside, Size
from gptcount.blocks.norm import Norm
from gptcount.weight import Inventory, linear


class Laurel(Beside):
    """LAuReL, the learned augmented residual layer (Menghani et al. 2024, arXiv:2411.07501), of low rank."""

    d_rank: Size
    norm: Norm

    def weights(self) -> Inventory:
        matrices = linear("down", "d_model d_rank") + linear("up", "d_rank d_model")
        return matrices + self.norm.across("d_model").under("norm")
