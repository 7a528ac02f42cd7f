#!/usr/bin/env bash
# Submits 40 runs of "clusters" to SLURM, in 12 arrays, without xpc.
#
# The arrays that wait for no other one are held until all have been sent, and then released together. If SLURM
# refuses one, those that were sent before it are cancelled. A run that is done is not run again.
set -euo pipefail

cd "$(dirname "$0")"
build=.xpc/builds/$(basename "$PWD")
cd ../../..                                    # the project: runs/ is here
mkdir -p "$build/logs"

# What the shell or the job that calls this has set must not change what is asked for.
for name in "${!SBATCH_@}" "${!SLURM_@}" "${!OAR_@}" "${!XPC_@}"; do
    [ "$name" = SLURM_CONF ] || unset "$name"
done

declare -A job=()
sent=()

take_back() {
    local status=$?
    if [ "${#sent[@]}" -gt 0 ]; then
        scancel "${sent[@]}" || true
        echo "Cancelled what had been sent: ${sent[*]}. Nothing is queued." >&2
    fi
    exit "$status"
}
trap take_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# submit NAME [OPTION...]: sends arrays/NAME.sbatch, and keeps its job id.
submit() {
    local name=$1 said
    shift
    if ! said=$(sbatch --parsable --job-name="xpc-${build##*/}-$name" --chdir="$PWD" --export=ALL \
        --output="${PWD//%/%%}/$build/logs/$name-%A.out" --kill-on-invalid-dep=yes "$@" "$build/arrays/$name.sbatch" "$build"); then
        echo "SLURM refused array $name" >&2
        exit 3
    fi
    if ! [[ ${said##*$'\n'} =~ ^([0-9]+)(;[^[:space:]]+)?$ ]]; then
        echo "array $name: this is no job id: $said" >&2
        exit 3
    fi
    job[$name]=${BASH_REMATCH[1]}
    sent+=("${job[$name]}")
    echo "$name ${job[$name]}"
}

submit prepare-1 --hold
submit prepare-2 --hold
submit train-1 --dependency="aftercorr:${job[prepare-1]}"
submit train-2 --dependency="aftercorr:${job[prepare-1]}"
submit train-3 --dependency="aftercorr:${job[prepare-2]}"
submit train-4 --dependency="aftercorr:${job[prepare-2]}"
submit evaluate-1 --dependency="afterok:${job[train-1]}"
submit evaluate-2 --dependency="afterok:${job[train-2]}"
submit evaluate-3 --dependency="afterok:${job[train-3]}"
submit evaluate-4 --dependency="afterok:${job[train-4]}"
submit compare-1 --dependency="afterok:${job[evaluate-1]}:${job[evaluate-2]}:${job[evaluate-3]}:${job[evaluate-4]}"
submit many-1 --hold

scontrol release "${job[prepare-1]}" "${job[prepare-2]}" "${job[many-1]}"
sent=()
