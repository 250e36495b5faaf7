/* Merging, checking and printing what was counted; see report.h. */
#include <errno.h>
#include <inttypes.h>

#include "app/sphex/report_internal.h"

void
spx_report_take(const struct spx_appliance *app, struct spx_report *report)
{
	*report = (struct spx_report){.workers = app->leftover};
	for (uint16_t i = 0; i < app->n_workers; i++) {
		spx_counters_add(&report->workers, &app->worker[i]->counters);
		report->queued += rte_ring_count(app->worker[i]->inject);
		for (uint16_t p = 0; p < app->n_ports; p++)
			if (app->handover[i][p] != NULL)
				report->in_flight += rte_ring_count(app->handover[i][p]);
	}
	for (uint16_t p = 0; p < app->n_ports; p++)
		if (app->queue[p] != NULL)
			report->in_flight += spx_queue_depth(app->queue[p]);
	report->queued +=
		rte_ring_count(app->exception) + __atomic_load_n(&app->slowpath.n_waiting, __ATOMIC_RELAXED);
	spx_counters_add(&report->slowpath, &app->slowpath.counters);
	spx_cache_report_take(app, &report->cache);
	report->seconds = (double)((app->ended != 0 ? app->ended : spx_now_ns()) - app->begun) / 1e9;
}

int
spx_report_check(const struct spx_report *report, struct spx_error *err)
{
	const struct spx_counters *w = &report->workers, *s = &report->slowpath;
	uint64_t in = w->received + w->injected + w->cloned;
	uint64_t out = w->transmitted + spx_counters_drops(w) + w->punted + report->in_flight;
	uint64_t given = w->punted + s->generated;
	uint64_t done = s->consumed + w->injected + spx_counters_drops(s) + report->queued;

	if (in != out)
		return spx_error(err, -EPROTO,
			"counters do not add up: received %" PRIu64 " + injected %" PRIu64
			" + cloned %" PRIu64 " = %" PRIu64
			", but transmitted + drops + punted + in flight = %" PRIu64,
			w->received, w->injected, w->cloned, in, out);
	if (given != done)
		return spx_error(err, -EPROTO,
			"counters do not add up: punted + generated = %" PRIu64
			", but consumed + injected + slow-path drops + queued = %" PRIu64,
			given, done);
	return spx_cache_report_check(&report->cache, w->stage[SPX_STAGE_lookup].packets, err);
}

double
spx_stage_cycles(const struct spx_stage_counter *stage)
{
	return stage->sampled_packets == 0 ? 0
					   : (double)stage->sampled_cycles / (double)stage->sampled_packets;
}

struct spx_port_stats
spx_report_port_stats(const struct spx_appliance *app, uint16_t p)
{
	struct spx_port *port = (struct spx_port *)&app->port[p];
	struct spx_port_stats stats = {0};

	if (port->ops->stats != NULL)
		port->ops->stats(port, &stats);
	return stats;
}

/* ---- text ------------------------------------------------------------------------------------------ */

static void
text_drops(const struct spx_counters *c, const char *title, FILE *out)
{
	if (spx_counters_drops(c) == 0)
		return;
	fprintf(out, "%s\n", title);
	for (unsigned d = 0; d < SPX_DROP_COUNT; d++)
		if (c->drops[d] > 0)
			fprintf(out, "  %-24s %14" PRIu64 "  %s\n", spx_drop_name(d), c->drops[d],
				spx_drop_text(d));
}

static void
text_queue(const struct spx_queue *queue, FILE *out)
{
	struct spx_queue_options options;
	struct spx_queue_stats s;

	if (queue == NULL)
		return;
	spx_queue_options(queue, &options);
	spx_queue_stats(queue, &s);
	fprintf(out,
		"    queue: %" PRIu64 " kbit/s, %" PRIu64 " packets and %" PRIu64
		" bytes at most waited, %" PRIu64 " packets were refused\n",
		options.rate_kbps, s.most_packets, s.most_bytes, s.dropped_packets);
}

static void
text_ports(const struct spx_report *report, const struct spx_appliance *app, FILE *out)
{
	fprintf(out, "%-26s %14s %16s %14s %16s\n", "ports", "rx packets", "rx bytes", "tx packets",
		"tx bytes");
	for (uint16_t p = 0; p < app->n_ports; p++) {
		const struct spx_port_counter *c = &report->workers.port[p];
		struct spx_port_stats s;

		fprintf(out, "  %-24s %14" PRIu64 " %16" PRIu64 " %14" PRIu64 " %16" PRIu64 "\n",
			app->setup->port[p].name, c->rx_packets, c->rx_bytes, c->tx_packets, c->tx_bytes);
		s = spx_report_port_stats(app, p);
		if (s.missed + s.errors > 0)
			fprintf(out,
				"    the device missed %" PRIu64 " packets, %" PRIu64
				" were damaged or not written\n",
				s.missed, s.errors);
		text_queue(app->queue[p], out);
	}
}

void
spx_report_text(const struct spx_report *report, const struct spx_appliance *app, FILE *out)
{
	const struct spx_counters *w = &report->workers;
	char rate[16];

	spx_human(rate, report->seconds > 0 ? (double)w->received / report->seconds : 0);
	fprintf(out, "\n%.3f s, %s packets/s received\n", report->seconds, rate);
	fprintf(out, "  %-24s %14" PRIu64 "\n", "received", w->received);
	fprintf(out, "  %-24s %14" PRIu64 "\n", "injected", w->injected);
	fprintf(out, "  %-24s %14" PRIu64 "\n", "cloned", w->cloned);
	fprintf(out, "  %-24s %14" PRIu64 "\n", "transmitted", w->transmitted);
	fprintf(out, "  %-24s %14" PRIu64 "\n", "dropped", spx_counters_drops(w));
	fprintf(out, "  %-24s %14" PRIu64 "\n", "punted", w->punted);
	fprintf(out, "  %-24s %14" PRIu64 "\n", "in flight", report->in_flight);
	text_ports(report, app, out);
	fprintf(out, "%-26s %14s %14s\n", "stages", "packets", "cycles/packet");
	for (unsigned s = 0; s < SPX_STAGE_COUNT; s++)
		fprintf(out, "  %-24s %14" PRIu64 " %14.1f\n", spx_stage_name(s), w->stage[s].packets,
			spx_stage_cycles(&w->stage[s]));
	spx_cache_report_text(&report->cache, out);
	text_drops(w, "drops", out);
	text_drops(&report->slowpath, "drops of the slow path", out);
	for (unsigned e = 0; e < SPX_EXCEPTION_COUNT; e++)
		if (w->exceptions[e] > 0)
			fprintf(out, "punted: %-18s %14" PRIu64 "\n", spx_exception_name(e),
				w->exceptions[e]);
	if (w->uncloned > 0)
		fprintf(out, "mirror copies not made for want of mbufs: %" PRIu64 "\n", w->uncloned);
}
