#!/usr/bin/env bash
# 6 runs of experiment train, one after another. Each asks for 2 CPUs, 1 GiB, 12 min.
#
#   train-2.sh          all of them
#   train-2.sh 3 7      tasks 3 and 7 alone; they count from 0
#
# Nothing but bash, Python 3.8 or newer and the exported snapshot is needed. A run that is done is not run again.
# The exit status is 0 if all are done, else that of the last one that is not; 75 means that another process is at it.
set -u

cd "$(dirname "$0")/.." || exit 74
build=.xpc/builds/$(basename "$PWD")
cd ../../.. || exit 74                         # the project: runs/ is here

status=0
task() {
    python3 "$build/xpc.pyz" task --project . --build "$build" --array train-2 --index "$1"
    local code=$?
    case $code in
        78 | 127) exit "$code" ;;              # nothing of this build can run here, or there is no python3
        130) exit 130 ;;                       # Ctrl-C
    esac
    if [ "$code" -ne 0 ]; then status=$code; fi
}

if [ "$#" -gt 0 ]; then
    for index in "$@"; do task "$index"; done
else
    for ((index = 0; index < 6; index++)); do task "$index"; done
fi
exit "$status"
