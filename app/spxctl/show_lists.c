/* show flows, config, version, captures, clients. */
#include <inttypes.h>

#include "app/spxctl/show.h"

/* Fragments have no ports. */
static void
port_cell(struct spx_table *table, const json_t *flow, const char *key)
{
	if (json_is_true(json_object_get(flow, "fragments")))
		spx_table_text(table, "frag");
	else
		spx_table_number(table, json_object_get(flow, key));
}

int
spx_show_flows(const struct spx_ctl *ctl, const json_t *result)
{
	const json_t *flow, *flows = spx_member_array(result, "flows");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (flows == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new(
		"proto,source,>sport,destination,>dport,>vlan,port,action,>packets,>bytes,>idle s");
	json_array_foreach (flows, i, flow) {
		const json_t *proto = json_object_get(flow, "proto");

		if (json_is_integer(proto))
			spx_table_number(table, proto);
		else
			spx_table_text(table, json_string_value(proto));
		spx_table_text(table, spx_member_text(flow, "src"));
		port_cell(table, flow, "sport");
		spx_table_text(table, spx_member_text(flow, "dst"));
		port_cell(table, flow, "dport");
		spx_table_number(table, json_object_get(flow, "vlan"));
		spx_table_text(table, spx_member_text(flow, "port"));
		spx_table_text(table, spx_member_text(flow, "action"));
		spx_table_number(table, json_object_get(flow, "packets"));
		spx_table_number(table, json_object_get(flow, "bytes"));
		spx_table_format(table, "%.1f", json_number_value(json_object_get(flow, "idle_seconds")));
	}
	spx_table_finish(table, "no flows known (\"show cache\" says in which mode the flow cache is)");
	return SPX_CTL_OK;
}

int
spx_show_config(const struct spx_ctl *ctl, const json_t *result)
{
	(void)ctl;
	spx_ctl_print_json(result);
	return SPX_CTL_OK;
}

int
spx_show_version(const struct spx_ctl *ctl, const json_t *result)
{
	struct spx_table *table = spx_table_new("program,version,protocol,libraries");

	(void)ctl;
	spx_table_text(table, "spxctl");
	spx_table_text(table, SPX_VERSION);
	spx_table_format(table, "%d", SPX_CLIENT_PROTOCOL);
	spx_table_format(table, "jansson %s", jansson_version_str());
	spx_table_text(table, "sphex");
	spx_table_text(table, spx_member_text(result, "version"));
	spx_table_number(table, json_object_get(result, "protocol"));
	spx_table_text(table, spx_member_text(result, "dpdk"));
	spx_table_print(table, stdout);
	spx_table_free(table);
	return SPX_CTL_OK;
}

/* The words of an array, with commas between, as a cell. */
static void
add_words(struct spx_table *table, const json_t *words)
{
	char text[128] = "";
	const json_t *word;
	size_t i, used = 0;

	json_array_foreach (words, i, word) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? "," : "",
			json_is_string(word) ? json_string_value(word) : "?");
		used = RTE_MIN(used, sizeof(text) - 1);
	}
	spx_table_text(table, text);
}

/* What ended it, where it was no count. */
static const char *
capture_state(const json_t *capture)
{
	const char *error = spx_member_text(capture, "error");

	if (error != NULL)
		return error;
	return json_is_true(json_object_get(capture, "ended")) ? "ended" : "running";
}

int
spx_show_captures(const struct spx_ctl *ctl, const json_t *result)
{
	const json_t *capture, *captures = spx_member_array(result, "captures");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (captures == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new(">id,file,port,points,filter,>snap,>packets,>bytes,>lost,state");
	json_array_foreach (captures, i, capture) {
		spx_table_number(table, json_object_get(capture, "id"));
		spx_table_text(table, spx_member_text(capture, "file"));
		spx_table_text(table, spx_member_text(capture, "port"));
		add_words(table, json_object_get(capture, "points"));
		spx_table_text(table, spx_member_text(capture, "filter"));
		spx_table_number(table, json_object_get(capture, "snap"));
		spx_table_number(table, json_object_get(capture, "packets"));
		spx_table_number(table, json_object_get(capture, "bytes"));
		spx_table_number(table, json_object_get(capture, "lost"));
		spx_table_text(table, capture_state(capture));
	}
	spx_table_finish(table, "no captures");
	return SPX_CTL_OK;
}

int
spx_show_clients(const struct spx_ctl *ctl, const json_t *result)
{
	static const char *const sums[] = {"accepted", "refused", "cut_off", "malformed"};
	const json_t *client, *clients = spx_member_array(result, "clients");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (clients == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new(">uid,>pid,role,>requests,>seconds,events");
	json_array_foreach (clients, i, client) {
		spx_table_number(table, json_object_get(client, "uid"));
		spx_table_number(table, json_object_get(client, "pid"));
		spx_table_text(table, spx_member_text(client, "role"));
		spx_table_number(table, json_object_get(client, "requests"));
		spx_table_format(table, "%.1f", json_number_value(json_object_get(client, "seconds")));
		spx_table_text(table, json_is_true(json_object_get(client, "events")) ? "yes" : "no");
	}
	spx_table_print(table, stdout);
	spx_table_free(table);
	table = spx_table_new(">accepted,>refused,>cut off,>malformed");
	for (unsigned k = 0; k < RTE_DIM(sums); k++)
		spx_table_number(table, json_object_get(result, sums[k]));
	putchar('\n');
	spx_table_print(table, stdout);
	spx_table_free(table);
	return SPX_CTL_OK;
}
