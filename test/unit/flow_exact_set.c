/* The two questions asked of a set: what is compiled in answers as the scalar contract does. */
#include <criterion/criterion.h>

#include "lib/flow/exact_internal.h"

TestSuite(flow_exact_set);

/* Few different values, so that several ways match; all of them near the wrap of 16 bits. */
static void
draw_set(uint64_t *random, struct exact_set *set)
{
	unsigned bits = 1 + spx_random(random) % 16;

	for (unsigned way = 0; way < SPX_FLOW_WAYS_MAX; way++) {
		set->tag[way] = (uint16_t)(spx_random(random) >> (64 - bits));
		set->stamp[way] = (uint16_t)(spx_random(random) >> (64 - bits));
	}
}

Test(flow_exact_set, match_is_the_scalar_one)
{
	uint64_t random = 1;

	for (unsigned n = 0; n < 200000; n++) {
		struct exact_set set;
		uint16_t wanted;

		draw_set(&random, &set);
		wanted = n % 4 == 0 ? (uint16_t)spx_random(&random) : set.tag[n % SPX_FLOW_WAYS_MAX];
		cr_assert_eq(exact_match(set.tag, wanted), exact_match_scalar(set.tag, wanted));
	}
}

Test(flow_exact_set, oldest_is_the_scalar_one)
{
	uint64_t random = 2;

	for (unsigned n = 0; n < 200000; n++) {
		unsigned ways = 1 + n % SPX_FLOW_WAYS_MAX;
		struct exact_set set;
		uint16_t tick;

		draw_set(&random, &set);
		tick = (uint16_t)(set.stamp[spx_random(&random) % SPX_FLOW_WAYS_MAX] + n % 3);
		cr_assert_eq(exact_oldest(set.stamp, tick, ways), exact_oldest_scalar(set.stamp, tick, ways));
	}
}

Test(flow_exact_set, oldest_by_hand)
{
	struct exact_set set = {.stamp = {5, 3, 65535, 3, 4, 4, 4, 4, 4, 4, 4, 4, 65534, 4, 4, 4}};

	cr_assert_eq(exact_oldest_scalar(set.stamp, 5, 1), 0);
	cr_assert_eq(exact_oldest_scalar(set.stamp, 5, 2), 1);
	cr_assert_eq(exact_oldest_scalar(set.stamp, 5, 12), 2);
	cr_assert_eq(exact_oldest_scalar(set.stamp, 5, 16), 12);
	cr_assert_eq(exact_match_scalar(set.stamp, 4), 0xeff0);
}
