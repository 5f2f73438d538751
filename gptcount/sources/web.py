"""Bytes from a server: never more than asked for, never longer than a minute, and whatever goes wrong in one line.

A server is not trusted: it may be slow, endless, lying or redirecting. What is asked for, and whose server it is, is
not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, contextmanager
from functools import partial
from re import fullmatch
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from gptcount.errors import InputError, shown

MOST_SECONDS = 60.0
"""All answers of a server together may take so long."""

SILENCE = 30.0
"""So many seconds of silence are borne."""

AT_ONCE = 8
"""So many files are asked for side by side."""

MOST_REDIRECTS = 5

PARTIAL = 206
"""The answer of a server that sends what was asked for, and not the whole file."""

T = TypeVar("T")


class RefusedError(Exception):
    """What a server answers instead of a file: its status, and the name that it gives the reason."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status, self.code = status, code


class UnreachableError(Exception):
    """No answer at all; the text says why."""


class Found(NamedTuple):
    """Some bytes of a file, the size of the whole where it is known, and the headers that they came with."""

    data: bytes
    size: int | None
    headers: Mapping[str, str]


class Server:
    """A server that a client of httpx asks, under a name for messages; its time runs from now on."""

    def __init__(self, client: Any, headers: Mapping[str, str], name: str) -> None:
        self.client, self.headers, self.name = client, {**headers, "Accept-Encoding": "identity"}, name
        self.until = monotonic() + MOST_SECONDS

    def answers(self, asked: Iterable[Callable[[], T]]) -> Iterator[T]:
        """What each question comes to, in their order, a few asked side by side; none is waited for too long."""
        waiting: deque[Future[T]] = deque()
        for ask in asked:
            waiting.append(_begun(ask))
            if len(waiting) == AT_ONCE:
                yield self._awaited(waiting.popleft())
        while waiting:
            yield self._awaited(waiting.popleft())

    def whole(self, url: str, most: int) -> Found:
        """A whole file. Raises InputError where it has more bytes than ``most``."""
        with self._answer(url, {}) as response:
            size = _length(response)
            if response.status_code == PARTIAL:
                raise InputError(f"{self.name}: the server sends a part, and the whole file was asked for")
            if size is None or size <= most:
                data = self._body(response, most + 1)
                if len(data) <= most:
                    return Found(data, len(data), response.headers)
            raise InputError(f"{self.name}: {f'{size} bytes' if size else 'too long'}, and at most {most} are read")

    def part(self, url: str, first: int, length: int) -> Found:
        """Some bytes of a file; a server that sends all of it is not listened to beyond them."""
        with self._answer(url, {"Range": f"bytes={first}-{first + length - 1}"}) as response:
            said = fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})", response.headers.get("Content-Range", ""))
            whole = _length(response)
            if response.status_code == PARTIAL and said and int(said[1]) == first:
                skipped, size = 0, int(said[2])
            elif response.status_code != PARTIAL and whole is not None:
                skipped, size = first, whole
            else:
                raise InputError(f"{self.name}: the server does not say how long the file is")
            return Found(self._body(response, skipped + length)[skipped:], size, response.headers)

    @contextmanager
    def _answer(self, url: str, more: Mapping[str, str]) -> Iterator[Any]:
        """An answer of which only the head is read, at the end of a few redirects; none leads from https to http."""
        wanted = {**self.headers, **more}
        asked = self._sent(partial(self.client.build_request, "GET", url, headers=wanted, timeout=SILENCE))
        for _ in range(1 + MOST_REDIRECTS):
            with closing(self._sent(partial(self.client.send, asked, stream=True, follow_redirects=False))) as response:
                if response.next_request is None:
                    if response.status_code not in (200, PARTIAL):
                        raise RefusedError(response.status_code, response.headers.get("X-Error-Code", ""))
                    yield response
                    return
                onward = response.next_request
            if asked.url.scheme == "https" and onward.url.scheme != "https":
                raise InputError(f"{self.name}: the server leads from https to {shown(str(onward.url), 200)}")
            asked = onward  # without the token, where the host is another: the client sees to it
        raise InputError(f"{self.name}: the server redirects more than {MOST_REDIRECTS} times")

    def _sent(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Exception as fault:  # httpx is there under two names, and not every error of it has a base of its own
            raise UnreachableError(_said(fault)) from None

    def _body(self, response: Any, most: int) -> bytes:
        """The first bytes of a body, as they are sent: unpacked, a few would be without a bound."""
        if response.headers.get("Content-Encoding", "identity") not in ("", "identity"):
            raise InputError(f"{self.name}: the server sends the file compressed, and was asked not to")
        found = bytearray()
        try:
            for part in response.iter_raw():
                found += part
                if len(found) >= most or monotonic() > self.until:
                    break
        except Exception as fault:
            raise InputError(f"{self.name}: the connection broke off: {_said(fault)}") from None
        if len(found) < most and monotonic() > self.until:
            raise self._late()
        return bytes(found[:most])

    def _awaited(self, answer: Future[T]) -> T:
        try:
            return answer.result(max(self.until - monotonic(), 0))
        except TimeoutError:
            raise self._late() from None

    def _late(self) -> InputError:
        return InputError(f"{self.name}: not answered in full within {MOST_SECONDS:g} s")


def _begun(ask: Callable[[], T]) -> Future[T]:
    """A question that is being asked, in a thread that holds up nobody: not even the end of the program."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as fault:
            answer.set_exception(fault)

    Thread(target=run, daemon=True).start()
    return answer


def _length(response: Any) -> int | None:
    said = fullmatch(r"\d{1,18}", response.headers.get("Content-Length", ""))
    return int(said[0]) if said else None


def _said(fault: Exception) -> str:
    """The first line of what an error says, else its kind."""
    first = next((line for line in str(fault).splitlines() if line.strip()), type(fault).__name__)
    return shown(first.strip(), 200)
