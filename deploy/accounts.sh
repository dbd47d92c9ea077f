#!/usr/bin/env bash
# Makes a random password for each account of PostgreSQL that has none yet.
# usage: deploy/accounts.sh [FILE]    FILE has lines NAME=PASSWORD; by default .env, which docker-compose.yml reads
set -euo pipefail
umask 077

file=${1:-$(dirname "$0")/../.env}
[ -e "$file" ] || : >"$file"
for name in DATABASE_{ADMINISTRATOR,OWNER,TRIGGER,DOWNLOADER,EXECUTOR,STATUS}_PASSWORD; do
  grep -q "^$name=." "$file" || printf '%s=%s\n' "$name" "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >>"$file"
done
