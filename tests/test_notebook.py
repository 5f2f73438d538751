"""docs/notebook.ipynb is executed, and shows what it shows.

    python tests/test_notebook.py --write

puts what its cells show now in place of what is kept in it.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
LACKING = [name for name in ("nbclient", "nbformat", "ipykernel") if not find_spec(name)]


def executed() -> Any:
    """The notebook, run anew in a kernel of its own, as text."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3", record_timing=False).execute()
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return nbformat.writes(notebook) + "\n"


@pytest.mark.skipif(bool(LACKING), reason=f"{', '.join(LACKING)} not installed: pip install {' '.join(LACKING)}")
@pytest.mark.filterwarnings("default")  # those of the kernel's libraries are not ours
def test_the_notebook_shows_what_its_cells_give():
    assert NOTEBOOK.read_text(encoding="utf-8") == executed()


def write() -> None:
    """Put what the cells show now into the notebook."""
    text = executed()
    unchanged = NOTEBOOK.read_text(encoding="utf-8") == text
    NOTEBOOK.write_text(text, encoding="utf-8")
    print(f"docs/notebook.ipynb: {'as it was' if unchanged else 'written anew'}")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
