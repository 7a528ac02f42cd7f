"""The study that is disturbed: two experiments, one after the other, whose programs tell a witness what they do."""

from __future__ import annotations

from typing import Final

TEXTS: Final = ("plain", 'it\'s "two" $HOME `x` * \\ end')
EXPERIMENTS: Final = ("train", "evaluate")

EXPERIMENTFILE: Final = """project "campaign"

grid points:
    n in range({points})
    text in ["plain", "it's \\"two\\" $HOME `x` * \\\\ end"]

resources small:
    cpus = 1
    memory = 100MiB
    time = {time}

experiment train:
    grid points
    resources small
    run "bash program.sh {{text}}"
    output result = "result.txt"

experiment evaluate:
    after train
    resources small
    run "bash program.sh {{text}} {{train.result}}"
    output result = "result.txt"
"""

TARGET: Final = """
target here = {kind}:
    lease = 2s
"""

PROGRAM: Final = r"""# Tells the witness when it begins, when it has finished, and whether it runs twice at once.
set -eu
out=$XPC_PROJECT/witness
exec 9>>"$out/log" 8>>"$out/locks/$XPC_RUN_ID"
flock -n 8 || echo "overlap $XPC_RUN_ID $XPC_ATTEMPT" >&9
echo "begin $XPC_RUN_ID $XPC_ATTEMPT $$" >&9
seconds=0.1
at_end() { :; }
if [ -e "$out/behave" ]; then . "$out/behave"; fi
sleep "$seconds"
if [ $# -gt 1 ]; then [ "$(cat "$2")" = "result of $1" ]; fi
printf '%s' "$1" > text.txt
echo "result of $1" > result.txt
echo "loss=0.5"
echo '{"loss": 0.5}' >> "$XPC_METRICS"
at_end
echo "finish $XPC_RUN_ID $XPC_ATTEMPT" >&9
"""


def files(kind: str = "local", points: int = 3, time: str = "2min") -> dict[str, str]:
    """Give the project's files; *points* times two runs of each experiment."""
    text = EXPERIMENTFILE.format(points=points, time=time)
    if kind != "local":
        text += TARGET.format(kind=kind)
    return {"Experimentfile": text, "program.sh": PROGRAM, ".gitignore": "/witness\n"}


def runs(points: int = 3) -> int:
    return points * len(TEXTS) * len(EXPERIMENTS)
