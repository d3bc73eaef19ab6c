#!/usr/bin/env bash
# The only step that needs root: Debian's Chromium, for the tests that open a page, strace, for the test in which the power fails, and
# mosquitto, the broker of the tests of MQTT, which start it themselves.
set -euo pipefail
# Debian keeps the broker where only root's path looks.
PATH="$PATH:/usr/sbin"
if command -v chromium >/dev/null && command -v strace >/dev/null && command -v mosquitto >/dev/null; then
  exit 0
fi
run=()
if [ "$(id -u)" -ne 0 ]; then
  run=(sudo)
fi
"${run[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq chromium strace mosquitto >/dev/null
