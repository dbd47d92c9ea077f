#!/usr/bin/env bash
# Measures, with a throw-away stack. Arguments go to the benchmark.
set -euo pipefail
exec "$(dirname "$0")/test.sh" cargo run --quiet --release --locked -p it --bin bench -- "$@"
