#!/usr/bin/env bash
# Runs a slow test unless nothing that it covers has changed since it passed: the contents of the covered files, as Git
# would record them, are hashed and compared with tests/lanes/NAME, which a pass writes and which is committed.
#
# usage: tools/lane.sh [--due] NAME PATH ... -- COMMAND [ARG ...]
#
# LANES=all runs it anyway. With --due the command is what the lane needs, not its test: it runs where the test would, and
# nothing is recorded.
set -euo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n '2,8s/^# \{0,1\}//p' tools/lane.sh >&2; exit 2; }

due=
[ "${1:-}" != --due ] || { due=yes; shift; }
[ $# -gt 0 ] || usage
name=$1
shift
covered=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do covered+=("$1"); shift; done
[ ${#covered[@]} -gt 0 ] && [ $# -gt 1 ] || usage
shift

# Tracked and new files alike, in one order everywhere; what is deleted is no longer listed.
files=$(git ls-files --cached --others --exclude-standard -- "${covered[@]}" | LC_ALL=C sort -u | while read -r file; do
  [ ! -f "$file" ] || printf '%s\n' "$file"
done)
[ -n "$files" ] || { echo "lane $name: none of its paths is there: ${covered[*]}" >&2; exit 2; }
hash=$( { printf '%s\n' "$files"; printf '%s\n' "$files" | git hash-object --no-filters --stdin-paths; } | sha256sum | cut -c1-64)

record=tests/lanes/$name
if [ "${LANES:-}" != all ] && [ "$(cat "$record" 2>/dev/null)" = "$hash" ]; then
  echo "lane $name: left out: nothing that it covers changed since it passed"
  exit 0
fi
[ -z "$due" ] || exec "$@"
"$@"
mkdir -p tests/lanes
printf '%s\n' "$hash" >"$record"
echo "lane $name: passed; commit $record, and it is left out until something that it covers changes"
