"""The command line, thin: parse, load, read, print. Here every error of ours becomes lines on stderr."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gptcount.errors import GptCountError, InputError, ShapeError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gptcount.output.table import Part

CHECK_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


class Format(StrEnum):
    """How an answer is written."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    latex = "latex"


class Colour(StrEnum):
    """When there is colour."""

    auto = "auto"
    always = "always"
    never = "never"


class ReadingOption(StrEnum):
    """What is called one matrix."""

    heads = "heads"
    value_up = "value-up"
    stored = "stored"


def _presets(incomplete: str) -> list[str]:
    """The presets that a word may be completed to: file names, nothing is read."""
    from gptcount.sources.presets import names

    return [name for name in names() if name.startswith(incomplete)]


def _presets_and_all(incomplete: str) -> list[str]:
    return [name for name in [*_presets(""), "presets"] if name.startswith(incomplete)]


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        autocompletion=_presets,
        show_default=False,
        help="A preset's name, a TOML file, or - for stdin.",
    ),
]
Models = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL...",
        autocompletion=_presets_and_all,
        show_default=False,
        help="Presets' names, TOML files, folders of them, - for stdin, or 'presets' for all presets.",
    ),
]
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
    ReadingOption, typer.Option("--reading", help="What is one matrix: an output per layer, a value-up per head, or a stored tensor.")
]
As = Annotated[Format | None, typer.Option("--format", "-f", show_default="table", help="How to write the answer.")]
Json = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", show_default=False, help="Write to a file, whole or not at all."),
]
Color = Annotated[Colour, typer.Option("--color", help="Colour: auto heeds NO_COLOR, FORCE_COLOR and TERM=dumb.")]

app = typer.Typer(
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


@app.command()
def breakdown(
    model: Model,
    reading: ReadAs = ReadingOption.heads,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each group does and why it has this size.")
    ] = False,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    format: As = None,
    json: Json = False,
    output: Output = None,
    color: Color = Colour.auto,
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

    ledger = read(load(model, settings), reading.value)
    _answer(
        chosen,
        output,
        color,
        parts=lambda: tables.breakdown(ledger, explained=explain),
        records=ledger.to_records,
        document=lambda: records.breakdown(ledger, explained=explain),
    )


@app.command()
def compare(
    models: Models,
    reading: ReadAs = ReadingOption.heads,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    format: As = None,
    json: Json = False,
    output: Output = None,
    color: Color = Colour.auto,
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

    accounts = account(load_all(models, settings), reading.value)
    _answer(
        chosen,
        output,
        color,
        parts=lambda: tables.comparison(accounts),
        records=lambda: [one.to_record() for one in accounts],
        document=lambda: records.comparison(accounts),
    )


@app.command("verify-shapes")
def verify_shapes(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL...]",
            autocompletion=_presets_and_all,
            show_default="gpt3",
            help="Presets' names, TOML files, folders of them, - for stdin, or 'presets' for all presets.",
        ),
    ] = None,
    temperature: Annotated[float, typer.Option(help="Divides the scores before the softmax.")] = 1.0,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    output: Output = None,
    color: Color = Colour.auto,
) -> None:
    """Prove every shape with a forward pass.

    \b
    gptcount verify-shapes gpt3
    gptcount verify-shapes presets
    """
    if not 0 < temperature < float("inf"):
        raise InputError(f"--temperature {temperature}: a finite number above 0 is wanted")
    from gptcount.output import tables
    from gptcount.reference.bench import verify
    from gptcount.sources.loading import load_all

    verified = [(model, verify(model, temperature)) for model in load_all(models or ["gpt3"], settings)]
    parts = [part for model, found in verified for part in tables.verification(model, found)]
    _write(_table(parts, output, color), output)
    failures = [f"{shown(model.name)}: {failure}" for model, found in verified for failure in found.failures]
    if failures:
        raise ShapeError("\n".join(failures))


@app.command()
def presets(format: As = None, json: Json = False, output: Output = None, color: Color = Colour.auto) -> None:
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


@app.command()
def show(model: Model, settings: Settings = [], output: Output = None) -> None:  # noqa: B006 - as above
    """Print a model's specification as a TOML file.

    \b
    gptcount show llama-3-8b > mine.toml
    """
    from gptcount.sources.loading import load_with_comments
    from gptcount.sources.specification import changed, toml

    architecture, comments = load_with_comments(model)
    _write(toml(changed(architecture, settings), comments), output)


def _format(format: Format | None, json: bool) -> Format:
    if json and format not in (None, Format.json):
        raise InputError(f"--json and --format {format.value}: one of them" if format else "")
    return Format.json if json else format or Format.table


def _answer(
    format: Format,
    output: str | None,
    color: Colour,
    *,
    parts: Callable[[], Sequence[Part]],
    records: Callable[[], list[dict[str, Any]]],
    document: Callable[[], dict[str, Any]],
) -> None:
    """Write an answer in one format: parts for people, records for a sheet, a document for a program."""
    if format is Format.json:
        from gptcount.output import json

        text = json.render(document(), "utf-8" if output else sys.stdout.encoding)
    elif format is Format.csv:
        from gptcount.output import csv

        text = csv.render(records())
    elif format is Format.markdown:
        from gptcount.output import markdown

        text = markdown.render(parts())
    elif format is Format.latex:
        from gptcount.output import latex

        text = latex.render(parts())
    else:
        text = _table(parts(), output, color)
    _write(text, output)


def _table(parts: Sequence[Part], output: str | None, color: Colour) -> str:
    """Parts as plain text, or with bars and colours where they are wanted."""
    coloured = _coloured(color, output)
    if coloured or (not output and sys.stdout.isatty()):
        import shutil

        from gptcount.output import terminal

        return terminal.render(parts, max(shutil.get_terminal_size((100, 24)).columns, 1), coloured)
    from gptcount.output import plain

    return plain.render(parts)


def _coloured(color: Colour, output: str | None) -> bool:
    """Whether to write colours: what is asked for, then NO_COLOR, FORCE_COLOR, the terminal."""
    if color is not Colour.auto:
        return color is Colour.always
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


def _write_file(text: str, output: str) -> None:
    """Text to a file that is there only when it is whole: written beside it, then put in its place."""
    try:
        target = os.path.realpath(output)
        if os.path.exists(target) and not (os.path.isfile(target) and os.access(target, os.W_OK)):
            beside = target  # a device or a pipe, or something that says itself why it cannot be written
        else:
            beside = f"{target}.{os.getpid()}.part"
        try:
            with open(beside, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.write(text)
            if beside != target:
                os.replace(beside, target)
        except BaseException:
            if beside != target and os.path.exists(beside):
                os.unlink(beside)
            raise
    except (OSError, ValueError) as fault:
        reason = (getattr(fault, "strerror", None) or "not a path").lower()
        raise InputError(f"-o {shown(output, 200)}: cannot be written: {reason}") from None


def _fail(text: str, code: int) -> NoReturn:
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    from gptcount.output.text import said

    for line in text.splitlines():
        print(said(f"gptcount: {line}", encoding), file=sys.stderr)
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """The program: run the command line, and leave with its exit code."""
    usage_error: Any = typer.BadParameter.__base__  # the one class of which all errors of usage are
    try:
        code = typer.main.get_command(app).main(arguments, "gptcount", standalone_mode=False)
    except usage_error as fault:
        _fail(fault.format_message(), BAD_INPUT)
    except ShapeError as fault:
        _fail(str(fault), CHECK_FAILED)
    except GptCountError as fault:
        _fail(str(fault), BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
