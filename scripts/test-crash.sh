#!/bin/sh
# The long power-cut run: the states of docs/testing.md, each looked at by the engine and, from its image, by
# the TypeScript reader and fsck.hn4 -n; one table at the end. Argument: [states]. Environment:
# HN4_CRASH_SEED, HN4_CRASH_ONLY, HN4_CRASH_READ_ONE_IN, HN4_CRASH_DIR.
set -eu
cd "$(dirname "$0")/.."
HN4_LONG=1 HN4_CRASH_STATES="${1:-24000}" HN4_CRASH_READER="$PWD/dist/test/support/crash-reader.js" \
  exec cargo test --quiet --release --manifest-path native/Cargo.toml --package hn4-core --features testing --test crash \
  -- --include-ignored --nocapture
