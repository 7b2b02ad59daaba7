#!/usr/bin/env bash
# Runs one step of `make test` under a heading and tells how long it took.
#
# usage: tools/step.sh HEADING COMMAND [ARG ...]
set -u
heading=$1
shift
printf '\n== %s\n' "$heading"
start=$SECONDS
"$@"
status=$?
how=done
[ "$status" -eq 0 ] || how="failed with $status"
printf '== %s: %s (%s s)\n' "$heading" "$how" "$((SECONDS - start))"
exit "$status"
