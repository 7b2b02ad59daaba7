#!/usr/bin/env bash
# Runs our health checks and actions for Argo CD in the Lua interpreter that it embeds: on their test files, and on the states
# that the scenarios recorded.
#
# usage: tools/lua/run.sh RECORD
set -euo pipefail
AVNM_RECORD=$(realpath "${1:?usage: tools/lua/run.sh RECORD, which \`scenarios --record RECORD\` writes}")
export AVNM_RECORD
cd "$(dirname "$0")"
CGO_ENABLED=0 exec go test -trimpath -count=1 ./...
