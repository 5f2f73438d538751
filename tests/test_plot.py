"""Pictures in files: what they show, that they are what they say, and that they need no browser."""

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from matplotlib.patches import Rectangle

from gptcount import GptCountError, breakdown, load
from gptcount.errors import InputError, shown
from gptcount.numbers import count
from gptcount.output import picture, series
from gptcount.output.tiles import leaves, whole

BEGINS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!DOCTYPE html>"}
NAMES = ["<script>alert(1)</script>", "my[red]model", "right\u202eleft", "$x^2$ and $\\frac$", "模型", "_{^"]


@pytest.fixture(scope="module")
def gpt3():
    return breakdown(load("gpt3"))


@pytest.fixture(scope="module")
def several():
    return [breakdown(load(model)) for model in ("llama-3-8b", "gpt2", "deepseek-v3")]


def words(figure):
    return [text.get_text() for axes in figure.axes for text in [*axes.texts, axes.title, axes._left_title]]


@pytest.mark.parametrize("format", picture.FORMATS)
@pytest.mark.parametrize("kind", picture.KINDS)
def test_every_kind_in_every_format_the_same_twice(gpt3, kind, format):
    drawn = picture.render([gpt3], kind, format)
    assert drawn.startswith(BEGINS[format])
    assert drawn == picture.render([gpt3], kind, format)


def test_areas_are_true_to_the_parameters(gpt3):
    (axes,) = picture.draw([gpt3], "treemap").axes
    tiles = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    areas = sorted(tile.get_width() * tile.get_height() for tile in tiles)
    scale = sum(areas) / whole(gpt3)[1]
    assert areas == pytest.approx(sorted(tile.parameters * scale for tile in leaves(gpt3)))
    assert len({tile.get_facecolor() for tile in tiles}) == len({tile.part for tile in leaves(gpt3)})


def test_the_treemap_says_its_numbers(gpt3):
    said = "\n".join(words(picture.draw([gpt3], "treemap")))
    assert f"GPT-3 175B: {count(gpt3.totals['matrix_parameters'])} parameters in all matrices" in said
    assert said.count("14,495,514,624") == 4
    assert said.count("57,982,058,496") == 2


def test_no_text_leaves_its_tile(several):
    for ledger in several:
        figure = picture.draw([ledger], "treemap")
        figure.canvas.draw()
        (axes,) = figure.axes
        for text in axes.texts:
            box = text.get_window_extent()
            middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
            (tile,) = [p for p in axes.patches if p.get_window_extent().contains(*middle)]
            around = tile.get_window_extent()
            assert around.x0 <= box.x0 <= box.x1 <= around.x1
            assert around.y0 <= box.y0 <= box.y1 <= around.y1


def test_the_waterfall_says_each_step_and_where_it_begins(gpt3):
    figure = picture.draw([gpt3], "waterfall")
    said = words(figure)
    for item in gpt3.reconciliation:
        if item.parameters:
            assert item.label in said
            assert any(text.lstrip("+") == count(item.parameters) for text in said)
    low, _ = series.window(series.steps(gpt3))
    assert figure.axes[0].get_xlabel() == f"parameters; the axis begins at {count(low)}, not at 0"


def test_the_bars_show_the_smallest_first(several):
    left, right = picture.draw(several, "bars").axes
    assert [text.get_text() for text in left.texts if text.get_text()] == ["GPT-2 124M", "Llama 3 8B", "DeepSeek-V3"]
    counts = [text.get_text() for text in right.texts]
    assert counts == [
        part
        for one in series.totals(series.in_order(several))
        for part in (f"◆ {count(one.active)} active" if one.active else "", count(one.parameters))
    ]
    assert right.get_xscale() == "log"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_and_nothing_else(name):
    ledger = breakdown(load("gpt2").model_copy(update={"name": name}))
    for kind in picture.KINDS:
        assert any(shown(name) in text for text in words(picture.draw([ledger], kind)))
    assert b"<script" not in picture.render([ledger], "treemap", "svg")


def test_the_picture_is_not_of_its_day(gpt3):
    svg = picture.render([gpt3], "treemap", "svg").decode()
    assert "dc:date" not in svg
    assert not re.search(r"""(?:href|src)=["'](?!#)""", svg)
    assert b"CreationDate" not in picture.render([gpt3], "treemap", "pdf")


def test_own_settings_of_matplotlib_change_nothing(gpt3):
    import matplotlib

    drawn = picture.render([gpt3], "bars", "svg")
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30, "text.usetex": True}):
        assert picture.render([gpt3], "bars", "svg") == drawn


def test_text_of_a_pdf_can_be_searched(gpt3):
    pdf = picture.render([gpt3], "treemap", "pdf")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    assert any(b"BT" in zlib.decompress(stream) for stream in streams if stream[:1] == b"x")


def test_a_page_of_one_chart_has_its_table(gpt3, several):
    for kind in picture.KINDS:
        page = picture.render(several if kind == "bars" else [gpt3], kind, "html").decode()
        assert "<table>" in page
        assert "Content-Security-Policy" in page


def test_one_model_where_one_is_shown(several):
    for kind in ("treemap", "waterfall"):
        with pytest.raises(InputError, match=f"--kind {kind}: it shows one model, and there are 3; --kind bars"):
            picture.render(several, kind, "svg")


@pytest.mark.parametrize(
    ("file", "format"), [("a.svg", "svg"), ("b/c.PNG", "png"), ("x.y.pdf", "pdf"), ("z.html", "html")]
)
def test_the_format_is_the_end_of_the_name(file, format):
    assert picture.format_of(file) == format


@pytest.mark.parametrize("file", ["a", "a.jpg", "svg", "", ".svg/", "a.svg.gz"])
def test_another_end_is_refused(file):
    with pytest.raises(InputError, match=r"expected a file that ends in \.svg, \.png, \.pdf, \.html"):
        picture.format_of(file)


def test_without_matplotlib_there_is_a_line_and_a_way_out(gpt3, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(GptCountError, match="pip install matplotlib"):
        picture.render([gpt3], "treemap", "svg")


def test_a_picture_needs_neither_plotly_nor_a_window_nor_a_browser():
    code = (
        "import sys; from gptcount import breakdown, load; from gptcount.output import picture\n"
        "picture.render([breakdown(load('gpt2'))], 'treemap', 'svg')\n"
        "sys.exit(any(name in sys.modules for name in ('plotly', 'matplotlib.pyplot', 'tkinter', 'selenium')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env={"PATH": ""}).returncode == 0
    )


LARGEST = ["n_vocab=1000000000", "d_model=1000000000", "n_layers=100000", "mlp.d_ff=1000000000"]


@pytest.mark.parametrize("kind", picture.KINDS)
@pytest.mark.parametrize("format", picture.FORMATS)
def test_the_largest_model_that_there_may_be_is_drawn(kind, format):
    ledger = breakdown(load("gpt2", LARGEST))
    assert ledger.totals["parameters"] > 2**63
    assert picture.render([ledger], kind, format).startswith(BEGINS[format])
    if kind == "bars":
        ticks, called = series.decades(series.totals(series.in_order([ledger, breakdown(load("gpt2"))])))
        assert len(ticks) <= 9
        assert max(map(len, called)) <= 4


def test_the_legend_of_few_bars_is_seen(gpt3, several):
    for ledgers in ([gpt3], several[:2], several):
        figure = picture.draw(ledgers, "bars")
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
        assert box.y0 >= 0
        assert all(box.y1 <= axes.get_window_extent().y0 for axes in figure.axes)


def test_no_settings_of_the_working_directory_are_read(tmp_path):
    """Nor of a broken environment: the same bytes on stdout as elsewhere, and nothing on stderr."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here/matplotlibrc").write_bytes(b"figure.dpi: 3\nnonsense\nlines.linewidth: x\n\xff\xfe\n")
    drawn = []
    for folder, more in ((tmp_path, {}), (tmp_path / "here", {"MPLBACKEND": "garbage"})):
        command = [sys.executable, "-m", "gptcount", "plot", "gpt2", "-o", "a.svg"]
        package = str(Path(__file__).parent.parent)
        environment = os.environ | {"PYTHONPATH": package} | more
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        drawn.append(((folder / "a.svg").read_bytes(), done.stdout, done.stderr))
    assert drawn[0] == drawn[1]
    assert drawn[0][2].count("\n") == 1
