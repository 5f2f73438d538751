"""The hub, played by a little server on the loopback address; each question is asked by a program of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from gzip import compress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from time import sleep
from typing import Any

import numpy as np
import pytest

import gptcount
from gptcount.errors import InputError
from gptcount.sources import config_json, hub, web
from gptcount.stored import tensors

needs_hub = pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")

CONFIG = {
    "model_type": "llama",
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "intermediate_size": 64,
    "vocab_size": 6000,
}
COMMIT = "c0ffee" + "0" * 34

AUDIT = """
import os, resource, sys
from gptcount.audit import load
from gptcount.errors import InputError
from gptcount.sources import web
web.MOST_SECONDS = float(os.environ.get("SECONDS", "60"))
for endpoint in os.environ.get("ENDPOINTS", "").split() or [None]:
    if endpoint:
        from huggingface_hub import constants
        constants.ENDPOINT = endpoint
        constants.HUGGINGFACE_CO_URL_TEMPLATE = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    try:
        found = load(sys.argv[1], *sys.argv[2:])
        print(found.checkpoint, found.agrees, sum(row.elements for row in found.rows), *found.notes)
    except InputError as fault:
        print("InputError:", fault)
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 300_000, "too much memory"
"""


class Hub(ThreadingHTTPServer):
    """A hub with some files, each by its whole path; it notes what was asked for, and how much it sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.sent = 0
        self.ranges = True
        self.refusal: tuple[int, str] = (404, "EntryNotFound")
        self.token: str | None = None
        self.commit = COMMIT
        self.agents: set[str | None] = set()


class Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, asked = self.server, self.headers.get("Range")
        hub.asked.append((self.command, self.path, asked))
        hub.agents.add(self.headers.get("User-Agent"))
        data = hub.files.get(self.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if data is None or (hub.token and token != hub.token):
            status, code = hub.refusal if data is None else (401, "RepoNotFound")
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", asked or "") if hub.ranges else None
        part = data[int(found[1]) : int(found[2]) + 1] if found else data
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {found[1]}-{int(found[1]) + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", f'"{sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", hub.commit)
        self.end_headers()
        if self.command == "GET":
            try:
                self.wfile.write(part)
                hub.sent += len(part)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Hub]:
    with Hub() as found:
        thread = Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def ask(server: Hub, tmp_path: Path) -> Any:
    """Ask for an audit in a program of its own; its one line."""

    def asked(*arguments: str, **settings: str) -> str:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        environment |= {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path / "home"),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **settings,
        }
        command = [sys.executable, "-c", AUDIT, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout.count("\n") == len(settings.get("ENDPOINTS", "one").split()), done.stdout
        return done.stdout.strip()

    return asked


def weights() -> dict[str, Any]:
    found = {}
    for tensor in tensors(config_json.parse(json.dumps(CONFIG), "config.json")):
        for n in range(tensor.copies):
            found[tensor.name.format(n)] = np.zeros(tensor.shape, np.float32)
    return found


def resolved(name: str, revision: str = "main") -> str:
    return f"/owner/model/resolve/{revision}/{name}"


def filled(server: Hub, shards: int = 1, revision: str = "main") -> int:
    """Put a checkpoint on the hub; how many elements it has."""
    from safetensors.numpy import save

    all_weights, places = weights(), {}
    server.files[resolved("config.json", revision)] = json.dumps(CONFIG).encode()
    for at in range(shards):
        name = "model.safetensors" if shards == 1 else f"model-{at + 1:05}-of-{shards:05}.safetensors"
        part = dict(list(all_weights.items())[at::shards])
        places |= dict.fromkeys(part, name)
        server.files[resolved(name, revision)] = save(part)
    if shards > 1:
        index = json.dumps({"weight_map": places}).encode()
        server.files[resolved("model.safetensors.index.json", revision)] = index
    return sum(weight.size for weight in all_weights.values())


@needs_hub
def test_an_audit_fetches_the_config_and_headers_only(server: Hub, ask: Any) -> None:
    elements = filled(server)
    assert ask("hub:owner/model") == f"hub:owner/model True {elements}"
    assert [path for _, path, _ in server.asked] == [
        resolved("config.json"),
        resolved("model.safetensors.index.json"),
        resolved("model.safetensors"),
    ]
    assert server.sent < 110_000 < 4 * elements


@needs_hub
def test_a_checkpoint_in_several_files_at_a_revision(server: Hub, ask: Any) -> None:
    elements = filled(server, shards=3, revision="v1.0")
    line = ask("hub:owner/model@v1.0")
    assert line == f"hub:owner/model@v1.0/model.safetensors.index.json True {elements}"


@needs_hub
def test_a_server_without_ranges_is_not_read_to_the_end(server: Hub, ask: Any) -> None:
    elements = filled(server)
    server.ranges = False
    assert ask("hub:owner/model") == f"hub:owner/model True {elements}"


@needs_hub
def test_a_long_header_is_fetched_in_two_parts(server: Hub, ask: Any) -> None:
    names = {f"tensor.{n}.with.a.long.name": np.zeros(1, np.float32) for n in range(2000)}
    from safetensors.numpy import save

    server.files[resolved("model.safetensors")] = save(names)
    for ranges in (True, False):
        server.ranges = ranges
        assert ask("hub:owner/model").startswith("hub:owner/model True 2000 No config.json")


@needs_hub
def test_a_local_checkpoint_is_held_against_a_config_of_the_hub(server: Hub, ask: Any, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    filled(server)
    save_file(weights(), tmp_path / "mine.safetensors")
    assert " True " in ask(str(tmp_path / "mine.safetensors"), "hub:owner/model")
    assert not [path for _, path, _ in server.asked if path.endswith(".safetensors")]


@needs_hub
def test_the_token_is_sent(server: Hub, ask: Any) -> None:
    filled(server)
    server.token = "hf_secret"
    assert "no such repository, or a private one" in ask("hub:owner/model")
    assert " True " in ask("hub:owner/model", HF_TOKEN="hf_secret")


@needs_hub
@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (404, "EntryNotFound", "InputError: hub:owner/model: no model.safetensors in this repository"),
        (401, "RepoNotFound", "InputError: hub:owner/model: no such repository"),
        (404, "RevisionNotFound", "InputError: hub:owner/model: no revision"),
        (403, "GatedRepo", "InputError: hub:owner/model: a gated repository"),
        (404, "", "InputError: hub:owner/model: "),
        (400, "", "InputError: hub:owner/model: "),
    ],
)
def test_whatever_the_hub_refuses_is_a_line(server: Hub, ask: Any, status: int, code: str, says: str) -> None:
    server.refusal = (status, code)
    assert ask("hub:owner/model").startswith(says)


@needs_hub
def test_hostile_headers_of_the_hub_are_refused_in_a_line(server: Hub, ask: Any) -> None:
    server.files[resolved("model.safetensors")] = (2**63).to_bytes(8, "little") + b"{}"
    line = ask("hub:owner/model")
    assert line.startswith("InputError: hub:owner/model/model.safetensors: truncated, or not a .safetensors file")
    server.files[resolved("model.safetensors")] = b""
    assert ask("hub:owner/model").startswith("InputError: hub:owner/model")
    places = {"weight_map": {"a.weight": "../../other/model/resolve/main/model.safetensors"}}
    server.files[resolved("model.safetensors.index.json")] = json.dumps(places).encode()
    assert "not the name of a .safetensors file" in ask("hub:owner/model")


@needs_hub
def test_a_hub_that_cannot_be_reached_is_a_line(server: Hub, ask: Any) -> None:
    line = ask("hub:owner/model", HF_ENDPOINT="http://127.0.0.1:9")
    assert line.startswith("InputError: hub:owner/model: ")
    assert "cannot be reached" in line
    assert not server.asked


@needs_hub
def test_offline_nothing_is_asked_and_the_cache_is_read(server: Hub, ask: Any, tmp_path: Path) -> None:
    line = ask("hub:owner/model", HF_HUB_OFFLINE="1")
    assert line == "InputError: hub:owner/model: offline, and the cache has no checkpoint of this repository"
    filled(server, shards=2)
    script = (
        "import sys; from huggingface_hub import hf_hub_download as get; [get('owner/model', n) for n in sys.argv[1:]]"
    )
    names = [path.rpartition("/")[2] for path in server.files]
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(tmp_path / "home"),
    }
    subprocess.run([sys.executable, "-c", script, *names], env=environment, check=True, capture_output=True)
    server.asked.clear()
    assert ask("hub:owner/model", HF_HUB_OFFLINE="1").startswith("hub:owner/model True ")
    assert not server.asked


Sent = Callable[[Any], None]


def head(status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def whole(data: bytes, **headers: str) -> Sent:
    return lambda to: to.write(head(Content_Length=str(len(data)), **headers) + data)


def endless(status: str = "200 OK", **headers: str) -> Sent:
    def send(to: Any) -> None:
        to.write(head(status, **headers))
        while True:
            to.write(b" " * 65_536)

    return send


def dripping(start: bytes) -> Sent:
    def send(to: Any) -> None:
        to.write(start)
        while True:
            to.write(b"x")
            sleep(0.1)

    return send


def silent(_: Any) -> None:
    sleep(4)


LYING: dict[str, tuple[Sent, str]] = {
    "endless": (endless(), "hub:owner/model: too long, and at most 8000000 are read"),
    "longer than it may be": (endless(Content_Length="9000000"), "9000000 bytes, and at most 8000000 are read"),
    "endless refusal": (endless("404 Not Found"), "no model.safetensors in this repository"),
    "endless fault": (endless("500 Oh"), "HTTP status 500 for config.json"),
    "endless redirect": (endless("302 Found", Location="/owner/model/here"), "redirects more than 5 times"),
    "redirected to a file": (endless("302 Found", Location="file:///etc/passwd"), "cannot be reached: "),
    "redirected nowhere": (endless("302 Found", Location="http://[::1"), "HTTP status 302 for config.json"),
    "shorter than it says": (lambda to: to.write(head(Content_Length="99") + b"{}"), "the connection broke off: "),
    "longer than it says": (lambda to: to.write(head(Content_Length="2") + b"{}" * 9), "weight_map: missing or empty"),
    "length without sense": (lambda to: to.write(head(Content_Length="-1") + b"{}"), "cannot be reached: "),
    "compressed": (whole(compress(bytes(20_000_000)), Content_Encoding="gzip"), "compressed, and was asked not to"),
    "a part": (lambda to: to.write(head("206 Partial", Content_Length="2") + b"{}"), "the server sends a part"),
    "not HTTP": (lambda to: to.write(b"\x1b[31mSSH-2.0\r\n" * 9), "cannot be reached: "),
    "headers without an end": (lambda to: to.write(head()[:-2] + b"X: " + b"y" * 9_000_000), "cannot be reached: "),
    "hung up": (lambda to: None, "cannot be reached: "),
    "not text": (whole(b"\xff\xfe{"), "config.json: not a text file (UTF-8)"),
    "dripping": (dripping(head(Content_Length="1000")), "not answered in full within 1 s"),
    "dripping headers": (dripping(head()[:-2] + b"X: "), "not answered in full within 1 s"),
    "silent": (silent, "not answered in full within 1 s"),
}
"""What a server may do with whatever it is asked, and what is said then."""


class Liar(ThreadingTCPServer):
    """A server that sends the same bytes, whatever it is asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, sends: Sent) -> None:
        super().__init__(("127.0.0.1", 0), Lie)
        self.sends = sends


class Lie(StreamRequestHandler):
    server: Liar

    def handle(self) -> None:
        with suppress(OSError):
            while self.rfile.readline(65_536).strip():
                pass
            self.server.sends(self.wfile)


@contextmanager
def lying(sends: Sent) -> Iterator[str]:
    """The address of a server that sends this."""
    with Liar(sends) as liar:
        Thread(target=liar.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{liar.server_address[1]}"
        liar.shutdown()


@needs_hub
def test_whatever_a_server_sends_is_a_line_in_bounded_time_and_memory(ask: Any) -> None:
    with ExitStack() as stack:
        liars = [stack.enter_context(lying(sends)) for sends, _ in LYING.values()]
        lines = ask("hub:owner/model", ENDPOINTS=" ".join(liars), SECONDS="1").splitlines()
    for (name, (_, says)), line in zip(LYING.items(), lines, strict=True):
        assert line.startswith("InputError: hub:owner/model"), name
        assert says in line, name
        assert line.isprintable(), name


@needs_hub
def test_a_header_is_fetched_in_bounded_time(ask: Any) -> None:
    """As long as a header says it is, and sent a byte at a time, in one of many files."""
    index = json.dumps({"weight_map": {f"w{n}": f"{n}.safetensors" for n in range(100)}}).encode()

    asked: list[Sent] = []

    def sends(to: Any) -> None:
        asked.append({0: whole(json.dumps(CONFIG).encode()), 1: whole(index)}.get(len(asked), dripping(start)))
        asked[-1](to)

    start = head("206 Partial", Content_Range="bytes 0-99999/20000100") + (20_000_000).to_bytes(8, "little")
    with lying(sends) as endpoint:
        line = ask("hub:owner/model", HF_ENDPOINT=endpoint, SECONDS="1")
    assert "not answered in full within 1 s" in line
    assert len(asked) <= 2 + web.AT_ONCE


@needs_hub
def test_no_redirect_leads_from_https_to_http() -> None:
    httpx = import_module(type(import_module("huggingface_hub").get_session()).__module__.partition(".")[0])
    answer = httpx.Response(302, headers={"Location": "http://inside/"})
    server = web.Server(httpx.Client(transport=httpx.MockTransport(lambda _: answer)), {}, "hub:a/b")
    with pytest.raises(InputError, match="leads from https to http://inside/"):
        server.whole("https://outside/", 10)


@needs_hub
def test_a_redirect_is_followed_and_the_token_is_not_sent_elsewhere() -> None:
    httpx = import_module(type(import_module("huggingface_hub").get_session()).__module__.partition(".")[0])
    asked = []

    def answer(request: Any) -> Any:
        asked.append((request.url.host, request.headers.get("authorization"), request.headers["accept-encoding"]))
        if request.url.host == "hub":
            return httpx.Response(302, headers={"Location": "https://store/"})
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    client = httpx.Client(transport=httpx.MockTransport(answer))
    server = web.Server(client, {"Authorization": "Bearer hf_secret"}, "hub:a/b")
    assert server.whole("https://hub/", 10).data == b"{}"
    assert asked == [("hub", "Bearer hf_secret", "identity"), ("store", None, "identity")]


def entries(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@needs_hub
def test_only_the_cache_is_written_and_read_again_offline(server: Hub, ask: Any, tmp_path: Path) -> None:
    filled(server)
    ask("hub:owner/model", HOME=str(tmp_path))
    cache = "home/hub/models--owner--model"
    assert entries(tmp_path) == {f"{cache}/refs/main", f"{cache}/snapshots/{COMMIT}/config.json"}
    from huggingface_hub import try_to_load_from_cache

    kept = try_to_load_from_cache("owner/model", "config.json", cache_dir=tmp_path / "home/hub")
    assert Path(str(kept)).read_text() == json.dumps(CONFIG)
    arguments = ["-c", "import sys; from gptcount import load; print(load(sys.argv[1]).d_model)", "hub:owner/model"]
    environment = os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "32\n"


@needs_hub
@pytest.mark.parametrize("commit", ["../../../..", COMMIT + "/.."])
def test_what_a_server_calls_a_commit_is_no_path(server: Hub, ask: Any, tmp_path: Path, commit: str) -> None:
    filled(server)
    server.commit = commit
    assert " True " in ask("hub:owner/model")
    assert entries(tmp_path) == set()


@needs_hub
def test_the_server_learns_who_asks_and_nothing_else(server: Hub, ask: Any) -> None:
    filled(server)
    ask("hub:owner/model", AI_AGENT="someone", HF_HUB_DISABLE_TELEMETRY="0")
    assert all(path.startswith("/owner/model/resolve/main/") for _, path, _ in server.asked)
    assert server.agents == {f"gptcount/{gptcount.__version__}"}


@needs_hub
@pytest.mark.parametrize(
    "settings",
    [
        {"HF_ENDPOINT": "http://[::1"},
        {"HF_ENDPOINT": "\x1b[31mhttp://a"},
        {"HTTP_PROXY": "http://[::1", "http_proxy": "http://[::1", "NO_PROXY": "", "no_proxy": ""},
        {"HF_TOKEN": "a\x1bb"},
    ],
)
def test_settings_that_cannot_be_used_are_a_line(ask: Any, settings: dict[str, str]) -> None:
    line = ask("hub:owner/model", **settings)
    assert line.startswith("InputError: hub:owner/model: ")
    assert line.isprintable()


OUTSIDE = ["../b", "/tmp/b", "a/../../b", "a//b", "a/", "a/..", ".a", "a/.b", "a.", "a..b", "a\nb", "a\x00b", "a\\b"]


@pytest.mark.parametrize("revision", [*OUTSIDE, "%2e%2e%2fb", "a" * 101, "a/" * 5 + "a", "\u202ea", "ä", "-a", "a b"])
def test_a_revision_is_no_path(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # it is refused before anything is asked
    for wanted in (hub.config, hub.checkpoint):
        with pytest.raises(InputError, match="hub:OWNER/NAME@REVISION") as refusal:
            wanted(f"hub:owner/name@{revision}")
        assert str(refusal.value).isprintable()


@pytest.mark.parametrize("source", ["a/b", "A-1.5_b/c.d", "a/b@main", "a/b@refs/pr/1", "a/b@v1.0+x", f"a/b@{COMMIT}"])
def test_names_and_revisions_as_the_hub_has_them_are_taken(source: str) -> None:
    name, _, revision = source.partition("@")
    assert hub._repository(f"hub:{source}") == (name, revision or None)


@pytest.mark.parametrize(
    "source",
    [
        *("hub:", "hub:model", "hub:a/b/c", "hub:a/b@", "hub:../b", "hub:a/b@\u202e", "hub:a b/c"),
        *("hub:a/..", "hub:a/b--c", "hub:a/.b", "hub:a/b.", "hub:a/b\n", "hub:" + "a" * 200 + "/b"),
    ],
)
def test_what_is_no_repository_is_refused(source: str) -> None:
    assert hub.is_named(source)
    with pytest.raises(InputError, match="hub:OWNER/NAME") as refusal:
        hub.checkpoint(source)
    assert str(refusal.value).isprintable()


def test_without_the_extra_the_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for wanted in (hub.config, hub.checkpoint):
        with pytest.raises(InputError, match="pip install huggingface_hub"):
            wanted("hub:owner/model")
