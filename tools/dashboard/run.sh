#!/usr/bin/env bash
# Draws the picture of the dashboard from what a run of scenario 28b kept (AVNM_DASHBOARD_DATA), in the environment that
# tools/python.sh makes.
#
# usage: tools/dashboard/run.sh DATA [PICTURE]      (no PICTURE: docs/images/dashboard.png)
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
data=$(realpath "${1:?usage: tools/dashboard/run.sh DATA [PICTURE]}")
picture=$(realpath -m "${2:-$top/docs/images/dashboard.png}")

venv=$("$top/tools/python.sh" "$top/tools/dashboard/requirements.txt")

# Nothing is written into the tree but the picture, and nothing of the caller's own settings changes it.
unset PYTHONPATH PYTHONHOME MATPLOTLIBRC MPLBACKEND
export PYTHONDONTWRITEBYTECODE=1
MPLCONFIGDIR=$(mktemp -d)
export MPLCONFIGDIR
trap 'rm -rf "$MPLCONFIGDIR"' EXIT
cd "$top"
"$venv/bin/python" tools/dashboard/draw.py charts/avnm-operator/files/dashboard.json "$data" "$picture"
