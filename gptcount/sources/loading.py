"""Loading what a person names: a preset, a TOML file, a config.json or its folder, standard input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.sources import presets, specification
from gptcount.sources.files import CONFIGURATIONS, read_stdin, read_text


def load(source: str | Path, settings: Sequence[str] = ()) -> Architecture:
    """The architecture that a source names.

    ``source`` is a preset's name, or a path to a TOML file, to a ``config.json`` or to its folder, or ``-`` for
    standard input; a ``Path`` is always a file. ``settings`` are changes such as ``n_layers=48``. Raises InputError
    where the source cannot be used.
    """
    return specification.changed(load_with_comments(source)[0], settings)


def load_with_comments(source: str | Path) -> tuple[Architecture, list[str]]:
    """The architecture that a source names, and what it takes keys to be that the source leaves out, a line each."""
    if source == "-":
        return _parsed(read_stdin(), "standard input")
    if isinstance(source, str) and source.startswith("hub:"):
        from gptcount.sources import hub

        return _parsed(hub.config(source), shown(source, 200))
    path = _path(source)
    origin = shown(path.stem if path.parent == presets.folder() else str(path), 200)
    if path.suffix == ".gguf":
        from gptcount.sources import gguf

        return gguf.architecture(path), []
    _no_checkpoint(path, origin)
    return _parsed(read_text(path), origin)


def _no_checkpoint(path: Path, origin: str) -> None:
    """Raises InputError for a file that holds weights, and does not describe a model."""
    if path.name.endswith((".safetensors", ".safetensors.index.json")):
        raise InputError(f"{origin}: a checkpoint, which 'gptcount audit' counts; its config.json describes the model")
    if path.suffix == ".toml":
        return
    from gptcount.sources import foreign

    if what := foreign.named(path.name):
        raise InputError(f"{origin}: {what}; a model is described by its config.json")


def checkpoint_of(source: str) -> Path | None:
    """The folder that a source names, where it holds a checkpoint in .safetensors files."""
    path = Path(source)
    here = not presets.find(source) and _exists(path) and path.is_dir()
    return path if here and any(path.glob("*.safetensors")) else None


def load_all(sources: Sequence[str | Path], settings: Sequence[str] = ()) -> list[Architecture]:
    """The architectures that several sources name; ``presets`` stands for all presets, a folder for the files in it.

    Raises InputError where one of them cannot be used, or a folder holds none.
    """
    return [load(source, settings) for named in sources for source in _expanded(named)]


def _parsed(text: str, origin: str) -> tuple[Architecture, list[str]]:
    """JSON is a config.json or a params.json, all else a specification."""
    if text.lstrip()[0] != "{" and not origin.endswith(".json"):
        return specification.parse(text, origin), []
    from gptcount.sources import config_json

    return config_json.parse_with_comments(text, origin)


def _path(source: str | Path) -> Path:
    """The file that a source names: a preset's, or its own, or the config.json in a folder."""
    if not str(source):
        raise InputError("no model: an empty name was given; see 'gptcount presets'")
    if source == "presets":
        raise InputError("presets: one model is wanted, and these are all; see 'gptcount compare presets'")
    preset = presets.find(source) if isinstance(source, str) else None
    path = preset or Path(source)
    if not _exists(path):
        if isinstance(source, Path) or path.suffix or "/" in source or "\\" in source:
            raise InputError(f"{shown(str(source), 200)}: no such file")
        raise presets.unknown(source)
    if path.is_dir():
        if (inside := _configuration(path)) is None:
            raise InputError(f"{shown(str(source), 200)}: a folder without a config.json, and one model is wanted")
        return inside
    return path


def _configuration(folder: Path) -> Path | None:
    """The configuration of the model in a folder."""
    return next((folder / name for name in CONFIGURATIONS if _exists(folder / name)), None)


def _expanded(source: str | Path) -> Sequence[str | Path]:
    if source == "presets":
        return presets.names()
    path = Path(source)
    if (
        source == "-"
        or (isinstance(source, str) and (source.startswith("hub:") or presets.find(source)))
        or not (_exists(path) and path.is_dir())
    ):
        return [source]
    if inside := _configuration(path):
        return [inside]
    found = sorted([*path.glob("*.toml"), *path.glob("*.json"), *path.glob("*/config.json")])
    if not found:
        raise InputError(
            f"{shown(str(source), 200)}: no models here; a folder of TOML files or configurations is wanted"
        )
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
