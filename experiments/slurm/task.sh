#!/usr/bin/env bash
# task.sh PROGRAM SWEEP TASKS FOLDER: one task of the array that submit.sh makes.
#
# It goes on with what an earlier try has left: points are safe one by one. Where a node was lost only for Slurm, the
# earlier try may still be at work on the same file; then this one waits for it.
set -uo pipefail

program=$1 sweep=$2 tasks=$3 folder=$4
part=$folder/part-$SLURM_ARRAY_TASK_ID.sqlite
for _ in $(seq 60); do
  message=$("$program" sweep "$sweep" --shard "$SLURM_ARRAY_TASK_ID/$tasks" --out "$part" --resume \
    --jobs "${SLURM_CPUS_PER_TASK:-1}" 2>&1)
  code=$?
  echo "$message"
  [[ $code -eq 2 && $message == *"is in use by another process"* ]] || exit "$code"
  sleep 10
done
exit 2
