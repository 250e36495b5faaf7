/* The arithmetic of rounds: percentiles, spread, and how a row follows from them. No clock, no EAL. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perf/bench.h"

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
bench_percentile(const double *value, size_t n, double percent)
{
	double *sorted = malloc(n * sizeof(*sorted));
	double place = percent / 100 * (double)(n - 1), result;
	size_t below = (size_t)place;

	if (sorted == NULL)
		return NAN;
	memcpy(sorted, value, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), ascending);
	result = sorted[below];
	if (below + 1 < n)
		result += (place - (double)below) * (sorted[below + 1] - sorted[below]);
	free(sorted);
	return result;
}

double
bench_median(const double *value, size_t n)
{
	return bench_percentile(value, n, 50);
}

double
bench_spread(const double *value, size_t n)
{
	return (bench_percentile(value, n, 90) - bench_percentile(value, n, 10)) / bench_median(value, n);
}

static double
scaled(enum bench_scale scale, double ns)
{
	return scale == BENCH_MEGA_PER_SECOND ? 1000 / ns : ns;
}

/* The spread is that of the per-round ratios: the host's change of speed, which hits both sides alike, is not
 * in it. Without a peer it is that of the values, with the host in it. */
void
bench_summarise(enum bench_scale scale, const double *ours, const double *theirs, unsigned rounds,
	struct bench_result *r)
{
	double ratio[BENCH_ROUNDS_MAX] = {0};

	for (unsigned i = 0; i < rounds; i++)
		ratio[i] = scaled(scale, ours[i]) / (theirs == NULL ? 1 : scaled(scale, theirs[i]));
	r->runs = rounds;
	r->spread = bench_spread(ratio, rounds);
	r->value = scaled(scale, bench_median(ours, rounds));
	r->peer_value = theirs == NULL ? NAN : scaled(scale, bench_median(theirs, rounds));
	r->ratio = r->value / r->peer_value;
	r->instructions = NAN;
}
