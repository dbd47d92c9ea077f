# A private PostgreSQL made from the machine's own packages. Sourced, never run.
# $state/postgres holds its port, the password of its administrator and its system account, and usually its data too.
# shellcheck shell=bash disable=SC2154

pg_dir=$state/postgres

# The newest installed server's programs; empty when there is none.
pg_bin() {
  local bin
  if [ -n "${MODELDAY_POSTGRES_BIN:-}" ]; then echo "$MODELDAY_POSTGRES_BIN"; return; fi
  for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
    if [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ]; then echo "$bin"; return; fi
  done
  if bin=$(command -v postgres) && command -v initdb >/dev/null; then dirname "$(readlink -f "$bin")"; fi
}

pg_place() { cat "$pg_dir/place" 2>/dev/null || echo "$pg_dir"; }
pg_data() { echo "$(pg_place)/data"; }
pg_port() { cat "$pg_dir/port" 2>/dev/null; }
pg_pid() { head -n 1 "$(pg_data)/postmaster.pid" 2>/dev/null || true; }
pg_url() { echo "postgres://$1:$2@127.0.0.1:$(pg_port)/modelday"; }
pg_alive() { alive "$(pg_pid)" "$(pg_data)"; }
pg_gone() { ! pg_alive; }

# pg_psql DATABASE ARGS...: psql as the administrator, `modelday`.
pg_psql() {
  local database=$1
  shift
  PGPASSWORD=$(cat "$pg_dir/password") "$(pg_bin)/psql" "host=127.0.0.1 port=$(pg_port) user=modelday dbname=$database" "$@"
}
pg_sql() { PGCONNECT_TIMEOUT=2 pg_psql postgres -XqAt -c "$1"; }
pg_ready() { pg_alive && pg_sql 'SELECT 1' >/dev/null 2>&1; }

# PostgreSQL refuses to run as root. The first of three ways that works is stored and used again: the account of the
# packages; a user namespace in which root is that account (for a state folder under a private home); that
# account with the data in a separate folder.
pg_choose_account() {
  mkdir -p "$pg_dir"
  [ ! -s "$pg_dir/account" ] || return 0
  if [ "$(id -u)" != 0 ]; then echo self >"$pg_dir/account"; return; fi
  id postgres >/dev/null 2>&1 || die "PostgreSQL does not run as root and there is no account named postgres; run this as another user."
  chown postgres:postgres "$pg_dir"
  if pg_can_write setpriv; then return; fi
  chown root:root "$pg_dir"
  if pg_can_write namespace; then return; fi
  echo setpriv >"$pg_dir/account"
  mktemp -d /var/tmp/modelday-postgres-XXXXXX >"$pg_dir/place"
  chown postgres:postgres "$(pg_place)"
}

pg_can_write() {
  echo "$1" >"$pg_dir/account"
  (cd / && pg_as test -w "$pg_dir") 2>/dev/null
}

pg_as() {
  case $(cat "$pg_dir/account") in
    self) "$@" ;;
    setpriv) setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all -- "$@" ;;
    namespace) unshare --user --map-user="$(id -u postgres)" --map-group="$(id -g postgres)" -- "$@" ;;
  esac
}

# Runs one of the server's programs as the account that owns the data, without our environment or locks.
pg_run() {
  local program=$1
  shift
  (cd "$(pg_place)" && pg_as env -i PATH="$PATH" LC_ALL=C TZ=UTC "$(pg_bin)/$program" -D "$(pg_data)" "$@" </dev/null 8>&- 9>&-)
}

pg_create() {
  local place log secret
  place=$(pg_place) log=$pg_dir/initdb.log secret=$(pg_place)/first-password
  say "Creating a private PostgreSQL in $place."
  rm -rf "${place:?}/data"
  (umask 077 && password DATABASE_ADMINISTRATOR | tee "$pg_dir/password" >"$secret")
  chown --reference="$place" "$secret"
  pg_run initdb -U modelday -A scram-sha-256 --pwfile="$secret" -E UTF8 --locale=C --data-checksums >"$log" 2>&1 ||
    { last_lines "$log"; die "PostgreSQL could not create its files; the lines above are from $log."; }
  rm -f "$secret"
  echo "include 'modelday.conf'" >>"$place/data/postgresql.conf"
}

pg_configure() {
  local data
  data=$(pg_data)
  cat >"$data/modelday.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $(pg_port)
unix_socket_directories = ''
max_connections = 300
shared_buffers = '256MB'
fsync = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
logging_collector = off
CONF
  [ -z "${MODELDAY_COMMIT_TIMES:-}" ] || echo 'track_commit_timestamp = on' >>"$data/modelday.conf"
  [ -z "${MODELDAY_TLS:-}" ] || pg_speak_tls "$data" >>"$data/modelday.conf"
  echo "include_if_exists 'replication.conf'" >>"$data/modelday.conf"
  chown --reference="$data/postgresql.conf" "$data/modelday.conf"
}

# The server accepts its key only when no other user can read it.
pg_speak_tls() {
  local file
  for file in server.pem server.key; do
    install -m 600 "$MODELDAY_TLS/$file" "$1/$file"
    chown --reference="$1/postgresql.conf" "$1/$file"
  done
  printf '%s\n' "ssl = on" "ssl_cert_file = 'server.pem'" "ssl_key_file = 'server.key'"
}

# The lock file of a killed server names a pid that may be a zombie for a while (the server would think that it is
# running), or, after a reboot, another program.
pg_clear_stale_pid() {
  local pid
  pid=$(pg_pid)
  if [ -z "$pid" ]; then return; fi
  if [ -n "$(command_of "$pid")" ]; then rm -f "$(pg_data)/postmaster.pid"; return; fi
  until_true 15 test ! -e "/proc/$pid" || rm -f "$(pg_data)/postmaster.pid"
}

pg_start() {
  local log try
  log=$(pg_place)/server.log
  for try in 1 2 3 4 5; do
    if pg_run pg_ctl -l "$log" -w -t 60 -s start >/dev/null 2>&1; then return; fi
    # Children of a killed server hold its shared memory for a moment longer.
    tail -n 4 "$log" 2>/dev/null | grep -q 'still in use\|already exists' || break
    sleep "$try"
  done
  last_lines "$log"
  die "PostgreSQL did not start; the lines above are from $log."
}

pg_up() {
  if ! pg_ready; then
    pg_choose_account
    if ! pg_alive; then pg_launch; fi
    until_true 60 pg_ready || die "PostgreSQL runs but does not answer; see $(pg_place)/server.log."
    say "PostgreSQL $(pg_sql 'SHOW server_version' | cut -d' ' -f1) listens on 127.0.0.1:$(pg_port)."
  fi
  pg_set_up modelday
  if is_development; then pg_set_up modelday_dev; fi
}

pg_launch() {
  claim_port "$pg_dir" "${MODELDAY_PG_PORT:-$(pg_port || echo 28432)}" 0
  if [ ! -f "$(pg_data)/PG_VERSION" ] || [ ! -s "$pg_dir/password" ]; then pg_create; fi
  pg_check_version
  pg_configure
  pg_clear_stale_pid
  pg_start
}

# pg_set_up DATABASE: the database, with the accounts of the installation `modelday`.
pg_set_up() {
  local log=$pg_dir/setup.log
  [ "$(pg_sql "SELECT count(*) FROM pg_database WHERE datname = '$1'")" = 1 ] || pg_sql "CREATE DATABASE $1"
  PGOPTIONS=$(pg_account_options) pg_psql "$1" -Xq -v ON_ERROR_STOP=1 -f "$repo_root/deploy/postgres/setup.sql" >"$log" 2>&1 ||
    { last_lines "$log"; die "the accounts of the database $1 could not be made; the lines above are from $log."; }
}

# In the environment, because everyone on the machine can read the arguments of a process.
pg_account_options() {
  local account
  printf '%s' '-c modelday.installation=modelday'
  for account in owner trigger downloader executor status; do
    printf ' -c modelday.%s_password=%s' "$account" "$(password "DATABASE_${account^^}")"
  done
}

# Files made by one major version cannot be opened by another.
pg_check_version() {
  local made installed
  made=$(cat "$(pg_data)/PG_VERSION")
  installed=$("$(pg_bin)/postgres" --version | grep -o '[0-9]\+' | head -n 1)
  [ "$made" = "$installed" ] ||
    die "the data in $(pg_data) was made by PostgreSQL $made, but $installed is installed; 'deploy/local/stack.sh wipe' starts afresh."
}

pg_down() {
  if ! pg_alive; then return; fi
  pg_run pg_ctl -m fast -w -t 60 -s stop >/dev/null 2>&1 ||
    die "PostgreSQL (pid $(pg_pid)) did not stop within a minute; see $(pg_place)/server.log."
  say "PostgreSQL stopped."
}

# Like a power cut: kills the server and its children at once.
pg_kill() {
  local pid children
  pg_alive || die "PostgreSQL is not running."
  pid=$(pg_pid)
  children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true)
  # shellcheck disable=SC2086 # a list of pids
  kill -KILL "$pid" $children 2>/dev/null || true
  until_true 10 pg_gone || die "PostgreSQL (pid $pid) did not end."
}

pg_wipe() {
  if pg_alive; then pg_kill; fi
  [ ! -f "$pg_dir/place" ] || rm -rf "$(pg_place)"
  release_port "$pg_dir"
  rm -rf "$pg_dir"
}

pg_ctl() { pg_psql modelday "$@"; }
