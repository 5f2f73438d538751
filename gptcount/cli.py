"""The command line, thin: parse, load, read, print. Here every error of ours becomes lines on stderr."""

from __future__ import annotations

import gc
import os
import re
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperCommand, TyperGroup

from gptcount.errors import GptCountError, InputError, ShapeError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gptcount.ledger import Reading
    from gptcount.output import charts
    from gptcount.output.table import Part

CHECK_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def _presets(incomplete: str) -> list[str]:
    """What the name of a model may be completed to: presets, by their files' names, nothing is read; and the folders
    and files here that may be models. Nothing where no preset begins so: the shell then completes any path."""
    return _named(incomplete, [])


def _presets_and_all(incomplete: str) -> list[str]:
    return _named(incomplete, ["presets"])


def _named(incomplete: str, more: list[str]) -> list[str]:
    from gptcount.sources.presets import names

    found = [name for name in [*names(), *more] if name.startswith(incomplete)]
    if not found:
        return []
    plain = re.compile(r"\w[\w.+-]*", re.ASCII)  # a name that means the same in every shell
    here: list[str] = []
    with suppress(OSError):
        here = sorted(entry.name for entry in os.scandir() if entry.is_dir() or entry.name.endswith((".toml", ".json")))
    there = [name for name in here if name.startswith(incomplete) and plain.fullmatch(name)]
    return list(dict.fromkeys(found + there))


def _model(metavar: str, many: bool = False, default: str = "") -> Any:
    """The argument that names a model, or several."""
    one = "A preset's name, a TOML file, a config.json or its folder, or - for stdin"
    return typer.Argument(
        metavar=metavar,
        autocompletion=_presets_and_all if many else _presets,
        show_default=False,
        help=one + ("; a folder of such, or 'presets' for all." if many else ".") + default,
    )


def _one_of(choices: tuple[str, ...], *names: str, help: str) -> Any:
    """An option that takes one of a few words, which are looked at when they are used: see ``_chosen``."""

    def beginning(incomplete: str) -> list[str]:
        return [word for word in choices if word.startswith(incomplete)]

    return typer.Option(*names, metavar="|".join(choices), autocompletion=beginning, show_default=False, help=help)


FORMATS = ("table", "json", "csv", "markdown", "latex")
COLOURS = ("auto", "always", "never")
READINGS = ("heads", "value-up", "stored")
KINDS = ("treemap", "bars", "waterfall")

Model = Annotated[str, _model("MODEL")]
Models = Annotated[list[str], _model("MODEL...", many=True)]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        show_default=False,
        help="Change the specification: n_layers=48, attention.n_kv_heads=8. Repeatable.",
    ),
]
ReadAs = Annotated[
    str,
    _one_of(
        READINGS,
        "--reading",
        help="What is one matrix: an output per layer (heads, the default), a value-up per head, or a stored tensor.",
    ),
]
As = Annotated[str, _one_of(FORMATS, "--format", "-f", help="How to write the answer; a table by default.")]
Kind = Annotated[str, _one_of(KINDS, "--kind", help="The chart; treemap for one model, bars for several by default.")]
Json = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", show_default=False, help="Write to a file, whole or not at all."),
]
Color = Annotated[
    str, _one_of(COLOURS, "--color", help="auto, the default, heeds NO_COLOR, FORCE_COLOR and TERM=dumb.")
]


AT_THE_FIRST_TAB = """
[[ $funcstack[1] != _%(prog_name)s ]] || %(complete_func)s
"""
"""What typer's script for zsh lacks: at the first tab it only makes itself known, and completes from the second on."""


def _unconverted(ctx: Any) -> Any:
    """A context whose words stay words while they are completed: to convert them, typer would import pydantic."""
    if ctx.resilient_parsing:
        for param in ctx.command.get_params(ctx):
            param.process_value = lambda _, value: value
    return ctx


class Group(TyperGroup):
    """The commands, and their completion."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What was typed, unless it is being completed."""
        if "--install-completion" in args or "--show-completion" in args:
            from typer import _completion_shared as typers

            typers._completion_scripts["zsh"] = typers.COMPLETION_SCRIPT_ZSH + AT_THE_FIRST_TAB
        return super().parse_args(_unconverted(ctx), args)


class Command(TyperCommand):
    """A command whose help calls an argument by its name, without brackets of typer's and without its type."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands in the line of usage."""
        return [
            *super().collect_usage_pieces(ctx)[:1],
            *filter(None, (param.metavar for param in self.params if param.param_type_name == "argument")),
        ]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What was typed, unless it is being completed."""
        return super().parse_args(_unconverted(ctx), args)

    def get_help(self, ctx: Any) -> str:
        """The help, as many columns as it was."""
        return re.sub(r" <(?:list\[)?str\]?>", lambda found: " " * len(found[0]), super().get_help(ctx))


app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from gptcount import __version__

        print(f"gptcount {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def gptcount(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Where are a GPT-style model's parameters? Exact counts, with their working.

    \b
    gptcount breakdown gpt3                     every matrix of GPT-3, and the totals reconciled
    gptcount breakdown gpt3 --explain           what each group does, and why it has this size
    gptcount breakdown gpt3 --set n_layers=48   what if
    gptcount compare gpt2-xl llama-2-7b         side by side
    gptcount verify-shapes gpt3                 the shapes proved by a forward pass
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(cls=Command)
def breakdown(
    model: Model,
    reading: ReadAs = "heads",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each group does and why it has this size.")
    ] = False,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    format: As = "",
    json: Json = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Every matrix of a model, and its totals reconciled.

    \b
    gptcount breakdown gpt3
    gptcount breakdown gpt3 --reading value-up --explain
    gptcount breakdown gpt3 --set n_layers=48 --json
    """
    chosen = _format(format, json)
    from gptcount.ledger import breakdown as read
    from gptcount.output import records, tables
    from gptcount.sources.loading import load

    if explain and reading == "stored":
        raise InputError("--explain: it explains matrices, and --reading stored lists tensors; leave one of them out")
    ledger = read(load(model, settings), _reading(reading))
    _answer(
        chosen,
        output,
        color,
        parts=lambda: tables.breakdown(ledger, explained=explain),
        records=ledger.to_records,
        document=lambda: records.breakdown(ledger, explained=explain),
    )


@app.command(cls=Command)
def compare(
    models: Models,
    reading: ReadAs = "heads",
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    format: As = "",
    json: Json = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Compare where models have their parameters.

    \b
    gptcount compare gpt3 llama-3-70b
    gptcount compare presets
    """
    chosen = _format(format, json)
    from gptcount.comparison import compare as account
    from gptcount.output import records, tables
    from gptcount.sources.loading import load_all

    accounts = account(load_all(models, settings), _reading(reading))
    _answer(
        chosen,
        output,
        color,
        parts=lambda: tables.comparison(accounts),
        records=lambda: [one.to_record() for one in accounts],
        document=lambda: records.comparison(accounts),
    )


@app.command("verify-shapes", cls=Command)
def verify_shapes(
    models: Annotated[list[str] | None, _model("[MODEL...]", many=True, default=" gpt3 by default.")] = None,
    temperature: Annotated[
        float,
        typer.Option(metavar="NUMBER", show_default=False, help="Divides the scores before the softmax; 1 by default."),
    ] = 1.0,
    full: Annotated[
        bool, typer.Option("--full", help="Run the whole model at its true size, on made-up numbers.")
    ] = False,
    tokens: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", show_default=False, help="The tokens to run a folder's checkpoint on."),
    ] = None,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    format: As = "",
    json: Json = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Prove every shape with a forward pass.

    \b
    gptcount verify-shapes gpt3
    gptcount verify-shapes presets
    gptcount verify-shapes gpt3 --full          at its true size
    gptcount verify-shapes FOLDER --tokens 1,2  on the weights of its checkpoint
    """
    chosen = _format(format, json)
    if not 0 < temperature < float("inf"):
        raise InputError(f"--temperature {temperature}: a finite number above 0 is wanted")
    given = _tokens(tokens)
    from gptcount.output import runs, verification
    from gptcount.reference.bench import verify
    from gptcount.sources.loading import checkpoint_of, load_all

    named = models or ["gpt3"]
    architectures = load_all(named, settings)
    verified = [verify(model, temperature) for model in architectures]
    real, whole = [], []
    if full:
        from gptcount.reference.full import run as run_full

        with _progress() as progress:
            whole = [run_full(model, temperature, progress(model.name)) for model in architectures]
    elif len(named) == 1 and (files := checkpoint_of(named[0])):
        from gptcount.reference.real import run as run_real

        real = [run_real(architectures[0], files, given, temperature)]
    elif given:
        raise InputError(f"--tokens {tokens}: a folder with a config.json and a checkpoint is wanted to run them on")
    done = [part for found in real for part in runs.real(found, temperature)]
    done += [part for found in whole for part in runs.full(found)]
    more = {"runs": [*map(runs.real_document, real), *map(runs.full_document, whole)]} if real or whole else {}
    _answer(
        chosen,
        output,
        color,
        parts=lambda: [*verification.parts(verified), *done],
        records=lambda: verification.steps(*verified) if len(verified) == 1 else verification.records(verified),
        document=lambda: verification.document(verified) | more,
    )
    failures = [f"{shown(found.model)}: {failure}" for found in verified for failure in found.failures]
    if failures:
        raise ShapeError("\n".join(failures))


def _tokens(said: str | None) -> list[int] | None:
    """The tokens that ``--tokens`` says."""
    if said is None:
        return None
    try:
        return [int(token) for token in said.split(",")]
    except ValueError:
        raise InputError(f"--tokens {shown(said)}: whole numbers with commas are wanted, such as 1,2,3") from None


@contextmanager
def _progress() -> Iterator[Callable[[str], Callable[[int, int], None] | None]]:
    """Bars with the time left on stderr, for a terminal; elsewhere none. Gives what makes one for a model's layers."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def of(name: str) -> Callable[[int, int], None]:
            task = bars.add_task(f"{shown(name)}: layers", total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield of


@app.command(cls=Command)
def audit(
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT",
            show_default=False,
            help="A .safetensors or .gguf file, an index, a folder, or hub:OWNER/NAME.",
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            autocompletion=_presets,
            show_default=False,
            help="The model; the config.json beside it by default.",
        ),
    ] = None,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    format: As = "",
    json: Json = False,
    output: Output = None,
    color: Color = "auto",
) -> None:
    """Hold a checkpoint against its model, by its headers alone.

    \b
    gptcount audit FOLDER
    gptcount audit model.safetensors --against llama-3-8b
    """
    chosen = _format(format, json)
    from gptcount.audit import load
    from gptcount.output import audit as view

    found = load(checkpoint, against, settings)
    _answer(
        chosen,
        output,
        color,
        parts=lambda: view.parts(found),
        records=found.to_records,
        document=lambda: view.document(found),
    )
    if not found.agrees:
        raise typer.Exit(CHECK_FAILED)


@app.command(cls=Command)
def report(
    models: Models,
    reading: ReadAs = "heads",
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    output: Output = "report.html",
) -> None:
    """Show models on a page for a browser, which needs nothing else.

    \b
    gptcount report gpt3 -o gpt3.html
    gptcount report gpt3 llama-3-8b mixtral-8x7b
    """
    from gptcount.ledger import breakdown as read
    from gptcount.output import report as page
    from gptcount.sources.loading import load_all

    text = page.render([read(model, _reading(reading)) for model in load_all(models, settings)])
    _write(text, output)
    if output and output != "-":
        from gptcount.numbers import size

        print(f"{output}: {size(len(text.encode()))}", file=sys.stderr)


@app.command(cls=Command)
def plot(
    models: Models,
    kind: Kind = "",
    reading: ReadAs = "heads",
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    output: Output = None,
) -> None:
    """Draw one chart into a file; its ending says the format: .svg, .png, .pdf or .html.

    \b
    gptcount plot gpt3 -o gpt3.svg
    gptcount plot gpt3 --kind waterfall -o gpt3.pdf
    gptcount plot gpt2-xl llama-2-7b mistral-7b -o three.png
    """
    if output is None:
        raise InputError("-o FILE is wanted: its ending says the format, .svg, .png, .pdf or .html")
    from gptcount.ledger import breakdown as read
    from gptcount.output import picture
    from gptcount.sources.loading import load_all

    format = picture.format_of(output)
    ledgers = [read(model, _reading(reading)) for model in load_all(models, settings)]
    chosen = _chosen("--kind", kind or ("treemap" if len(ledgers) == 1 else "bars"), KINDS)
    _write_file(picture.render(ledgers, cast("charts.Kind", chosen), format), output)


@app.command(cls=Command)
def presets(format: As = "", json: Json = False, output: Output = None, color: Color = "auto") -> None:
    """List the presets with their parameters."""
    chosen = _format(format, json)
    from gptcount.comparison import compare as account
    from gptcount.output import records, tables
    from gptcount.sources.loading import load_all
    from gptcount.sources.presets import names

    accounts = dict(zip(names(), account(load_all(["presets"])), strict=True))
    _answer(
        chosen,
        output,
        color,
        parts=lambda: tables.presets(accounts),
        records=lambda: records.of_presets(accounts),
        document=lambda: records.presets(accounts),
    )


@app.command(cls=Command)
def show(model: Model, settings: Settings = [], output: Output = None) -> None:  # noqa: B006 - as above
    """Print a model's specification as a TOML file.

    \b
    gptcount show llama-3-8b > mine.toml
    """
    from gptcount.sources.loading import load_with_comments
    from gptcount.sources.specification import changed, toml

    architecture, comments = load_with_comments(model)
    _write(toml(changed(architecture, settings), comments), output)


def _chosen(option: str, word: str, choices: tuple[str, ...]) -> str:
    """The word that an option was given. Raises InputError, with the closest, where it is none of the choices."""
    if word not in choices:
        from difflib import get_close_matches

        near = get_close_matches(word, choices, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"{option} {shown(word)}: one of {', '.join(choices)} is wanted{hint}")
    return word


def _reading(word: str) -> Reading:
    return cast("Reading", _chosen("--reading", word, READINGS))


def _format(word: str, json: bool) -> str:
    format = _chosen("--format", word or ("json" if json else "table"), FORMATS)
    if json and format != "json":
        raise InputError(f"--json and --format {format}: one of them")
    return format


def _answer(
    format: str,
    output: str | None,
    color: str,
    *,
    parts: Callable[[], Sequence[Part]],
    records: Callable[[], list[dict[str, Any]]],
    document: Callable[[], dict[str, Any]],
) -> None:
    """Write an answer in one format: parts for people, records for a sheet, a document for a program."""
    _chosen("--color", color, COLOURS)
    if format == "json":
        from gptcount.output import json

        text = json.render(document(), "utf-8" if output else sys.stdout.encoding)
    elif format == "csv":
        from gptcount.output import csv

        text = csv.render(records())
    elif format == "markdown":
        from gptcount.output import markdown

        text = markdown.render(parts())
    elif format == "latex":
        from gptcount.output import latex

        text = latex.render(parts())
    else:
        text = _table(parts(), output, color)
    _write(text, output)


def _table(parts: Sequence[Part], output: str | None, color: str) -> str:
    """Parts as plain text, or with bars and colours where they are wanted."""
    coloured = _coloured(color, output)
    if coloured or (not output and sys.stdout.isatty()):
        import shutil

        from gptcount.output import terminal

        return terminal.render(parts, max(shutil.get_terminal_size((100, 24)).columns, 1), coloured)
    from gptcount.output import plain

    return plain.render(parts)


def _coloured(color: str, output: str | None) -> bool:
    """Whether to write colours: what is asked for, then NO_COLOR, FORCE_COLOR, the terminal."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR") or output:
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced != "0"
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _write(text: str, output: str | None) -> None:
    """Text to stdout, as its encoding can say it, or to a file, whole or not at all."""
    if output is not None and output != "-":
        _write_file(text, output)
        return
    from gptcount.output.text import said

    try:
        sys.stdout.write(said(text, sys.stdout.encoding))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_file(content: str | bytes, output: str) -> None:
    """Text or bytes to a file that is there only when it is whole: written beside it, then put in its place."""
    try:
        target = os.path.realpath(output)
        if os.path.exists(target) and not (os.path.isfile(target) and os.access(target, os.W_OK)):
            beside = target  # a device or a pipe, or something that says itself why it cannot be written
        else:
            beside = f"{target}.{os.getpid()}.part"
        try:
            with open(beside, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
            if beside != target:
                os.replace(beside, target)
        except BaseException:
            if beside != target and os.path.exists(beside):
                os.unlink(beside)
            raise
    except (OSError, ValueError) as fault:
        reason = (getattr(fault, "strerror", None) or "not a path").lower()
        raise InputError(f"-o {shown(output, 200)}: cannot be written: {reason}") from None


def _misused(fault: Any) -> str:
    """An error of usage in a line of ours, which ends in the way out."""
    said = re.sub(r"Input should be a valid number.*", "a number is wanted", fault.format_message()).rstrip(".")
    way_out = f"see {fault.ctx.command_path if fault.ctx else 'gptcount'} --help"
    return f"{said} {way_out.capitalize()}" if said.endswith("?") else f"{said}; {way_out}"


def _fail(text: str, code: int) -> NoReturn:
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    from gptcount.output.text import said

    for line in text.splitlines():
        print(said(f"gptcount: {line}", encoding), file=sys.stderr)
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """The program: run the command line, and leave with its exit code."""
    gc.disable()  # a program of a second has nothing to collect; arrays go when their last name goes
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # looking for them takes time with every package installed
    usage_error: Any = typer.BadParameter.__base__  # the one class of which all errors of usage are
    try:
        code = typer.main.get_command(app).main(arguments, "gptcount", standalone_mode=False)
    except usage_error as fault:
        _fail(_misused(fault), BAD_INPUT)
    except ShapeError as fault:
        _fail(str(fault), CHECK_FAILED)
    except GptCountError as fault:
        _fail(str(fault), BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
