#!/usr/bin/env bash
# Runs a sweep as a Slurm job array: each task is one part of it, with a results file of its own.
#
#   submit.sh SWEEP.yaml --tasks N [--out FOLDER] [--program FLUIDBATCH] [-- SBATCH-OPTION..]
#
# Prints the number of the job, and the command that puts the parts together. Folder and program must be seen by all
# nodes. Submit again with the same folder to run what is missing: a finished part takes a second.
set -euo pipefail

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

here=$(dirname "$(realpath "$0")")
sweep=
tasks=
out=
program=$(realpath -m "$here/../../build/release/bin/fluidbatch")
while [ $# -gt 0 ]; do
  case $1 in
    --tasks) tasks=${2:-}; shift 2 || usage ;;
    --out) out=${2:-}; shift 2 || usage ;;
    --program) program=${2:-}; shift 2 || usage ;;
    --) shift; break ;;
    -*) usage ;;
    *) [ -z "$sweep" ] || usage; sweep=$1; shift ;;
  esac
done
[[ -n $sweep && $tasks =~ ^[1-9][0-9]*$ ]] || usage
[ -x "$program" ] || { echo "submit.sh: no program '$program' (make release)" >&2; exit 2; }
out=${out:-runs/$(basename "$sweep" .yaml)}

# All that can be wrong with the sweep is said here, not a hundred times by the tasks.
"$program" sweep "$sweep" --dry-run
mkdir -p -- "$out"
folder=$(realpath -- "$out")
# In the name of the log a % is Slurm's own, unless doubled.
job=$(sbatch --parsable --array="1-$tasks" --requeue --job-name=fluidbatch --output="${folder//%/%%}/task-%a.log" \
  --open-mode=append "$@" "$here/task.sh" "$program" "$(realpath -- "$sweep")" "$tasks" "$folder")
echo "job $job: $tasks tasks"
printf 'when all have ended: %q sweep merge %q/part-*.sqlite --out ALL.sqlite\n' "$program" "$folder"
echo "$job" > "$folder/job"
