#!/usr/bin/env bash
# Three RabbitMQ nodes and two PostgreSQL servers on this machine's loopback, any one of which may be killed. It shows how
# Modelday behaves on such servers; on several machines use what docs/deploy.md names. See usage below.
# shellcheck disable=SC2030,SC2031,SC2119 # each server has variables of its own, in a subshell
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=postgres.sh
. "$here/postgres.sh"
# shellcheck source=rabbitmq.sh
. "$here/rabbitmq.sh"

state=$state/cluster
brokers=(broker-1 broker-2 broker-3) databases=(postgres-1 postgres-2)

usage() {
  cat <<'TEXT'
usage: deploy/local/cluster.sh COMMAND

  up           start broker-1 to broker-3, a primary and a standby PostgreSQL (postgres-1, postgres-2), and a watcher,
               which promotes the standby when the primary's process has ended
  env          print the exports of DATABASE_URL and of the accounts of each service, with the addresses of all servers
  status       say what runs
  kill NAME    end a server without warning (SIGKILL)
  start NAME   start a killed server; a PostgreSQL server becomes the standby of the other one
  down         stop everything; the data stays
  wipe         down, and delete the data

  MODELDAY_STATE   folder of the data and the logs: its subfolder `cluster` (default: .local in the repository)
TEXT
}

# on NAME COMMAND...: runs a command of postgres.sh or rabbitmq.sh for that server.
on() {
  (
    case $1 in
      postgres-[12]) pg_dir=$state/$1 ;;
      broker-[123])
        mq_dir=$state/$1 mq_name=$1 mq_shared_mapper=$(cat "$state/mapper/port" 2>/dev/null || true)
        mq_peers=$(peers)
        ;;
      *) die "'$1' is neither broker-1 to broker-3 nor postgres-1 or postgres-2." ;;
    esac
    shift
    "$@"
  )
}

peers() {
  local number
  echo 'cluster_formation.peer_discovery_backend = classic_config'
  echo 'cluster_formation.discovery_retry_limit = 1'
  for number in 1 2 3; do echo "cluster_formation.classic_config.nodes.$number = broker-$number@localhost"; done
}

primary() { cat "$state/primary" 2>/dev/null || echo postgres-1; }
standby() { if [ "$(primary)" = postgres-1 ]; then echo postgres-2; else echo postgres-1; fi; }

# --- brokers ----------------------------------------------------------------------------------

# All nodes of a cluster have the same secret and register at the same port mapper.
start_broker() {
  local folder=$state/$1
  if [ ! -s "$folder/home/.erlang.cookie" ]; then
    mkdir -p "$folder/home"
    install -m 400 "$state/cookie" "$folder/home/.erlang.cookie"
  fi
  on "$1" mq_up
}

start_mapper() {
  mkdir -p "$state/mapper"
  if alive "$(cat "$state/mapper/pid" 2>/dev/null)" epmd; then return; fi
  claim_port "$state/mapper" 28972 0
  setsid epmd -address 127.0.0.1 -port "$(cat "$state/mapper/port")" -relaxed_command_check </dev/null >"$state/mapper/log" 2>&1 9>&- &
  echo $! >"$state/mapper/pid"
}

# --- databases --------------------------------------------------------------------------------

# synchronous NAME WHO: a commit waits for the standby while there is one (WHO is *), so that it survives the primary.
synchronous() {
  local data
  data=$(on "$1" pg_data)
  echo "synchronous_standby_names = '$2'" >"$data/replication.conf"
  chown --reference="$data/postgresql.conf" "$data/replication.conf"
  echo "$2" >"$state/synchronous"
  if on "$1" pg_alive; then on "$1" pg_run pg_ctl -s reload; fi
}

has_standby() { [ "$(on "$(primary)" pg_sql "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'" 2>/dev/null)" = 1 ]; }

# Copies the primary's data; what the server had is deleted, because it may have what the primary does not.
copy_primary() {
  local source data
  source=$(on "$(primary)" pg_port)
  pg_choose_account
  claim_port "$pg_dir" "${MODELDAY_PG_PORT:-$(pg_port || echo 28832)}" 0
  cp "$state/$(primary)/password" "$pg_dir/password"
  data=$(pg_data)
  rm -rf "${data:?}"
  (cd "$(pg_place)" && PGPASSWORD=$(cat "$pg_dir/password") pg_as "$(pg_bin)/pg_basebackup" -R -X stream -c fast \
    -D "$data" -h 127.0.0.1 -p "$source" -U modelday) >"$pg_dir/copy.log" 2>&1 ||
    { last_lines "$pg_dir/copy.log"; die "the primary could not be copied; the lines above are from $pg_dir/copy.log."; }
  rm -f "$data/replication.conf"
  pg_configure
  pg_start
}

start_database() {
  if on "$1" pg_alive; then return; fi
  # Who the primary is stays so until it runs.
  exec 8>>"$state/roles.lock"
  flock 8
  if [ "$1" = "$(primary)" ]; then
    # It must not wait for a standby that waits for it.
    if [ -f "$(on "$1" pg_data)/PG_VERSION" ]; then synchronous "$1" ''; fi
    on "$1" pg_up
  else
    on "$1" copy_primary
    say "$1 is the standby of $(primary)."
  fi
  exec 8>&-
}

promote() {
  local new
  exec 8>>"$state/roles.lock"
  flock 8
  new=$(standby)
  if on "$(primary)" pg_gone && on "$new" pg_alive; then
    synchronous "$new" ''
    on "$new" pg_run pg_ctl -s -w -t 30 promote
    echo "$new" >"$state/primary"
    say "$new is the primary now."
  fi
  exec 8>&-
}

# Ends when the state folder does. A process that has ended cannot write any more, so there are never two primaries.
watch() {
  while [ -d "$state" ]; do
    if on "$(primary)" pg_gone; then
      promote
    elif on "$(standby)" pg_gone; then
      [ -z "$(cat "$state/synchronous")" ] || synchronous "$(primary)" ''
    elif [ -z "$(cat "$state/synchronous")" ] && has_standby; then
      synchronous "$(primary)" '*'
    fi
    sleep 0.2
  done
}

# --- commands ---------------------------------------------------------------------------------

up() {
  local name first
  "$here/packages.sh" postgres rabbitmq || exit 1
  make_accounts
  [ -s "$state/cookie" ] || (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$state/cookie")
  [ -e "$state/synchronous" ] || echo >"$state/synchronous"
  start_database "$(primary)" &
  first=$!
  start_mapper
  # One after the other, so that the later ones find a cluster to join.
  for name in "${brokers[@]}"; do start_broker "$name"; done
  wait "$first" || exit 1
  start_database "$(standby)"
  start_watcher
  until_true 30 synchronous_now || die "the standby does not follow the primary; see $state/$(standby)/server.log."
}
synchronous_now() { [ "$(cat "$state/synchronous")" = '*' ]; }

start_watcher() {
  if alive "$(cat "$state/watcher.pid" 2>/dev/null)" cluster.sh; then return; fi
  MODELDAY_STATE=${state%/cluster} setsid "$here/cluster.sh" watch </dev/null >"$state/watcher.log" 2>&1 9>&- &
  echo $! >"$state/watcher.pid"
}

# all SCHEME ACCOUNT PASSWORD NAME...: the addresses of these servers, separated by commas.
all() {
  local scheme=$1 account=$2 secret=$3 name port urls=()
  shift 3
  for name in "$@"; do
    port=$(cat "$state/$name/port")
    urls+=("$scheme://$account:$secret@127.0.0.1:$port/modelday")
  done
  (IFS=,; echo "${urls[*]}")
}

env_lines() {
  local service
  export_line DATABASE_URL "$(all postgres modelday_owner "$(password DATABASE_OWNER)" "${databases[@]}")"
  for service in trigger downloader executor status; do
    export_line "${service^^}_DATABASE_URL" \
      "$(all postgres "modelday_${service}_login" "$(password "DATABASE_${service^^}")" "${databases[@]}")"
    export_line "${service^^}_AMQP_URL" "$(all amqp "modelday_$service" "$(password "BROKER_${service^^}")" "${brokers[@]}")"
  done
}
export_line() { printf 'export %s=%q\n' "$1" "$2"; }

status() {
  local name
  for name in "${brokers[@]}"; do
    if on "$name" mq_ready; then echo "$name is up"; else echo "$name is down"; fi
  done
  for name in "${databases[@]}"; do
    if on "$name" pg_gone; then echo "$name is down"
    elif [ "$name" = "$(primary)" ] && synchronous_now; then echo "$name is the primary, whose commits wait for the standby"
    elif [ "$name" = "$(primary)" ]; then echo "$name is the primary"
    else echo "$name is the standby"; fi
  done
}

down() {
  local name
  stop_process "$(cat "$state/watcher.pid" 2>/dev/null)" cluster.sh 5
  for name in "${brokers[@]}"; do on "$name" mq_down; done
  for name in "$(standby)" "$(primary)"; do on "$name" pg_down; done
  stop_process "$(cat "$state/mapper/pid" 2>/dev/null)" epmd 5
}

wipe() {
  local name
  stop_process "$(cat "$state/watcher.pid" 2>/dev/null)" cluster.sh 5
  for name in "${brokers[@]}"; do on "$name" mq_wipe; done
  for name in "${databases[@]}"; do on "$name" pg_wipe; done
  stop_process "$(cat "$state/mapper/pid" 2>/dev/null)" epmd 5
  release_port "$state/mapper"
  rm -rf "$state"
}

exclusively() {
  prepare_state
  lock cluster.lock 9 300 "another cluster.sh has been at work in $state for five minutes; end it and try again."
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  up) exclusively; up ;;
  env) env_lines ;;
  status) status ;;
  kill)
    exclusively
    case ${1:-} in broker-*) on "$1" mq_kill ;; *) on "${1:-}" pg_kill ;; esac
    ;;
  start)
    exclusively
    case ${1:-} in broker-*) start_broker "$1" ;; *) start_database "${1:-}" ;; esac
    ;;
  watch) watch ;;
  down) [ ! -d "$state" ] || { exclusively; down; } ;;
  wipe) [ ! -d "$state" ] || { exclusively; wipe; } ;;
  help | --help | -h) usage ;;
  *) usage >&2; exit 2 ;;
esac
