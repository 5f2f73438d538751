"""The command line: each command loads, reads and answers. Here every error of ours becomes lines on stderr.

What the commands share is in ``options``; how an answer is written, in ``output/answer``.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer

from gptcount import costing, listing
from gptcount.errors import GptCountError, InputError, ShapeError, printable, shown
from gptcount.options import (
    CHECK_FAILED,
    KINDS,
    READINGS,
    Command,
    Group,
    Kind,
    Model,
    Models,
    Output,
    ReadAs,
    Settings,
    answering,
    misused,
    model,
    presets_named,
    tokens_of,
)
from gptcount.output.answer import Answer, Closed, chosen, forget, free, only, write, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gptcount.ledger import Reading
    from gptcount.output import charts

BAD_INPUT, INTERRUPTED = 2, 130

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
    gptcount breakdown gpt3                     every matrix, and its totals
    gptcount breakdown gpt3 --explain           what each group does, and why
    gptcount breakdown gpt3 --set n_layers=48   what if
    gptcount breakdown hub:OWNER/NAME           a model of the Hugging Face Hub
    gptcount compare gpt2-xl llama-2-7b         side by side
    gptcount flops gpt3 --context 2048          what it costs to run
    gptcount verify-shapes gpt3                 the shapes, by a forward pass
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(cls=Command)
@answering
def breakdown(
    model: Model,
    reading: ReadAs = "heads",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each group does and why it has this size.")
    ] = False,
    totals: Annotated[
        bool, typer.Option("--totals", help="Add the totals that other programs quote, each by its name.")
    ] = False,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
) -> Answer:
    """Every matrix of a model, and its totals reconciled.

    \b
    gptcount breakdown gpt3
    gptcount breakdown gpt3 --reading value-up --explain
    gptcount breakdown gpt3 --set n_layers=48 --json
    gptcount breakdown hub:OWNER/NAME
    """
    if explain and reading == "stored":
        raise InputError("--explain: it explains matrices, and --reading stored lists tensors; leave one of them out")
    how = _reading(reading)
    from gptcount.ledger import breakdown as read
    from gptcount.output import records, tables
    from gptcount.sources.loading import load

    ledger = read(load(model, settings), how)
    return Answer(
        parts=lambda: tables.breakdown(ledger, explain, totals),
        records=ledger.to_records,
        document=lambda: records.breakdown(ledger, explain),
    )


@app.command(cls=Command)
@answering
def compare(
    models: Models,
    reading: ReadAs = "heads",
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
) -> Answer:
    """Compare where models have their parameters.

    \b
    gptcount compare gpt3 llama-3-70b
    gptcount compare presets
    """
    how = _reading(reading)
    from gptcount.comparison import compare as account
    from gptcount.output import records, tables
    from gptcount.sources.loading import load_all

    accounts = account(load_all(models, settings), how)
    return Answer(
        parts=lambda: tables.comparison(accounts),
        records=accounts.to_records,
        document=lambda: records.comparison(accounts),
    )


app.command(cls=Command)(costing.flops)


@app.command("verify-shapes", cls=Command)
@answering
def verify_shapes(
    models: Annotated[list[str] | None, model("[MODEL...]", many=True, default=" gpt3 by default.")] = None,
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
) -> Answer:
    """Prove every shape with a forward pass.

    \b
    gptcount verify-shapes gpt3
    gptcount verify-shapes presets
    gptcount verify-shapes gpt3 --full          at its true size
    gptcount verify-shapes FOLDER --tokens 1,2  on the weights of its checkpoint
    """
    if not 0 < temperature < float("inf"):
        raise InputError(f"--temperature {temperature}: expected a finite number above 0")
    given = tokens_of(tokens)
    if full and given:
        raise InputError("--tokens: --full runs on made-up numbers; leave one of them out")
    from gptcount.output import runs, verification
    from gptcount.reference.bench import verify
    from gptcount.sources.loading import checkpoint_of, load_all

    architectures = load_all(named := models or ["gpt3"], settings)
    verified = [verify(model, temperature) for model in architectures]
    real, whole = [], []
    if full:
        from gptcount.output.progress import progress_bars
        from gptcount.reference.full import run as run_full

        with progress_bars() as progress:
            whole = [run_full(model, temperature, progress(model.name)) for model in architectures]
    elif len(named) == 1 and (files := checkpoint_of(named[0])):
        from gptcount.reference.real import run as run_real

        real = [run_real(architectures[0], files, given, temperature)]
    elif given:
        raise InputError(f"--tokens {tokens}: expected a folder with a config.json and a checkpoint to run them on")
    done = [part for found in real for part in runs.real(found, temperature)]
    done += [part for found in whole for part in runs.full(found)]
    more = {"runs": [*map(runs.real_document, real), *map(runs.full_document, whole)]} if real or whole else {}
    return Answer(
        parts=lambda: [*verification.parts(verified), *done],
        records=lambda: verification.steps(*verified) if len(verified) == 1 else verification.records(verified),
        document=lambda: verification.document(verified) | more,
        failures=tuple(f"{shown(found.model)}: {failure}" for found in verified for failure in found.failures),
    )


@app.command(cls=Command)
@answering
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
            autocompletion=presets_named,
            show_default=False,
            help="The model; the config.json beside it by default.",
        ),
    ] = None,
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
) -> Answer:
    """Hold a checkpoint against its model, by its headers alone.

    \b
    gptcount audit FOLDER
    gptcount audit model.safetensors --against llama-3-8b
    """
    from gptcount.audit import load
    from gptcount.output import audit as view

    found = load(checkpoint, against, settings)
    return Answer(
        parts=lambda: view.parts(found),
        records=found.to_records,
        document=lambda: view.document(found),
        holds=found.agrees,
    )


@app.command(cls=Command)
def report(
    models: Models,
    reading: ReadAs = "heads",
    settings: Settings = [],  # noqa: B006 - typer reads the default and never changes it
    output: Output = None,
) -> None:
    """Show models on a page for a browser, which needs nothing else.

    Without -o it writes report.html, if there is none yet.

    \b
    gptcount report gpt3 -o gpt3.html
    gptcount report gpt3 llama-3-8b mixtral-8x7b
    """
    only("report", "HTML", output, ".html", ".htm")
    free(output, models)
    file = output or "report.html"
    if output is None and os.path.lexists(file):
        raise InputError(f"{file} is there already; '-o {file}' overwrites it")
    how = _reading(reading)
    from gptcount.ledger import breakdown as read
    from gptcount.output import report as page
    from gptcount.sources.loading import load_all

    text = page.render([read(model, how) for model in load_all(models, settings)])
    if file == "-":
        write(text, None)
    else:
        write_file(text, file, announced=True)


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
        raise InputError("expected -o FILE, whose ending says the format: .svg, .png, .pdf or .html")
    free(output, models)
    how = _reading(reading)
    from gptcount.ledger import breakdown as read
    from gptcount.output import picture
    from gptcount.sources.loading import load_all

    format = picture.format_of(output)
    ledgers = [read(model, how) for model in load_all(models, settings)]
    drawn = chosen("--kind", kind or ("treemap" if len(ledgers) == 1 else "bars"), KINDS)
    write_file(picture.render(ledgers, cast("charts.Kind", drawn), format), output, announced=True)


app.command(cls=Command)(listing.presets)
app.command(cls=Command)(listing.families)


@app.command(cls=Command)
def show(model: Model, settings: Settings = [], output: Output = None) -> None:  # noqa: B006 - as above
    """Print a model's specification as a TOML file.

    \b
    gptcount show llama-3-8b > mine.toml
    """
    only("show", "TOML", output, ".toml")
    free(output, [model])
    from gptcount.architecture import CHANGED
    from gptcount.sources.loading import load_with_comments
    from gptcount.sources.specification import toml

    architecture, comments = load_with_comments(model)
    if settings:  # a file of its own, which says what it came of and is no change any more
        architecture = architecture.changed(*settings)
        architecture = architecture.changed(notes=[note for note in architecture.notes if note != CHANGED])
        comments = [*comments, f"{model} with {', '.join(settings)}"]
    write(toml(architecture, comments), output)


def _reading(word: str) -> Reading:
    return cast("Reading", chosen("--reading", word, READINGS))


def _fail(text: str, code: int) -> NoReturn:
    from gptcount.output.text import said

    with suppress(OSError, ValueError):
        for line in text.splitlines():
            print(
                said(f"gptcount: {printable(line)}", getattr(sys.stderr, "encoding", None) or "utf-8"), file=sys.stderr
            )
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """The program: run the command line, and leave with its exit code."""
    gc.disable()  # a program of a second has nothing to collect; arrays go when their last name goes
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # looking for them takes time with every package installed
    sys.stdout = sys.stdout or Closed()
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115 - nobody hears it, to the end
    usage_error: Any = typer.BadParameter.__base__  # the one class of which all errors of usage are
    typed = sys.argv[1:] if arguments is None else list(arguments)
    commands = typer.main.get_command(app)
    code: Any = 0
    try:
        code = commands.main(typed, "gptcount", standalone_mode=False)
        sys.stdout.flush()
    except usage_error as fault:
        _fail(misused(fault, typed, list(getattr(commands, "commands", ()))), BAD_INPUT)
    except ShapeError as fault:
        _fail(str(fault), CHECK_FAILED)
    except GptCountError as fault:
        _fail(str(fault), BAD_INPUT)
    except MemoryError:
        _fail("more memory is needed than there is", BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    except OSError as fault:
        forget()
        if not isinstance(fault, BrokenPipeError):
            _fail(f"standard output: {(fault.strerror or str(fault)).lower()}", CHECK_FAILED)
    sys.exit(code if isinstance(code, int) else 0)
