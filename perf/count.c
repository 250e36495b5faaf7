/* Counting instructions with callgrind: the program runs under
 *   valgrind --tool=callgrind --instr-atstart=no PROGRAM --count ID OPS
 * at nearly full speed until the operations begin, and only they are counted. Where the build machine has no
 * valgrind headers (Debian package valgrind) the program cannot count and says so. */
#include "perf/bench.h"

#ifdef BENCH_HAVE_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

bool
bench_count_possible(void)
{
	return RUNNING_ON_VALGRIND != 0;
}

void
bench_count_start(void)
{
	CALLGRIND_START_INSTRUMENTATION;
}

void
bench_count_stop(void)
{
	CALLGRIND_STOP_INSTRUMENTATION;
}
