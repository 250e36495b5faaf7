/* The live view. On a terminal the table is written over in place; elsewhere each second is one plain line.
 */
#include <poll.h>
#include <unistd.h>

#include "app/sphex/live.h"

void
spx_live_begin(struct spx_live *live)
{
	*live = (struct spx_live){.terminal = isatty(STDOUT_FILENO)};
}

/* Packets that the flow caches looked up since the last call, and how many percent of them they answered. */
static uint64_t
cache_hits(const struct spx_live *live, const struct spx_report *total, double *percent)
{
	uint64_t hits, hits_before, lookups;

	lookups = spx_cache_lookups(&total->cache, &hits) -
		  spx_cache_lookups(&live->before.cache, &hits_before);
	*percent = lookups == 0 ? 0 : 100.0 * (double)(hits - hits_before) / (double)lookups;
	return lookups;
}

static void
show_line(const struct spx_live *live, const struct spx_report *total, const struct spx_report *last,
	double seconds)
{
	char rx[16], tx[16], drops[16], punted[16];
	double percent;

	spx_human(rx, (double)last->workers.received / seconds);
	spx_human(tx, (double)last->workers.transmitted / seconds);
	spx_human(drops, (double)spx_counters_drops(&last->workers) / seconds);
	spx_human(punted, (double)last->workers.punted / seconds);
	printf("%6.1f s  received %s/s  transmitted %s/s  dropped %s/s  punted %s/s", total->seconds, rx, tx,
		drops, punted);
	if (total->cache.mode != SPX_FLOW_MODE_none && cache_hits(live, total, &percent) > 0)
		printf("  cache hits %.1f %%", percent);
	printf("\n");
}

/* One row of the table; clears to the end of the line, as the text before may have been longer. */
static void
row(struct spx_live *live, const char *name, double per_second, const char *unit, double value)
{
	char rate[16];

	spx_human(rate, per_second);
	printf("  %-24s %12s/s  %14.1f %s\033[K\n", name, rate, value, unit);
	live->lines++;
}

static void
show_table(
	struct spx_live *live, const struct spx_report *total, const struct spx_report *last, double seconds)
{
	uint64_t lookups;
	double percent;

	if (live->lines > 0)
		printf("\033[%uA", live->lines);
	live->lines = 0;
	printf("sphex  %.0f s\033[K\n", total->seconds);
	live->lines++;
	row(live, "received", (double)last->workers.received / seconds, "packets",
		(double)total->workers.received);
	row(live, "transmitted", (double)last->workers.transmitted / seconds, "packets",
		(double)total->workers.transmitted);
	row(live, "punted", (double)last->workers.punted / seconds, "packets", (double)total->workers.punted);
	if (total->cache.mode != SPX_FLOW_MODE_none) {
		lookups = cache_hits(live, total, &percent);
		row(live, "flow cache", (double)lookups / seconds, "% hits", percent);
	}
	for (unsigned s = 0; s < SPX_STAGE_COUNT; s++)
		if (total->workers.stage[s].packets > 0)
			row(live, spx_stage_name(s), (double)last->workers.stage[s].packets / seconds,
				"cycles/packet", spx_stage_cycles(&last->workers.stage[s]));
	for (unsigned d = 0; d < SPX_DROP_COUNT; d++)
		if (total->workers.drops[d] > 0)
			row(live, spx_drop_name(d), (double)last->workers.drops[d] / seconds, "dropped",
				(double)total->workers.drops[d]);
}

/* False when whoever reads standard output has stopped reading: the control thread must not wait for him. */
static bool
readable_by_someone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0;
}

void
spx_live_show(struct spx_live *live, const struct spx_appliance *app)
{
	struct spx_report total, last;
	double seconds;

	if (!readable_by_someone())
		return;
	spx_report_take(app, &total);
	last = total;
	spx_counters_subtract(&last.workers, &live->before.workers);
	seconds = total.seconds - live->before.seconds;
	if (live->terminal)
		show_table(live, &total, &last, seconds);
	else
		show_line(live, &total, &last, seconds);
	fflush(stdout);
	live->before = total;
}
