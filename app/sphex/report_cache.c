/* Merging, checking and printing what the flow caches counted; see report_cache.h. */
#include <errno.h>
#include <inttypes.h>

#include "app/sphex/report_internal.h"

/* ---- merging --------------------------------------------------------------------------------------- */

static void
add_counters(struct spx_flow_counters *into, const struct spx_flow_counters *from)
{
#define ADD(name) into->name += __atomic_load_n(&from->name, __ATOMIC_RELAXED);
	SPX_FLOW_COUNTERS(ADD)
#undef ADD
}

static void
add_exact(struct spx_flow_exact_stats *into, const struct spx_flow_exact_stats *from)
{
	into->entries += from->entries;
	into->sets += from->sets;
	into->resident += from->resident;
	into->bytes += from->bytes;
	into->inserted += from->inserted;
	into->renewed += from->renewed;
	into->refused += from->refused;
	for (unsigned end = 0; end < SPX_FLOW_END_COUNT; end++)
		into->ended[end] += from->ended[end];
}

static void
add_approximate(struct spx_flow_approximate_stats *into, const struct spx_flow_approximate_stats *from)
{
	into->plan = from->plan; /* the same in all workers */
	into->flows += from->flows;
	into->clears += from->clears;
	into->bytes += from->bytes;
}

void
spx_cache_report_take(const struct spx_appliance *app, struct spx_cache_report *report)
{
	*report = (struct spx_cache_report){
		.mode = app->setup->cache.mode, .flood_guard = app->setup->cache.flood_guard};
	for (uint16_t i = 0; i < app->n_workers; i++) {
		const struct spx_worker *w = app->worker[i];
		struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES];
		struct spx_flow_approximate_stats approximate;

		add_counters(&report->counters, spx_flow_counters(w->cache));
		spx_flow_stats(w->cache, exact, &approximate);
		for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++)
			add_exact(&report->exact[family], &exact[family]);
		add_approximate(&report->approximate, &approximate);
		spx_flow_sum_add(&report->lost, &w->flow_export.lost);
	}
	for (unsigned end = 0; end < SPX_FLOW_END_COUNT; end++)
		spx_flow_sum_add(&report->totals.ended[end], &app->slowpath.flow_totals.ended[end]);
}

uint64_t
spx_cache_lookups(const struct spx_cache_report *report, uint64_t *hits)
{
	const struct spx_flow_counters *c = &report->counters;

	if (report->mode != SPX_FLOW_MODE_approximate) {
		*hits = c->exact_hits;
		return c->exact_hits + c->exact_misses;
	}
	*hits = c->approximate_hits + c->approximate_repeats;
	return *hits + c->approximate_misses + c->approximate_several + c->approximate_syn;
}

/* Both families together. */
static struct spx_flow_exact_stats
both(const struct spx_cache_report *report)
{
	struct spx_flow_exact_stats sum = {0};

	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++)
		add_exact(&sum, &report->exact[family]);
	return sum;
}

/* The flows that were resident when the run ended have been ended by that. */
static uint64_t
resident(const struct spx_flow_exact_stats *exact)
{
	return exact->resident + exact->ended[SPX_FLOW_END_stopped];
}

static double
ratio(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)part / (double)whole;
}

int
spx_cache_report_check(const struct spx_cache_report *report, uint64_t packets, struct spx_error *err)
{
	struct spx_flow_sum ended = report->lost;
	uint64_t hits, lookups = spx_cache_lookups(report, &hits), inserted = both(report).inserted;

	for (unsigned end = 0; end < SPX_FLOW_END_COUNT; end++)
		spx_flow_sum_add(&ended, &report->totals.ended[end]);
	if (lookups > packets)
		return spx_error(err, -EPROTO,
			"counters do not add up: the flow caches looked up %" PRIu64
			" packets, but the stage lookup had %" PRIu64,
			lookups, packets);
	if (report->counters.counted != ended.packets || inserted != ended.flows)
		return spx_error(err, -EPROTO,
			"counters do not add up: the flow caches counted %" PRIu64 " packets of %" PRIu64
			" flows, but the ended flows are %" PRIu64 " with %" PRIu64 " packets",
			report->counters.counted, inserted, ended.flows, ended.packets);
	return 0;
}

/* ---- text ------------------------------------------------------------------------------------------ */

/* How full the caches are. A line for IPv6 only where some of it came. */
static void
text_resident(const struct spx_cache_report *report, FILE *out)
{
	static const char *const name[] = {
		[SPX_FLOW_IPV4] = "IPv4 flows resident", [SPX_FLOW_IPV6] = "IPv6 flows resident"};

	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++)
		if (family == SPX_FLOW_IPV4 || report->exact[family].inserted > 0)
			fprintf(out, "  %-24s %14" PRIu64 "  of %" PRIu64 "\n", name[family],
				resident(&report->exact[family]), report->exact[family].entries);
}

static void
text_ended(const char *name, const struct spx_flow_sum *sum, const char *text, FILE *out)
{
	if (sum->flows > 0)
		fprintf(out, "  flows %-18s %14" PRIu64 "  with %" PRIu64 " packets: %s\n", name, sum->flows,
			sum->packets, text);
}

void
spx_cache_report_text(const struct spx_cache_report *report, FILE *out)
{
	static const char *const end_text[] = {
#define END_TEXT(name, text) text,
		SPX_FLOW_ENDS(END_TEXT)
#undef END_TEXT
	};
	uint64_t hits, lookups = spx_cache_lookups(report, &hits);

	if (report->mode == SPX_FLOW_MODE_none)
		return;
	fprintf(out, "flow cache, %s\n", spx_flow_mode_name(report->mode));
	fprintf(out, "  %-24s %14" PRIu64 "  %.2f %% of %" PRIu64 "\n", "hits", hits,
		100 * ratio(hits, lookups), lookups);
	if (report->mode != SPX_FLOW_MODE_approximate)
		text_resident(report, out);
	for (unsigned end = 0; end < SPX_FLOW_END_COUNT; end++)
		text_ended(spx_flow_end_name(end), &report->totals.ended[end], end_text[end], out);
	text_ended("lost", &report->lost, "the ring to the slow path was full", out);
	if (report->counters.guarded > 0)
		fprintf(out,
			"  %-24s %14" PRIu64 "  by the flood guard: more than %" PRIu64
			" a second wanted places of others\n",
			"flows held off", report->counters.guarded, report->flood_guard);
}

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *
json_family(const struct spx_flow_exact_stats *s)
{
	return json_pack("{s:o, s:o, s:o, s:f}", "entries", spx_report_number(s->entries), "resident",
		spx_report_number(resident(s)), "bytes", spx_report_number(s->bytes), "bytes_per_flow",
		ratio(s->bytes, resident(s)));
}

/* bytes_per_flow of both families together: a table that holds no flow (IPv6 of a run that saw none) is not a
 * price of the flows of the other. */
static double
bytes_per_flow(const struct spx_cache_report *report)
{
	uint64_t bytes = 0, flows = 0;

	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		uint64_t here = resident(&report->exact[family]);

		flows += here;
		bytes += here > 0 ? report->exact[family].bytes : 0;
	}
	return ratio(bytes, flows);
}

static json_t *
json_exact(const struct spx_cache_report *report)
{
	const struct spx_flow_counters *c = &report->counters;
	const struct spx_flow_exact_stats s = both(report);

	return json_pack("{s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:o}", "hits",
		spx_report_number(c->exact_hits), "misses", spx_report_number(c->exact_misses), "hit_ratio",
		ratio(c->exact_hits, c->exact_hits + c->exact_misses), "inserts",
		spx_report_number(s.inserted), "evictions", spx_report_number(s.ended[SPX_FLOW_END_evicted]),
		"expired", spx_report_number(s.ended[SPX_FLOW_END_expired]), "renewed",
		spx_report_number(s.renewed), "refused", spx_report_number(s.refused), "resident",
		spx_report_number(resident(&s)), "entries", spx_report_number(s.entries), "bytes",
		spx_report_number(s.bytes), "bytes_per_flow", bytes_per_flow(report), "ipv4",
		json_family(&report->exact[SPX_FLOW_IPV4]), "ipv6",
		json_family(&report->exact[SPX_FLOW_IPV6]));
}

static json_t *
json_approximate(const struct spx_cache_report *report)
{
	const struct spx_flow_counters *c = &report->counters;
	const struct spx_flow_approximate_stats *s = &report->approximate;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "hits",
		spx_report_number(c->approximate_hits), "misses", spx_report_number(c->approximate_misses),
		"several", spx_report_number(c->approximate_several), "syn",
		spx_report_number(c->approximate_syn), "repeats", spx_report_number(c->approximate_repeats),
		"flows", spx_report_number(s->flows), "clears", spx_report_number(s->clears), "bytes",
		spx_report_number(s->bytes), "p", s->plan.p);
}

static json_t *
json_sum(const struct spx_flow_sum *sum)
{
	return json_pack("{s:o, s:o, s:o}", "flows", spx_report_number(sum->flows), "packets",
		spx_report_number(sum->packets), "bytes", spx_report_number(sum->bytes));
}

static json_t *
json_ended(const struct spx_cache_report *report)
{
	json_t *o = json_object();

	for (unsigned end = 0; end < SPX_FLOW_END_COUNT; end++)
		json_object_set_new(o, spx_flow_end_name(end), json_sum(&report->totals.ended[end]));
	json_object_set_new(o, "lost", json_sum(&report->lost));
	return o;
}

json_t *
spx_cache_report_json(const struct spx_cache_report *report)
{
	const struct spx_flow_counters *c = &report->counters;

	return json_pack("{s:s, s:o, s:o, s:{s:o, s:o, s:o}, s:o}", "mode", spx_flow_mode_name(report->mode),
		"exact", json_exact(report), "approximate", json_approximate(report), "guard", "on",
		spx_report_number(c->guard_on), "off", spx_report_number(c->guard_off), "flows",
		spx_report_number(c->guarded), "ended", json_ended(report));
}
