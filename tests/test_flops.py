"""FLOPs: held against what the reference implementation multiplied, and against themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gptcount
from gptcount import GptCountError, load
from gptcount.cli import app
from gptcount.costs.flops import PARTS
from gptcount.sources import presets

REFERENCE = Path(__file__).parent / "authorities" / "reference"
HELD = json.loads((REFERENCE / "flops.json").read_text())
N = 12

OTHERWISE = {
    "diffllama": "the reference computes the scores of both halves twice",
    "inkling_text": "its convolutions multiply what they are padded with",
    "inkling_text-scaled": "its convolutions multiply what they are padded with",
    "llama4_text": "every expert is computed for every token",
    "longcat_flash": "chosen experts without weights cost nothing",
    "gpt_neo": "one more token looks at all others, in windowed layers too",
    "gemma3_text-bidirectional": "one more token leaves the others as they were, though they would see it",
}
"""What the reference implementation does more, or less, than the model needs."""

UNSAID = {
    "deepseek_v4": "how many keys it has is not said in words yet",
    "mllama": "n_seen depends on more than the text",
    "zaya": "n_longer depends on more than the text",
    "zaya-windows-biases": "n_longer depends on more than the text",
}
"""Cases whose words do not tell how often something is done."""


def case(name: str) -> gptcount.Architecture:
    return load(REFERENCE / "parity" / name / "config.json")


def without_mixers() -> list[str]:
    return [name for name in HELD if not any(layer.mixer for layer in case(name).layers())]


@pytest.mark.parametrize("name", [name for name in without_mixers() if name not in UNSAID])
def test_flops_are_those_that_the_reference_implementation_was_seen_to_do(name: str):
    found, truth = gptcount.flops(case(name), N), HELD[name]
    mine = {"prefill": found.prefill(every=True).total}
    if found.goes_on and "decode" in truth:
        mine["decode"] = found.decode().total
    assert (mine == {key: truth[key] for key in mine}) != (name in OTHERWISE and "bidirectional" not in name)


@pytest.mark.parametrize("name", UNSAID)
def test_what_the_words_do_not_tell_is_refused_by_name(name: str):
    with pytest.raises(GptCountError, match=UNSAID[name]):
        gptcount.flops(case(name), N)


@pytest.mark.parametrize("name", ["gpt3", "mistral-7b", "gemma-2-2b", "mixtral-8x7b", "qwen3.5-27b", "lfm2-1.2b"])
def test_tokens_one_by_one_cost_what_they_cost_at_once(name: str):
    model = load(name)
    window = min(term.reach.window or N for term in gptcount.flops(model).terms)
    whole = gptcount.flops(model, N).prefill()
    first = gptcount.flops(model, 1).prefill()
    later = [gptcount.flops(model, before).decode() for before in range(1, N)]
    assert window >= N
    for part in PARTS:
        assert getattr(whole, part) == getattr(first, part) + sum(getattr(one, part) for one in later), part


@pytest.mark.parametrize("name", ["gpt3", "deepseek-v3", "gemma-3-27b", "llama-4-scout", "nemotron-3-nano"])
def test_rows_add_up_and_lengths_are_one_law(name: str):
    found = [gptcount.flops(load(name), n) for n in (100, 200, 300)]
    for one in found:
        assert one.prefill().total == sum(row["prefill"] for row in one.to_records())
        assert one.training().total == 3 * one.prefill().total
    every = [one.prefill(every=True).total for one in found]
    a, b = found[0].per_token(), found[0].per_pair()
    assert every == [a * n + b * n * n for n in (100, 200, 300)]


def test_the_two_orders_of_latent_attention_differ_in_what_one_token_costs():
    found = gptcount.flops(load("deepseek-v3"), 8192)
    assert found.has_orders
    assert found.decode(absorbed=True).total < found.decode().total / 50
    assert not gptcount.flops(load("gpt3"), 8192).has_orders


def test_a_batch_costs_so_many_times_one():
    model = load("gpt2")
    assert gptcount.flops(model, 100, 8).prefill().total == 8 * gptcount.flops(model, 100).prefill().total


def test_kaplan_and_gpt3_count_as_their_papers_do():
    """Brown et al. 2020, table D.1: 3.14e23 FLOPs for 300 billion tokens, six for each parameter; the rest is
    attention and the unembedding, which it leaves out."""
    found = gptcount.flops(load("gpt3"), 2048)
    assert 300e9 * found.training().weights / 2048 == pytest.approx(3.14e23, rel=0.01)
    assert found.training().total / found.training().weights == pytest.approx(1.017, abs=0.002)


def test_every_preset_has_its_flops():
    for name in presets.names():
        if name.startswith("deepseek-v4"):
            continue
        found = gptcount.flops(load(name), 64)
        assert found.prefill().total <= found.prefill(every=True).total


@pytest.mark.parametrize("said", ["0", "-1", "1.5", "many", "", "1" * 17])
def test_what_is_no_number_of_tokens_is_refused_in_one_line(said: str):
    done = CliRunner().invoke(app, ["flops", "gpt2", "--context", said])
    assert isinstance(done.exception, GptCountError)
    assert str(done.exception).startswith("--context ")
    assert "\n" not in str(done.exception)


def test_a_context_beyond_the_models_own_is_counted_with_a_note():
    done = CliRunner().invoke(app, ["flops", "gpt2", "--context", "4,096", "--json"])
    said = json.loads(done.output)
    assert said["prefill"]["all_pairs"] > said["prefill"]["seen_pairs"]
    assert said["notes"] == ["4,096 tokens are more than the model's own context of 1,024"]


@pytest.mark.parametrize("context", [True, "8", 1.0, 10**16])
def test_what_is_no_context_is_refused_in_python(context: object):
    with pytest.raises(GptCountError, match="context"):
        gptcount.flops(load("gpt2"), context)  # type: ignore[arg-type]
