#!/usr/bin/env bash
# Runs a command, by default all tests, with a throw-away PostgreSQL and RabbitMQ. They belong to this
# clone, run beside those of `make run`, and are removed afterwards, also after a failure or Ctrl-C, unless MODELDAY_KEEP=1.
# Tests that need more servers start them with stack.sh in a folder of $MODELDAY_TEST_STATE/stacks.
set -euo pipefail
export MODELDAY_STATE=${MODELDAY_TEST_STATE:-$(cd "$(dirname "$0")/../.." && pwd -P)/.local/test}
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
everything=no
[ $# -gt 0 ] || { everything=yes; set -- cargo test --workspace --locked --no-fail-fast; }

stack() { MODELDAY_STATE=$state MODELDAY_PG_PORT=${MODELDAY_TEST_PG_PORT:-30432} MODELDAY_MQ_PORT=${MODELDAY_TEST_MQ_PORT:-30672} "$here/stack.sh" "$@" 7>&-; }

# The command has its own process group, so that none of its processes outlives this script.
running=
# shellcheck disable=SC2317 # called by the trap
clean_up() {
  local code=$? nested
  trap - EXIT INT TERM HUP ERR
  if [ -n "$running" ] && kill -TERM -- "-$running" 2>/dev/null; then
    until_true 10 group_gone "$running" || kill -KILL -- "-$running" 2>/dev/null || true
  fi
  if [ "${MODELDAY_KEEP:-}" = 1 ]; then
    say "The servers stay: MODELDAY_STATE=$state deploy/local/stack.sh status | env | wipe"
    exit "$code"
  fi
  for nested in "$state"/stacks/*/; do
    if [ -d "$nested" ]; then MODELDAY_STATE=${nested%/} "$here/stack.sh" wipe 7>&- || code=1; fi
  done
  stack wipe || code=1
  rm -f "$state/test.lock"
  rmdir "$state/stacks" "$state" 2>/dev/null || true
  exit "$code"
}
# shellcheck disable=SC2317
group_gone() { ! kill -0 -- "-$1" 2>/dev/null; }

"$here/toolchain.sh" || exit 1
prepare_state
lock test.lock 7 1 "another 'make test' is at work in this clone; wait for it, or give this one a MODELDAY_TEST_STATE of its own."
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

stack up --for-tests || exit 1
# Installed here, because a password can only be typed before the tests begin. A test reports what is still missing.
if [ "$everything" = yes ]; then
  "$here/packages.sh" curl pika chromium npm prometheus pgbouncer 7>&- || true
  env -u MODELDAY_STATE "$here/compose-check.sh" install 7>&- || true
fi
environment=$(stack env) || exit 1
eval "$environment"
[ -n "${AMQP_MANAGEMENT_URL:-}" ] ||
  die "the tests make their own virtual hosts: besides AMQP_URL they need AMQP_MANAGEMENT_URL, with an administrator, as in http://user:password@127.0.0.1:15672."
export MODELDAY_TEST_STATE=$state
unset MODELDAY_STATE

cd "$repo_root"
setsid "$@" 7>&- &
running=$!
code=0
wait "$running" || code=$?
exit "$code"
