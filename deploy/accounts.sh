#!/usr/bin/env bash
# Makes a random password for each account of PostgreSQL and RabbitMQ that has none yet, and the file from which
# RabbitMQ takes its accounts at every start.
# usage: deploy/accounts.sh [PASSWORDS [FOLDER [--for-tests]]]
#   PASSWORDS  file with lines NAME=PASSWORD; by default .env, which docker-compose.yml reads
#   FOLDER     gets definitions.json, with hashes of the passwords; by default deploy/rabbitmq/accounts
#   --for-tests  adds an account that may do everything, `administrator`
# MODELDAY_INSTALLATION is the name of RabbitMQ's virtual host, and what its accounts begin with: `modelday` by default.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd -P)
passwords=${1:-$here/../.env}
folder=${2:-$here/rabbitmq/accounts}
installation=${MODELDAY_INSTALLATION:-modelday}

password() { sed -n "s/^$1_PASSWORD=//p" "$passwords" | tail -n 1; }

# hash PASSWORD: as RabbitMQ stores it, four bytes of salt and the SHA-256 of salt and password. The salt follows from
# the password, so that the file changes only when a password does.
hash() {
  local salt
  salt=$(printf 'salt of %s' "$1" | sha256 | cut -c1-8)
  bytes "$salt$({ bytes "$salt"; printf %s "$1"; } | sha256)" | base64
}
sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-64; }
# bytes HEX: the bytes that the digits stand for.
bytes() { printf '%b' "$(printf %s "$1" | sed 's/../\\x&/g')"; }

[ -e "$passwords" ] || (umask 077 && : >"$passwords")
names=(DATABASE_{ADMINISTRATOR,OWNER,TRIGGER,DOWNLOADER,EXECUTOR,STATUS,MONITOR} BROKER_{TRIGGER,DOWNLOADER,EXECUTOR,STATUS,READER})
[ "${3:-}" != --for-tests ] || names+=(BROKER_ADMINISTRATOR)
for name in "${names[@]}"; do
  [ -n "$(password "$name")" ] ||
    printf '%s_PASSWORD=%s\n' "$name" "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >>"$passwords"
done

fill=(-e "s|@INSTALLATION@|$installation|g")
for account in TRIGGER DOWNLOADER EXECUTOR STATUS READER; do
  fill+=(-e "s|@$account@|$(hash "$(password "BROKER_$account")")|")
done
# RabbitMQ reads it as another user; of random passwords the hashes are no secret.
mkdir -p "$folder"
chmod 755 "$folder"
sed "${fill[@]}" "$here/rabbitmq/accounts.json" >"$folder/definitions.json.new"
chmod 644 "$folder/definitions.json.new"
mv "$folder/definitions.json.new" "$folder/definitions.json"
rm -f "$folder/for-tests.json"
if [ "${3:-}" = --for-tests ]; then
  cat >"$folder/for-tests.json" <<JSON
{
"users": [{"name": "administrator", "tags": ["administrator"], "password_hash": "$(hash "$(password BROKER_ADMINISTRATOR)")", "hashing_algorithm": "rabbit_password_hashing_sha256"}],
"permissions": [{"vhost": "$installation", "user": "administrator", "configure": ".*", "write": ".*", "read": ".*"}]
}
JSON
  chmod 644 "$folder/for-tests.json"
fi

# docker compose makes the broker's container anew when this changes.
sum=$(sha256 <"$folder/definitions.json")
if [ "$(sed -n 's/^BROKER_ACCOUNTS=//p' "$passwords" | tail -n 1)" != "$sum" ]; then
  others=$(grep -v '^BROKER_ACCOUNTS=' "$passwords")
  printf '%s\n' "$others" "BROKER_ACCOUNTS=$sum" >"$passwords"
fi
