"""Reading a file that a person named: text, of a sensible size, or one clear line about why not."""

import os
import stat
import sys
from pathlib import Path

from gptcount.errors import InputError, shown

CONFIGURATIONS = ("config.json", "params.json")
"""What describes the model in a folder: Hugging Face's file, else Meta's and Mistral's."""

MOST_BYTES = 8_000_000
"""The largest specification or configuration that is read; published ones have a few thousand bytes."""


def read_text(path: Path) -> str:
    """The text of a file. Raises InputError where there is none, or it is too large, or not text."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISFIFO(status.st_mode):
            raise InputError(f"{shown(str(path), 200)}: not a file")
        if status.st_size > MOST_BYTES:
            raise InputError(
                f"{shown(str(path), 200)}: {status.st_size} bytes, and a specification has at most {MOST_BYTES}"
            )
        with open(path, "rb", opener=_without_waiting if stat.S_ISFIFO(status.st_mode) else None) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise InputError(f"{shown(str(path), 200)}: {(fault.strerror or 'cannot be read').lower()}") from None
    except ValueError:
        raise InputError(f"{shown(str(path), 200)}: not a path") from None
    return decode(data, shown(str(path), 200))


def names_in(folder: Path) -> list[str]:
    """The names in a folder, in their order. Raises InputError where it may not be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError as fault:
        raise InputError(
            f"{shown(str(folder), 200)}: cannot be listed: {(fault.strerror or 'no reason given').lower()}"
        ) from None


def _without_waiting(path: str, flags: int) -> int:
    """Open a pipe that perhaps nobody writes to: reading then finds it empty, and waits only for those who do write."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def read_stdin() -> str:
    """The text on standard input. Raises InputError where there is none, or it is too large, or not text."""
    if sys.stdin is None:
        raise InputError("standard input: closed")
    try:
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
    except OSError as fault:
        raise InputError(f"standard input: {(fault.strerror or 'cannot be read').lower()}") from None
    return decode(data, "standard input")


def decode(data: bytes, origin: str, most: int = MOST_BYTES) -> str:
    """Bytes as UTF-8 text. Raises InputError where they are none, too many, or empty."""
    if len(data) > most:
        raise InputError(f"{origin}: more than {most} bytes, and a specification has fewer")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{origin}: not a text file (UTF-8)") from None
    if not text.strip():
        raise InputError(f"{origin}: empty")
    return text
