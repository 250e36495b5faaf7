/* The approximate cache against exact models: what is in it is always found, whatever it forgets, and when.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/flow/approximate.h"
#include "test/unit/eal.h"
#include "test/unit/flow_approximate_measure.h"

TestSuite(flow_approximate, .init = test_eal_start);

/* ---- cold ------------------------------------------------------------------------------------------ */

/* Random sets of bursts, some flows twice in one: all that entered since the last clear is found. */
static void
check_cold(double p, uint64_t flows, unsigned bursts, uint64_t random)
{
	struct spx_flow_approximate *f = create_filter(p, flows, SPX_FLOW_COLD, random);
	uint64_t *in = calloc(2 * flows + SPX_BURST_MAX, sizeof(*in)), n = 0, clears = 0;

	cr_assert_not_null(in);
	for (unsigned b = 0; b < bursts; b++) {
		uint64_t hash[SPX_BURST_MAX], set = spx_random(&random);
		unsigned i;

		if (b % 3 == 0)
			set = spx_set_first((unsigned)(set % (SPX_BURST_MAX + 1)));
		for (i = 0; i < SPX_BURST_MAX; i++)
			hash[i] = i % 8 == 7   ? hash[i - 3]
				  : i % 8 == 5 ? in[n == 0 ? 0 : spx_random(&random) % n]
					       : spx_random(&random);
		/* One by one, to know which one cleared it. */
		SPX_FOREACH (i, set) {
			bool was = found(f, hash[i]);

			spx_flow_approximate_insert(f, hash, spx_set_one(i));
			if (stats_of(f).clears != clears) {
				clears++;
				cr_assert_not(was, "a flow that is there clears nothing");
				cr_assert_eq(stats_of(f).flows, 1);
				n = 0;
			}
			in[n++] = hash[i];
			if (was)
				n--;
			cr_assert_leq(stats_of(f).flows, flows);
		}
		cr_assert_eq(spx_flow_approximate_lookup(f, hash, 0), 0);
		for (uint64_t k = 0; k < n; k++)
			cr_assert(found(f, in[k]), "flow %lu of %lu", (unsigned long)k, (unsigned long)n);
	}
	cr_assert_gt(clears, 1);
	free(in);
	spx_flow_approximate_free(f);
}

Test(flow_approximate, cold_finds_all_since_the_clear)
{
	check_cold(1e-2, 1000, 200, 1);
	check_cold(0.5, 100, 200, 2);
	check_cold(1e-6, 300, 50, 3);
	check_cold(1e-9, 3, 20, 4);
	check_cold(1e-4, 1, 10, 5);
}

static void
check_known_when_full(enum spx_flow_ageing ageing, uint64_t room)
{
	struct spx_flow_approximate *f = create_filter(1e-6, 100, ageing, 32);
	uint64_t hash[SPX_BURST_MAX], random = 33;

	for (unsigned i = 0; i < room; i++) {
		hash[i % 50] = spx_random(&random);
		insert(f, hash[i % 50]);
	}
	spx_flow_approximate_insert(f, hash, spx_set_first(50));
	cr_assert_eq(stats_of(f).clears, 0);
	cr_assert_eq(stats_of(f).flows, room);
	insert(f, spx_random(&random));
	cr_assert_eq(stats_of(f).clears, 1);
	spx_flow_approximate_free(f);
}

Test(flow_approximate, known_flows_clear_nothing)
{
	check_known_when_full(SPX_FLOW_COLD, 100);
	check_known_when_full(SPX_FLOW_DOUBLE_BUFFERED, 50);
}

/* A burst enters as its members do one after the other, also where one of them clears the filter. */
static void
check_bursts(enum spx_flow_ageing ageing, uint64_t flows, uint64_t random)
{
	struct spx_flow_approximate *one = create_filter(1e-3, flows, ageing, 9);
	struct spx_flow_approximate *all = create_filter(1e-3, flows, ageing, 9);

	for (unsigned b = 0; b < 300; b++) {
		uint64_t hash[SPX_BURST_MAX], set = spx_random(&random);
		unsigned i;

		for (i = 0; i < SPX_BURST_MAX; i++)
			hash[i] = spx_random(&random) % 4 == 0 && i > 0 ? hash[i - 1] : spx_random(&random);
		SPX_FOREACH (i, set)
			spx_flow_approximate_insert(one, hash, spx_set_one(i));
		spx_flow_approximate_insert(all, hash, set);
		cr_assert_eq(stats_of(one).flows, stats_of(all).flows);
		cr_assert_eq(stats_of(one).clears, stats_of(all).clears);
		cr_assert_eq(spx_flow_approximate_lookup(one, hash, UINT64_MAX),
			spx_flow_approximate_lookup(all, hash, UINT64_MAX));
	}
	cr_assert_gt(stats_of(all).clears, 3);
	spx_flow_approximate_free(one);
	spx_flow_approximate_free(all);
}

Test(flow_approximate, a_burst_enters_one_after_the_other)
{
	check_bursts(SPX_FLOW_COLD, 1000, 6);
	check_bursts(SPX_FLOW_COLD, 10, 7);
	check_bursts(SPX_FLOW_DOUBLE_BUFFERED, 1000, 8);
	check_bursts(SPX_FLOW_DOUBLE_BUFFERED, 10, 9);
}

/* ---- double-buffered ------------------------------------------------------------------------------- */

/* The flows last used (entered or found), most recent last. */
struct recent {
	uint64_t *hash;
	unsigned n, most;
};

static void
use(struct recent *r, uint64_t hash)
{
	unsigned at = 0;

	while (at < r->n && r->hash[at] != hash)
		at++;
	if (at == r->n && r->n == r->most)
		at = 0; /* the longest unused is forgotten */
	else if (at == r->n)
		r->n++;
	memmove(&r->hash[at], &r->hash[at + 1], (r->n - 1 - at) * sizeof(*r->hash));
	r->hash[r->n - 1] = hash;
}

/* The last flows / 2 flows used are found, across all switches, whatever the mix of new and old flows. */
static void
check_recent(double p, unsigned flows, unsigned new_in_16, uint64_t random)
{
	struct spx_flow_approximate *f = create_filter(p, flows, SPX_FLOW_DOUBLE_BUFFERED, random);
	struct recent r = {calloc(flows / 2 + 1, sizeof(uint64_t)), 0, flows / 2};
	uint64_t clears = 0, old = 0;

	for (unsigned i = 0; i < 200 * flows; i++) {
		uint64_t hash = spx_random(&random);
		struct spx_flow_approximate_stats stats;

		if (r.n > 0 && hash % 16 >= new_in_16) {
			hash = r.hash[spx_random(&random) % r.n];
			cr_assert(found(f, hash), "p %g, %u flows, step %u", p, flows, i);
		} else {
			if (hash % 4 == 0 && old != 0)
				hash = old; /* comes back after a while */
			else if (hash % 64 == 1)
				old = hash;
			if (!found(f, hash))
				insert(f, hash);
		}
		use(&r, hash);
		stats = stats_of(f);
		cr_assert(stats.flows <= flows && stats.flows > 0);
		cr_assert_leq(f->filter[!f->active].flows, flows / 2);
		if (stats.clears != clears) /* what took over was half full, and one has entered since */
			cr_assert(p > 0.01 || stats.flows == flows / 2 + 1 || stats.flows == flows / 2);
		clears = stats.clears;
	}
	cr_assert_gt(clears, 10);
	free(r.hash);
	spx_flow_approximate_free(f);
}

Test(flow_approximate, double_buffered_finds_the_last_used)
{
	static const unsigned flows[] = {2, 3, 5, 64, 401};

	for (unsigned k = 0; k < RTE_DIM(flows); k++) {
		check_recent(1e-4, flows[k], 16, 10);
		check_recent(1e-4, flows[k], 8, 11);
		check_recent(1e-4, flows[k], 2, 12);
		check_recent(0.3, flows[k], 4, 13);
	}
}

/* Flows found again enter the other half: half of the flows, used all the time, survive any number of new
 * ones. */
Test(flow_approximate, double_buffered_keeps_what_is_used)
{
	enum { FLOWS = 1000, USED = FLOWS / 4 };
	struct spx_flow_approximate *f = create_filter(1e-3, FLOWS, SPX_FLOW_DOUBLE_BUFFERED, 14);
	uint64_t used[USED], random = 15;

	for (unsigned i = 0; i < USED; i++) {
		used[i] = spx_random(&random);
		insert(f, used[i]);
	}
	for (unsigned round = 0; round < 1000; round++) {
		enter_random(f, USED - SPX_BURST_MAX, &random);
		for (unsigned i = 0; i < USED; i++)
			cr_assert(found(f, used[i]), "round %u", round);
	}
	cr_assert_gt(stats_of(f).clears, 300);
	spx_flow_approximate_free(f);
}
