/* The clock against CLOCK_MONOTONIC_RAW. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <rte_cycles.h>

#include "lib/base/base.h"
#include "test/unit/eal.h"

/* The pair of readings with the shortest gap of many: what a preempted reading is not. */
static void
read_both(uint64_t *tsc, uint64_t *raw_ns)
{
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 100; i++) {
		struct timespec t;
		uint64_t before = rte_rdtsc_precise(), gap;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		gap = rte_rdtsc_precise() - before;
		if (gap < shortest) {
			shortest = gap;
			*tsc = before + gap / 2;
			*raw_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
		}
	}
}

static int64_t
error_ns(const struct spx_clock *clock)
{
	uint64_t tsc = 0, raw = 0;

	read_both(&tsc, &raw);
	return (int64_t)(spx_clock_ns(clock, tsc) - raw);
}

/* One test for all: EAL, which measures the TSC's rate, takes 145 ms to start. */
Test(base_clock, follows_the_raw_clock, .init = test_eal_start)
{
	struct spx_clock clock;
	uint64_t tsc = 0, raw = 0, last;
	int64_t error;

	spx_clock_init(&clock);
	cr_assert_lt(llabs(error_ns(&clock)), 50000, "at the start: %ld ns off", error_ns(&clock));

	/* After 0.3 s the rate is the measured one: 100 ppm of the next 0.3 s are 30 us. */
	usleep(300000);
	spx_clock_sync(&clock);
	usleep(300000);
	error = error_ns(&clock);
	cr_assert_lt(llabs(error), 30000, "rate: %ld ns off after 0.3 s", error);

	/* Continuous: what the clock said of the instant of the synchronisation before, and says after. */
	for (int i = 0; i < 5; i++) {
		struct spx_clock before = clock;
		int64_t step;

		usleep(20000);
		spx_clock_sync(&clock);
		step = (int64_t)(spx_clock_ns(&before, clock.tsc) - clock.ns);
		cr_assert_lt(llabs(step), 30000, "a step of %ld ns", step);
	}

	/* Monotone between synchronisations. */
	last = 0;
	for (int i = 0; i < 100000; i++) {
		uint64_t now = spx_clock_ns(&clock, rte_rdtsc_precise());

		cr_assert_geq(now, last);
		last = now;
	}

	/* There and back: cycles of a time, time of those cycles. */
	for (uint64_t ns = 1; ns < UINT64_C(1000000000000); ns *= 7) {
		uint64_t back = spx_clock_ns(&clock, clock.tsc + spx_clock_cycles(&clock, ns)) - clock.ns;

		cr_assert(ns - back <= 1 + ns / 1000000000, "%lu ns came back as %lu", ns, back);
	}

	/* A long time without a synchronisation does not overflow: a day. */
	read_both(&tsc, &raw);
	cr_assert_eq(spx_clock_ns(&clock, clock.tsc + spx_clock_cycles(&clock, UINT64_C(86400000000000))) /
			     1000000,
		(clock.ns + UINT64_C(86399999999999)) / 1000000);
}

/* A stamp is the real time of its TSC reading, before and after a synchronisation, and stamps keep their
 * order. */
Test(base_clock, wall_clock, .init = test_eal_start)
{
	struct spx_wall_clock wall;
	struct timespec now;
	uint64_t before = 0;

	spx_wall_clock_init(&wall);
	for (int i = 0; i < 200; i++) {
		uint64_t ns, real;

		clock_gettime(CLOCK_REALTIME, &now);
		ns = spx_wall_clock_ns(&wall, rte_rdtsc());
		real = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
		cr_assert_lt(llabs((long long)(ns - real)), 20000000, "%lu is no %lu", ns, real);
		cr_assert_geq(ns + 1000000, before);
		before = ns;
		spx_wall_clock_update(&wall);
		usleep(10000);
	}
	cr_assert_neq(wall.clock.tsc, wall.clock.first_tsc); /* it was corrected after a second */
}
