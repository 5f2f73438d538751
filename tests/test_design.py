"""The house as it was designed: imports run one way, and a breakdown takes what it needs and no more."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "gptcount"

FLOORS = (
    {"errors", "numbers", "writing"},
    {"weight", "faults", "settings"},
    {"blocks"},
    {"packings"},
    {"layer"},
    {"architecture"},
    {"families", "sources", "stored", "names", "packed", "disk", "surplus"},
    {"ledger", "comparison", "explain", "adapter", "audit", "judged", "quoted"},
    {"reference"},
    {"output"},
    {"options", "cli"},
    {"__init__", "__main__"},
)
"""docs/design.md: a room imports those of its own floor and of the floors before it."""

WITHIN = ("errors", "numbers", "writing")
"""The rooms of the first floor stand alone."""

SHOWN = ("architecture", "ledger", "comparison", "adapter", "audit", "reference")
LOOKS_UP = {(room, "output") for room in SHOWN}
"""A notebook asks a ledger or an audit to show itself: imported there and then, not with the module."""


def floor(room: str) -> int:
    return next(place for place, rooms in enumerate(FLOORS) if room in rooms)


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The rooms that a module imports when it is run, and whether with the module itself; not those for types only."""

    def walk(node: ast.AST, at_once: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_once) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                inside = child.module == "gptcount"
                yield from (
                    (f"gptcount.{alias.name}" if inside else str(child.module), at_once) for alias in child.names
                )
            yield from walk(child, at_once and not isinstance(child, ast.FunctionDef))

    for name, at_once in walk(ast.parse(path.read_text(encoding="utf-8")), True):
        if name.startswith("gptcount."):
            yield name.split(".")[1], at_once


def rooms() -> list[tuple[str, Path]]:
    return [(path.relative_to(PACKAGE).with_suffix("").parts[0], path) for path in sorted(PACKAGE.rglob("*.py"))]


def test_each_room_has_its_floor():
    assert {room for room, _ in rooms()} == set().union(*FLOORS)


@pytest.mark.parametrize(("room", "path"), rooms(), ids=lambda value: str(value).rpartition("/gptcount/")[2])
def test_imports_run_one_way(room, path):
    for other, at_once in imports(path):
        if other in ("__version__", *room.split()):
            continue
        assert floor(other) <= floor(room) or ((room, other) in LOOKS_UP and not at_once), f"{room} imports {other}"


@pytest.mark.parametrize("room", WITHIN)
def test_the_ground_floor_stands_alone(room):
    assert list(imports(PACKAGE / f"{room}.py")) == []


def test_the_comma_is_put_in_at_one_place():
    """Only numbers.py formats a number with its thousands parted."""
    parted = []
    for _, path in rooms():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FormattedValue) and node.format_spec and "," in ast.unparse(node.format_spec):
                parted.append(path.name)
    assert set(parted) == {"numbers.py"}
