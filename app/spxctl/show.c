/* show: asks for one thing and prints it. Each thing is a line of the table below; how it is printed stands
 * in show_counters.c, show_cache.c, show_rules.c, show_routes.c, show_lists.c and steer.c. */
#include "app/spxctl/show.h"
#include "app/spxctl/baseline.h"
#include "app/spxctl/since.h"
#include "app/spxctl/words.h"

#define FLOWS_SHOWN 20u
#define FLOWS_MAX   1000u

const struct spx_show spx_shows[] = {
	{"ports", "show.ports", SPX_CTL_TOTAL, .counters = true, .print = spx_show_ports},
	{"stages", "show.stages", SPX_CTL_TOTAL, .counters = true, .print = spx_show_stages},
	{"drops", "show.drops", SPX_CTL_TOTAL | SPX_CTL_ALL, .counters = true, .print = spx_show_drops},
	{"cache", "show.cache", SPX_CTL_TOTAL, .counters = true, .print = spx_show_cache},
	{"flows", "show.flows", .counted = true, .print = spx_show_flows},
	{"rules", "show.rules", .print = spx_show_rules},
	{"routes", "show.routes", .print = spx_show_routes},
	{"addresses", "show.addresses", .print = spx_show_addresses},
	{"neighbours", "show.neighbours", .print = spx_show_neighbours},
	{"queues", "show.queues", .print = spx_show_queues},
	{"steer", "show.steer", .print = spx_show_steer},
	{"config", "show.config", .print = spx_show_config},
	{"version", "show.version", .print = spx_show_version},
	{"captures", "show.captures", .print = spx_show_captures},
	{"clients", "show.clients", .print = spx_show_clients},
	{NULL},
};

/* ---- reading results ------------------------------------------------------------------------------- */

const char *
spx_member_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_int_t
spx_member_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

const json_t *
spx_member_array(const json_t *result, const char *key)
{
	const json_t *array = json_object_get(result, key);

	if (json_is_array(array))
		return array;
	spx_ctl_failed("the appliance's answer has no \"%s\"", key);
	return NULL;
}

double
spx_show_percent(json_int_t part, json_int_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

/* ---- since clear ----------------------------------------------------------------------------------- */

/* Takes away what was counted before the user's "clear", and says so first. */
static void
since_clear(const struct spx_ctl *ctl, const struct spx_show *show, json_t *result)
{
	json_t *baseline = spx_baseline_load(ctl->client.hello);
	const json_t *then = json_object_get(json_object_get(baseline, "results"), show->method);
	char when[32];

	if (json_is_object(then)) {
		spx_since(result, then);
		spx_baseline_time(baseline, when);
		if (ctl->given & SPX_CTL_JSON)
			json_object_set_new(result, "cleared", json_string(when));
		else
			printf("since the clear of %s (--total: since the start)\n", when);
	}
	json_decref(baseline);
}

/* ---- the command ----------------------------------------------------------------------------------- */

static int
ask(struct spx_ctl *ctl, const struct spx_show *show, json_t *params, json_t **result)
{
	if (show->print == spx_show_routes)
		return spx_show_all_routes(ctl, result);
	if (show->print != spx_show_rules)
		return spx_ctl_ask(ctl, show->method, params, result);
	return spx_show_all_rules(ctl, result);
}

static int
show_it(struct spx_ctl *ctl, const struct spx_show *show, json_t *params)
{
	json_t *result;
	int status = ask(ctl, show, params, &result);

	if (status != SPX_CTL_OK)
		return status;
	if (show->counters && !(ctl->given & SPX_CTL_TOTAL))
		since_clear(ctl, show, result);
	if (ctl->given & SPX_CTL_JSON)
		spx_ctl_print_json(result);
	else
		status = show->print(ctl, result);
	json_decref(result);
	return status;
}

int
spx_show_one(struct spx_ctl *ctl, const char *what)
{
	struct spx_error err;
	int i = spx_word_find("show", spx_shows, sizeof(spx_shows[0]), what, &err);

	return i < 0 ? spx_ctl_usage("%s", err.text) : show_it(ctl, &spx_shows[i], NULL);
}

int
spx_ctl_show(struct spx_ctl *ctl, int n, char **word)
{
	struct spx_error err;
	const struct spx_show *show;
	uint64_t count = FLOWS_SHOWN;
	int i = spx_word_find("show", spx_shows, sizeof(spx_shows[0]), word[0], &err);

	if (i < 0)
		return spx_ctl_usage("%s", err.text);
	show = &spx_shows[i];
	if (n > 1 + show->counted)
		return spx_ctl_usage("show %s: \"%s\" is too much", show->name, word[1 + show->counted]);
	if (n > 1 && spx_word_number("show flows", word[1], 1, FLOWS_MAX, &count, &err) != 0)
		return spx_ctl_usage("%s", err.text);
	if (ctl->given & ~show->options & (SPX_CTL_TOTAL | SPX_CTL_ALL))
		return spx_ctl_usage("show %s has no option %s", show->name,
			ctl->given & ~show->options & SPX_CTL_ALL ? "--all" : "--total");
	return show_it(ctl, show, show->counted ? json_pack("{s:I}", "count", (json_int_t)count) : NULL);
}
