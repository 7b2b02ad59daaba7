#!/usr/bin/env bash
# Builds operator and emulator as they are released, static, for an architecture that need not be this machine's, into
# FOLDER/release. The C in them (aws-lc) is compiled by zig, which brings the headers and the libc of every target.
#
# usage: tools/image/programs.sh TARGET FOLDER        (TARGET: x86_64-unknown-linux-musl, ...)
set -euo pipefail
target=$1 folder=$2
cd "$(dirname "$0")/../.."

rust=$(sed -n 's/^ARG RUST=//p' Dockerfile)
toolchain=$(rustc --version | awk '{print $2}')
# Another compiler makes other bytes. Where rustup's default is the right one already, nothing is fetched.
if [ "$toolchain" != "$rust" ]; then export RUSTUP_TOOLCHAIN=$rust; fi
if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
  rustup target add "$target" >&2
fi

venv=$(tools/python.sh tools/image/requirements.txt)
export PATH="$venv/bin:$PATH"
cargo_home=${CARGO_HOME:-$HOME/.cargo}
sysroot=$(rustc --print sysroot)
commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
# Where it was built is not in what was built: neither in the messages of panics nor in those of the C.
printf -v flags -- '--remap-path-prefix=%s\x1f' \
  "$PWD=/src" "$cargo_home=/cargo" "$sysroot/lib/rustlib/src/rust=/rustc/$commit"
export CARGO_ENCODED_RUSTFLAGS=${flags%$'\x1f'}
export CFLAGS="-ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$PWD=/src"
unset RUSTFLAGS CC CXX AR CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS
# Both at once, as the Dockerfile does.
cargo zigbuild --release --locked --target "$target" --target-dir "$folder" -p avnm-operator -p avnm-emulator >&2
printf '%s\n' "$folder/$target/release"
