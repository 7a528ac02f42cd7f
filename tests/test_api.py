"""`import xpc` in a training script: inside a run, by hand, on many ranks, after a fork, and when things go wrong."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hand_build import Experiment, run_id, write_build

from xpc import _metrics
from xpc.runtime.shim import archive

SOURCE = Path(__file__).resolve().parent.parent / "src"


def environ(folder: Path, **more: str) -> dict[str, str]:
    """Give what a run's program gets."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: value for name, value in os.environ.items() if not name.startswith("XPC_")}
    found |= {"XPC_RUN_ID": "a" * 16, "XPC_RUN_DIR": str(folder), "XPC_METRICS": str(folder / "metrics.jsonl")}
    return found | more


def script(code: str, cwd: Path, env: dict[str, str], status: int = 0) -> str:
    """Run a script as a file; give what it printed on stderr."""
    path = cwd / "script.py"
    path.write_text(code)
    done = subprocess.run([sys.executable, path], cwd=cwd, env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == status, done.stderr
    return done.stderr


def logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def adhoc(project: Path) -> dict[str, dict[str, Any]]:
    (journal,) = (project / "runs/adhoc").glob("*/run.jsonl")
    return {line["event"]: line for line in map(json.loads, journal.read_text().splitlines())}


def test_steps_are_lines(tmp_path: Path) -> None:
    """Numbers of every kind, in the order they came, with their time."""
    code = """
import xpc
class Scalar:
    def item(self): return 2.5
run = xpc.run()
run.log(step=1, loss=0.1, n=3, ok=True, scalar=Scalar())
run.log(**{"train/loss": 1e-5}, step=2)
xpc.log(acc=1)
"""
    assert script(code, tmp_path, environ(tmp_path / "run")) == ""
    lines = logged(tmp_path / "run")
    assert all(abs(line.pop("time") - time.time()) < 60 for line in lines)
    assert lines == [
        {"step": 1, "loss": 0.1, "n": 3, "ok": 1, "scalar": 2.5},
        {"step": 2, "train/loss": 1e-5},
        {"acc": 1},
    ]


def test_what_json_lacks_is_null(tmp_path: Path) -> None:
    """No reader meets a bare NaN."""
    code = "import xpc; xpc.log(a=float('nan'), b=float('inf'), c=None)"
    script(code, tmp_path, environ(tmp_path / "run"))

    assert "NaN" not in (tmp_path / "run/metrics.jsonl").read_text()
    assert [logged(tmp_path / "run")[0][name] for name in "abc"] == [None, None, None]


def test_log_never_raises(tmp_path: Path) -> None:
    """What is no number is told once, and training goes on."""
    code = """
import xpc
class Broken:
    def item(self): raise MemoryError("device lost")
for _ in range(3):
    xpc.log(loss=Broken())
    xpc.log(name="text")
    xpc.log(several=[1, 2])
xpc.progress("a", 2)
xpc.log(loss=1)
"""
    said = script(code, tmp_path, environ(tmp_path / "run")).splitlines()
    assert [line.split(":")[0] for line in said] == ["xpc"] * 4
    assert said[0] == "xpc: a step was not logged: device lost"
    assert [line["loss"] for line in logged(tmp_path / "run")] == [1]


def test_folder_that_went_away(tmp_path: Path) -> None:
    """A metrics file that can't be written is told once."""
    env = environ(tmp_path / "run", XPC_METRICS=str(tmp_path / "nowhere/metrics.jsonl"))
    said = script("import xpc\nfor n in range(3): xpc.log(n=n); xpc.run().flush()", tmp_path, env)

    assert said.count("\n") == 1
    assert said.startswith("xpc: metrics can't be written: ")


def test_value_is_that_of_the_call(tmp_path: Path) -> None:
    """A number that is changed in place afterwards was logged as it was."""
    code = """
import xpc
class Total:
    value = 1.0
    def item(self): return self.value
total = Total()
xpc.log(total=0); xpc.log(total=total)
total.value = 9.0
"""
    script(code, tmp_path, environ(tmp_path / "run"))
    assert [line["total"] for line in logged(tmp_path / "run")] == [0, 1.0]


@pytest.mark.parametrize("rank", ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK"])
def test_other_ranks_are_silent(tmp_path: Path, rank: str) -> None:
    """Of a distributed program only the first process speaks."""
    code = "import xpc; xpc.log(a=1); xpc.save('x'); xpc.progress(1, 2)"
    script(code, tmp_path, environ(tmp_path / "one", **{rank: "1"}))
    script(code, tmp_path, environ(tmp_path / "zero", **{rank: "0"}))

    assert not (tmp_path / "one/metrics.jsonl").exists()
    assert len(logged(tmp_path / "zero")) == 3


def test_fork_writes_nothing_twice(tmp_path: Path) -> None:
    """What was logged before a fork is the parent's, and a child can log on its own."""
    code = """
import os, xpc
for n in range(100): xpc.log(n=n)
if os.fork() == 0:
    xpc.log(n=1000); xpc.run().flush()
    os._exit(0)
os.wait()
xpc.log(n=100)
"""
    script(code, tmp_path, environ(tmp_path / "run"))
    assert sorted(line["n"] for line in logged(tmp_path / "run")) == [*range(101), 1000]


def test_lines_survive_a_kill(tmp_path: Path) -> None:
    """A second after it was logged a line is in the file, though nothing was logged since and nobody said goodbye."""
    code = "import os, time, xpc\nfor n in range(50): xpc.log(n=n)\ntime.sleep(1.1)\nos.kill(os.getpid(), 9)"
    script(code, tmp_path, environ(tmp_path / "run"), status=-signal.SIGKILL)

    assert [line["n"] for line in logged(tmp_path / "run")] == list(range(50))


def test_config_of_a_program_started_by_hand(tmp_path: Path) -> None:
    """It is empty, and a missing key says so."""
    done = subprocess.run(
        [sys.executable, "-c", "import xpc; c = xpc.run().config; print(c.get('lr', 3)); c.lr"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "3\n"
    assert "the config has no key 'lr'; it has none, as outside `xpc submit`" in done.stderr


def test_config(tmp_path: Path) -> None:
    """A read-only mapping whose keys are attributes too."""
    (tmp_path / "config.json").write_text('{"optimizer": {"lr": 0.1}, "a-b": [1]}')
    code = """
import xpc
c = xpc.run().config
assert c.optimizer.lr == 0.1 == c["optimizer"]["lr"] and c["a-b"] == [1] and len(c) == 2
assert dict(c)["a-b"] == [1] and c.to_dict() == {"optimizer": {"lr": 0.1}, "a-b": [1]}
try: c["x"] = 1
except TypeError: pass
else: raise SystemExit("it could be written to")
try: c.optimzer
except AttributeError as error: assert "optimizer" in str(error)
"""
    script(code, tmp_path, environ(tmp_path / "run", XPC_CONFIG=str(tmp_path / "config.json")))


def test_asked_to_stop(tmp_path: Path) -> None:
    """TERM ends a program that does not listen, and is an answer to one that asks."""
    code = """
import os, signal, xpc
run = xpc.run()
assert not run.should_stop
os.kill(os.getpid(), signal.SIGTERM)
assert run.should_stop
"""
    script(code, tmp_path, environ(tmp_path / "run"))
    code = "import os, signal, xpc; xpc.run(); os.kill(os.getpid(), signal.SIGTERM)"
    script(code, tmp_path, environ(tmp_path / "run"), status=-signal.SIGTERM)


@pytest.mark.parametrize(("left", "near"), [(3600, False), (30, False), (0, True)])
def test_time_limit_is_near(tmp_path: Path, left: int, near: bool) -> None:
    """A minute before the limit, or a tenth of a short one: a run of half a minute is not told to stop at once."""
    code = f"import xpc; assert xpc.run().should_stop is {near}"
    script(code, tmp_path, environ(tmp_path / "run", XPC_DEADLINE=str(time.time() + left)))


def test_main_is_the_program(tmp_path: Path) -> None:
    """It gets the run; its number is the exit status, its exception the program's, and an import calls nothing."""
    code = "import xpc\n@xpc.main\ndef main(run):\n    run.log(n=1)\n    {}\n"
    script(code.format("return None"), tmp_path, environ(tmp_path / "run"))
    script(code.format("return 3"), tmp_path, environ(tmp_path / "run"), status=3)
    said = script(code.format("raise ValueError('bad')"), tmp_path, environ(tmp_path / "run"), status=1)
    assert said.endswith("ValueError: bad\n")
    assert len(logged(tmp_path / "run")) == 3

    (tmp_path / "module.py").write_text(code.format("return 3"))
    script("import module", tmp_path, environ(tmp_path / "import"))
    assert not (tmp_path / "import/metrics.jsonl").exists()


def by_hand(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("XPC_")} | more


def test_by_hand(tmp_path: Path) -> None:
    """Outside a build a run is recorded the same way, in the enclosing project, and never shown to git."""
    (tmp_path / "Experimentfile").write_text("")
    (tmp_path / "sub").mkdir()
    script("import xpc; xpc.log(loss=1); xpc.progress(1, 2); xpc.save('m.pt')", tmp_path / "sub", by_hand())
    said = adhoc(tmp_path)

    assert (said["claim"]["experiment"], said["claim"]["shim"]) == ("adhoc", said["start"]["program"])
    assert (said["end"]["state"], said["end"]["exit"], said["end"]["progress"]) == ("done", 0, [1, 2])
    assert (tmp_path / "runs/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("raise ValueError('bad')", 1, "ValueError: bad"),
        ("import sys; sys.exit(3)", 3, "exit status 3"),
        ("import sys; sys.exit('no data')", 1, "exit status 1"),
    ],
)
def test_failed_by_hand(tmp_path: Path, code: str, status: int, reason: str) -> None:
    """An exception that nobody caught, or an exit status, is on record."""
    script(f"import xpc; xpc.run(); {code}", tmp_path, by_hand(), status)

    end = adhoc(tmp_path)["end"]
    assert (end["state"], end["exit"], end["reason"]) == ("failed", status, reason)


def test_import_is_fast() -> None:
    """A script waits less than 20 ms of processor time; a busy machine takes a few looks to show it."""
    code = "import time; s = time.process_time(); import xpc; print((time.process_time() - s) * 1000)"
    times: list[float] = []
    while len(times) < 5 or (min(times) >= 20 and len(times) < 30):
        times.append(float(subprocess.check_output([sys.executable, "-c", code])))

    assert min(times) < 20


def test_python_3_8_reads_it() -> None:
    """A node may have an old Python: what travels has its syntax."""
    for path in [*(SOURCE / "xpc/runtime/shim").glob("*.py"), *(SOURCE / "xpc").glob("_[!_]*.py")]:
        ast.parse(path.read_text(), feature_version=(3, 8))


def test_steps_logged_while_python_shuts_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started any more, a step is written at once."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    file = _metrics.MetricsFile(str(tmp_path / "metrics.jsonl"))
    file.add('{"a":1}\n')
    file.add('{"a":2}\n')

    assert (tmp_path / "metrics.jsonl").read_text() == '{"a":1}\n{"a":2}\n'


def test_program_without_xpc_installed(tmp_path: Path) -> None:
    """A build brings its own `import xpc`; a module of the live project makes the witness `mixed`."""
    (tmp_path / "live.py").write_text("")
    code = f"import sys, xpc; xpc.log(loss=1); sys.path.append({str(tmp_path)!r}); import live; print(xpc.__file__)"
    build = write_build(tmp_path, [Experiment("train", argv=[sys.executable, "-S", "-c", code])])
    (build / "xpc.pyz").write_bytes(archive.build())
    command = [sys.executable, build / "xpc.pyz", "task", "--project", tmp_path, "--build", build]
    subprocess.run([*command, "--array", "train-1", "--index", "0"], check=True, timeout=30)
    folder = tmp_path / "runs/train" / run_id("train", 0)

    assert (folder / "stdout.log").read_text() == f"{build}/xpc.pyz/xpc/__init__.py\n"
    assert [line.get("loss") for line in logged(folder)] == [1, None]
    assert json.loads((folder / "run.jsonl").read_text().splitlines()[-1])["witness"] == "mixed"


def test_small_copy_finds_the_rest(tmp_path: Path) -> None:
    """A program that uses an installed xpc is not cut off from it by the copy that comes with its build."""
    (tmp_path / "xpc.pyz").write_bytes(archive.build())
    env = environ(tmp_path / "run", PYTHONPATH=f"{tmp_path / 'xpc.pyz'}{os.pathsep}{SOURCE}")
    code = "import xpc, xpc.grammar.source\nassert '.pyz' in xpc.__file__ and '.pyz' not in xpc.grammar.source.__file__"

    assert script(code, tmp_path, env) == ""
