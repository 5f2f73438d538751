"""A checkpoint and the model that it is held against, as a person names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.sources import checkpoint, config_json, hub, loading, specification
from gptcount.sources.entries import Checkpoint


class Pair(NamedTuple):
    """A checkpoint, the model, where there is one, and why there is none."""

    checkpoint: Checkpoint
    architecture: Architecture | None
    notes: tuple[str, ...] = ()
    bits: tuple[int, ...] = ()
    """How many bits a quantized number has, where a configuration says it of a model that is not known."""


def pair(source: str, against: str | None = None, settings: Sequence[str] = ()) -> Pair:
    """The checkpoint at a path or ``hub:OWNER/NAME[@REVISION]``, and the model ``against``, else that of the
    configuration beside it. Raises InputError where a source cannot be used, or ``settings`` have no model to change.
    """
    found = hub.checkpoint(source) if hub.is_named(source) else checkpoint.read(Path(source))
    if against is not None:
        return Pair(found, loading.load(against, settings))
    if found.gguf is not None:
        return _of_gguf(found, settings)
    if found.config is None and found.adapter is not None and not settings:
        return Pair(found, None)
    if found.config is None:
        return _alone(found, settings, "No config.json beside it, and no model to hold it against: nothing is checked.")
    try:
        architecture = config_json.parse(found.config, "config.json")
    except InputError as refusal:
        alone = _alone(found, settings, *str(refusal).splitlines(), "So nothing is checked; the tensors are counted.")
        return alone._replace(bits=config_json.bits(found.config))
    return Pair(found, specification.changed(architecture, settings))


def _of_gguf(found: Checkpoint, settings: Sequence[str]) -> Pair:
    """A GGUF file, and the model that its own metadata describe."""
    from gptcount.sources import gguf

    try:
        return Pair(found, specification.changed(gguf.described(found, found.origin), settings))
    except InputError as refusal:
        return _alone(found, settings, *str(refusal).splitlines(), "So nothing is checked; the tensors are counted.")


def _alone(found: Checkpoint, settings: Sequence[str], *notes: str) -> Pair:
    if settings:
        raise InputError(f"--set {shown(settings[0])}: there is no model to change; name one with --against")
    return Pair(found, None, notes)
