#!/usr/bin/env bash
# 26 runs of "everything", array after array, without xpc. Parents come before their children;
# a run whose parents are not done is skipped. `xpc submit` runs several at once and shows how far they are.
set -u

cd "$(dirname "$0")" || exit 74

status=0
run() {
    bash "arrays/$1.sh" || status=$?
    case $status in
        78 | 127 | 130) exit "$status" ;;   # nothing can run here, there is no python3, Ctrl-C
    esac
}

run train-1
run train-2
run evaluate-1   # after train-1, train-2
run ensemble-1   # after evaluate-1
exit "$status"
