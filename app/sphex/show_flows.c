/* show.flows: the flows with the most bytes in the caches of all workers; see methods.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"

#define FLOWS_MAX     1000
#define FLOWS_DEFAULT 20

/* The parts of a record that both families have. */
struct shown_flow {
	const char *family;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	uint16_t sport, dport;
	uint8_t proto;
	uint32_t context;
};

static uint16_t
number16(const uint8_t bytes[2])
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t
number24(const uint8_t bytes[3])
{
	return (uint32_t)(bytes[0] << 16 | bytes[1] << 8 | bytes[2]);
}

static struct shown_flow
show(const struct spx_flow_record *record)
{
	const struct spx_key4 *k4 = &record->key4;
	const struct spx_key6 *k6 = &record->key6;
	bool v6 = record->family == SPX_FLOW_IPV6;
	struct shown_flow f = {
		.family = v6 ? "ipv6" : "ipv4",
		.sport = number16(v6 ? k6->sport : k4->sport),
		.dport = number16(v6 ? k6->dport : k4->dport),
		.proto = v6 ? k6->proto : k4->proto,
		.context = number24(v6 ? k6->context : k4->context),
	};

	inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? k6->sip : k4->sip, f.src, sizeof(f.src));
	inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? k6->dip : k4->dip, f.dst, sizeof(f.dst));
	return f;
}

/* Milliseconds now on the clock of the flow caches, which stamps last_use (worker.c); modulo 2^32. */
static uint32_t
flow_time(const struct spx_appliance *app)
{
	const struct spx_worker *w = app->worker[0];

	return (uint32_t)(((unsigned __int128)(rte_rdtsc() - w->tsc_zero) * w->ms_per_tsc) >> 64);
}

static double
idle_seconds(const struct spx_flow_record *record, uint32_t now_ms)
{
	int32_t ms = (int32_t)(now_ms - record->last_use);

	return ms < 0 ? 0 : ms / 1e3; /* the owner's clock may be a little ahead */
}

static json_t *
flow(const struct spx_appliance *app, const struct spx_flow_record *record, uint32_t now_ms)
{
	const struct spx_setup *setup = app->setup;
	const struct shown_flow f = show(record);
	const char *proto = spx_proto_name(f.proto);
	uint16_t port = f.context & SPX_CONTEXT_PORT_MASK;
	json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:i, s:i, s:i, s:s, s:s, s:o, s:o, s:f}", "family",
		f.family, "src", f.src, "dst", f.dst, "proto",
		proto != NULL ? json_string(proto) : json_integer(f.proto), "sport", (int)f.sport, "dport",
		(int)f.dport, "vlan", (int)(f.context >> SPX_CONTEXT_VLAN_SHIFT), "port",
		port < setup->n_ports ? setup->port[port].name : "", "action",
		record->action < setup->n_actions ? setup->action[record->action].name : "", "packets",
		spx_report_number(record->packets), "bytes", spx_report_number(record->bytes), "idle_seconds",
		idle_seconds(record, now_ms));

	if (o != NULL && (f.context & SPX_CONTEXT_FRAGMENT) != 0)
		json_object_set_new(o, "fragments", json_true());
	return o;
}

static json_t *
flows(const struct spx_appliance *app, const struct spx_flow_record *top, size_t n)
{
	uint32_t now_ms = flow_time(app);
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, flow(app, &top[i], now_ms));
	return a;
}

int
spx_method_show_flows(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {{"count", spx_read_u32, 0, .min = 1, .max = FLOWS_MAX}};
	static const struct spx_keys keys = SPX_KEYS("show.flows", fields);
	const struct spx_flow_cache *cache[SPX_WORKERS_MAX];
	const struct spx_appliance *app = call->app;
	struct spx_flow_record *top;
	struct spx_report report;
	uint32_t count = FLOWS_DEFAULT;
	int r = spx_call_read(call, &keys, &count);

	if (r != 0)
		return r;
	top = calloc(count, sizeof(*top));
	if (top == NULL)
		return spx_call_give(call, NULL, result);
	for (uint16_t w = 0; w < app->n_workers; w++)
		cache[w] = app->worker[w]->cache;
	spx_report_take(app, &report);
	r = spx_call_give(call,
		json_pack("{s:f, s:o}", "seconds", report.seconds, "flows",
			flows(app, top, spx_flow_top(cache, app->n_workers, count, top))),
		result);
	free(top);
	return r;
}
