/* Rates of ports, stages, drops and the flow cache; flows are in rates_flows.c. See rates.h. */
#include "app/spxctl/rates_internal.h"

void
spx_rate(struct spx_table *table, double count, double seconds)
{
	char text[16];

	spx_human(text, seconds > 0 ? count / seconds : 0);
	spx_table_text(table, text);
}

void
spx_rate_of(struct spx_table *table, const json_t *last, const char *key, double seconds)
{
	spx_rate(table, (double)spx_member_number(last, key), seconds);
}

static struct spx_table *
ports(const json_t *total, const json_t *last, double seconds)
{
	struct spx_table *table =
		spx_table_new("port,link,>rx packets/s,>rx bit/s,>tx packets/s,>tx bit/s,>missed/s");
	const json_t *port;
	size_t i;

	(void)total;
	json_array_foreach (json_object_get(last, "ports"), i, port) {
		spx_table_text(table, spx_member_text(port, "name"));
		spx_table_text(table, spx_member_text(port, "link"));
		spx_rate_of(table, port, "rx_packets", seconds);
		spx_rate(table, 8 * (double)spx_member_number(port, "rx_bytes"), seconds);
		spx_rate_of(table, port, "tx_packets", seconds);
		spx_rate(table, 8 * (double)spx_member_number(port, "tx_bytes"), seconds);
		spx_rate_of(table, port, "missed", seconds);
	}
	return table;
}

static struct spx_table *
stages(const json_t *total, const json_t *last, double seconds)
{
	struct spx_table *table = spx_table_new("stage,>packets/s,>cycles/packet");
	const json_t *stage;
	size_t i;

	(void)total;
	json_array_foreach (json_object_get(last, "stages"), i, stage) {
		spx_table_text(table, spx_member_text(stage, "name"));
		spx_rate_of(table, stage, "packets", seconds);
		if (spx_member_number(stage, "sampled_packets") > 0)
			spx_table_format(table, "%.1f", spx_show_cycles(stage));
		else
			spx_table_text(table, NULL);
	}
	return table;
}

/* Reasons that have happened since the start, so that rows do not come and go. Both lists have the same
 * order. */
static struct spx_table *
drops(const json_t *total, const json_t *last, double seconds)
{
	struct spx_table *table = spx_table_new("dropped,>packets/s,>total,stage,text");
	const json_t *drop;
	size_t i;

	json_array_foreach (json_object_get(total, "drops"), i, drop) {
		if (spx_member_number(drop, "packets") == 0)
			continue;
		spx_table_text(table, spx_member_text(drop, "reason"));
		spx_rate_of(table, json_array_get(json_object_get(last, "drops"), i), "packets", seconds);
		spx_table_number(table, json_object_get(drop, "packets"));
		spx_table_text(table, spx_member_text(drop, "stage"));
		spx_table_text(table, spx_member_text(drop, "text"));
	}
	return table;
}

/* ---- cache ----------------------------------------------------------------------------------------- */

static void
cache_row(struct spx_table *table, const char *name, const json_t *last, const char *key, double seconds)
{
	if (json_object_get(last, key) == NULL)
		return;
	spx_table_text(table, name);
	spx_rate_of(table, last, key, seconds);
	spx_table_text(table, "");
}

static struct spx_table *
cache(const json_t *total, const json_t *last, double seconds)
{
	struct spx_table *table = spx_table_new("flow cache,>/s,>%");
	const json_t *of = json_object_get(last, "cache"), *exact = json_object_get(of, "exact");
	const json_t *approximate = json_object_get(of, "approximate");
	const char *mode = spx_member_text(of, "mode");
	json_int_t hits, lookups;

	(void)total;
	if (mode == NULL || strcmp(mode, "none") == 0)
		return table;
	if (strcmp(mode, "approximate") == 0) {
		hits = spx_member_number(approximate, "hits") + spx_member_number(approximate, "repeats");
		lookups = hits + spx_member_number(approximate, "misses") +
			  spx_member_number(approximate, "several") + spx_member_number(approximate, "syn");
	} else {
		hits = spx_member_number(exact, "hits");
		lookups = hits + spx_member_number(exact, "misses");
	}
	spx_table_text(table, "looked up");
	spx_rate(table, (double)lookups, seconds);
	spx_table_text(table, "");
	spx_table_text(table, "hits");
	spx_rate(table, (double)hits, seconds);
	spx_table_format(table, "%.2f", spx_show_percent(hits, lookups));
	if (strcmp(mode, "approximate") != 0) {
		cache_row(table, "flows entered", exact, "inserts", seconds);
		cache_row(table, "evicted", exact, "evictions", seconds);
		cache_row(table, "expired", exact, "expired", seconds);
		cache_row(table, "refused", exact, "refused", seconds);
	}
	cache_row(table, "held off by the guard", json_object_get(of, "guard"), "flows", seconds);
	return table;
}

const struct spx_rates spx_rates[] = {
	{"ports", ports},
	{"stages", stages},
	{"drops", drops},
	{"cache", cache},
	{"flows", spx_rates_flows},
	{NULL, NULL},
};
