#!/usr/bin/env bash
# Makes the Python environment of a file of pinned packages, once per content of that file, in the cache of tools/build.sh.
# Its folder is the only line on stdout; once it is there, no network is needed.
#
# usage: tools/python.sh [--dir] REQUIREMENTS      (--dir: only print the folder)
#
# To pin anew, beside the file: uv pip compile --universal --python-version 3.9 --generate-hashes --no-header --no-annotate \
#                                 requirements.in -o requirements.txt
set -euo pipefail
say() { printf 'tools: %s\n' "$*" >&2; }

only=
if [ "${1:-}" = --dir ]; then only=1; shift; fi
requirements=${1:?usage: tools/python.sh [--dir] REQUIREMENTS}

command -v python3 >/dev/null || { say "python3 is not installed: install Python 3.9 or newer, with its venv module"; exit 1; }
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || {
  say "$(python3 --version) is too old: the packages need Python 3.9 or newer"; exit 1; }

# An environment belongs to the interpreter that made it as much as to the packages in it.
key=$({ cat "$requirements"; python3 -c 'import sys; print(sys.version, sys.base_prefix)'; } | sha256sum | cut -c1-12)
venv=${AVNM_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/avnm-operator/tools}/python-$key
if [ -n "$only" ]; then printf '%s\n' "$venv"; exit 0; fi

mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
# The stamp is written last: an environment without it was left half made.
if [ ! -e "$venv/.complete" ]; then
  python3 -c 'import ensurepip, venv' 2>/dev/null || {
    say "python3 cannot make environments: install its venv module (Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }
  say "making the Python environment, once: $venv"
  start=$SECONDS
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --prefer-binary \
    --require-hashes --requirement "$requirements" >&2 || {
    say "the packages of $requirements could not be installed; is there a network?"; exit 1; }
  touch "$venv/.complete"
  say "made in $((SECONDS - start))s"
fi
printf '%s\n' "$venv"
