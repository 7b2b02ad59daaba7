#!/usr/bin/env bash
# Runs an unpacked image as a container runtime does: its entry point, as its user, on a root file system that is its own
# and read-only, without a capability, and with no way to gain one. BUNDLE has the image's files in rootfs/ and its config in
# config.json. Network and processes are the host's.
#
# usage: tools/image/container.sh BUNDLE [ARG ...]        (AVNM_MOUNTS=FOLDER[:FOLDER] are seen inside under their own names;
#        AVNM_INTERPRETER=FILE, a static program, runs what is built for another processor)
set -euo pipefail
bundle=$(realpath "$1")
shift

# Entry point and user; arguments stand in for the image's own, as Kubernetes' do.
mapfile -d '' -t entry < <(python3 - "$bundle/config.json" $# <<'PYTHON'
import json, sys
config = json.load(open(sys.argv[1]))["config"]
words = config["Entrypoint"] + ([] if int(sys.argv[2]) else config.get("Cmd") or [])
for word in [config["User"], *words]:
    sys.stdout.write(word + "\0")
PYTHON
)
user=${entry[0]}
entry=("${entry[@]:1}")
mounts=${AVNM_MOUNTS:-} interpreter=${AVNM_INTERPRETER:-}

# In namespaces of its own: a copy of the files in memory, with points to mount on, and then nothing can be written.
inside='
  set -eu
  bundle=$1 user=$2 mounts=$3 interpreter=$4
  shift 4
  root=$bundle/root
  mount -t tmpfs -o mode=0755 tmpfs "$root"
  cp -R --preserve=mode "$bundle/rootfs/." "$root/"
  if [ -n "$interpreter" ]; then
    cp "$interpreter" "$root/interpreter"
    set -- /interpreter "$@"
  fi
  mkdir -p "$root/proc"
  mount --rbind /proc "$root/proc"
  IFS=:
  for folder in $mounts; do
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
  done
  unset IFS
  mount -o remount,bind,ro "$root"
  if [ "$(cat /proc/self/uid_map | tr -s " ")" = " 0 0 4294967295" ]; then
    exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
  fi
  # Not root outside: one user is all there is, and gets another number.
  exec setpriv --no-new-privs unshare --user --map-user="${user%:*}" --map-group="${user#*:}" --root="$root" --wd=/ -- "$@"
'
mkdir -p "$bundle/root"
if [ "$(id -u)" = 0 ]; then
  # What is mounted belongs to the user, as a kubelet does for a Pod (fsGroup): the folder, and what lies in it by now.
  IFS=: read -r -a folders <<<"$mounts"
  for folder in "${folders[@]}"; do
    chown "$user" "$folder"
    find "$folder" -maxdepth 1 -type f -exec chown "$user" {} +
  done
  exec unshare --mount --propagation private sh -c "$inside" container "$bundle" "$user" "$mounts" "$interpreter" "${entry[@]}" "$@"
fi
exec unshare --user --map-root-user --mount --propagation private sh -c "$inside" container "$bundle" "$user" "$mounts" "$interpreter" "${entry[@]}" "$@"
