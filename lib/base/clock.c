/* The TSC as a clock: calibrated against CLOCK_MONOTONIC_RAW, which the kernel does not steer; and as real
 * time. */
#include <time.h>

#include <rte_cycles.h>

#include "lib/base/base.h"

#define SYNC_CYCLES_LOG 31 /* a wall clock is corrected every 2^31 cycles, about once a second */

#define READINGS 5 /* of both clocks at a synchronisation: the one with the shortest gap counts */

static uint64_t
monotonic_raw_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One TSC reading and the RAW time that belongs to it, from the reading that was least disturbed. */
static void
read_pair(uint64_t *tsc, uint64_t *ns)
{
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < READINGS; i++) {
		uint64_t before = rte_rdtsc_precise();
		uint64_t now = monotonic_raw_ns();
		uint64_t gap = rte_rdtsc_precise() - before;

		if (gap < shortest) {
			shortest = gap;
			*tsc = before + gap / 2;
			*ns = now;
		}
	}
}

void
spx_clock_init(struct spx_clock *clock)
{
	read_pair(&clock->tsc, &clock->ns);
	clock->first_tsc = clock->tsc;
	clock->first_ns = clock->ns;
	clock->ns_per_2_32 = (uint64_t)(((unsigned __int128)1000000000u << 32) / rte_get_tsc_hz());
}

/* The rate comes from the whole run; the step that is left is made at once (it is below a microsecond a
 * second once the run is a second old). */
void
spx_clock_sync(struct spx_clock *clock)
{
	uint64_t tsc = 0, ns = 0;

	read_pair(&tsc, &ns);
	if (ns - clock->first_ns >= 100000000u)
		clock->ns_per_2_32 = (uint64_t)(((unsigned __int128)(ns - clock->first_ns) << 32) /
						(tsc - clock->first_tsc));
	clock->tsc = tsc;
	clock->ns = ns;
}

void
spx_wall_clock_init(struct spx_wall_clock *wall)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	spx_clock_init(&wall->clock);
	wall->raw_to_real = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - wall->clock.ns;
}

void
spx_wall_clock_update(struct spx_wall_clock *wall)
{
	if ((rte_rdtsc() - wall->clock.tsc) >> SYNC_CYCLES_LOG != 0)
		spx_clock_sync(&wall->clock);
}
