/* When each packet of a timed replay is due: see trace.h. Used by the replay port driver.
 *
 * Every due time is computed from the distance to the first packet, never from the packet before, so rounding
 * stays below a nanosecond within a pass, however long it is.
 */
#include "lib/trace/trace.h"

/* Trace nanoseconds to replay nanoseconds. long double holds every 64-bit number exactly on x86-64. */
static uint64_t
scale(const struct spx_schedule *schedule, long double ns)
{
	long double scaled = ns / (long double)schedule->factor;

	/* 2^64 and more does not fit: the packet is never due. */
	return scaled >= 0x1p64L ? UINT64_MAX : (uint64_t)scaled;
}

static uint64_t
add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void
spx_schedule_init(struct spx_schedule *schedule, double factor)
{
	assert(factor > 0);
	*schedule = (struct spx_schedule){.factor = factor};
}

uint64_t
spx_schedule_due(struct spx_schedule *schedule, uint64_t time)
{
	uint64_t elapsed;

	if (!schedule->started) {
		schedule->first = schedule->latest = time;
		schedule->started = true;
	}
	if (time > schedule->latest)
		schedule->latest = time;
	elapsed = schedule->latest - schedule->first;
	/* The common factor needs no division. */
	if (schedule->factor != 1.0)
		elapsed = scale(schedule, elapsed);
	return add(schedule->offset, elapsed);
}

void
spx_schedule_next_pass(struct spx_schedule *schedule, uint64_t n)
{
	long double elapsed = schedule->latest - schedule->first;

	/* n packets have n - 1 gaps; one more of their mean follows the last packet. Rounded to the nearest
	 * nanosecond: half a nanosecond a pass is all that can add up. */
	if (n > 1)
		elapsed += elapsed / (n - 1);
	schedule->offset = add(schedule->offset, scale(schedule, elapsed + schedule->factor / 2));
	schedule->started = false;
}
