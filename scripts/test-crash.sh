#!/bin/sh
# The long power-cut run: the states of docs/testing.md, and fsck.hn4 -n (the TypeScript reader) over a
# sample of their images as the crash left them. Arguments: [states]. Environment: HN4_CRASH_SEED, HN4_CRASH_ONLY.
set -eu
cd "$(dirname "$0")/.."
images=$(mktemp -d)
trap 'rm -rf "$images"' EXIT
HN4_LONG=1 HN4_CRASH_STATES="${1:-24000}" HN4_CRASH_IMAGES="$images" \
  cargo test --quiet --release --manifest-path native/Cargo.toml --package hn4-core --features testing --test crash \
  -- --include-ignored --nocapture
checked=0
failed=0
for image in "$images"/*.img; do
  [ -e "$image" ] || break
  checked=$((checked + 1))
  if ! node dist/fsck-scrub/cli.js -n "$image" >"$images/report" 2>&1; then
    failed=$((failed + 1))
    echo "fsck.hn4 -n: $(basename "$image")" >&2
    cat "$images/report" >&2
  fi
done
echo "fsck.hn4 -n: $checked images, $failed failures"
[ "$failed" -eq 0 ] && [ "$checked" -gt 0 ]
