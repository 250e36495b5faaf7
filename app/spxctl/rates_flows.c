/* Rates of flows; see rates.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "app/spxctl/rates_internal.h"

#define FLOWS_SHOWN 20u

/* What makes a flow one, as a text; NULL for what is none. */
static char *
identity(const json_t *flow)
{
	static const char *const keys[] = {
		"src", "sport", "dst", "dport", "proto", "vlan", "port", "fragments"};
	json_t *list;
	char *text;

	if (!json_is_object(flow))
		return NULL;
	list = json_array();
	for (unsigned i = 0; i < RTE_DIM(keys); i++) {
		json_t *value = json_object_get(flow, keys[i]);

		json_array_append(list, value != NULL ? value : json_null());
	}
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
}

static json_t *
by_identity(const json_t *flows)
{
	json_t *index = json_object(), *flow;
	size_t i;

	json_array_foreach (flows, i, flow) {
		char *name = identity(flow);

		if (name != NULL)
			json_object_set(index, name, flow);
		free(name);
	}
	return index;
}

/* A flow that ended and began again counts from 0. */
static void
subtract(json_t *flow, const json_t *before, const char *key)
{
	json_int_t now = spx_member_number(flow, key), then = spx_member_number(before, key);

	json_object_set_new(flow, key, json_integer(now >= then ? now - then : now));
}

void
spx_rates_flows_since(json_t *now, const json_t *then)
{
	json_t *index = by_identity(json_object_get(then, "flows")), *flow;
	size_t i;

	json_array_foreach (json_object_get(now, "flows"), i, flow) {
		char *name = identity(flow);
		const json_t *before = name != NULL ? json_object_get(index, name) : NULL;

		subtract(flow, before, "packets");
		subtract(flow, before, "bytes");
		free(name);
	}
	json_decref(index);
	json_object_set_new(now, "seconds",
		json_real(json_number_value(json_object_get(now, "seconds")) -
			  json_number_value(json_object_get(then, "seconds"))));
}

struct ranked {
	const json_t *flow;
	json_int_t bytes;
};

static int
most_bytes_first(const void *a, const void *b)
{
	json_int_t x = ((const struct ranked *)a)->bytes, y = ((const struct ranked *)b)->bytes;

	return (x < y) - (x > y);
}

/* Fragments have no ports. */
static void
end_cell(struct spx_table *table, const json_t *flow, const char *address, const char *port)
{
	const char *text = spx_member_text(flow, address);
	bool ipv6;

	text = text != NULL ? text : "-";
	ipv6 = strchr(text, ':') != NULL;
	if (json_is_true(json_object_get(flow, "fragments")))
		spx_table_format(table, "%s fragments", text);
	else
		spx_table_format(table, "%s%s%s:%" PRId64, ipv6 ? "[" : "", text, ipv6 ? "]" : "",
			(int64_t)spx_member_number(flow, port));
}

static void
flow_row(struct spx_table *table, const json_t *flow, double seconds)
{
	const json_t *proto = json_object_get(flow, "proto");

	end_cell(table, flow, "src", "sport");
	end_cell(table, flow, "dst", "dport");
	if (json_is_integer(proto))
		spx_table_number(table, proto);
	else
		spx_table_text(table, json_string_value(proto));
	spx_table_text(table, spx_member_text(flow, "port"));
	spx_table_text(table, spx_member_text(flow, "action"));
	spx_rate_of(table, flow, "packets", seconds);
	spx_rate(table, 8 * (double)spx_member_number(flow, "bytes"), seconds);
}

struct spx_table *
spx_rates_flows(const json_t *total, const json_t *last, double seconds)
{
	struct spx_table *table = spx_table_new("source,destination,proto,port,action,>packets/s,>bit/s");
	const json_t *flows = json_object_get(last, "flows");
	size_t n = json_array_size(flows);
	struct ranked *sorted = spx_ctl_memory(calloc(n + 1, sizeof(*sorted)));

	(void)total;
	for (size_t i = 0; i < n; i++) {
		sorted[i].flow = json_array_get(flows, i);
		sorted[i].bytes = spx_member_number(sorted[i].flow, "bytes");
	}
	qsort(sorted, n, sizeof(*sorted), most_bytes_first);
	for (size_t i = 0; i < RTE_MIN(n, FLOWS_SHOWN); i++)
		flow_row(table, sorted[i].flow, seconds);
	free(sorted);
	return table;
}
