"""A shortcut mixture: it reads what the first MLP of a layer reads, and is added at the layer's end."""

from gptcount.blocks.block import Block, Size
from gptcount.blocks.mixture import Mixture
from gptcount.weight import Inventory, per


class Shortcut(Block):
    """Shortcut-connected mixture (Cai et al. 2024, arXiv:2404.05019; LongCat-Flash, arXiv:2509.01322): a layer is
    several pairs of attention and MLP in a row, and a mixture beside them."""

    n_pairs: Size = 2
    mixture: Mixture

    def around(self, pair: Inventory) -> Inventory:
        """The weights of a layer, one pair of which is given."""
        return per("n_pairs", pair).bind(self.sizes()) + self.mixture.inventory().of(self.mixture).under("shortcut")
