"""What a run ran in: its Python and packages, asked once; the machine; variables, and no secret among them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hand_build import Experiment, write_build
from test_shim_old_python import old_python

from xpc.runtime.environments import changes, summary
from xpc.runtime.shim import archive, chosen_variables, image_record, interpreter, machine_record
from xpc.runtime.shim.environment_record import Environments, Program

PATH = os.environ["PATH"]


def recorded(project: Path, name: str | None) -> dict[str, object]:
    assert name is not None
    found = json.loads((project / f".xpc/environments/{name}.json").read_text())
    assert isinstance(found, dict)
    return found


def program(*argv: str, **environ: str) -> Program:
    return Program(argv, {"PATH": PATH, **environ}, "/", ())


def fake_python(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "python3"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return path


# ------------------------------------------------------------------ Python and packages


def test_packages_are_those_of_the_programs_python(tmp_path: Path) -> None:
    """As importlib.metadata tells them there, with Python's own version."""
    found = recorded(tmp_path, Environments(str(tmp_path)).record(program(sys.executable, "train.py"), ask=True))
    python = found["python"]
    assert isinstance(python, dict)

    told = {
        re.sub("[-_.]+", "-", one.metadata["Name"]).lower(): one.version for one in importlib.metadata.distributions()
    }
    assert {name: version.partition(" ")[0] for name, version in python["packages"].items()} == told
    assert python["packages"]["xpc"].endswith(" (editable)")
    assert (python["version"], python["executable"]) == (sys.version.split()[0], sys.executable)


def test_a_python_is_asked_once(tmp_path: Path) -> None:
    """Until one of its folders changes, also by another process; and not at all where that would take a moment."""
    site = tmp_path / "site"
    site.mkdir()
    asked = program(sys.executable, PYTHONPATH=str(site))
    assert Environments(str(tmp_path)).record(asked, ask=False) is None
    first = Environments(str(tmp_path)).record(asked, ask=True)
    assert Environments(str(tmp_path)).record(asked, ask=False) == first

    (site / "new_thing-3.0.dist-info").mkdir()
    (site / "new_thing-3.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: New_Thing\nVersion: 3.0\n")
    assert Environments(str(tmp_path)).record(asked, ask=False) is None
    second = Environments(str(tmp_path)).record(asked, ask=True)
    told = changes(recorded(tmp_path, first), recorded(tmp_path, second))

    assert [(change.kind, change.name, change.before, change.after) for change in told] == [
        ("package", "new-thing", None, "3.0")
    ]


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["python3", "train.py"], "python3"),
        (["./script.py"], "python3"),
        (["tool"], "python3"),
        (["bash", "-e", "-c", "python3 train.py"], "python3"),
        (["srun", "python", "train.py"], "python3"),
        (["true"], None),
        (["nothing-of-that-name"], None),
        ([], None),
    ],
)
def test_which_python(tmp_path: Path, argv: list[str], found: str | None) -> None:
    """The program itself, its first line's, or what the path finds for one that speaks of it."""
    fake_python(tmp_path / "bin", "exit 1\n")
    for name in ("script.py", "bin/tool"):
        (tmp_path / name).write_text("#!/usr/bin/env python3\n")
        (tmp_path / name).chmod(0o755)
    environ = {"PATH": f"{tmp_path}/bin:/usr/sbin"}
    shutil.copy("/bin/true", tmp_path / "bin/true")

    got = interpreter.find(argv, environ, str(tmp_path))

    assert got == (None if found is None else str(tmp_path / "bin" / found))


def test_a_python_that_says_nothing_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails, talks, or hangs with a child of its own; it is not asked again."""
    monkeypatch.setattr(interpreter, "PATIENCE", 0.5)
    notes = []
    for number, script in enumerate(("exit 3\n", "echo hello\n", "sleep 1000 & sleep 1000\n")):
        python = fake_python(tmp_path / str(number), script)
        environments = Environments(str(tmp_path))
        found = recorded(tmp_path, environments.record(program(str(python)), ask=True))
        assert isinstance(found["python"], dict)
        notes.append(found["python"]["note"])
        assert Environments(str(tmp_path)).record(program(str(python)), ask=False) is not None

    assert notes == ["it did not tell its packages"] * 2 + ["it did not tell its packages within 0.5 s"]


def test_a_virtual_environment_is_not_its_base(tmp_path: Path) -> None:
    """Though its interpreter is a link to that one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv/bin/python"
    environments = Environments(str(tmp_path))
    one = recorded(tmp_path, environments.record(program(str(python)), ask=True))
    other = recorded(tmp_path, environments.record(program(sys.executable), ask=True))

    assert isinstance(one["python"], dict)
    assert one["python"]["packages"] == {}
    assert isinstance(other["python"], dict)
    assert "click" in other["python"]["packages"]


# ------------------------------------------------------------------ variables


def test_secrets_are_never_recorded() -> None:
    """By name, by what a value looks like, and by the value of a declared secret within another variable."""
    word = "correct-horse-battery"
    environ = {
        "OMP_NUM_THREADS": "4",
        "LANG": "C.UTF-8",
        "TF_API_TOKEN": "x",
        "MKL_SECRET": "y",
        "TORCH_AUTH": "z",
        "WANDB_API_KEY": word,
        "LD_LIBRARY_PATH": f"/opt/{word}/lib",
        "PYTHONPATH": "https://ada:pass@host/x",
        "XLA_FLAGS": "--a=hf_abcdefghijklmnopqrst",
        "NCCL_DEBUG_FILE": "0123456789abcdef0123456789abcdef01234567",
        "CUDA_HOME": "-----BEGIN PRIVATE KEY-----",
        "JAX_PLATFORMS": "ghp_0123456789abcdefghij",
        "HOME": "/home/ada",
        "TF_VAR_door": "open",
        "OMPI_MCA_orte_hnp_uri": "1;tcp://10.0.0.1:1",
        "NCCL_SOCKET_ADDR": "10.0.0.1",
    }

    assert chosen_variables.chosen(environ, ["WANDB_API_KEY"]) == {"LANG": "C.UTF-8", "OMP_NUM_THREADS": "4"}
    assert "LD_LIBRARY_PATH" in chosen_variables.chosen(environ, [])


def test_no_secret_in_any_file(tmp_path: Path) -> None:
    """A whole task with a secret in its environment: no file of the project has it."""
    word = "correct-horse-battery-staple"
    build = write_build(tmp_path, [Experiment("train", argv=["python3", "-c", "pass"])])
    (build / "xpc.pyz").write_bytes(archive.build())
    plan = json.loads((build / "plan.json").read_text())
    plan["experiments"]["train"]["environment"] |= {
        "secrets": ["SOME_WORD", "MKL_WORD"],
        "setup": [{"script": "export OMP_NUM_THREADS=7 LOADEDMODULES=gcc/12:cuda/12.4", "args": []}],
    }
    (build / "plan.json").write_text(json.dumps(plan))
    environ = {**os.environ, "SOME_WORD": word, "MKL_WORD": word, "OMP_PLACES": f"{word}!"}

    _run(sys.executable, tmp_path, build, environ)

    end = _lines(tmp_path)[-1]
    found = recorded(tmp_path, str(end["environment"]))
    assert found["modules"] == ["gcc/12", "cuda/12.4"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]
    assert not list(tmp_path.glob("runs/train/*/setup*"))


def _run(python: str, project: Path, build: Path, environ: Mapping[str, str] = os.environ) -> None:
    command = [python, "-I", str(build / "xpc.pyz"), "array", "--project", str(project), "--build", str(build)]
    done = subprocess.run([*command, "--array", "train-1"], capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stderr) == (0, "")


def _lines(project: Path) -> list[dict[str, object]]:
    journal = next(project.glob("runs/train/*/run.jsonl"))
    return [json.loads(line) for line in journal.read_text().splitlines()]


# ------------------------------------------------------------------ runs


def test_a_run_names_its_environment(tmp_path: Path) -> None:
    """The first run in the end line, since a Python had to be asked; the next in the start line; the same one."""
    build = write_build(tmp_path, [Experiment("train", argv=["python3", "-c", "pass"], runs=2)])
    (build / "xpc.pyz").write_bytes(archive.build())

    _run(sys.executable, tmp_path, build)

    journals = sorted(tmp_path.glob("runs/train/*/run.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    first, second = ([json.loads(line) for line in path.read_text().splitlines()] for path in journals)
    assert "environment" not in first[1]
    assert second[1]["environment"] == first[2]["environment"]
    assert "environment" not in second[2]
    assert summary(recorded(tmp_path, first[2]["environment"]))["python"]


@pytest.mark.skipif(old_python() is None, reason="there is no Python 3.8 here; CI has one")
def test_under_python_3_8(tmp_path: Path) -> None:
    """The shim and the Python that is asked may both be old."""
    python = old_python()
    assert python is not None
    build = write_build(tmp_path, [Experiment("train", argv=[python, "-c", "pass"])])
    (build / "xpc.pyz").write_bytes(archive.build())

    _run(python, tmp_path, build)

    found = recorded(tmp_path, str(_lines(tmp_path)[-1]["environment"]))
    assert isinstance(found["python"], dict)
    assert found["python"]["version"].startswith("3.8.")


def test_what_can_not_be_written_fails_no_run(tmp_path: Path) -> None:
    """A file where the folder should be; the run is done, and names no environment."""
    build = write_build(tmp_path, [Experiment("train", argv=["python3", "-c", "pass"])])
    (build / "xpc.pyz").write_bytes(archive.build())
    (tmp_path / ".xpc/environments").write_text("in the way")

    _run(sys.executable, tmp_path, build)

    lines = _lines(tmp_path)
    assert lines[-1]["state"] == "done"
    assert not [line for line in lines if "environment" in line]


def test_files_follow_umask_and_group(tmp_path: Path) -> None:
    """As all others do: records of a group are the group's to read."""
    (tmp_path / ".xpc").mkdir()
    (tmp_path / ".xpc").chmod(0o2775)
    before = os.umask(0o027)
    try:
        Environments(str(tmp_path)).record(program(sys.executable), ask=True)
    finally:
        os.umask(before)

    folder = tmp_path / ".xpc/environments"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2750
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o640}


def test_a_known_environment_costs_little(tmp_path: Path) -> None:
    """A few files are looked at: well under 3 ms, but for what else this machine does."""
    Environments(str(tmp_path)).record(program(sys.executable), ask=True)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        assert Environments(str(tmp_path)).record(program(sys.executable), ask=False) is not None
        times.append(time.perf_counter() - began)

    assert min(times) < 0.003


# ------------------------------------------------------------------ machine


def test_machine(tmp_path: Path) -> None:
    """Processor, GPUs and their driver, as the kernel and the driver tell them."""
    for path, text in {
        "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian 12"\n',
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: EPYC 7543\n\nprocessor\t: 1\n",
        "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\n",
        "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA A100\nIRQ: 1\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    found = machine_record.machine_record(str(tmp_path))

    wanted = {"system": "Debian 12", "cpu": "EPYC 7543", "gpus": ["NVIDIA A100"], "driver": "nvidia 550.54.15"}
    assert wanted.items() <= found.items()
    assert machine_record.machine_record(str(tmp_path / "nothing"))["gpus"] == []


def test_machine_with_amd(tmp_path: Path) -> None:
    card = tmp_path / "sys/class/drm/card0/device"
    card.mkdir(parents=True)
    (card / "vendor").write_text("0x1002\n")
    (card / "device").write_text("0x740f\n")
    (tmp_path / "sys/module/amdgpu").mkdir(parents=True)
    (tmp_path / "sys/module/amdgpu/version").write_text("6.3.6\n")

    found = machine_record.machine_record(str(tmp_path))

    assert (found["gpus"], found["driver"]) == (["AMD 0x740f"], "amdgpu 6.3.6")


def test_a_manager_of_pythons_is_asked_again(tmp_path: Path) -> None:
    """Its `python3` is a script that looks for a file in the working directory and above it."""
    manager = fake_python(
        tmp_path / "bin", f'PYTHONHASHSEED=$(cat "$PWD/.python-version") exec {sys.executable} "$@"\n'
    )
    (tmp_path / "work").mkdir()
    asked = Program([str(manager)], {"PATH": PATH}, str(tmp_path / "work"), ())
    (tmp_path / "work/.python-version").write_text("0")
    assert Environments(str(tmp_path)).record(asked, ask=True) is not None
    assert Environments(str(tmp_path)).record(asked, ask=False) is not None

    (tmp_path / "work/.python-version").write_text("12")
    assert Environments(str(tmp_path)).record(asked, ask=False) is None


def test_modules_beside_the_program_are_not_taken_for_pythons_own(tmp_path: Path) -> None:
    """A run's working directory may hold a `json.py`."""
    (tmp_path / "json.py").write_text("raise SystemExit(1)\n")
    asked = Program([sys.executable], {"PATH": PATH}, str(tmp_path), ())

    found = recorded(tmp_path, Environments(str(tmp_path)).record(asked, ask=True))

    assert isinstance(found["python"], dict)
    assert "note" not in found["python"]


def test_setup_lines_decide_which_python(tmp_path: Path) -> None:
    """What they leave on the path is what the program finds; the end line tells it, also of packages."""
    python = fake_python(tmp_path / "chosen", f'exec {sys.executable} "$@"\n')
    build = write_build(tmp_path, [Experiment("train", argv=["python3", "-c", "pass"])])
    (build / "xpc.pyz").write_bytes(archive.build())
    plan = json.loads((build / "plan.json").read_text())
    script = f"export PATH='{python.parent}':\"$PATH\" CONDA_PREFIX=/opt/conda"
    plan["experiments"]["train"]["environment"]["setup"] = [{"script": script, "args": []}]
    (build / "plan.json").write_text(json.dumps(plan))

    _run(sys.executable, tmp_path, build)

    lines = _lines(tmp_path)
    assert "environment" not in lines[1]
    found = recorded(tmp_path, str(lines[-1]["environment"]))
    assert isinstance(found["python"], dict)
    assert isinstance(found["variables"], dict)
    assert found["python"]["executable"] == str(python)
    assert found["variables"]["CONDA_PREFIX"] == "/opt/conda"


# ------------------------------------------------------------------ images


def test_image_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest is read once; of one that is too large size and time stand for it, of one elsewhere nothing."""
    image = tmp_path / "box.sif"
    image.write_bytes(b"image")
    digest = "sha256:" + hashlib.sha256(b"image").hexdigest()
    whole = {"runtime": "apptainer", "image": str(image), "bytes": 5, "digest": digest}
    folder = str(tmp_path / "environments")
    assert image_record.Images(folder).find("apptainer", str(image), {}, ask=False) is None
    assert image_record.Images(folder).find("apptainer", str(image), {}, ask=True) == whole
    with monkeypatch.context() as patched:
        patched.setattr(image_record, "_sha256", lambda _: None)
        known = image_record.Images(folder)
        assert known.find("apptainer", str(image), {}, ask=True) == whole
        assert known.find("apptainer", str(image), {}, ask=False) == whole
    monkeypatch.setattr(image_record, "LARGEST", 4)
    found = image_record.Images(folder).find("apptainer", str(image), {}, ask=True)
    assert found is not None
    assert found["changed"] == image.stat().st_mtime_ns
    away = image_record.Images(folder).find("apptainer", "docker://box", {}, ask=True)
    assert away == {"runtime": "apptainer", "image": "docker://box"}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            '[{"Id": "sha256:ab", "RepoDigests": ["b@sha256:2", "a@sha256:1"]}]',
            {"id": "sha256:ab", "digest": "sha256:1"},
        ),
        ('[{"Id": "ab", "RepoDigests": null}]', {"id": "sha256:ab", "digest": None}),
        ("[]", None),
        ("[3]", None),
        ("Error: no such image", None),
    ],
)
def test_image_of_a_store(tmp_path: Path, said: str, found: dict[str, object] | None) -> None:
    """As podman and docker tell it; one that is not here yet is asked for again."""
    runtime = tmp_path / "docker"
    runtime.write_text(f"#!/bin/sh\n[ \"$*\" = 'image inspect box:1' ] && cat <<'END'\n{said}\nEND\n")
    runtime.chmod(0o755)

    got = image_record.Images(str(tmp_path)).find(str(runtime), "box:1", {"PATH": PATH}, ask=True)

    known = {"note": "its digest is not known"} if found is None else found
    assert got == {"runtime": str(runtime), "image": "box:1", **known}
