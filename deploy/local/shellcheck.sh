#!/usr/bin/env bash
# Runs shellcheck, which is installed when it is absent, over every shell script of the repository.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$here/packages.sh" shellcheck || exit 1
cd "$repo_root"

# By name, because sourced files have no first line of their own, and by first line, because .ci/run has no suffix.
scripts() {
  find . \( -name .git -o -name .local -o -name target \) -prune -o -type f -name '*.sh' -print
  grep -rlIE --exclude-dir={.git,.local,target} '^#!.*[/ ](ba|da)?sh( |$)' .
}

mapfile -t found < <(scripts | sort -u)
[ "${#found[@]}" -gt 1 ] || die "no shell scripts were found in $repo_root."
shellcheck "${found[@]}"
