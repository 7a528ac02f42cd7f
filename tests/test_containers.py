"""Runs in containers: their folders, user, environment and ends are those of a run on the bare host."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hand_build import Experiment, run_id, write_build
from test_shim_task import folder, lines, pid_in, start, task

from xpc.runtime.shim import archive, container
from xpc.runtime.shim.build_folder import Build
from xpc.runtime.shim.template import Context
from xpc.runtime.shim.workdir import Workdir, WorkdirError, read_stamp

IMAGE = "localhost/bb:1"


def has_image() -> bool:
    if shutil.which("podman") is None:
        return False
    return subprocess.run(["podman", "image", "exists", IMAGE], capture_output=True).returncode == 0


podman = pytest.mark.skipif(not has_image(), reason="needs podman and an image: `tests/clusters/podman up` makes both")


def boxed(project: Path, argv: list[str], image: str = IMAGE, **fields: Any) -> Path:
    """Write a build whose runs execute *argv* in a container."""
    build = write_build(project, [Experiment("train", argv=argv, **fields.pop("experiment", {}))])
    (build / "xpc.pyz").write_bytes(archive.build())
    plan = json.loads((build / "plan.json").read_text())
    declared = {"image": [image], "runtime": fields.pop("runtime", "podman"), "mounts": fields.pop("mounts", [])}
    plan["experiments"]["train"]["environment"].update(container=declared, **fields.pop("environment", {}))
    plan.update(fields)
    (build / "plan.json").write_text(json.dumps(plan))
    return build


def end_of(project: Path) -> dict[str, Any]:
    return lines(project)["end"]


def stdout(project: Path) -> str:
    return (folder(project) / "stdout.log").read_text()


def containers() -> list[str]:
    said = subprocess.run(["podman", "ps", "-a", "--format", "{{.Names}}"], capture_output=True, text=True, check=True)
    return said.stdout.split()


@podman
def test_folders_code_and_variables(tmp_path: Path) -> None:
    """The program works in its folder, sees the snapshot and the linked folder, and knows its run."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/in.txt").write_text("linked\n")
    script = 'pwd; cat code.txt data/in.txt; echo "$XPC_RUN_ID $RATE"; test -d "$XPC_CODE"; echo 1 > out'
    build = boxed(
        tmp_path,
        ["sh", "-e", "-c", script],
        links=[{"name": "data", "path": "data"}],
        environment={"variables": {"RATE": ["0.1"]}},
        experiment={"outputs": {"out": "out"}},
    )

    assert task(tmp_path, build) == (0, "")
    files = folder(tmp_path) / "files"
    assert stdout(tmp_path).splitlines() == [str(files), "code", "linked", f"{run_id('train', 0)} 0.1"]
    assert end_of(tmp_path)["outputs"]["out"] == {"path": "files/out", "bytes": 2, "carried": False}
    assert (files / "out").stat().st_uid == os.getuid()
    assert sorted(path.name for path in files.iterdir()) == ["out"]


@podman
def test_snapshot_is_read_only(tmp_path: Path) -> None:
    """Not even the superuser of the container writes into the code, or into another run."""
    build = boxed(tmp_path, ["sh", "-c", 'echo x > code.txt; echo x > "$XPC_CODE/new"; echo x > ../../other; true'])

    assert task(tmp_path, build) == (0, "")
    assert (tmp_path / ".xpc/snapshots/4f2a91c0/code.txt").read_text() == "code\n"
    said = (folder(tmp_path) / "stderr.log").read_text()
    assert said.count("Read-only file system") == 3


@podman
def test_mount(tmp_path: Path) -> None:
    """A folder of the project stands where the Experimentfile says."""
    (tmp_path / "shared").mkdir()
    build = boxed(tmp_path, ["touch", "/results/new"], mounts=[{"path": ["shared"], "at": ["/results"]}])

    assert task(tmp_path, build) == (0, "")
    assert (tmp_path / "shared/new").exists()


@podman
def test_secret_is_nowhere_to_be_seen(tmp_path: Path) -> None:
    """It reaches the program, and neither a record nor a command line."""
    script = 'echo $$ > pid; test "${#TOKEN}" = 12 && while [ ! -e go ]; do sleep 0.1; done'
    build = boxed(tmp_path, ["sh", "-c", script], environment={"secrets": ["TOKEN"]})
    with start(tmp_path, build, TOKEN="s3cret-value") as running:  # noqa: S106  # it is meant to look like one
        pid_in(folder(tmp_path) / "files/pid")
        commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        (folder(tmp_path) / "files/go").touch()
        assert running.wait(20) == 0

    assert not any(b"s3cret-value" in command for command in commands)
    assert "s3cret-value" not in (folder(tmp_path) / "run.jsonl").read_text()


@podman
def test_variables_of_setup_go_in(tmp_path: Path) -> None:
    """What the setup scripts export on the host is there inside."""
    setup = [{"script": "export LEVEL=high\nexport PLACE='a b'", "args": []}]
    build = boxed(tmp_path, ["sh", "-c", 'echo "$LEVEL $PLACE $1"', "sh", "word"], environment={"setup": setup})

    assert task(tmp_path, build) == (0, "")
    assert stdout(tmp_path) == "high a b word\n"


@podman
@pytest.mark.parametrize(
    ("argv", "image", "state", "code", "reason"),
    [
        (["sh", "-c", "exit 7"], IMAGE, "failed", 7, None),
        (["sh", "-c", "exit 125"], IMAGE, "failed", 125, None),
        (["trian"], IMAGE, "failed", 127, f"command not found in the image {IMAGE}"),
        (["/tmp"], IMAGE, "failed", 126, f"not executable in the image {IMAGE}"),
        (["true"], "localhost/nothing:1", "failed", 125, "image not there: localhost/nothing:1"),
        (["sh", "-c", "kill -KILL $$"], IMAGE, "done", 0, None),
    ],
)  # fmt: skip
def test_exit_status(tmp_path: Path, argv: list[str], image: str, state: str, code: int, reason: str | None) -> None:
    """A runtime's own exit status is told from the program's."""
    build = boxed(tmp_path, argv, image)

    assert task(tmp_path, build)[0] == (0 if state == "done" else 1)
    end = end_of(tmp_path)
    assert (end["state"], end["exit"]) == (state, code)
    assert reason is None or end["reason"].startswith(reason)


@podman
@pytest.mark.parametrize("trap", ["trap 'echo bye; exit 3' TERM;", ""])
def test_killed_with_its_container(tmp_path: Path, trap: str) -> None:
    """TERM to the task ends the program inside, whether it has a handler or not, and the container is gone."""
    build = boxed(tmp_path, ["sh", "-c", f"{trap} echo $$ > pid; while :; do sleep 0.1; done"])
    with start(tmp_path, build) as running:
        pid_in(folder(tmp_path) / "files/pid")
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 1

    assert end_of(tmp_path)["state"] == "killed"
    if trap:
        assert stdout(tmp_path) == "bye\n"
    assert not [name for name in containers() if run_id("train", 0) in name]


@podman
def test_signalled_before_the_client_listens(tmp_path: Path) -> None:
    """The program inside runs before the runtime's client passes signals on: its handler is called all the same."""
    (tmp_path / "bin").mkdir()
    client = tmp_path / "bin/podman"  # one that never comes to listen: TERM ends it at once
    client.write_text(f'#!/bin/sh\n{shutil.which("podman")} "$@" &\nwait $!\n')
    client.chmod(0o755)
    build = boxed(tmp_path, ["sh", "-c", "trap 'echo bye; exit 3' TERM; echo $$ > pid; while :; do sleep 0.1; done"])
    with start(tmp_path, build, PATH=f"{tmp_path}/bin:{os.environ['PATH']}") as running:
        pid_in(folder(tmp_path) / "files/pid")
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 1

    assert (end_of(tmp_path)["state"], end_of(tmp_path)["exit"]) == ("killed", 3)
    assert stdout(tmp_path) == "bye\n"


@podman
def test_memory_limit(tmp_path: Path) -> None:
    """What the processes inside use is seen from outside."""
    hungry = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep 30"
    build = boxed(tmp_path, ["busybox", "sh", "-c", hungry], experiment={"request": [{"memory": 100 << 20}]})

    assert task(tmp_path, build)[0] == 1
    assert end_of(tmp_path)["state"] == "oom"
    assert not [name for name in containers() if run_id("train", 0) in name]


# ------------------------------------------------------------------ runtimes that are not here: their command lines


def box(tmp_path: Path, runtime: str | None, environ: dict[str, str], **request: Any) -> tuple[container.Box, Workdir]:
    build = Build(str(boxed(tmp_path, ["true"], runtime=runtime)))
    run = build.run(0)
    build.close()
    place = tmp_path / "runs/train" / run.id
    context = Context(str(tmp_path), run, str(place), str(place / "files"), 2, {"gpus": 0, **request})
    declared = run.plan["environment"]["container"]
    stamp = read_stamp(str(tmp_path), "4f2a91c0")
    return container.Box(declared, context, environ), Workdir(str(tmp_path), stamp, str(place))


def pairs(argv: list[str], option: str) -> list[str]:
    return [after for word, after in pairwise(argv) if word == option]


def test_docker(tmp_path: Path) -> None:
    """The user is kept by number, an init passes signals on, GPUs by docker's own option, secrets by name alone."""
    one, workdir = box(tmp_path, "docker", {"CUDA_VISIBLE_DEVICES": "1", "OTHER": "x"}, gpus=1)
    own = {"XPC_RUN_ID": one._context.run.id, "TOKEN": "s3cret", "PATH": "/opt/bin"}
    wrapped = one.wrap(["python", "a b.py"], workdir, [], ".xpc/builds/9c3e11f0", own, ["TOKEN"])

    assert wrapped.argv[:3] == ["docker", "run", "--rm"]
    assert wrapped.argv[wrapped.at :] == [IMAGE, "python", "a b.py"]
    assert pairs(wrapped.argv, "--user") == [f"{os.getuid()}:{os.getgid()}"]
    assert pairs(wrapped.argv, "--gpus") == ["all"]
    assert "--init" in wrapped.argv
    assert pairs(wrapped.argv, "--env") == ["CUDA_VISIBLE_DEVICES", "XPC_RUN_ID", "TOKEN", "PATH=/opt/bin"]
    assert (wrapped.env["TOKEN"], wrapped.env.get("PATH")) == ("s3cret", None)
    name = pairs(wrapped.argv, "--name")[0]
    assert wrapped.remove == ["docker", "rm", "--force", name]
    assert one.kill(signal.SIGUSR1) == ["docker", "kill", "--signal", "10", name]


def test_apptainer(tmp_path: Path) -> None:
    """It starts with a clean environment, gets variables by its own prefix, and is a process like any other."""
    one, workdir = box(tmp_path, "apptainer", {"HOME": "/home/ada"}, gpus=2)
    wrapped = one.wrap(["python", "train.py"], workdir, [("data", "data")], "b", {"TOKEN": "s3cret"}, ["TOKEN"])

    assert wrapped.argv[:5] == ["apptainer", "exec", "--cleanenv", "--pwd", workdir.cwd]
    assert f"{tmp_path}/data:{tmp_path}/data:rw" in pairs(wrapped.argv, "--bind")
    assert f"{tmp_path}/runs:{tmp_path}/runs:ro" in pairs(wrapped.argv, "--bind")
    assert wrapped.argv[-4:] == ["--nv", IMAGE, "python", "train.py"]
    assert (wrapped.env["APPTAINERENV_TOKEN"], "s3cret" in wrapped.argv, wrapped.remove) == ("s3cret", False, None)


def test_first_runtime_that_is_found(tmp_path: Path) -> None:
    """podman comes before docker, docker before apptainer; none at all is said."""
    folder = tmp_path / "bin"
    folder.mkdir()
    with pytest.raises(WorkdirError, match="none of podman, docker, apptainer is found here"):
        container.default_runtime(str(folder))
    for name in ("apptainer", "docker", "podman"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
        assert container.default_runtime(str(folder)) == name


def test_path_that_cannot_be_mounted(tmp_path: Path) -> None:
    """A colon in a path would be read as another mount."""
    odd = tmp_path / "a:b"
    odd.mkdir()
    one, workdir = box(odd, "podman", {})
    with pytest.raises(WorkdirError, match="can't be mounted"):
        one.wrap(["true"], workdir, [], "b", {}, [])


@podman
def test_image_without_bash(tmp_path: Path) -> None:
    """A text with shell syntax is run by bash; an image that has none is named, with what it lacks."""
    build = boxed(tmp_path, ["bash", "-c", "true"])
    task(tmp_path, build)
    end = end_of(tmp_path)
    assert (end["state"], end["exit"]) == ("failed", 127)
    assert end["reason"] == f"the image {IMAGE} has no bash, which texts with shell syntax need"


@podman
def test_denied_elsewhere_is_not_the_snapshot(tmp_path: Path) -> None:
    """A program that may not write to a folder of the image is not told that it wrote into the snapshot."""
    build = boxed(tmp_path, ["sh", "-c", "echo \"PermissionError: 'train.py/../../x'\" >&2; touch /proc/x; exit 1"])
    task(tmp_path, build)
    assert end_of(tmp_path)["reason"] is None
