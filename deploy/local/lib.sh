# Messages, ports and processes, for the scripts of this folder. Sourced, never run.
# shellcheck shell=bash disable=SC2034

repo_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
here=$repo_root/deploy/local
state=${MODELDAY_STATE:-$repo_root/.local}
[[ $state = /* ]] || state=$PWD/$state

say() { printf '%s\n' "$*" >&2; }
die() { say "modelday: $*"; exit 1; }

# An unexpected failure is also reported as one sentence.
set -E
newline=$'\n'
trap '[ "$BASHPID" != $$ ] || say "modelday: ${0##*/} stopped unexpectedly while running: ${BASH_COMMAND%%"$newline"*}"' ERR

# Creates the state folder when it is absent; it must be writable.
prepare_state() {
  mkdir -p "$state" 2>/dev/null || die "cannot create the folder $state; set MODELDAY_STATE to a folder you can write to."
  [ -w "$state" ] || die "the folder $state belongs to $(stat -c %U "$state"); remove it as that user, or set MODELDAY_STATE to another one."
}

# Makes the passwords of all accounts of this state folder, and what RabbitMQ takes its accounts from.
make_accounts() { env -u MODELDAY_INSTALLATION "$repo_root/deploy/accounts.sh" "$state/passwords" "$state/accounts" "$@"; }
# password NAME: that of an account, such as DATABASE_OWNER.
password() { sed -n "s/^$1_PASSWORD=//p" "$state/passwords"; }

is_development() { [ "$(tr '[:lower:]' '[:upper:]' <<<"${DEPLOYMENT_MODE:-}")" = DEV ]; }

# lock NAME FD SECONDS SENTENCE: holds $state/NAME until this process ends. Servers are started with FD closed.
lock() {
  local file=$state/$1
  eval "exec $2>>\"\$file\""
  flock -w "$3" "$2" || die "$4"
}

# --- ports ------------------------------------------------------------------------------------

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# http_status PORT PATH [USER:PASSWORD]: the status of a GET on loopback, 000 when nothing answers.
http_status() {
  local auth=
  [ -z "${3:-}" ] || auth="Authorization: Basic $(printf %s "$3" | base64)"$'\r\n'
  # shellcheck disable=SC2016 # $1 belongs to the inner shell
  REQUEST=$(printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n.' "$2" "$auth") \
    timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf %s "${REQUEST%.}" >&3 && read -r _ status _ <&3 && echo "$status"' _ "$1" 2>/dev/null || echo 000
}

port_span=40

# claim_port FOLDER FIRST OFFSET...: writes FOLDER/port, the first block from FIRST on in which each port
# (block + OFFSET) is free and which no other state folder of this user has claimed. When this folder had FIRST before,
# it waits a moment for that block to become free, because clients know it.
claim_port() {
  local folder=$1 first=$2 port
  shift 2
  claims=/tmp/modelday-ports-$(id -u)
  mkdir -m 700 "$claims" 2>/dev/null || true
  [ -O "$claims" ] || die "$claims belongs to another user; remove it and try again."
  exec 8>>"$claims/lock"
  flock 8
  if [ "$(cat "$folder/port" 2>/dev/null)" = "$first" ]; then until_true 5 block_free "$first" "$@" || true; fi
  for ((port = first; port < first + 60 * port_span && port < 65000; port += port_span)); do
    if ! block_free "$port" "$@" || block_claimed "$port" "$folder"; then continue; fi
    mkdir -p "$folder"
    echo "$port" >"$folder/port"
    echo "$folder" >"$claims/$port"
    exec 8>&-
    [ "$port" = "$first" ] || say "Port $first is taken; using $port."
    return
  done
  die "no free ports from $first on; set MODELDAY_PG_PORT and MODELDAY_MQ_PORT to free ones."
}

release_port() { rm -f "/tmp/modelday-ports-$(id -u)/$(cat "$1/port" 2>/dev/null || echo none)"; }

block_free() {
  local port=$1 offset
  shift
  for offset in "$@"; do
    ! port_open $((port + offset)) || return 1
  done
}

# A claim is valid as long as its folder has the same port in its file.
block_claimed() {
  local port=$1 folder=$2 claim owner
  for claim in "$claims"/[0-9]*; do
    [ -f "$claim" ] || continue
    owner=$(cat "$claim")
    if [ "$(cat "$owner/port" 2>/dev/null)" != "${claim##*/}" ]; then
      rm -f "$claim"
    elif [ "$owner" != "$folder" ] && ((${claim##*/} - port < port_span && port - ${claim##*/} < port_span)); then
      return 0
    fi
  done
  return 1
}

# --- processes --------------------------------------------------------------------------------

# A zombie still has its pid but no command line, so it counts as gone.
command_of() { { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null || true; }

# alive PID TEXT: a process with that pid runs, and it is the one whose command line has TEXT in it.
alive() { [ -n "${1:-}" ] && [[ $(command_of "$1") == *"$2"* ]]; }

# until_true SECONDS COMMAND...: polls until the command succeeds; fails when the time is over.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

gone() { ! alive "$@"; }

# stop_process PID TEXT SECONDS: TERM, then KILL when it has not ended by then.
stop_process() {
  alive "$1" "$2" || return 0
  kill -TERM "$1" 2>/dev/null || true
  until_true "$3" gone "$1" "$2" && return
  if alive "$1" "$2"; then kill -KILL "$1" 2>/dev/null || true; fi
  until_true 10 gone "$1" "$2"
}

# last_lines FILE: the end of a log, short enough to read.
last_lines() { grep -v '^[[:space:]]*$' "$1" 2>/dev/null | tail -n "${2:-6}" | cut -c1-300 | sed 's/^/  | /' >&2 || true; }
