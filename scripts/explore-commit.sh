#!/bin/sh
# Explores the commit and recovery protocol state by state (native/core/examples/explore_commit).
# Usage: scripts/explore-commit.sh [TRANSACTIONS [CRASHES [STATES_MAX]]]; default 3 transactions, 2 crashes.
# Takes under a minute and under 1 GiB. Exit code 1: a rule does not do what docs/design.md says.
set -eu
cd "$(dirname "$0")/../native"
exec cargo run --quiet --release -p hn4-core --example explore_commit -- "$@"
