#!/bin/sh
# Prints the table of docs/simulations.md, section "Cortex". Arguments: [cortex pages] [seeds].
set -eu
cd "$(dirname "$0")/../native"
exec cargo run --quiet --release --package hn4-core --example sim_cortex -- "$@"
