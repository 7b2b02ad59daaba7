#!/usr/bin/env bash
# Builds the pinned Go programs of the GitOps tests into a cache outside the tree, once per version: Argo CD's controllers,
# Flux's kustomize-controller, each with the CRDs that it reads. Prints the program's path. They are not built by tools/build.sh because most people never need them, and Argo CD takes long.
#
# usage: tools/gitops.sh argocd|kustomize-controller
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=${1:-}
crds=
case $name in
  argocd) module=argocd package=. crds="github.com/argoproj/argo-cd/v3 manifests/crds" ;;
  kustomize-controller)
    module=flux package=github.com/fluxcd/kustomize-controller
    # Of source-controller only the CRDs: one of the modules that it is built from is not to be had.
    crds="github.com/fluxcd/kustomize-controller config/crd/bases github.com/fluxcd/source-controller@v1.9.6 config/crd/bases" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
cd "$here/$module"
command -v go >/dev/null || { echo "tools: go is not installed: install Go 1.26 or newer" >&2; exit 1; }

key=$(cat "$here/gitops.sh" go.mod go.sum $(ls ./*.go 2>/dev/null | grep -v _test) | sha256sum | cut -c1-12)
out=${AVNM_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/avnm-operator/tools}/$name-$key
mkdir -p "$out"
# One at a time, also across callers.
exec 9>"$out/.lock"
flock 9
if [ ! -x "$out/$name" ]; then
  echo "tools: $name: building, once; see $out/build.log" >&2
  start=$SECONDS
  set -- $crds
  while [ $# -gt 0 ]; do
    folder=$(go mod download -json "$1" | awk -F'"' '$2 == "Dir" {print $4}')
    [ -d "$folder/$2" ] || { echo "tools: find the CRDs of $1: $folder/$2 is no folder" >&2; exit 1; }
    cp --no-preserve=mode "$folder/$2"/*.yaml "$out/"
    shift 2
  done
  if ! CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$out/.new" "$package" >>"$out/build.log" 2>&1; then
    echo "tools: $name did not build; the compiler's last lines:" >&2
    tail -n 20 "$out/build.log" >&2
    exit 1
  fi
  mv "$out/.new" "$out/$name"
  echo "tools: $name: built in $((SECONDS - start))s" >&2
fi
printf '%s\n' "$out/$name"
