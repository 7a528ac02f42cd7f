"""Templates of the plan to the words, variables and paths of one attempt."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, Iterator, List, Mapping, Sequence

from .build_folder import Run, nested
from .journal import read_attempts
from .renames import renamed_claim
from .workdir import WorkdirError

# What YAML readers fold, refuse or take for a line's end, though JSON has it in a text as it is.
ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Context:
    """Where an attempt is: absolute folders, and what it was given. *home* is what outputs are relative to."""

    def __init__(
        self, project: str, run: Run, folder: str, home: str, attempt: int, request: Mapping[str, Any]
    ) -> None:
        self.project = project
        self.run = run
        self.folder = folder
        self.home = home
        self.attempt = attempt
        self.request = request

    def run_folder(self, experiment: str, run_id: str) -> str:
        return os.path.join(self.project, "runs", experiment, run_id)


def as_text(value: Any) -> str:
    """Give a value as a program gets it: floats as Python's repr, lists and maps as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def words(command: Sequence[Any], place: Context) -> List[str]:
    """Give the words of a command; a word of the plan may become any number of words."""
    found: List[str] = []
    for word in command:
        if isinstance(word, list):
            found.append(text(word, place))
        elif "words" in word:
            found.extend(as_text(item) for item in place.run.texts[word["words"]])
        else:
            found.extend(_outputs_of(word["each"]["ancestor"], word["each"]["output"], place))
    return found


def parameters(args: Sequence[Any], place: Context) -> List[str]:
    """Give the positional parameters of a script; a word that may be many comes with its count before it."""
    found: List[str] = []
    for word in args:
        filled = words([word], place)
        found += filled if isinstance(word, list) else [str(len(filled)), *filled]
    return found


def text(template: Sequence[Any], place: Context) -> str:
    return "".join(part if isinstance(part, str) else _part(part, place) for part in template)


def _part(part: Mapping[str, Any], place: Context) -> str:
    if "key" in part:
        return as_text(place.run.values.get(part["key"]))
    if "text" in part:
        return as_text(place.run.texts[part["text"]])
    if "run" in part:
        return _of_run(part["run"], place)
    if "project" in part:
        return place.project
    if "ancestor" in part:
        if part.get("runs"):
            return write_runs(part["ancestor"], place)
        found = list(_outputs_of(part["ancestor"], part["output"], place))
        if len(found) != 1:
            raise WorkdirError("`{%s.%s}` is one path, not %d" % (part["ancestor"], part["output"], len(found)))
        return found[0]
    if "output" in part:
        return output_path(part["output"], place)
    return os.path.join(place.home, text(place.run.plan["inputs"][part["input"]], place))


def _of_run(name: str, place: Context) -> str:
    if name == "id":
        return place.run.id
    if name == "dir":
        return place.folder
    if name == "config":
        return os.path.join(place.folder, "config.json")
    if name == "config_yaml":
        return write_yaml(place)
    if name == "attempt":
        return str(place.attempt)
    return as_text(place.request.get(name))


def output_path(name: str, place: Context) -> str:
    return os.path.join(place.home, text(place.run.plan["outputs"][name], place))


# ------------------------------------------------------------------ ancestors


def _claim_and_end(experiment: str, run_id: str, place: Context) -> Dict[str, Any]:
    """Give what is needed of a done run: its claim, and its end's outputs (paths relative to its folder)."""
    for attempt in read_attempts(place.run_folder(experiment, run_id)):
        if attempt.is_done:
            whole: Dict[str, Any] = {}
            for record in attempt.records:
                if record.get("event") == "claim":
                    whole.update(renamed_claim(record, place.run_folder(experiment, run_id)))
                elif record.get("event") == "end":
                    whole.update(record)
            return whole
    raise WorkdirError("%s %s has no record that says `done`" % (experiment, run_id))


def _outputs_of(experiment: str, output: str, place: Context) -> Iterator[str]:
    for run_id in place.run.ancestors[experiment]:
        record = _claim_and_end(experiment, run_id, place)
        found = record["outputs"].get(output)
        if found is None:
            raise WorkdirError("%s %s was done without an output `%s`" % (experiment, run_id, output))
        yield os.path.join(place.run_folder(experiment, run_id), found["path"])


def write_runs(experiment: str, place: Context) -> str:
    """Write the JSON-lines file about all ancestors in an experiment; give its path."""
    path = os.path.join(place.folder, "%s.runs.jsonl" % experiment)
    with open(path, "w", encoding="utf-8") as file:
        for run_id in place.run.ancestors[experiment]:
            record = _claim_and_end(experiment, run_id, place)
            folder = place.run_folder(experiment, run_id)
            outputs = {name: os.path.join(folder, found["path"]) for name, found in record["outputs"].items()}
            line = {"id": run_id, "folder": folder, "values": record["values"], "outputs": outputs}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


# ------------------------------------------------------------------ the resolved config as a file


def config_text(values: Mapping[str, Any]) -> str:
    """Give the config as JSON that YAML readers read alike (PyYAML takes `1e-05` for a text, not `1.0e-05`)."""
    return _json(nested(dict(values)), "") + "\n"


def _json(value: Any, indent: str) -> str:
    if isinstance(value, dict) and value:
        inner = indent + "  "
        lines = ["%s%s: %s" % (inner, _quoted(k), _json(v, inner)) for k, v in value.items()]
        return "{\n%s\n%s}" % (",\n".join(lines), indent)
    if isinstance(value, list):
        return "[%s]" % ", ".join(_json(item, indent) for item in value)
    if isinstance(value, float):
        return _float(value)
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return ESCAPED.sub(lambda found: "\\u%04x" % ord(found[0]), json.dumps(text, ensure_ascii=False))


def _float(value: float) -> str:
    mantissa, e, exponent = repr(value).partition("e")  # a YAML 1.1 float has a point; repr signs the exponent
    return mantissa + (".0" if e and "." not in mantissa else "") + e + exponent


def write_yaml(place: Context) -> str:
    """Write the config as block YAML; give its path."""
    path = os.path.join(place.folder, "config.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in _yaml(nested(place.run.config), "")) or "{}\n")
    return path


def _yaml(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        name = _quoted(key)
        if isinstance(inner, dict) and inner:
            yield "%s%s:" % (indent, name)
            for line in _yaml(inner, indent + "  "):
                yield line
        else:
            yield "%s%s: %s" % (indent, name, _json(inner, indent))
