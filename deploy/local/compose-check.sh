#!/usr/bin/env bash
# Lets a real compose tool read docker-compose.yml, or the given file, for every profile, and prints the tool's name.
# No container engine is needed. `compose-check.sh install` only installs a tool when there is none.
# Exit code 3: no tool can be installed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

unpacked=$state/compose-check
log=$state/compose-check.log

# The command of a working tool; empty when there is none.
tool() {
  local file
  if docker compose version >/dev/null 2>&1; then echo docker compose; return; fi
  for file in docker-compose "$unpacked"/usr/libexec/docker/cli-plugins/docker-compose "$unpacked"/usr/bin/docker-compose; do
    if "$file" version >/dev/null 2>&1; then echo "$file"; return; fi
  done
}

# In newer Debian releases the tool is one program that runs from any folder; root is not needed.
unpack() {
  local package
  for package in docker-compose-v2 docker-compose; do
    rm -rf "$unpacked"
    mkdir -p "$unpacked"
    (cd "$unpacked" && apt-get download "$package" && dpkg -x ./*.deb . && rm -f ./*.deb) >>"$log" 2>&1 || continue
    [ -z "$(tool)" ] || return 0
  done
  rm -rf "$unpacked"
  return 1
}

# In older releases it needs libraries.
install_package() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
    [ ! -t 0 ] || as_root=(sudo -p "Password of %p, for apt-get: ")
  fi
  "${as_root[@]}" true 2>/dev/null || return 1
  "${as_root[@]}" apt-get -q update >>"$log" 2>&1 || true
  unpack || "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 docker-compose >>"$log" 2>&1
}

if [ -z "$(tool)" ]; then
  prepare_state
  : >"$log"
  if command -v apt-get >/dev/null; then
    say "Getting docker-compose with apt-get, to read docker-compose.yml with."
    unpack || install_package || true
  fi
  if [ -z "$(tool)" ]; then
    last_lines "$log"
    say "modelday: there is no compose tool; install one, on Debian and Ubuntu with 'sudo apt-get install docker-compose'."
    exit 3
  fi
fi
[ "${1:-}" != install ] || exit 0
read -ra words <<<"$(tool)"

file=${1:-$repo_root/docker-compose.yml}
accounts=$(mktemp -d)
trap 'rm -rf "$accounts"' EXIT
"$repo_root/deploy/accounts.sh" "$accounts/passwords" "$accounts"
for profile in "" standin telemetry; do
  answer=$(COMPOSE_PROFILES=$profile "${words[@]}" --env-file "$accounts/passwords" -f "$file" config 2>&1) ||
    { printf '%s\n' "$answer" | tail -n 12 >&2; die "${words[*]} does not accept $file (profile '${profile:-none}')."; }
  for service in postgres rabbitmq migrate trigger downloader executor status gateway; do
    grep -q "^  $service:" <<<"$answer" || die "$file has no service $service, says ${words[*]}."
  done
done
echo "${words[*]}"
