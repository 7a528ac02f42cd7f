"""Points to seconds: how long it takes to plan the arrays of a cluster and to render their scripts, beside local ones.

Each line is a process of its own: two experiments, the second one after the first, in two resource classes. `plan` is
everything between the run tables and the files: texts, requests, arrays, which task waits for which.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

from build_points import AXES

MORE = """
    resources small
resources small:
    cpus = 1 if model.width < 100 else 2
experiment evaluate:
    after train
    resources small
    run "python evaluate.py"
"""

# runs of the first experiment, target, seconds for plan and scripts, MB
CASES = (
    (100_000, "local", 0.5, 200),
    (100_000, "slurm", 1.0, 200),
    (100_000, "oar", 1.0, 200),
    (1_000_000, "slurm", 8.0, 300),
)


def measure(points: int, target: str) -> dict[str, float]:
    """Plan one study in this process."""
    from xpc.compiler.emit import emit
    from xpc.compiler.expand import expand
    from xpc.compiler.files import MemoryFiles
    from xpc.compiler.plan import SnapshotRef, make_plan
    from xpc.compiler.resolve import resolve
    from xpc.grammar.diagnostic import Diagnostics
    from xpc.grammar.source import Source

    text = AXES.format(seeds=points // 20_000, derived="", constraint="").rstrip() + MORE
    diagnostics = Diagnostics()
    study = resolve(Source("Experimentfile", text), MemoryFiles({}), {}, (), diagnostics, target)
    assert study is not None
    tables = expand(study, diagnostics)
    begin = time.perf_counter()
    where = study.targets[target]
    plan = make_plan(
        study,
        tables,
        SnapshotRef("4f2a91c"),
        where,
        diagnostics,
        code_of=lambda _paths: "",
        content_of=lambda _path: None,
    )
    assert plan is not None
    planned = time.perf_counter()
    emit(plan, b"")
    return {
        "runs": sum(each.runs for each in plan.experiments.values()),
        "arrays": len(plan.arrays),
        "plan": planned - begin,
        "scripts": time.perf_counter() - planned,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> int:
    """Print the table; 1 if a goal is missed."""
    missed = False
    print(f"{'runs':>10}  {'target':<6}  {'arrays':>6}  {'plan':>7}  {'scripts':>7}  {'goal':>6}  {'memory':>7}")
    for points, target, seconds, megabytes in CASES:
        found = json.loads(subprocess.check_output([sys.executable, __file__, str(points), target], text=True))
        missed |= found["plan"] + found["scripts"] > seconds or found["megabytes"] > megabytes
        print(
            f"{found['runs']:>10,}  {target:<6}  {found['arrays']:>6,}  {found['plan']:>5.2f} s  "
            f"{found['scripts']:>5.2f} s  {seconds:>4.1f} s  {found['megabytes']:>4.0f} MB"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))
    else:
        sys.exit(main())
