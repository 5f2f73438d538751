"""Runs of the forward pass that a person asks for: on a folder's real weights, and of a whole model at true size."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gptcount import GptCountError, breakdown, load
from gptcount.reference import logits
from gptcount.reference.full import run as run_full
from gptcount.reference.pool import Blocks, Pool
from gptcount.reference.real import run as run_real

PARITY = Path(__file__).parent / "authorities" / "reference" / "parity"


def program(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "gptcount", *map(str, words)], capture_output=True, text=True)


@pytest.mark.parametrize("name", ["gpt2", "mixtral", "gpt_oss"])
def test_a_folder_is_run_on_its_weights(name: str):
    folder = PARITY / name
    found = run_real(load(folder), folder, [1, 2, 3], temperature=0.5)
    scores = logits(load(folder), folder, [[1, 2, 3]])[0, -1].astype(np.float64) / 0.5
    probabilities = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    assert [token for token, _ in found.best] == list(np.argsort(-probabilities)[:5])
    assert np.allclose([chance for _, chance in found.best], np.sort(probabilities)[::-1][:5], atol=1e-5)
    assert found.surplus == ()


def test_the_program_says_the_most_probable_tokens():
    answer = program("verify-shapes", PARITY / "gpt2", "--tokens", "1,2,3")
    assert answer.returncode == 0
    assert "after the tokens 1, 2, 3" in answer.stdout
    assert "none missing" in answer.stdout


@pytest.mark.parametrize(
    ("tokens", "what"),
    [("1,a", "expected integers"), ("1,99999", "from 0 to"), ("", "expected integers"), ("1," * 99 + "1", "more than")],
)
def test_tokens_that_cannot_be_run(tokens: str, what: str):
    answer = program("verify-shapes", PARITY / "gpt2", "--tokens", tokens)
    assert answer.returncode == 2
    assert what in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_tokens_want_a_checkpoint():
    answer = program("verify-shapes", "gpt2", "--tokens", "1,2")
    assert answer.returncode == 2
    assert "a folder with a config.json and a checkpoint" in answer.stderr


def test_a_tensor_that_is_missing_is_named(tmp_path: Path):
    from safetensors.numpy import load_file, save_file

    arrays = load_file(PARITY / "gpt2" / "model.safetensors")
    del arrays["transformer.h.1.ln_2.weight"]
    save_file(arrays, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text((PARITY / "gpt2" / "config.json").read_text())
    answer = program("verify-shapes", tmp_path)
    assert answer.returncode == 2
    assert "transformer.h.1.ln_2.weight: missing" in answer.stderr


def test_gpt2_at_its_true_size():
    ledger = breakdown(load("gpt2"))
    seen: list[tuple[int, int]] = []
    found = run_full(load("gpt2"), progress=lambda done, of: seen.append((done, of)), n_tokens=2)
    assert found.matrices == ledger.totals["matrices"]
    assert found.parameters == ledger.totals["matrix_parameters"]
    assert seen == [(layer, 12) for layer in range(1, 13)]
    assert abs(found.total_probability - 1) < 1e-5
    assert found.peak < 4e9
    multiplied = sum(n * m for _, n, m in found.products)
    assert multiplied == ledger.totals["matrix_parameters"] - 50_257 * 768  # the embedding is looked up


def test_only_experts_that_a_token_chooses_are_visited():
    architecture = load("mixtral-8x7b", ["n_layers=2"])
    found = run_full(architecture, n_tokens=1)
    assert found.parameters == breakdown(architecture).totals["active"] - sum(
        weight.parameters for weight in architecture.inventory() if weight.role == "norm"
    )


def test_a_product_larger_than_the_pool_is_the_product():
    numbers = np.random.default_rng(0).standard_normal(1000, np.float32)
    x = np.random.default_rng(1).standard_normal((3, 70), np.float32)
    products: list[tuple[int, int, int]] = []
    for m in (1, 30, 999, 1500):
        virtual = Blocks(numbers, (70, m), products)
        whole = np.zeros((70, m), np.float32)
        wide = min(m, 1000)
        high = max(1000 // wide, 1)
        for left in range(0, m, wide):
            for top in range(0, 70, high):
                rows, columns = min(high, 70 - top), min(wide, m - left)
                whole[top : top + rows, left : left + columns] = numbers[: rows * columns].reshape(rows, columns)
        assert np.allclose(x @ virtual, x @ whole, atol=1e-4)
    assert products == [(3, 70, m) for m in (1, 30, 999, 1500)]


def test_the_pool_stays_small():
    pool = Pool(load("llama-3.1-405b"))
    assert pool.numbers.nbytes <= 64 * 2**20
    assert pool("mlp.up", 0, None).shape == (16_384, 53_248)


def test_a_full_run_tells_what_it_did():
    answer = program("verify-shapes", "gpt2", "--full", "--json")
    (run,) = json.loads(answer.stdout)["runs"]
    assert run["matrices"] == 470
    assert run["parameters"] == 162_129_408
    assert answer.stderr == ""


def test_what_has_no_names_has_no_run():
    with pytest.raises(GptCountError):
        run_real(load("gpt2"), PARITY / "llama")
