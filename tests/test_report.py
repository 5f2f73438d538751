"""The page: what is in it, and what a real browser makes of it."""

import json
import re
import shutil
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser

import pytest

from gptcount import GptCountError, breakdown, load
from gptcount.comparison import compare
from gptcount.errors import shown
from gptcount.ledger import GROUPS
from gptcount.numbers import count, size
from gptcount.output import charts, palette, report, series, tables, terminal
from gptcount.output.tiles import Place, all_tiles, laid, leaves, squarified, whole

MODELS = ["gpt3", "gpt2", "llama-3-8b", "deepseek-v3", "gpt-oss-20b", "gemma-3n-e4b"]
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "my[red]model",
    "right\u202eleft",
    "<b>bold</b> & <a href='https://example.com/'>link</a>",
    '" onmouseover="alert(1)',
    "%{customdata} $x^2$ <!--",
    "&lt;script&gt;",
]


def named(name, model="gpt2"):
    return breakdown(load(model).model_copy(update={"name": name}))


@pytest.fixture(scope="module")
def page():
    return report.render([breakdown(load("gpt3"))])


@pytest.fixture(scope="module")
def page_of_several():
    return report.render([breakdown(load(model)) for model in MODELS])


def scripts(page):
    return re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)


def figures(page):
    return json.loads(next(text for kind, text in scripts(page) if "json" in kind))


def without_scripts(page):
    return re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("reading", ["heads", "value-up", "stored"])
@pytest.mark.parametrize("model", MODELS)
def test_the_areas_of_the_treemap_add_up(model, reading):
    try:
        ledger = breakdown(load(model), reading)
    except GptCountError:
        pytest.skip("this model has no names for stored tensors")
    (trace,) = charts.treemap(ledger).data
    values = dict(zip(trace.ids, trace.values, strict=True))
    within = {}
    for key, parent in zip(trace.ids, trace.parents, strict=True):
        within.setdefault(parent, []).append(key)
    assert len(values) == len(trace.ids)
    assert within[""] == [charts.ROOT]
    assert values[charts.ROOT] == whole(ledger)[1]
    for parent, keys in within.items():
        if parent:
            assert values[parent] == sum(values[key] for key in keys)
    assert sum(tile.parameters for tile in leaves(ledger)) == whole(ledger)[1]


def test_layers_that_vary_are_tiles_of_their_own():
    labels = [tile.label for tile in leaves(breakdown(load("deepseek-v3")))]
    assert "gate-projection\nlayers 0 to 2" in labels
    assert "expert gate-projection\nlayers 3 to 60" in labels
    apart = load("gpt2", ["n_layers=6"])
    varied = apart.model_validate(
        apart.model_dump(exclude_none=True)
        | {"variations": [{"layers": "1,3:5", "mlp": {**apart.mlp.model_dump(exclude_none=True), "d_ff": 96}}]}
    )
    ledger = breakdown(varied)
    found = {tile.label: tile for tile in leaves(ledger) if tile.label.startswith("up-projection")}
    runs = ["layer 0", "layer 2", "layer 5", "layer 1", "layers 3 to 4"]
    assert list(found) == [f"up-projection\n{run}" for run in runs]
    rows = [row for row in ledger.rows if row.weight == "mlp.up"]
    assert sum(tile.parameters for tile in found.values()) == sum(row.parameters for row in rows)
    assert {tile.within for tile in found.values()} == {"mlp/mlp.up"}


@pytest.mark.parametrize("model", MODELS)
def test_tiles_lie_side_by_side_and_have_their_areas(model):
    ledger = breakdown(load(model))
    room = Place(0, 0, 10, 6)
    placed = laid(ledger, room)
    assert sum(tile.parameters for tile, _ in placed) == whole(ledger)[1]
    for tile, place in placed:
        assert place.width * place.height == pytest.approx(60 * tile.parameters / whole(ledger)[1])
        assert -1e-9 <= place.x <= place.x + place.width <= 10 + 1e-9
        assert -1e-9 <= place.y <= place.y + place.height <= 6 + 1e-9
    for n, (_, one) in enumerate(placed):
        for _, other in placed[n + 1 :]:
            wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert wide < 1e-9 or high < 1e-9


def test_the_example_of_the_paper_is_squarified_as_in_the_paper():
    places = squarified([6, 6, 4, 3, 2, 2, 1], Place(0, 0, 6, 4))
    assert [round(place.width * place.height, 9) for place in places] == [6, 6, 4, 3, 2, 2, 1]
    assert places[0] == pytest.approx((0, 2, 3, 2))
    assert places[2][2:] == pytest.approx((12 / 7, 7 / 3))


@pytest.mark.parametrize("model", MODELS)
def test_the_waterfall_is_the_reconciliation(model):
    ledger = breakdown(load(model))
    (trace,) = charts.waterfall(ledger).data
    at = 0
    for measure, n in zip(trace.measure, trace.x, strict=True):
        assert measure == "relative" or not at or at == n
        at = n if measure == "absolute" else at + n
    assert at == ledger.totals["stored"]
    low, high = series.window(series.steps(ledger))
    assert low < min(step.end for step in series.steps(ledger))
    assert high > max(step.end for step in series.steps(ledger))


def test_the_bars_add_up_and_are_sorted():
    ledgers = [breakdown(load(model)) for model in MODELS]
    accounts = series.in_order(ledgers)
    totals = [one.ledger.totals["parameters"] for one in accounts]
    assert totals == sorted(totals)
    stacks = series.stacks(accounts)
    assert [sum(n) for n in zip(*(stack.parameters for stack in stacks), strict=True)] == totals
    assert all(n >= 0 for stack in stacks for n in stack.parameters)
    drawn = charts.bars(ledgers)
    shares = [trace for trace in drawn.data if trace.xaxis == "x"]
    assert [sum(parts) for parts in zip(*(trace.x for trace in shares), strict=True)] == pytest.approx([100] * 6)
    assert list(next(trace for trace in drawn.data if trace.name == "parameters").x) == totals
    assert list(next(trace for trace in drawn.data if trace.name == "active").x) == [
        one.ledger.totals["active"] for one in accounts if tables.has_experts(one.ledger)
    ]


def test_every_figure_is_one_that_plotly_takes(page_of_several):
    import plotly.graph_objects as go

    for drawn in figures(page_of_several)["charts"].values():
        go.Figure(drawn)
    for template in figures(page_of_several)["templates"].values():
        go.layout.Template(template)


def test_a_ledger_plots_itself():
    assert breakdown(load("gpt2")).plot().data[0].type == "treemap"


def test_the_colours_are_those_of_the_terminal():
    assert set(palette.PALETTE) == set(GROUPS)
    assert {part: terminal.STYLES[part] for part in GROUPS} == {p: c.terminal for p, c in palette.PALETTE.items()}


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_colours_have_contrast():
    for colour in [*palette.PALETTE.values(), palette.OTHER, palette.LESS]:
        assert contrast(colour.page, palette.INK) >= 4.5
        assert all(contrast(colour.page, page["ground"]) >= 3 for page in report.TEMPLATES.values())
    sheet = (report.files("gptcount.output") / "report.css").read_text(encoding="utf-8")
    schemes = re.findall(r"--ground: (#\w+); --raised: (#\w+); --text: (#\w+); --quiet: (#\w+);.*--link: (#\w+)", sheet)
    assert len(schemes) == 2
    for (ground, raised, *words), page in zip(schemes, report.TEMPLATES.values(), strict=True):
        assert (ground, raised, words[0]) == (page["ground"], page["raised"], page["text"])
        assert all(contrast(ground, word) >= 4.5 and contrast(raised, word) >= 4.5 for word in words)


def test_the_policy_lets_the_scripts_run_and_nothing_load(page):
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == rules["connect-src"] == rules["form-action"] == rules["base-uri"] == ["'none'"]
    run = [text for kind, text in scripts(page) if "json" not in kind]
    assert len(run) == 2
    assert rules["script-src"] == [f"'sha256-{b64encode(sha256(t.encode()).digest()).decode()}'" for t in run]
    assert rules["img-src"] == ["data:", "blob:"]
    assert page.index("Content-Security-Policy") < page.index("<style")


def test_nothing_is_referred_to_elsewhere(page_of_several):
    body = without_scripts(page_of_several)
    elements = Elements(body)
    assert {tag for tag, _ in elements.tags}.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "form"})
    for _, attributes in elements.tags:
        assert not any(name.startswith("on") or name in ("src", "style", "srcset") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
    assert "@import" not in page_of_several.split("</style>")[0]
    assert "url(" not in page_of_several.split("</style>")[0]


def test_every_number_of_the_ledger_is_on_the_page():
    for model in ("gpt3", "deepseek-v3"):
        ledger = breakdown(load(model))
        said = unescape(re.sub(r"<[^>]*>", "|", without_scripts(report.render([ledger]))))
        numbers = [n for row in ledger.rows for n in (row.parameters, row.matrices, *(n for _, n in row.factors))]
        numbers += [item.parameters for item in ledger.reconciliation if item.parameters]
        numbers += [n for name, n in ledger.totals.items() if name != "active" or model == "deepseek-v3"]
        for n in numbers:
            assert re.search(rf"(?<![\d,]){re.escape(count(n))}(?![\d,])", said), n
        for row in ledger.rows:
            assert f"{row.formula} = " in said
        decimal, binary = size(2 * ledger.totals["stored"]).rstrip(")").split(" (")
        assert decimal in said
        assert binary in said


def test_every_number_of_a_comparison_is_on_the_page(page_of_several):
    said = unescape(re.sub(r"<[^>]*>", "|", without_scripts(page_of_several)))
    for one in compare([load(model) for model in MODELS]):
        for n in [*one.parts.values(), one.tied, one.ledger.totals["parameters"], one.ledger.totals["active"]]:
            assert count(n) in said


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(name):
    page = report.render([named(name), named("gpt2")])
    assert len(scripts(page)) == 3
    elements = Elements(without_scripts(page))
    assert {tag for tag, _ in elements.tags} == {tag for tag, _ in Elements(without_scripts(honest())).tags}
    assert shown(name) in elements.text
    assert "\u202e" not in page.replace(without_own(page), "")
    data = next(text for kind, text in scripts(page) if "json" in kind)
    assert "<" not in data
    drawn = json.dumps(json.loads(data)["charts"])
    assert not re.findall(r"<(?!/?b>|br>|/?extra>)", drawn)
    assert charts.figure(json.loads(data)["charts"]["m1-treemap"]).data[0].labels[0] == charts.escaped(shown(name, 40))


def honest():
    return report.render([named("gpt2"), named("gpt2 too")])


def without_own(page):
    """plotly's own script, in which any character may be."""
    return max((text for _, text in scripts(page)), key=len)


def test_the_same_models_give_the_same_page(page):
    assert page == report.render([breakdown(load("gpt3"))])


def test_models_of_one_name_are_apart():
    drawn = figures(report.render([named("a"), named("a", "gpt3")]))["charts"]
    assert len(drawn) == 6
    assert [list(trace["y"]) for trace in drawn["shares"]["data"]] == [[0, 1]] * len(drawn["shares"]["data"])


def test_a_table_stands_behind_every_chart(page_of_several):
    keys = re.findall(r'<div class="chart[^"]*" id="([^"]*)"', page_of_several)
    assert set(keys) == set(figures(page_of_several)["charts"])
    assert page_of_several.count("<table>") == 2 * len(MODELS) + 1


def test_without_plotly_there_is_a_line_and_a_way_out(monkeypatch):
    ledger = breakdown(load("gpt2"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "plotly"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "plotly", None)
    for draw in (lambda: report.render([ledger]), ledger.plot):
        with pytest.raises(GptCountError, match="pip install plotly"):
            draw()


def test_what_is_not_drawn_imports_no_plotly():
    code = (
        "import sys; from gptcount import cli; sys.argv = ['gptcount', 'breakdown', 'gpt3']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('plotly', 'matplotlib', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def found(*programs):
    return next(filter(None, map(shutil.which, programs)), None)


CHROMIUM = found("chromium", "chromium-browser", "google-chrome")
CHROMEDRIVER = found("chromedriver", "chromium.chromedriver")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
]
PATH = "return [...document.querySelectorAll('.pathbar')].map((step) => step.textContent).join(' > ')"
in_browser = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER),
    reason="no Chromium to test the page in; to have these tests: apt-get install chromium chromium-driver",
)


class Browser:
    """A headless Chromium, whose log says what was fetched and what went wrong."""

    def __init__(self, profile):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))

    def open(self, path, width=1400, scheme="light"):
        self.logs()
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get(path.as_uri())
        self.until("return document.querySelectorAll('.chart .main-svg').length")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, script, *arguments):
        """What a script gives when it first gives anything, within ten seconds."""
        end = time.monotonic() + 10
        while not (given := self.run(script, *arguments)):
            assert time.monotonic() < end, script
            time.sleep(0.05)
        return given

    def draw_all(self):
        self.run("for (const chart of document.querySelectorAll('.chart')) chart.scrollIntoView()")
        for place in range(self.run("return document.querySelectorAll('.chart').length")):
            self.run("document.querySelectorAll('.chart')[arguments[0]].scrollIntoView()", place)
            self.until("return document.querySelectorAll('.chart')[arguments[0]].querySelector('.main-svg')", place)

    def logs(self):
        """Addresses that were asked for, and what the console says."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return asked, [entry["message"] for entry in self.driver.get_log("browser")]

    def middle(self, label):
        """Where the tile of this label is."""
        return self.until(
            "for (const g of document.querySelectorAll('.treemaplayer g.slice'))"
            " if (g.textContent.startsWith(arguments[0])) {"
            "  g.scrollIntoView({block: 'center'});"
            "  const r = g.querySelector('path').getBoundingClientRect();"
            "  return [r.x + r.width / 2, r.y + r.height / 2]; }",
            label,
        )

    def point(self, label):
        """What hovering over a tile shows."""
        x, y = self.middle(label)
        for at in (x - 3, x):
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": at, "y": y})
        return self.until(
            "const label = document.querySelector('.treemap .hoverlayer .hovertext');"
            "return label && [...label.querySelectorAll('tspan')].map((line) => line.textContent).join('\\n')"
        )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory, page, page_of_several):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "one.html").write_text(page, encoding="utf-8")
    (folder / "several.html").write_text(page_of_several, encoding="utf-8")
    for n, name in enumerate(HOSTILE):
        (folder / f"hostile{n}.html").write_text(report.render([named(name)]), encoding="utf-8")
    return folder


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", ["one", "several"])
def test_a_browser_fetches_nothing_and_has_nothing_to_say(browser, pages, name, width, scheme):
    path = pages / f"{name}.html"
    browser.open(path, width, scheme)
    browser.draw_all()
    asked, said = browser.logs()
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    assert said == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    ground = report.TEMPLATES[scheme]["ground"]
    rgb = f"rgb({', '.join(str(int(ground[at : at + 2], 16)) for at in (1, 3, 5))})"
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == rgb
    ink = browser.run("return document.querySelector('.chart').layout.template.layout.font.color")
    assert ink == report.TEMPLATES[scheme]["text"]


@in_browser
def test_no_count_is_broken_over_two_lines(browser, pages):
    for width in (320, 390, 1400):
        browser.open(pages / "one.html", width)
        broken = browser.run(
            "return [...document.querySelectorAll('dd, td.right')].filter((cell) => {"
            "  const range = document.createRange(); range.selectNodeContents(cell.lastElementChild?.matches('.share')"
            "   ? cell.lastElementChild : cell.firstChild ?? cell);"
            "  return new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1;"
            "}).map((cell) => cell.textContent)"
        )
        assert broken == []


@in_browser
@pytest.mark.parametrize("width", [390, 1400])
def test_hovering_shows_the_formula(browser, pages, width):
    browser.open(pages / "one.html", width)
    said = browser.point("query")
    assert "n_layers × n_heads × d_model × d_head" in said
    assert "= 96 × 96 × 12,288 × 128" in said
    assert "= 14,495,514,624 parameters" in said
    assert "8.3 % of all matrices" in said


@in_browser
def test_areas_on_the_screen_are_true(browser, pages):
    browser.open(pages / "one.html")
    areas = dict(
        browser.run(
            "return [...document.querySelectorAll('.treemaplayer g.slice')].map((g) => {"
            " const box = g.querySelector('path').getBBox();"
            " return [g.__data__.data.data.id, box.width * box.height]; })"
        )
    )
    ledger = breakdown(load("gpt3"))
    all_areas = areas[charts.ROOT]
    for tile in all_tiles(ledger):
        assert areas[tile.key] / all_areas == pytest.approx(tile.share, rel=0.001)


@in_browser
def test_one_can_go_in_by_keyboard_and_by_mouse(browser, pages):
    from selenium.webdriver.common.keys import Keys

    browser.open(pages / "one.html")
    button = browser.run("return document.querySelector('[data-level=attention]')")
    button.send_keys(Keys.ENTER)
    browser.until("return !document.querySelector('.treemaplayer').textContent.includes('up-projection')")
    assert button.get_attribute("aria-pressed") == "true"
    assert browser.run(PATH) == "GPT-3 175B"
    browser.run("document.querySelector('[data-level=all]').click()")
    x, y = browser.middle("up-projection")
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        where = {"type": kind, "x": x, "y": y} | ({"button": "left", "clickCount": 1} if kind != "mouseMoved" else {})
        browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", where)
    browser.until(PATH + " === 'MLP > GPT-3 175B'")
    assert browser.run("return document.querySelector('[data-level=mlp]').getAttribute('aria-pressed')") == "true"
    assert browser.logs()[1] == []


@in_browser
@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_a_hostile_name_stays_text(browser, pages, place):
    browser.open(pages / f"hostile{place}.html")
    assert browser.run("return document.querySelector('h1').textContent") == shown(HOSTILE[place])
    browser.run("document.querySelector('[data-level=attention]').click()")
    on_the_path = browser.until(PATH)
    assert on_the_path.startswith(shown(HOSTILE[place], 40).replace("\u00a0", " "))
    assert browser.run("return document.querySelectorAll('.chart a:not(.modebar-btn)').length") == 0
    asked, said = browser.logs()
    assert len([url for url in asked if not url.startswith(("data:", "blob:"))]) == 1
    assert said == []


@in_browser
def test_a_change_of_scheme_changes_the_charts(browser, pages):
    browser.open(pages / "one.html", scheme="light")
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    wanted = report.TEMPLATES["dark"]["text"]
    browser.until("return document.querySelector('.chart').layout.template.layout.font.color === arguments[0]", wanted)


@in_browser
def test_a_chart_can_be_saved(browser, pages):
    browser.open(pages / "one.html")
    for format, begins in (("svg", "data:image/svg+xml"), ("png", "data:image/png;base64,")):
        saved = browser.driver.execute_async_script(
            "Plotly.toImage(document.querySelector('.chart'), {format: arguments[0]}).then(arguments[1])", format
        )
        assert saved.startswith(begins)
    assert browser.logs()[1] == []


@in_browser
def test_the_page_prints_all_its_charts_on_white(browser, pages):
    browser.open(pages / "several.html", scheme="dark")
    printed = b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert printed.startswith(b"%PDF")
    undrawn = "return [...document.querySelectorAll('.chart')].filter((c) => !c.querySelector('.main-svg')).length"
    assert browser.run(undrawn) == 0
    assert browser.logs()[1] == []
