"""gptcount: where are a model's parameters? Exact counts, with their working.

    import gptcount

    architecture = gptcount.load("gpt3")
    ledger = gptcount.breakdown(architecture)
    ledger.totals["parameters"]

The names, and the modules such as ``gptcount.audit``, are imported when they are first used, so that ``import
gptcount`` costs nothing.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gptcount.showing import drawn_by

if TYPE_CHECKING:
    from gptcount import architecture as architecture
    from gptcount import audit as audit
    from gptcount import ledger as ledger
    from gptcount import reference as reference
    from gptcount import weight as weight
    from gptcount.architecture import Architecture as Architecture
    from gptcount.comparison import Comparison as Comparison
    from gptcount.comparison import compare as compare
    from gptcount.costs.flops import Flops as Flops
    from gptcount.costs.flops import flops as flops
    from gptcount.errors import GptCountError as GptCountError
    from gptcount.ledger import Ledger as Ledger
    from gptcount.ledger import breakdown as breakdown
    from gptcount.reference.bench import Verification as Verification
    from gptcount.reference.bench import verify as verify
    from gptcount.sources.loading import load as load

__version__ = "0.1.0"

_WHERE = {
    "Architecture": "gptcount.architecture",
    "Comparison": "gptcount.comparison",
    "Flops": "gptcount.costs.flops",
    "GptCountError": "gptcount.errors",
    "Ledger": "gptcount.ledger",
    "Verification": "gptcount.reference.bench",
    "breakdown": "gptcount.ledger",
    "compare": "gptcount.comparison",
    "flops": "gptcount.costs.flops",
    "load": "gptcount.sources.loading",
    "verify": "gptcount.reference.bench",
}

__all__ = [
    "Architecture",
    "Comparison",
    "Flops",
    "GptCountError",
    "Ledger",
    "Verification",
    "__version__",
    "breakdown",
    "compare",
    "flops",
    "load",
    "verify",
]


drawn_by(lambda account, form: import_module("gptcount.output.notebook").draw(account, form))


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if not name.startswith("_") and find_spec(f"gptcount.{name}"):
        return import_module(f"gptcount.{name}")
    raise AttributeError(f"module 'gptcount' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
