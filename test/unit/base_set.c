/* Sets of packets: masks, their iteration in arrival order. */
#include <criterion/criterion.h>

#include "lib/base/base.h"

Test(base_set, first_of_none_all_and_between)
{
	cr_assert_eq(spx_set_first(0), 0);
	cr_assert_eq(spx_set_first(64), UINT64_MAX);
	for (unsigned n = 1; n < 64; n++) {
		uint64_t naive = 0;

		for (unsigned i = 0; i < n; i++)
			naive |= UINT64_C(1) << i;
		cr_assert_eq(spx_set_first(n), naive, "n = %u", n);
	}
}

Test(base_set, one_and_count)
{
	for (unsigned i = 0; i < 64; i++) {
		cr_assert_eq(spx_set_one(i), UINT64_C(1) << i);
		cr_assert_eq(spx_set_count(spx_set_one(i)), 1);
		cr_assert_eq(spx_set_count(spx_set_first(i)), i);
	}
	cr_assert_eq(spx_set_count(UINT64_MAX), 64);
}

Test(base_set, foreach_visits_members_in_order)
{
	uint64_t random = 1;
	const uint64_t corners[] = {0, 1, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0x8000000000000001)};

	for (unsigned round = 0; round < 1000; round++) {
		uint64_t set = round < RTE_DIM(corners) ? corners[round] : spx_random(&random);
		unsigned expected = 0, visited = 0, i;

		SPX_FOREACH (i, set) {
			while (expected < 64 && (set >> expected & 1) == 0)
				expected++;
			cr_assert_eq(i, expected, "set %#lx: got %u, expected %u", set, i, expected);
			expected++;
			visited++;
		}
		cr_assert_eq(visited, spx_set_count(set));
	}
}

/* The usual loop of a stage: drops take packets out of the very mask that is iterated. */
Test(base_set, foreach_allows_changing_the_set_inside)
{
	uint64_t alive = UINT64_C(0xff00000000000f0f), before = alive, visited = 0;
	unsigned i;

	SPX_FOREACH (i, alive) {
		alive &= ~spx_set_one(i);
		alive &= ~spx_set_one((i + 1) % 64);
		visited |= spx_set_one(i);
	}
	cr_assert_eq(visited, before);
	cr_assert_eq(alive, 0);
}

static uint64_t
set_counted(unsigned *calls)
{
	(*calls)++;
	return 0x15;
}

Test(base_set, foreach_evaluates_the_set_once)
{
	unsigned calls = 0, sum = 0, i;

	SPX_FOREACH (i, set_counted(&calls))
		sum += i;
	cr_assert_eq(calls, 1);
	cr_assert_eq(sum, 0 + 2 + 4);
}

Test(base_set, foreach_nests)
{
	uint64_t rows = UINT64_C(0x8000000000000005), columns = 0x13;
	uint64_t seen[64] = {0};
	unsigned row, column;

	SPX_FOREACH (row, rows) {
		SPX_FOREACH (column, columns)
			seen[row] |= spx_set_one(column);
	}
	for (unsigned i = 0; i < 64; i++)
		cr_assert_eq(seen[i], (rows >> i & 1) ? columns : 0, "row %u", i);
}

Test(base_set, foreach_breaks_and_continues)
{
	unsigned i, sum = 0;

	SPX_FOREACH (i, spx_set_first(10)) {
		if (i % 2 == 1)
			continue;
		if (i == 8)
			break;
		sum += i;
	}
	cr_assert_eq(sum, 0 + 2 + 4 + 6);
	cr_assert_eq(i, 8);
}

Test(base_set, drop_and_punt_move_a_packet)
{
	static struct spx_burst b;

	b = (struct spx_burst){.n = 64, .alive = UINT64_MAX};
	spx_burst_drop(&b, 63, SPX_DROP_stopping);
	spx_burst_punt(&b, 0, SPX_EXCEPTION_ttl);
	cr_assert_eq(b.alive, UINT64_MAX >> 2 << 1);
	cr_assert_eq(b.drop, UINT64_C(1) << 63);
	cr_assert_eq(b.punt, 1);
	cr_assert_eq(b.reason[63], SPX_DROP_stopping);
	cr_assert_eq(b.exception[0], SPX_EXCEPTION_ttl);
}
