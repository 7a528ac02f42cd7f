"""Tables in the formats of papers and pages: the best are bold, nothing is markup, and what was written reads back."""

from __future__ import annotations

import csv
import io
import json
import math
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpc.runtime.cell_text import text_column
from xpc.runtime.query.result import Result, ResultColumn
from xpc.runtime.table_compare import compare, same
from xpc.runtime.table_read import Grid, UnreadableError, read_tables
from xpc.runtime.tables import FORMATS, render


def result(*columns: ResultColumn, **more: object) -> Result:
    size = len(columns[0].values)
    return Result(columns=columns, size=size, total=size, grouped=True, **more)  # type: ignore[arg-type]


def strong(direction: str | None, values: list[object], error: list[object] | None = None) -> list[bool]:
    """Say which rows of one column are bold in HTML."""
    text = render(result(ResultColumn("x", values, error, direction=direction)), "html")
    return ["<strong>" in line for line in text.splitlines() if line.startswith("<tr><td")]


# ------------------------------------------------------------------ the best


@pytest.mark.parametrize(
    ("direction", "values", "wanted"),
    [
        ("maximize", [0.1, 0.3, 0.2], [False, True, False]),
        ("minimize", [0.1, 0.3, 0.2], [True, False, False]),
        (None, [0.1, 0.3, 0.2], [False, False, False]),
        ("maximize", [0.3, None, 0.3, 0.1], [True, False, True, False]),
        ("maximize", [0.30001, 0.30002, 0.1], [True, True, False]),  # both are printed as 0.3000
        ("minimize", [1.0], [False]),
        ("minimize", [1.0, 1.0], [False, False]),
        ("minimize", [None, None], [False, False]),
        ("maximize", [float("inf"), 1.0], [True, False]),
        ("maximize", ["b", "a"], [False, False]),
        ("maximize", [True, False], [False, False]),
        ("minimize", [2**53 + 1, 2**53], [False, True]),
    ],
)
def test_the_best_is_bold(direction: str | None, values: list[object], wanted: list[bool]) -> None:
    """By the declared direction; with it what can't be told from it; nothing where all are as good."""
    assert strong(direction, values) == wanted


def test_values_are_compared_and_not_their_errors() -> None:
    """A `±` is bold as a whole, for its value."""
    column = ResultColumn("x", [0.5, 0.75], [0.1, 0.2], "e", direction="maximize")

    assert "**0.75 ± 0.20**" in render(result(column), "github")
    assert r"$\mathbf{0.75 \pm 0.20}$" in render(result(column), "latex")
    assert "<strong>0.75 ± 0.20</strong>" in render(result(column), "html")


def test_a_value_without_an_error_keeps_its_digits() -> None:
    """The errors of other rows say nothing of a value that has none: 0.04 of one run is not 0.0."""
    column = ResultColumn("x", [1.34, 0.04, 0.04, 0.04, 2.34, 0.0], [1.0, None, 0.0, 1.0, None, None], "e")

    lines = render(result(column), "html").splitlines()
    cells = [line.split(">")[2].removesuffix("</td") for line in lines if line.startswith("<tr><td")]
    assert cells == ["1.3 ± 1.0", "0.04", "0.04 ± 0", "0.0 ± 1.0", "2.3", "0.0"]


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (123456789.0, 12.0, "123456789 ± 12"),
        (0.123456789, 2e-9, "0.123456789 ± 2e-09"),
        (1.23456789e20, 3e14, "1.2345679e+20 ± 3e+14"),
        (2.5e15, 8e307, "2.5e+15 ± 8e+307"),
        (-0.001, 0.25, "0.0 ± 0.2"),
    ],
)
def test_a_value_has_the_digits_of_its_error(value: float, error: float, text: str) -> None:
    """Large and precise ones, too; what is rounded to zero has no sign."""
    assert f"<td>{text}</td>" in render(result(ResultColumn("x", [value], [error], "e")), "html").replace(
        ' style="text-align: right"', ""
    )


def test_each_value_has_the_digits_of_its_error() -> None:
    """Also where the errors of a column differ by powers of ten, and a value is too large to be written out."""
    column = text_column(ResultColumn("x", [1.23456789e20, 0.123456, 5.0], [3e14, 1e-4, None], "e"))

    assert (column.cells, column.error) == (["1.2345679e+20", "0.12346", "5"], ["3e+14", "0.00010", ""])


def test_bold_on_a_terminal_keeps_the_columns() -> None:
    """Only with colour; the cells stand where they stood."""
    columns = (ResultColumn("m", ["a", "b"], key=True), ResultColumn("x", [9.0, 10.5], direction="maximize"))
    plain, bold = render(result(*columns), "table"), render(result(*columns), "table", color=True)

    assert plain == "m      x\na   9.00\nb  10.50"
    assert bold == "m      x\na   9.00\nb  \x1b[1m10.50\x1b[0m"


# ------------------------------------------------------------------ nothing is markup


class _Cells(HTMLParser):
    """Reads the texts of a table, and every tag that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag in ("td", "th", "caption"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data.rstrip("\n")


PRINTED = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc", "Cf", "Zs", "Zl", "Zp"])
)


@settings(deadline=None)
@given(st.lists(PRINTED.filter(bool), min_size=1, max_size=4))
def test_html_is_text(texts: list[str]) -> None:
    """Whatever a value is, a browser shows it, and makes nothing of it."""
    reader = _Cells()
    reader.feed(render(result(ResultColumn("</table><script>", texts, key=True), title="<b>"), "html"))

    assert reader.tags <= {"table", "caption", "thead", "tr", "th", "tbody", "td"}
    assert reader.cells == ["<b>", "</table><script>", *(t if len(t) <= 60 else t[:59] + "…" for t in texts)]


@settings(deadline=None)
@given(st.lists(PRINTED.filter(bool), min_size=1, max_size=4))
def test_github_cells_read_back(texts: list[str]) -> None:
    """No value ends its cell, and a value that looks like Markdown is escaped."""
    (table,) = read_tables(render(result(ResultColumn("a|b", texts, key=True)), "github"), "github")

    assert table.heading == [r"a\|b"]
    assert [len(row) for row in table.rows] == [1] * len(texts)


def test_github_escapes_markdown() -> None:
    """Stars, ticks, brackets, entities and leading underscores would be styles, code, links and accents."""
    text = render(
        result(ResultColumn("n", ["*a*", "`b`", "[c](d)", "&lt;", "_e_", "snake_case", "~f~", "<i>"])), "github"
    )

    assert [line.split("|")[1].strip() for line in text.splitlines()[2:]] == [
        r"\*a\*", r"\`b\`", r"\[c](d)", "&amp;lt;", r"\_e\_", "snake_case", r"\~f\~", "&lt;i>",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(PRINTED.filter(bool), min_size=1, max_size=4))
def test_latex_cells_read_back(texts: list[str]) -> None:
    """No value ends its cell or its row."""
    columns = (ResultColumn("first", texts), ResultColumn("second", [1] * len(texts)))
    (table,) = read_tables(render(result(*columns), "latex"), "latex")

    assert [(len(row), row[-1]) for row in table.rows] == [(2, "$1$")] * len(texts)


def test_latex_keeps_hyphens_apart() -> None:
    """Two hyphens side by side are printed as a dash, three as a longer one."""
    text = render(result(ResultColumn("x", ["--lr", "a-b---c", None])), "latex")

    assert text.splitlines()[4:7] == [r"-{}-lr \\", r"a-b-{}-{}-c \\", r" \\"]


def test_csv_quotes_whatever_ends_a_line() -> None:
    """A lone carriage return ends a line for all who read CSV."""
    columns = (ResultColumn("n", ["a\rb", "c\nd", "e\r\nf"], key=True), ResultColumn("x", [1, 2, 3]))

    text = render(result(*columns), "csv")

    assert text == 'n,x\n"a\rb",1\n"c\nd",2\n"e\r\nf",3'
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == [["a\rb", "1"], ["c\nd", "2"], ["e\r\nf", "3"]]


def test_latex_rows_that_begin_with_a_bracket() -> None:
    r"""After `\\` LaTeX takes `[` and `*` for arguments."""
    text = render(result(ResultColumn("x", ["[1, 2]", "*", '"q"'])), "latex")

    assert text.splitlines()[4:7] == [r"{[}1, 2] \\", r"{*} \\", r"{''}q{''} \\"]


# ------------------------------------------------------------------ what was written reads back

VALUES = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.booleans(), PRINTED)


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=5), st.sampled_from(["csv", "json"]))
def test_data_formats_read_back(rows: list[tuple[object, object]], format: str) -> None:
    """A table is what it was, whatever is in it."""
    columns = (ResultColumn("a", [row[0] for row in rows], [row[1] for row in rows], "a_err"),)
    text = render(result(*columns), format)
    (table,) = read_tables(text, format)

    assert list(table.heading) == ["a", "a_err"]
    assert len(table.rows) == len(rows)
    assert compare(table, table, 0) == []
    if format == "csv":
        assert [list(row) for row in table.rows] == list(csv.reader(io.StringIO(text)))[1:]
    else:
        assert [[json.loads(cell) for cell in row] for row in table.rows] == [
            list(row.values()) for row in json.loads(text)
        ]


def test_several_tables() -> None:
    """CSV parts them by an empty line, JSON by objects."""
    assert read_tables("a,b\n1,2\n\n\nc\n3\n", "csv") == [Grid(["a", "b"], [["1", "2"]]), Grid(["c"], [["3"]])]
    text = '[{"report": "r", "title": null, "rows": [{"x": 1}]}, {"report": "r", "title": null, "rows": []}]'
    assert read_tables(text, "json") == [Grid(["x"], [["1"]]), Grid([], [])]
    assert read_tables('[{"rows": [1]}]', "json") == [Grid(["rows"], [["[1]"]])]
    assert read_tables("[]", "json") == [Grid([], [])]
    for wrong in ("{", "3", "[1]"):
        with pytest.raises(UnreadableError):
            read_tables(wrong, "json")


# ------------------------------------------------------------------ differences


@pytest.mark.parametrize(
    ("file", "now", "equal"),
    [
        ("0.1", "0.1", True),
        ("0.30000000000000004", "0.3", True),
        ("0.3001", "0.3", False),
        ("9007199254740993", "9007199254740992", False),
        ("1", "1.0", True),
        ("", "0", False),
        ("inf", "Infinity", True),
        ("12e4567", "13e4567", False),
        ("nan", "nan", True),
        ("0", "1e-300", False),
        ("mlp", "MLP", False),
    ],
)
def test_cells_are_the_same(file: str, now: str, equal: bool) -> None:
    """Texts by their characters, integers by their digits, floats to twelve digits."""
    assert same(file, now) is equal


def test_differences() -> None:
    """Rows are told by their keys; a heading that changed is told instead of everything below it."""
    file = Grid(["m", "x"], [["a", "1"], ["b", "2"], ["b", "3"], ["gone", "4"]])
    now = Grid(["m", "x"], [["a", "1"], ["b", "2.5"], ["b", "3"], ["new", "4"]])

    assert [(c.row, c.column, c.file, c.now) for c in compare(file, now, 1)] == [
        ("m b", "x", "2", "2.5"),
        ("m new", "", "no such row", "a row"),
        ("m gone", "", "a row", "no such row"),
    ]
    swapped = Grid(["m", "x"], [file.rows[1], file.rows[0]])
    assert [(c.row, c.file, c.now) for c in compare(swapped, Grid(["m", "x"], file.rows[:2]), 1)] == [
        ("row 1", "m b", "m a")
    ]
    other = compare(file, Grid(["m", "y"], []), 1)
    assert [(c.row, c.column, c.file) for c in other] == [
        ("heading", "x", "a column"),
        ("heading", "y", "no such column"),
    ]
    assert [c.row for c in compare(Grid(["m", "x"], []), Grid(["x", "m"], []), 1)] == ["heading"]


# ------------------------------------------------------------------ digits

FLOATS = st.floats(allow_nan=False)
ANYTHING = st.one_of(
    st.none(), st.integers(-(2**200), 2**200), FLOATS, st.booleans(), PRINTED, st.lists(FLOATS, max_size=3)
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(ANYTHING, ANYTHING), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["", "duration", "size"]),
    st.sampled_from([None, "minimize"]),
    st.booleans(),
)
def test_anything_can_be_printed(
    rows: list[tuple[object, object]], error: bool, unit: str, direction: str | None, key: bool
) -> None:
    """No value is too large, too small or too odd for a format."""
    values, errors = [row[0] for row in rows], [row[1] for row in rows] if error else None
    column = ResultColumn("x", values, errors, "e", unit=unit, direction=direction, key=key)

    for format in FORMATS:
        assert render(result(column), format, color=True)


@settings(deadline=None)
@given(st.lists(st.one_of(FLOATS.filter(math.isfinite), st.integers(-(10**20), 10**20)), min_size=1, max_size=6))
def test_printed_numbers_are_rounded_and_no_more(values: list[float]) -> None:
    """What stands in a table is the value to the digits that are shown, four at least of the largest."""
    cells = text_column(ResultColumn("x", values)).cells

    for cell, value in zip(cells, values, strict=True):
        plain = cell.replace(",", "")
        shown = Fraction(plain)
        mantissa, _, exponent = plain.partition("e")
        places = len(mantissa.partition(".")[2]) - int(exponent or 0)
        assert abs(shown - Fraction(value)) <= Fraction(1, 2) * Fraction(10) ** -places
    largest = max(values, key=abs)
    if largest:
        assert abs(Fraction(cells[values.index(largest)].replace(",", "")) / Fraction(largest) - 1) < Fraction(1, 1000)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6)), min_size=1, max_size=6))
def test_errors_have_a_digit_and_values_as_many(rows: list[tuple[float, float]]) -> None:
    """An error is shown with one or two significant digits at least, and its value to the same place."""
    column = text_column(ResultColumn("x", [row[0] for row in rows], [row[1] for row in rows], "e"))

    assert column.error is not None
    for cell, error, (value, spread) in zip(column.cells, column.error, rows, strict=True):
        assert abs(float(error.replace(",", "")) / spread - 1) < 0.5
        assert abs(float(cell.replace(",", "")) - value) <= max(spread, abs(value) * 1e-14)


@settings(deadline=None)
@given(
    st.lists(st.one_of(FLOATS, st.integers(-(2**200), 2**200), st.none()), min_size=1, max_size=3),
    st.sampled_from(["duration", "size"]),
    st.booleans(),
)
def test_any_quantity_can_be_printed(values: list[float | None], unit: str, error: bool) -> None:
    """Durations and sizes too, infinite and negative ones."""
    cells = text_column(ResultColumn("x", values, values if error else None, "e", unit=unit)).cells

    assert all(0 < len(cell) < 40 for cell in cells)


def test_differences_of_quantities() -> None:
    """A difference can be negative."""
    found = text_column(ResultColumn("x", [-7200.0, -0.5, float("inf"), 10**19], unit="duration")).cells

    assert found == ["-2 h", "-0.5 s", "inf s", "1.000e+19 s"]
    assert text_column(ResultColumn("x", [-3 << 30], unit="size")).cells == ["-3 GiB"]
