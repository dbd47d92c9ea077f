# The postgres and rabbitmq services of docker-compose.yml under Docker or Podman. Sourced, never run.
# shellcheck shell=bash disable=SC2154

# One compose project for each state folder, so that several can run side by side.
project=modelday-$(printf %s "$state" | cksum | cut -d' ' -f1)

# The compose command of a running engine; empty when there is none.
engine() {
  if timeout 5 docker info >/dev/null 2>&1; then
    if docker compose version >/dev/null 2>&1; then echo docker compose; return; fi
    if docker-compose version >/dev/null 2>&1; then echo docker-compose; return; fi
  fi
  if timeout 5 podman info >/dev/null 2>&1 && timeout 5 podman compose version >/dev/null 2>&1; then echo podman compose; fi
}

compose() {
  local words
  read -ra words <<<"$(engine)"
  [ "${#words[@]}" -gt 0 ] || die "the container engine that was used before does not answer; start it, or run with MODELDAY_ENGINE=native after deleting $state."
  local files=(-f "$repo_root/docker-compose.yml")
  ! mq_for_tests || files+=(-f "$here/for-tests.yml")
  MODELDAY_PG_PORT=$(pg_port || true) MODELDAY_MQ_PORT=$(mq_port || true) MODELDAY_MQ_MANAGEMENT_PORT=$(mq_management_port) \
    MODELDAY_MQ_METRICS_PORT=$(($(mq_management_port) + 1)) \
    MODELDAY_BROKER_ACCOUNTS=$state/accounts \
    "${words[@]}" -p "$project" "${files[@]}" --env-file "$state/passwords" "$@" 8>&- 9>&-
}

# container_set_up DATABASE: the database, with the accounts of the installation `modelday`.
container_set_up() {
  local exists="SELECT count(*) FROM pg_database WHERE datname = '$1'"
  [ "$(compose exec -T postgres psql -U modelday -XqAt -c "$exists" modelday </dev/null)" = 1 ] ||
    compose exec -T postgres psql -U modelday -c "CREATE DATABASE $1" modelday </dev/null
  compose run --rm -T -e "PGDATABASE=$1" accounts </dev/null
}

container_ready() {
  case $1 in
    postgres) compose exec -T postgres pg_isready -q -h 127.0.0.1 -U modelday >/dev/null 2>&1 ;;
    rabbitmq) mq_answers ;;
  esac
}

container_up() {
  local log=$state/containers.log
  if [ "$(provider "$1")" != container ] || ! container_ready "$1"; then container_launch "$1" || return 1; fi
  if [ "$1" = postgres ]; then
    (umask 077 && password DATABASE_ADMINISTRATOR >"$pg_dir/password")
    container_set_up modelday >>"$log" 2>&1 || return 1
    if is_development; then container_set_up modelday_dev >>"$log" 2>&1 || return 1; fi
  fi
}

container_launch() {
  case $1 in
    postgres) claim_port "$pg_dir" "${MODELDAY_PG_PORT:-$(pg_port || echo 28432)}" 0 ;;
    rabbitmq) claim_port "$mq_dir" "${MODELDAY_MQ_PORT:-$(mq_port || echo 28672)}" 0 10 ;;
  esac
  say "Starting $1 in a container."
  compose up -d "$1" </dev/null >>"$log" 2>&1 && until_true 120 container_ready "$1" || return 1
  say "$1 listens on 127.0.0.1:$("$(prefix "$1")_port")."
}

container_down() { compose stop "$1" >>"$state/containers.log" 2>&1 && say "$1 stopped."; }
container_kill() { compose kill -s KILL "$1" >>"$state/containers.log" 2>&1; }
container_wipe() { compose down -v >>"$state/containers.log" 2>&1; rm -rf "${state:?}/$1"; }
container_ctl() {
  local tool=$1
  shift
  case $tool in
    rabbitmq) compose exec -T rabbitmq rabbitmqctl "$@" ;;
    postgres) compose exec -T postgres psql -U modelday modelday "$@" ;;
  esac
}
