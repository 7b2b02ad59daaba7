#!/usr/bin/env bash
# Drives the emulator with Microsoft's own clients for Python (azure-identity, azure-mgmt-network), in the environment that
# tools/python.sh makes.
#
# usage: tests/sdk/run.sh [EMULATOR [PYTEST-ARG ...]]   (no EMULATOR: $AVNM_EMULATOR, then target/debug/avnm-emulator)
#        tests/sdk/run.sh --dir                         (only prints the environment's folder)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

say() { printf 'sdk: %s\n' "$*" >&2; }

if [ "${1:-}" = --dir ]; then exec "$here/../../tools/python.sh" --dir "$here/requirements.txt"; fi

emulator=${1:-${AVNM_EMULATOR:-$here/../../target/debug/avnm-emulator}}
[ $# -eq 0 ] || shift
[ -x "$emulator" ] || { say "there is no emulator at $emulator: cargo build --workspace --bins makes one"; exit 1; }
AVNM_EMULATOR=$(cd "$(dirname "$emulator")" && pwd)/$(basename "$emulator")
export AVNM_EMULATOR

venv=$("$here/../../tools/python.sh" "$here/requirements.txt")

# Nothing is written into the tree, and nothing of the caller's own Python or Azure settings gets in.
unset PYTHONPATH PYTHONHOME PYTEST_ADDOPTS PYTEST_PLUGINS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
for name in $(compgen -e | grep -iE '^(AZURE_|MSAL_|(HTTPS?|ALL)_PROXY$)' || true); do unset "$name"; done
export PYTHONDONTWRITEBYTECODE=1
cd "$here"
exec "$venv/bin/python" -m pytest "$@"
