#!/usr/bin/env bash
# Kills Temporal three times and each other part once while sessions come in, heals, and checks from independent records
# that nothing was lost and nothing happened twice: docs/reference/failover.md.
#   scripts/tests/temporal_failover.sh [--sessions 200] [--seed N] [--json FILE] [--without-kafka]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH="$PWD/node_modules/.bin:$PATH"
exec node tests/failover/run-failover.ts "$@"
