#!/usr/bin/env bash
# Installs the named components from packages when they are absent.
# usage: packages.sh [postgres] [rabbitmq]    the servers
#        packages.sh [PROGRAM] [pika]          what tests and checks run: programs by the names of their packages,
#                                              Python's pika or venv
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=postgres.sh
. "$here/postgres.sh"
# shellcheck source=rabbitmq.sh
. "$here/rabbitmq.sh"

absent=() servers=no
for component in "$@"; do
  case $component in postgres | rabbitmq) servers=yes ;; esac
  case $component in
    postgres) [ -n "$(pg_bin)" ] || absent+=(postgresql) ;;
    rabbitmq) if [ -n "$(mq_sbin)" ]; then mq_check_version; else absent+=(rabbitmq-server); fi ;;
    venv) /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || absent+=(python3-venv) ;;
    pika) /usr/bin/python3 -c 'import pika' 2>/dev/null || absent+=(python3-pika) ;;
    *) command -v "$component" >/dev/null || absent+=("$component") ;;
  esac
done
[ ${#absent[@]} -gt 0 ] || exit 0

needed=${absent[*]} instead=
if [ $servers = yes ]; then
  needed="PostgreSQL and RabbitMQ $mq_oldest or newer" instead=", start Docker or Podman, or set DATABASE_URL and AMQP_URL"
fi
command -v apt-get >/dev/null || die "this machine has no apt-get; install $needed yourself$instead."

if [ "$(id -u)" = 0 ]; then
  as_root=()
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
  as_root=(sudo -p "Password of %p, for apt-get: ")
else
  die "${absent[*]} must be installed, which needs root: run 'sudo apt-get install ${absent[*]}'$instead."
fi

say "Installing ${absent[*]} with apt-get; no system-wide server is started. This takes a minute."
prepare_state
log=$state/install.log
: >"$log"
if ! "${as_root[@]}" "$here/install-as-root.sh" "$mq_oldest" "${absent[@]}" >"$log" 2>&1; then
  sentence=$(grep '^modelday: ' "$log" | tail -n 1 || true)
  [ -z "$sentence" ] || { say "$sentence"; exit 1; }
  last_lines "$log"
  die "apt-get could not install ${absent[*]}; the lines above are from $log."
fi
