#!/bin/sh
# The long run of hostile images (docs/testing.md), with overflow checks and debug assertions. Argument:
# [images]. Environment: HN4_HOSTILE_FROM (the first), HN4_SEED (one alone), HN4_HOSTILE_DIR.
set -eu
cd "$(dirname "$0")/.."
HN4_SEEDS="${1:-20000}" exec cargo test --quiet --manifest-path native/Cargo.toml --package hn4-core --features testing \
  --test hostile -- --nocapture
