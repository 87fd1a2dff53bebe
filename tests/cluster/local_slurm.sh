#!/usr/bin/env bash
# local_slurm.sh up FOLDER NODES | down FOLDER: a Slurm cluster of this machine alone, on loopback, for a test.
# Needs root, munge and slurm-wlm; no systemd. `up` prints the path of its slurm.conf.
set -euo pipefail

command=$1
folder=$(realpath -m "$2")

write_configuration() {
  local nodes=$1 host
  host=$(hostname -s)
  cat > "$folder/slurm.conf" <<CONF
ClusterName=fluidbatch
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26917
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool.%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,defer
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
SlurmdTimeout=10
NodeName=n[0-$((nodes - 1))] NodeHostname=$host NodeAddr=127.0.0.1 Port=[26930-$((26930 + nodes - 1))] CPUs=1 RealMemory=500 State=UNKNOWN
PartitionName=sweep Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

up() {
  local nodes=$1 k
  mkdir -p "$folder"/{state,log}
  if ! munge -n >/dev/null 2>&1; then
    install -d -o munge -g munge -m 0755 /run/munge
    [ -e /etc/munge/munge.key ] || runuser -u munge -- /usr/sbin/mungekey
    runuser -u munge -- /usr/sbin/munged
  fi
  write_configuration "$nodes"
  export SLURM_CONF=$folder/slurm.conf
  slurmctld -f "$SLURM_CONF"
  for ((k = 0; k < nodes; k++)); do
    mkdir -p "$folder/spool.n$k"
    slurmd -f "$SLURM_CONF" -N "n$k"
  done
  for _ in $(seq 200); do
    [ "$(sinfo -h -t idle -o %D 2>/dev/null || true)" = "$nodes" ] && { echo "$SLURM_CONF"; return; }
    sleep 0.1
  done
  tail -n 20 "$folder"/log/*.log >&2
  return 1
}

down() {
  local file
  for file in "$folder"/slurmd.*.pid "$folder"/slurmctld.pid; do
    if [ -e "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
  done
  for _ in $(seq 50); do
    compgen -G "$folder/*.pid" >/dev/null || return 0
    sleep 0.1
  done
}

case $command in
  up) up "$3" ;;
  down) down ;;
esac
