#!/usr/bin/env bash
# The parts of a release, in their order; .github/workflows/release.yaml calls them. REGISTRY and OWNER say where to.
#
# usage: tools/release.sh version TAG      fails unless TAG is v and the version of programs and chart
#        tools/release.sh login            as ACTOR, with TOKEN
#        tools/release.sh push FOLDER      images of tools/image/build.sh and the chart; files of the release into
#                                          target/release-files, names and digests to GITHUB_OUTPUT
#        tools/release.sh sign             what was pushed, by cosign, in the name of the workflow that runs; with COSIGN_KEY, a file,
#                                          by that key and in no public log, as a rehearsal does
#        tools/release.sh verify           that what was pushed is signed by the key whose public half COSIGN_PUBLIC names
set -euo pipefail
cd "$(dirname "$0")/.."
files=target/release-files

say() { printf 'release: %s\n' "$*" >&2; }
helm() { "$(tools/build.sh helm)/helm" "$@"; }
cosign() { env CGO_ENABLED=0 go -C tools/cosign tool cosign "$@"; }
version() { sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml; }
# Repositories have no capital letters, which the names of owners may have.
place() { printf '%s/%s' "${REGISTRY:?}" "$(printf '%s' "${OWNER:?}" | tr '[:upper:]' '[:lower:]')"; }

check_version() {
  local tag=$1 chart
  for chart in version appVersion; do
    if ! grep -qx "$chart: \"\?${tag#v}\"\?" charts/avnm-operator/Chart.yaml; then
      say "$tag is not v and the $chart of charts/avnm-operator/Chart.yaml"; exit 1
    fi
  done
  if [ "$tag" != "v$(version)" ]; then say "$tag is not v and the version of Cargo.toml, $(version)"; exit 1; fi
}

login() {
  printf '%s' "${TOKEN:?}" | tools/crane.sh auth login "$REGISTRY" --username "${ACTOR:?}" --password-stdin
  printf '%s' "$TOKEN" | helm registry login "$REGISTRY" --username "$ACTOR" --password-stdin
}

# done NAME REPOSITORY DIGEST: for what signs, and for what attests.
pushed() {
  printf '%s@%s\n' "$2" "$3" >>"$files/digests.txt"
  if [ -n "${GITHUB_OUTPUT:-}" ]; then printf '%s-name=%s\n%s-digest=%s\n' "$1" "$2" "$1" "$3" >>"$GITHUB_OUTPUT"; fi
  say "$2@$3"
}

push() {
  local built place name repository digest wanted chart
  built=$(realpath "$1") place=$(place)
  rm -rf "$files"
  mkdir -p "$files"
  for name in operator emulator; do
    repository=$place/avnm-$name
    digest=$(tools/crane.sh push "$built/$name" "$repository:$(version)")
    wanted=$(cat "$built/$name.digest")
    # What the registry has is what was built and compared, byte for byte.
    [ "${digest#*@}" = "$wanted" ] || { say "$digest was pushed, and $wanted was built"; exit 1; }
    pushed "$name" "$repository" "$wanted"
    cp "$built/avnm-$name"-*.cdx.json "$files/"
  done

  # The chart in the tree has no registry: it does not know who builds. What is published names its image, by digest.
  chart=$(mktemp -d)
  cp -R charts/avnm-operator "$chart/"
  sed -i "s|^  repository: avnm-operator\$|  repository: $place/avnm-operator|; s|^  digest: \"\"\$|  digest: $(cat "$built/operator.digest")|" \
    "$chart/avnm-operator/values.yaml"
  helm package "$chart/avnm-operator" --destination "$files" >&2
  rm -rf "$chart"
  if [ "$(helm template x "$files/avnm-operator-$(version).tgz" | grep -c "image: \"$place/avnm-operator@$(cat "$built/operator.digest")\"")" != 1 ]; then
    say "the packaged chart does not name the image that was pushed"; exit 1
  fi
  digest=$(helm push "$files/avnm-operator-$(version).tgz" "oci://$place/charts" ${PLAIN_HTTP:+--plain-http} 2>&1 |
    sed -n 's/^Digest: //p')
  [ -n "$digest" ] || { say "helm pushed the chart without telling its digest"; exit 1; }
  pushed chart "$place/charts/avnm-operator" "$digest"
  sed "s|image: \"avnm-operator:$(version)\"|image: \"$place/avnm-operator@$(cat "$built/operator.digest")\"|" deploy/install.yaml >"$files/install.yaml"
  grep -q "$place/avnm-operator@" "$files/install.yaml"
}

sign() {
  local what name by=(--yes)
  if [ -n "${COSIGN_KEY:-}" ]; then by+=(--key "$COSIGN_KEY" --use-signing-config=false --tlog-upload=false); fi
  while read -r what; do
    cosign sign "${by[@]}" "$what"
    for name in operator emulator; do
      case $what in */avnm-$name@*)
        for list in "$PWD/$files/avnm-$name"-*.cdx.json; do cosign attest "${by[@]}" --type cyclonedx --predicate "$list" "$what"; done ;;
      esac
    done
  done < <(grep -v /charts/ "$files/digests.txt"; grep /charts/ "$files/digests.txt")
}

verify() {
  local what by=(--key "${COSIGN_PUBLIC:?}" --insecure-ignore-tlog=true --output json)
  while read -r what; do
    cosign verify "${by[@]}" "$what" >/dev/null
    case $what in */charts/*) ;; *) cosign verify-attestation "${by[@]}" --type cyclonedx "$what" >/dev/null ;; esac
    say "$what is signed"
  done <"$files/digests.txt"
}

case ${1:-} in
  version) check_version "${2:?usage: tools/release.sh version TAG}" ;;
  login) login ;;
  push) push "${2:?usage: tools/release.sh push FOLDER}" ;;
  sign) sign ;;
  verify) verify ;;
  *) sed -n '2,11s/^# \{0,1\}//p' tools/release.sh >&2; exit 2 ;;
esac
