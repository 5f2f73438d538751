"""Files that are there only when they are whole: written beside their place, then put there."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from secrets import token_hex

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def put(path: str, data: bytes) -> None:
    """Bytes to a file, whole or not at all. Raises OSError or ValueError where it cannot be written.

    A link is followed to what it names. What is replaced keeps its mode, and its contents under other names (hard
    links). A device or a pipe is written to as it is.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        _replace(os.path.realpath(path), data, None)
        return
    if not stat.S_ISREG(found.st_mode):
        with open(path, "wb") as file:
            file.write(data)
    elif os.access(path, os.W_OK):
        _replace(os.path.realpath(path), data, found)
    else:
        raise PermissionError(None, "permission denied")


def _replace(target: str, data: bytes, found: os.stat_result | None) -> None:
    """Put bytes in the place of what is there, by way of a file beside it whose name nobody can foretell."""
    beside = os.path.join(os.path.dirname(target), f".gptcount-{token_hex(8)}.part")
    descriptor = os.open(beside, NEW, 0o600 if found else 0o666)
    try:
        with open(descriptor, "wb") as file:
            if found:
                _belong(file.fileno(), found)
            file.write(data)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _belong(descriptor: int, found: os.stat_result) -> None:
    """Give a file the owner and the mode of another, as far as the system lets us."""
    if hasattr(os, "fchown"):
        with suppress(OSError):
            os.fchown(descriptor, found.st_uid, found.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
