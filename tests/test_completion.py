"""Completion in the real shells, switched on as the README says: what a person types, a tab, and what it becomes."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent

CASES = [
    ("gptcount verif", "gptcount verify-shapes"),
    ("gptcount breakdown --expl", "gptcount breakdown --explain"),
    ("gptcount breakdown gpt3-me", "gptcount breakdown gpt3-medium"),
    ("gptcount compare gpt3 mixtral-8x7", "gptcount compare gpt3 mixtral-8x7b"),
    ("gptcount compare preset", "gptcount compare presets"),
    ("gptcount breakdown gpt3 --format mark", "gptcount breakdown gpt3 --format markdown"),
    ("gptcount breakdown gpt3 --reading val", "gptcount breakdown gpt3 --reading value-up"),
    ("gptcount breakdown ./own", "gptcount breakdown ./own-model.toml"),
    ("gptcount breakdown own", "gptcount breakdown own-model.toml"),
    ("gptcount breakdown gpt2-o", "gptcount breakdown gpt2-own.toml"),
    ("gptcount audit weights", "gptcount audit weights.safetensors"),
    (
        "gptcount audit weights.safetensors --against gpt3-me",
        "gptcount audit weights.safetensors --against gpt3-medium",
    ),
]
"""What is typed before a tab, and what it is to become."""

FILES = ("own-model.toml", "gpt2-own.toml", "weights.safetensors")

ENVIRONMENT = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL")}


def found(shell: str) -> str:
    path = shutil.which(shell)
    if not path:
        pytest.skip(
            f"{shell} is not installed, so completion in it is not tested; on Debian and Ubuntu: apt install {shell}"
        )
    return path


def home(folder: Path, path: str) -> dict[str, str]:
    """The environment of a person who has files in a folder and has switched completion on."""
    here = folder / "here"
    here.mkdir()
    for name in FILES:
        (here / name).touch()
    environment = {
        **ENVIRONMENT,
        "HOME": str(folder),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "TERM": "vt100",
    }
    done = subprocess.run(
        [path, "-c", "gptcount --install-completion; true"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "completion installed" in done.stdout, done.stdout + done.stderr
    return environment


class Terminal:
    """A shell that believes it talks to a person."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.pid, self.end = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execve(command[0], command, environment)
        self.type("PS1='ready> '; PS2=; printf '%s\\n' go\"\"ing\r")
        self.read("going")

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def read(self, until: str) -> str:
        """What is shown, as far as a pattern that must come."""
        shown, late = "", time.monotonic() + 60
        while not re.search(until, shown):
            assert time.monotonic() < late, f"no {until!r} in {shown!r}"
            if select.select([self.end], [], [], 0.1)[0]:
                shown += os.read(self.end, 65536).decode(errors="replace")
        return shown

    def completed(self, typed: str) -> str:
        """The line that a tab makes of what is typed: put between brackets, and printed instead of run."""
        self.type(f"{typed}\t\x01printf '<<%s>>\\n' \"\x05\"\r")
        return re.search(r"<<(?!%s)(.*?)>>", self.read(r"<<(?!%s)[^\n]*>>"))[1].strip()

    def close(self) -> None:
        os.close(self.end)
        os.waitpid(self.pid, 0)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_tab_completes(shell, tmp_path):
    path = found(shell)
    environment = home(tmp_path, path)
    terminal = Terminal([path, "-i"], environment, tmp_path / "here")
    try:
        assert [terminal.completed(typed) for typed, _ in CASES] == [wanted for _, wanted in CASES]
    finally:
        terminal.close()


def test_fish_completes(tmp_path):
    path = found("fish")
    environment = home(tmp_path, path)
    for typed, wanted in CASES:
        done = subprocess.run(
            [path, "-c", f"complete --do-complete {typed!r}"],
            env=environment, cwd=tmp_path / "here", capture_output=True, text=True, check=True,
        )  # fmt: skip
        words = [line.partition("\t")[0] for line in done.stdout.splitlines()]
        assert words == [wanted.rpartition(" ")[2]], typed


@pytest.mark.parametrize(
    "typed", ["gptcount ", "gptcount breakdown ", "gptcount breakdown --", "gptcount compare gpt3-"]
)
def test_completing_imports_little_and_reads_no_preset(typed, tmp_path):
    words = typed.split(" ")
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1), "_GPTCOUNT_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", BIN / "gptcount"],
        env=os.environ | asked, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert words[-1] in done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "gptcount" in imported
    assert imported & {"numpy", "pydantic", "tomllib", "rich", "plotly", "safetensors", "json"} == set()
