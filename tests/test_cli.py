"""The real program: streams, exit codes, colour, files, and bad input."""

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from gptcount import load
from gptcount.cli import main
from gptcount.sources import specification

ROOT = Path(__file__).parent.parent
TOTAL = "175,181,291,520"


def environment(**more):
    kept = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")
    }
    return {**kept, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **more}


def run(*arguments, stdin=None, **more):
    command = [sys.executable, "-m", "gptcount", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, env=environment(**more), timeout=60, check=False)


def said(*arguments, **more):
    done = run(*arguments, **more)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode()


def refused(*arguments, code=2, **more):
    """What the program says on stderr when it refuses: clear lines, no traceback, nothing on stdout."""
    done = run(*arguments, **more)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert lines
    assert all(line.startswith("gptcount: ") for line in lines), lines
    return lines


def on_terminal(columns, *arguments, **more):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    command = [sys.executable, "-m", "gptcount", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**more))
    os.close(theirs)
    read = b""
    while True:
        try:
            more_read = os.read(ours, 65536)
        except OSError:
            break
        if not more_read:
            break
        read += more_read
    os.close(ours)
    assert process.wait(60) == 0
    return read.decode().replace("\r\n", "\n")


def test_piped_is_plain():
    piped = said("breakdown", "gpt3")
    assert TOTAL in piped
    assert "\x1b" not in piped
    assert not set(piped) & set("█▏▎▍▌▋▊▉│┃┏")


def test_a_terminal_has_colours_and_bars():
    drawn = on_terminal(120, "breakdown", "gpt3")
    assert "\x1b[" in drawn
    assert "█" in drawn
    assert TOTAL in re.sub(r"\x1b\[[\d;]*m", "", drawn)


@pytest.mark.parametrize("columns", [20, 33, 47, 60, 80, 120, 200])
def test_counts_are_whole_on_a_real_terminal(columns):
    drawn = re.sub(r"\x1b\[[\d;]*m", "", on_terminal(columns, "breakdown", "gpt3"))
    for count in (TOTAL, "174,604,259,328", "27,938", "−617,558,016", "57,982,058,496", "115,964,116,992"):
        assert re.search(rf"(?<![\d,]){count}(?![\d,])", drawn)
    assert all(" " not in line.strip() for line in drawn.splitlines() if len(line) > columns), (
        "only a long word overruns"
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
        ([], {"FORCE_COLOR": "0"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colour_on_a_terminal(arguments, variables, coloured):
    assert ("\x1b" in on_terminal(80, "breakdown", "gpt2", *arguments, **variables)) == coloured


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_through_a_pipe(arguments, variables, coloured):
    assert ("\x1b" in said("breakdown", "gpt2", *arguments, **variables)) == coloured


@pytest.mark.parametrize(
    "command", ["breakdown gpt3 --explain", "compare presets", "presets", "show gpt3", "breakdown gpt3 --json"]
)
def test_a_reader_that_leaves_early_gives_no_traceback(command):
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "gptcount", *command.split()],
        stdout=write,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    os.close(write)
    assert process.stderr == b""
    assert process.returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize(
    "command",
    ["breakdown gpt3 --explain", "compare presets", "breakdown gpt3 --color always", "breakdown gpt3 -f latex"],
)
def test_a_stream_that_cannot_say_it_all(command, encoding):
    done = run(*command.split(), PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"174,604,259,328" in done.stdout
    assert not re.search(rb"\\(u[0-9a-f]{4}|x[0-9a-f]{2})", done.stdout)
    done.stdout.decode(encoding)
    assert json.loads(run("breakdown", "gpt3", "--json", PYTHONIOENCODING=encoding).stdout.decode(encoding))


def python(*lines):
    code = "\n".join(["import sys", *lines, "print(*sys.modules)"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    *out, modules = done.stdout.splitlines()
    return out, set(modules.split())


def program(*arguments):
    return python("from gptcount.cli import main", f"try: main({list(arguments)})", "except SystemExit: pass")


def test_version_imports_nothing_heavy():
    out, modules = program("--version")
    assert re.fullmatch(r"gptcount \d+\.\d+\.\d+", out[0])
    assert not {"numpy", "rich", "pydantic.main", "gptcount.architecture"} & modules


@pytest.mark.parametrize("command", ["breakdown gpt3", "compare presets", "breakdown gpt3 --json", "presets"])
def test_piped_it_imports_no_numpy_and_no_rich(command):
    out, modules = program(*command.split())
    assert out
    assert not {"numpy", "rich"} & modules
    assert not [module for module in modules if module.startswith("gptcount.families")]


def test_completion_reads_file_names_only():
    out, modules = python(
        "import tomllib; tomllib.loads = None",
        "from gptcount.options import presets_and_all, presets_named",
        "print(*presets_named('gpt3')); print(*presets_and_all('pre'))",
    )
    assert "gpt3" in out[0].split()
    assert "gpt2" not in out[0].split()
    assert out[1] == "presets"
    assert not {"numpy", "rich"} & modules


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown", "latex"])
@pytest.mark.parametrize(
    "command", [["breakdown", "gpt3"], ["compare", "gpt3", "gpt2"], ["compare", "presets"], ["presets"]]
)
def test_a_file_gets_what_a_pipe_gets(tmp_path, command, format):
    file = tmp_path / "out"
    assert said(*command, "-f", format, "-o", str(file)) == ""
    assert file.read_text("utf-8") == said(*command, "-f", format, PYTHONIOENCODING="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "kept"
    file.write_text("before")
    assert "no such file or directory" in refused("breakdown", "gpt3", "-o", str(tmp_path / "no" / "x"))[0]
    assert "is a directory, and a file is expected" in refused("breakdown", "gpt3", "-o", str(tmp_path))[0]
    assert "no space left" in refused("breakdown", "gpt3", "-o", "/dev/full")[0]
    refused("breakdown", "gpt33", "-o", str(file))
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_link_stays_a_link(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    said("show", "gpt3", "-o", str(link))
    assert link.is_symlink()
    assert load(tmp_path / "file") == load("gpt3")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("brekdown gpt3", "breakdown"),
        ("breakdown", "MODEL"),
        ("compare", "MODEL"),
        ("breakdown gpt33", "gpt3"),
        ("breakdown gpt3 gpt2", "gpt2"),
        ("breakdown gpt3 --explian", "--explain"),
        ("breakdown gpt3 --reading stapled", "value-up"),
        ("breakdown gpt3 -f xml", "markdown"),
        ("breakdown gpt3 --json -f csv", "--json"),
        ("breakdown gpt3 --color sometimes", "never"),
        ("breakdown gpt3 --set n_layer=3", "n_layers"),
        ("breakdown gpt3 --set n_layers", "KEY=VALUE"),
        ("breakdown gpt3 --set n_layers=0", "n_layers"),
        ("breakdown gpt3 --set n_layers=-1", "n_layers"),
        ("breakdown gpt3 --set n_layers=true", "n_layers"),
        ("breakdown gpt3 --set n_layers=1.5", "n_layers"),
        ("breakdown gpt3 --set d_model=1000000000000000000000000000000", "d_model"),
        ("breakdown gpt3 --set attention.n_head=1", "n_heads"),
        ("breakdown gpt3 --set attention.n_heads.x=1", "attention.n_heads.x"),
        ("breakdown /no/such.toml", "no such file"),
        ("breakdown .", "folder"),
        ("verify-shapes gpt3 --temperature 0", "temperature"),
        ("verify-shapes gpt3 --temperature nan", "temperature"),
        ("breakdown", "; see gptcount breakdown --help"),
        ("breakdown gpt3 -f tabel", "did you mean table?"),
        ("breakdown gpt3 --reading heds", "did you mean heads?"),
        ("breakdown gpt3 --reading stored --explain", "--explain"),
        ("verify-shapes --temperature x", "expected a number"),
        ("breakdown presets", "one model is expected"),
        ("show presets", "gptcount compare presets"),
        ("breakdown gpt3 --set n_kv_heads=8", "did you mean attention.n_kv_heads?"),
        ("breakdown gpt3 --set attention=3", "attention: expected a table, not 3"),
        ("breakdown gpt3 --set norm=false", "norm: expected a table, not false"),
        ("breakdown gpt3 --set variations=3", "expected a list"),
    ],
)
def test_bad_usage_is_one_clear_line(command, says):
    lines = refused(*command.split())
    assert len(lines) == 1
    assert says in lines[0]
    assert not re.search(r"Value error|: : |extract fields|instance of", lines[0])


def test_a_folder_called_presets_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "presets").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "one model is expected" in refused("breakdown", "presets")[0]


def test_a_changed_model_is_not_held_against_the_published_total():
    changed = ("gpt3", "--set", "n_layers=48")
    shown = said("breakdown", *changed)
    assert "Published" not in shown
    assert "Note: changed, so the published total is not compared." in shown
    assert json.loads(said("breakdown", *changed, "--json"))["published"] is None
    assert "published" not in said("show", *changed).replace("the published total", "")
    compared = said("compare", *changed)
    assert "counted" not in compared
    assert "changed, so the published total" in compared


def test_verify_shapes_of_one_and_of_several():
    walk = said("verify-shapes", "gpt2", PYTHONIOENCODING="utf-8")
    assert walk.endswith("GPT-2 124M: all shapes hold\n")
    assert "ok a small likeness" in said("verify-shapes", "gpt2", PYTHONIOENCODING="ascii")
    several = said("verify-shapes", "gpt2", "gpt3")
    assert several.count("all shapes hold") == 2
    assert len(several.splitlines()) == 4
    document = json.loads(said("verify-shapes", "gpt2", "--json"))
    assert list(document) == ["schema", "model", "steps", "confirmed", "failures"]


@pytest.mark.parametrize("command", ["breakdown", "compare", "verify-shapes", "show", "presets"])
def test_help_has_no_brackets_of_typers(command):
    out = said(command, "--help")
    assert not re.search(r"[{}<]|\[\[|default: \(", out)


def test_set_is_repeatable():
    document = json.loads(
        said("breakdown", "gpt3", "--set", "n_layers=48", "--set", "attention.n_kv_heads=8", "--json")
    )
    rows = {row["weight"]: row for row in document["rows"]}
    assert rows["attention.key"]["matrices"] == 48 * 8
    assert rows["attention.query"]["matrices"] == 48 * 96


@pytest.mark.parametrize("name", ["my[red]model", "weird[/x]", ":tiger:", "\x1b[31mred", "a\u202eb"])
def test_a_hostile_name_from_a_file(name):
    text = specification.toml(load("gpt2").model_copy(update={"name": name}))
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    for shown in (
        run("breakdown", "-", stdin=text.encode()).stdout.decode(),
        run("breakdown", "-", "--color", "always", stdin=text.encode()).stdout.decode(),
        run("compare", "-", "gpt2", stdin=text.encode()).stdout.decode(),
    ):
        assert safe in shown
        assert name == safe or name not in shown


def test_show_reads_back(tmp_path):
    for model in ("gpt3", "deepseek-v3"):
        file = tmp_path / f"{model}.toml"
        file.write_text(said("show", model))
        assert load(file) == load(model)


def test_interrupted_is_130():
    process = subprocess.Popen(
        [sys.executable, "-m", "gptcount", "breakdown", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in errors


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], ["breakdown", "-h"]])
def test_help_shows_examples_first(arguments):
    out = said(*arguments)
    assert out.index("gptcount breakdown gpt3") < out.index("Options:")


@pytest.mark.parametrize(
    "command", ["breakdown gpt2", "show gpt2", "compare gpt2 gpt3 --json", "--version", "--help", ""]
)
def test_a_stdout_that_takes_nothing_is_one_line(command):
    for redirection in (">/dev/full", ">&-", "1</dev/null"):
        shell = ["sh", "-c", f'exec "$0" -m gptcount {command} {redirection}', sys.executable]
        done = subprocess.run(shell, stderr=subprocess.PIPE, env=environment(), check=False, timeout=60)
        assert done.returncode == 1, (redirection, done.stderr)
        assert re.fullmatch(rb"gptcount: standard output: [a-z ]+\n", done.stderr), (redirection, done.stderr)


def test_a_closed_stdin_is_one_line():
    shell = ["sh", "-c", 'exec "$0" -m gptcount breakdown - <&-', sys.executable]
    done = subprocess.run(shell, capture_output=True, env=environment(), check=False, timeout=60)
    assert (done.returncode, done.stderr) == (2, b"gptcount: standard input: closed\n")


@pytest.mark.parametrize(("ending", "format"), [("json", "json"), ("csv", "csv"), ("md", "markdown"), ("tex", "latex")])
def test_a_file_s_ending_is_its_format(tmp_path, ending, format):
    file = tmp_path / f"out.{ending}"
    said("breakdown", "gpt2", "-o", str(file))
    assert file.read_text("utf-8") == said("breakdown", "gpt2", "-f", format, PYTHONIOENCODING="utf-8")
    other = "csv" if format == "json" else "json"
    assert format in refused("breakdown", "gpt2", "-f", other, "-o", str(file))[0]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("breakdown gpt2 -o out.html", "gptcount report"),
        ("compare gpt2 gpt3 -o out.png", "gptcount plot"),
        ("report gpt2 -o out.pdf", "report writes HTML"),
        ("show gpt2 -o out.json", "show writes TOML"),
        ("breakdown gpt3 --set n_layers 48", "did you mean --set n_layers=48?"),
        ("breakdown gpt3 gpt2", "did you mean gptcount compare gpt3 gpt2?"),
        ("breakdown gpt3 --output", "see gptcount breakdown --help"),
        ("compare gpt2 deepseek-v3 --set attention.n_kv_heads=4", "DeepSeek-V3 with"),
    ],
)
def test_what_was_meant_is_said(command, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (line,) = refused(*command.split())
    assert says in line
    assert list(tmp_path.iterdir()) == []


def test_report_overwrites_nothing_unasked(tmp_path, monkeypatch):
    pytest.importorskip("plotly")
    monkeypatch.chdir(tmp_path)
    assert run("report", "gpt2").stderr.startswith(b"report.html: ")
    assert "is there already" in refused("report", "gpt2")[0]
    assert run("report", "gpt2", "-o", "report.html").returncode == 0


def test_families_lists_every_model_type():
    from gptcount.families import MODULES

    document = json.loads(said("families", "--json"))
    listed = [family["model_type"] for family in document["families"]]
    assert listed[: len(MODULES)] == list(MODULES)
    assert {"llava", "qwen2_5_vl"} <= set(listed)
    assert all(family["what"] and family["group"] for family in document["families"])
    table = said("families")
    assert all(re.search(rf"^{re.escape(name)} ", table, re.MULTILINE) for name in MODULES)
    assert len(said("families", "-f", "csv").splitlines()) == len(listed) + 1


@pytest.mark.parametrize(
    ("model_type", "what"),
    [
        ("bert", "an encoder"),
        ("xlm-roberta", "an encoder"),
        ("t5", "an encoder-decoder"),
        ("bart", "an encoder-decoder"),
        ("whisper", "a speech or audio model"),
        ("vit", "a vision model"),
        ("clip", "a model of texts beside pictures"),
    ],
)
def test_what_is_no_decoder_is_named_as_what_it_is(model_type, what):
    (line,) = refused("breakdown", "-", stdin=json.dumps({"model_type": model_type}).encode())
    assert f"is {what};" in line
    assert "TOML" not in line
    assert "did you mean" not in line


def test_an_unknown_model_type_says_where_the_known_are_listed():
    from gptcount.families import MODULES, listed
    from gptcount.families.others import OTHERS, UNREAD

    (line,) = refused("breakdown", "-", stdin=b'{"model_type": "lamma"}')
    assert "did you mean llama" in line
    assert f"'gptcount families' lists the {len(listed())}" in line
    assert not OTHERS.keys() & (MODULES.keys() | UNREAD.keys())


def test_show_of_a_changed_model_is_a_file_of_its_own():
    text = said("show", "gpt3", "--set", "n_layers=48")
    assert text.startswith("# gpt3 with n_layers=48\n")
    assert "published" not in text
    assert "notes" not in text


def test_the_library_s_names_are_there_after_a_plain_import():
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8") + (ROOT / "README.md").read_text(encoding="utf-8")
    names = sorted({name for name in re.findall(r"gptcount(?:\.\w+)+", page) if not name.endswith((".svg", ".py"))})
    assert "gptcount.reference.full.run" in names
    for name in names:
        python("import gptcount", name)


@pytest.mark.parametrize("form", ["json", "table"])
def test_a_stream_in_memory_stands_in_for_stdout(form: str, monkeypatch: pytest.MonkeyPatch):
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(SystemExit) as done:
        main(["breakdown", "gpt3", "--format", form])
    assert not done.value.code
    assert TOTAL.replace(",", "" if form == "json" else ",") in stdout.getvalue()
