/* show cache: what the flow caches of all workers did, and how full they are. */
#include <inttypes.h>
#include <string.h>

#include "app/spxctl/show.h"

/* A block of numbers with a title, each line "  name  number". */
struct line {
	const char *key, *text;
};

static void
print_lines(const char *title, const json_t *object, const struct line *line, unsigned n)
{
	char column[64];
	struct spx_table *table;

	snprintf(column, sizeof(column), "%s,>", title);
	table = spx_table_new(column);
	for (unsigned i = 0; i < n; i++) {
		if (json_object_get(object, line[i].key) == NULL)
			continue;
		spx_table_format(table, "  %s", line[i].text);
		spx_table_number(table, json_object_get(object, line[i].key));
	}
	spx_table_print(table, stdout);
	spx_table_free(table);
}

static void
print_exact(const json_t *exact)
{
	static const struct line lines[] = {
		{"hits", "packets answered"},
		{"misses", "packets not answered"},
		{"inserts", "flows entered"},
		{"evictions", "flows ended for another"},
		{"expired", "flows ended, idle"},
		{"renewed", "flows answered anew"},
		{"refused", "flows refused, set full"},
		{"resident", "flows resident"},
		{"entries", "places for flows"},
		{"bytes", "bytes of memory"},
	};
	json_int_t hits = spx_member_number(exact, "hits");

	print_lines("exact cache", exact, lines, RTE_DIM(lines));
	printf("  hits %.2f %%, %.2f %% full\n",
		spx_show_percent(hits, hits + spx_member_number(exact, "misses")),
		spx_show_percent(spx_member_number(exact, "resident"), spx_member_number(exact, "entries")));
}

static void
print_approximate(const json_t *approximate)
{
	static const struct line lines[] = {
		{"hits", "packets answered"},
		{"repeats", "answered within a burst"},
		{"misses", "in no filter"},
		{"several", "in several filters"},
		{"syn", "TCP SYN, asked the rules"},
		{"flows", "flows remembered"},
		{"clears", "filters emptied"},
		{"bytes", "bytes of memory"},
	};

	print_lines("approximate cache", approximate, lines, RTE_DIM(lines));
}

/* Ended flows by reason; reasons that have not happened are left out. */
static void
print_ended(const json_t *ended)
{
	struct spx_table *table = spx_table_new("flows ended,>flows,>packets,>bytes");
	const char *reason;
	json_t *sum;

	json_object_foreach ((json_t *)(uintptr_t)ended, reason, sum) {
		if (spx_member_number(sum, "flows") == 0)
			continue;
		spx_table_format(table, "  %s", reason);
		spx_table_number(table, json_object_get(sum, "flows"));
		spx_table_number(table, json_object_get(sum, "packets"));
		spx_table_number(table, json_object_get(sum, "bytes"));
	}
	if (spx_table_rows(table) > 0)
		spx_table_print(table, stdout);
	spx_table_free(table);
}

int
spx_show_cache(const struct spx_ctl *ctl, const json_t *result)
{
	static const struct line guard[] = {
		{"on", "times on"},
		{"off", "times off"},
		{"flows", "flows held off"},
	};
	const json_t *cache = json_object_get(result, "cache");
	const char *mode = spx_member_text(cache, "mode");

	(void)ctl;
	if (mode == NULL)
		return spx_ctl_failed("the appliance's answer has no cache \"mode\"");
	if (strcmp(mode, "none") == 0) {
		printf("no flow cache: every packet goes to the rules\n");
		return SPX_CTL_OK;
	}
	printf("flow cache, %s\n", strcmp(mode, "exact") == 0     ? "exact"
				   : strcmp(mode, "layered") == 0 ? "layered"
								  : "approximate");
	if (strcmp(mode, "approximate") != 0)
		print_exact(json_object_get(cache, "exact"));
	if (strcmp(mode, "exact") != 0)
		print_approximate(json_object_get(cache, "approximate"));
	print_ended(json_object_get(cache, "ended"));
	if (spx_member_number(json_object_get(cache, "guard"), "on") > 0)
		print_lines("flood guard", json_object_get(cache, "guard"), guard, RTE_DIM(guard));
	return SPX_CTL_OK;
}
