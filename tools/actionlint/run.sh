#!/usr/bin/env bash
# Reads the workflows: actionlint, and what it does not look at (pinned_test.go).
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
# Without the programs that it would call if they happen to be there: it must say the same everywhere.
go tool actionlint -shellcheck= -pyflakes= ../../.github/workflows/*.yaml ../../docs/examples/emulator/github-actions.yaml
exec go test -trimpath -count=1 ./...
