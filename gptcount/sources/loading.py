"""Loading what a person names: a preset, a TOML file, a config.json or its folder, the Hub, standard input; or data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.sources import presets, specification
from gptcount.sources.files import CONFIGURATIONS, names_in, read_stdin, read_text

Source = str | Path | Mapping[str, Any]

HUB = re.compile(
    r"((?:https?://)?(?:huggingface\.co|hf\.co)/)?(\w[\w.-]*/\w[\w.-]*)(?:/(?:tree|blob|resolve)/([\w.-]+).*|/)?",
    re.ASCII,
)
"""How people write a repository of the Hub: OWNER/NAME, or the address of its page."""

CHECKPOINTS = (".safetensors", ".gguf", ".bin", ".pt", ".pth")

FILES = (".toml", ".json", *CHECKPOINTS)
"""What the name of a file ends in, and that of a model does not."""


def load(source: Source, settings: str | Sequence[str] = ()) -> Architecture:
    """The architecture that a source names.

    ``source`` is a preset's name, or a path to a TOML file, to a ``config.json`` or to its folder, or
    ``hub:OWNER/NAME[@REVISION]``, or ``-`` for standard input; a ``Path`` is always a file. It may be data too: a
    parsed ``config.json``, or what a TOML file would say. ``settings`` are changes such as ``n_layers=48``, made as
    ``Architecture.changed`` makes them. Raises InputError where the source cannot be used.
    """
    architecture = load_with_comments(source)[0]
    return architecture.changed(*([settings] if isinstance(settings, str) else settings))


def load_with_comments(source: Source) -> tuple[Architecture, list[str]]:
    """The architecture that a source names, and what it takes keys to be that the source leaves out, a line each."""
    if isinstance(source, Mapping):
        return _of_data(dict(source))
    if not isinstance(source, str | Path):
        raise InputError(f"{shown(source)}: expected the name of a model, a path or data")
    if source == "-":
        return _parsed(read_stdin(), "standard input")
    if isinstance(source, str) and source.startswith("hub:"):
        from gptcount.sources import hub

        return _parsed(hub.config(source), shown(source, 200), ".json")
    path = _path(source)
    if path.suffix.lower() == ".gguf":
        from gptcount.sources import gguf

        return gguf.architecture(path), []
    _no_checkpoint(path, shown(str(path), 200))
    if path.parent == presets.folder():
        return specification.parse(read_text(path), shown(path.stem, 200)), []
    return _parsed(read_text(path), shown(str(path), 200), path.suffix.lower())


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
    """The folder that a source names, where it holds a checkpoint in .safetensors files. Raises InputError where it
    may not be listed, so that nobody knows."""
    path = Path(source)
    here = not presets.find(source) and _exists(path) and path.is_dir()
    return path if here and any(name.endswith(".safetensors") for name in names_in(path)) else None


def files_of(source: str) -> list[Path]:
    """The files that a source is read from, as a model, as several, or as a checkpoint; none where it is no file."""
    path = presets.find(source) or Path(source)
    if source == "-":
        path = Path("/dev/stdin")
    if not _exists(path) or source.startswith("hub:"):
        return []
    if not path.is_dir():
        return [path]
    names = (*CONFIGURATIONS, "adapter_config.json", "*.index.json", "*.safetensors", "*.gguf", "*.toml")
    found = [file for name in names for file in path.glob(name)]
    return found if _configuration(path) else [*found, *path.glob("*.json"), *path.glob("*/config.json")]


def load_all(sources: Sequence[str | Path], settings: Sequence[str] = ()) -> list[Architecture]:
    """The architectures that several sources name; ``presets`` stands for all presets, a folder for the files in it.

    Those of one name are told apart by their sources. Raises InputError where one of them cannot be used, or a folder
    holds none.
    """
    named = [one for source in sources for one in _expanded(source)]
    return list(_told_apart([(load(source, settings), str(source)) for source in named]))


def _told_apart(found: Sequence[tuple[Architecture, str]]) -> Iterator[Architecture]:
    """The models, those of one name and several sources with what they were named by."""
    for architecture, source in found:
        sources = {named for other, named in found if other.name == architecture.name}
        yield architecture.changed(name=f"{architecture.name} ({source})") if len(sources) > 1 else architecture


def _of_data(data: dict[str, Any]) -> tuple[Architecture, list[str]]:
    """A configuration says its ``model_type`` or ``architectures``, or is a params.json; a specification is neither."""
    from gptcount.families.params import is_params

    if not ({"model_type", "architectures"} & data.keys() or is_params(data)):
        return _published(specification.validate(data, "specification")), []
    from json import dumps

    from gptcount.sources import config_json

    try:
        text = dumps(data)
    except (TypeError, ValueError, RecursionError):
        raise InputError("configuration: values that no config.json can hold") from None
    return config_json.parse_with_comments(text, "configuration")


def _parsed(text: str, origin: str, ending: str = "") -> tuple[Architecture, list[str]]:
    """JSON is a configuration, all else a specification. The file's ending decides, else how the text begins."""
    json = re.match(r"\s*(\{|\[\s*(\]|\[?\s*\{)|null\s*$)", text)
    if ending == ".toml" or not (json or ending == ".json"):
        return _published(specification.parse(text, origin)), []
    from gptcount.sources import config_json

    return config_json.parse_with_comments(text, origin)


def _published(architecture: Architecture) -> Architecture:
    """The architecture, without a published total that is a preset's and was published of other sizes."""
    theirs = presets.published(architecture.published) if architecture.published else []
    kept = ("name", "notes", "published", "checkpoint")
    for preset in theirs:
        if architecture == load(preset).changed(**{key: getattr(architecture, key) for key in kept}):
            return architecture
    if not theirs:
        return architecture
    note = f"differs from the preset {theirs[0]}, so the published total is not compared"
    return architecture.changed(published=None, notes=(*architecture.notes, note))


def _path(source: str | Path) -> Path:
    """The file that a source names: a preset's, or its own, or the config.json in a folder."""
    if not str(source):
        raise InputError("no model: an empty name was given; see 'gptcount presets'")
    if source == "presets":
        raise InputError("presets: one model is expected, and these are all; see 'gptcount compare presets'")
    preset = presets.find(source) if isinstance(source, str) else None
    path = preset or Path(source)
    if not _exists(path):
        raise _no_such(source, path)
    if path.is_dir():
        if (inside := _configuration(path)) is None:
            raise InputError(f"{shown(str(source), 200)}: a folder without a config.json, and one model is expected")
        return inside
    return path


def _configuration(folder: Path) -> Path | None:
    """The configuration of the model in a folder."""
    return next((folder / name for name in CONFIGURATIONS if _exists(folder / name)), None)


def _no_such(source: str | Path, path: Path) -> InputError:
    """The error for what is neither a preset nor a file, with what a person may have meant."""
    is_file = path.suffix.lower() in FILES
    repository = HUB.fullmatch(source) if isinstance(source, str) else None
    if repository and is_file and not repository[1]:
        repository = None
    if isinstance(source, str) and not repository and not is_file and "/" not in source and "\\" not in source:
        return presets.unknown(source)
    meant = ""
    if repository:
        revision = f"@{repository[3]}" if repository[3] not in (None, "main") else ""
        meant = f"; did you mean hub:{repository[2]}{revision}?"
    elif is_file and presets.find(path.stem):
        meant = f"; did you mean the preset {path.stem}?"
    return InputError(f"{shown(str(source), 200)}: no such file{meant}")


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
    if inside := _configuration(path):  # the other JSON files beside it are a tokenizer's and such
        return [inside, *sorted(path.glob("*.toml"))]
    names_in(path)
    found = sorted([*path.glob("*.toml"), *path.glob("*.json"), *path.glob("*/config.json")])
    if not found:
        raise InputError(
            f"{shown(str(source), 200)}: no models here; expected a folder of TOML files or configurations"
        )
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        raise InputError(f"{shown(str(path), 200)}: permission denied") from None
    except (OSError, ValueError):
        return False
