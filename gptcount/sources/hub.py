"""The Hugging Face hub, by ``huggingface_hub`` (the extra ``hub``): configurations and headers.

The library finds endpoint, token, cache and offline mode by its own settings; it is imported when it is needed.
Nothing else of a repository is fetched: of a checkpoint, its index and the headers of its files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from gptcount.errors import InputError, shown
from gptcount.sources import checkpoint as headers
from gptcount.sources.checkpoint import INDEX, WHOLE, Checkpoint, Entry
from gptcount.sources.files import read_text

FIRST = 100_000
"""So many bytes of a file are asked for at first: most headers are shorter."""

AT_ONCE = 8
"""So many files are asked for side by side."""

TIMEOUT = 30.0
"""So many seconds of silence are borne."""

PARTIAL = 206
"""The answer of a server that sends what was asked for, and not the whole file."""


class Repository(NamedTuple):
    """A repository of the hub, at a revision or at its newest."""

    name: str
    revision: str | None

    @property
    def origin(self) -> str:
        """The repository as a person writes it."""
        return shown(f"hub:{self.name}" + (f"@{self.revision}" if self.revision else ""), 200)


def is_named(source: str) -> bool:
    """Whether a source is one of the hub."""
    return source.startswith("hub:")


def config(source: str) -> str:
    """The text of a repository's config.json."""
    repository = _repository(source)
    path = _small_file(repository, "config.json")
    if path is None:
        raise InputError(f"{repository.origin}: no config.json in this repository")
    return read_text(path)


def checkpoint(source: str) -> Checkpoint:
    """The checkpoint of a repository, read from the headers of its files."""
    repository = _repository(source)
    if _offline(repository):
        return _cached(repository)
    config, index = _small_file(repository, "config.json"), _small_file(repository, INDEX)
    beside = read_text(config) if config else None

    def of_shards(names: Sequence[str]) -> Iterable[list[Entry]]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(lambda name: _entries(repository, name), names)

    if index is not None:
        origin = f"{repository.origin}/{INDEX}"
        return headers.sharded(headers.index_text(index, origin), origin, of_shards, beside)
    return Checkpoint(repository.origin, headers.joined(of_shards([WHOLE]), repository.origin), beside)


def _repository(source: str) -> Repository:
    found = re.fullmatch(r"hub:(\w[\w.-]*/\w[\w.-]*)(?:@(\S+))?", source, re.ASCII)
    if not found or not source.isprintable():
        raise InputError(f"{shown(source, 200)}: not of the form hub:OWNER/NAME or hub:OWNER/NAME@REVISION")
    return Repository(found[1], found[2])


def _small_file(repository: Repository, name: str) -> Path | None:
    """A small file, from the library's cache where it is there and current; None where the repository has none."""
    with _said(repository, name):
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import RemoteEntryNotFoundError

        try:
            return Path(hf_hub_download(repository.name, name, revision=repository.revision))
        except RemoteEntryNotFoundError:
            return None


def _offline(repository: Repository) -> bool:
    with _said(repository):
        from huggingface_hub import constants

        return bool(constants.HF_HUB_OFFLINE)


def _cached(repository: Repository) -> Checkpoint:
    """The checkpoint of a repository as the library's cache has it."""
    with _said(repository):
        from huggingface_hub import try_to_load_from_cache

        for name in (INDEX, WHOLE):
            path = try_to_load_from_cache(repository.name, name, revision=repository.revision)
            if isinstance(path, str):
                return replace(headers.read(Path(path)), origin=repository.origin)
    raise InputError(f"{repository.origin}: offline, and the cache has no checkpoint of this repository")


def _entries(repository: Repository, name: str) -> list[Entry]:
    """The tensors of one file, of which no more is fetched than its header."""
    origin = f"{repository.origin}/{name}"
    with _said(repository, name):
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(repository.name, name, revision=repository.revision)
        start, size = _range(url, 0, FIRST, origin)
        length = headers.header_length(start, size, origin)
        header = start[8 : 8 + length]
        if len(header) < length:
            header += _range(url, 8 + len(header), length - len(header), origin)[0]
        if len(header) < length:
            raise InputError(f"{origin}: the connection broke off in the header")
        return headers.entries_of(header, size - 8 - length, origin)


def _range(url: str, first: int, length: int, origin: str) -> tuple[bytes, int]:
    """Some bytes of a file, and the size of the whole; a server that sends all is not listened to beyond them."""
    utils: Any = import_module("huggingface_hub.utils")  # its names are exported, but not to mypy
    asked = {"Range": f"bytes={first}-{first + length - 1}", "Accept-Encoding": "identity"}
    wanted = {**utils.build_hf_headers(), **asked}
    with utils.http_stream_backoff("GET", url, headers=wanted, timeout=TIMEOUT, max_retries=1) as response:
        utils.hf_raise_for_status(response)
        partial = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})", response.headers.get("Content-Range", ""))
        whole = re.fullmatch(r"\d{1,18}", response.headers.get("Content-Length", ""))
        if response.status_code == PARTIAL and partial and int(partial[1]) == first:
            skipped, size = 0, int(partial[2])
        elif response.status_code != PARTIAL and whole:
            skipped, size = first, int(whole[0])
        else:
            raise InputError(f"{origin}: the server does not say how long the file is")
        found = bytearray()
        for part in response.iter_bytes(65_536):
            found += part
            if len(found) >= skipped + length:
                break
    return bytes(found[skipped : skipped + length]), size


@contextmanager
def _said(repository: Repository, name: str = "") -> Iterator[None]:
    """Whatever goes wrong with the library or the net, in one line, and nothing of the library's own beside it."""
    try:
        with _quiet():
            yield
    except InputError:
        raise
    except ModuleNotFoundError as fault:
        if not (fault.name or "").startswith("huggingface_hub"):
            raise
        raise InputError(f"{repository.origin}: needs huggingface_hub: pip install huggingface_hub") from None
    except Exception as fault:  # the library's errors have no common base but this
        raise InputError(f"{repository.origin}: {_reason(fault, repository, name)}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """The library without its warnings: of each time that it tries again, say."""
    from logging import ERROR

    from huggingface_hub.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _reason(fault: Exception, repository: Repository, name: str) -> str:
    from huggingface_hub import constants, errors

    endpoint = shown(constants.ENDPOINT)
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (errors.GatedRepoError, "a gated repository: its terms must be accepted, and HF_TOKEN be set"),
        (errors.RepositoryNotFoundError, "no such repository, or a private one that HF_TOKEN does not open"),
        (errors.RevisionNotFoundError, f"no revision {shown(repository.revision)} in this repository"),
        (errors.RemoteEntryNotFoundError, f"no {shown(name)} in this repository"),
        (errors.OfflineModeIsEnabled, "offline"),
        (errors.LocalEntryNotFoundError, f"{shown(name)} is not in the cache, and {endpoint} cannot be reached"),
    )
    first = next((line for line in str(fault).splitlines() if line.strip()), type(fault).__name__)
    return next((reason for kind, reason in reasons if isinstance(fault, kind)), shown(first.strip(), 200))
