"""What the configuration classes of the reference implementation take for keys that are absent.

Writes defaults.json beside this file: for each model type the numbers, truth values and nulls that a configuration
without any key says.
Run it in an environment with transformers; it imports nothing of gptcount.
"""

import json
import logging
from pathlib import Path

import transformers
from transformers import CONFIG_MAPPING

HERE = Path(__file__).parent


def plain(value: object) -> bool:
    """Whether it is a number, a truth value or null."""
    return value is None or isinstance(value, bool | int | float)


def main() -> None:
    """Write down every class that can be made of nothing."""
    transformers.logging.set_verbosity(logging.CRITICAL)
    said = {}
    known = {path.stem for path in (HERE / "counts").glob("*.json")}
    for model_type in sorted(name for name in CONFIG_MAPPING if name in known or name.endswith("_text")):
        try:
            found = CONFIG_MAPPING[model_type]()
            names = {*vars(found), *getattr(found, "attribute_map", {})}
            values = {name: getattr(found, name) for name in sorted(names) if not name.startswith("_")}
        except Exception as fault:
            print(model_type, repr(fault)[:120])
            continue
        theta = (found.rope_parameters or {}).get("rope_theta") if hasattr(found, "rope_parameters") else None
        said[model_type] = {name: value for name, value in values.items() if plain(value)}
        said[model_type] |= {"rope_theta": theta} if isinstance(theta, float | int) else {}
    lines = [f"{json.dumps(name)}: {json.dumps(values)}" for name, values in said.items()]
    (HERE / "defaults.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(len(said), "classes")


main()
