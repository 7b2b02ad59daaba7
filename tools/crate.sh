#!/usr/bin/env bash
# Builds a pinned program from crates.io into the cache of tools/build.sh, once per version: mdbook, which makes the
# documentation's site, cargo-deny, which judges what came into the tree from outside, cargo-cyclonedx, which lists it
# for the images. The program's path is the only line on stdout; progress goes to stderr.
#
# usage: tools/crate.sh PROGRAM
set -euo pipefail

say() { printf 'tools: %s\n' "$*" >&2; }

# None is optimised: the slowest of them works for two seconds, and optimising it takes minutes.
program=${1:-}
case $program in
  # Without its server and its watcher, which the site does not need.
  mdbook) version=0.5.4 usual="a minute" features=(--no-default-features --features search) ;;
  cargo-deny) version=0.20.2 usual="a minute and a half" features=() ;;
  cargo-cyclonedx) version=0.5.9 usual="a minute" features=() ;;
  *) say "unknown program '$program'; there are: mdbook, cargo-deny, cargo-cyclonedx"; exit 2 ;;
esac

root=${AVNM_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/avnm-operator/tools}/$program-$version
mkdir -p "$root"
exec 9>"$root/.lock"
flock 9
if [ ! -x "$root/bin/$program" ]; then
  say "$program: building; usually $usual on 2 cores, once"
  start=$SECONDS log="$root/build.log"
  if ! "${CARGO:-cargo}" install "$program" --version "=$version" --locked --debug "${features[@]}" \
    --root "$root" --target-dir "$root/target" >"$log" 2>&1 9>&-; then
    say "$program did not build; the last lines:"
    tail -n 20 "$log" >&2
    exit 1
  fi
  rm -rf "$root/target"
  say "$program: built in $((SECONDS - start))s"
fi
printf '%s\n' "$root/bin/$program"
