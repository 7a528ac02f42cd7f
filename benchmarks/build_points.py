"""Points to seconds: how long it takes to expand a grid and to give every run its id, and the memory that takes.

Each line is a process of its own. `pure` is a product of six axes; `skip if` adds a constraint that names them all and
a derived value. Read, resolve and expand are timed together, from the text of an Experimentfile.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

AXES = """
config base:
    optimizer.name = "sgd"
    optimizer.lr = 0.1
    optimizer.momentum = 0.9
    model.name = "mlp"
    model.width = 64
    model.depth = 2
    {derived}
    data.size = 1000
    epochs = 5
    seed = 0

grid sweep:
    optimizer.lr in geomspace(1e-5, 1e-1, 10)
    optimizer.momentum in linspace(0.0, 0.9, 10)
    model.name in ["mlp", "cnn", "vit", "rnn", "gru"]
    model.width in [16, 32, 48, 64, 96, 128, 192, 256, 384, 512]
    data.size in [100, 1000, 10000, 60000]
    seed in range({seeds})
    {constraint}

experiment train:
    config base
    grid sweep
    run "python train.py"
"""

DERIVED = "model.hidden = 4 * model.width"
CONSTRAINT = (
    "skip if seed == 0 and optimizer.lr > 0.05 and optimizer.momentum > 0.8 and model.width > 400 "
    'and model.name == "rnn" and data.size == 100'
)

# points, with a constraint, at most seconds, at most MB
CASES = (
    (100_000, False, 0.45, 200),
    (100_000, True, 0.9, 200),
    (1_000_000, False, 4.5, 200),
    (1_000_000, True, 9.0, 200),
)


def measure(points: int, constrained: bool) -> dict[str, float]:
    """Expand one study in this process."""
    from xpc.compiler.expand import expand
    from xpc.compiler.files import MemoryFiles
    from xpc.compiler.resolve import resolve
    from xpc.grammar.diagnostic import Diagnostics
    from xpc.grammar.source import Source

    text = AXES.format(
        seeds=points // 20_000,
        derived=DERIVED if constrained else "",
        constraint=CONSTRAINT if constrained else "",
    )
    diagnostics = Diagnostics()
    begin = time.perf_counter()
    study = resolve(Source("Experimentfile", text), MemoryFiles({}), {}, (), diagnostics)
    assert study is not None
    resolved = time.perf_counter()
    table = expand(study, diagnostics)["train"]
    end = time.perf_counter()
    assert not diagnostics.found
    assert len(table.digests) == 8 * table.count
    return {
        "runs": table.count,
        "resolve": resolved - begin,
        "expand": end - resolved,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> int:
    """Print the table; 1 if a goal is missed."""
    missed = False
    print(f"{'points':>10}  {'grid':<8}  {'runs':>9}  {'resolve':>8}  {'expand':>8}  {'goal':>7}  {'memory':>7}")
    for points, constrained, seconds, megabytes in CASES:
        arguments = [sys.executable, __file__, str(points), "skip" if constrained else "pure"]
        found = json.loads(subprocess.check_output(arguments, text=True))
        missed |= found["expand"] > seconds or found["megabytes"] > megabytes
        print(
            f"{points:>10,}  {'skip if' if constrained else 'pure':<8}  {found['runs']:>9,}  "
            f"{found['resolve']:>6.2f} s  {found['expand']:>6.2f} s  {seconds:>5.2f} s  {found['megabytes']:>4.0f} MB"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(int(sys.argv[1]), sys.argv[2] == "skip")))
    else:
        sys.exit(main())
