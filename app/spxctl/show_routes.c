/* show routes, page by page; addresses, neighbours, queues. */
#include <string.h>

#include "app/spxctl/show.h"

#define PAGE 10000 /* routes asked for at once */

/* One page; `from` is NULL or the prefix to begin with. */
static int
ask_page(struct spx_ctl *ctl, const char *from, json_t **page)
{
	int status =
		spx_ctl_ask(ctl, "show.routes", json_pack("{s:s*, s:i}", "from", from, "count", PAGE), page);

	if (status != SPX_CTL_OK)
		return status;
	if (json_array_size(json_object_get(*page, "list")) > 0 || from == NULL)
		return SPX_CTL_OK;
	json_decref(*page);
	return spx_ctl_failed("the appliance's list of routes does not go on");
}

/* Routes that change between two pages need no second look: each page goes on from a prefix. */
int
spx_show_all_routes(struct spx_ctl *ctl, json_t **result)
{
	json_t *page;
	int status = ask_page(ctl, NULL, result);

	while (status == SPX_CTL_OK && json_is_string(json_object_get(*result, "next"))) {
		char from[64];

		snprintf(from, sizeof(from), "%s", spx_member_text(*result, "next"));
		status = ask_page(ctl, from, &page);
		if (status == SPX_CTL_OK) {
			json_array_extend(json_object_get(*result, "list"), json_object_get(page, "list"));
			json_object_set(*result, "next", json_object_get(page, "next"));
			if (json_is_string(json_object_get(page, "next")) &&
				strcmp(spx_member_text(page, "next"), from) == 0)
				status = spx_ctl_failed("the appliance's list of routes does not go on");
			json_decref(page);
		}
		if (status != SPX_CTL_OK)
			json_decref(*result);
	}
	return status;
}

int
spx_show_routes(const struct spx_ctl *ctl, const json_t *result)
{
	static const char *const sums[] = {"next_hops", "groups", "batches", "generation"};
	const json_t *route, *list = spx_member_array(result, "list");
	const json_t *routes = json_object_get(result, "routes");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (list == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new("route,origin");
	json_array_foreach (list, i, route) {
		spx_table_text(table, spx_member_text(route, "route"));
		spx_table_text(table, spx_member_text(route, "origin"));
	}
	if (spx_table_rows(table) > 0) {
		spx_table_print(table, stdout);
		putchar('\n');
	}
	spx_table_free(table);
	table = spx_table_new(">ipv4,>ipv6,>next hops,>groups,>batches,>generation");
	spx_table_number(table, json_object_get(routes, "ipv4"));
	spx_table_number(table, json_object_get(routes, "ipv6"));
	for (unsigned k = 0; k < RTE_DIM(sums); k++)
		spx_table_number(table, json_object_get(result, sums[k]));
	spx_table_print(table, stdout);
	spx_table_free(table);
	return SPX_CTL_OK;
}

/* A table of texts: a row for each element of the array `what`, its members in the order of the columns. */
static int
show_texts(const json_t *result, const char *what, const char *columns, const char *const *member, unsigned n)
{
	const json_t *one, *list = spx_member_array(result, what);
	struct spx_table *table;
	size_t i;

	if (list == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new(columns);
	json_array_foreach (list, i, one)
		for (unsigned k = 0; k < n; k++)
			spx_table_text(table, spx_member_text(one, member[k]));
	if (spx_table_rows(table) > 0)
		spx_table_print(table, stdout);
	else
		printf("no %s\n", what);
	spx_table_free(table);
	return SPX_CTL_OK;
}

int
spx_show_addresses(const struct spx_ctl *ctl, const json_t *result)
{
	static const char *const members[] = {"address", "port"};

	(void)ctl;
	return show_texts(result, "addresses", "address,port", members, RTE_DIM(members));
}

int
spx_show_neighbours(const struct spx_ctl *ctl, const json_t *result)
{
	static const char *const members[] = {"address", "port", "mac", "state"};

	(void)ctl;
	return show_texts(result, "neighbours", "address,port,mac,state", members, RTE_DIM(members));
}

int
spx_show_queues(const struct spx_ctl *ctl, const json_t *result)
{
	static const char *const numbers[] = {"rate_kbps", "packets", "limit_packets", "bytes", "limit_bytes",
		"most_packets", "sent_packets", "sent_bytes", "dropped_packets"};
	const json_t *queue, *queues = spx_member_array(result, "queues");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (queues == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new("port,>kbit/s,>packets,>limit,>bytes,>limit,>most packets,>sent packets,>sent "
			      "bytes,>dropped");
	json_array_foreach (queues, i, queue) {
		spx_table_text(table, spx_member_text(queue, "port"));
		for (unsigned k = 0; k < RTE_DIM(numbers); k++)
			spx_table_number(table, json_object_get(queue, numbers[k]));
	}
	spx_table_finish(table, "no port is shaped");
	return SPX_CTL_OK;
}
