#!/usr/bin/env bash
# Builds the pinned Go programs that tests and demo run (kube-apiserver, kube-controller-manager, kubectl, etcd, helm,
# and prometheus with its promtool) into a cache outside the tree, once per set of versions. The folder is the last and only line on stdout;
# progress goes to stderr. Found binaries win: TEST_ASSET_<NAME>, then KUBEBUILDER_ASSETS, as envtest does.
#
# usage: tools/build.sh [--dir] [PROGRAM ...]      (no PROGRAM: all; --dir: only print the folder)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
all=(etcd kube-apiserver kubectl kube-controller-manager helm promtool prometheus)

say() { printf 'tools: %s\n' "$*" >&2; }

key=$(cat "$here"/{kube,etcd,helm,prometheus}/go.{mod,sum} "$here/build.sh" | sha256sum | cut -c1-12)
out=${AVNM_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/avnm-operator/tools}/$key
if [ "${1:-}" = --dir ]; then printf '%s\n' "$out"; exit 0; fi
mkdir -p "$out"

# go.mod may hold it on a line of its own or in a block. An empty stamp would build programs that panic at start.
version=$(awk '{sub(/^require /, "")} $1 == "k8s.io/kubernetes" && $2 ~ /^v1\./ {print $2; exit}' "$here/kube/go.mod")
[ -n "$version" ] || { say "tools/kube/go.mod does not name a version of k8s.io/kubernetes"; exit 1; }
minor=$(printf '%s' "$version" | cut -d. -f2)
# Without these stamps /version says v0.0.0-master and kubectl and helm refuse the skew.
stamp="-s -w"
for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp="$stamp -X $p.gitVersion=$version -X $p.gitMajor=1 -X $p.gitMinor=$minor"
done

# found PROGRAM: the path of a binary that the environment names, if it does.
found() {
  local var="TEST_ASSET_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_')"
  if [ -n "${!var:-}" ] && [ -x "${!var}" ]; then printf '%s' "${!var}"; return; fi
  if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ]; then printf '%s' "$KUBEBUILDER_ASSETS/$1"; fi
}

build() {
  local name=$1 module=$2 package=$3 usual=$4 have
  shift 4
  have=$(found "$name")
  if [ -n "$have" ]; then
    # A program that was found replaces a built one only by link, so that one folder holds the whole set.
    [ -x "$out/$name" ] || ln -sf "$have" "$out/$name"
    return
  fi
  [ -x "$out/$name" ] && return
  command -v go >/dev/null || { say "go is not installed: install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder that holds $name"; exit 1; }
  say "$name: building; usually $usual on 2 cores when cold, once"
  local start=$SECONDS log="$out/$name.log"
  (cd "$here/$module" && CGO_ENABLED=0 exec go build "$@" -trimpath -ldflags "$stamp" -o "$out/.$name.new" "$package") >"$log" 2>&1 &
  local pid=$!
  trap 'kill '"$pid"' 2>/dev/null || true' EXIT INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; kill -0 "$pid" 2>/dev/null || break; done
    if [ -t 2 ]; then printf '\rtools: %s: %ss ' "$name" "$((SECONDS - start))" >&2
    elif [ $(((SECONDS - start) % 30)) -lt 5 ]; then say "$name: $((SECONDS - start))s"; fi
  done
  [ -t 2 ] && printf '\r\033[K' >&2
  if ! wait "$pid"; then
    say "$name did not build; the compiler's last lines:"; tail -n 20 "$log" >&2; exit 1
  fi
  trap - EXIT INT TERM
  mv "$out/.$name.new" "$out/$name"
  say "$name: built in $((SECONDS - start))s"
}

# One at a time, also across callers: two builds of Kubernetes on a small machine are slower than one after the other.
exec 9>"$out/.lock"
flock 9

[ $# -gt 0 ] || set -- "${all[@]}"
for program in "$@"; do
  case $program in
    etcd) build etcd etcd go.etcd.io/etcd/server/v3 "half a minute" ;;
    kube-apiserver) build kube-apiserver kube k8s.io/kubernetes/cmd/kube-apiserver "4 minutes" ;;
    kube-controller-manager) build kube-controller-manager kube k8s.io/kubernetes/cmd/kube-controller-manager "1 minute after kube-apiserver" ;;
    kubectl) build kubectl kube k8s.io/kubernetes/cmd/kubectl "half a minute after kube-apiserver" ;;
    helm) build helm helm helm.sh/helm/v4/cmd/helm "1.5 minutes" ;;
    # Without the clients of all clouds in which it could look for what to scrape: they are nine tenths of its dependencies.
    promtool) build promtool prometheus github.com/prometheus/prometheus/cmd/promtool "3 minutes" -tags remove_all_sd ;;
    prometheus) build prometheus prometheus github.com/prometheus/prometheus/cmd/prometheus "1 minute after promtool" -tags remove_all_sd ;;
    *) say "unknown program '$program'; there are: ${all[*]}"; exit 2 ;;
  esac
done
printf '%s\n' "$out"
