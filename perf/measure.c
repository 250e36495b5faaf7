/* The rounds: ours, theirs, ours, theirs ... in one process on one core, so that the host's changes of speed
 * hit both. Each side's number of operations is calibrated once and then fixed. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "perf/bench.h"

#define PART_SECONDS_MIN 0.02 /* shorter rounds measure the clock and the cold caches */

/* The thread's own time: what other processes take of the core is not in it (what they do to the caches is).
 */
static double
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
seconds_of(void (*side)(void *state, uint64_t ops), void *state, uint64_t ops)
{
	double start = seconds_now();

	side(state, ops);
	return seconds_now() - start;
}

uint64_t
bench_calibrate(void (*side)(void *state, uint64_t ops), void *state, double seconds)
{
	uint64_t ops = BENCH_BURST;
	double took;

	while ((took = seconds_of(side, state, ops)) < seconds / 4)
		ops *= 2;
	ops = (uint64_t)((double)ops * seconds / took);
	return RTE_MAX(RTE_ALIGN_CEIL(ops, BENCH_BURST), BENCH_BURST);
}

static void
progress(const struct bench *b, unsigned part, unsigned parts, unsigned round, unsigned rounds)
{
	static const char eraser[] = "\r\033[K";

	if (!isatty(STDERR_FILENO)) {
		if (round == 0)
			fprintf(stderr, "%s: part %u of %u, %u rounds\n", b->id, part + 1, parts, rounds);
	} else if (round < rounds) {
		fprintf(stderr, "%s%s: part %u of %u, round %u of %u", eraser, b->id, part + 1, parts,
			round + 1, rounds);
	} else {
		fputs(eraser, stderr);
	}
}

int
bench_begin(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	size_t bytes = RTE_ALIGN_CEIL(b->state_size, (size_t)RTE_CACHE_LINE_SIZE);
	int rc;

	if (bytes > 0) {
		c->state = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
		if (c->state == NULL)
			return spx_error(err, -ENOMEM, "no memory for a state of %zu bytes", bytes);
		memset(c->state, 0, bytes);
	}
	rc = b->setup(b, part, c, err);
	if (rc < 0 && bytes > 0)
		bench_end(b, c);
	return rc;
}

void
bench_end(const struct bench *b, struct bench_context *c)
{
	b->teardown(c->state);
	if (b->state_size > 0)
		free(c->state);
}

/* Measures one part; adds the logarithms of its nanoseconds per operation to those of the parts before. */
static int
measure_part(const struct bench *b, unsigned part, unsigned parts, const struct bench_options *options,
	struct bench_context *c, double *log_ours, double *log_theirs, struct spx_error *err)
{
	double seconds = RTE_MAX(options->round_seconds / parts, PART_SECONDS_MIN);
	uint64_t our_ops, their_ops = 0;
	int rc = bench_begin(b, part, c, err);

	if (rc < 0)
		return rc;
	our_ops = bench_calibrate(b->ours, c->state, seconds);
	if (b->theirs != NULL)
		their_ops = bench_calibrate(b->theirs, c->state, seconds);
	for (unsigned r = 0; r < options->rounds; r++) {
		progress(b, part, parts, r, options->rounds);
		log_ours[r] += log(seconds_of(b->ours, c->state, our_ops) / (double)our_ops * 1e9);
		if (b->theirs != NULL)
			log_theirs[r] +=
				log(seconds_of(b->theirs, c->state, their_ops) / (double)their_ops * 1e9);
	}
	progress(b, part, parts, options->rounds, options->rounds);
	if (b->check != NULL)
		rc = b->check(c->state, err);
	bench_end(b, c);
	return rc;
}

int
bench_measure(const struct bench *b, const struct bench_options *options, struct bench_result *r,
	struct spx_error *err)
{
	unsigned parts = b->parts == NULL ? 1 : b->parts(b, err);
	double ours[BENCH_ROUNDS_MAX] = {0}, theirs[BENCH_ROUNDS_MAX] = {0};
	struct bench_context c = {.counting = false};

	if (parts == 0)
		return 1;
	for (unsigned part = 0; part < parts; part++) {
		int rc = measure_part(b, part, parts, options, &c, ours, theirs, err);

		if (rc < 0)
			return rc;
	}
	for (unsigned i = 0; i < options->rounds; i++) {
		ours[i] = exp(ours[i] / parts);
		theirs[i] = exp(theirs[i] / parts);
	}
	*r = (struct bench_result){.id = b->id, .unit = b->unit, .peer = b->peer};
	memcpy(r->note, c.note, sizeof(r->note));
	bench_summarise(b->scale, ours, b->theirs == NULL ? NULL : theirs, options->rounds, r);
	return 0;
}
