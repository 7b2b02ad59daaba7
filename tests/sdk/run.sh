#!/usr/bin/env bash
# Drives the emulator with Microsoft's own clients for Python (azure-identity, azure-mgmt-network). The Python
# environment is made once per set of pinned packages, in the cache that tools/build.sh uses too; once it is there,
# no network is needed.
#
# usage: tests/sdk/run.sh [EMULATOR [PYTEST-ARG ...]]   (no EMULATOR: $AVNM_EMULATOR, then target/debug/avnm-emulator)
#        tests/sdk/run.sh --dir                         (only prints the environment's folder)
#
# To pin anew: uv pip compile --universal --python-version 3.9 --generate-hashes --no-header --no-annotate \
#                requirements.in -o requirements.txt
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

say() { printf 'sdk: %s\n' "$*" >&2; }

command -v python3 >/dev/null || { say "python3 is not installed: install Python 3.9 or newer, with its venv module"; exit 1; }
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || {
  say "$(python3 --version) is too old: Microsoft's packages need Python 3.9 or newer"; exit 1; }

# An environment belongs to the interpreter that made it as much as to the packages in it.
key=$({ cat "$here/requirements.txt"; python3 -c 'import sys; print(sys.version, sys.base_prefix)'; } | sha256sum | cut -c1-12)
venv=${AVNM_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/avnm-operator/tools}/python-$key
if [ "${1:-}" = --dir ]; then printf '%s\n' "$venv"; exit 0; fi

emulator=${1:-${AVNM_EMULATOR:-$here/../../target/debug/avnm-emulator}}
[ $# -eq 0 ] || shift
[ -x "$emulator" ] || { say "there is no emulator at $emulator: cargo build --workspace --bins makes one"; exit 1; }
AVNM_EMULATOR=$(cd "$(dirname "$emulator")" && pwd)/$(basename "$emulator")
export AVNM_EMULATOR

# The stamp is written last: an environment without it was left half made.
prepare() {
  [ -e "$venv/.complete" ] && return
  python3 -c 'import ensurepip, venv' 2>/dev/null || {
    say "python3 cannot make environments: install its venv module (Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }
  say "making the Python environment, once: $venv"
  local start=$SECONDS
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --prefer-binary \
    --require-hashes --requirement "$here/requirements.txt" >&2 || {
    say "the packages of tests/sdk/requirements.txt could not be installed; is there a network?"; exit 1; }
  touch "$venv/.complete"
  say "made in $((SECONDS - start))s"
}

mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
prepare
exec 9>&-

# Nothing is written into the tree, and nothing of the caller's own Python or Azure settings gets in.
unset PYTHONPATH PYTHONHOME PYTEST_ADDOPTS PYTEST_PLUGINS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
for name in $(compgen -e | grep -iE '^(AZURE_|MSAL_|(HTTPS?|ALL)_PROXY$)' || true); do unset "$name"; done
export PYTHONDONTWRITEBYTECODE=1
cd "$here"
exec "$venv/bin/python" -m pytest "$@"
