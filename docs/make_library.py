"""Writes docs/library.md from the docstrings: ``make docs`` runs it, and a test compares.

It reads the source and imports nothing of it: signatures, fields and defaults stand there as they were written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "gptcount"
PAGE = Path(__file__).parent / "library.md"

HEAD = """\
# The library

What can be imported, from its docstrings. `make docs` writes this page; a test compares. For a first use see
[README.md](../README.md#the-library), for a file of your own [your-model.md](your-model.md). `import gptcount`
costs nothing: a name or a module is imported when it is first used. Only what runs a forward pass imports NumPy.
"""

CHAPTERS = {
    "A model and its account": [
        ("gptcount.load", "sources/loading.py", "load"),
        ("gptcount.breakdown", "ledger.py", "breakdown"),
        ("gptcount.Ledger", "ledger.py", "Ledger"),
        ("gptcount.ledger.Row", "ledger.py", "Row"),
        ("gptcount.ledger.StoredRow", "ledger.py", "StoredRow"),
        ("gptcount.ledger.Item", "ledger.py", "Item"),
        ("gptcount.quoted.quoted", "quoted.py", "quoted"),
        ("gptcount.quoted.Quoted", "quoted.py", "Quoted"),
        ("gptcount.GptCountError", "errors.py", "GptCountError"),
    ],
    "What it costs": [
        ("gptcount.flops", "costs/flops.py", "flops"),
        ("gptcount.Flops", "costs/flops.py", "Flops"),
        ("gptcount.costs.flops.Work", "costs/flops.py", "Work"),
        ("gptcount.costs.products.Product", "costs/products.py", "Product"),
    ],
    "Several models": [
        ("gptcount.compare", "comparison.py", "compare"),
        ("gptcount.Comparison", "comparison.py", "Comparison"),
        ("gptcount.comparison.Account", "comparison.py", "Account"),
        ("gptcount.comparison.Check", "comparison.py", "Check"),
    ],
    "A checkpoint": [
        ("gptcount.audit.load", "audit.py", "load"),
        ("gptcount.audit.Audit", "audit.py", "Audit"),
        ("gptcount.audit.Row", "judged.py", "Row"),
        ("gptcount.adapter.Adapter", "adapter.py", "Adapter"),
        ("gptcount.adapter.Settings", "adapter.py", "Settings"),
        ("gptcount.adapter.Row", "adapter.py", "Row"),
    ],
    "The forward pass": [
        ("gptcount.verify", "reference/bench.py", "verify"),
        ("gptcount.Verification", "reference/bench.py", "Verification"),
        ("gptcount.reference.logits", "reference/__init__.py", "logits"),
        ("gptcount.reference.generate", "reference/__init__.py", "generate"),
        ("gptcount.reference.full.run", "reference/full.py", "run"),
        ("gptcount.reference.real.run", "reference/real.py", "run"),
    ],
    "The inventory": [
        ("gptcount.weight.Inventory", "weight.py", "Inventory"),
        ("gptcount.weight.Weight", "weight.py", "Weight"),
        ("gptcount.weight.Axis", "weight.py", "Axis"),
    ],
    "The specification": [
        ("gptcount.Architecture", "architecture.py", "Architecture"),
        ("gptcount.architecture.Block", "blocks/block.py", "Block"),
        ("gptcount.layer.Variation", "layer.py", "Variation"),
        ("gptcount.architecture.Published", "architecture.py", "Published"),
    ],
}
"""What is public, by chapter: the name to import, where it is written, and what it is called there."""

BLOCKS_HEAD = """\
What a file may say under `[embedding]`, `[attention]`, `[mlp]`, `[norm]` and beside them: each block's keys with their
defaults. A key without one must be there. `Size` is a whole number of at least 1.
"""

Definition = ast.FunctionDef | ast.ClassDef


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, names in CHAPTERS.items():
        parts += [f"## {title}\n", *(_entry(public, _defined(PACKAGE / path, name)) for public, path, name in names)]
    parts += ["## The blocks of a specification\n", BLOCKS_HEAD, *_blocks(), "### Words\n", *_words(), ""]
    return "\n".join(parts)


def _defined(path: Path, name: str) -> Definition:
    """A function or class of a file. Raises LookupError where there is none of that name."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, Definition) and node.name == name:
            return node
    raise LookupError(f"{path.name} has no {name}")


def _entry(public: str, node: Definition) -> str:
    if isinstance(node, ast.FunctionDef):
        return f"### {public}\n\n`{_signature(node)}`\n\n{_said(node)}\n"
    fields = list(_fields(node))
    table = ["| field | |", "| --- | --- |", *fields, ""] if fields else []
    return "\n".join([f"### {public}\n", f"{_said(node)}\n", *table, *_methods(node)])


def _methods(node: ast.ClassDef) -> Iterator[str]:
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")]
    for method in methods:
        decorators = {ast.unparse(one).partition("(")[0] for one in method.decorator_list}
        if decorators & {"field_validator", "model_validator"}:
            continue
        returns = ast.unparse(method.returns) if method.returns else "None"
        head = f"{method.name}: {returns}" if "property" in decorators else _signature(method)
        yield f"- `{head}`: {_one_line(_said(method))}"
    if methods:
        yield ""


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """A line of a table for each field: its name, type and default, and what its docstring says."""
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign) or ast.unparse(field.target).startswith("_"):
            continue
        default = f" = {_default(field.value)}" if field.value is not None else ""
        text = f"{ast.unparse(field.target)}: {_type(field.annotation)}{default}".replace("|", "\\|")
        yield f"| `{text}` | {_one_line(_text(after)).replace('|', chr(92) + '|')} |"


class _Plain(ast.NodeTransformer):
    """Takes from an annotation what only pydantic reads."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """``Annotated[int, Field(...)]`` is ``int``."""
        self.generic_visit(node)
        plain = ast.unparse(node.value) == "Annotated" and isinstance(node.slice, ast.Tuple)
        return node.slice.elts[0] if plain and isinstance(node.slice, ast.Tuple) else node


def _type(annotation: ast.expr) -> str:
    return ast.unparse(_Plain().visit(annotation))


def _default(value: ast.expr) -> str:
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "Field":
        defaults = [one for one in (*value.args, *(key.value for key in value.keywords if key.arg == "default"))]
        return ast.unparse(defaults[0]) if defaults else "..."
    return ast.unparse(value)


def _signature(node: ast.FunctionDef) -> str:
    arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self").removeprefix("/, ")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({arguments}){returns}"


def _said(node: Definition) -> str:
    return _plain(ast.get_docstring(node) or "")


def _text(node: ast.stmt | None) -> str:
    """The docstring that stands under a field, or nothing."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return _plain(node.value.value)
    return ""


def _plain(text: str) -> str:
    return text.replace("``", "`").strip()


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _words() -> Iterator[str]:
    """Each set of words that has a name, and those that it may be."""
    yield from ("| name | words |", "| --- | --- |")
    for path in [
        PACKAGE / "ledger.py",
        PACKAGE / "layer.py",
        PACKAGE / "architecture.py",
        *sorted((PACKAGE / "blocks").glob("*.py")),
    ]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and "Literal[" in (value := ast.unparse(node.value)):
                yield f"| `{ast.unparse(node.targets[0])}` | `{value.replace('|', chr(92) + '|')}` |"


def _blocks() -> Iterator[str]:
    """Every block that a file may use, in the order of the files."""
    for path in sorted((PACKAGE / "blocks").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and (fields := list(_fields(node))):
                yield "\n".join([f"### {node.name}\n", f"{_said(node)}\n", "| key | |", "| --- | --- |", *fields, ""])


def write() -> bool:
    """Write the page, and say whether it has changed."""
    text = page()
    changed = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if changed:
        PAGE.write_text(text, encoding="utf-8")
    return changed


if __name__ == "__main__":
    print("docs/library.md:", "written anew" if write() else "as it was")
