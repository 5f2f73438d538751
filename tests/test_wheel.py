"""The built wheel, installed where no checkout is: it carries the presets and its types, and counts."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRESETS = sorted(path.name for path in (ROOT / "presets").glob("*.toml"))


def run(*command, cwd):
    """What a command prints on its standard output; the environment says nothing of where modules are."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without isolation and so without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The commands of an environment of its own that has the wheel, and borrows its dependencies from here."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", with_pip=False)
    bin_folder = folder / "env" / "bin"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        bin_folder / "python",
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
    ]
    run(*pip, wheel, cwd=folder)
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    # A line in a .pth file adds a folder without reading the .pth files in it: the checkout's stays unread.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bin_folder


def test_the_wheel_carries_the_presets_and_the_types_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert sorted(Path(name).name for name in names if name.startswith("gptcount/presets/")) == PRESETS
    assert "gptcount/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"gptcount"}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "gptcount").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules


def test_the_installed_package_is_the_wheel_and_not_the_checkout(installed):
    elsewhere = installed.parent
    script = "import sys, json, gptcount; print(json.dumps([gptcount.__file__, sys.path]))"
    file, path = json.loads(run(installed / "python", "-c", script, cwd=elsewhere))
    assert Path(file).is_relative_to(elsewhere)
    assert str(ROOT) not in path


def test_the_installed_command_counts_gpt3(installed):
    answer = json.loads(run(installed / "gptcount", "breakdown", "gpt3", "--json", cwd=installed.parent))
    assert answer["totals"]["matrices"] == 27_938
    assert answer["totals"]["matrix_parameters"] == 175_181_291_520
    assert answer["totals"]["parameters"] == 174_604_259_328


def test_the_installed_command_has_every_preset(installed):
    script = "from gptcount.sources import presets; print('\\n'.join(presets.names()))"
    names = run(installed / "python", "-c", script, cwd=installed.parent).split()
    assert [f"{name}.toml" for name in names] == sorted(PRESETS, key=lambda name: name.removesuffix(".toml"))
