"""Commands that are really executed: whatever a value holds, it arrives as it is, and is never read as code."""

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xpc.compiler.plan import Plan
from xpc.compiler.plan_command import command_of

from .planning import argv_of, attempt, output_of, plan_of, study_text

SHOW = r"printf '%s\0'"
AWKWARD = [
    "",
    " ",
    "two words",
    "'",
    '"',
    'it\'s "both"',
    "$(touch owned)",
    "`touch owned`",
    "$HOME ${HOME} $1 $@",
    "a\nb\n",
    "\n",
    "tab\there",
    "back\\slash\\",
    "\\",
    "#comment",
    "a,b;c|d&e<f>g(h)",
    "*?[a-z]{a,b}~",
    "-n",
    "--flag=x",
    "!history",
    "é ü 漢字 🎲",
    "EOF",
    "x" * 100_000,
]

PLACES = {
    "argv": "SHOW {x}.",
    "argv, in double quotes": 'SHOW "{x}."',
    "bare": "SHOW {x}. && true",
    "in double quotes": 'SHOW "{x}." && true',
    "in single quotes": "SHOW '{x}.' && true",
    "in ANSI quotes": "SHOW $'{x}\\x2e' && true",
    "in a substitution": 'SHOW "$(printf %s. {x})"',
    "in a quoted substitution": 'SHOW "$(printf "%s." "{x}")"',
    "in backquotes": 'SHOW "`printf %s. {x}`"',
    "in a variable": 'v={x}.\nSHOW "$v"',
    "in an array": 'v=({x}.)\nSHOW "${v[@]}"',
    "in a function": "f() {{ SHOW {x}.; }\nf other",
    "after set": "set -- other\nSHOW {x}.",
    "after a comment": "# don't {nonsense}\nSHOW {x}.",
    "in a case": 'SHOW "$(case a in a) printf %s. {x} ;; esac)"',
    "in a case with brackets": 'SHOW "$(case a in (a) printf %s. {x} ;; esac)"',
    "in a process substitution": "SHOW \"$(cat <(printf %s. '{x}'))\"",
    "behind a here-document": "cat <<'EOF' > /dev/null\nit's\nEOF\nSHOW {x}.",
    "in a test": "[[ {x} == {x} ]] && SHOW {x}.",
}


def text_literal(text: str) -> str:
    """Write a text as the Experimentfile does."""
    return json.dumps(text)


def planned(run: str, values: Sequence[str]) -> Plan:
    """Plan a run for each value of `x`, in their order."""
    axis = ", ".join(text_literal(value).replace("{", "{{") for value in values)
    return plan_of(study_text(text_literal(run.replace("SHOW", SHOW)), values='x = ""', grid=f"x in [{axis}]"))


def shown(plan: Plan, row: int = 0) -> list[str]:
    """Give the words that a run's `SHOW` was given."""
    return output_of(plan, row).split("\0")[:-1]


@pytest.mark.parametrize("place", PLACES)
def test_value_arrives_as_it_is(place: str) -> None:
    """Quotes, code, blanks, newlines, nothing at all, a hundred kilobytes: each is one argument with these bytes."""
    plan = planned(PLACES[place], AWKWARD)

    assert [shown(plan, row) for row in range(len(AWKWARD))] == [[f"{value}."] for value in AWKWARD]


@settings(max_examples=40, deadline=None)
@given(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\x7f"), max_size=12),
    st.sampled_from(["argv", "bare", "in double quotes", "in single quotes", "in a function"]),
)
def test_any_value_arrives(value: str, place: str) -> None:
    """No text is special."""
    assert shown(planned(PLACES[place], [value])) == [f"{value}."]


# fmt: off
PIECES = [
    "{x}", "{x}", "{x}", " {xs} ", "'", "\"", "$(", ")", "`", "$'", "\\", "$", "#", " ", "\n", ";", "|", "&&",
    "||", "<<< ", "echo ", "cat ", "true ", "case a in a) ", " ;; esac", "if true; then ", "; fi", "set -- b;",
    "let n=", "a[", "]=1", "cat <<EOF\n", "\nEOF\n", "cat <<-'E'\n", "\nE\n", "((", "))", "$((", "[[ ", " ]]",
    " -eq 1", "[ ", " ]", "-v ", "v=(", "${{v:-", "${{a[", "}", "v=", " $v", "\"$@\"", "<(", "(", "read ",
    "printf ", "declare ", "-i ", "=", "1", "test ",
]
EVIL = [
    "$(touch owned)", "`touch owned`", "a[$(touch owned)]", "';touch owned;'", "\";touch owned;\"",
    "\nEOF\ntouch owned\n",
]
# fmt: on


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), min_size=2, max_size=9))
def test_value_is_never_read_as_code(tmp_path: Path, pieces: list[str]) -> None:
    """However a script is put together: if it compiles, no value in it is executed."""
    axis = ", ".join(map(json.dumps, EVIL))
    lists = ", ".join(f"[{json.dumps(value)}]" for value in EVIL)
    text = study_text(
        json.dumps("".join(pieces)),
        values='x = ""\nxs = [""]',
        grid=f"zip:\n    x in [{axis}]\n    xs in [{lists}]",
    )
    plan = attempt(text).plan
    for row in range(len(EVIL)) if plan is not None else ():
        assert plan is not None
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with suppress(OSError):
            subprocess.run(argv_of(plan, row), cwd=tmp_path, timeout=10, check=False, **quiet)

        assert not (tmp_path / "owned").exists(), argv_of(plan, row)


def test_value_arrives_in_a_here_document() -> None:
    """In a here-document the value stands as it is, and a line of it that is the end word ends nothing."""
    plan = planned("cat <<EOF\n[{x}] '{x}'\nEOF\n", AWKWARD)

    assert [output_of(plan, row) for row in range(len(AWKWARD))] == [f"[{v}] '{v}'\n" for v in AWKWARD]


@pytest.mark.parametrize("run", ["SHOW {xs} {ys} {xs} end", "SHOW {xs} {ys} {xs} end | cat", "SHOW {ys} {z} | cat"])
def test_lists_are_one_word_an_element(run: str) -> None:
    """Also behind each other, twice, empty, and with elements that look like code."""
    xs = ["a b", "$(x)", ""]
    values = f"xs = {json.dumps(xs)}\nys = []\nz = 1"
    plan = plan_of(study_text(text_literal(run.replace("SHOW", SHOW)), values=values))

    assert shown(plan) == ([*xs, *xs, "end"] if "xs" in run else ["1"])


def test_lists_in_rows_of_different_lengths() -> None:
    """The count before a list is each row's own."""
    run = text_literal(SHOW + " {xs} {ys} | cat")
    plan = plan_of(study_text(run, values="xs = [0]\nys = [7, 8]", grid="xs in [[1], [], [1, 2, 3]]"))

    assert [shown(plan, row) for row in range(3)] == [["1", "7", "8"], ["7", "8"], ["1", "2", "3", "7", "8"]]


@pytest.mark.parametrize("run", [" {x:raw}", " {x:raw} | cat"])
def test_raw_value_is_cut_into_words(run: str) -> None:
    """The explicit way out: without a shell cut at blanks, with one cut as the shell does."""
    assert shown(planned(SHOW + run, ["--a 1  --b '2'"])) == ["--a", "1", "--b", "'2'"]


@pytest.mark.parametrize(
    "words",
    [r"a 'b c' d\ e", r'"a \"b\" \x \\ c" f""g', "''  \"\" x", "a\\\nb", "p='q r'", "a=b'c'\"d\"", "\t a\tb "],
)
def test_argv_splits_as_bash_does(words: str) -> None:
    """What is split here gives the words that bash would have given."""
    ours = planned(f"{SHOW} {words}", [""])
    theirs = subprocess.run(["bash", "-c", f"{SHOW} {words}"], capture_output=True, check=True)

    assert argv_of(ours)[0] == "printf"
    assert output_of(ours) == theirs.stdout.decode()


@pytest.mark.parametrize("place", [place for place in PLACES if place != "in a test"])
def test_shown_command_means_the_same(place: str) -> None:
    """A command that is shown can be pasted into a shell: the value is quoted for its place."""
    plan = planned(PLACES[place], AWKWARD)
    for row, value in enumerate(AWKWARD):
        command = command_of(plan, "train", row)
        argv = command if isinstance(command, list) else ["bash", "-e", "-o", "pipefail", "-c", command]
        done = subprocess.run(argv, capture_output=True, check=True)

        assert done.stdout.decode() == f"{value}.\0"
