#!/usr/bin/env bash
# Runs a command and sees to it that none of its processes are left, however this script ends: by itself, by a
# signal, by SIGKILL, or because whoever called it was killed.
#
# usage: tools/guard.sh COMMAND [ARG ...]
set -um # job control: the command gets a process group of its own, and so does the watcher

"$@" </dev/null &
job=$!

# The watcher reads from a pipe whose other end only this shell holds, and looks once a second for the caller.
coproc watch {
  exec >/dev/null 2>&1
  trap '' INT TERM HUP
  while :; do
    read -r -t 1 _
    [ $? -gt 128 ] || break # not a timeout: the pipe has closed
    kill -0 "$PPID" || break
  done
  kill -s TERM -- "-$job"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -s 0 -- "-$job" || exit 0
    sleep 0.5
  done
  kill -s KILL -- "-$job"
}

stopped=
trap 'stopped=130; kill -s TERM -- "-$job" 2>/dev/null' INT
trap 'stopped=143; kill -s TERM -- "-$job" 2>/dev/null' TERM HUP

wait "$job"
status=$?
# A signal ends the wait, not the command: wait again for what it does about it.
while [ -n "$stopped" ] && kill -s 0 "$job" 2>/dev/null; do wait "$job"; done
exit "${stopped:-$status}"
