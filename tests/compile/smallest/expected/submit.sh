#!/usr/bin/env bash
# 1 run, array after array, without xpc. Parents come before their children;
# a run whose parents are not done is skipped. `xpc submit` runs several at once and shows how far they are.
set -u

cd "$(dirname "$0")" || exit 74

status=0
run() {
    bash "arrays/$1.sh" || status=$?
    if [ "$status" -eq 130 ]; then exit 130; fi   # Ctrl-C
}

run hello-1
exit "$status"
