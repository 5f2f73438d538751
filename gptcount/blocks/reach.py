"""Reach: which tokens a token looks at. The mask, how many keys are kept and how many pairs meet all follow from it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Reach(NamedTuple):
    """A token looks at itself and at those before it, within a window or a chunk, where there is one; or both ways."""

    window: int | None = None
    chunk: int | None = None
    bidirectional: bool = False

    def sees(self, here: Any, there: Any) -> Any:
        """Whether tokens at the positions ``here`` look at those ``there``: integers, or arrays of them."""
        seen = self.bidirectional | (there <= here)
        if self.window:
            seen = seen & (abs(here - there) < self.window)
        return seen & (here // self.chunk == there // self.chunk) if self.chunk else seen

    def kept(self, n_tokens: int) -> int:
        """How many keys the tokens after so many can still look at."""
        if self.chunk:
            n_tokens %= self.chunk
        return min(n_tokens, self.window - 1) if self.window else n_tokens

    def pairs(self, n_tokens: int, before: int = 0) -> int:
        """How many keys so many tokens look at, all together, where ``before`` tokens stand before them."""
        if self.bidirectional:
            n, beyond = before + n_tokens, max(before + n_tokens - (self.window or before + n_tokens), 0)
            return n * n - beyond * (beyond + 1) if not self.chunk else self._of_chunks(n)
        return self._until(before + n_tokens) - self._until(before)

    def _of_chunks(self, n: int) -> int:
        whole, rest = divmod(n, self.chunk or n)
        within = Reach(self.window, None, True)
        return whole * within.pairs(self.chunk or n) + (within.pairs(rest) if rest else 0)

    def _until(self, n: int) -> int:
        """The keys that the first n tokens look at: 1 + 2 + … within a window and a chunk."""
        if self.chunk:
            whole, rest = divmod(n, self.chunk)
            within = Reach(self.window)
            return whole * within._until(self.chunk) + within._until(rest)
        full = min(n, self.window) if self.window else n
        return full * (full + 1) // 2 + (n - full) * full
