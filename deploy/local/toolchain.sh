#!/usr/bin/env bash
# Says what is missing to build Modelday. With --lints also what is missing to check it.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repo_root/Cargo.toml" | head -n 1)

{ command -v cargo && command -v rustc; } >/dev/null ||
  die "Rust is not installed (or not on the PATH of $(id -un)); install it as https://rustup.rs says, open a new shell and try again."
# In the clone, rustup uses rust-toolchain.toml.
cd "$repo_root"
rustc --version >/dev/null 2>&1 ||
  die "rustc does not start; run 'rustup toolchain install stable' and try again."
found=$(rustc --version | awk '{ print $2 }')
[ "$(printf '%s\n' "$oldest" "${found%%-*}" | sort -V | head -n 1)" = "$oldest" ] ||
  die "Rust $found is too old, $oldest or newer is needed; run 'rustup update stable'."
command -v cc >/dev/null ||
  die "there is no C linker (cc); install one, on Debian and Ubuntu with 'sudo apt-get install build-essential'."
if [ "${1:-}" = --lints ]; then
  cargo fmt --version >/dev/null 2>&1 || die "cargo fmt is not installed; run 'rustup component add rustfmt'."
  cargo clippy --version >/dev/null 2>&1 || die "cargo clippy is not installed; run 'rustup component add clippy'."
fi
