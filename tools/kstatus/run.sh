#!/usr/bin/env bash
# Has kstatus judge the states that the scenarios recorded.
#
# usage: tools/kstatus/run.sh RECORD
set -euo pipefail
record=$(realpath "${1:?usage: tools/kstatus/run.sh RECORD, which \`scenarios --record RECORD\` writes}")
cd "$(dirname "$0")"
CGO_ENABLED=0 exec go run -trimpath . "$record" ../../docs/reference/reasons.md ../../deploy/flux/health-check-exprs.yaml
