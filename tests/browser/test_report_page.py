"""The HTML report in a real browser: a click on a cell, sorting, filters, run pages, curves, themes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from html_pages import EVIL, document, evil_study, full_study, write_run
from recorded import STUDY, Recorded

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    Open = Callable[..., Page]


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return document(*full_study(tmp_path_factory.mktemp("study"))).text


def column(table: Locator, at: int) -> list[str]:
    """Give the texts of a column of a table, as they are shown."""
    return [cell.strip() for cell in table.locator(f"tbody tr > :nth-child({at})").all_inner_texts()]


def rows_of(page: Page) -> Locator:
    return page.locator("#view-runs table")


# ------------------------------------------------------------------ cells


def test_a_click_on_a_cell_tells_its_runs(open_page: Open, text: str) -> None:
    """Ids, how many, those left out with their states, snapshot and dates; an id leads to the run's page."""
    page = open_page(text)
    page.locator("#table-1 tbody tr").nth(2).locator("td").nth(2).click()
    panel = page.get_by_role("dialog")

    assert panel.get_attribute("aria-label") == "Runs behind accuracy"
    shown = panel.inner_text()
    assert "optimizer.lr = 0.1, model.name = cnn" in shown
    assert panel.locator("dl.facts").inner_text().split("\n") == [
        *("n", "2"),
        *("failed", "1 run"),
        *("snapshots", "1e91248 (1), cee94cb (1)"),
        *("started", "2026-11-21 09:30 – 2026-11-21 10:30 UTC"),
        *("ended", "2026-11-21 09:45 – 2026-11-21 10:45 UTC"),
    ]
    assert panel.locator("h4").all_inner_texts() == ["Runs (2)", "Not done, left out (1)"]
    assert column(panel.locator("table").first, 2) == ["done", "done"]
    assert column(panel.locator("table").first, 3) == ["1", "2"]  # the seed, which is what differs
    link = panel.locator("a").first
    id = str(link.get_attribute("href")).removeprefix("#run/")
    link.click()

    assert page.get_by_role("dialog").count() == 0
    assert page.locator("#view-run h2").inner_text() == id


def test_attempts_before_the_last_one(open_page: Open, tmp_path: Path) -> None:
    """They count, and say that they are no whole run."""
    clauses = ("from train", "with all attempts", "where seed == 0", "group by optimizer.lr", "show mean(loss)")
    report = "\n    ".join(("report r:", *clauses)) + "\n"
    (tmp_path / "study").mkdir()
    study = Recorded(tmp_path / "study", STUDY + report)
    write_run(study, 0, state="failed")
    write_run(study, 0, attempt=2, metrics=[{"loss": 1.0}])
    write_run(study, 3, metrics=[{"loss": 2.0}])
    page = open_page(document(study).text)
    page.locator("#table-1 tbody td").nth(1).click()
    panel = page.get_by_role("dialog")

    assert panel.locator("h4").all_inner_texts() == ["Runs (2)", "Without a value (1)"]
    assert panel.locator("dl.facts").inner_text().split("\n")[:6] == [
        "n",
        "2",
        "missing",
        "1 run without a value",
        "failed",
        "1 run",
    ]
    assert "failed attempt 1" in panel.inner_text()


def test_code_that_nobody_vouches_for(open_page: Open, tmp_path: Path) -> None:
    """A cell says when its runs loaded code from beside their snapshot, or ran different versions."""
    (tmp_path / "study").mkdir()
    study = Recorded(tmp_path / "study", STUDY + "report r:\n    from train\n    show mean(loss)\n")
    for row, code, witness in ((0, "a", "stamp"), (1, "b", "live"), (2, "b", "mixed")):
        claimed = {"fingerprint": {"code": code * 32}}
        write_run(study, row, claimed=claimed, ended={"witness": witness}, metrics=[{"loss": 1.0}])
    page = open_page(document(study).text)
    page.locator("#table-1 tbody td").first.click()

    assert page.get_by_role("dialog").locator(".warn").all_inner_texts() == [
        "2 versions",
        "live in 1 run, mixed in 1 run",
    ]


def test_a_second_click_or_one_elsewhere_closes(open_page: Open, text: str) -> None:
    page = open_page(text)
    cell = page.locator("#table-1 tbody td").nth(2)
    cell.click()
    assert cell.get_attribute("aria-expanded") == "true"
    cell.click()
    assert page.get_by_role("dialog").count() == 0
    cell.click()
    page.locator("h1").click()
    assert page.get_by_role("dialog").count() == 0
    assert cell.get_attribute("aria-expanded") is None


def test_cells_by_keyboard(open_page: Open, text: str) -> None:
    """One stop of the tab key for a table; arrows walk; Enter opens; Escape closes and goes back."""
    page = open_page(text)
    page.locator("#table-1 thead button").last.focus()
    page.keyboard.press("Tab")
    for key in (
        "ArrowDown",
        "ArrowRight",
        "ArrowRight",
        "End",
        "ArrowLeft",
        "Home",
        "ArrowUp",
        "ArrowDown",
        "ArrowRight",
    ):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent") == "mlp"
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "dialog"
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "mlp"
    assert page.locator("#table-1 td[tabindex='0']").count() == 1


# ------------------------------------------------------------------ tables


def test_sorting(open_page: Open, text: str) -> None:
    """Numbers by size, the greatest first, then the least, then as it was; no value last; the heading says so."""
    page = open_page(text)
    table = page.locator("#table-2 table")
    assert table.get_attribute("role") == "grid"
    before = column(table, 6)
    head = table.locator("th").nth(5)
    head.get_by_role("button").click()
    down = column(table, 6)
    assert head.get_attribute("aria-sort") == "descending"
    assert down == [*sorted(before[:11], reverse=True), "–"]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(table, 6) == [*sorted(before[:11]), "–"]
    head.get_by_role("button").click()
    assert column(table, 6) == before
    assert table.locator("th[aria-sort]").count() == 0


def test_the_best_stays_bold(open_page: Open, text: str) -> None:
    page = open_page(text)
    table = page.locator("#table-1 table")
    assert table.locator("b").all_inner_texts() == ["0.904", "0.1667"]
    table.locator("th").nth(3).get_by_role("button").click()
    assert table.locator("b").all_inner_texts() == ["0.904", "0.1667"]
    assert "0.874 ± 0.010" in column(table, 3)


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("", 12),
        ("mlp", 6),
        ("CNN failed", 2),
        ("loss<0.2", 4),
        ("optimizer.lr=0.1 seed>=1", 4),
        ("lr!=0.1", 6),
        ("status=done", 9),
        ("nothing", 0),
        ("a=b=c", 0),
    ],
)
def test_filters(open_page: Open, text: str, words: str, left: int) -> None:
    """Words are looked for in all cells, `column<value` compares."""
    page = open_page(text)
    table = page.locator("#table-2")
    table.get_by_role("searchbox").fill(words)

    assert len(table.locator("tbody tr td[tabindex]").all()) == 6 * left
    assert table.get_by_role("status").inner_text() == ("12 rows" if left == 12 else f"{left} of 12 rows")


def test_without_script(open_page: Open, text: str) -> None:
    """The reports are there, with their headings; nothing is offered that would not work."""
    page = open_page(text, java_script_enabled=False)

    assert column(page.locator("#table-1 table"), 3) == ["0.904", "0.874 ± 0.010", "0.849 ± 0.007", "0.814 ± 0.010"]
    assert page.locator("nav").is_visible() is False
    assert page.locator("#theme").is_visible() is False
    assert "need JavaScript.</p></noscript>" in page.content()


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1e-05", "0.00001"),
        ("inf", "Infinity"),
        ("-inf", "-Infinity"),
        ("nan", "null"),
        ("", "null"),
        ("1e400", "Infinity"),
    ],
)
def test_numbers_of_keys(open_page: Open, text: str, written: str, number: str) -> None:
    """What Python writes sorts as the number that it is; what is no number sorts last."""
    assert open_page(text).evaluate("written => String(readNumber(written))", written) == number


# ------------------------------------------------------------------ views


def test_addresses(open_page: Open, text: str) -> None:
    """Each view and each run has an address; going back works; a run that is not there is said to be missing."""
    page = open_page(text, "#runs")
    id = str(rows_of(page).locator("tbody a").nth(3).get_attribute("href")).removeprefix("#run/")
    rows_of(page).locator("tbody a").nth(3).click()
    assert page.locator("#view-run h2").inner_text() == id
    assert page.title() == f"{id} – birds"
    page.go_back()
    assert rows_of(page).is_visible()
    assert page.locator("nav a[aria-current]").inner_text() == "Runs"

    def go(address: str) -> None:
        page.evaluate("address => { window.location.hash = address }", address)

    go(f"#run/{id[:7]}")
    page.wait_for_function("id => document.querySelector('#view-run h2').textContent === id", arg=id)
    go("#run/zzz")
    page.get_by_text("This file has no run zzz.").wait_for()
    go("#runs/evaluate")
    page.get_by_text("12 rows").last.wait_for()
    assert (
        column(rows_of(page), 2)
        == ["planned"] * 3 + ["skipped", "planned", "planned"] * 1 + column(rows_of(page), 2)[6:]
    )
    go("#%E0%A4%A")
    page.locator("#view-reports").wait_for()


def test_contents_lead_to_reports(open_page: Open, tmp_path: Path) -> None:
    """Where there are three reports or more, their names stand above them, and lead there from any view."""
    (tmp_path / "study").mkdir()
    reports = "".join(f"report r{n}:\n    from train\n" for n in range(6))
    page = open_page(document(Recorded(tmp_path / "study", STUDY + reports)).text)
    assert page.locator(".contents a").all_inner_texts() == [f"r{n}" for n in range(6)]
    page.locator(".contents a").nth(4).click()
    page.wait_for_function("window.scrollY > 500")
    assert page.locator("nav a[aria-current]").inner_text() == "Reports"


def test_a_run_page(open_page: Open, text: str) -> None:
    """It has config, standing, command, outputs, attempts, logs, curves, and what changed in the code."""
    page = open_page(text, "#runs/train")
    rows_of(page).locator("tbody a").nth(4).click()  # a run that was killed at first
    run = page.locator("#view-run")
    shown = run.inner_text()

    assert run.locator("h3").all_inner_texts() == [
        *("Run", "Request", "Config", "Metrics", "Command", "Attempts", "stdout", "Code")
    ]
    assert [line for line in shown.split("\n") if line in ("python train.py", "epoch 4 acc=0.844")] == [
        "python train.py",
        "epoch 4 acc=0.844",
    ]
    assert column(run.locator("table"), 2) == ["killed", "done"]
    assert run.locator(".chart").count() == 2
    assert "is the first one with which train ran" in shown
    page.get_by_text("Next run").click()
    run.locator(".diff .minus").first.wait_for()  # the page follows its address a moment later
    assert "1e91248 to cee94cb" in run.inner_text().replace("Code: ", "")
    assert run.locator(".diff .plus").all_inner_texts() == ["+# Notes", "+print('two')", "+print('three')"]
    assert run.locator(".diff .minus").all_inner_texts() == ["-print('one')"]


def test_a_failed_run_begins_with_its_last_words(open_page: Open, text: str) -> None:
    page = open_page(text, "#runs/train")
    rows_of(page).locator("tbody a").nth(9).click()
    run = page.locator("#view-run")

    assert run.locator("h3").all_inner_texts()[:6] == ["Run", "Request", "Config", "stderr", "stdout", "Metrics"]
    assert run.locator("pre").first.inner_text() == "Traceback (most recent call last):\nValueError: red"
    assert "exit code 1" in run.locator("dl.facts").first.inner_text()


def test_curves(open_page: Open, text: str) -> None:
    """A line a run or a mean, coloured by a key; a colour can be hidden; the scale can be logarithmic."""
    page = open_page(text, "#curves")
    view = page.locator("#view-curves")
    assert view.locator("figcaption").all_inner_texts() == ["loss (minimize)", "accuracy (maximize)"]
    assert view.locator("svg[role=img]").first.locator("path.line").count() == 11
    view.get_by_label("Draw").select_option("mean")
    assert view.locator("svg[role=img]").first.locator("path.line").count() == 2
    assert view.locator("svg[role=img]").first.locator("path.band").count() == 2
    view.get_by_label("Draw").select_option("seeds")
    assert view.locator("svg[role=img]").first.locator("path.line").count() == 4
    view.get_by_role("button", name="0.01").click()
    assert view.locator("svg[role=img]").first.locator("path.line").count() == 2
    view.get_by_label("log scale").check()
    assert view.get_by_label("log scale").is_checked()
    assert view.locator("svg[role=img]").first.locator("path.line").count() == 2
    view.get_by_label("Metric").select_option("accuracy")
    assert view.locator("svg[role=img]").count() == 1


def test_a_point_under_the_pointer_is_named(open_page: Open, text: str) -> None:
    page = open_page(text, "#curves")
    page.locator("#view-curves").get_by_label("Draw").select_option("runs")
    drawing = page.locator("#view-curves svg[role=img]").first
    box = drawing.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.11, box["y"] + box["height"] * 0.1)

    assert "step 0: 1" in page.locator(".tip").inner_text()
    page.mouse.click(box["x"] + box["width"] * 0.11, box["y"] + box["height"] * 0.1)
    page.locator("#view-run h2").wait_for()


def test_a_mean_says_of_how_many(open_page: Open, text: str) -> None:
    """The mean of the runs of a colour at a step, and how many of them have that step."""
    page = open_page(text, "#curves")
    page.locator("#view-curves").get_by_label("Draw").select_option("mean")
    drawing = page.locator("#view-curves svg[role=img]").first
    box = drawing.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + box["height"] * 0.86)

    assert page.locator(".tip").inner_text().split("\n") in (
        ["optimizer.lr = 0.1, mean of 6 runs", "step 50: 0.1917, 6 runs"],
        ["optimizer.lr = 0.01, mean of 5 runs", "step 50: 0.2467, 5 runs"],
    )


# ------------------------------------------------------------------ looks


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 27)"


def test_light_and_dark(open_page: Open, text: str) -> None:
    """As the system wishes, until the reader chooses; the choice outlives the page."""
    page = open_page(text, color_scheme="dark")
    assert ground(page) == DARK
    page.get_by_role("button", name="Use light colours").click()
    assert ground(page) == LIGHT
    page.reload()
    assert ground(page) == LIGHT
    page.get_by_role("button", name="Use dark colours").click()
    assert ground(page) == DARK
    assert ground(open_page(text, color_scheme="light")) == LIGHT


@pytest.mark.parametrize("address", ["#reports", "#curves", "#runs/train", "#run/"])
def test_a_narrow_window(open_page: Open, text: str, address: str) -> None:
    """Tables scroll in themselves; the page does not."""
    page = open_page(text, viewport={"width": 360, "height": 700})
    if address == "#run/":
        address += str(page.evaluate("DATA.experiments[0].ids[0]"))
    page.evaluate("address => { window.location.hash = address }", address)
    page.wait_for_timeout(50)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if address == "#reports":
        page.locator("#table-1 tbody td").nth(1).click()
        box = page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360


# ------------------------------------------------------------------ hostile texts


def test_hostile_texts_are_texts(open_page: Open, tmp_path: Path) -> None:
    """Whatever a user or a run writes is shown and never obeyed, in every view."""
    (tmp_path / "study").mkdir()
    page = open_page(document(evil_study(tmp_path / "study")).text)
    page.evaluate("() => { window.alert = () => console.error('alerted') }")

    assert page.locator("h1").inner_text() == EVIL
    assert page.title() == EVIL
    assert page.locator("#view-reports h2").inner_text() == f"{EVIL} all"
    page.locator("#table-1 tbody td").nth(1).click()
    assert EVIL in page.get_by_role("dialog").inner_text()
    for address in ("#curves", "#runs", "#run/" + str(page.evaluate("DATA.experiments[0].ids[3]"))):
        page.evaluate("address => { window.location.hash = address }", address)
        page.locator(f"#view-{address[1:].split('/')[0]}").wait_for()
        page.wait_for_timeout(50)
        assert page.locator("main img, main script, main iframe").count() == 0
    assert page.locator("#view-run pre").all_inner_texts() == [f"<b>{EVIL}", f"{EVIL}\n{EVIL}", f"'{EVIL}'"]
    assert "<img src=x onerror=alert(1)>" in page.locator("#view-run figcaption").all_inner_texts()
    page.evaluate("window.location.hash = '#run/<img src=x onerror=alert(1)>'")
    page.get_by_text("This file has no run <img src=x onerror=alert(1)>.").wait_for()


def test_the_policy_holds(open_page: Open, complaints: list[str], text: str) -> None:
    """Even if a tag came in, no handler, script, style or picture from elsewhere would work."""
    page = open_page(text)
    blocked = page.evaluate(
        """() => new Promise((resolve) => {
            const found = [];
            document.addEventListener("securitypolicyviolation", (event) => {
                found.push(event.effectiveDirective);
                if (found.length === 3) resolve(found.sort());
            });
            const script = document.createElement("script");
            script.textContent = "window.broken = true";
            document.body.append(script);
            const style = document.createElement("style");
            style.textContent = "body { display: none }";
            document.body.append(style);
            const image = document.createElement("img");
            image.src = "https://example.org/x.png";
            document.body.append(image);
        })"""
    )

    assert blocked == ["img-src", "script-src-elem", "style-src-elem"]
    assert page.evaluate("window.broken") is None
    assert [said for said in complaints if "Content Security Policy" not in said and "example.org" not in said] == []
    complaints.clear()


# ------------------------------------------------------------------ size

MANY = """
project "many"
grid sweep:
    new lr in [0.1, 0.03, 0.01, 0.003, 0.001]
    new width in range(20)
    new seed in range(100)

experiment train:
    grid sweep
    run "true"
    metric loss minimize

report all:
    from train

report grouped:
    group by lr
    show count()
"""


def test_ten_thousand_runs(open_page: Open, tmp_path: Path) -> None:
    """The file stays small; sorting and filtering take well under a second, and show a page of rows at a time."""
    folder = tmp_path / "many"
    folder.mkdir()
    study = Recorded(folder, MANY)
    for row in range(0, 10_000, 50):
        study.write(row, metrics=[{"loss": row / (n + 1)} for n in range(20)], stdout="line\n" * 300)
    made = document(study)
    page = open_page(made.text, "#runs")
    assert (made.runs, made.whole) == (10_000, 200)
    assert len(made.text) < 4_000_000
    assert rows_of(page).locator("tbody tr").count() == 100

    def clock(what: str) -> float:
        """Give milliseconds, layout included."""
        timed = f"const start = performance.now(); {what}; document.body.offsetHeight; return performance.now() - start"
        return float(page.evaluate(f"() => {{ {timed} }}"))

    assert clock("document.querySelectorAll('#view-runs .sort')[5].click()") < 1000
    assert column(rows_of(page), 6)[:2] == ["0.0", "2.5"]
    field = "const field = document.querySelector('#view-runs .filter')"
    assert clock(f"{field}; field.value = 'lr<0.05 width=3'; field.dispatchEvent(new Event('input'))") < 1000
    assert page.locator("#view-runs").get_by_role("status").inner_text() == "400 of 10,000 rows"
    page.locator("#view-runs").get_by_role("button", name="Next").click()
    assert page.locator("#view-runs .pager span").inner_text() == "101–200 of 400"

    page.evaluate("window.location.hash = ''")
    page.locator("#table-2 tbody td").nth(1).click()
    panel = page.get_by_role("dialog")
    assert panel.locator("tbody tr").count() == 100
    assert "The first 100 of 2,000 runs." in panel.inner_text()
    panel.get_by_text("Show all of them").click()
    page.get_by_text("the runs behind one cell").wait_for()
    assert page.locator("#view-runs").get_by_role("status").inner_text() == "2,000 rows"
    page.get_by_role("button", name="Show all runs").click()
    assert page.locator("#view-runs").get_by_role("status").inner_text() == "10,000 rows"
