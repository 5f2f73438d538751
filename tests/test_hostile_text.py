"""Names and notes from outside, in every format of every view, read by what reads that format: nothing takes effect."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Sequence
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_latex import LATEX, compiled

from gptcount import Architecture, breakdown
from gptcount.comparison import compare
from gptcount.errors import printable
from gptcount.output import csv as csv_format
from gptcount.output import html, latex, markdown, plain, records, tables, terminal, verification
from gptcount.output import json as json_format
from gptcount.output.table import Column, Part, Prose, Row, Table
from gptcount.reference.bench import Verification
from gptcount.sources.specification import toml

STEERING = [
    "\x1b]0;pwn\x07\x1b[31mred",
    "a\u202eb",
    "a\x00b",
    "a\nb",
    "a\r\nb",
    "a\tb",
    "a\u2028b",
    "a\ud800b",
    "a\x9bm",
]
SHEET = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", 'a"b,c', "a;b", "'"]
TEX = ["[x]", "[10cm]hidden", "*x", "]", "$x$", "\\input{x}", "%", "}{", "a & b \\\\", "^^M", "--- ''q'' ?`", '"a', "~"]
OTHER_LETTERS = ["模型", "🐯", "Ąļþ«„", "е́", "\u0301x", "ﬁ", "½ ² ×"]
BLOCKS = ["- item", "+ item", "* item", "1. item", "1) item", "# head", "> quote", "===", "---", ":--", "```", "~~~"]
BLOCKS += ["    code", "[a]: b", "[^1]: b", "| a | b |", "<div>", "<!--", "- [ ] task", "***", "___", "1986\\. x"]
INLINE = [
    "*a*",
    "**a**",
    "_a_",
    "__a__",
    "`a`",
    "~~a~~",
    "[a](http://b.c)",
    "![a](b)",
    "<b>a</b>",
    "<http://a.b>",
    "a|b",
]
INLINE += [
    "&lt;",
    "&#64;",
    "a\\",
    "a\\|b",
    "\\*a*",
    "http://a.b/c",
    "HTTPS://a.b",
    "www.a.b",
    "ftp://a.b",
    "a@b.cd",
    "[a]",
]
INLINE += [
    "@user",
    "a @org/team",
    "#12",
    "o/r#12",
    "GH-12",
    ":tiger:",
    "a:b:c",
    "$a$",
    "$`a`$",
    "</script>",
    "<svg onload=a>",
]
HOSTILE = [*STEERING, *SHEET, *TEX, *OTHER_LETTERS, *BLOCKS, *INLINE]


def model(name: str) -> Architecture:
    return Architecture.model_validate(
        {
            "name": name,
            "n_vocab": 100,
            "n_ctx": 10,
            "n_layers": 2,
            "d_model": 8,
            "attention": {"kind": "multi-head", "n_heads": 2, "d_head": 4},
            "mlp": {"kind": "plain", "d_ff": 16},
            "norm": {"kind": "layer"},
            "unembedding": {"tied": True},
            "notes": [name],
            "published": {"total": name, "source": name, "note": name},
        }
    )


def views(name: str) -> list[Part]:
    """Every view that a name comes into, and a table that has it in every place of a table."""
    architecture = model(name)
    verified = [Verification(one, (), None, (name,)) for one in (name, "other")]
    return [
        *tables.breakdown(breakdown(architecture)),
        *tables.comparison(compare([architecture, model("other")])),
        *tables.comparison(compare([architecture, *(model(f"model {n}") for n in range(5))])),
        *tables.specification(architecture),
        Table(name, (Column(name), Column(name, right=True)), (Row((name, name), remark=name),), remark=name),
        Table("", (Column("a"),), tuple(Row((name,), kind=kind) for kind in ("row", "heading", "subtotal", "total"))),
        Prose(name, title=name),
        Prose(f"{name}\n{name}"),
        *verification.parts(verified),
    ]


def words(text: str) -> str:
    """Text without what a reader of a page leaves out: space beside space, and at the ends."""
    return " ".join(printable(text).split())


@pytest.mark.parametrize("name", HOSTILE)
def test_text_steers_no_terminal(name: str) -> None:
    for text in (plain.render(views(name)), terminal.render(views(name), 60, False), toml(model(name))):
        assert all(line.isprintable() for line in text.split("\n"))
    coloured = terminal.render(views(name), 60, True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured).replace("\n", "").isprintable()


@pytest.mark.parametrize("name", HOSTILE)
def test_csv_and_json_and_toml_are_read_back(name: str) -> None:
    account = compare([model(name), model("other")])
    said = csv_format.render(account.to_records())
    assert said.replace("\n", "").isprintable()
    read = list(csv.DictReader(StringIO(said), strict=True))
    assert [row["model"].removeprefix("'") for row in read] == [printable(name).removeprefix("'"), "other"]
    assert {len(row) for row in csv.reader(StringIO(said))} == {len(read[0])}
    assert not any(
        cell[:1] in ("=", "+", "@", "＝", "＋", "－", "＠", "\t", "\r") for row in read for cell in row.values()
    )
    assert not any(re.match(r"-(?!\d+$)", cell) for row in read for cell in row.values())
    document = json_format.render(records.comparison(account))
    assert document.replace("\n", "").isprintable()
    assert json.loads(document)["models"][0]["model"] == name
    if printable(name) == name:
        assert tomllib.loads(toml(model(name)))["name"] == name


GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALLOWED = {"paragraph", "inline", "text", "softbreak", "strong", "table", "thead", "tbody", "tr", "th", "td", "heading"}


def divides(token: Any) -> bool:
    """Whether it is the comment that divides a text for those who look for mentions in it."""
    return token.type == "html_inline" and token.content == "<!-- -->"


def read_markdown(text: str) -> tuple[set[str], list[list[str]]]:
    """The kinds of things in a text, and its inline texts, each in the pieces that GitHub looks into."""
    kinds, texts = set(), []
    for token in GITHUB.parse(text):
        kinds.add(token.type.removesuffix("_open").removesuffix("_close"))
        children = token.children or ()
        kinds |= {child.type.removesuffix("_open").removesuffix("_close") for child in children if not divides(child)}
        texts += [[" " if child.type == "softbreak" else child.content for child in children if not divides(child)]]
    return kinds, texts


def check_markdown(name: str, parts: Sequence[Part]) -> None:
    said = markdown.render(parts)
    assert said.replace("\n", "").isprintable()
    assert not re.search(r"(?<!\\)://|www\.", said, re.IGNORECASE), "no address is a link"
    kinds, texts = read_markdown(said)
    assert kinds <= ALLOWED
    for piece in (piece for pieces in texts for piece in pieces):
        assert not re.search(r"@[A-Za-z0-9]|#\d|\bgh-\d|:[\w+-]+:", piece, re.IGNORECASE), "no mention, issue or emoji"
    shown = {" ".join("".join(pieces).split()) for pieces in texts}
    assert words(name) in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_shows_text_as_it_is(name: str) -> None:
    check_markdown(name, views(name))


@given(st.text(st.sampled_from("-+*_`~#<>|&@:=.)([]!\\$1aw \n/"), min_size=1, max_size=12))
@example("1\\.")
def test_markdown_shows_any_text_as_it_is(name: str) -> None:
    if name.strip():
        check_markdown(name, [Table(name, (Column(name),), (Row((name,)),)), Prose(name), Prose("a"), Prose(name)])


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {f"{key}={value}" for key, value in attrs}

    def handle_data(self, data: str) -> None:
        self.texts += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@pytest.mark.parametrize("name", HOSTILE)
def test_html_shows_text_as_it_is(name: str) -> None:
    page = Page()
    said = html.render(views(name))
    page.feed(said)
    assert said.replace("\n", "").isprintable()
    assert page.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "b"}
    assert page.attributes <= {"style=text-align:left", "style=text-align:right"}
    assert printable(name) in page.texts


@pytest.mark.parametrize("name", HOSTILE)
def test_no_row_of_latex_begins_with_an_option(name: str) -> None:
    said = latex.render(views(name))
    assert said.replace("\n", "").isprintable()
    said = re.sub(r"(?m)(?<!\\)%.*$|\$(\\\w+|[-<>|]|\^2)\$", "", said)
    assert not re.search(r"^\s*[\[*]|(?<!\\)\$", said, re.MULTILINE)
    assert set(re.findall(r"\\[a-zA-Z]+", said)) <= COMMANDS


COMMANDS = {f"\\{word}" for word in "begin end toprule midrule bottomrule textbf paragraph surd times to cdot".split()}
COMMANDS |= {r"\infty", r"\textbackslash", r"\textasciitilde", r"\textasciicircum"}


@pytest.mark.skipif(LATEX is None, reason="no pdflatex here; on Debian: apt-get install texlive-latex-recommended")
def test_latex_compiles_whatever_names_say(tmp_path: Path) -> None:
    every = "\n\n".join(latex.render(views(name)) for name in HOSTILE)
    compiled(every, tmp_path)
    letters = [chr(code) for code in range(0x20, 0x2800) if chr(code).isprintable()]
    compiled("\n\n".join(latex.escaped("".join(letters[at : at + 40])) for at in range(0, len(letters), 40)), tmp_path)
