"""The documents show what the program does: every block in them is run, and what they show is compared.

    python tests/test_docs.py --write

puts what the program prints now in place of what is shown. The blocks of a document are run in their order, in one
empty folder:

- ``console``: commands after ``$ ``, and under each what it prints. A line ``...`` stands for lines left out; what
  stands between two such lines is found by its first line, of which the beginning will do.
- ``python``: what it prints stands in the ``text`` block after it.
- ``toml``: saved as the file that its first line names in a comment, and read as a model.
- ``json``: saved as ``config.json``, and read as a model.
- ``sh``: not run; it may hold only ``make`` with a target that there is.
"""

import difflib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import gptcount

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "..."


def refreshed(document: str, folder: Path) -> str:
    """A document, with what its blocks print now. Raises ValueError for a block that is wrong in itself."""
    parts, end, printed = [], 0, ""
    for block in BLOCK.finditer(document):
        kind, body = block.groups()
        if printed and kind != "text":
            raise ValueError(f"a text block is wanted for what is printed: {printed}")
        if kind == "console":
            body = "".join(session(body, folder))
        elif kind == "python":
            printed = run([sys.executable, "-c", body], folder)
        elif kind == "text":
            body, printed = shortened(printed, body), ""
        elif kind == "toml":
            name = re.match(r"# ([\w-]+\.toml)\n", body)
            if not name:
                raise ValueError(f"the first line is a comment that names the file: {body}")
            (folder / name[1]).write_text(body, encoding="utf-8")
            gptcount.load(folder / name[1])
        elif kind == "json":
            (folder / "config.json").write_text(body, encoding="utf-8")
            gptcount.load(folder / "config.json")
        elif kind != "sh":
            raise ValueError(f"a block that nothing runs: ```{kind}\n{body}")
        parts += [document[end : block.start(2)], body]
        end = block.end(2)
    if printed:
        raise ValueError(f"a text block is wanted for what is printed: {printed}")
    return "".join([*parts, document[end:]])


def session(body: str, folder: Path) -> Iterator[str]:
    """The lines of a console block: each command, and what it prints now."""
    before, *commands = re.split(r"^\$ ", body, flags=re.MULTILINE)
    if before or not commands:
        raise ValueError(f"a console block begins with a command: {body}")
    for text in commands:
        command, _, shown = text.partition("\n")
        yield f"$ {command}\n{shortened(run(['sh', '-c', command], folder), shown)}"


def run(command: list[str], folder: Path) -> str:
    """What a command prints, errors too: piped, 80 columns, no colour. It may fail only with a line of gptcount's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FORCE_COLOR"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "PATH": path, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    if "Traceback" in done.stdout or (done.returncode and not done.stdout.startswith("gptcount: ")):
        raise ValueError(f"{command} ends with {done.returncode}: {done.stdout}")
    return done.stdout


def shortened(printed: str, shown: str) -> str:
    """What is printed, less what is left out where it is shown: as many lines of each piece, from its first line on."""
    lines = printed.splitlines()
    pieces: list[list[str]] = [[]]
    for line in shown.splitlines():
        if line == LEFT_OUT:
            pieces.append([])
        else:
            pieces[-1].append(line)
    if len(pieces) == 1:
        return printed
    first, *middle, last = pieces
    kept, at = lines[: len(first)], len(first)
    for piece in middle:
        begins = [place for place in range(at, len(lines)) if lines[place].startswith(piece[0])]
        if not begins:
            raise ValueError(f"nothing printed begins so: {piece[0]}")
        begin = next((place for place in begins if lines[place] == piece[0]), begins[0])
        at = begin + len(piece)
        kept += [LEFT_OUT, *lines[begin:at]]
    return "\n".join([*kept, LEFT_OUT, *(lines[-len(last) :] if last else []), ""])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_shows_is_what_is_printed(path, tmp_path):
    shown = path.read_text(encoding="utf-8")
    printed = refreshed(shown, tmp_path)
    changes = difflib.unified_diff(shown.splitlines(), printed.splitlines(), "shown", "printed", lineterm="")
    assert shown == printed, "\n".join(["make docs writes what is printed now", *changes])


def page_of_the_library():
    path = ROOT / "docs" / "make_library.py"
    specification = importlib.util.spec_from_file_location("make_library", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_library_page_is_what_the_docstrings_say():
    make_library = page_of_the_library()

    assert make_library.PAGE.read_text(encoding="utf-8") == make_library.page(), "make docs writes it anew"


def test_the_library_page_tells_of_every_public_name():
    make_library = page_of_the_library()

    told = {public for names in make_library.CHAPTERS.values() for public, _, _ in names}
    assert {f"gptcount.{name}" for name in gptcount.__all__} - told <= {"gptcount.__version__"}
    for public in told:
        module, _, name = public.rpartition(".")
        assert hasattr(importlib.import_module(module), name), public


@pytest.mark.parametrize("picture", ["terminal.svg", "treemap.svg"])
def test_a_picture_is_there_and_loads_nothing(picture):
    drawn = (ROOT / "docs" / picture).read_text(encoding="utf-8")
    assert f"docs/{picture}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "174,604,259,328" in drawn or picture == "treemap.svg"
    assert "<script" not in drawn


def text_of_all():
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def test_each_command_is_mentioned():
    import typer

    from gptcount.cli import app

    commands = typer.main.get_command(app).commands
    assert commands
    assert [name for name in commands if f"gptcount {name}" not in text_of_all()] == []


def test_each_option_is_mentioned():
    import typer

    from gptcount.cli import app

    commands = typer.main.get_command(app).commands.values()
    options = {option for command in commands for each in command.params for option in each.opts if option[:2] == "--"}
    assert "--explain" in options
    assert sorted(option for option in options if not re.search(rf"(?<![\w-]){option}\b", text_of_all())) == []


def test_each_public_name_is_mentioned():
    assert [name for name in gptcount.__all__ if f"gptcount.{name}" not in text_of_all()] == []


def test_what_is_to_be_typed_with_make_is_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    blocks = [body for kind, body in BLOCK.findall(text_of_all()) if kind == "sh"]
    commands = [line.partition("#")[0].split() for body in blocks for line in body.splitlines()]
    assert commands
    assert [words for words in commands if words[0] != "make" or not set(words[1:]) <= targets] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_each_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^):]+)\)", path.read_text(encoding="utf-8")):
        file, _, title = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        assert not title or title in titles(there), target


def titles(path):
    found = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("", "a\nb\nc\nd\n"),
        ("x\n", "a\nb\nc\nd\n"),
        ("...\n", "...\n"),
        ("x\n...\n", "a\n...\n"),
        ("...\nx\n", "...\nd\n"),
        ("x\ny\n...\nz\n", "a\nb\n...\nd\n"),
        ("...\nb\nx\n...\n", "...\nb\nc\n...\n"),
    ],
)
def test_an_ellipsis_leaves_lines_out(shown, expected):
    assert shortened("a\nb\nc\nd\n", shown) == expected


def test_a_piece_that_is_not_there_any_more_is_no_silence():
    with pytest.raises(ValueError, match="begins so: x"):
        shortened("a\nb\n", "...\nx\n...\n")


def test_a_command_that_breaks_is_no_document(tmp_path):
    for command in ("false", "python -c 1/0"):
        with pytest.raises(ValueError, match="ends with 1"):
            refreshed(f"```console\n$ {command}\n```\n", tmp_path)


def test_a_block_that_nothing_runs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing runs"):
        refreshed("```bash\ngptcount\n```\n", tmp_path)


def write() -> None:
    """Put what is printed now into every document."""
    for path in DOCUMENTS:
        shown = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            printed = refreshed(shown, Path(folder))
        path.write_text(printed, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {'as it was' if printed == shown else 'written anew'}")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
