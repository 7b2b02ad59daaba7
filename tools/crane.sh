#!/usr/bin/env bash
# Runs the pinned crane, which carries images between folders and registries.
#
# usage: tools/crane.sh ARG ...
set -euo pipefail
# Go keeps what it built, and -n only says where: what is run is crane itself, and a signal reaches it.
crane=$(CGO_ENABLED=0 go -C "$(dirname "$0")/image" tool -n crane)
exec "$crane" "$@"
