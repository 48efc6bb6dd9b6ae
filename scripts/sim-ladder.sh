#!/bin/sh
# Simulates allocation on the engine's own modules and prints the tables of docs/simulations.md.
# usage: scripts/sim-ladder.sh [LOG2_OF_BLOCKS [SEED]]     (default 20 1: about a minute)
set -eu
cd "$(dirname "$0")/../native"
exec cargo run --quiet --release -p hn4-core --example sim_ladder -- "${1:-20}" "${2:-1}"
