#!/bin/sh
# test.sh: builds and runs every test, then again with address and undefined-behaviour sanitizers (all but those
# in suite 'once'). Ends with "N passed, N failed, N skipped", test cases of both builds.
set -eu
cd "$(dirname "$0")/.."

status=0
rm -f build/test-summary.txt build/meson-logs/testlog.* build-asan/meson-logs/testlog.*

tools/build.sh build
meson test -C build --no-rebuild --print-errorlogs || status=1

tools/build.sh build-asan -Db_sanitize=address,undefined -Doptimization=1 -Dbench=false
meson test -C build-asan --no-rebuild --print-errorlogs --no-suite once || status=1

tools/summary.py build build-asan >build/test-summary.txt || status=1
cat build/test-summary.txt
exit $status
