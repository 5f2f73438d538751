"""Packings: how quantized checkpoints store weights. One table, read backwards and forwards."""
