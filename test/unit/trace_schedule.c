/* The schedule of a timed replay: absolute times that do not drift. */
#include <criterion/criterion.h>

#include "lib/trace/trace.h"

#define SECOND UINT64_C(1000000000)

Test(trace_schedule, first_packet_is_due_at_once)
{
	struct spx_schedule s;

	spx_schedule_init(&s, 1.0);
	cr_assert_eq(spx_schedule_due(&s, 1704067200 * SECOND), 0);
	cr_assert_eq(spx_schedule_due(&s, 1704067200 * SECOND + 1), 1);
	cr_assert_eq(spx_schedule_due(&s, 1704067201 * SECOND), SECOND);
}

Test(trace_schedule, stamps_that_step_back_count_as_the_latest)
{
	struct spx_schedule s;

	spx_schedule_init(&s, 1.0);
	cr_assert_eq(spx_schedule_due(&s, 1000), 0);
	cr_assert_eq(spx_schedule_due(&s, 900), 0);
	cr_assert_eq(spx_schedule_due(&s, 1500), 500);
	cr_assert_eq(spx_schedule_due(&s, 0), 500);
	cr_assert_eq(spx_schedule_due(&s, 1499), 500);
	cr_assert_eq(spx_schedule_due(&s, 1501), 501);
}

Test(trace_schedule, equal_stamps_are_due_together)
{
	struct spx_schedule s;

	spx_schedule_init(&s, 0.5);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(spx_schedule_due(&s, 77), 0);
	spx_schedule_next_pass(&s, 100);
	cr_assert_eq(spx_schedule_due(&s, 77), 0);
}

Test(trace_schedule, factor)
{
	static const struct {
		double factor;
		uint64_t due;
	} cases[] = {
		{2.0, 500000000}, {0.5, 2 * SECOND}, {10.0, 100000000}, {3.0, 333333333}, {0.1, 9999999999}};

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct spx_schedule s;
		uint64_t due;

		spx_schedule_init(&s, cases[i].factor);
		spx_schedule_due(&s, 5);
		due = spx_schedule_due(&s, 5 + SECOND);
		/* 0.1 is no binary fraction: a nanosecond either way. */
		cr_assert(due == cases[i].due || due == cases[i].due + 1, "%lu", due);
	}
}

/* A thousand million packets, looked at in steps: the due time never leaves the exact one by a nanosecond. */
Test(trace_schedule, no_drift_over_a_thousand_million_packets)
{
	static const struct {
		double factor;
		uint64_t numerator, denominator; /* of 1 / factor */
	} cases[] = {{1.0, 1, 1}, {3.0, 1, 3}, {0.25, 4, 1}, {7.0, 1, 7}, {1.5, 2, 3}};
	const uint64_t packets = UINT64_C(1000000000), gap = 1337, step = 99991;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct spx_schedule s;

		spx_schedule_init(&s, cases[i].factor);
		for (uint64_t n = 0; n < packets; n += step) {
			uint64_t exact = n * gap * cases[i].numerator / cases[i].denominator;

			cr_assert_eq(spx_schedule_due(&s, 12345 + n * gap), exact, "factor %f packet %lu",
				cases[i].factor, n);
		}
	}
}

Test(trace_schedule, passes_follow_each_other_by_the_mean_gap)
{
	struct spx_schedule s;

	spx_schedule_init(&s, 1.0);
	for (uint64_t pass = 0; pass < 1000; pass++) {
		/* gaps 100 and 300: mean 200, so a pass lasts 600 */
		cr_assert_eq(spx_schedule_due(&s, 5000), pass * 600);
		cr_assert_eq(spx_schedule_due(&s, 5100), pass * 600 + 100);
		cr_assert_eq(spx_schedule_due(&s, 5400), pass * 600 + 400);
		spx_schedule_next_pass(&s, 3);
	}
}

/* Where a pass is no whole number of nanoseconds, half a nanosecond per pass is the most that adds up. */
Test(trace_schedule, passes_round_to_the_nearest_nanosecond)
{
	struct spx_schedule s;
	uint64_t due;

	spx_schedule_init(&s, 3.0);
	for (int pass = 0; pass < 300; pass++) {
		spx_schedule_due(&s, 0);
		spx_schedule_due(&s, 1000);
		spx_schedule_next_pass(&s, 2); /* 2000 / 3 = 666.67 */
	}
	due = spx_schedule_due(&s, 0);
	cr_assert(due >= 199850 && due <= 200150, "%lu", due);
}

Test(trace_schedule, one_packet_or_none_has_no_gap)
{
	struct spx_schedule s;

	spx_schedule_init(&s, 1.0);
	spx_schedule_next_pass(&s, 0);
	for (int pass = 0; pass < 3; pass++) {
		cr_assert_eq(spx_schedule_due(&s, 42), 0);
		spx_schedule_next_pass(&s, 1);
	}
}

Test(trace_schedule, absurd_stamps_stay_in_64_bits)
{
	struct spx_schedule s;

	spx_schedule_init(&s, 0.001);
	cr_assert_eq(spx_schedule_due(&s, 0), 0);
	cr_assert_eq(spx_schedule_due(&s, UINT64_MAX), UINT64_MAX);
	spx_schedule_next_pass(&s, 2);
	cr_assert_eq(spx_schedule_due(&s, 0), UINT64_MAX);
	cr_assert_eq(spx_schedule_due(&s, 5), UINT64_MAX);
}
