#!/usr/bin/env bash
# Builds the pinned mdBook, which makes the documentation's site, into the cache of tools/build.sh, once per version.
# Its path is the only line on stdout; progress goes to stderr.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=0.5.4

root=${AVNM_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/avnm-operator/tools}/mdbook-$version
mkdir -p "$root"
exec 9>"$root/.lock"
flock 9
if [ ! -x "$root/bin/mdbook" ]; then
  printf 'tools: mdbook: building; usually a minute on 2 cores, once\n' >&2
  start=$SECONDS log="$root/build.log"
  # Without its server and its watcher, which the site does not need. Not optimised: a site takes it a second.
  if ! "${CARGO:-cargo}" install mdbook --version "=$version" --locked --debug --no-default-features --features search \
    --root "$root" --target-dir "$root/target" >"$log" 2>&1 9>&-; then
    printf 'tools: mdbook did not build; the last lines:\n' >&2
    tail -n 20 "$log" >&2
    exit 1
  fi
  rm -rf "$root/target"
  printf 'tools: mdbook: built in %ss\n' "$((SECONDS - start))" >&2
fi
printf '%s\n' "$root/bin/mdbook"
