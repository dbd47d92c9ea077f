#!/usr/bin/env bash
# Measures, with a throw-away stack. Arguments go to the benchmark.
set -euo pipefail
export MODELDAY_COMMIT_TIMES=1
exec "$(dirname "$0")/test.sh" cargo run --quiet --profile dist --locked -p it --bin bench -- "$@"
