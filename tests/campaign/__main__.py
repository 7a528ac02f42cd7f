"""`python -m campaign --seed 1 --faults 1000 --on local,slurm,oar`: the fault campaign."""

from __future__ import annotations

import argparse
import sys
import time

from .campaign import run_campaign, table, tell
from .fault import Fault, draw
from .kinds import known, lacks


def read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=1000, help="how many in all")
    parser.add_argument("--on", default="local", help="local,slurm,oar")
    parser.add_argument("--only", metavar="KIND", help="faults of this kind alone")
    parser.add_argument("--skip", metavar="KINDS", default="", help="no faults of these kinds")
    parser.add_argument("--nth", type=int, help="with --only: this one alone")
    parser.add_argument("--jobs", type=int, default=2, help="faults at once")
    parser.add_argument("--minutes", type=float, help="begin no other fault after that long")
    parser.add_argument("--keep", action="store_true", help="keep the folders of violations")
    return parser.parse_args()


def main() -> int:
    given = read()
    targets = given.on.split(",")
    weights: dict[str, dict[str, int]] = {target: {} for target in targets}
    for (target, name), one in known().items():
        if target in weights and given.only in (None, name) and name not in given.skip.split(","):
            if lack := lacks(one):
                print(f"left out: {name} on {target}: {lack}")
            else:
                weights[target][name] = one.weight
    for target in targets:
        if not weights[target]:
            sys.exit(f"there is no such kind on {target}")
    if given.nth is None:
        faults = draw(given.seed, given.faults, weights)
    else:
        faults = [Fault(given.seed, targets[0], given.only, given.nth)]
    began = time.monotonic()
    findings = tell(run_campaign(faults, given.jobs, keep=given.keep, minutes=given.minutes), len(faults))
    print(table(findings))
    print(f"seed {given.seed}, {time.monotonic() - began:.0f} s")
    return 1 if any(finding.wrong for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
