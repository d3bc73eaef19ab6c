#!/usr/bin/env bash
# The only step that needs root: Debian's Chromium, for the tests that open a page, and strace, for the test in which the power fails.
set -euo pipefail
if command -v chromium >/dev/null && command -v strace >/dev/null; then
  exit 0
fi
run=()
if [ "$(id -u)" -ne 0 ]; then
  run=(sudo)
fi
"${run[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq chromium strace >/dev/null
