"""The presets: one TOML file per model, inside the installed package or beside it in a checkout."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gptcount.errors import InputError, shown

if TYPE_CHECKING:
    from gptcount.architecture import Published


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


def published(said: Published) -> list[str]:
    """The presets of which this total is published, as this source says."""
    import tomllib

    texts = ((name, (folder() / f"{name}.toml").read_text("utf-8")) for name in names())
    tables = ((name, tomllib.loads(text).get("published", {})) for name, text in texts if said.source in text)
    return [name for name, table in tables if (table.get("total"), table.get("source")) == (said.total, said.source)]


def unknown(name: str) -> InputError:
    """The error for a name that is neither a preset nor a file, with the presets that a person may have meant."""
    near = meant(name[:80])
    hint = (
        f"did you mean {' or '.join(filter(None, [', '.join(near[:-1]), near[-1]]))}?"
        if near
        else "see 'gptcount presets'"
    )
    return InputError(f"{shown(name)}: no preset and no file of that name; {hint}")


def meant(name: str, most: int = 3) -> list[str]:
    """The presets that a name may mean: those that begin so, whatever parts the words, then those that look like it."""
    from difflib import get_close_matches

    letters = re.sub(r"[-_. ]", "", name.lower())
    begun = re.compile(r"[-_.]?".join(map(re.escape, letters)) + (r"(?!\d)" if letters[-1:].isdecimal() else ""))
    found = [(preset, found) for preset in names() if letters and (found := begun.match(preset))]
    first = [
        preset for preset, found in sorted(found, key=lambda one: (one[0][one[1].end() :][:1].isalnum(), len(one[0])))
    ]
    return list(dict.fromkeys([*first, *get_close_matches(name.lower(), names(), most, 0.5)]))[:most]
