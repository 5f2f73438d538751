"""What the commands share: arguments and options, their completion, and what is said of wrong usage.

It does not know what a command does.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gptcount.errors import InputError, ShapeError, shown
from gptcount.output.answer import COLOURS, FORMATS, Answer, form, free, write

CHECK_FAILED = 1


def presets_named(incomplete: str) -> list[str]:
    """What the name of a model may be completed to: presets, by their files' names, nothing is read; and the folders
    and files here that may be models. Nothing where no preset begins so: the shell then completes any path."""
    return _named(incomplete, [])


def presets_and_all(incomplete: str) -> list[str]:
    """The same where several models may be named: also the word for all presets."""
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


def model(metavar: str, many: bool = False, default: str = "") -> Any:
    """The argument that names a model, or several."""
    one = "A preset's name, a TOML file, a config.json or its folder, hub:OWNER/NAME, or - for stdin"
    return typer.Argument(
        metavar=metavar,
        autocompletion=presets_and_all if many else presets_named,
        show_default=False,
        help=one + ("; a folder of such, or 'presets' for all." if many else ".") + default,
    )


def one_of(choices: Sequence[str], *names: str, help: str) -> Any:
    """An option that takes one of a few words, which are looked at when they are used: see ``answer.chosen``."""

    def beginning(incomplete: str) -> list[str]:
        return [word for word in choices if word.startswith(incomplete)]

    return typer.Option(*names, metavar="|".join(choices), autocompletion=beginning, show_default=False, help=help)


READINGS = ("heads", "value-up", "stored")
KINDS = ("treemap", "bars", "waterfall")

Model = Annotated[str, model("MODEL")]
Models = Annotated[list[str], model("MODEL...", many=True)]
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
    one_of(
        READINGS,
        "--reading",
        help="What is one matrix: an output per layer (heads, the default), a value-up per head, or a stored tensor.",
    ),
]
Kind = Annotated[str, one_of(KINDS, "--kind", help="The chart; treemap for one model, bars for several by default.")]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", show_default=False, help="Write to a file, whole or not at all."),
]
Answered = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        show_default=False,
        help="Write to a file, whole or not at all; .json, .csv, .md and .tex say the format.",
    ),
]
As = Annotated[str, one_of(FORMATS, "--format", "-f", help="How to write the answer; a table by default.")]
Json = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
Color = Annotated[str, one_of(COLOURS, "--color", help="auto, the default, heeds NO_COLOR, FORCE_COLOR and TERM=dumb.")]

WRITING: dict[str, tuple[Any, Any]] = {
    "format": (As, ""),
    "json": (Json, False),
    "output": (Answered, None),
    "color": (Color, "auto"),
}
"""The options of every command that answers, each with its default."""


def sources_of(asked: Mapping[str, Any]) -> list[str]:
    """The models and checkpoints that a command was given to read."""
    named = [asked.get(name) for name in ("model", "models", "checkpoint", "against")]
    return [source for one in named if one for source in ([one] if isinstance(one, str) else one)]


def answering(command: Callable[..., Answer]) -> Callable[..., None]:
    """A command whose answer is written as four more options say; where what it checked does not hold, it fails."""

    @wraps(command)
    def run(format: str, json: bool, output: str | None, color: str, **asked: Any) -> None:
        wanted = form(format, json, output, color)
        free(output, sources_of(asked))
        answer = command(**asked)
        write(wanted.text(answer), output)
        if answer.failures:
            raise ShapeError("\n".join(answer.failures))
        if not answer.holds:
            raise typer.Exit(CHECK_FAILED)

    asked = inspect.signature(command, eval_str=True)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=option)
        for name, (option, default) in WRITING.items()
    ]
    run.__signature__ = asked.replace(parameters=[*asked.parameters.values(), *more])  # type: ignore[attr-defined]
    return run


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


def tokens_of(said: str | None) -> list[int] | None:
    """The tokens that ``--tokens`` says."""
    if said is None:
        return None
    try:
        return [int(token) for token in said.split(",")]
    except ValueError:
        raise InputError(f"--tokens {shown(said)}: expected integers with commas, such as 1,2,3") from None


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


def misused(fault: Any, typed: Sequence[str], commands: Sequence[str]) -> str:
    """An error of usage in a line of ours, which ends in the way out."""
    said = re.sub(r"Input should be a valid number.*", "expected a number", shown(fault.format_message(), 500)).rstrip(
        "."
    )
    command = next((word for word in typed if not word.startswith("-")), "")
    if "unexpected extra argument" in said and (meant := _meant(typed, command)):
        return f"{said}; did you mean {meant}?"
    way_out = f"see {' '.join(['gptcount', *([command] if command in commands else [])])} --help"
    return f"{said} {way_out.capitalize()}" if said.endswith("?") else f"{said}; {way_out}"


def _meant(typed: Sequence[str], command: str) -> str:
    """What was meant by a word too many: the value of a setting, or a second model."""
    import shlex

    for option, key, value in zip(typed, typed[1:], typed[2:], strict=False):
        if option == "--set" and "=" not in key:
            return shlex.join(["--set", f"{key}={value}"])
    models = [word for word in typed[1:] if not word.startswith("-")]
    plain = command in ("breakdown", "show") and len(models) == len(typed) - 1
    return shlex.join(["gptcount", "compare", *models]) if plain else ""
