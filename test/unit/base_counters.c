/* Counters: merging and subtracting reach every field. */
#include <criterion/criterion.h>

#include "lib/base/base.h"

#define WORDS (sizeof(struct spx_counters) / sizeof(uint64_t))

static void
fill(struct spx_counters *c, uint64_t *random)
{
	uint64_t *word = (uint64_t *)c;

	for (size_t i = 0; i < WORDS; i++)
		word[i] = spx_random(random);
}

Test(base_counters, add_then_subtract_field_by_field)
{
	static struct spx_counters a, b, sum;
	uint64_t random = 2;

	fill(&a, &random);
	fill(&b, &random);
	sum = a;
	spx_counters_add(&sum, &b);
	cr_assert_eq(sum.received, a.received + b.received);
	cr_assert_eq(sum.idle, a.idle + b.idle);
	for (unsigned i = 0; i < SPX_DROP_COUNT; i++)
		cr_assert_eq(sum.drops[i], a.drops[i] + b.drops[i]);
	for (unsigned i = 0; i < SPX_EXCEPTION_COUNT; i++)
		cr_assert_eq(sum.exceptions[i], a.exceptions[i] + b.exceptions[i]);
	for (unsigned i = 0; i < SPX_STAGE_COUNT; i++)
		cr_assert_eq(
			sum.stage[i].sampled_cycles, a.stage[i].sampled_cycles + b.stage[i].sampled_cycles);
	for (unsigned i = 0; i < SPX_PORTS_MAX; i++)
		cr_assert_eq(sum.port[i].tx_bytes, a.port[i].tx_bytes + b.port[i].tx_bytes);

	spx_counters_subtract(&sum, &b);
	cr_assert_arr_eq(&sum, &a, sizeof(a));
}

/* A reader's interval over counters that have gone round 2^64. */
Test(base_counters, subtract_over_the_wrap)
{
	static struct spx_counters now, then;

	then.transmitted = UINT64_MAX - 4;
	now.transmitted = 5;
	spx_counters_subtract(&now, &then);
	cr_assert_eq(now.transmitted, 10);
}

Test(base_counters, drops_is_the_sum_of_all_reasons)
{
	static struct spx_counters c;
	uint64_t sum = 0;

	c.received = c.uncloned = 1u << 20;
	c.exceptions[0] = 1u << 20;
	cr_assert_eq(spx_counters_drops(&c), 0);
	for (unsigned i = 0; i < SPX_DROP_COUNT; i++) {
		c.drops[i] = UINT64_C(1) << i;
		sum += UINT64_C(1) << i;
		cr_assert_eq(spx_counters_drops(&c), sum);
	}
}

Test(base_counters, count_adds)
{
	uint64_t counter = 40;

	spx_count(&counter, 2);
	cr_assert_eq(counter, 42);
}
