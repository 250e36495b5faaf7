# A short line each over meson or a script of tools/. On a fresh Debian 12 with git, make and apt, `make run`
# and `make test` work alone: deps installs what is missing. doc/development.md says more.

BENCH =            # bench: only the benchmarks whose id begins so
TRACE =            # run: a capture file of yours instead of the demo
SECONDS = 10       # run: how long
FUZZ_SECONDS = 30  # fuzz: per target

.PHONY: build deps run test bench check fuzz plots clean

build: deps
	@tools/build.sh build

deps:
	@tools/deps.sh

run: build
	@tools/run.sh $(strip $(SECONDS)) "$(strip $(TRACE))"

test: deps
	@tools/test.sh

bench: build
	@perf/run $(BENCH)

check: deps
	@tools/check.sh

fuzz: deps
	@tools/fuzz.sh $(strip $(FUZZ_SECONDS))

plots: build
	@perf/plots

clean:
	rm -rf build build-*
