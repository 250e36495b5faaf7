#!/bin/sh
# build.sh DIRECTORY [MESON OPTION...]: configures DIRECTORY once and builds it. Quiet unless something is
# wrong. The compiler is $CC or gcc.
set -eu
cd "$(dirname "$0")/.."

directory=$1
shift
if [ ! -e "$directory/build.ninja" ]; then
  echo "build: configuring $directory"
  rm -rf "$directory" # what an interrupted configuration left
  log=$(mktemp)
  CC=${CC:-gcc} meson setup "$directory" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    rm -rf "$log" "$directory"
    exit 1
  }
  rm -f "$log"
fi
echo "build: $directory"
ninja --quiet -C "$directory"
