#!/usr/bin/env bash
# Submits 40 runs of "clusters" to OAR, in 12 arrays, without xpc.
#
# A task that comes after others waits until they have ended, and then looks whether they are done. If OAR refuses an
# array, those that were sent before it are deleted. A run that is done is not run again.
set -euo pipefail

cd "$(dirname "$0")"
build=.xpc/builds/$(basename "$PWD")
cd ../../..                                    # the project: runs/ is here
mkdir -p "$build/logs"

# What the shell or the job that calls this has set must not change what is asked for.
for name in "${!SBATCH_@}" "${!SLURM_@}" "${!OAR_@}" "${!XPC_@}"; do
    unset "$name"
done

declare -A jobs=()                             # by array: its job ids, in the order of its tasks
sent=()
params=$(mktemp)

take_back() {
    local status=$?
    rm -f "$params"
    if [ "${#sent[@]}" -gt 0 ]; then
        oardel "${sent[@]}" >&2 || true
        echo "Deleted what had been sent: jobs ${sent[0]} to ${sent[-1]}. Nothing is queued." >&2
    fi
    exit "$status"
}
trap take_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# indices 0-2,7: one a line, as OAR wants the parameters of an array.
indices() {
    local part
    for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}

# send NAME [OPTION...]: sends arrays/NAME.oar with the indices in $params; the ids are added to jobs[NAME].
send() {
    local name=$1 said line
    shift
    local options=()
    while IFS= read -r line; do                # the script's own #OAR lines: an option, a blank, its value
        case $line in
            '#OAR '*) line=${line#'#OAR '} && options+=("${line%% *}" "${line#* }") ;;
        esac
    done <"$build/arrays/$name.oar"
    if ! said=$(oarsub "${options[@]}" -n "xpc-${build##*/}-$name" -d "$PWD" -O "$build/logs/$name.out" \
        -E "$build/logs/$name.out" --array-param-file "$params" "$@" "$build/arrays/$name.oar"); then
        printf '%s\nOAR refused array %s\n' "$said" "$name" >&2
        exit 3
    fi
    local found=()
    mapfile -t found < <(sed -n 's/^OAR_JOB_ID=\([0-9][0-9]*\)$/\1/p' <<<"$said")
    sent+=("${found[@]}")
    if [ "${#found[@]}" -ne "$(wc -l <"$params")" ]; then
        printf '%s\narray %s: not as many job ids as tasks\n' "$said" "$name" >&2
        exit 3
    fi
    jobs[$name]="${jobs[$name]:-} ${found[*]}"
}

# array NAME INDICES [PARENT...]: all tasks in one go. Each waits for all jobs of the parents; PARENT@3 is its job 3 alone.
array() {
    local name=$1 waits=() ids=() parent id
    indices "$2" >"$params"
    shift 2
    for parent in "$@"; do
        read -ra ids <<<"${jobs[${parent%@*}]}"
        if [ "$parent" != "${parent%@*}" ]; then ids=("${ids[${parent#*@}]}"); fi
        for id in "${ids[@]}"; do waits+=(-a "$id"); done
    done
    send "$name" ${waits[@]+"${waits[@]}"}
}

array prepare-1 0-2
array prepare-2 0-2
array train-1 0 prepare-1@0
array train-1 1 prepare-1@1
array train-1 2 prepare-1@2
array train-2 0 prepare-1@0
array train-2 1 prepare-1@1
array train-2 2 prepare-1@2
array train-3 0 prepare-2@0
array train-3 1 prepare-2@1
array train-3 2 prepare-2@2
array train-4 0 prepare-2@0
array train-4 1 prepare-2@1
array train-4 2 prepare-2@2
array evaluate-1 0-1 train-1
array evaluate-2 0-1 train-2
array evaluate-3 0-1 train-3
array evaluate-4 0-1 train-4
array compare-1 0-2 evaluate-1 evaluate-2 evaluate-3 evaluate-4
array many-1 0-2

echo "prepare-1${jobs[prepare-1]}"
echo "prepare-2${jobs[prepare-2]}"
echo "train-1${jobs[train-1]}"
echo "train-2${jobs[train-2]}"
echo "train-3${jobs[train-3]}"
echo "train-4${jobs[train-4]}"
echo "evaluate-1${jobs[evaluate-1]}"
echo "evaluate-2${jobs[evaluate-2]}"
echo "evaluate-3${jobs[evaluate-3]}"
echo "evaluate-4${jobs[evaluate-4]}"
echo "compare-1${jobs[compare-1]}"
echo "many-1${jobs[many-1]}"
rm -f "$params"
sent=()
