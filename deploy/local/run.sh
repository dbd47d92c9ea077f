#!/usr/bin/env bash
# From a clone to a leaderboard: servers, build, services, sample job. Started services stay until `make down`.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=services.sh
. "$here/services.sh"

build() {
  local log=$state/build.log note=
  [ -x "$modelday" ] || note="; the first time takes some minutes"
  say "Building Modelday$note."
  export CARGO_TERM_COLOR=never
  if ! compile; then
    build_errors "$log"
    die "the build failed; all it said is in $log."
  fi
}

# In a terminal, only the number of compiled crates is shown.
compile() {
  local words=(cargo build --release --locked -p modelday -p standin)
  if [ ! -t 2 ]; then
    "${words[@]}" >"$log" 2>&1 7>&-
    return
  fi
  local code=0
  CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=80 "${words[@]}" 2>&1 7>&- | tee "$log" | show_progress || code=$?
  printf '\r\033[K' >&2
  return $code
}

show_progress() {
  tr '\r' '\n' | sed -un 's|.*\] \([0-9]*/[0-9]*\).*|\1|p' | while read -r count; do printf '\r\033[K  %s' "$count" >&2; done
}

build_errors() {
  if grep -q '^error' "$1"; then grep -A 12 '^error' "$1" | head -n 40 >&2; else last_lines "$1" 12; fi
}

# A URL with a password is refused later, by the services; it must not be printed before.
without_password() { printf '%s' "${1/'//'*@/'//'}"; }

# Without a key of a real provider, other prices than the shipped ones come from the stand-in.
choose_provider() {
  if [ -n "${ALPHAVANTAGE_API_KEY:-${ALPHAADVANTAGE_API_KEY:-}}" ]; then
    stop standin "$standin"
    say "Prices come from $(without_password "${ALPHAVANTAGE_BASE_URL:-Alpha Vantage}"), with your key."
    return
  fi
  if [ -n "${TIINGO_API_KEY:-}${MASSIVE_API_KEY:-}" ]; then
    stop standin "$standin"
    say "Prices come from the sources of ${SOURCES_FILE:-configs/sources.toml} of which you have a key."
    return
  fi
  say "No key of a price provider is set: prices come from a local stand-in that serves recorded ones."
  if ! unchanged standin "$standin"; then
    stop standin "$standin"
    free_port standin "${MODELDAY_STANDIN_PORT:-8090}"
    launch standin "$standin" --listen "127.0.0.1:$(port_of standin)"
    wait_for standin "$standin" /control/calls
  fi
  ALPHAVANTAGE_BASE_URL=http://127.0.0.1:$(port_of standin)
  export ALPHAVANTAGE_BASE_URL ALPHAVANTAGE_API_KEY=standin-paying-key
}

# In DEV, agents are scripted.
choose_agents() {
  if ! is_development; then
    stop agents "$agents"
    return
  fi
  if [ -z "${DEV_ENDPOINT_URL:-}" ]; then
    if ! unchanged agents "$agents"; then
      stop agents "$agents"
      free_port agents "${MODELDAY_AGENTS_PORT:-8091}"
      launch agents "$agents" --listen "127.0.0.1:$(port_of agents)"
      wait_for agents "$agents" /v1/models
    fi
    DEV_ENDPOINT_URL=http://127.0.0.1:$(port_of agents)/v1
    export DEV_ENDPOINT_URL
  fi
  say "DEPLOYMENT_MODE=DEV: agents are scripted at $(without_password "$DEV_ENDPOINT_URL"), and the data is separate."
}

serve() {
  local host=127.0.0.1 first=8080
  if [ -n "${LISTEN:-}" ]; then host=${LISTEN%:*} first=${LISTEN##*:}; fi
  if ! unchanged modelday "$modelday"; then
    stop modelday "$modelday"
    free_port modelday "$first"
    "$modelday" migrate >"$state/migrate.log" 2>&1 7>&- ||
      { last_lines "$state/migrate.log"; die "the database could not be prepared; the lines above are from $state/migrate.log."; }
    launch modelday env "LISTEN=$host:$(port_of modelday)" "$modelday" serve
  fi
  wait_for modelday "$modelday" /readyz
}

# The sample needs no provider: its prices are shipped. They stay out where stored prices of a provider differ; the sample
# then runs on those.
import_shipped_prices() {
  "$modelday" prices import "$repo_root/tests/data/nasdaq100_daily_2025.csv.gz" --base-url "$1" \
    >"$state/import.log" 2>&1 7>&- ||
    say "The shipped prices were not imported: $(tail -n 1 "$state/import.log" | cut -c1-300)"
}

# Keys that `modelday init` has written. What the environment says counts more.
if [ ! -f "$repo_root/.env" ]; then
  (umask 077 && echo "# Keys and settings for 'make run'. 'modelday init' writes them." >"$repo_root/.env")
fi
of_environment=$(export -p)
set -a
# shellcheck source=/dev/null
. "$repo_root/.env"
set +a
# The services read the keys from the file, and again on request; in their environment, keys would stay as they are now.
if [ -z "${KEYS_FILE:-}" ]; then
  export KEYS_FILE=$repo_root/.env
  while read -r name; do export -n "${name?}"; done < <(key_variables)
fi
eval "$of_environment"

"$here/toolchain.sh" || exit 1
prepare_state
lock run.lock 7 600 "another 'make run' has been at work in this clone for ten minutes; end it and try again."
"$here/stack.sh" up 7>&- || exit 1
environment=$("$here/stack.sh" env) || exit 1
eval "$environment"
cd "$repo_root"
build
choose_provider
choose_agents
serve
say "Modelday serves on http://127.0.0.1:$(port_of modelday); its log is $state/modelday.log."
import_shipped_prices "http://127.0.0.1:$(port_of modelday)"
trap - ERR
"$modelday" run --sample --base-url "http://127.0.0.1:$(port_of modelday)" 7>&-
