"""Per-layer embeddings: every layer looks up a short vector of each token, and mixes it in after its MLP."""

from gptcount.blocks.block import Beside, Size
from gptcount.blocks.mlp import Activation, activation
from gptcount.blocks.norm import Norm
from gptcount.weight import Inventory, linear, per, weight


class PerLayerEmbedding(Beside):
    """Per-layer embeddings (Gemma 3n): a table for each layer, to whose row a projection of the embedding is added."""

    d_per_layer: Size
    n_vocab_per_layer: Size
    activation: Activation = "gelu_tanh"
    norm: Norm

    def of_model(self) -> Inventory:
        """The weights that stand beside the embedding."""
        tables = weight("token", "n_vocab_per_layer d_per_layer") + linear("projection", "d_model d_per_layer")
        return (per("n_layers", tables) + self.norm.across("d_per_layer").under("projection_norm")).bind(self.sizes())

    def of_layer(self) -> Inventory:
        """The weights of one layer, which mix its vector in."""
        gate = linear("gate", "d_model d_per_layer") + activation(self.activation)
        matrices = gate + linear("output", "d_per_layer d_model")
        return (matrices + self.norm.across("d_model").under("output_norm")).bind(self.sizes())
