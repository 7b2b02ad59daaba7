#!/usr/bin/env bash
# Lists what each program is built from, with licences and checksums, as CycloneDX: FOLDER/avnm-operator.cdx.json and
# FOLDER/avnm-emulator.cdx.json. The same tree gives the same bytes.
#
# usage: tools/image/contents.sh TARGET FOLDER
set -euo pipefail
target=$1 folder=$(realpath "$2")
cd "$(dirname "$0")/../.."
# With it there is neither a serial number nor the time of day in the list.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
lister=$(command -v cargo-cyclonedx || tools/crate.sh cargo-cyclonedx)

for crate in operator emulator; do
  # It writes beside the manifest of every crate that it looks at, under a name of ours, and is cleaned up after.
  name=avnm-listed-$$
  trap 'find . -name "$name*" -not -path "./target/*" -type f -delete' EXIT
  "$lister" cyclonedx --quiet --manifest-path "crates/$crate/Cargo.toml" --format json --spec-version 1.5 \
    --target "$target" --override-filename "$name"
  # Our own crates are named by their folder: not by where it lies on the machine that builds.
  sed "s|path+file://$PWD/|path+file:///src/|g" "crates/$crate/$name.json" >"$folder/avnm-$crate.cdx.json"
  grep -q '"bomFormat": "CycloneDX"' "$folder/avnm-$crate.cdx.json"
done
