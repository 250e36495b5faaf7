#!/bin/sh
# run.sh SECONDS [TRACE]: the demo. Plays TRACE, or a generated one (seeded: the same on every machine), through
# the appliance with the example rules, and shows the live table and the report.
set -eu
cd "$(dirname "$0")/.."

seconds=$1
trace=${2:-}
if [ -z "$trace" ]; then
  trace=build/demo.pcap
  if [ ! -e "$trace" ] || [ build/app/spxgen -nt "$trace" ]; then
    echo "run: generating $trace"
    build/app/spxgen "$trace"
  fi
fi
exec build/app/sphex --trace "$trace" --seconds "$seconds" --rules config/examples/demo-rules.json \
  --report build/report.json
