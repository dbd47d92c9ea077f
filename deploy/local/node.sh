#!/usr/bin/env bash
# Installs the JavaScript packages of tests/javascript/NAME/package.json, unless they are installed, and prints the folder
# that has them in node_modules.
# usage: node.sh NAME
# Exit code 3: they cannot be installed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages=$repo_root/tests/javascript/$1/package.json
[ -f "$packages" ] || die "there is no $packages."
# Outside the tests' own state folder, so that the next run finds it.
folder=$repo_root/.local/javascript/$1
log=$folder.log
if ! cmp -s "$packages" "$folder/installed.json"; then
  mkdir -p "${folder%/*}"
  rm -rf "$folder"
  "$here/packages.sh" npm || exit 3
  mkdir "$folder"
  cp "$packages" "$folder/package.json"
  say "Getting the packages of tests/javascript/$1 for the tests."
  (cd "$folder" && npm install --no-package-lock --no-audit --no-fund --ignore-scripts) >"$log" 2>&1 || {
    last_lines "$log"
    say "modelday: npm did not provide them; the lines above are from $log."
    exit 3
  }
  cp "$packages" "$folder/installed.json"
fi
echo "$folder"
