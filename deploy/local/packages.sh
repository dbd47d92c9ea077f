#!/usr/bin/env bash
# Makes sure that the packages of PostgreSQL and RabbitMQ are there. usage: packages.sh [postgres] [rabbitmq]
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=postgres.sh
. "$here/postgres.sh"
# shellcheck source=rabbitmq.sh
. "$here/rabbitmq.sh"

absent=()
for component in "$@"; do
  case $component in
    postgres) [ -n "$(pg_bin)" ] || absent+=(postgresql) ;;
    rabbitmq) if [ -n "$(mq_sbin)" ]; then mq_check_version; else absent+=(rabbitmq-server); fi ;;
  esac
done
[ ${#absent[@]} -gt 0 ] || exit 0

wanted="PostgreSQL and RabbitMQ $mq_oldest or newer"
command -v apt-get >/dev/null ||
  die "this machine has no apt-get; install $wanted yourself, start Docker or Podman, or set DATABASE_URL and AMQP_URL."

if [ "$(id -u)" = 0 ]; then
  as_root=()
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
  as_root=(sudo -p "Password of %p, for apt-get: ")
else
  die "${absent[*]} must be installed, which needs root: run 'sudo apt-get install ${absent[*]}', start Docker or Podman, or set DATABASE_URL and AMQP_URL."
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
