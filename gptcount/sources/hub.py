"""The Hugging Face hub: configurations, and of checkpoints no more than an index and the headers of files.

``huggingface_hub`` (the extra ``hub``) finds endpoint, token, cache and offline mode by its own settings, and is
imported when it is needed. It fetches nothing itself: it would ask for more than is needed, and believe what a server
says of names and sizes. How a server is asked is in ``web``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gptcount.errors import InputError, shown
from gptcount.sources import checkpoint as headers
from gptcount.sources.checkpoint import INDEX, MOST_INDEX, WHOLE
from gptcount.sources.entries import Checkpoint, Entry, joined
from gptcount.sources.files import MOST_BYTES, decode, read_text
from gptcount.sources.web import Found, RefusedError, Server, UnreachableError
from gptcount.writing import put

FIRST = 100_000
"""So many bytes of a file are asked for at first: most headers are shorter."""

MOST = {"config.json": MOST_BYTES, INDEX: MOST_INDEX}
"""How long the files are at most that are read as a whole."""

WORD = r"[A-Za-z0-9_](?:[A-Za-z0-9_+=-]|\.(?![./]|$)){0,99}"
"""A part of a name or of a revision: no path leads out of a folder by it."""

NAMED = re.compile(rf"hub:((?!\S*--){WORD}/{WORD})(?:@({WORD}(?:/{WORD}){{0,4}}))?", re.ASCII)

REASONS = {
    "GatedRepo": "a gated repository: its terms must be accepted, and HF_TOKEN be set",
    "RepoNotFound": "no such repository, or a private one that HF_TOKEN does not open",
    "RevisionNotFound": "no revision {revision} in this repository",
    "EntryNotFound": "no {name} in this repository",
}
"""What the hub calls its reasons, and what they mean."""

UNNAMED = {401: "RepoNotFound", 404: "EntryNotFound"}
"""The reasons that a status stands for where none is named."""


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
    text = _text(repository, None if _offline(repository) else _server(repository), "config.json")
    if text is None:
        raise InputError(f"{repository.origin}: no config.json in this repository")
    return text


def checkpoint(source: str) -> Checkpoint:
    """The checkpoint of a repository, read from the headers of its files."""
    repository = _repository(source)
    if _offline(repository):
        return _cached_checkpoint(repository)
    server = _server(repository)
    beside, index = _text(repository, server, "config.json"), _text(repository, server, INDEX)

    def of_shards(names: Sequence[str]) -> Iterable[list[Entry]]:
        found = server.answers(partial(_header, repository, server, name) for name in names)
        for name, (header, size) in zip(names, found, strict=True):
            yield headers.entries_of(header, size - 8 - len(header), f"{repository.origin}/{name}")

    if index is not None:
        return headers.sharded(index, f"{repository.origin}/{INDEX}", of_shards, beside)
    return Checkpoint(repository.origin, joined(of_shards([WHOLE]), repository.origin), beside)


def _repository(source: str) -> Repository:
    found = NAMED.fullmatch(source)
    if not found:
        raise InputError(f"{shown(source, 200)}: not of the form hub:OWNER/NAME or hub:OWNER/NAME@REVISION")
    return Repository(found[1], found[2])


def _server(repository: Repository) -> Server:
    """The hub as the library's settings have it. It is told who asks and with which token, and nothing else."""
    with _library(repository):
        from huggingface_hub import constants, get_session, get_token

        from gptcount import __version__

        token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
        if token and not (token.isascii() and token.isprintable()):
            raise InputError(f"{repository.origin}: HF_TOKEN: not a token")
        wanted = {"User-Agent": f"gptcount/{__version__}"} | ({"Authorization": f"Bearer {token}"} if token else {})
        return Server(get_session(), wanted, repository.origin)


def _text(repository: Repository, server: Server | None, name: str) -> str | None:
    """The text of a small file, or None where the repository has none; from the cache where no server gives it."""
    origin, fault = f"{repository.origin}/{name}", _unreachable(repository, name, "offline")
    if server:
        try:
            (found,) = server.answers([partial(server.whole, _url(repository, name), MOST[name])])
            _keep(repository, name, found)
            return decode(found.data, origin, MOST[name])
        except RefusedError as refusal:
            if _code(refusal) == "EntryNotFound":
                return None
            fault = _refused(repository, name, refusal)
        except UnreachableError as reason:
            fault = _unreachable(repository, name, str(reason))
    if path := _cached(repository, name):
        return headers.index_text(path, origin) if name == INDEX else read_text(path)
    raise fault


def _header(repository: Repository, server: Server, name: str) -> tuple[bytes, int]:
    """The header of a file, of which no more is fetched, and the size of the whole."""
    origin, url = f"{repository.origin}/{name}", _url(repository, name)
    try:
        start, size, _ = server.part(url, 0, FIRST)
        length = headers.header_length(start, size or 0, origin)
        header = start[8 : 8 + length]
        if len(header) < length:
            header += server.part(url, 8 + len(header), length - len(header)).data
    except RefusedError as refusal:
        raise _refused(repository, name, refusal) from None
    except UnreachableError as reason:
        raise _unreachable(repository, name, str(reason)) from None
    if len(header) < length:
        raise InputError(f"{origin}: the connection broke off in the header")
    return header, size or 0


def _url(repository: Repository, name: str) -> str:
    with _library(repository):
        from huggingface_hub import hf_hub_url

        return hf_hub_url(repository.name, name, revision=repository.revision)


def _offline(repository: Repository) -> bool:
    with _library(repository):
        from huggingface_hub import constants

        return bool(constants.HF_HUB_OFFLINE)


def _cached(repository: Repository, name: str) -> Path | None:
    """A file of the repository in the library's cache."""
    with _library(repository):
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(repository.name, name, revision=repository.revision)
        return Path(path) if isinstance(path, str) else None


def _cached_checkpoint(repository: Repository) -> Checkpoint:
    """The checkpoint of a repository as the library's cache has it."""
    if path := _cached(repository, INDEX) or _cached(repository, WHOLE):
        return replace(headers.read(path), origin=repository.origin)
    raise InputError(f"{repository.origin}: offline, and the cache has no checkpoint of this repository")


def _keep(repository: Repository, name: str, found: Found) -> None:
    """Put a file where the library looks for it when it is offline, if the server says of which commit it is."""
    from huggingface_hub import constants

    commit, revision = found.headers.get("X-Repo-Commit", ""), repository.revision or "main"
    home = os.path.join(constants.HF_HUB_CACHE, f"models--{repository.name.replace('/', '--')}")
    if re.fullmatch(r"[0-9a-f]{40}", commit):
        with suppress(OSError):
            _put(os.path.join(home, "snapshots", commit, name), found.data, anew=False)
            if revision != commit:
                _put(os.path.join(home, "refs", *revision.split("/")), commit.encode(), anew=True)


def _put(path: str, data: bytes, anew: bool) -> None:
    if anew or not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        put(path, data)


@contextmanager
def _library(repository: Repository) -> Iterator[None]:
    """Whatever the library cannot do, in one line: it reads settings and looks into its cache."""
    try:
        yield
    except InputError:
        raise
    except ModuleNotFoundError as fault:
        if not (fault.name or "").startswith("huggingface_hub"):
            raise
        raise InputError(f"{repository.origin}: needs huggingface_hub: pip install huggingface_hub") from None
    except Exception as fault:  # its errors have no common base but this
        said = shown(str(fault) or type(fault).__name__, 200)
        endpoint = os.environ.get("HF_ENDPOINT")
        beside = f" (HF_ENDPOINT is {shown(endpoint)})" if endpoint else ""
        raise InputError(f"{repository.origin}: huggingface_hub: {said}{beside}") from None


def _code(refusal: RefusedError) -> str:
    return refusal.code if refusal.code in REASONS else UNNAMED.get(refusal.status, "")


def _refused(repository: Repository, name: str, refusal: RefusedError) -> InputError:
    reason = REASONS.get(_code(refusal), f"HTTP status {refusal.status} for {{name}}")
    return InputError(f"{repository.origin}: {reason.format(name=shown(name), revision=repository.revision or 'main')}")


def _unreachable(repository: Repository, name: str, reason: str) -> InputError:
    with _library(repository):
        from huggingface_hub import constants

        endpoint = shown(constants.ENDPOINT)
        return InputError(
            f"{repository.origin}: {name} is not in the cache, and {endpoint} cannot be reached: {reason}"
        )
