"""Numbers as text: the one place where the thousands comma, the per cent and the byte are written.

It imports nothing and does not know what is counted, nor where it is shown.
"""

from __future__ import annotations

DECIMAL = ("bytes", "kB", "MB", "GB", "TB", "PB")
BINARY = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def count(n: float, decimals: int = 0) -> str:
    """A count, its thousands parted by commas: ``175,181,291,520``."""
    return f"{n:,.{decimals}f}".replace("-", "−") if decimals else f"{n:,}".replace("-", "−")


def share(part: float) -> str:
    """A part of a whole in per cent: ``33.1 %``."""
    return f"{count(100 * part, 1)} %".replace("−0.0 ", "0.0 ")


def difference(part: float) -> str:
    """A relative difference with its sign, to the first digit that says something: ``+1.7 %``, ``−0.004 %``."""
    digits = next((digits for digits in range(1, 18) if round(abs(100 * part), digits)), 1)
    return f"{'+' if part >= 0 else ''}{count(100 * part, digits)} %"


def size(n: int) -> str:
    """A number of bytes, by thousands and by 1,024s, to three digits at least: ``1.34 TB (1.22 TiB)``."""
    return f"{_scaled(n, 1000, DECIMAL)} ({_scaled(n, 1024, BINARY)})"


def _scaled(n: int, step: int, units: tuple[str, ...]) -> str:
    power = 0
    while power + 1 < len(units) and n >= step ** (power + 1):
        power += 1
    scaled = n / step**power
    return f"{count(scaled, 2 if scaled < 9.995 else 1) if power else count(n)} {units[power]}"
