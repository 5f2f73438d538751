"""What the worst inputs cost: files that are small, or within every limit, and made to take long or much.

    python bench/bounds.py [WORD...]

It writes them into a folder of its own, runs the program on each under a limit of memory and of time, and prints
seconds and peak memory above a plain start, beside what is promised; WORD picks those whose name has it. Code 1 where
a promise is broken. Everything of a kind that once was slow, quadratic or large stands here.
"""

import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from measuring import ROOT, environment

GIVEN_UP = 60
"""Seconds after which a run is ended."""
MOST_MEMORY = 4_000_000_000
"""Bytes of addresses that a run may have."""

MODEL = """name = "x"
n_vocab = 100
n_ctx = 10
n_layers = {n_layers}
d_model = 8
{top}
[attention]
kind = "multi-head"
n_heads = 2
d_head = 4
[mlp]
kind = "plain"
d_ff = 16
[norm]
kind = "layer"
[unembedding]
tied = true
{end}
"""


class Bound(NamedTuple):
    """What is promised of a run: seconds, and megabytes above a plain start."""

    seconds: float
    megabytes: float


ANSWER, AUDIT = Bound(2, 300), Bound(10, 1000)


class Case(NamedTuple):
    """An input: its name, what is typed (FOLDER stands for its own), what writes it, and what is promised."""

    name: str
    typed: list[str]
    make: Callable[[Path], object]
    bound: Bound = ANSWER


class Cost(NamedTuple):
    """What a run took, and how it ended."""

    seconds: float
    peak: int
    code: int
    said: str


def specification(n_layers: int = 2, top: str = "", end: str = "") -> str:
    """A small model as TOML text, with more at the top and at the end."""
    return MODEL.format(n_layers=n_layers, top=top, end=end)


def variations(n: int, layers: str, n_layers: int = 100_000) -> str:
    """A model whose layers vary so many times, each time all that ``layers`` says."""
    one = '[[variations]]\nlayers = "{}"\n[variations.mlp]\nkind = "gated"\nd_ff = {}'
    return specification(n_layers, end="\n".join(one.format(layers, 1 + d_ff) for d_ff in range(n)))


def crossing(kinds: int) -> str:
    """A model each of whose layers is another kind."""
    one = '[[variations]]\nlayers = "{}"\n[variations.mlp]\nkind = "gated"\nd_ff = {}'
    return specification(kinds, end="\n".join(one.format(layer, 1 + layer) for layer in range(kinds)))


def heads(kinds: int) -> str:
    """A model each of whose layers has heads of other numbers and widths."""
    one = """[[variations]]
layers = "{}"
[variations.attention]
kind = "multi-head"
n_heads = {}
n_kv_heads = {}
d_head = {}
d_value = {}"""
    each = (one.format(n, 2 * n + 2, n + 1, 2 * n + 4, n + 3) for n in range(kinds))
    return specification(kinds, end="\n".join(each))


def unknown(n: int) -> str:
    """A model with so many keys that no block has."""
    return "".join(f"{key}=1\n" for key in keys(n)) + specification()


def llama(**more: Any) -> dict[str, Any]:
    """A small configuration, with more keys or other values."""
    sizes = {"vocab_size": 100, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    return {"model_type": "llama", **sizes, "num_attention_heads": 4, "architectures": ["LlamaForCausalLM"]} | more


def gpt_neo(times: int) -> dict[str, Any]:
    """GPT-Neo's layers, of which each entry says a hundred thousand."""
    return {"model_type": "gpt_neo", "num_layers": 100_000, "attention_types": [[["global"], 100_000]] * times}


def gemma3n(widths: int) -> dict[str, Any]:
    """A Gemma 3n each of whose layers has another width."""
    return {
        "model_type": "gemma3n_text", "vocab_size": 211, "hidden_size": 72, "num_hidden_layers": widths,
        "intermediate_size": list(range(1, widths + 1)), "num_attention_heads": 6, "num_key_value_heads": 3,
        "max_position_embeddings": 97, "head_dim": 10, "num_kv_shared_layers": 0, "vocab_size_per_layer_input": 190,
        "hidden_size_per_layer_input": 14, "altup_num_inputs": 3, "laurel_rank": 5,
        "activation_sparsity_pattern": [0.0] * widths,
    }  # fmt: skip


def header(names: Iterator[str] | list[str]) -> bytes:
    """A .safetensors file of empty tensors of these names, which takes a header and nothing else."""
    entry = '"{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    text = "{" + ",".join(map(entry.format, names)) + "}"
    return struct.pack("<Q", len(text)) + text.encode()


def config(name: str, content: Callable[[], str | dict[str, Any]], *typed: str) -> Case:
    """A config.json, which is broken down, or what else is ``typed``."""

    def make(folder: Path) -> object:
        data = content()
        return (folder / "config.json").write_text(json.dumps(data) if isinstance(data, dict) else data)

    return Case(name, [*(typed or ("breakdown",)), "FOLDER/config.json"], make)


def toml(name: str, content: Callable[[], str], command: str = "breakdown") -> Case:
    """A specification, which is broken down, or what else is commanded."""
    return Case(name, [command, "FOLDER/x.toml"], lambda folder: (folder / "x.toml").write_text(content()))


def typed(name: str, *words: str) -> Case:
    """What needs no file."""
    return Case(name, [*words], lambda _: None)


def audit(name: str, make: Callable[[Path], object], *more: str) -> Case:
    """A checkpoint, which is audited."""
    return Case(name, ["audit", "FOLDER", *more], make, AUDIT)


def tensors(shards: int, each: int, name: str = "w{}") -> Callable[[Path], object]:
    """Writes so many files of so many tensors."""

    def make(folder: Path) -> None:
        for shard in range(shards):
            names = (name.format(number) for number in range(shard * each, (shard + 1) * each))
            (folder / f"{shard:05}.safetensors").write_bytes(header(names))

    return make


def links(times: int, tensors: int) -> Callable[[Path], object]:
    """Writes one file under many names, all of which an index names."""

    def make(folder: Path) -> None:
        first = folder / "0.safetensors"
        first.write_bytes(header(f"w{number}" for number in range(tensors)))
        for place in range(1, times):
            os.link(first, folder / f"{place}.safetensors")
        places = {f"x{place}": f"{place}.safetensors" for place in range(times)}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))

    return make


def index(entries: int) -> Callable[[Path], object]:
    """Writes an index of so many entries, of one small file."""

    def make(folder: Path) -> None:
        (folder / "a.safetensors").write_bytes(header(["w0"]))
        places = {f"w{number}": "a.safetensors" for number in range(entries)}
        text = json.dumps({"weight_map": places}, separators=(",", ":"))
        (folder / "model.safetensors.index.json").write_text(text)

    return make


def keys(n: int) -> dict[str, int]:
    """So many keys that nobody knows."""
    return {f"k{number}": 1 for number in range(n)}


def doubled(n: int) -> str:
    """An object of so many keys, of which the last is given twice."""
    return json.dumps(llama(**keys(n)))[:-1] + f', "k{n - 1}": 1}}'


def layers(n: int) -> list[str]:
    """Kinds of layer in no pattern."""
    return [("full_attention", "sliding_attention")[number * number % 7 % 2] for number in range(n)]


def qwen3(n_layers: int) -> dict[str, Any]:
    """A model whose layers follow no pattern."""
    windows = {"use_sliding_window": True, "sliding_window": 8, "layer_types": layers(n_layers)}
    return llama(
        num_hidden_layers=n_layers,
        num_key_value_heads=2,
        model_type="qwen3",
        architectures=["Qwen3ForCausalLM"],
        **windows,
    )


def kept(n: int, pattern: str = "re:.*a{}.*b.*$", **more: Any) -> dict[str, Any]:
    """A quantized configuration that names so many modules that are not."""
    patterns = [pattern.format(number) for number in range(n)]
    said = {"quant_method": "compressed-tensors", "format": "int-quantized", "ignore": patterns}
    group = {"targets": ["Linear"], "weights": {"num_bits": 8, "strategy": "channel", "type": "int"}}
    return llama(quantization_config=said | {"config_groups": {"group_0": group}}, **more)


def longrope(factors: int) -> dict[str, Any]:
    """As many factors of rotary positions."""
    said = {"type": "longrope", "short_factor": [1.0] * factors, "long_factor": [1.0] * factors}
    return llama(model_type="phi3", architectures=["Phi3ForCausalLM"], pad_token_id=0, rope_scaling=said)


def crossed(folder: Path) -> None:
    """A checkpoint of nothing and a model of 1,000 kinds of half of its layers."""
    tensors(1, 1_000)(folder)
    (folder / "x.toml").write_text(variations(1_000, "::2", 4_000))


DOTS = ".".join("a" * 4_900)
QUOTED = '."a b"' * 1_400
AGAINST = ("--against", "llama-3-8b")

CASES = [
    config("config.json: 40,000 keys, one twice", lambda: doubled(40_000)),
    config("config.json: 550,000 keys, one twice", lambda: doubled(550_000)),
    config("config.json: 500,000 unknown keys", lambda: llama(**keys(500_000))),
    config("config.json: 300,000 unknown keys of a table", lambda: llama(rope_scaling=keys(300_000))),
    config("config.json: 300,000 unknown texts", lambda: llama(**dict.fromkeys(keys(300_000), "x"))),
    config("config.json: 300,000 unknown lists", lambda: llama(**{key: ["x"] for key in keys(300_000)})),
    config("config.json: 1,000 layers in no pattern", lambda: qwen3(1_000)),
    config("config.json: 100,000 layers in no pattern", lambda: qwen3(100_000)),
    config("config.json: gpt_neo, 2,000 times all", lambda: gpt_neo(2_000)),
    config("config.json: gpt_neo, 250,000 times all", lambda: gpt_neo(250_000)),
    config("config.json: model_type of 7.9 MB", lambda: {"model_type": "x" * 7_900_000}),
    config("config.json: a name of 6.6 MB", lambda: llama(_name_or_path="\x1b" * 1_100_000)),
    config("config.json: an unknown key of 7.9 MB", lambda: llama(**{"x" * 7_900_000: "x"})),
    config("config.json: an activation of 7.9 MB", lambda: llama(hidden_act="x" * 7_900_000)),
    config("config.json: an integer of 7.9 MB", lambda: f'{{"model_type": "llama", "head_dim": {"7" * 7_900_000}}}'),
    config("config.json: 7.9 MB of brackets", lambda: "[" * 7_900_000),
    config("config.json: 7.9 MB of braces", lambda: '{"a":' * 1_580_000),
    config("config.json: 2.6 M empty tables", lambda: llama(a=[{}] * 1_900_000)),
    config("config.json: 600,000 labels", lambda: llama(id2label={str(n): 0 for n in range(600_000)})),
    config("config.json: 1.5 M classes", lambda: llama(architectures=["a"] * 1_500_000)),
    config("config.json: 150,000 modules kept", lambda: kept(150_000, "m.{}.x")),
    config("config.json: 300,000 patterns kept", lambda: kept(300_000)),
    config("config.json: 2,000 patterns kept", lambda: kept(2_000, num_hidden_layers=1_000)),
    config("config.json: 300,000 pruned heads", lambda: llama(pruned_heads={str(n): [n] for n in range(300_000)})),
    config("config.json: 600,000 rotary factors", lambda: longrope(600_000)),
    config("config.json: gemma3n, 999 widths", lambda: gemma3n(999)),
    config("--explain: gemma3n, 999 widths", lambda: gemma3n(999), "breakdown", "--explain"),
    config("--reading stored: gemma3n, 999 widths", lambda: gemma3n(999), "breakdown", "--reading", "stored"),
    config("verify-shapes: gemma3n, 100 widths", lambda: gemma3n(100), "verify-shapes"),
    config("verify-shapes: gemma3n, 200 widths", lambda: gemma3n(200), "verify-shapes"),
    config("verify-shapes: gemma3n, 999 widths", lambda: gemma3n(999), "verify-shapes"),
    toml("verify-shapes: 20 sizes of every head", lambda: heads(20), "verify-shapes"),
    toml("verify-shapes: 60 sizes of every head", lambda: heads(60), "verify-shapes"),
    toml("verify-shapes: 250 sizes of every head", lambda: heads(250), "verify-shapes"),
    toml("TOML: slices of 5,000 characters", lambda: variations(1, ",".join(":" * 2_500))),
    toml("TOML: slices of 5,000 characters, three times", lambda: variations(3, ",".join(":" * 2_500))),
    toml("TOML: 1,000 variations of all layers", lambda: variations(1_000, ":")),
    toml("TOML: 20 variations of all layers", lambda: variations(20, ":")),
    toml("TOML: 1,000 kinds of layer", lambda: crossing(1_000)),
    toml("TOML: 1,000 unknown keys", lambda: unknown(1_000)),
    toml("TOML: 5,000 unknown keys", lambda: unknown(5_000)),
    toml("TOML: 600,000 unknown keys", lambda: unknown(600_000)),
    toml("TOML: 5,000 wrong notes", lambda: specification(top="notes = [" + "1,\n" * 5_000 + "]")),
    toml("TOML: 600,000 wrong notes", lambda: specification(top="notes = [" + "1,\n" * 600_000 + "]")),
    toml("TOML: 190,000 notes", lambda: specification(top="notes = [" + '"x",\n' * 190_000 + "]")),
    toml("TOML: 200,000 wrong variations", lambda: specification(end="[[variations]]\nlayers = 5\n" * 200_000)),
    toml("TOML: 4,900 dots, three times", lambda: specification(end="".join(f"{key}.{DOTS} = 1\n" for key in "bcd"))),
    toml("TOML: 1.9 M comments", lambda: specification() + "# x\n" * 1_900_000),
    toml("TOML: 4,900 quoted dots, a hundred times", lambda: f"a = 1\nb.{QUOTED} = 1\n" * 99),
    toml("TOML: 4,900 dots in an inline table", lambda: f'a = ["""\n""", {{{DOTS}=1}}, "a"]\n' * 99),
    toml("TOML: quotes that never close", lambda: '"""' + '\\"""\n' * 190_000),
    toml("TOML: 5,000 keys of 10 dots", lambda: "".join(f"a{n}.{'a.' * 9}a=1\n" for n in range(4_900))),
    toml("TOML: 5,000 tables of 10 dots", lambda: "".join(f"[a{n}.{'a.' * 9}a]\n" for n in range(4_900))),
    toml("TOML: 5,000 keys of 10 dots in one table", lambda: "".join(f"{'a.' * 9}a{n}=1\n" for n in range(4_900))),
    toml(
        "TOML: 120,000 keys in a table of 10 dots",
        lambda: f"[{'a.' * 10}a]\n" + "".join(f"a{n}=1\n" for n in range(99_000)),
    ),
    toml("TOML: 130,000 tables", lambda: "".join(f"[{n}]\n" for n in range(120_000))),
    toml("TOML: 160,000 tables in a list", lambda: "[[a]]\n" * 160_000),
    toml("TOML: 120,000 inline tables", lambda: "a = [\n" + "{a=1},\n" * 120_000 + "]"),
    toml("TOML: 330,000 lists", lambda: "a = [\n" + "[],\n" * 240_000 + "]"),
    toml("TOML: 1 MB in lines of 9,999 letters", lambda: f"x = '{'a' * 9_990}'\n" * 99),
    toml("TOML: 8 MB in one line", lambda: f"x = '{'a' * 7_999_000}'\n"),
    toml("TOML: 9,000 brackets in a line", lambda: f"x = {'[' * 9_000}\n{specification()}"),
    typed("--set: a key of 4,900 dots", "breakdown", "gpt2", "--set", f"{DOTS}=1"),
    typed("--set: a second line of 4,900 dots", "breakdown", "gpt2", "--set", f"name=1\n{DOTS}=1"),
    typed("--set: a second line of 40,000 dots", "breakdown", "gpt2", "--set", f"name=1\n{'.'.join('a' * 40_000)}=1"),
    typed("--set: a table of 4,900 dots, ten times", "breakdown", "gpt2", *(["--set", f"name={{{DOTS}=1}}"] * 10)),
    *(
        typed(f"--full: {key} of 1e9", "verify-shapes", "gpt2", "--full", "--set", f"{key}=1000000000")
        for key in ("mlp.d_ff", "d_model", "attention.n_heads", "attention.d_head", "n_vocab", "n_ctx")
    ),
    audit("audit: 350,000 tensors", tensors(1, 350_000, "w{}.x")),
    audit("audit: 250,000 tensors of one name", tensors(1, 250_000, "a.{}.x")),
    audit("audit: 250,000 tensors, each another name", tensors(1, 250_000, "w{}.x")),
    audit("audit: 50,000 tensors, each another name", tensors(1, 50_000, "w{}.x")),
    audit("audit: 990,000 tensors in three", tensors(3, 330_000, "w{}.x")),
    audit("audit: 240,000 tensors in 1,000", tensors(1_000, 240, "a.{}.x")),
    audit("audit: 250,000 against a model", tensors(1, 250_000, "model.l.{}.x"), *AGAINST),
    audit("audit: 250,000 scales", tensors(1, 250_000, "model.layers.{}.mlp.weight_scale"), *AGAINST),
    *(
        audit(f"audit: 21,000 names of {word}", tensors(1, 21_000, word * (900 // len(word)) + "{}"), *AGAINST)
        for word in ("vision", ".", "0.", ".mm_", "lora_A.", "rotary_", ".attn", "language.", "module.", "weight_")
    ),
    audit("audit: 21,000 names of inv_fre", tensors(1, 21_000, "." + "inv_fre" * 130 + "{}"), *AGAINST),
    audit("audit: 100,000 wrapped names", tensors(1, 100_000, "a.module.module.base_layer.x{}"), *AGAINST),
    audit("audit: an index of 24 links", links(24, 330_000)),
    audit("audit: an index of 2,000 links", links(2_000, 330_000)),
    audit("audit: an index of 10,000 links to few tensors", links(10_000, 20)),
    audit("audit: an index of 1.4 M entries", index(1_400_000)),
    audit("audit: 1,000 kinds of layer", crossed, "--against", "FOLDER/x.toml"),
]


def limited() -> None:
    """In the child: no more addresses than that."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def cost(typed: list[str]) -> Cost:
    """One run: seconds, peak in bytes, code and the first line of its errors."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        run = subprocess.Popen(
            [sys.executable, "-m", "gptcount", *typed], env=environment(**one_thread), cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=limited,
        )  # fmt: skip
        while time.perf_counter() - start < GIVEN_UP:
            done, status, used = os.wait4(run.pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.005)
        else:
            run.kill()
            _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        lines = errors.read(2_000_000).decode(errors="replace").splitlines() or [""]
    said = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, run.returncode, said)


def main(words: list[str]) -> int:
    """Run the cases whose names have one of the words, and print the table."""
    start = min(cost(["breakdown", "gpt2"]).peak for _ in range(3))
    chosen = [case for case in CASES if not words or any(word in case.name for word in words)]
    print(f"the worst inputs; a plain start has {start / 1e6:,.0f} MB\n")
    print(f"{'':48}{'seconds':>9}{'of':>4}{'MB more':>10}{'of':>6}{'code':>6}")
    broken = 0
    for case in chosen:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, __file__, "--make", case.name, folder], check=True)
            found = cost([word.replace("FOLDER", folder) for word in case.typed])
        more = max(found.peak - start, 0) / 1e6
        kept = found.seconds <= case.bound.seconds and more <= case.bound.megabytes and found.code in (0, 1, 2)
        kept = kept and "Error" not in found.said.partition(":")[0]
        broken += not kept
        costs = f"{found.seconds:>9.2f}{case.bound.seconds:>4.0f}{more:>10,.0f}{case.bound.megabytes:>6.0f}"
        print(f"{case.name:48}{costs}{found.code:>6}  {'' if kept else 'BROKEN ' + found.said[:90]}", flush=True)
        if "-v" in sys.argv:
            print("      ", found.said[:200])
    print(f"\n{len(chosen)} inputs, {broken} beyond what is promised\n")
    return 1 if broken else 0


def make(name: str, folder: str) -> None:
    """Write the input of a case; in a process of its own, for a child's peak begins with its parent's."""
    next(case for case in CASES if case.name == name).make(Path(folder))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        sys.exit(make(*sys.argv[2:]))
    sys.exit(main([word for word in sys.argv[1:] if word != "-v"]))
