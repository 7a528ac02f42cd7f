"""Templates to words, and values to config files that all readers read alike."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from xpc.runtime.shim import journal, template
from xpc.runtime.shim.build_folder import Run, nested, segments
from xpc.runtime.shim.template import Context, config_text
from xpc.runtime.shim.workdir import WorkdirError

PLAN = {
    "experiments": {"train": {"outputs": {"model": ["model-", {"key": "seed"}, ".pt"]}, "inputs": {"data": ["d.npy"]}}}
}
SHAPE = {
    "experiment": "train",
    "config": [
        ["lr", 0],
        ["seed", 1],
        ["fixed", {"value": [1, "a"]}],
        ["model", {"value": "cnn"}],
        ["model.k", {"value": 3}],
    ],
    "ancestors": ["prepare"],
    "labels": ["model"],
}
REQUEST = {"cpus": 2, "gpus": 0, "memory": None, "nodes": 1, "tasks": 1}


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Context:
    run = Run(0, ["ab12", 0, 0, [1e-05, 7], ["a text", ["x", 2.0, "y z"]], [], [["p1", "p2"]]], SHAPE, PLAN)
    folder = tmp_path / "runs/train/ab12"
    folder.mkdir(parents=True)
    return Context(str(tmp_path), run, str(folder), f"{folder}/files", 3, REQUEST)


def write_parent(project: str, name: str, state: str = "done", **outputs: Any) -> None:
    folder = Path(project) / "runs/prepare" / name
    folder.mkdir(parents=True)
    claim = {"event": "claim", "values": {"seed": name}}
    end = {"event": "end", "state": state, "outputs": {k: {"path": v} for k, v in outputs.items()}}
    (folder / "run.jsonl").write_bytes(journal.encode(claim) + journal.encode(end))


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"key": "lr"}, "1e-05"),
        ({"key": "fixed"}, '[1, "a"]'),
        ({"text": 0}, "a text"),
        ({"run": "id"}, "ab12"),
        ({"run": "attempt"}, "3"),
        ({"run": "cpus"}, "2"),
        ({"run": "memory"}, "null"),
    ],
)
def test_part(place: Context, part: Any, text: str) -> None:
    """Each part stands for one text, and constants around it stay."""
    assert template.text(["<", part, ">"], place) == f"<{text}>"


def test_paths_are_absolute(place: Context) -> None:
    """A program may change its working directory."""
    paths = [{"output": "model"}, {"input": "data"}, {"run": "dir"}, {"run": "config"}, {"project": "root"}]
    found = [template.text([part], place).replace(place.project, "") for part in paths]
    run = "/runs/train/ab12"

    assert found == [f"{run}/files/model-7.pt", f"{run}/files/d.npy", run, f"{run}/config.json", ""]


def test_lists_become_words(place: Context) -> None:
    """A list is one word an element for a program, and comes after its count for a script."""
    words = [["run"], {"words": 1}, [{"key": "seed"}]]

    assert template.words(words, place) == ["run", "x", "2.0", "y z", "7"]
    assert template.parameters(words, place) == ["run", "3", "x", "2.0", "y z", "7"]


def test_ancestors(place: Context) -> None:
    """Paths are what the ancestors' own records say."""
    write_parent(place.project, "p1", out="files/a.npy")
    write_parent(place.project, "p2", out="files/b.npy")
    folder = f"{place.project}/runs/prepare"

    each = [{"each": {"ancestor": "prepare", "output": "out"}}]
    assert template.words(each, place) == [f"{folder}/p1/files/a.npy", f"{folder}/p2/files/b.npy"]
    lines = Path(template.text([{"ancestor": "prepare", "runs": True}], place)).read_text().splitlines()
    assert json.loads(lines[1]) == {
        "id": "p2",
        "folder": f"{folder}/p2",
        "values": {"seed": "p2"},
        "outputs": {"out": f"{folder}/p2/files/b.npy"},
    }


def test_ancestors_that_do_not_fit(place: Context) -> None:
    """What can't be filled is said in words, not by a traceback."""
    with pytest.raises(WorkdirError, match="prepare p1 has no record that says `done`"):
        template.words([{"each": {"ancestor": "prepare", "output": "out"}}], place)
    write_parent(place.project, "p1", out="files/a.npy")
    write_parent(place.project, "p2", other="files/b.npy")
    with pytest.raises(WorkdirError, match="prepare p2 was done without an output `out`"):
        template.words([{"each": {"ancestor": "prepare", "output": "out"}}], place)


def test_config_has_no_labels(place: Context) -> None:
    """The name of a group's choice is no key of the config."""
    assert nested(place.run.config) == {"lr": 1e-05, "seed": 7, "fixed": [1, "a"], "model": {"k": 3}}


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a.b", ["a", "b"]),
        ('a."b.c".d', ["a", "b.c", "d"]),
        ('"a-b"', ["a-b"]),
        ('x."y z"', ["x", "y z"]),
        (r'a."b\"c.d".e', ["a", 'b"c.d', "e"]),
    ],
)
def test_quoted_segments(key: str, parts: list[str]) -> None:
    """A dot inside quotes parts nothing."""
    assert segments(key) == parts


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
names = st.from_regex(r"[a-z_]{1,5}\Z", fullmatch=True) | st.sampled_from(["yes", "on", "null", "1e5", "a b"])


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (isinstance(a, float) and math.isnan(a)))


@given(st.dictionaries(names, values, max_size=4))
def test_config_is_read_alike(config: dict[str, Any]) -> None:
    """JSON and PyYAML readers find the same values of the same types: `1e-05` is a float, `no` a text."""
    text = config_text({f'"{name}"': value for name, value in config.items()})
    for found in (json.loads(text), yaml.safe_load(text)):
        assert list(found) == list(config)
        assert all(same(value, found[name]) for name, value in config.items())


def test_block_yaml(place: Context) -> None:
    """`{run.config:yaml}` writes block YAML beside the JSON, and says where."""
    path = template.text([{"run": "config_yaml"}], place)

    assert Path(path).read_text() == '"lr": 1.0e-05\n"seed": 7\n"fixed": [1, "a"]\n"model":\n  "k": 3\n'
