"""What ``-o`` does to the files that are there: whole or not at all, and nothing but the one that is named."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gptcount.cli import main
from gptcount.errors import InputError
from gptcount.output.answer import free, write_file
from gptcount.sources.loading import load
from gptcount.sources.specification import toml

COMMANDS = ["breakdown", "compare", "verify-shapes", "show", "report", "plot", "audit --against"]


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert isinstance(left.value.code, int)
    return left.value.code


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_file_has_the_mode_that_the_system_gives(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_file("text", str(tmp_path / "new"))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert names(tmp_path) == {"new"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o666])
def test_what_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    file.chmod(mode)
    write_file("after", str(file))
    assert file.read_text() == "after"
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_secret_is_never_readable_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, modes = tmp_path / "file", []
    file.touch(0o600)
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (modes.append(os.stat(a).st_mode), replace(a, b)))
    write_file("after", str(file))
    assert [stat.S_IMODE(mode) for mode in modes] == [0o600]


def test_the_file_beside_is_new_and_cannot_be_foretold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, opened = [], os.open
    monkeypatch.setattr(
        os, "open", lambda path, flags, mode=0o777: (made.append((path, flags)), opened(path, flags, mode))[1]
    )
    for _ in range(2):
        write_file("text", str(tmp_path / "file"))
    (first, flags), (second, _) = made
    assert first != second
    assert Path(first).parent == Path(second).parent == tmp_path
    assert flags & os.O_EXCL
    assert flags & os.O_NOFOLLOW
    assert str(os.getpid()) not in first.replace(str(tmp_path), "").split(".")


def test_a_name_as_long_as_names_may_be_is_written(tmp_path: Path) -> None:
    write_file("text", str(tmp_path / ("n" * 255)))
    assert names(tmp_path) == {"n" * 255}


def test_a_link_is_followed_to_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to("there/file")
    for text in ("one", "two"):
        write_file(text, str(link))
        assert link.is_symlink()
        assert (tmp_path / "there/file").read_text() == text
    assert names(tmp_path / "there") == {"file"}


def test_a_hard_link_keeps_what_it_had(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    os.link(tmp_path / "file", tmp_path / "other")
    write_file("after", str(tmp_path / "file"))
    assert ((tmp_path / "file").read_text(), (tmp_path / "other").read_text()) == ("after", "before")


def test_a_device_and_a_pipe_are_written_as_they_are() -> None:
    write_file("text", os.devnull)
    assert not Path(os.devnull).is_file()
    done = subprocess.run(
        [sys.executable, "-m", "gptcount", "presets", "-o", "/dev/stdout"], capture_output=True, text=True, check=True
    )
    assert "gpt3" in done.stdout


@pytest.mark.parametrize("fails", ["replace", "fchmod"])
def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("before")
    monkeypatch.setattr(os, fails, full)
    with pytest.raises(InputError, match=r"-o .*: cannot be written: no space left on device"):
        write_file("after", str(tmp_path / "file"))
    assert names(tmp_path) == {"file"}
    assert (tmp_path / "file").read_text() == "before"


@pytest.mark.parametrize("name", ["", "new/", "here", "here/", ".", "..", "new/.", "here/.."])
def test_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    for refuse in (lambda: free(name, ()), lambda: write_file("text", name)):
        with pytest.raises(InputError, match="is a directory, and a file is expected"):
            refuse()
    assert names(tmp_path) == {"here"}


@pytest.mark.parametrize("name", ["loop", "none/file", "file/file", "a\0b"])
def test_what_cannot_be_written_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("file").touch()
    with pytest.raises(InputError, match=r"-o .*: cannot be written: ") as refusal:
        write_file("text", name)
    assert str(refusal.value).isprintable()
    assert names(tmp_path) == {"loop", "file"}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("how", ["same", "symlink", "hard link", "relative", "folder"])
def test_no_command_writes_over_what_it_reads(
    command: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ending = {"report": ".html", "plot": ".svg", "show": ".toml"}.get(command, ".md")
    source = tmp_path / ("config.json" if how == "folder" else "model.toml")
    source.write_text('{"model_type": "gpt2"}' if how == "folder" else toml(load("gpt2")))
    before, output = source.read_bytes(), {"same": str(source), "relative": "./model.toml"}.get(how, f"out{ending}")
    if how in ("symlink", "folder"):
        Path(output).symlink_to(source)
    elif how == "hard link":
        Path(output).hardlink_to(source)
    elif ending not in (".toml", ".md"):
        pytest.skip("its ending is refused before")
    named = str(tmp_path) if how == "folder" else str(source)
    words = ["audit", "x.safetensors", "--against", named] if command.startswith("audit") else [command, named]
    assert run(*words, "-o", output) == 2
    said = capsys.readouterr().err
    assert "is read from it; name another file" in said or (how in ("same", "relative") and "toml" in said)
    assert source.read_bytes() == before


def test_a_file_beside_the_model_may_be_written_again(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "n_layer": 12}')
    (tmp_path / "model.safetensors").symlink_to("nowhere")
    for _ in range(2):
        assert run("breakdown", str(tmp_path), "-o", str(tmp_path / "counts.json")) == 0
        assert run("breakdown", "gpt3", "-o", str(tmp_path / "counts.json")) == 0


def test_standard_input_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "model.md"
    file.write_text(toml(load("gpt2")))
    with file.open() as text:
        done = subprocess.run(
            [sys.executable, "-m", "gptcount", "breakdown", "-", "-o", str(file)],
            stdin=text,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert file.read_text() == toml(load("gpt2"))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write what it likes; run it as a user"
)
def test_what_may_not_be_written_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o400)
    with pytest.raises(InputError, match="permission denied"):
        write_file("after", str(tmp_path / "file"))


def test_a_folder_of_other_programs_is_not_run(tmp_path: Path) -> None:
    for name in ("numpy", "typer", "json", "pydantic"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not ours')")
    command = [sys.executable, "-m", "gptcount", "verify-shapes", "gpt2"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
