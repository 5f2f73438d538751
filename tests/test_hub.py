"""The hub, played by a little server on the loopback address; each question is asked by a program of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gptcount.errors import InputError
from gptcount.sources import config_json, hub
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
import sys, time
time.sleep = lambda seconds: None  # the library waits before it asks again
from gptcount.audit import load
from gptcount.errors import InputError
try:
    found = load(sys.argv[1], *sys.argv[2:])
    print(found.checkpoint, found.agrees, sum(row.elements for row in found.rows), *found.notes)
except InputError as fault:
    print("InputError:", fault)
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


class Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, asked = self.server, self.headers.get("Range")
        hub.asked.append((self.command, self.path, asked))
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
        self.send_header("X-Repo-Commit", COMMIT)
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
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
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
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **settings,
        }
        command = [sys.executable, "-c", AUDIT, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout.count("\n") == 1, done.stdout
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


@pytest.mark.parametrize(
    "source", ["hub:", "hub:model", "hub:a/b/c", "hub:a/b@", "hub:../b", "hub:a/b@\u202e", "hub:a b/c"]
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
