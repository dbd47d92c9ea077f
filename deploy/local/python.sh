#!/usr/bin/env bash
# Installs the Python packages of tests/python/NAME.txt in a virtual environment, unless they are installed, and prints
# its folder.
# usage: python.sh NAME
# Exit code 3: they cannot be installed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

requirements=$repo_root/tests/python/$1.txt
[ -f "$requirements" ] || die "there is no $requirements."
# Outside the tests' own state folder, so that the next run finds it.
folder=$repo_root/.local/python/$1
log=$folder.log
mkdir -p "${folder%/*}"
# Of several tests that need it, one installs it.
exec 9>"$folder.lock"
flock 9
if ! cmp -s "$requirements" "$folder/installed.txt"; then
  rm -rf "$folder"
  python=python3
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    python=/usr/bin/python3
    "$here/packages.sh" venv
  fi
  say "Getting $(paste -sd' ' "$requirements") for the tests."
  { "$python" -m venv "$folder" && "$folder/bin/pip" install --disable-pip-version-check -q -r "$requirements"; } >"$log" 2>&1 || {
    last_lines "$log"
    say "modelday: Python's package index did not provide them; the lines above are from $log."
    exit 3
  }
  cp "$requirements" "$folder/installed.txt"
fi
echo "$folder"
