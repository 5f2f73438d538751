"""What a command answers: the same for people, for a sheet and for a program; written in one format, to one place.

Here the format is chosen, and every write is guarded. It does not know what is answered.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from gptcount.errors import InputError, shown

if TYPE_CHECKING:
    from gptcount.output.table import Part

FORMATS = ("table", "json", "csv", "markdown", "latex")
COLOURS = ("auto", "always", "never")

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex"}
"""The format that a file's ending promises."""

OTHERS = {
    **dict.fromkeys((".html", ".htm"), "gptcount report"),
    **dict.fromkeys((".svg", ".png", ".pdf"), "gptcount plot"),
    ".toml": "gptcount show",
}
"""Endings that promise what another command writes."""


class Answer(NamedTuple):
    """Parts for people, records for a sheet, a document for a program; each is made when it is asked for."""

    parts: Callable[[], Sequence[Part]]
    records: Callable[[], list[dict[str, Any]]]
    document: Callable[[], dict[str, Any]]
    holds: bool = True
    """Whether what was checked holds, if the command checks."""
    failures: tuple[str, ...] = ()
    """What does not, where the answer itself does not say it."""


class Form(NamedTuple):
    """How an answer is written: its format, the file that it goes to, and when there are colours."""

    format: str
    output: str | None
    color: str

    def text(self, answer: Answer) -> str:
        """The answer in this form."""
        if self.format == "json":
            from gptcount.output import json

            return json.render(answer.document(), "utf-8" if self.output else encoding())
        if self.format == "csv":
            from gptcount.output import csv

            return csv.render(answer.records())
        if self.format == "markdown":
            from gptcount.output import markdown

            return markdown.render(answer.parts())
        if self.format == "latex":
            from gptcount.output import latex

            return latex.render(answer.parts())
        return self._table(answer.parts())

    def _table(self, parts: Sequence[Part]) -> str:
        """Parts as plain text, or with bars and colours where they are asked for."""
        coloured = self._coloured()
        if coloured or (not self.output and sys.stdout.isatty()):
            import shutil

            from gptcount.output import terminal

            return terminal.render(parts, max(shutil.get_terminal_size((100, 24)).columns, 1), coloured)
        from gptcount.output import plain

        return plain.render(parts)

    def _coloured(self) -> bool:
        """Whether to write colours: what is asked for, then NO_COLOR, FORCE_COLOR, the terminal."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR") or self.output:
            return False
        if forced := os.environ.get("FORCE_COLOR"):
            return forced != "0"
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def form(format: str, json: bool, output: str | None, color: str) -> Form:
    """The form that the options ask for. Raises InputError where they contradict each other."""
    asked = chosen("--format", format or ("json" if json else "table"), FORMATS)
    if json and asked != "json":
        raise InputError(f"--json and --format {asked} contradict each other; leave one of them out")
    ending = _ending(output)
    if ending in OTHERS:
        raise InputError(f"-o {shown(output, 200)}: a {ending} file is what {OTHERS[ending]} writes")
    promised = ENDINGS.get(ending)
    if promised and (format or json) and asked != promised:
        raise InputError(
            f"-o {shown(output, 200)}: its ending promises {promised}, and the format asked for is {asked}"
        )
    return Form(promised or asked, output, chosen("--color", color, COLOURS))


def only(command: str, what: str, output: str | None, *endings: str) -> None:
    """Raises InputError where a file's ending promises a format that a command does not write."""
    ending = _ending(output)
    if ending in (ENDINGS.keys() | OTHERS.keys()) - set(endings):
        raise InputError(f"-o {shown(output, 200)}: {command} writes {what}, not a {ending} file")


def _ending(output: str | None) -> str:
    return os.path.splitext(output or "")[1].lower()


def chosen(option: str, word: str, choices: Sequence[str]) -> str:
    """The word that an option was given. Raises InputError, with the closest, where it is none of the choices."""
    if word not in choices:
        from difflib import get_close_matches

        near = get_close_matches(word[:80], choices, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"{option} {shown(word)}: expected one of {', '.join(choices)}{hint}")
    return word


def encoding() -> str:
    """How stdout writes characters; a stream in memory, as a program may put in its place, takes them all."""
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def write(text: str, output: str | None) -> None:
    """Text to stdout, as its encoding can say it, or to a file, whole or not at all."""
    if output is not None and output != "-":
        write_file(text, output)
        return
    from gptcount.output.text import said

    try:
        sys.stdout.write(said(text, encoding()))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        forget()


class Closed(io.StringIO):
    """A standard output that was closed before the program began: whatever is written to it fails."""

    encoding = "utf-8"

    def write(self, _: str, /) -> int:
        """Fail, as the stream would."""
        raise OSError(errno.EBADF, "closed")


def forget() -> None:
    """Let what is still buffered for stdout go nowhere, so that nothing fails once more at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(content: str | bytes, output: str, announced: bool = False) -> None:
    """Text or bytes to a file that is there only when it is whole: written beside it, then put in its place.

    ``announced``, a line on stderr says so. Raises InputError where it cannot be written.
    """
    from gptcount.writing import put

    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    free(output, ())
    try:
        put(output, data)
    except (OSError, ValueError) as fault:
        reason = (getattr(fault, "strerror", None) or "not a path").lower()
        raise InputError(f"-o {shown(output, 200)}: cannot be written: {reason}") from None
    if announced and sys.stderr:
        from gptcount.numbers import size

        print(f"{shown(output, 200)}: {size(len(data))}", file=sys.stderr)


def free(output: str | None, sources: Sequence[str]) -> None:
    """Raises InputError where the file to be written is a folder, or one that a source is read from."""
    if output is None or output == "-":
        return
    if os.path.basename(output) in ("", os.curdir, os.pardir) or os.path.isdir(output):
        raise InputError(f"-o {shown(output, 200)}: is a directory, and a file is expected")
    if sources and os.path.isfile(output):
        from gptcount.sources.loading import files_of

        for source in sources:
            if any(file.exists() and file.samefile(output) for file in files_of(source)):
                raise InputError(f"-o {shown(output, 200)}: {shown(source, 200)} is read from it; name another file")
