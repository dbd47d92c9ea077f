# A private RabbitMQ made from the machine's own packages, under $state/rabbitmq. Sourced, never run.
# shellcheck shell=bash disable=SC2154

mq_dir=$state/rabbitmq
mq_oldest=3.10
# What differs among the nodes of a cluster: the name, the port of the port mapper that they share, and the peers' lines of
# the configuration.
mq_name=modelday mq_shared_mapper='' mq_peers=''

# The newest installed server's scripts; empty when there is none. They are called directly: the wrappers on the
# PATH change to the system's own account and drop the environment.
mq_sbin() {
  local sbin
  if [ -n "${MODELDAY_RABBITMQ_SBIN:-}" ]; then echo "$MODELDAY_RABBITMQ_SBIN"; return; fi
  for sbin in $(printf '%s\n' /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin | sort -rV); do
    if [ -x "$sbin/rabbitmq-server" ]; then echo "$sbin"; return; fi
  done
}

# The version is in the name of the folder, ".../rabbitmq_server-3.10.8/sbin".
mq_version() { mq_sbin | grep -o '[0-9]\+\.[0-9]\+\(\.[0-9]\+\)*' | tail -n 1; }

mq_check_version() { mq_new_enough "$(mq_version)" || die "$(mq_too_old "$(mq_version)")"; }
mq_new_enough() { [ "$(printf '%s\n' "$mq_oldest" "$1" | sort -V | head -n 1)" = "$mq_oldest" ]; }
mq_too_old() {
  echo "this machine offers RabbitMQ $1, and modelday needs $mq_oldest or newer; start Docker or Podman, install a newer one as https://www.rabbitmq.com/docs/install-debian says, or set AMQP_URL to a broker you have."
}

mq_port() { cat "$mq_dir/port" 2>/dev/null; }
mq_management_port() { echo $(($(mq_port) + 10)); }
mq_mapper_port() { echo "${mq_shared_mapper:-$(($(mq_port || echo 0) + 13))}"; }
mq_url() { echo "amqp://$1:$2@127.0.0.1:$(mq_port)/modelday"; }

# For tests, which make virtual hosts and accounts: an administrator, the management plugin, and metrics on the port after
# that of the management.
mq_for_tests() { [ -e "$state/accounts/for-tests.json" ]; }

# The broker deletes its own pid file early in its shutdown, so this script makes a copy.
mq_pid() { cat "$mq_dir/server.pid" 2>/dev/null || cat "$mq_dir/pid" 2>/dev/null || true; }
mq_alive() { alive "$(mq_pid)" "$mq_dir/home"; }
mq_gone() { ! mq_alive; }
mq_ready() { mq_alive && mq_answers; }

# The broker answers clients when it has imported the accounts.
mq_answers() {
  mq_speaks_amqp || return 1
  ! mq_for_tests || [ "$(http_status "$(mq_management_port)" /api/whoami "administrator:$(password BROKER_ADMINISTRATOR)")" = 200 ]
}

# An open port does not prove that the broker runs: it must answer the AMQP header.
mq_speaks_amqp() {
  # shellcheck disable=SC2016 # $1 belongs to the inner shell
  timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "AMQP\0\0\11\1" >&3 && head -c 1 <&3 | od -An -tx1 | grep -q 01' \
    _ "$(mq_port)" 2>/dev/null
}

# Replaces this process by a command whose node has everything in our folder and on loopback, including the ports of
# distribution, command-line tools and a separate port mapper. The node stores its data under its name, so the name
# never changes.
mq_exec() {
  cd "$mq_dir" || exit 1
  unset "${!RABBITMQ_@}" "${!ERL_@}"
  local port mapper loopback
  port=$(mq_port) mapper=$(mq_mapper_port)
  loopback='-kernel inet_dist_use_interface {127,0,0,1}'
  export HOME=$mq_dir/home LANG=C.UTF-8 LC_ALL=C.UTF-8
  export RABBITMQ_NODENAME=$mq_name@localhost
  export RABBITMQ_MNESIA_BASE=$mq_dir/data RABBITMQ_LOG_BASE=$mq_dir/log RABBITMQ_PID_FILE=$mq_dir/pid
  export RABBITMQ_CONF_ENV_FILE=$mq_dir/empty.conf RABBITMQ_CONFIG_FILE=$mq_dir/rabbitmq.conf
  export RABBITMQ_ADVANCED_CONFIG_FILE=$mq_dir/advanced.config RABBITMQ_GENERATED_CONFIG_DIR=$mq_dir/generated
  export RABBITMQ_ENABLED_PLUGINS_FILE=$mq_dir/enabled_plugins
  export RABBITMQ_DIST_PORT=$((port + 12)) ERL_EPMD_PORT=$mapper ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_CTL_DIST_PORT_MIN=$((port + 14)) RABBITMQ_CTL_DIST_PORT_MAX=$((port + 29))
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="$loopback +sbwt none +sbwtdcpu none +sbwtdio none"
  export RABBITMQ_CTL_ERL_ARGS=$loopback ERL_CRASH_DUMP_SECONDS=0
  exec "$@" 8>&- 9>&-
}

mq_configure() {
  local port
  port=$(mq_port)
  mkdir -p "$mq_dir"/{home,data,log,generated}
  : >"$mq_dir/empty.conf"
  echo '[].' >"$mq_dir/advanced.config"
  if mq_for_tests; then cat "$here/for-tests.plugins"; else echo '[].'; fi >"$mq_dir/enabled_plugins"
  rm -rf "$mq_dir/accounts"
  cp -a "$state/accounts" "$mq_dir/accounts"
  [ -s "$mq_dir/home/.erlang.cookie" ] || (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$mq_dir/home/.erlang.cookie")
  chmod 400 "$mq_dir/home/.erlang.cookie"
  cat >"$mq_dir/rabbitmq.conf" <<CONF
listeners.tcp.local = 127.0.0.1:$port
load_definitions = $mq_dir/accounts
disk_free_limit.absolute = 100MB
vm_memory_high_watermark.absolute = 1GB
log.console = false
log.file.level = warning
$mq_peers
CONF
  ! mq_for_tests || cat >>"$mq_dir/rabbitmq.conf" <<CONF
management.tcp.ip = 127.0.0.1
management.tcp.port = $(mq_management_port)
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = $(($(mq_management_port) + 1))
CONF
  [ -z "${MODELDAY_TLS:-}" ] || mq_speak_tls >>"$mq_dir/rabbitmq.conf"
}

mq_speak_tls() {
  (umask 077 && mkdir -p "$mq_dir/tls")
  cp "$MODELDAY_TLS"/{ca.pem,server.pem,server.key} "$mq_dir/tls"
  cat <<CONF
listeners.ssl.local = 127.0.0.1:$(($(mq_port) + 1))
ssl_options.cacertfile = $mq_dir/tls/ca.pem
ssl_options.certfile = $mq_dir/tls/server.pem
ssl_options.keyfile = $mq_dir/tls/server.key
ssl_options.verify = verify_none
CONF
}

mq_up() {
  local deadline=$((SECONDS + 120))
  mq_check_version
  mq_forget_other_accounts
  if mq_ready; then return; fi
  if ! mq_alive; then
    mq_stop_mapper
    claim_port "$mq_dir" "${MODELDAY_MQ_PORT:-$(mq_port || echo 28672)}" 0 1 10 11 12 13
    mq_configure
    rm -f "$mq_dir/pid" "$mq_dir/server.pid"
    [ -n "$mq_shared_mapper" ] || mq_start_mapper
    mq_exec setsid "$(mq_sbin)/rabbitmq-server" </dev/null >"$mq_dir/log/start.log" 2>&1 &
    echo $! >"$mq_dir/start.pid"
  fi
  until [ -s "$mq_dir/pid" ] && mq_ready; do
    if ((SECONDS > deadline)) || [ ! -e "/proc/$(cat "$mq_dir/start.pid")" ]; then
      last_lines "$mq_dir/log/start.log"
      die "RabbitMQ did not start; the lines above are from $mq_dir/log/start.log."
    fi
    sleep 0.1
  done
  mq_pid >"$mq_dir/server.pid.new" && mv "$mq_dir/server.pid.new" "$mq_dir/server.pid"
  say "RabbitMQ $(mq_version) listens on 127.0.0.1:$(mq_port)."
}

# A broker with other accounts, such as `guest`, begins anew: nothing is lost, because PostgreSQL has every message.
mq_forget_other_accounts() {
  [ -d "$mq_dir/data" ] && ! diff -rq "$state/accounts" "$mq_dir/accounts" >/dev/null 2>&1 || return 0
  if mq_alive; then mq_down; fi
  rm -rf "$mq_dir/data"
}

mq_down() {
  local pid
  pid=$(mq_pid)
  if alive "$pid" "$mq_dir/home"; then
    stop_process "$pid" "$mq_dir/home" 60 || die "RabbitMQ (pid $pid) did not stop; see $mq_dir/log."
    say "RabbitMQ stopped."
  fi
  rm -f "$mq_dir/server.pid"
  mq_stop_mapper
}

mq_start_mapper() {
  mq_exec setsid epmd -address 127.0.0.1 -port "$(mq_mapper_port)" -relaxed_command_check </dev/null >"$mq_dir/log/epmd.log" 2>&1 &
  echo $! >"$mq_dir/epmd.pid"
}

# The port mapper has no state, so it is stopped with the broker. Erlang's tools start one when there is none.
mq_stop_mapper() {
  local port
  [ -z "$mq_shared_mapper" ] || return 0
  stop_process "$(cat "$mq_dir/epmd.pid" 2>/dev/null)" epmd 5
  port=$(mq_mapper_port)
  if [ "$port" -gt 13 ] && port_open "$port"; then epmd -port "$port" -kill >/dev/null 2>&1 || true; fi
}

mq_kill() {
  local pid
  mq_alive || die "RabbitMQ is not running."
  pid=$(mq_pid)
  kill -KILL "$pid"
  until_true 10 gone "$pid" "$mq_dir/home" || die "RabbitMQ (pid $pid) did not end."
}

mq_ctl() {
  local tool=rabbitmqctl
  case ${1:-} in diagnostics | plugins | queues) tool=rabbitmq-$1; shift ;; esac
  [ -s "$mq_dir/port" ] || die "no RabbitMQ was started in $state; run 'deploy/local/stack.sh up' first."
  (mq_exec "$(mq_sbin)/$tool" "$@") || exit $?
}

mq_wipe() {
  if mq_alive; then mq_kill; fi
  mq_stop_mapper
  release_port "$mq_dir"
  rm -rf "$mq_dir"
}
