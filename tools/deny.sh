#!/usr/bin/env bash
# Holds what comes into the tree from outside against deny.toml: licences, bans and sources, which need no network but the
# registry's. Advisories stand in a database of their own, fetched from a forge that not everybody reaches.
#
# usage: tools/deny.sh [--advisories]      (--advisories: these, too)
set -euo pipefail
cd "$(dirname "$0")/.."
deny=$(tools/crate.sh cargo-deny)
# What is only warned of, two versions of a crate, would be pages at every run: cargo-deny tells it when it is asked directly.
"$deny" --log-level error check licenses bans sources
if [ "${1:-}" = --advisories ]; then
  "$deny" --log-level error check advisories
else
  echo "advisories were left out: their database is fetched from a forge; make advisories looks at them, as every release does"
fi
