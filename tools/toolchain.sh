#!/usr/bin/env bash
# Installs the Rust of the Dockerfile, with what lints and images need beside it, and makes it the default: for machines
# that are made for one run. Go fetches the version that its modules name by itself.
set -euo pipefail
cd "$(dirname "$0")/.."
rust=$(sed -n 's/^ARG RUST=//p' Dockerfile)
rustup toolchain install "$rust" --profile minimal --component clippy --component rustfmt \
  --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl
rustup default "$rust"
