/* show.rules and show.config: the rules in force, page by page, and the whole configuration with them; see
 * methods.h. Both take a copy of the rules under the lock of the table, which a change holds while it waits
 * for the workers. */
#include <errno.h>
#include <stdlib.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"
#include "app/sphex/setup_json.h"

#define COUNT_MAX     10000
#define COUNT_DEFAULT 1000

struct page {
	uint32_t from, count;
};

/* The rules in force; a message begins with the method's name. */
static int
get_rules(struct spx_call *call, struct spx_rule **rule, size_t *n)
{
	int r = spx_rule_table_get(call->app->rules, rule, n, call->err);

	return r == 0 ? 0 : spx_error_at(call->err, r, "%s", call->method);
}

/* Rules from order `from` on, at most `count`; *next is the order of the rule behind, or NULL. */
static json_t *
list(const struct spx_setup *setup, const struct page *page, const struct spx_rule *rule, size_t n,
	json_t **next)
{
	json_t *a = json_array();
	size_t i = 0;

	while (i < n && rule[i].order < page->from)
		i++;
	for (size_t end = RTE_MIN(n - i, page->count) + i; i < end; i++)
		json_array_append_new(a, spx_rule_json(setup, &rule[i]));
	*next = i < n ? json_integer(rule[i].order) : json_null();
	return a;
}

/* The default by the name of the action that it is made of, or by what it does. */
static const char *
default_name(const struct spx_setup *setup)
{
	const char *name = spx_setup_default(setup);

	return name != NULL ? name : spx_verdict_words[setup->action[0].action.verdict];
}

static json_t *
rules(const struct spx_appliance *app, const struct page *page, const struct spx_rule *rule, size_t n)
{
	size_t overlay, masked;
	uint64_t compiles;
	json_t *shown, *next;

	spx_rule_table_stats(app->rules, NULL, &overlay, &masked, &compiles);
	shown = list(app->setup, page, rule, n, &next);
	return json_pack("{s:o, s:o, s:s, s:{s:s}, s:o, s:o, s:o, s:o, s:o}", "generation",
		spx_report_number(atomic_load(&app->generation)), "rules", spx_report_number(n), "classifier",
		spx_classifier_words[app->setup->classifier], "default", "action", default_name(app->setup),
		"overlay", spx_report_number(overlay), "masked", spx_report_number(masked), "compiles",
		spx_report_number(compiles), "list", shown, "next", next);
}

int
spx_method_show_rules(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {
		{"from", spx_read_u32, offsetof(struct page, from), .min = 1, .max = SPX_RULE_ORDER_MAX},
		{"count", spx_read_u32, offsetof(struct page, count), .min = 1, .max = COUNT_MAX},
	};
	static const struct spx_keys keys = SPX_KEYS("show.rules", fields);
	struct page page = {.from = 1, .count = COUNT_DEFAULT};
	struct spx_rule *rule;
	size_t n;
	int r = spx_call_read(call, &keys, &page);

	if (r == 0)
		r = get_rules(call, &rule, &n);
	if (r != 0)
		return r;
	r = spx_call_give(call, rules(call->app, &page, rule, n), result);
	free(rule);
	return r;
}

int
spx_method_show_config(struct spx_call *call, json_t **result)
{
	struct spx_rule *rule;
	size_t n;
	int r = spx_call_read_nothing(call);

	if (r == 0)
		r = get_rules(call, &rule, &n);
	if (r != 0)
		return r;
	r = spx_call_give(call, spx_running_json(call->app, rule, n), result);
	free(rule);
	/* Who knows the seed can make flows that collide: not for everybody on the machine. */
	if (r == 0 && call->role == SPX_ROLE_READER)
		json_object_del(*result, "hash_seed");
	return r;
}
