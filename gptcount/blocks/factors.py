"""Factors of a residual connection: what the vector of a token and what a branch brings count, where they are added."""

from gptcount.blocks.block import Block, Real


class Factors(Block):
    """The two factors of one kind of branch."""

    kept: Real = 1.0
    brought: Real = 1.0


class ResidualFactors(Block):
    """The factors of the branches that begin with attention, with a mixer, and with an MLP (MiniMax)."""

    attention: Factors | None = None
    mixer: Factors | None = None
    mlp: Factors | None = None
