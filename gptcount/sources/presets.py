"""The presets: one TOML file per model, inside the installed package or beside it in a checkout."""

from functools import cache
from pathlib import Path

from gptcount.errors import InputError, shown


@cache
def folder() -> Path:
    """Where the presets are. Raises InputError where the installation lacks them."""
    package = Path(__file__).parent.parent
    inside, beside = package / "presets", package.parent / "presets"
    if inside.is_dir():
        return inside
    if beside.is_dir() and (package.parent / "pyproject.toml").is_file():
        return beside
    raise InputError("the presets are missing from this installation; install gptcount again")


def names() -> list[str]:
    """The names of all presets, in the order of the alphabet: file names, nothing is read."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def find(name: str) -> Path | None:
    """The file of a preset, or None where no preset has that name."""
    if not name or set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789._-"):
        return None
    path = folder() / f"{name}.toml"
    try:
        return path if path.is_file() else None
    except OSError:  # a name longer than a file's name can be
        return None


def unknown(name: str) -> InputError:
    """The error for a name that is neither a preset nor a file, with the closest presets."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), names(), 3, 0.5)
    hint = f"the closest presets: {', '.join(near)}" if near else "see 'gptcount presets'"
    return InputError(f"{shown(name)}: no preset and no file of that name; {hint}")
