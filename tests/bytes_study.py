"""A study whose values hold all that a shell, a scheduler or a file could trip over, with a secret beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

VALUES = [
    "plain",
    "",
    " ",
    "it's",
    'say "so"',
    "'\"'\"'",
    "$(touch ran)",
    "`touch ran`",
    "${HOME} $HOME $1 $@",
    "a;touch ran&touch ran|cat>ran",
    "two\nlines\n",
    "\n#SBATCH --wrap=evil\n#OAR -l nodes=9",
    "cr\rlf\r\n",
    "tab\tend ",
    "# comment",
    "a,b;c:d=e",
    "100%s %d %j %A_%a %%",
    "*?[a-z]~!^",
    "{x} {{ 7*7 }} {% if 1 %}",
    "\\n \\ \\\\",
    "-rf",
    "--help",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "naïve ☃ 日本語 𝔘",
    "e\u0301 \u00e9",
    "\x01\x1b[31m\x7f\u202e\u2028",
    "null",
    "[1, 2]",
    "1e-3",
    "x" * 5000,
]
SECRET = "hush'\"$(touch ran)\n#, % é top-secret"  # noqa: S105  # one for tests

PROGRAM = """\
import hashlib, json, os, sys
with open(sys.argv[2], "wb") as file:
    file.write(os.fsencode(sys.argv[1]))
config = json.load(open(os.environ["XPC_CONFIG"], encoding="utf-8"))
print("told=%d" % (config["x"] == sys.argv[1] == os.environ["AS_VARIABLE"] and not os.path.exists("ran")))
print("digest=" + hashlib.sha256(os.fsencode(os.environ["STUDY_SECRET"])).hexdigest())
"""

STUDY = """\
project "it's {{ 7*7 }}\\n#SBATCH --wrap=evil\\n$(touch ran)"

target far = %s:
    max_array = 1000

grid g:
    x in [%s]

environment e:
    AS_VARIABLE = "{x}"
    secret STUDY_SECRET

experiment direct:
    grid g
    environment e
    run "python3 save.py {x} {output.saved}"
    output saved = "saved"
    metric told from stdout matching "told=([0-9])"

experiment shell(direct):
    run "set -u; python3 save.py {x} {output.saved} | cat && [ -e {output.saved} ]"

experiment child:
    after direct
    environment e
    run "python3 save.py {x} {output.saved}"
    output saved = "saved"
    metric told from stdout matching "told=([0-9])"
"""


def quoted(value: str) -> str:
    """Give a value as an Experimentfile writes it."""
    return json.dumps(value, ensure_ascii=True).replace("{", "{{")


def files(kind: str, values: Iterable[str] = VALUES) -> dict[str, str]:
    """Give the files of the study for a kind of target; a pair of surrogates is written as its character."""
    listed = ", ".join(quoted(value) if value.isascii() else _plainly(value) for value in values)
    study = STUDY.replace("    max_array = 1000\n", '    setup "true"\n') % (kind, listed)
    return {"Experimentfile": study, "save.py": PROGRAM}


def _plainly(value: str) -> str:
    """Escape what must be, and leave other characters as they are."""
    return "".join(char if char.isprintable() and char not in '"\\{}' else quoted(char)[1:-1] for char in value).join(
        '""'
    )


def check(
    project: Path, experiments: Iterable[str] = ("direct", "shell", "child"), values: Iterable[str] = VALUES
) -> None:
    """Compare what each run got, byte for byte."""
    for experiment in experiments:
        runs = [path for path in (project / "runs" / experiment).iterdir() if len(path.name) == 16]
        saved = sorted(next(path.rglob("saved")).read_bytes() for path in runs)
        assert saved == sorted(value.encode() for value in values), experiment
        for run in runs:
            said = (run / "stdout.log").read_text()
            assert "told=1" in said, (experiment, run, said)
            assert f"digest={sha256(SECRET.encode()).hexdigest()}" in said
    assert not list(project.rglob("ran"))


def holders(folder: Path) -> list[str]:
    """Give the files below *folder* that hold the secret, as it is or as JSON writes it."""
    needles = [b"top-secret", SECRET.encode(), json.dumps(SECRET)[1:-1].encode()]
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and any(needle in path.read_bytes() for needle in needles)
    ]
