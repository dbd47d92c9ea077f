#!/usr/bin/env bash
# Makes sure that the Python programs of tests/python/NAME.txt are there, in an environment of their own, and
# prints its folder.
# usage: python.sh NAME
# Exit code 3: they cannot be had.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

wanted=$repo_root/tests/python/$1.txt
[ -f "$wanted" ] || die "there is no $wanted."
# Kept for the next time, whatever servers the tests have.
folder=$repo_root/.local/python/$1
log=$folder.log
if ! cmp -s "$wanted" "$folder/installed.txt"; then
  mkdir -p "${folder%/*}"
  rm -rf "$folder"
  python=python3
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    python=/usr/bin/python3
    "$here/packages.sh" venv
  fi
  say "Getting $(paste -sd' ' "$wanted") for the tests."
  { "$python" -m venv "$folder" && "$folder/bin/pip" install --disable-pip-version-check -q -r "$wanted"; } >"$log" 2>&1 || {
    last_lines "$log"
    say "modelday: Python's package index has not answered as hoped; the lines above are from $log."
    exit 3
  }
  cp "$wanted" "$folder/installed.txt"
fi
echo "$folder"
