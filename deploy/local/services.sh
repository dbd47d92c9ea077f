# What `make run` starts and `make down` stops: modelday, and the stand-ins for Alpha Vantage and for paid agents.
# Sourced, never run.
# shellcheck shell=bash disable=SC2154,SC2034

programs=${CARGO_TARGET_DIR:-$repo_root/target}/release
modelday=$programs/modelday
standin=$programs/standin-alpha-vantage
agents=$programs/standin-chat

pid_of() { cat "$state/$1.pid" 2>/dev/null || true; }
port_of() { cat "$state/$1.port" 2>/dev/null || true; }
running() { alive "$(pid_of "$1")" "$2"; }

# unchanged NAME PROGRAM: the program runs from the present file (a build makes a new file) with the present settings.
unchanged() {
  running "$1" "$2" && [ "/proc/$(pid_of "$1")/exe" -ef "$2" ] && [ "$(cat "$state/$1.settings" 2>/dev/null)" = "$(settings)" ]
}

# The names of the variables that may hold a key, or say which host one belongs to.
key_variables() {
  printf '%s\n' ENDPOINT_KEYS AGENT_SECRETS
  env | grep -oE '^[A-Za-z0-9_]*_(KEY|TOKEN|SECRET)=' | tr -d = || true
  printf '%s %s' "${ENDPOINT_KEYS:-}" "${AGENT_SECRETS:-}" | grep -oE '[A-Za-z_][A-Za-z0-9_]*@' | tr -d @ || true
  sed -n 's/^ *key_variable *= *"\([A-Za-z_][A-Za-z0-9_]*\)".*/\1/p' "${SOURCES_FILE:-$repo_root/configs/sources.toml}" || true
}

# The names of the variables that the services may read.
variables() {
  local names=$repo_root/crates/runtime/src/settings/names.rs
  sed -n 's/^    "\([a-z_]*\)",$/\1/p' "$names" | tr '[:lower:]' '[:upper:]'
  env | grep -oE '^(OTEL_|MODELDAY_)[A-Za-z0-9_]*' || true
  key_variables
}

# The variables of the environment that the services get, of these names. Keys in the file of keys are not among them:
# they are read again without a restart.
exported() { env | grep -E "^($(variables | sort -u | paste -sd '|' -))=" | LC_ALL=C sort || true; }

# A fingerprint of what the services read at their start: variables and configuration. Only a fingerprint, because they
# include keys.
settings() {
  {
    exported
    find "$repo_root/configs" -type f -print0 | sort -z | xargs -0 cat
    for file in "${MODELDAY_CONFIG:-}" "${MODELS_FILE:-}" "${SOURCES_FILE:-}" "${UNIVERSE_FILE:-}"; do
      [ ! -f "$file" ] || cat "$file"
    done
  } 2>/dev/null | sha256sum
}

# free_port NAME FIRST: the first free port from FIRST on, stored as NAME's port.
free_port() {
  local port=$2
  while port_open "$port"; do
    port=$((port + 1))
    [ "$port" -lt $(($2 + 100)) ] || die "no free port from $2 to $port."
  done
  [ "$port" = "$2" ] || say "Port $2 is taken; using $port for $1."
  echo "$port" >"$state/$1.port"
}

# launch NAME PROGRAM ARGS...: starts it in the background; it outlives this shell.
launch() {
  local name=$1
  shift
  [ ! -f "$state/$name.log" ] || mv "$state/$name.log" "$state/$name.log.1"
  setsid "$@" </dev/null >"$state/$name.log" 2>&1 7>&- &
  echo $! >"$state/$name.pid"
  echo "$programs" >"$state/$name.programs"
  settings >"$state/$name.settings"
}

# stop NAME PROGRAM: stops it, also when it was started with another CARGO_TARGET_DIR.
stop() {
  local program
  program=$(cat "$state/$1.programs" 2>/dev/null || echo "$programs")/$(basename "$2")
  if running "$1" "$program"; then
    stop_process "$(pid_of "$1")" "$program" 30 || die "$1 (pid $(pid_of "$1")) does not end."
    say "$1 stopped."
  fi
  rm -f "$state/$1.pid" "$state/$1.programs" "$state/$1.settings"
}

# wait_for NAME PROGRAM PATH: waits until it responds with 200, or says why it does not.
wait_for() {
  local name=$1 deadline=$((SECONDS + 60))
  until [ "$(http_status "$(port_of "$name")" "$3")" = 200 ]; do
    if ! running "$name" "$2"; then explain "$name"; die "$name ended while starting; the whole log is $state/$name.log."; fi
    if ((SECONDS > deadline)); then explain "$name"; die "$name was not ready within 60 s; the whole log is $state/$name.log."; fi
    sleep 0.1
  done
}

# The last lines of a log; of lines in JSON, only the message and the error.
explain() {
  grep -v '^[[:space:]]*$' "$state/$1.log" | tail -n 8 |
    sed -E 's/^\{.*"level":"([A-Z]+)".*"message":"(([^"\\]|\\.)*)".*"error":"(([^"\\]|\\.)*)".*/\1 \2: \4/; s/^\{.*"level":"([A-Z]+)".*"message":"(([^"\\]|\\.)*)".*/\1 \2/' |
    cut -c1-300 | sed 's/^/  | /' >&2 || true
}
