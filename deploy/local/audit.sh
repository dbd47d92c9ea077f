#!/usr/bin/env bash
# Checks the dependencies against deny.toml with cargo-deny. Only the advisories need the network.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v cargo-deny >/dev/null || die "cargo-deny is not installed; install it with 'cargo install cargo-deny --locked'."
cd "$repo_root"
prepare_state

# Dependencies of other platforms are not on this machine, and cargo-deny would download them.
metadata=$state/audit-metadata.json
host=$(rustc -vV | sed -n 's/^host: //p')
cargo metadata --format-version 1 --locked --all-features --filter-platform "$host" >"$metadata"
audit() { cargo deny --metadata-path "$metadata" "$@"; }

audit check --show-stats bans licenses sources ||
  die "a dependency breaks a rule of deny.toml; the lines above name it."
audit fetch db ||
  die "the database of security advisories could not be fetched, which needs the network; bans, licences and sources are as they should be."
audit check --show-stats advisories ||
  die "a dependency has an advisory or was withdrawn; the lines above name it."
