#!/usr/bin/env bash
# Installs packages. No system-wide server is running, enabled or configured afterwards that was not so before.
# usage, as root: install-as-root.sh OLDEST_RABBITMQ PACKAGE...
set -euo pipefail

oldest=$1
shift
policy=/usr/sbin/policy-rc.d
policy_kept=/usr/sbin/policy-rc.d.before-modelday
cluster_folder=/etc/postgresql-common/createcluster.d
cluster_file=$cluster_folder/modelday.conf
export PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH
mkdir -p /run/lock
exec 9>/run/lock/modelday-install
flock 9

# What starts servers at boot: links of systemd, links of SysV init. Only added links are removed.
systemd_links() { find /etc/systemd/system -type l \( -name 'postgresql*' -o -name 'rabbitmq-server*' -o -name 'epmd*' -o -name 'prometheus*' -o -name 'pgbouncer*' \) 2>/dev/null | sort; }
init_services() { find /etc/rc[2-5].d \( -name 'S*postgresql' -o -name 'S*rabbitmq-server' -o -name 'S*prometheus' -o -name 'S*pgbouncer' \) 2>/dev/null | sed 's|.*/S[0-9]*||' | sort -u; }
booted_systemd() { [ -d /run/systemd/system ]; }
active_units() {
  booted_systemd || return 0
  systemctl list-units --no-legend --plain --state=active 'postgresql*' 'rabbitmq-server*' 'epmd*' 'prometheus*' 'pgbouncer*' | awk '{ print $1 }' | sort
}
added() { comm -13 <(echo "$1") <(echo "$2") | grep . || true; }

links_before=$(systemd_links)
init_before=$(init_services)
active_before=$(active_units)

restore() {
  rm -f "$policy" "$cluster_file"
  [ ! -e "$policy_kept" ] || mv "$policy_kept" "$policy"
  for folder in "${made_folders[@]}"; do rmdir "$folder" 2>/dev/null || true; done
}

made_folders=()
trap restore EXIT
trap 'exit 1' INT TERM HUP

# An existing copy is the original file, left by a run that was killed.
if [ -e "$policy" ] && [ ! -e "$policy_kept" ]; then mv "$policy" "$policy_kept"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

for folder in "$cluster_folder" "${cluster_folder%/*}"; do [ -d "$folder" ] || made_folders+=("$folder"); done
mkdir -p "$cluster_folder"
echo 'create_main_cluster = false' >"$cluster_file"

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
"${apt[@]}" update

for package in "$@"; do
  [ "$package" = rabbitmq-server ] || continue
  offered=$(apt-cache policy rabbitmq-server | awk '/Candidate:/ { print $2 }')
  if [ -z "$offered" ] || [ "$offered" = '(none)' ]; then
    echo "modelday: apt-get knows no rabbitmq-server (on Ubuntu, enable 'universe'); or start Docker or Podman, or set AMQP_URL."
    exit 1
  fi
  if dpkg --compare-versions "$offered" lt "$oldest"; then
    echo "modelday: this machine offers RabbitMQ ${offered%%-*}, and modelday needs $oldest or newer; start Docker or Podman, install a newer one as https://www.rabbitmq.com/docs/install-debian says, or set AMQP_URL to a broker you have."
    exit 1
  fi
done

# Half-installed packages would be configured later without these precautions, so this part is not interrupted.
trap '' INT TERM HUP
setsid --wait "${apt[@]}" install --no-install-recommends "$@" 9>&-

for service in $(added "$init_before" "$(init_services)"); do update-rc.d "$service" disable; done
added "$links_before" "$(systemd_links)" | xargs -r rm -f --
if booted_systemd; then
  systemctl daemon-reload
  for unit in $(added "$active_before" "$(active_units)"); do systemctl stop "$unit"; done
fi
