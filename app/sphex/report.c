/* Merging, checking and printing what was counted. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/sphex/report.h"

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
	report->queued += rte_ring_count(app->exception);
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

void
spx_human(char text[16], double value)
{
	static const char *const unit[] = {"", " k", " M", " G", " T"};
	unsigned u = 0;

	while (value >= 1000 && u + 1 < RTE_DIM(unit)) {
		value /= 1000;
		u++;
	}
	snprintf(text, 16,
		u == 0        ? "%.0f%s"
		: value < 10  ? "%.2f%s"
		: value < 100 ? "%.1f%s"
			      : "%.0f%s",
		value, unit[u]);
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

/* What the port's device counted itself. */
static struct spx_port_stats
port_stats(const struct spx_appliance *app, uint16_t p)
{
	struct spx_port *port = (struct spx_port *)&app->port[p];
	struct spx_port_stats stats = {0};

	if (port->ops->stats != NULL)
		port->ops->stats(port, &stats);
	return stats;
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
		s = port_stats(app, p);
		if (s.missed + s.errors > 0)
			fprintf(out,
				"    the device missed %" PRIu64 " packets, %" PRIu64
				" were damaged or not written\n",
				s.missed, s.errors);
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

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *
number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* File names need not be UTF-8, JSON strings must be: bytes that are not ASCII become '?' when the text is
 * not UTF-8. */
json_t *
spx_report_string(const char *text)
{
	json_t *string = json_string(text);
	char *ascii;

	if (string != NULL || (ascii = strdup(text)) == NULL)
		return string;
	for (char *c = ascii; *c != '\0'; c++)
		if (*c & 0x80)
			*c = '?';
	string = json_string(ascii);
	free(ascii);
	return string;
}

static json_t *
json_drops(const struct spx_counters *c)
{
	json_t *o = json_object();

	for (unsigned d = 0; d < SPX_DROP_COUNT; d++)
		if (c->drops[d] > 0)
			json_object_set_new(o, spx_drop_name(d), number(c->drops[d]));
	return o;
}

static json_t *
json_exceptions(const struct spx_counters *c)
{
	json_t *o = json_object();

	for (unsigned e = 0; e < SPX_EXCEPTION_COUNT; e++)
		json_object_set_new(o, spx_exception_name(e), number(c->exceptions[e]));
	return o;
}

static json_t *
json_stages(const struct spx_counters *c)
{
	json_t *a = json_array();

	for (unsigned s = 0; s < SPX_STAGE_COUNT; s++)
		json_array_append_new(a, json_pack("{s:s, s:o, s:f}", "name", spx_stage_name(s), "packets",
						 number(c->stage[s].packets), "cycles_per_packet",
						 spx_stage_cycles(&c->stage[s])));
	return a;
}

static json_t *
json_ports(const struct spx_report *report, const struct spx_appliance *app)
{
	json_t *a = json_array();

	for (uint16_t p = 0; p < app->n_ports; p++) {
		const struct spx_port_counter *c = &report->workers.port[p];
		struct spx_port_stats stats = port_stats(app, p);

		json_array_append_new(
			a, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
				   app->setup->port[p].name, "driver", app->setup->port[p].driver,
				   "rx_packets", number(c->rx_packets), "rx_bytes", number(c->rx_bytes),
				   "tx_packets", number(c->tx_packets), "tx_bytes", number(c->tx_bytes),
				   "missed", number(stats.missed), "no_mbuf", number(stats.no_mbuf), "errors",
				   number(stats.errors)));
	}
	return a;
}

/* Packets and bytes of the actions that ask to be counted, by name. */
static json_t *
json_actions(const struct spx_appliance *app)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < app->setup->n_actions; i++) {
		struct spx_action_counter sum = {0};

		if (!(app->setup->action[i].action.flags & SPX_ACTION_COUNT))
			continue;
		for (uint16_t w = 0; w < app->n_workers; w++) {
			const struct spx_action_counter *c = &app->worker[w]->action_counter[i];

			sum.packets += __atomic_load_n(&c->packets, __ATOMIC_RELAXED);
			sum.bytes += __atomic_load_n(&c->bytes, __ATOMIC_RELAXED);
		}
		json_object_set_new(o, app->setup->action[i].name,
			json_pack("{s:o, s:o}", "packets", number(sum.packets), "bytes", number(sum.bytes)));
	}
	return o;
}

json_t *
spx_report_json(const struct spx_report *report, const struct spx_appliance *app, const char *file)
{
	const struct spx_counters *w = &report->workers, *s = &report->slowpath;
	json_t *o = json_object();

	if (file != NULL)
		json_object_set_new(o, "file", spx_report_string(file));
	json_object_set_new(o, "received", number(w->received));
	json_object_set_new(o, "transmitted", number(w->transmitted));
	json_object_set_new(o, "drops", json_drops(w));
	json_object_set_new(o, "punted", number(w->punted));
	json_object_set_new(o, "injected", number(w->injected));
	json_object_set_new(o, "cloned", number(w->cloned));
	json_object_set_new(o, "uncloned", number(w->uncloned));
	json_object_set_new(o, "in_flight", number(report->in_flight));
	json_object_set_new(o, "exceptions", json_exceptions(w));
	json_object_set_new(o, "slowpath",
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "generated", number(s->generated), "consumed",
			number(s->consumed), "queued", number(report->queued), "drops", json_drops(s),
			"exceptions", json_exceptions(s)));
	json_object_set_new(o, "workers",
		json_pack("{s:i, s:o, s:o}", "count", (int)app->n_workers, "polls", number(w->polls),
			"idle_polls", number(w->idle)));
	json_object_set_new(o, "seconds", json_real(report->seconds));
	json_object_set_new(o, "cache", spx_cache_report_json(&report->cache));
	json_object_set_new(o, "stages", json_stages(w));
	json_object_set_new(o, "ports", json_ports(report, app));
	json_object_set_new(o, "actions", json_actions(app));
	return o;
}

/* Beside the path and renamed, so that a reader never sees half a report; what is no regular file (a pipe, a
 * device, a link) is written as it stands. */
int
spx_report_write(const json_t *document, const char *path, struct spx_error *err)
{
	const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(9);
	size_t length = strlen(path) + sizeof(".part");
	char *part = malloc(length);
	struct stat there;
	bool direct = lstat(path, &there) == 0 && !S_ISREG(there.st_mode);
	int r = 0;

	if (part == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	snprintf(part, length, direct ? "%s" : "%s.part", path);
	errno = 0;
	if (json_dump_file(document, part, flags) != 0 || (!direct && rename(part, path) != 0)) {
		r = errno != 0 ? -errno : -EIO;
		spx_error(err, r, "cannot write the report %s (%s)", path, strerror(-r));
		if (!direct)
			unlink(part);
	}
	free(part);
	return r;
}
