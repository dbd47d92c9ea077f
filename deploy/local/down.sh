#!/usr/bin/env bash
# Stops what `make run` started. Data and logs stay.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=services.sh
. "$here/services.sh"

[ -d "$state" ] || exit 0
prepare_state
lock run.lock 7 60 "'make run' is at work in this clone; end it first."
stop modelday "$modelday"
stop standin "$standin"
stop agents "$agents"
"$here/stack.sh" down 7>&- || exit 1
