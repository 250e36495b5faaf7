#!/bin/sh
# check.sh: what a machine can say about the sources. Every part runs and prints one line, "ok" or "FAILED" after
# its complaints; exit status 1 when a part failed.
set -u
cd "$(dirname "$0")/.." || exit 1

jobs=2
output=$(mktemp)
trap 'rm -f "$output"' EXIT
failed=0

# part NAME COMMAND...: runs it silently unless it fails.
part() {
  name=$1
  shift
  if "$@" >"$output" 2>&1; then
    echo "check: $name: ok"
  else
    grep -v 'warnings\{0,1\} generated\.$' "$output" | head -n 100
    echo "check: $name: FAILED"
    failed=1
  fi
}

# The compilers' view of the tree; clang builds the fuzzers too, and leaves clang-tidy its compilation database.
build_gcc() {
  CC=gcc tools/build.sh build-check-gcc --werror
}
build_clang() {
  CC=clang tools/build.sh build-check-clang --werror -Dfuzz=true
}

format() {
  git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror
}

# .clang-tidy names the checks. Analysed is what the clang build compiles of the product, a few seconds for each file
# because of DPDK's headers: what passed is not analysed again until it or a header of the project changes.
tidy() {
  stamps=build-check-clang/tidy
  mkdir -p "$stamps"
  newest=$(git ls-files '*.h' .clang-tidy | xargs ls -t | head -n 1)
  jq -r '.[].file | sub("^(\\.\\./)+"; "") | select(test("^(lib|drivers|app)/"))' \
    build-check-clang/compile_commands.json | sort -u |
    while read -r file; do
      stamp=$stamps/$(echo "$file" | tr / _)
      [ "$stamp" -nt "$file" ] && [ "$stamp" -nt "$newest" ] || echo "$file" "$stamp"
    done |
    xargs -r -P "$jobs" -n 2 sh -c \
      'clang-tidy -p build-check-clang --quiet --warnings-as-errors="*" "$0" && touch "$1"'
}

# Without system headers: fast, and enough for what it looks for. Jansson's loops are macros that it has to be told.
cpp_check() {
  cppcheck --quiet -j "$jobs" --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
    --suppressions-list=tools/cppcheck.txt --error-exitcode=1 -I . \
    '-Djson_object_foreach(object,key,value)=while (next(object, &key, &value))' \
    '-Djson_array_foreach(array,index,value)=while (next(array, &index, &value))' lib drivers app
}

# Words in brackets, so that this file does not find itself.
marks() {
  ! git grep -nIwE 'T[O]DO|F[I]XME|X[X]X|H[A]CK'
}
paths() {
  ! git grep -nIE '(^|[^[:alnum:]_.*-])/(hom[e]|roo[t]|wor[k]|farm|mnt|Users|tmp/w[t])/[[:alnum:]]'
}
registries() {
  ! git grep -nIiE '(pyp[i]|pythonhoste[d]|npmj[s]|crate[s]|proxy\.golan[g]|docke[r]|ghc[r]|qua[y]|deb\.debia[n])\.(org|com|io)'
}
white_space() {
  ! git grep -nIE '[[:space:]]$' -- ':!test/fuzz/corpus'
}

# Only a hint: is the long file one room with one purpose, does the long function read like a list of steps?
lengths() {
  git ls-files '*.c' '*.h' '*.py' | xargs -r wc -l |
    awk '$2 != "total" && $1 > 450 { print "check: warning: " $2 " has " $1 " lines" }'
  git ls-files '*.c' '*.h' | xargs -r awk '
    FNR == 1 { start = 0 }
    /^\{/ { start = FNR }
    /^\}/ {
      if (start && FNR - start > 80)
        print "check: warning: " FILENAME ":" start ": a function of " FNR - start " lines"
      start = 0
    }'
}

part "format" format
part "include rule" tools/include_rule.py
part "marks" marks
part "local paths" paths
part "registry hosts" registries
part "white space" white_space
part "gcc without warnings" build_gcc
part "clang without warnings" build_clang
part "cppcheck" cpp_check
part "clang-tidy" tidy
lengths
exit $failed
