/* rule.*: rules changed while packets go by, through the rule table (lib/rules/rules.h); see methods.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"

#define ORDER_STEP 16u /* behind the last rule, as in a configuration */
#define NAME_LIMIT 255 /* bytes of a file's name: messages have room for more than that */

/* The end of a change: its result has the generation in force from then on. */
static json_t *
generation(const struct spx_appliance *app)
{
	return spx_report_number(atomic_load(&app->generation));
}

static json_t *
changed(const struct spx_call *call, uint32_t order)
{
	return json_pack("{s:I, s:o}", "order", (json_int_t)order, "generation", generation(call->app));
}

int
spx_rule_add_read(struct spx_call *call, struct spx_rule *rule)
{
	static const struct spx_field fields[] = {{"rule", spx_read_rule, 0, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("rule.add", fields);

	return spx_call_read(call, &keys, rule);
}

int
spx_method_rule_add(struct spx_call *call, json_t **result)
{
	struct spx_rule rule;
	int r = spx_rule_add_read(call, &rule);

	if (r != 0)
		return r;
	r = rule.order == 0 ? spx_rule_table_append(call->app->rules, &rule, ORDER_STEP, call->err)
			    : spx_rule_table_add(call->app->rules, &rule, call->err);
	return r != 0 ? spx_call_refuse(call, r) : spx_call_give(call, changed(call, rule.order), result);
}

int
spx_method_rule_delete(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {
		{"order", spx_read_u32, 0, .min = 1, .max = SPX_RULE_ORDER_MAX, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("rule.delete", fields);
	uint32_t order = 0;
	int r = spx_call_read(call, &keys, &order);

	if (r != 0)
		return r;
	r = spx_rule_table_delete(call->app->rules, order, call->err);
	return r != 0 ? spx_call_refuse(call, r) : spx_call_give(call, changed(call, order), result);
}

/* ---- rule.load ------------------------------------------------------------------------------------- */

struct load {
	struct spx_call_file file;
	uint32_t action;
};

/* What messages call the file. */
int
spx_call_read_name(const struct spx_place *at, const struct spx_field *field, void *into)
{
	if (json_string_length(at->value) > NAME_LIMIT)
		return spx_mistake(at, "has %zu bytes; a name of at most %d expected",
			json_string_length(at->value), NAME_LIMIT);
	return spx_read_text(at, field, into);
}

int
spx_call_read_string(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	if (!json_is_string(at->value))
		return spx_unexpected(at, "the text of a file expected");
	*(const json_t **)into = at->value;
	return 0;
}

int
spx_rule_load_read(struct spx_call *call, struct spx_rule_list *rules, size_t *flags_ignored)
{
	static const struct spx_field fields[] = {
		{"name", spx_call_read_name, offsetof(struct load, file.name)},
		{"text", spx_call_read_string, offsetof(struct load, file.text), .required = true},
		{"action", spx_read_action_id, offsetof(struct load, action)},
	};
	static const struct spx_keys keys = SPX_KEYS("rule.load", fields);
	struct load load = {.action = SPX_ACTION_NONE};
	int r = spx_call_read(call, &keys, &load);

	if (r == 0) {
		r = spx_setup_parse_rules(call->app->setup, load.file.name == NULL ? "rules" : load.file.name,
			json_string_value(load.file.text), json_string_length(load.file.text), load.action,
			rules, flags_ignored, call->err);
		if (r != 0)
			spx_call_refuse(call, r);
	}
	free(load.file.name);
	return r;
}

int
spx_method_rule_load(struct spx_call *call, json_t **result)
{
	struct spx_rule_list rules = {0};
	size_t flags_ignored = 0;
	int r = spx_rule_load_read(call, &rules, &flags_ignored);

	if (r == 0 && (r = spx_rule_table_set(call->app->rules, rules.rule, rules.n, call->err)) != 0)
		spx_call_refuse(call, r);
	if (r == 0)
		r = spx_call_give(call,
			json_pack("{s:o, s:o, s:o}", "rules", spx_report_number(rules.n), "generation",
				generation(call->app), "flags_ignored", spx_report_number(flags_ignored)),
			result);
	spx_rule_list_free(&rules);
	return r;
}
