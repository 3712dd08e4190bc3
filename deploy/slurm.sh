#!/bin/bash
# A search on the nodes of one Slurm allocation, each of which joins a Ray cluster of its own:
#
#     sbatch deploy/slurm.sh searchspaces/cartpole.yaml runs/cartpole [OPTION...]
#
# Submit it from the folder with the files, in an environment where `evogen` is found; both must be visible to
# every node, as the run folder must be to the first. If the run is there already it is resumed, so the same
# line goes on after a time limit, a preemption or a lost first node. OPTIONs go to `evogen run`.
#SBATCH --job-name=evogen
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue

set -euo pipefail
spec=${1:?wanted: slurm.sh FILE RUN [OPTION...]}
folder=${2:?wanted: slurm.sh FILE RUN [OPTION...]}
shift 2

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
on() { exec srun --nodes=1 --ntasks=1 --overlap --nodelist="$1" "${@:2}"; }
cpus=${SLURM_CPUS_PER_TASK:-1}
host=$(on "${nodes[0]}" hostname --ip-address | awk '{ print $1 }')
address=$host:$((20000 + SLURM_JOB_ID % 20000))

# Only this allocation's processes may use its cluster.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN RAY_USAGE_STATS_ENABLED=0

started=()
finish() {
    kill "${started[@]}" 2>/dev/null || true
    wait
    rm -rf "/tmp/ray-$SLURM_JOB_ID"
}
trap finish EXIT

on "${nodes[0]}" ray start --head --block --node-ip-address="$host" --port="${address##*:}" \
    --num-cpus="$cpus" --include-dashboard=false --temp-dir="/tmp/ray-$SLURM_JOB_ID" \
    --min-worker-port=0 --max-worker-port=0 &
started+=($!)
for _ in {1..60}; do
    timeout 20 ray health-check --address "$address" >/dev/null 2>&1 && break
    kill -0 "${started[0]}" || exit 1
    sleep 1
done
for node in "${nodes[@]:1}"; do
    on "$node" ray start --block --address="$address" --num-cpus="$cpus" \
        --min-worker-port=0 --max-worker-port=0 &
    started+=($!)
done

common=(--address "$address" --workers $((cpus * ${#nodes[@]})))
if [[ -e $folder/run.db ]]; then
    evogen resume "$folder" "${common[@]}" &
else
    evogen run "$spec" "${common[@]}" --out "$folder" "$@" &
fi
search=$!
trap 'kill -TERM "$search"' TERM # it commits what is finished and leaves
code=0
wait "$search" || code=$?
if kill -0 "$search" 2>/dev/null; then
    code=0
    wait "$search" || code=$? # the first wait was cut short by the signal
fi
exit "$code"
