"""Text as a stream can say it and as columns hold it: cells, bars, widths, lines, encodings.

It does not know what is counted.
"""

from __future__ import annotations

from gptcount.errors import printable
from gptcount.numbers import count, share

EIGHTHS = "▏▎▍▌▋▊▉█"

ASCII = str.maketrans(
    {"×": "x", "−": "-", "–": "-", "—": "-", "─": "-", "…": ".", "·": "*", "’": "'", "✗": "x"}
    | {"∞": "infinity", "²": "^2", "→": "->", "✓": "ok"}
    | dict(zip(EIGHTHS, "   -====#"[1:], strict=True))
)
"""What stands in where the stream cannot say a character; one for one but for what ends a line or begins it."""


def bar(part: float, width: int) -> str:
    """A bar to scale, ``width`` characters for a whole, in eighths of a block; a part above nothing is seen."""
    eighths = max(round(8 * width * part), 1) if part > 0 else 0
    return EIGHTHS[-1] * (eighths // 8) + (EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def cell(value: str | int | float | None) -> str:
    """A cell of a table as text: an integer is a count, a float a share, nothing is empty; no character steers."""
    if value is None or isinstance(value, str):
        return printable(value or "")
    return count(value) if isinstance(value, int) else share(value)


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if not text or max(text) < "\u0300":
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def wrap(words: str, columns: int) -> list[str]:
    """Lines of at most so many columns; a word, and so a count, is never divided."""
    lines: list[str] = []
    for word in words.split(" "):
        if lines and width(lines[-1]) + 1 + width(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def sayable(words: str, encoding: str) -> bool:
    """Whether a stream of this encoding can say a text."""
    try:
        words.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def said(words: str, encoding: str) -> str:
    """The text as a stream of this encoding can say it: unchanged, or with plain characters standing in."""
    if sayable(words, encoding):
        return words
    known = "".join(c if sayable(c, encoding) else c.translate(ASCII) for c in words)
    return known.encode("ascii" if encoding == "ascii" else encoding, "backslashreplace").decode(encoding)
