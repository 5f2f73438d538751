"""The forward pass against the reference implementation: small models of every family."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_spellings import SPELLED

import gptcount
from gptcount import GptCountError, load
from gptcount.families import MODULES
from gptcount.families.wholes import wholes
from gptcount.reference import full, generate, logits
from gptcount.reference.bench import verify

CASES = sorted(path.parent for path in (Path(__file__).parent / "authorities/reference/parity").glob("*/case.npz"))
GPT2 = next(case for case in CASES if case.name == "gpt2")


def difference(case: Path) -> tuple[float, float]:
    """The largest difference to the reference implementation's logits, and what is allowed."""
    truth = np.load(case / "case.npz")
    found = logits(load(case / "config.json"), case / "model.safetensors", truth["input_ids"])
    assert found.shape == truth["logits"].shape
    assert found.dtype == np.float32
    allowed = max(1e-4, 2e-5 * float(np.abs(truth["logits"]).max()))
    return float(np.abs(found - truth["logits"]).max()), allowed


STRETCHED = {"hunyuan_v1_dense-alpha"}
"""Cases longer than the context that their file says, which is refused."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_logits_are_those_of_the_reference_implementation(case: Path):
    if case.name in STRETCHED:
        with pytest.raises(GptCountError, match="more than the context"):
            difference(case)
        return
    off, allowed = difference(case)
    assert off <= allowed


def test_every_family_has_a_case():
    covered = {json.loads((case / "config.json").read_text())["model_type"] for case in CASES}
    larger = {wholes()[kind].text for kind in covered if kind in wholes()}
    assert set(MODULES) - SPELLED <= covered | larger


@pytest.fixture(scope="module")
def gpt2():
    from safetensors.numpy import load_file

    return load(GPT2 / "config.json"), load_file(GPT2 / "model.safetensors")


@pytest.mark.parametrize(
    ("tokens", "what"),
    [
        ([[0, 10_000]], "from 0 to"),
        ([[-1]], "from 0 to"),
        ([[0.5]], "integers of shape"),
        ([[True]], "integers of shape"),
        ([0, 1], "integers of shape"),
        ([[]], "integers of shape"),
        ([["a"]], "integers of shape"),
        ([[0] * 10_000], "more than the context"),
    ],
)
def test_tokens_that_no_model_takes(gpt2, tokens, what):
    with pytest.raises(GptCountError, match=what):
        logits(*gpt2, tokens)


def test_a_mapping_of_arrays_is_a_checkpoint(gpt2):
    truth = np.load(GPT2 / "case.npz")
    assert np.abs(logits(*gpt2, truth["input_ids"]) - truth["logits"]).max() < 1e-4


def test_a_missing_tensor_is_named(gpt2):
    architecture, arrays = gpt2
    for name in arrays:
        left = {other: array for other, array in arrays.items() if other != name}
        with pytest.raises(GptCountError, match=f"{name}: missing"):
            logits(architecture, left, [[1, 2, 3]])


def test_a_misshapen_tensor_is_named(gpt2):
    architecture, arrays = gpt2
    for name in arrays:
        wrong = arrays | {name: arrays[name][..., :-1]}
        with pytest.raises(GptCountError, match=name):
            logits(architecture, wrong, [[1, 2, 3]])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.complex64])
def test_packed_types_are_refused_by_name(gpt2, dtype):
    architecture, arrays = gpt2
    name = "transformer.h.0.mlp.c_fc.weight"
    with pytest.raises(GptCountError, match=f"{name}: of type"):
        logits(architecture, arrays | {name: arrays[name].real.astype(dtype)}, [[1, 2, 3]])


def test_a_nan_anywhere_is_an_error(gpt2):
    architecture, arrays = gpt2
    for name, array in arrays.items():
        broken = array.copy()
        broken.flat[-1] = np.nan
        with pytest.raises(GptCountError, match=f"{name}: holds a NaN"):
            logits(architecture, arrays | {name: broken}, [[1, 2, 3]])


def test_half_precision_is_widened(gpt2):
    architecture, arrays = gpt2
    half = {name: array.astype(np.float16) for name, array in arrays.items()}
    whole = {name: array.astype(np.float32) for name, array in half.items()}
    assert np.array_equal(logits(architecture, half, [[1, 2, 3]]), logits(architecture, whole, [[1, 2, 3]]))


def test_bfloat16_files_are_widened(gpt2, tmp_path):
    architecture, arrays = gpt2
    bits = {name: (array.view(np.uint32) >> 16).astype(np.uint16) for name, array in arrays.items()}
    header, data = {}, b""
    for name, array in bits.items():
        place = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": "BF16", "shape": list(array.shape), "data_offsets": place}
        data += array.tobytes()
    text = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    whole = {name: (array.astype(np.uint32) << 16).view(np.float32) for name, array in bits.items()}
    found = logits(architecture, tmp_path / "model.safetensors", [[1, 2, 3]])
    assert np.array_equal(found, logits(architecture, whole, [[1, 2, 3]]))


def test_generation_is_greedy_at_temperature_zero(gpt2):
    text = generate(*gpt2, [1, 2, 3], n_new=5, temperature=0)
    for end in range(3, 8):
        assert text[end] == logits(*gpt2, [text[:end]])[0, -1].argmax()


def test_generation_is_the_same_for_the_same_seed(gpt2):
    one, same, other = (generate(*gpt2, [1], 12, temperature=2.0, seed=seed) for seed in (7, 7, 8))
    assert list(one) == list(same) != list(other)
    assert len(one) == 13


def test_generation_ends_with_the_context(gpt2):
    with pytest.raises(GptCountError, match="more than the context"):
        generate(*gpt2, [1], n_new=gpt2[0].n_ctx + 1)


def test_without_names_of_tensors_there_is_no_checkpoint():
    architecture = load("gpt2").model_copy(update={"checkpoint": None})
    with pytest.raises(gptcount.GptCountError, match="checkpoint ="):
        logits(architecture, {}, [[1]])


def renamed(case: str, change) -> tuple[np.ndarray, np.ndarray]:
    """The logits of a case with its tensors changed, and those of the reference implementation."""
    from gptcount.reference.arrays import Arrays

    folder = next(path for path in CASES if path.name == case)
    truth, arrays = np.load(folder / "case.npz"), Arrays(folder / "model.safetensors")
    return logits(load(folder / "config.json"), change(dict(arrays.items())), truth["input_ids"]), truth["logits"]


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("gpt2", lambda name: name.removeprefix("transformer.")),
        ("bloom", lambda name: name.removeprefix("transformer.")),
        ("llama", lambda name: f"language_model.{name}"),
        ("llama", lambda name: name.replace(".self_attn.", "._orig_mod.self_attn.")),
    ],
)
def test_tensors_are_found_under_other_names(case, change):
    found, truth = renamed(case, lambda arrays: {change(name): array for name, array in arrays.items()})
    assert np.abs(found - truth).max() < 1e-4


def test_a_tied_matrix_is_found_under_the_name_of_the_head():
    def change(arrays):
        return {"lm_head.weight" if name == "transformer.wte.weight" else name: one for name, one in arrays.items()}

    found, truth = renamed("gpt2", change)
    assert np.abs(found - truth).max() < 1e-4


def test_stacked_experts_are_cut_apart():
    def change(arrays):
        found = {
            name.replace("block_sparse_moe", "mlp"): one for name, one in arrays.items() if ".experts." not in name
        }
        for layer in {name.split(".")[2] for name in arrays if ".experts." in name}:
            path = f"model.layers.{layer}.block_sparse_moe.experts"
            n = len([name for name in arrays if name.startswith(path) and name.endswith("w1.weight")])
            w1, w2, w3 = ([arrays[f"{path}.{expert}.{w}.weight"] for expert in range(n)] for w in ("w1", "w2", "w3"))
            path = path.replace("block_sparse_moe", "mlp")
            found[f"{path}.gate_up_proj"] = np.concatenate([np.stack(w1), np.stack(w3)], axis=1)
            found[f"{path}.down_proj"] = np.stack(w2)
        return found

    found, truth = renamed("mixtral", change)
    assert np.abs(found - truth).max() < 1e-4


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_bench_confirms_what_the_reference_was_asked(case: Path):
    assert verify(load(case)).failures == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_run_at_true_size_goes_through_every_matrix_once(case: Path):
    model = load(case / "config.json")
    totals, done = gptcount.breakdown(model).totals, full.run(model)
    chosen = any(axis.chosen for weight in model.inventory() for axis in weight.per)
    assert done.matrices <= totals["matrices"]
    if not chosen:
        assert (done.matrices, done.parameters) == (totals["matrices"], totals["matrix_parameters"])
