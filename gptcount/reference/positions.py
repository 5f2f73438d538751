"""Positions: rotary ones (Su et al. 2021) with their scalings, which turn pairs of numbers, and sinusoidal ones."""

from __future__ import annotations

from math import log, pi, sqrt

import numpy as np

from gptcount.blocks.attention import Rotary, RotaryScaling
from gptcount.blocks.embedding import Positions
from gptcount.errors import InputError
from gptcount.reference.words import Array


def rotate(x: Array, spec: Rotary, positions: Array) -> Array:
    """The vectors of ``x`` (..., n_tokens, d), turned by their positions; numbers beyond ``d_rotary`` stay."""
    d = spec.d_rotary or x.shape[-1]
    if fault := unturned(spec, x.shape[-1]):
        raise InputError(fault)
    if spec.whole_head:
        frequency, factor = spec.base ** -(np.arange(0, x.shape[-1], 2) / x.shape[-1]), 1.0
        frequency[d // 2 :] = 0
        frequency /= (spec.scaling.factor or 1.0) if spec.scaling else 1.0
    else:
        frequency, factor = frequencies(spec, d, int(positions[-1:].max(initial=0)) + 1)
    angle = positions[:, None] * frequency * (-1 if spec.backwards else 1)
    cos, sin = np.cos(angle) * factor, np.sin(angle) * factor
    if spec.from_end:
        return np.roll(turned(np.roll(x, d, axis=-1), cos, sin, spec.interleaved), -d, axis=-1)
    return turned(x, cos, sin, spec.interleaved)


def unturned(spec: Rotary, width: int) -> str:
    """Why vectors of this width cannot be turned; empty where they can."""
    d = spec.d_rotary or width
    if d % 2 or d > width:
        return f"rotary: {d} of {width} numbers are to be turned, and they are turned in pairs; say d_rotary"
    if spec.scaling and spec.scaling.kind == "dynamic" and d == 2:
        return "rotary: dynamic scaling stretches the pairs but the first, and there is one"
    return ""


def turned(x: Array, cos: Array, sin: Array, interleaved: bool) -> Array:
    """Each pair of the first numbers of ``x`` turned by its angle (n_tokens, d / 2); the others stay."""
    cos, sin = cos.astype(x.dtype), sin.astype(x.dtype)
    d = 2 * cos.shape[-1]
    pairs, still = x[..., :d], x[..., d:]
    if interleaved:
        a, b = pairs[..., 0::2], pairs[..., 1::2]
        pairs = np.stack([a * cos - b * sin, b * cos + a * sin], axis=-1).reshape(pairs.shape)
    else:
        a, b = pairs[..., : d // 2], pairs[..., d // 2 :]
        pairs = np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
    return np.concatenate([pairs, still], axis=-1) if still.shape[-1] else pairs


def frequencies(spec: Rotary, d: int, n_tokens: int) -> tuple[Array, float]:
    """The angle of each pair at position 1, (d / 2,), and the factor that the turned vectors are multiplied by."""
    frequency, scaling = spec.base ** -(np.arange(0, d, 2) / d), spec.scaling
    if scaling is None:
        return frequency, 1.0
    match scaling.kind:
        case "linear":
            return frequency / (scaling.factor or 1.0), 1.0
        case "dynamic":
            return _dynamic(spec.base, scaling, d, n_tokens), 1.0
        case "llama3":
            return _llama3(frequency, scaling), 1.0
        case "yarn":
            return _yarn(frequency, scaling, spec.base, d)
        case "longrope":
            return _longrope(frequency, scaling, n_tokens)


def _dynamic(base: float, scaling: RotaryScaling, d: int, n_tokens: int) -> Array:
    """NTK scaling: beyond the trained context the base grows with the length."""
    factor, trained = scaling.factor or 1.0, scaling.n_ctx_original or n_tokens
    base *= (factor * max(n_tokens, trained) / trained - (factor - 1)) ** (d / (d - 2))
    return base ** -(np.arange(0, d, 2) / d)


def _llama3(frequency: Array, scaling: RotaryScaling) -> Array:
    """Low frequencies are divided by the factor, high ones stay, those between are blended (Llama 3.1)."""
    original, low, high = scaling.n_ctx_original or 8192, scaling.low_frequency or 1.0, scaling.high_frequency or 4.0
    turns = original * frequency / (2 * pi)
    blend = np.clip((turns - low) / (high - low), 0, 1) if high > low else turns >= high
    return (1 - blend) * frequency / (scaling.factor or 1.0) + blend * frequency


def _yarn(frequency: Array, scaling: RotaryScaling, base: float, d: int) -> tuple[Array, float]:
    """YaRN (Peng et al. 2023, arXiv:2309.00071): blended by the number of turns, and a factor on the vectors."""
    factor, original = scaling.factor or 1.0, scaling.n_ctx_original or 4096

    def pair_that_turns(times: float) -> float:
        return d * log(original / (times * 2 * pi)) / (2 * log(base))

    low, high = pair_that_turns(scaling.beta_fast), pair_that_turns(scaling.beta_slow)
    low, high = (np.floor(low), np.ceil(high)) if scaling.truncate else (low, high)
    low, high = max(low, 0), min(high, d - 1)
    blend = np.clip((np.arange(d // 2) - low) / ((high - low) or 0.001), 0, 1)
    frequency = frequency / factor * blend + frequency * (1 - blend)
    if scaling.attention_factor is not None:
        return frequency, scaling.attention_factor
    if scaling.mscale and scaling.mscale_all:
        return frequency, yarn_mscale(factor, scaling.mscale) / yarn_mscale(factor, scaling.mscale_all)
    return frequency, yarn_mscale(factor, 1.0)


def yarn_mscale(factor: float, mscale: float) -> float:
    """0.1 m ln(factor) + 1, and 1 where nothing is stretched (section 3.4 of the YaRN paper)."""
    return 1.0 if factor <= 1 else 0.1 * mscale * log(factor) + 1.0


def _longrope(frequency: Array, scaling: RotaryScaling, n_tokens: int) -> tuple[Array, float]:
    """LongRoPE (Ding et al. 2024, arXiv:2402.13753): a factor for each pair, of two sets, one for longer texts."""
    original, factor = scaling.n_ctx_original or n_tokens, scaling.factor or 1.0
    factors = scaling.long_factors if n_tokens > original else scaling.short_factors
    attention = 1.0 if factor <= 1 else sqrt(1 + log(factor) / log(original))
    if scaling.attention_factor is not None:
        attention = scaling.attention_factor
    if scaling.long_mscale and scaling.short_mscale:
        return frequency / scaling.short_factors, scaling.long_mscale if n_tokens > original else scaling.short_mscale
    return frequency / factors, attention


def unfilled(spec: Positions, d_model: int) -> str:
    """Why there are no sinusoids of this width; empty where there are."""
    wrong = spec.kind == "sinusoidal" and (d_model % 2 or (spec.ends and d_model < 4))
    return f"embedding.positions: sinusoids fill pairs of numbers, and d_model = {d_model}" if wrong else ""


def sinusoids(spec: Positions, positions: Array, d_model: int) -> Array:
    """(n_tokens, d_model): the sines of every position, then the cosines (Vaswani et al. 2017, section 3.5, in
    halves)."""
    if fault := unfilled(spec, d_model):
        raise InputError(fault)
    pairs = np.arange(d_model // 2)
    wavelength = pairs / (d_model // 2 - 1) if spec.ends else 2 * pairs / d_model
    angle = (positions + spec.offset)[:, None] * 10_000.0**-wavelength
    both: Array = np.concatenate([np.sin(angle), np.cos(angle)], axis=-1).astype(np.float32)
    return both
