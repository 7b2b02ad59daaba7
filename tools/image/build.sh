#!/usr/bin/env bash
# Builds the images without a daemon, as OCI layouts with an index over their architectures: OUT/operator and OUT/emulator,
# with the digest of each index in OUT/NAME.digest and what its programs are built from in OUT/avnm-NAME-ARCH.cdx.json.
# From the same commit come the same bytes, on any machine and in any folder.
#
# usage: tools/image/build.sh OUT ARCH ...        (ARCH: amd64, arm64)
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 1 ] || { sed -n '2,6s/^# \{0,1\}//p' tools/image/build.sh >&2; exit 2; }
out=$1
shift
work=${CARGO_TARGET_DIR:-target}/image
mkdir -p "$work" "$out"
work=$(realpath "$work") out=$(realpath "$out")

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
revision=$(git rev-parse HEAD)
[ -z "$(git status --porcelain)" ] || revision=$revision-dirty
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
created=$(python3 -c 'import datetime, sys; print(datetime.datetime.fromtimestamp(int(sys.argv[1]), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))' "$SOURCE_DATE_EPOCH")
venv=$(tools/python.sh tools/image/requirements.txt)

from=()
for arch in "$@"; do
  case $arch in
    amd64) target=x86_64-unknown-linux-musl ;;
    arm64) target=aarch64-unknown-linux-musl ;;
    *) echo "image: unknown architecture '$arch'; there are: amd64, arm64" >&2; exit 2 ;;
  esac
  built=$(tools/image/programs.sh "$target" "$work/cargo")
  # What the Dockerfile's first stage would hold, under the names that the last two copy it by.
  root=$work/root/$arch
  rm -rf "$root"
  mkdir -p "$root/src/target/release" "$root/etc/ssl/certs"
  cp "$built/avnm-operator" "$built/avnm-emulator" "$root/src/target/release/"
  cp "$("$venv/bin/python" -m certifi)" "$root/etc/ssl/certs/ca-certificates.crt"
  tools/image/contents.sh "$target" "$root/src"
  for name in operator emulator; do cp "$root/src/avnm-$name.cdx.json" "$out/avnm-$name-$arch.cdx.json"; done
  from+=(--from "$arch=$root")
done

maker=$work/maker
(cd tools/image && CGO_ENABLED=0 go build -trimpath -o "$maker" .)
for name in operator emulator; do
  rm -rf "${out:?}/$name"
  "$maker" --stage "$name" --out "$out/$name" "${from[@]}" --arg VERSION="$version" --arg REVISION="$revision" \
    --arg SOURCE="${SOURCE:-}" --arg CREATED="$created" >"$out/$name.digest"
  printf 'image: %s %s %s\n' "$name" "$version" "$(cat "$out/$name.digest")" >&2
done
