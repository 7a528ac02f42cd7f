"""Builds for clusters: the scripts byte for byte, what bash and shellcheck say of them, and how they submit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from xpc.compiler.emit import emit

from .planning import check_golden, plan_of, read_study

TARGETS = ("far", "near", "grid5000")
TEXT, FILES = read_study("clusters")


def built(folder: Path, target: str, text: str = TEXT, shim: bytes = b"shim") -> Path:
    return emit(plan_of(text, FILES, target=target), shim).write(folder, {})


def scripts(folder: Path) -> list[Path]:
    return [folder / "submit.sh", *sorted((folder / "arrays").iterdir())]


@pytest.mark.parametrize("target", TARGETS)
def test_study(target: str, tmp_path: Path) -> None:
    """A study with all that a cluster can be asked for, byte for byte."""
    folder = built(tmp_path, target)
    paths = [folder / "plan.json", folder / "points.jsonl", *scripts(folder)]
    names = sorted(str(path.relative_to(folder)) for path in paths)
    for name in names:
        check_golden(f"clusters/expected/{target}/{name}", (folder / name).read_text())
    expected = Path(__file__).parent / "compile/clusters/expected" / target
    assert sorted(str(p.relative_to(expected)) for p in expected.rglob("*") if p.is_file()) == names


@pytest.mark.parametrize("target", TARGETS)
def test_scripts_are_clean(target: str, tmp_path: Path) -> None:
    """bash can read each script, shellcheck has nothing to say, and none knows where, when or by what it was made."""
    folder = built(tmp_path, target)
    paths = list(map(str, scripts(folder)))
    for path in paths:
        subprocess.run(["bash", "-n", path], check=True)
        text = Path(path).read_text()
        assert str(tmp_path) not in text
        assert folder.name not in text
        assert os.access(path, os.X_OK)
    if shutil.which("shellcheck") is not None:
        subprocess.run(["shellcheck", *paths], check=True)


# ------------------------------------------------------------------ submit.sh against a scheduler that only notes

SBATCH = """
    #!/bin/bash
    printf '%s\\n' "sbatch $*" >>"$NOTES"
    env | grep -E '^(SBATCH|SLURM|OAR)_' >>"$NOTES"
    if [[ "$*" == *REFUSED* ]]; then echo "sbatch: error: invalid partition" >&2; exit 1; fi
    count=$(grep -c ^sbatch "$NOTES")
    echo "a site says hello"
    echo "$((100 + count));cluster"
"""
NOTE = '#!/bin/bash\nprintf \'%s\\n\' "${0##*/} $*" >>"$NOTES"\n'
OARSUB = """
    #!/bin/bash
    for each in "$@"; do printf '%s|' "$each" >>"$NOTES"; done; echo >>"$NOTES"
    if [[ "$*" == *REFUSED* ]]; then printf 'no such queue\\nOAR_JOB_ID=-8\\n'; exit 248; fi
    while [ "$1" != --array-param-file ]; do shift; done
    echo "params $(tr '\\n' ' ' <"$2")" >>"$NOTES"
    echo "[ADMISSION RULE] Modify resource description with type constraints"
    before=$(sed -n 's/^params//p' "$NOTES" | head -n -1 | wc -w)
    lines=$(wc -l <"$2")
    for ((n = 0; n < lines; n++)); do echo "OAR_JOB_ID=$((before + n))"; done
    if [ "$lines" -gt 1 ]; then echo "OAR_ARRAY_ID=$before"; fi
"""

STUDY = """
target s = slurm:
    partition = "cpu"
    max_array = 3
target o = oar:
    queue = "q"
grid g:
    k in range(4)
experiment a:
    grid g
    run "a {k}"
experiment b:
    after a
    run "b {k}"
experiment c:
    after all b
    run "c"
"""


def submitted(
    tmp_path: Path, target: str, text: str = STUDY, **more: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Call submit.sh with commands that only note how they were called; give what it said, and the notes."""
    project = tmp_path / "my project"
    folder = built(project / ".xpc/builds", target, text)
    commands = tmp_path / "bin"
    commands.mkdir(parents=True)
    for name, script in {"sbatch": SBATCH, "oarsub": OARSUB, "scancel": NOTE, "scontrol": NOTE, "oardel": NOTE}.items():
        (commands / name).write_text(dedent(script).lstrip())
        (commands / name).chmod(0o755)
    notes = tmp_path / "notes"
    notes.touch()
    environ = {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "NOTES": str(notes),
        "SBATCH_PARTITION": "evil",
        "SLURM_ARRAY_TASK_ID": "7",
        "SLURM_CONF": "/etc/slurm.conf",
        "OAR_JOB_ID": "3",
        **more,
    }
    done = subprocess.run(
        [str(folder / "submit.sh")], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    text = notes.read_text().replace(str(project), "PROJECT").replace(folder.name, "ID")
    return done, text.splitlines()


def test_submit_script_of_slurm(tmp_path: Path) -> None:
    """Roots are held and released last, children depend on ids that were read strictly, no variable leaks."""
    done, notes = submitted(tmp_path, "s")
    b = ".xpc/builds/ID"

    def sbatch(name: str, more: str) -> str:
        return (
            f"sbatch --parsable --job-name=xpc-ID-{name} --chdir=PROJECT --export=ALL "
            f"--output=PROJECT/{b}/logs/{name}-%A.out --kill-on-invalid-dep=yes {more} {b}/arrays/{name}.sbatch {b}"
        )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "a-1 101\na-2 102\nb-1 103\nb-2 104\nc-1 105\n"
    assert [line for line in notes if line != "SLURM_CONF=/etc/slurm.conf"] == [
        sbatch("a-1", "--hold"),
        sbatch("a-2", "--hold"),
        sbatch("b-1", "--dependency=aftercorr:101"),
        sbatch("b-2", "--dependency=aftercorr:102"),
        sbatch("c-1", "--dependency=afterok:103:104"),
        "scontrol release 101 102",
    ]


def test_submit_script_of_slurm_takes_back(tmp_path: Path) -> None:
    """A refusal midway cancels what was sent before it, says so, and ends with 3."""
    done, notes = submitted(tmp_path, "s", STUDY.replace("experiment c", "experiment REFUSED"))

    assert done.returncode == 3
    assert notes[-1] == "scancel 101 102 103 104"
    assert done.stderr.splitlines() == [
        "sbatch: error: invalid partition",
        "SLURM refused array REFUSED-1",
        "Cancelled what had been sent: 101 102 103 104. Nothing is queued.",
    ]


def test_submit_script_of_oar(tmp_path: Path) -> None:
    """Each child waits for the job of its own parent, the last for all; options come from the scripts."""
    done, notes = submitted(tmp_path, "o")
    calls = [line.split("|") for line in notes if "|" in line]

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "a-1 0 1 2 3\nb-1 4 5 6 7\nc-1 8\n"
    assert [line for line in notes if line.startswith("params")] == [
        "params 0 1 2 3 ",
        "params 0 ",
        "params 1 ",
        "params 2 ",
        "params 3 ",
        "params 0 ",
    ]
    waits = [[call[i + 1] for i, word in enumerate(call) if word == "-a"] for call in calls]
    assert waits == [[], ["0"], ["1"], ["2"], ["3"], ["4", "5", "6", "7"]]
    assert calls[0][:6] == ["-n", "a-1", "-l", "/nodes=1/core=1", "--queue", "q"]
    assert calls[0][-2] == ".xpc/builds/ID/arrays/a-1.oar"


def test_submit_script_of_oar_takes_back(tmp_path: Path) -> None:
    """A refusal midway deletes what was sent before it, and an id below 0 is none."""
    done, notes = submitted(tmp_path, "o", STUDY.replace("experiment c", "experiment REFUSED"))

    assert done.returncode == 3
    assert notes[-1] == "oardel 0 1 2 3 4 5 6 7"
    assert "no such queue\nOAR_JOB_ID=-8\nOAR refused array REFUSED-1\n" in done.stderr


def test_submit_scripts_and_secrets(tmp_path: Path) -> None:
    """SLURM passes them on, if they are set; OAR does not, and nothing is sent without them."""
    text = STUDY + "    environment v\nenvironment v:\n    secret LICENCE\n"
    without, no_notes = submitted(tmp_path / "1", "s", text)
    fine, notes = submitted(tmp_path / "2", "s", text, LICENCE="x")
    oar, none = submitted(tmp_path / "3", "o", text, LICENCE="x")

    assert without.returncode != 0
    assert "LICENCE: is a secret of these runs, and not set here" in without.stderr
    assert (fine.returncode, len(notes) > 5, no_notes, none) == (0, True, [], [])
    assert oar.returncode == 3
    assert oar.stderr == "OAR passes no environment on, and these runs need LICENCE: `xpc submit` hands secrets over\n"
