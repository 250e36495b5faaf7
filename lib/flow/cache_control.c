/* A flow cache's creation, housekeeping and readers; cache.c has the way of a burst. */
#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "lib/flow/cache.h"

#define SWEEPS_PER_IDLE                                                                                      \
	4u /* passes over the table in an idle time: a flow ends a quarter late, or when SWEEP_MAX lets */
#define SWEEP_MAX 64u /* sets in one housekeeping: some 1,000 cache lines */

/* ---- life ------------------------------------------------------------------------------------------ */

static int
create_exact(struct spx_flow_cache *c, const struct spx_flow_options *options, struct spx_error *err)
{
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		struct spx_flow_exact_options exact = {.family = family,
			.entries = family == SPX_FLOW_IPV4 ? options->entries : options->entries6,
			.ways = options->ways,
			.protect = options->mode == SPX_FLOW_MODE_layered,
			.socket = options->socket,
			.ended = options->ended,
			.arg = options->arg};
		int rc = spx_flow_exact_create(&exact, &c->exact[family], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* n filters that together misclassify at most p. */
static int
create_filters(
	struct spx_flow_cache *c, const struct spx_flow_options *options, unsigned n, struct spx_error *err)
{
	for (unsigned i = 0; i < n; i++) {
		struct spx_flow_approximate_options filter = {.p = options->p / n,
			.flows = options->flows,
			.ageing = options->ageing,
			.seed = options->seed + i,
			.socket = options->socket};
		int rc = spx_flow_approximate_create(&filter, &c->filter[i], err);

		if (rc < 0)
			return rc;
		c->n_filters++;
	}
	return 0;
}

int
spx_flow_create(const struct spx_flow_options *options, struct spx_flow_cache **out, struct spx_error *err)
{
	bool exact = options->mode == SPX_FLOW_MODE_exact || options->mode == SPX_FLOW_MODE_layered;
	struct spx_flow_cache *c;
	unsigned filters = options->mode == SPX_FLOW_MODE_layered       ? 1
			   : options->mode == SPX_FLOW_MODE_approximate ? options->n_actions
									: 0;
	int rc = 0;

	*out = NULL;
	if (options->mode == SPX_FLOW_MODE_approximate && filters == 0)
		return spx_error(
			err, -EINVAL, "mode approximate has a filter for each action, and there is none");
	if (filters > SPX_FLOW_ACTIONS_MAX)
		return spx_error(err, -EINVAL,
			"mode approximate has a filter for each action, and there are %u; at most %u "
			"actions, or "
			"another mode, expected",
			filters, SPX_FLOW_ACTIONS_MAX);
	c = rte_zmalloc_socket("flow_cache", sizeof(*c), RTE_CACHE_LINE_SIZE, options->socket);
	if (c == NULL)
		return spx_error(err, -ENOMEM, "no memory for a flow cache");
	c->mode = options->mode;
	c->idle_ms = options->idle_ms;
	spx_flow_guard_init(&c->guard, options->flood_rate);
	if (exact)
		rc = create_exact(c, options, err);
	if (rc == 0)
		rc = create_filters(c, options, filters, err);
	if (rc < 0) {
		spx_flow_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void
spx_flow_free(struct spx_flow_cache *c)
{
	if (c == NULL)
		return;
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++)
		spx_flow_exact_free(c->exact[family]);
	for (unsigned i = 0; i < c->n_filters; i++)
		spx_flow_approximate_free(c->filter[i]);
	rte_free(c);
}

void
spx_flow_set_generation(struct spx_flow_cache *c, uint32_t generation)
{
	if (c->generation == generation)
		return;
	c->generation = generation;
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++)
		if (c->exact[family] != NULL)
			spx_flow_exact_set_generation(c->exact[family], generation);
	/* A doorkeeper knows flows, not answers: it stays. */
	if (c->mode == SPX_FLOW_MODE_approximate)
		for (unsigned i = 0; i < c->n_filters; i++)
			spx_flow_approximate_clear(c->filter[i]);
}

/* ---- housekeeping ---------------------------------------------------------------------------------- */

/* Sweeps as many sets as the time that has passed asks for; what is beyond SWEEP_MAX waits for the next time,
 * at most one pass over the table. */
static void
sweep(struct spx_flow_cache *c, unsigned family, uint32_t elapsed_ms)
{
	struct spx_flow_exact_stats stats;
	uint64_t n;

	spx_flow_exact_stats(c->exact[family], &stats);
	c->sweep_due[family] += (uint64_t)elapsed_ms * SWEEPS_PER_IDLE * stats.sets;
	c->sweep_due[family] = RTE_MIN(c->sweep_due[family], c->idle_ms * stats.sets);
	n = RTE_MIN(c->sweep_due[family] / c->idle_ms, SWEEP_MAX);
	c->sweep_due[family] -= n * c->idle_ms;
	spx_flow_exact_sweep(c->exact[family], n, c->idle_ms);
}

void
spx_flow_housekeep(struct spx_flow_cache *c, uint32_t now_ms)
{
	uint32_t elapsed = c->timed ? now_ms - c->now_ms : 0;
	bool held_off = c->guard.on;

	c->now_ms = now_ms;
	c->timed = true;
	spx_flow_guard_refill(&c->guard, elapsed);
	if (held_off && !c->guard.on)
		spx_count(&c->counters.guard_off, 1);
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		if (c->exact[family] == NULL)
			continue;
		spx_flow_exact_set_time(c->exact[family], now_ms);
		spx_flow_exact_age(c->exact[family]);
		if (c->idle_ms > 0)
			sweep(c, family, elapsed);
	}
}

void
spx_flow_flush(struct spx_flow_cache *c)
{
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++)
		if (c->exact[family] != NULL)
			spx_flow_exact_flush(c->exact[family]);
}

/* ---- readers --------------------------------------------------------------------------------------- */

const void *
spx_flow_lines4(const struct spx_flow_cache *c, uint64_t *lines)
{
	const struct spx_flow_exact *x = c->exact[SPX_FLOW_IPV4];

	*lines = 0;
	return x == NULL ? NULL : spx_flow_exact_lines(x, lines);
}

enum spx_flow_mode
spx_flow_mode(const struct spx_flow_cache *c)
{
	return c->mode;
}

const struct spx_flow_counters *
spx_flow_counters(const struct spx_flow_cache *c)
{
	return &c->counters;
}

void
spx_flow_stats(const struct spx_flow_cache *c, struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES],
	struct spx_flow_approximate_stats *approximate)
{
	*approximate = (struct spx_flow_approximate_stats){0};
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		exact[family] = (struct spx_flow_exact_stats){0};
		if (c->exact[family] != NULL)
			spx_flow_exact_stats(c->exact[family], &exact[family]);
	}
	for (unsigned i = 0; i < c->n_filters; i++) {
		struct spx_flow_approximate_stats one;

		spx_flow_approximate_stats(c->filter[i], &one);
		approximate->plan.blocks += one.plan.blocks;
		approximate->plan.probes = one.plan.probes;
		approximate->plan.p += one.plan.p;
		approximate->flows += one.flows;
		approximate->clears += one.clears;
		approximate->bytes += one.bytes;
	}
}

/* The n largest so far, a heap whose smallest is on top. */
struct top {
	struct spx_flow_record *heap;
	size_t n, room;
};

static void
swap(struct spx_flow_record *a, struct spx_flow_record *b)
{
	struct spx_flow_record other = *a;

	*a = *b;
	*b = other;
}

static void
sift_down(struct top *t)
{
	for (size_t i = 0;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child < t->n && child <= 2 * i + 2; child++)
			if (t->heap[child].bytes < t->heap[least].bytes)
				least = child;
		if (least == i)
			return;
		swap(&t->heap[i], &t->heap[least]);
		i = least;
	}
}

static void
offer(struct top *t, const struct spx_flow_record *record)
{
	if (t->n == t->room) {
		if (record->bytes > t->heap[0].bytes) {
			t->heap[0] = *record;
			sift_down(t);
		}
		return;
	}
	t->heap[t->n++] = *record;
	for (size_t i = t->n - 1; i > 0 && t->heap[i].bytes < t->heap[(i - 1) / 2].bytes; i = (i - 1) / 2)
		swap(&t->heap[i], &t->heap[(i - 1) / 2]);
}

static void
offer_all(struct top *t, const struct spx_flow_exact *x)
{
	struct spx_flow_exact_stats stats;
	struct spx_flow_record record;

	spx_flow_exact_stats(x, &stats);
	for (uint64_t i = 0; i < stats.entries; i++)
		if (spx_flow_exact_read(x, i, &record))
			offer(t, &record);
}

static int
by_bytes(const void *a, const void *b)
{
	uint64_t x = ((const struct spx_flow_record *)a)->bytes,
		 y = ((const struct spx_flow_record *)b)->bytes;

	return x < y ? 1 : x > y ? -1 : 0;
}

size_t
spx_flow_top(
	const struct spx_flow_cache *const cache[], size_t n_caches, size_t n, struct spx_flow_record top[])
{
	struct top t = {.heap = top, .room = n};

	for (size_t i = 0; i < n_caches && n > 0; i++)
		for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++)
			if (cache[i]->exact[family] != NULL)
				offer_all(&t, cache[i]->exact[family]);
	if (t.n > 1)
		qsort(top, t.n, sizeof(*top), by_bytes);
	return t.n;
}
