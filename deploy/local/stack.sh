#!/usr/bin/env bash
# PostgreSQL and RabbitMQ for one clone of this repository. See usage below.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=postgres.sh
. "$here/postgres.sh"
# shellcheck source=rabbitmq.sh
. "$here/rabbitmq.sh"
# shellcheck source=containers.sh
. "$here/containers.sh"

usage() {
  cat <<'TEXT'
usage: deploy/local/stack.sh COMMAND

  up [--only postgres|rabbitmq] [--private] [--for-tests]
                           start what is not running yet
  env                      print the exports of DATABASE_URL and of the accounts of each service, such as
                           TRIGGER_DATABASE_URL and TRIGGER_AMQP_URL; READER_AMQP_URL is for programs of yours.
                           After --for-tests: DATABASE_URL, AMQP_URL and AMQP_MANAGEMENT_URL of administrators
  status                   say what runs; the exit code is 1 when something does not
  down                     stop what `up` started; the data stays
  stop postgres|rabbitmq   stop one of them
  kill postgres|rabbitmq   the same without warning (SIGKILL)
  ctl rabbitmq ARGS...     rabbitmqctl
  ctl postgres ARGS...     psql
  wipe                     down, and delete the data

`up` takes DATABASE_URL and AMQP_URL as they are when set (not with --private), else a running Docker or Podman,
else the packages of Debian or Ubuntu, which it installs when they are absent.

  MODELDAY_STATE    where the data and the logs are (default: .local in the repository)
  MODELDAY_PG_PORT  first port to try for PostgreSQL (28432)
  MODELDAY_MQ_PORT  first port to try for RabbitMQ (28672; its management, for tests only, is 10 above)
  MODELDAY_ENGINE   auto, native or container (auto)
  MODELDAY_TLS      folder with ca.pem, server.pem and server.key: servers of the machine's packages speak TLS too,
                    RabbitMQ on the port after its own
  MODELDAY_COMMIT_TIMES  not empty: PostgreSQL of the machine's packages keeps the times of commits
TEXT
}

# `up` stores what provides a component: given, container or native.
provider() { cat "$state/$1.provider" 2>/dev/null || echo none; }
remember() { echo "$2" >"$state/$1.provider"; }

given_url() { case $1 in postgres) echo "${DATABASE_URL:-}" ;; rabbitmq) echo "${AMQP_URL:-}" ;; esac; }

choose_provider() {
  local component=$1 private=$2
  if [ "$private" = no ] && [ -n "$(given_url "$component")" ]; then echo given; return; fi
  case $(provider "$component") in native | container) provider "$component"; return ;; esac
  case ${MODELDAY_ENGINE:-auto} in
    native) echo native ;;
    container) [ -n "$(engine)" ] || die "MODELDAY_ENGINE=container, but neither 'docker compose' nor 'podman compose' answers; start the engine."
      echo container ;;
    auto) if [ -n "$(engine)" ]; then echo container; else echo native; fi ;;
    *) die "MODELDAY_ENGINE is '$MODELDAY_ENGINE'; it can be auto, native or container." ;;
  esac
}

prefix() { case $1 in postgres) echo pg ;; rabbitmq) echo mq ;; *) die "'$1' is neither postgres nor rabbitmq." ;; esac; }

# When a running container engine cannot fetch the images, the packages are used instead.
start_component() {
  local component=$1 kind=$2
  if [ "$kind" = given ]; then say "Using the ${component} of $(given_variable "$component")."; return; fi
  if [ "$kind" = container ]; then
    if container_up "$component"; then remember "$component" container; return; fi
    [ "${MODELDAY_ENGINE:-auto}" != container ] || die "the container engine could not start $component; see $state/containers.log."
    say "The container engine could not start $component (see $state/containers.log); using the machine's own packages."
  fi
  "$here/packages.sh" "$component" || exit 1
  "$(prefix "$component")_up"
  remember "$component" native
}
given_variable() { case $1 in postgres) echo DATABASE_URL ;; rabbitmq) echo AMQP_URL ;; esac; }

up() {
  local components=(postgres rabbitmq) private=no for_tests=no component native=() jobs=() failed=no
  local -A kind
  while [ $# -gt 0 ]; do
    case $1 in
      --only) prefix "${2:-}" >/dev/null; components=("$2"); shift 2 ;;
      --private) private=yes; shift ;;
      --for-tests) for_tests=yes; shift ;;
      *) usage >&2; exit 2 ;;
    esac
  done
  if [ "$for_tests" = yes ]; then make_accounts --for-tests; else make_accounts; fi
  for component in "${components[@]}"; do
    kind[$component]=$(choose_provider "$component" "$private") || exit 1
    case ${kind[$component]} in
      given) remember "$component" given ;;
      native) native+=("$component") ;;
    esac
  done
  "$here/packages.sh" "${native[@]}" || exit 1
  for component in "${components[@]}"; do
    start_component "$component" "${kind[$component]}" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=yes; done
  [ "$failed" = no ] || exit 1
  write_env "$for_tests"
}

# write_env FOR_TESTS: the urls are stored, so that `env` says the same in every shell.
write_env() {
  local file=$state/env.new
  (umask 077 && : >"$file")
  case $(provider postgres) in
    given) export_line DATABASE_URL "${DATABASE_URL:-}" ;;
    native | container) export_postgres "$1" ;;
  esac >>"$file"
  case $(provider rabbitmq) in
    given) export_line AMQP_URL "${AMQP_URL:-}"; export_line AMQP_MANAGEMENT_URL "${AMQP_MANAGEMENT_URL:-}" ;;
    native | container) export_rabbitmq "$1" ;;
  esac >>"$file"
  mv "$file" "$state/env"
}
export_postgres() {
  local service
  if [ "$1" = yes ]; then export_line DATABASE_URL "$(pg_url modelday "$(cat "$pg_dir/password")")"; return; fi
  export_line DATABASE_URL "$(pg_url modelday_owner "$(password DATABASE_OWNER)")"
  for service in trigger downloader executor status; do
    export_line "${service^^}_DATABASE_URL" "$(pg_url "modelday_${service}_login" "$(password "DATABASE_${service^^}")")"
  done
}
export_rabbitmq() {
  local account
  if [ "$1" = yes ]; then
    export_line AMQP_URL "$(mq_url administrator "$(password BROKER_ADMINISTRATOR)")"
    export_line AMQP_MANAGEMENT_URL "http://administrator:$(password BROKER_ADMINISTRATOR)@127.0.0.1:$(mq_management_port)"
    return
  fi
  for account in trigger downloader executor status reader; do
    export_line "${account^^}_AMQP_URL" "$(mq_url "modelday_$account" "$(password "BROKER_${account^^}")")"
  done
}
export_line() { [ -z "$2" ] || printf 'export %s=%q\n' "$1" "$2"; }

# on ACTION COMPONENT: up, down, kill or wipe of what provides the component.
on() {
  case $(provider "$2") in
    native) "$(prefix "$2")_$1" ;;
    container) "container_$1" "$2" ;;
    *) ;;
  esac
}

state_of() {
  case $(provider "$1") in
    none) echo down ;;
    given) echo "given by $(given_variable "$1")" ;;
    native) if "$(prefix "$1")_ready"; then echo "up on 127.0.0.1:$("$(prefix "$1")_port")"; else echo down; fi ;;
    container) if container_ready "$1"; then echo "up in a container on 127.0.0.1:$("$(prefix "$1")_port")"; else echo down; fi ;;
  esac
}

status() {
  local component words code=0
  for component in postgres rabbitmq; do
    words=$(state_of "$component")
    [ "$words" != down ] || code=1
    printf '%-9s %s\n' "$component" "$words"
  done
  return $code
}

ctl() {
  local component=${1:-}
  prefix "$component" >/dev/null
  shift
  case $(provider "$component") in
    native) "$(prefix "$component")_ctl" "$@" ;;
    container) container_ctl "$component" "$@" ;;
    *) die "no $component was started in $state; run 'deploy/local/stack.sh up' first." ;;
  esac
}

both() { for component in rabbitmq postgres; do on "$1" "$component"; done; }

wipe() {
  both wipe
  rm -rf "$state"/{env,passwords,accounts,postgres.provider,rabbitmq.provider,containers.log,install.log}
}

exclusively() {
  prepare_state
  lock stack.lock 9 300 "another stack.sh has been at work in $state for five minutes; end it and try again."
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  up) exclusively; up "$@" ;;
  down) [ ! -d "$state" ] || { exclusively; both down; } ;;
  stop) exclusively; prefix "${1:-}" >/dev/null; on down "$1" ;;
  kill) exclusively; prefix "${1:-}" >/dev/null; on kill "$1" ;;
  wipe) [ ! -d "$state" ] || { exclusively; wipe; rm -f "$state/stack.lock"; rmdir "$state" 2>/dev/null || true; } ;;
  env) cat "$state/env" 2>/dev/null || die "nothing was started in $state; run 'deploy/local/stack.sh up' first." ;;
  status) status || exit 1 ;;
  ctl) ctl "$@" ;;
  help | --help | -h) usage ;;
  *) usage >&2; exit 2 ;;
esac
