#!/bin/sh
# fuzz.sh [SECONDS]: runs every libFuzzer target for SECONDS (default 30) on its committed corpus, under address and
# undefined-behaviour sanitizers. New finds go to build-fuzz/corpus, an input that breaks something to
# build-fuzz/findings; exit status 1 when there was one.
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-30}
status=0
CC=clang tools/build.sh build-fuzz -Dfuzz=true -Dtests=false -Dbench=false -Db_sanitize=address,undefined

for target in build-fuzz/test/fuzz/fuzz_*; do
  [ -f "$target" ] || continue # the directories of object files
  name=${target##*/fuzz_}
  finds=build-fuzz/corpus/$name
  mkdir -p "$finds" build-fuzz/findings
  echo "fuzz: $name for $seconds s"
  # -timeout: an input that takes 5 s is a hang.
  if "$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/findings/$name-" "$finds" "test/fuzz/corpus/$name" >"build-fuzz/$name.log" 2>&1; then
    awk '$1 == "stat::number_of_executed_units:" { runs = $2 }
         /cov: [0-9]/ { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
         END { print "fuzz: '"$name"': ok, " runs " inputs, " edges " edges covered" }' "build-fuzz/$name.log"
  else
    tail -n 40 "build-fuzz/$name.log"
    echo "fuzz: $name: FAILED (build-fuzz/$name.log)"
    status=1
  fi
done
exit $status
