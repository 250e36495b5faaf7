/* show ports, stages, drops. */
#include <inttypes.h>

#include "app/spxctl/show.h"

int
spx_show_ports(const struct spx_ctl *ctl, const json_t *result)
{
	static const char *const numbers[] = {
		"rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "missed", "no_mbuf", "errors"};
	const json_t *port, *ports = spx_member_array(result, "ports");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (ports == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new(
		"port,driver,link,>rx packets,>rx bytes,>tx packets,>tx bytes,>missed,>no mbuf,>errors");
	json_array_foreach (ports, i, port) {
		spx_table_text(table, spx_member_text(port, "name"));
		spx_table_text(table, spx_member_text(port, "driver"));
		spx_table_text(table, spx_member_text(port, "link"));
		for (unsigned k = 0; k < RTE_DIM(numbers); k++)
			spx_table_number(table, json_object_get(port, numbers[k]));
	}
	spx_table_print(table, stdout);
	spx_table_free(table);
	return SPX_CTL_OK;
}

/* ---- stages ---------------------------------------------------------------------------------------- */

double
spx_show_cycles(const json_t *stage)
{
	json_int_t packets = spx_member_number(stage, "sampled_packets");

	return packets <= 0 ? 0 : (double)spx_member_number(stage, "sampled_cycles") / (double)packets;
}

static void
print_workers(const json_t *workers)
{
	struct spx_table *table = spx_table_new("worker,>received,>polls,>idle %,>stalls");
	const json_t *worker;
	size_t i;

	json_array_foreach (workers, i, worker) {
		spx_table_format(table, "%" PRId64, (int64_t)spx_member_number(worker, "id"));
		spx_table_number(table, json_object_get(worker, "received"));
		spx_table_number(table, json_object_get(worker, "polls"));
		spx_table_format(table, "%.1f",
			spx_show_percent(
				spx_member_number(worker, "idle_polls"), spx_member_number(worker, "polls")));
		spx_table_number(table, json_object_get(worker, "stalls"));
	}
	putchar('\n');
	spx_table_print(table, stdout);
	spx_table_free(table);
}

int
spx_show_stages(const struct spx_ctl *ctl, const json_t *result)
{
	const json_t *stage, *stages = spx_member_array(result, "stages");
	struct spx_table *table;
	size_t i;

	(void)ctl;
	if (stages == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new("stage,>packets,>cycles/packet");
	json_array_foreach (stages, i, stage) {
		spx_table_text(table, spx_member_text(stage, "name"));
		spx_table_number(table, json_object_get(stage, "packets"));
		if (spx_member_number(stage, "sampled_packets") > 0)
			spx_table_format(table, "%.1f", spx_show_cycles(stage));
		else
			spx_table_text(table, NULL);
	}
	spx_table_print(table, stdout);
	spx_table_free(table);
	print_workers(json_object_get(result, "workers"));
	return SPX_CTL_OK;
}

/* ---- drops ----------------------------------------------------------------------------------------- */

/* One line of the sums, left out when it is 0 and `always` is not set. */
static void
add_sum(struct spx_table *table, bool always, json_int_t packets, const char *text, const char *format,
	const char *name)
{
	if (!always && packets == 0)
		return;
	spx_table_format(table, format, name);
	spx_table_format(table, "%" PRId64, (int64_t)packets);
	spx_table_format(table, "%s", text);
}

/* What came in on one side, what became of it on the other; the rest is on its way. */
static void
print_sums(const json_t *result, json_int_t dropped, bool all)
{
	static const char *const in[] = {"received", "injected", "cloned"}, *const out[] = {
										    "transmitted", "punted"};
	const json_t *packets = json_object_get(result, "packets"), *exception;
	struct spx_table *table = spx_table_new("balance,>packets,");
	size_t i;

	for (unsigned k = 0; k < RTE_DIM(in); k++)
		add_sum(table, k == 0 || all, spx_member_number(packets, in[k]), "", "%s", in[k]);
	add_sum(table, true, dropped, "", "%s", "dropped");
	for (unsigned k = 0; k < RTE_DIM(out); k++)
		add_sum(table, true, spx_member_number(packets, out[k]), "", "%s", out[k]);
	json_array_foreach (json_object_get(result, "exceptions"), i, exception) {
		const char *text = spx_member_text(exception, "text"),
			   *reason = spx_member_text(exception, "reason");

		add_sum(table, all, spx_member_number(exception, "packets"), text != NULL ? text : "",
			"  punted: %s", reason != NULL ? reason : "?");
	}
	add_sum(table, all, spx_member_number(json_object_get(result, "lost"), "mirror_copies"),
		"not made for want of packet buffers", "%s", "mirror copies");
	putchar('\n');
	spx_table_print(table, stdout);
	spx_table_free(table);
}

int
spx_show_drops(const struct spx_ctl *ctl, const json_t *result)
{
	const json_t *drop, *drops = spx_member_array(result, "drops");
	bool all = ctl->given & SPX_CTL_ALL;
	struct spx_table *table;
	json_int_t sum = 0;
	size_t i;

	if (drops == NULL)
		return SPX_CTL_FAILED;
	table = spx_table_new("reason,>packets,stage,text");
	json_array_foreach (drops, i, drop) {
		json_int_t packets = spx_member_number(drop, "packets");

		sum += packets;
		if (packets == 0 && !all)
			continue;
		spx_table_text(table, spx_member_text(drop, "reason"));
		spx_table_number(table, json_object_get(drop, "packets"));
		spx_table_text(table, spx_member_text(drop, "stage"));
		spx_table_text(table, spx_member_text(drop, "text"));
	}
	spx_table_finish(table, "no drops");
	print_sums(result, sum, all);
	return SPX_CTL_OK;
}
