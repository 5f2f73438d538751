"""The house as it was designed: imports run one way, and a breakdown takes what it needs and no more."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "gptcount"

FLOORS = (
    {"errors", "numbers", "writing"},
    {"weight", "faults", "settings", "lines", "showing"},
    {"blocks"},
    {"packings"},
    {"layer"},
    {"architecture"},
    {"families", "sources", "stored", "names", "packed", "disk", "surplus"},
    {"ledger", "comparison", "explain", "adapter", "audit", "judged", "quoted"},
    {"reference"},
    {"costs"},
    {"output"},
    {"options", "costing", "listing", "cli"},
    {"__init__", "__main__"},
)
"""docs/design.md: a room imports those of its own floor and of the floors before it."""

WITHIN = ("errors", "numbers", "writing")
"""The rooms of the first floor stand alone."""


def floor(room: str) -> int:
    return next(place for place, rooms in enumerate(FLOORS) if room in rooms)


def modules_of(path: Path) -> Iterator[str]:
    """The modules of ours that a module imports when it is run, sooner or later; not those for types only."""

    def walk(node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                names = (f"{child.module}.{alias.name}" for alias in child.names)
                yield from (name if name in MODULES else str(child.module) for name in names)
            yield from walk(child)

    yield from (name for name in walk(ast.parse(path.read_text(encoding="utf-8"))) if name in MODULES)


def imports(path: Path) -> Iterator[str]:
    """The rooms that a module imports from."""
    yield from (name.split(".")[1] for name in modules_of(path) if "." in name)


def named(path: Path) -> str:
    words = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(word for word in words if word != "__init__")


MODULES = {named(path): path for path in PACKAGE.rglob("*.py")}


def test_no_module_comes_back_to_itself():
    """No circle of imports, of those made late neither."""
    before = {name: {other for other in modules_of(path) if other != name} for name, path in MODULES.items()}
    try:
        list(TopologicalSorter(before).static_order())
    except CycleError as circle:
        pytest.fail(f"a circle: {' -> '.join(circle.args[1])}")


def test_no_file_is_longer_than_400_lines():
    assert {name: n for name, path in MODULES.items() if (n := len(path.read_text().splitlines())) > 400} == {}


def rooms() -> list[tuple[str, Path]]:
    return [(path.relative_to(PACKAGE).with_suffix("").parts[0], path) for path in sorted(PACKAGE.rglob("*.py"))]


def test_each_room_has_its_floor():
    assert {room for room, _ in rooms()} == set().union(*FLOORS)


@pytest.mark.parametrize(("room", "path"), rooms(), ids=lambda value: str(value).rpartition("/gptcount/")[2])
def test_imports_run_one_way(room, path):
    for other in imports(path):
        if other in ("__version__", *room.split()):
            continue
        assert floor(other) <= floor(room), f"{room} imports {other}"


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
