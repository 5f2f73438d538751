"""Text for a terminal: bars, and colours by rich, which is imported only where there are colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gptcount.output.layout import Line, joined, lines
from gptcount.output.palette import PALETTE
from gptcount.output.table import Part

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

STYLES = {
    "title": "bold",
    "head": "bold",
    "rule": "dim",
    "remark": "dim",
    "subtotal": "bold",
    "total": "bold",
    **{part: colour.terminal for part, colour in PALETTE.items()},
}


class Drawing:
    """Parts that rich draws at the width of its console."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts: Sequence[Part] = tuple(parts)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        bars = not options.ascii_only
        yield from map(_text, lines(self.parts, options.max_width, bars))


def render(parts: Iterable[Part], columns: int, colour: bool) -> str:
    """All parts as text of so many columns, or more where a count needs them."""
    drawn = list(lines(parts, columns, bars=True))
    return _coloured(drawn) if colour else joined(drawn)


def _coloured(drawn: list[Line]) -> str:
    from io import StringIO

    from rich.console import Console

    from gptcount.output.text import width

    file = StringIO()
    console = Console(
        file=file,
        width=max([1, *(width("".join(span.text for span in line)) for line in drawn)]) + 1,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for line in drawn:
        console.print(_text(line), soft_wrap=True)
    return file.getvalue()


def _text(line: Line) -> Any:
    from rich.text import Text

    text = Text(overflow="fold")
    for span in line:
        text.append(span.text, " ".join(STYLES[word] for word in span.style.split() if word in STYLES))
    text.rstrip()
    return text
