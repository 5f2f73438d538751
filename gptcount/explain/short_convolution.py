"""Sentences about the matrices of gated short convolutions."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

SHORT_CONVOLUTION: dict[str, Sentences] = {
    "short-convolution.input_gate": said(
        "The input gate multiplies what goes into the convolution, number by number. The convolution blends each of "
        "{d_model} channels with its own last {n_taps} values, which takes {n_taps} weights a channel."
    ),
    "short-convolution.output_gate": said("The output gate multiplies what the convolution brings, number by number."),
    "short-convolution.input": said("What is gated and convolved: {d_model} numbers of a token's {d_model}."),
    "short-convolution.output": said(
        "The output matrix leads what was convolved and gated back to the token's vector."
    ),
}
"""The sentences of a group, by kind and name of its weight."""
