"""Numbers as text: the one place where the thousands comma, the per cent, the byte and the bar are written.

It knows encodings and the width of characters; it does not know what is counted.
"""

from __future__ import annotations

DECIMAL = ("bytes", "kB", "MB", "GB", "TB", "PB")
BINARY = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")

EIGHTHS = "▏▎▍▌▋▊▉█"

ASCII = str.maketrans(
    {"×": "x", "−": "-", "–": "-", "—": "-", "─": "-", "…": ".", "·": "*", "’": "'", "∞": "infinity", "²": "^2"}
    | dict(zip(EIGHTHS, "   -====#"[1:], strict=True))
)
"""What stands in where the stream cannot say a character; one for one wherever it may stand in a column."""


def count(n: int) -> str:
    """A count, its thousands parted by commas: ``175,181,291,520``."""
    return f"{n:,}".replace("-", "−")


def share(part: float) -> str:
    """A part of a whole in per cent: ``33.1 %``."""
    return f"{100 * part:.1f} %".replace("-0.0", "0.0").replace("-", "−")


def difference(part: float) -> str:
    """A relative difference with its sign, to the first digit that says something: ``+1.7 %``, ``−0.004 %``."""
    digits = next((digits for digits in range(1, 18) if round(abs(100 * part), digits)), 1)
    return f"{100 * part:+,.{digits}f} %".replace("-", "−")


def size(n: int) -> str:
    """A number of bytes, by thousands and by 1,024s: ``350.4 GB (326.3 GiB)``."""
    return f"{_scaled(n, 1000, DECIMAL)} ({_scaled(n, 1024, BINARY)})"


def _scaled(n: int, step: int, units: tuple[str, ...]) -> str:
    power = 0
    while power + 1 < len(units) and n >= step ** (power + 1):
        power += 1
    return f"{n / step**power:,.1f} {units[power]}" if power else f"{n:,} {units[0]}"


def bar(part: float, width: int) -> str:
    """A bar to scale, ``width`` characters for a whole, in eighths of a block; a part above nothing is seen."""
    eighths = max(round(8 * width * part), 1) if part > 0 else 0
    return EIGHTHS[-1] * (eighths // 8) + (EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def cell(value: str | int | float | None) -> str:
    """A cell of a table as text: an integer is a count, a float a share, nothing is empty."""
    if value is None or isinstance(value, str):
        return value or ""
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
