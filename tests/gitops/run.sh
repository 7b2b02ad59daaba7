#!/usr/bin/env bash
# Runs a GitOps tool against the real API server, the emulator and the operator, and before Argo CD its own Lua engine with our
# patch, on the states that the scenarios recorded if RECORD is there.
#
# usage: tests/gitops/run.sh argocd|flux TARGET [RECORD]
set -euo pipefail
tool=${1:-} target=$(realpath "${2:-target}") record=${3:-}
[ -z "$record" ] || [ ! -f "$record" ] || export AVNM_RECORD=$(realpath "$record")
cd "$(dirname "$0")/../.."
case $tool in
  # With the flags of tools/gitops.sh, or all of Argo CD would be compiled twice.
  argocd) (cd tools/argocd && CGO_ENABLED=0 exec go test -count=1 -trimpath ./customizations) ;;
  flux) ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
exec "$target/debug/gitops" "$tool"
