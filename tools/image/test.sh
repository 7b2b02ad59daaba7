#!/usr/bin/env bash
# Takes the images of tools/image/build.sh where users take them: pushes and signs them as a release does, pulls them back,
# holds what comes against what was built, and plays the quickstart with them on a real API server: unpacked, read-only,
# as the image's user, without capabilities.
#
# usage: tools/image/test.sh OUT PROGRAMS        (PROGRAMS: the folder with xtask)
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath "$1") programs=$(realpath "$2")
# The image with its list of contents, compressed, as it crosses the network; docs/design/design.md.
budget=10000000
work=$(mktemp -d)
say() { printf 'image: %s\n' "$*"; }
fail() { printf 'image: %s\n' "$*" >&2; exit 1; }

tools/crane.sh version >/dev/null || fail "crane does not build"
tools/crane.sh registry serve --address 127.0.0.1:0 >"$work/registry.log" 2>&1 &
registry=$!
trap 'kill $registry 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 300); do
  port=$(sed -n 's/.*serving on port \([0-9]*\).*/\1/p' "$work/registry.log")
  [ -z "$port" ] || break
  sleep 0.2
done
[ -n "$port" ] || fail "the registry does not serve: $(cat "$work/registry.log")"

REGISTRY=127.0.0.1:$port OWNER=Somebody PLAIN_HTTP=1 tools/release.sh push "$out"
place=127.0.0.1:$port/somebody

# Signed as a release is, but by a key of this hour: nobody vouches for who runs this.
export COSIGN_PASSWORD=
for key in ours theirs; do
  env CGO_ENABLED=0 go -C tools/cosign tool cosign generate-key-pair --output-key-prefix "$work/$key" 2>"$work/cosign.log" ||
    { cat "$work/cosign.log"; fail "cosign makes no key"; }
done
COSIGN_KEY=$work/ours.key tools/release.sh sign >"$work/cosign.log" 2>&1 || { cat "$work/cosign.log"; fail "signing failed"; }
COSIGN_PUBLIC=$work/ours.pub tools/release.sh verify
! COSIGN_PUBLIC=$work/theirs.pub tools/release.sh verify >/dev/null 2>&1 || fail "another key's signature was taken for ours"

host=$(case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; esac)
for name in operator emulator; do
  reference=$place/avnm-$name@$(cat "$out/$name.digest")
  for arch in $(tools/crane.sh manifest "$reference" | python3 -c '
import json, sys
for one in json.load(sys.stdin)["manifests"]: print(one["platform"]["architecture"])'); do
    bundle=$work/$name-$arch
    mkdir -p "$bundle/rootfs"
    tools/crane.sh config --platform "linux/$arch" "$reference" >"$bundle/config.json"
    tools/crane.sh export --platform "linux/$arch" "$reference" - | tar -x -C "$bundle/rootfs" --no-same-owner --preserve-permissions
    files=$(cd "$bundle/rootfs" && find . -type f | LC_ALL=C sort | tr '\n' ' ')
    wanted="./avnm-$name ./usr/share/sbom/avnm-$name.cdx.json "
    [ $name != operator ] || wanted="./avnm-operator ./etc/ssl/certs/ca-certificates.crt ./usr/share/sbom/avnm-operator.cdx.json "
    [ "$files" = "$wanted" ] || fail "$name for $arch holds $files"
    unreadable=$(find "$bundle/rootfs" ! -perm -004)
    [ -z "$unreadable" ] || fail "$name for $arch: its user cannot read $unreadable"
    # A program that needs a loader names it.
    ! grep -aqE '/lib(64)?/ld-' "$bundle/rootfs/avnm-$name" || fail "$name for $arch is not static"
    ! grep -raqF -e "$HOME/" -e "$PWD/" "$bundle/rootfs" || fail "$name for $arch names the folder that it was built in"
    size=$(tools/crane.sh manifest --platform "linux/$arch" "$reference" | python3 -c '
import json, sys
it = json.load(sys.stdin)
print(sum(part["size"] for part in [it["config"], *it["layers"]]))')
    say "$name for $arch: $size bytes to pull, the program $(stat -c %s "$bundle/rootfs/avnm-$name")"
    [ "$name" != operator ] || [ "$size" -le $budget ] || fail "the operator's image for $arch is over its budget of $budget bytes"
  done
done

[ -d "$work/operator-$host" ] || fail "there is no image for this machine: what was built was looked at, and not run"

# What the kernel says of a container that runs: nobody, no capability, no way to one, nothing to write to.
"$PWD/tools/image/container.sh" "$work/emulator-$host" >"$work/emulator.log" 2>&1 &
container=$!
for _ in $(seq 100); do grep -q Uid.*65532 "/proc/$container/status" && break; sleep 0.1; done
sleep 0.5
for fact in 'Uid:.65532.65532.65532.65532' 'Gid:.65532.65532.65532.65532' 'CapEff:.0000000000000000' 'CapPrm:.0000000000000000' 'NoNewPrivs:.1'; do
  grep -qx "$fact" "/proc/$container/status" || fail "a container does not run with $fact: $(cat "/proc/$container/status")"
done
grep -qE ' / ro[, ]' "/proc/$container/mountinfo" || fail "a container's root is not read-only: $(cat "/proc/$container/mountinfo")"
kill -TERM $container
wait $container || fail "the emulator ended with $? after SIGTERM: $(cat "$work/emulator.log")"

# The quickstart, from apply to Connected to gone, by programs that are these containers.
mkdir -p "${CARGO_TARGET_DIR:-target}/demo"
quickstart() { # ARCH [INTERPRETER]
  local arch=$1 name
  export AVNM_INTERPRETER=${2:-}
  for name in operator emulator; do
    "$PWD/tools/image/container.sh" "$work/$name-$arch" --version
    cat >"$work/avnm-$name-$arch" <<EOF
#!/usr/bin/env bash
# The folder of the run is where the files are that its arguments name.
for arg in "\$@"; do case \$arg in *-ca.pem) folder=\$(dirname "\${arg#*=}") ;; esac; done
# As a projected file in a Pod: its user may read it, and it lies in what is mounted.
if [ -n "\${KUBECONFIG:-}" ]; then cp "\$KUBECONFIG" "\$folder/pod.kubeconfig" && export KUBECONFIG=\$folder/pod.kubeconfig; fi
AVNM_MOUNTS=\$folder exec "$PWD/tools/image/container.sh" "$work/$name-$arch" "\$@"
EOF
    chmod +x "$work/avnm-$name-$arch"
  done
  AVNM_OPERATOR_BIN=$work/avnm-operator-$arch AVNM_EMULATOR_BIN=$work/avnm-emulator-$arch "$programs/xtask" demo >"$work/demo.log" 2>&1 ||
    { cat "$work/demo.log"; fail "the quickstart failed on $arch"; }
  grep -E 'all Ready|all gone|Azure holds none' "$work/demo.log"
  export AVNM_INTERPRETER=
}
quickstart "$host"

# What is built for another processor, where something here can run it.
for bundle in "$work"/operator-*/; do
  arch=$(basename "$bundle") arch=${arch#operator-}
  [ "$arch" != "$host" ] || continue
  case $arch in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; esac
  if interpreter=$(command -v "qemu-$machine-static"); then
    say "$arch by $(basename "$interpreter")"
    quickstart "$arch" "$interpreter"
  else
    say "$arch was looked at, and not run: there is no qemu-$machine-static"
  fi
done
say "pushed, pulled and run"
