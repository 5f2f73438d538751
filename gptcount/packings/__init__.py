"""Packings: how quantized checkpoints store weights, as one table, and what a specification says of it."""
