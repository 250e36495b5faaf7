/* The approximate cache forgets in constant time and makes other mistakes then; options, statistics, small
 * measurements of p. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/flow/approximate.h"
#include "test/unit/eal.h"
#include "test/unit/flow_approximate_measure.h"

TestSuite(flow_approximate_clear, .init = test_eal_start);

static void
check_clear(enum spx_flow_ageing ageing)
{
	enum { FLOWS = 20000 };
	struct spx_flow_approximate *f = create_filter(1e-2, FLOWS, ageing, 16);

	for (unsigned round = 0; round < 5; round++) {
		uint64_t random = 17;

		enter_random(f, FLOWS / 2, &random);
		cr_assert_gt(stats_of(f).flows, FLOWS / 2 - FLOWS / 50);
		spx_flow_approximate_clear(f);
		cr_assert_eq(stats_of(f).flows, 0);
		random = 17;
		cr_assert_eq(measure_strangers(f, FLOWS / 2, &random), 0, "the same ones, strangers now");
	}
	cr_assert_eq(stats_of(f).clears, 0, "it was never full");
	spx_flow_approximate_free(f);
}

Test(flow_approximate_clear, clear_empties)
{
	check_clear(SPX_FLOW_COLD);
	check_clear(SPX_FLOW_DOUBLE_BUFFERED);
}

/* A clear writes to one block, so its cost does not depend on their number. */
Test(flow_approximate_clear, clear_is_constant_work)
{
	struct spx_flow_approximate *f = create_filter(1e-2, 100000, SPX_FLOW_COLD, 18);
	struct spx_flow_filter *filter = &f->filter[0];
	size_t bytes = filter->blocks * sizeof(*filter->block);
	uint32_t(*before)[SPX_FLOW_BLOCK_WORDS] = malloc(bytes);
	uint64_t random = 19, changed = 0;

	cr_assert_not_null(before);
	enter_random(f, 100000, &random);
	memcpy(before, filter->block, bytes);
	spx_flow_approximate_clear(f);
	for (uint64_t b = 0; b < filter->blocks; b++)
		changed += memcmp(before[b], filter->block[b], sizeof(*before)) != 0;
	cr_assert_leq(changed, 1);
	free(before);
	spx_flow_approximate_free(f);
}

/* The epoch comes round after 2^32 clears. As many clears as there are blocks leave none with the old epoch,
 * so going there at once is the same as going there by clears. */
Test(flow_approximate_clear, epochs_come_round)
{
	struct spx_flow_approximate *f = create_filter(1e-2, 1000, SPX_FLOW_COLD, 20);
	struct spx_flow_filter full, *filter = &f->filter[0];
	uint64_t random = 21;

	enter_random(f, 1000, &random);
	full = *filter;
	for (uint64_t i = 0; i < filter->blocks; i++)
		spx_flow_approximate_clear(f);
	filter->epoch = full.epoch;
	memcpy(filter->seed, full.seed, sizeof(full.seed));
	random = 21;
	cr_assert_eq(measure_strangers(f, 1000, &random), 0);

	filter->epoch = UINT32_MAX - 1;
	for (unsigned i = 0; i < 5; i++) {
		spx_flow_approximate_clear(f);
		enter_random(f, 100, &random);
		cr_assert_gt(stats_of(f).flows, 95);
	}
	spx_flow_approximate_free(f);
}

/* The same flows in it, the same strangers: those that it took for known are others after a clear. */
Test(flow_approximate_clear, new_seeds_make_other_mistakes)
{
	enum { FLOWS = 20000, STRANGERS = 100000 };
	struct spx_flow_approximate *f = create_filter(1e-2, FLOWS, SPX_FLOW_COLD, 22);
	static bool before[STRANGERS];
	unsigned mistakes = 0, again = 0;

	for (unsigned round = 0; round < 2; round++) {
		uint64_t random = 23;

		spx_flow_approximate_clear(f);
		enter_random(f, FLOWS, &random);
		for (unsigned i = 0; i < STRANGERS; i++) {
			bool yes = found(f, spx_random(&random));

			mistakes += round == 0 && yes;
			again += yes && before[i];
			before[i] = yes;
		}
	}
	/* 1000 mistakes, of which 10 happen again by chance (standard deviation 3). */
	cr_assert(mistakes > 800 && mistakes < 1200, "%u", mistakes);
	cr_assert_lt(again, 28);
	spx_flow_approximate_free(f);
}

/* ---- measured p, options --------------------------------------------------------------------------- */

/* Small measurements; flow_approximate_p has the large ones. */
Test(flow_approximate_clear, measured_p)
{
	check_measured_model(1e-2, 2000, 200, 6400, 24);
	check_measured_model(0.3, 500, 400, 1280, 25);
	check_measured_full(1e-2, 2000, 200, 6400, 26);
	check_measured_full(0.5, 1000, 400, 1280, 27);
	check_measured_double_buffered(0.1, 1000, 4000, 28);
}

/* Flow hashes without any pattern are promised; those with one do nearly as well, as the seed mixes. */
Test(flow_approximate_clear, numbers_in_a_row_are_mixed)
{
	enum { FLOWS = 20000, STRANGERS = 500000 };
	struct spx_flow_approximate *f = create_filter(1e-2, FLOWS, SPX_FLOW_COLD, 29);
	unsigned yes = 0;

	for (uint64_t i = 0; i < FLOWS; i++)
		insert(f, i);
	for (uint64_t i = FLOWS; i < FLOWS + STRANGERS; i++)
		yes += found(f, i);
	cr_assert(yes > STRANGERS / 100 * 8 / 10 && yes < STRANGERS / 100 * 12 / 10, "%u", yes);
	spx_flow_approximate_free(f);
}

Test(flow_approximate_clear, options)
{
	struct spx_flow_approximate_options options = {.p = 0.01, .flows = 0, .socket = SOCKET_ID_ANY};
	struct spx_flow_approximate *f = NULL;
	struct spx_error err;

	cr_assert_eq(spx_flow_approximate_create(&options, &f, &err), -EINVAL);
	options.flows = 1;
	options.ageing = SPX_FLOW_DOUBLE_BUFFERED;
	cr_assert_eq(spx_flow_approximate_create(&options, &f, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, "at least two"), "%s", err.text);
	options.flows = UINT64_C(1) << 30; /* more memory than EAL has here */
	cr_assert_eq(spx_flow_approximate_create(&options, &f, &err), -ENOMEM);
	cr_assert_not_null(strstr(err.text, "no memory"), "%s", err.text);
	cr_assert_null(f);
	spx_flow_approximate_free(NULL);
}

Test(flow_approximate_clear, statistics)
{
	struct spx_flow_approximate *cold = create_filter(1e-3, 5000, SPX_FLOW_COLD, 30);
	struct spx_flow_approximate *two = create_filter(1e-3, 5000, SPX_FLOW_DOUBLE_BUFFERED, 30);
	struct spx_flow_approximate_plan plan;
	uint64_t random = 31;

	cr_assert_eq(spx_flow_approximate_plan(1e-3, 5000, &plan, NULL), 0);
	cr_assert_eq(stats_of(cold).plan.blocks, plan.blocks);
	cr_assert_eq(stats_of(two).plan.probes, plan.probes);
	cr_assert(stats_of(cold).bytes >= plan.blocks * 64 && stats_of(cold).bytes < plan.blocks * 64 + 512);
	cr_assert(stats_of(two).bytes >= plan.blocks * 128 && stats_of(two).bytes < plan.blocks * 128 + 512);
	fill_random(cold, 5000, &random);
	fill_random(two, 2500, &random);
	cr_assert_eq(stats_of(cold).clears, 0);
	cr_assert_eq(stats_of(two).clears, 0);
	enter_random(cold, 20, &random);
	enter_random(two, 20, &random);
	cr_assert_eq(stats_of(cold).clears, 1);
	cr_assert_eq(stats_of(two).clears, 1);
	cr_assert_eq(stats_of(cold).flows, 20);
	cr_assert_eq(stats_of(two).flows, 2520);
	spx_flow_approximate_free(cold);
	spx_flow_approximate_free(two);
}
