"""Submits a build as `xpc submit` does, in a process of its own; prints what became of it as one line of JSON."""

import argparse
import json
import signal
import sys
from pathlib import Path

from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.executor import Rules
from xpc.runtime.executor.lines import Lines
from xpc.runtime.retry import Retry
from xpc.runtime.schedulers.local import submit


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("project", type=Path)
    parser.add_argument("build", type=Path)
    parser.add_argument("runs", type=int)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--grace", type=float, default=0.5)
    parser.add_argument("--retry", action="store_true")
    parser.add_argument("--row", type=int, action="append", help="instead of all rows")
    parser.add_argument("--named", action="store_true")
    parser.add_argument("--release", action="store_true")
    given = parser.parse_args()
    # As at a terminal, whatever the tests themselves were started with: a job in the background ignores these.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    diagnostics = Diagnostics()
    found = submit(
        given.project,
        given.build,
        given.row or range(given.runs),
        diagnostics,
        reporter=Lines(sys.stderr),
        rules=Rules(jobs=given.jobs, grace=given.grace, sample=0.05),
        retry=Retry(given.named, given.release) if given.retry else None,
    )
    if found is None:
        print(json.dumps({"refused": [(d.code, d.message) for d in diagnostics.found]}))
        return 1
    left = {name: getattr(found.selection, name) for name in ("send", "done", "busy", "faults", "broken", "blocked")}
    print(json.dumps({"counts": found.outcome.counts, **left}))
    return found.status


if __name__ == "__main__":
    sys.exit(main())
