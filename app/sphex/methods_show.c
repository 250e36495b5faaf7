/* show.*: what was counted, as doc/control.md says; see methods.h. Everything comes from a report, so that
 * what is asked for while the appliance runs and what it says at its end are the same numbers. */
#include <errno.h>

#include <rte_version.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"

int
spx_call_give(struct spx_call *call, json_t *shown, json_t **result)
{
	*result = shown;
	return shown == NULL ? spx_error(call->err, -ENOMEM, "%s: out of memory", call->method) : 0;
}

int
spx_call_refuse(struct spx_call *call, int r)
{
	return spx_error_at(call->err, r, "%s", call->method);
}

int
spx_call_needs_routing(struct spx_call *call)
{
	if (call->app->routes != NULL)
		return 0;
	return spx_error(call->err, -EOPNOTSUPP,
		"this appliance does not route: its configuration needs an address, a route or an action "
		"with the verdict \"route\"");
}

int
spx_call_read_nothing(struct spx_call *call)
{
	if (call->params == NULL || (json_is_object(call->params) && json_object_size(call->params) == 0))
		return 0;
	return spx_error(call->err, -EINVAL, "%s: takes no parameters; none or {} expected", call->method);
}

int
spx_method_show_version(struct spx_call *call, json_t **result)
{
	int r = spx_call_read_nothing(call);

	return r != 0 ? r
		      : spx_call_give(call,
				json_pack("{s:s, s:i, s:s}", "version", SPX_VERSION, "protocol", SPX_PROTOCOL,
					"dpdk", rte_version()),
				result);
}

/* For a method without parameters. */
static int
take_report(struct spx_call *call, struct spx_report *report)
{
	int r = spx_call_read_nothing(call);

	if (r == 0)
		spx_report_take(call->app, report);
	return r;
}

/* ---- ports ----------------------------------------------------------------------------------------- */

static json_t *
port(const struct spx_report *report, const struct spx_appliance *app, uint16_t p)
{
	const struct spx_port_counter *c = &report->workers.port[p];
	const struct spx_port_stats stats = spx_report_port_stats(app, p);

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		app->setup->port[p].name, "driver", app->setup->port[p].driver, "link", spx_port_link(app, p),
		"rx_packets", spx_report_number(c->rx_packets), "rx_bytes", spx_report_number(c->rx_bytes),
		"tx_packets", spx_report_number(c->tx_packets), "tx_bytes", spx_report_number(c->tx_bytes),
		"missed", spx_report_number(stats.missed), "no_mbuf", spx_report_number(stats.no_mbuf),
		"errors", spx_report_number(stats.errors));
}

int
spx_method_show_ports(struct spx_call *call, json_t **result)
{
	struct spx_report report;
	json_t *ports;
	int r = take_report(call, &report);

	if (r != 0)
		return r;
	ports = json_array();
	for (uint16_t p = 0; p < call->app->n_ports; p++)
		json_array_append_new(ports, port(&report, call->app, p));
	return spx_call_give(
		call, json_pack("{s:f, s:o}", "seconds", report.seconds, "ports", ports), result);
}

/* ---- stages ---------------------------------------------------------------------------------------- */

static json_t *
stages(const struct spx_counters *c)
{
	json_t *a = json_array();

	for (unsigned s = 0; s < SPX_STAGE_COUNT; s++)
		json_array_append_new(
			a, json_pack("{s:s, s:o, s:o, s:o}", "name", spx_stage_name(s), "packets",
				   spx_report_number(c->stage[s].packets), "sampled_packets",
				   spx_report_number(c->stage[s].sampled_packets), "sampled_cycles",
				   spx_report_number(c->stage[s].sampled_cycles)));
	return a;
}

static json_t *
workers(const struct spx_appliance *app)
{
	json_t *a = json_array();

	for (uint16_t w = 0; w < app->n_workers; w++) {
		struct spx_counters c = {0};

		spx_counters_add(&c, &app->worker[w]->counters);
		json_array_append_new(
			a, json_pack("{s:i, s:o, s:o, s:o, s:o}", "id", (int)w, "polls",
				   spx_report_number(c.polls), "idle_polls", spx_report_number(c.idle),
				   "received", spx_report_number(c.received), "stalls",
				   spx_report_number(app->conditions.worker[w].thread.stalls)));
	}
	return a;
}

int
spx_method_show_stages(struct spx_call *call, json_t **result)
{
	struct spx_report report;
	int r = take_report(call, &report);

	if (r != 0)
		return r;
	return spx_call_give(call,
		json_pack("{s:f, s:o, s:o}", "seconds", report.seconds, "stages", stages(&report.workers),
			"workers", workers(call->app)),
		result);
}

/* ---- drops ----------------------------------------------------------------------------------------- */

static json_t *
drops(const struct spx_report *report)
{
	json_t *a = json_array();

	for (unsigned d = 0; d < SPX_DROP_COUNT; d++)
		json_array_append_new(
			a, json_pack("{s:s, s:s, s:s, s:o}", "reason", spx_drop_name(d), "stage",
				   spx_drop_stage(d), "text", spx_drop_text(d), "packets",
				   spx_report_number(report->workers.drops[d] + report->slowpath.drops[d])));
	return a;
}

static json_t *
exceptions(const struct spx_counters *c)
{
	json_t *a = json_array();

	for (unsigned e = 0; e < SPX_EXCEPTION_COUNT; e++)
		json_array_append_new(
			a, json_pack("{s:s, s:s, s:o}", "reason", spx_exception_name(e), "text",
				   spx_exception_text(e), "packets", spx_report_number(c->exceptions[e])));
	return a;
}

int
spx_method_show_drops(struct spx_call *call, json_t **result)
{
	struct spx_report report;
	const struct spx_counters *w = &report.workers;
	int r = take_report(call, &report);

	if (r != 0)
		return r;
	return spx_call_give(call,
		json_pack("{s:f, s:o, s:{s:o, s:o, s:o, s:o, s:o}, s:o, s:{s:o}}", "seconds", report.seconds,
			"drops", drops(&report), "packets", "received", spx_report_number(w->received),
			"injected", spx_report_number(w->injected), "cloned", spx_report_number(w->cloned),
			"transmitted", spx_report_number(w->transmitted), "punted",
			spx_report_number(w->punted), "exceptions", exceptions(w), "lost", "mirror_copies",
			spx_report_number(w->uncloned)),
		result);
}

/* ---- cache ----------------------------------------------------------------------------------------- */

int
spx_method_show_cache(struct spx_call *call, json_t **result)
{
	struct spx_report report;
	int r = take_report(call, &report);

	if (r != 0)
		return r;
	return spx_call_give(call,
		json_pack("{s:f, s:o}", "seconds", report.seconds, "cache",
			spx_cache_report_json(&report.cache)),
		result);
}
