/* What was counted as JSON, and into a file; see report.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/sphex/report_internal.h"

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
			json_object_set_new(o, spx_drop_name(d), spx_report_number(c->drops[d]));
	return o;
}

static json_t *
json_exceptions(const struct spx_counters *c)
{
	json_t *o = json_object();

	for (unsigned e = 0; e < SPX_EXCEPTION_COUNT; e++)
		json_object_set_new(o, spx_exception_name(e), spx_report_number(c->exceptions[e]));
	return o;
}

static json_t *
json_stages(const struct spx_counters *c)
{
	json_t *a = json_array();

	for (unsigned s = 0; s < SPX_STAGE_COUNT; s++)
		json_array_append_new(a, json_pack("{s:s, s:o, s:f}", "name", spx_stage_name(s), "packets",
						 spx_report_number(c->stage[s].packets), "cycles_per_packet",
						 spx_stage_cycles(&c->stage[s])));
	return a;
}

json_t *
spx_report_queue(const struct spx_appliance *app, uint16_t p)
{
	struct spx_queue_options options;
	struct spx_queue_stats s;

	if (app->queue[p] == NULL)
		return NULL;
	spx_queue_options(app->queue[p], &options);
	spx_queue_stats(app->queue[p], &s);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rate_kbps",
		spx_report_number(options.rate_kbps), "limit_packets",
		spx_report_number(options.limit_packets), "limit_bytes",
		spx_report_number(options.limit_bytes), "packets", spx_report_number(s.packets), "bytes",
		spx_report_number(s.bytes), "most_packets", spx_report_number(s.most_packets), "most_bytes",
		spx_report_number(s.most_bytes), "sent_packets", spx_report_number(s.sent_packets),
		"sent_bytes", spx_report_number(s.sent_bytes), "dropped_packets",
		spx_report_number(s.dropped_packets), "dropped_bytes", spx_report_number(s.dropped_bytes));
}

static json_t *
json_ports(const struct spx_report *report, const struct spx_appliance *app)
{
	json_t *a = json_array();

	for (uint16_t p = 0; p < app->n_ports; p++) {
		const struct spx_port_counter *c = &report->workers.port[p];
		struct spx_port_stats stats = spx_report_port_stats(app, p);

		json_array_append_new(a,
			json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o*}", "name",
				app->setup->port[p].name, "driver", app->setup->port[p].driver, "rx_packets",
				spx_report_number(c->rx_packets), "rx_bytes", spx_report_number(c->rx_bytes),
				"tx_packets", spx_report_number(c->tx_packets), "tx_bytes",
				spx_report_number(c->tx_bytes), "missed", spx_report_number(stats.missed),
				"no_mbuf", spx_report_number(stats.no_mbuf), "errors",
				spx_report_number(stats.errors), "queue", spx_report_queue(app, p)));
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
			json_pack("{s:o, s:o}", "packets", spx_report_number(sum.packets), "bytes",
				spx_report_number(sum.bytes)));
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
	json_object_set_new(o, "received", spx_report_number(w->received));
	json_object_set_new(o, "transmitted", spx_report_number(w->transmitted));
	json_object_set_new(o, "drops", json_drops(w));
	json_object_set_new(o, "punted", spx_report_number(w->punted));
	json_object_set_new(o, "injected", spx_report_number(w->injected));
	json_object_set_new(o, "cloned", spx_report_number(w->cloned));
	json_object_set_new(o, "uncloned", spx_report_number(w->uncloned));
	json_object_set_new(o, "in_flight", spx_report_number(report->in_flight));
	json_object_set_new(o, "exceptions", json_exceptions(w));
	json_object_set_new(o, "slowpath",
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "generated", spx_report_number(s->generated),
			"consumed", spx_report_number(s->consumed), "queued",
			spx_report_number(report->queued), "drops", json_drops(s), "exceptions",
			json_exceptions(s)));
	json_object_set_new(o, "workers",
		json_pack("{s:i, s:o, s:o}", "count", (int)app->n_workers, "polls",
			spx_report_number(w->polls), "idle_polls", spx_report_number(w->idle)));
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
