/* "rules" of the configuration: classifier, default, and the ordered list; see setup_reader.h. */
#include <stdlib.h>
#include <string.h>

#include "app/sphex/setup_reader.h"

#define ORDER_STEP 16u /* between orders that are not given: room for rules added later */

const char *const spx_classifier_words[] = {"linear", "acl", NULL};

enum { MATCH = 1, CLASSBENCH = 2 };

/* One element of "list": a rule, or a file of rules that share an action. */
struct entry {
	struct spx_rule rule;
	char *file;
};

#define AT(member) offsetof(struct entry, member)

static const struct spx_field entry_fields[] = {
	{"match", spx_read_match, AT(rule.match), .kinds = MATCH, .required = true},
	{"classbench", spx_read_file, AT(file), .kinds = CLASSBENCH, .required = true},
	{"action", spx_read_action_id, AT(rule.action), .required = true},
	{"order", spx_read_u32, AT(rule.order), .min = 1, .max = SPX_RULE_ORDER_MAX},
};

static uint32_t
last_order(const struct spx_rule_list *list)
{
	return list->n == 0 ? 0 : list->rule[list->n - 1].order;
}

/* Gives an entry without order the next one; a given one must come after the rule before it. */
static int
settle_order(const struct spx_place *at, struct spx_rule *rule)
{
	uint32_t last = last_order(&at->document->setup->rules);
	struct spx_place order = spx_place_key(at, "order");

	if (order.value == NULL) {
		rule->order = last + ORDER_STEP;
		if (rule->order > SPX_RULE_ORDER_MAX)
			return spx_mistake(at,
				"no order is left: the rule before has %u of %u; smaller orders "
				"expected",
				last, SPX_RULE_ORDER_MAX);
	} else if (rule->order <= last) {
		return spx_unexpected(&order, "an order above %u, that of the rule before, expected", last);
	}
	return 0;
}

static int
add_rule(const struct spx_place *at, const struct spx_rule *rule)
{
	struct spx_place match = spx_place_key(at, "match");
	struct spx_error why;

	if (spx_rule_check(rule, &why) != 0)
		return spx_mistake(&match, "%s", why.text);
	if (spx_rule_list_add(&at->document->setup->rules, rule) != 0)
		return spx_no_memory(at);
	return 0;
}

static int
add_classbench(const struct spx_place *at, const struct entry *entry)
{
	struct spx_place file = spx_place_key(at, "classbench");
	size_t flags_ignored = 0;
	struct spx_error why;
	int rc;

	if (at->document->folder == NULL)
		return spx_mistake(&file, "names a file, but this configuration is not one itself; rules in "
					  "\"list\" expected");
	rc = spx_rules_read_classbench(entry->file, entry->rule.order, entry->rule.action,
		&at->document->setup->rules, &flags_ignored, &why);
	if (rc != 0) {
		spx_mistake(&file, "%s", why.text);
		return rc;
	}
	if (flags_ignored > 0)
		spx_log(SPX_LOG_WARNING, "%s: the flags column of %zu rules is ignored", entry->file,
			flags_ignored);
	return 0;
}

static int
read_entry(const struct spx_place *at)
{
	bool rule = json_object_get(at->value, "match") != NULL;
	bool file = json_object_get(at->value, "classbench") != NULL;
	const struct spx_keys keys = {.what = file ? "an entry with a rule file" : "a rule",
		.field = entry_fields,
		.n = RTE_DIM(entry_fields),
		.kind = file   ? CLASSBENCH
			: rule ? MATCH
			       : SPX_KIND_UNKNOWN};
	struct entry entry = {0};
	int rc;

	spx_match_any(&entry.rule.match);
	rc = spx_read_object(at, &keys, &entry);
	if (rc == 0)
		rc = settle_order(at, &entry.rule);
	if (rc == 0)
		rc = file ? add_classbench(at, &entry) : add_rule(at, &entry.rule);
	free(entry.file);
	return rc;
}

int
spx_read_rule_list(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	(void)into;
	if (!json_is_array(at->value))
		return spx_unexpected(at, "an array of rules expected");
	for (size_t i = 0; i < json_array_size(at->value); i++) {
		struct spx_place place = spx_place_index(at, i);
		int rc = read_entry(&place);

		if (rc != 0)
			return rc;
	}
	return 0;
}

int
spx_read_rule(const struct spx_place *at, const struct spx_field *field, void *into)
{
	static const struct spx_keys keys = {
		.what = "a rule", .field = entry_fields, .n = RTE_DIM(entry_fields), .kind = MATCH};
	struct entry entry = {0};
	struct spx_place match = spx_place_key(at, "match");
	struct spx_rule whole;
	struct spx_error why;
	int rc;

	(void)field;
	spx_match_any(&entry.rule.match);
	rc = spx_read_object(at, &keys, &entry);
	if (rc != 0)
		return rc;
	whole = entry.rule;
	whole.order = whole.order == 0 ? 1 : whole.order;
	if (spx_rule_check(&whole, &why) != 0)
		return spx_mistake(&match, "%s", why.text);
	*(struct spx_rule *)into = entry.rule;
	return 0;
}

int
spx_read_classifier(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const struct spx_field words = {.key = field->key, .words = spx_classifier_words};

	return spx_read_word(at, &words, into);
}

/* The default as a copy of an action: says of its drops that no rule asked for them. */
static struct spx_action
as_default(struct spx_action action)
{
	if (action.verdict == SPX_VERDICT_DROP)
		action.flags |= SPX_ACTION_NO_RULE;
	return action;
}

bool
spx_setup_is_default(const struct spx_setup *setup, uint32_t id)
{
	const struct spx_action copy = as_default(setup->action[id].action);

	return memcmp(&copy, &setup->action[0].action, sizeof(copy)) == 0;
}

const char *
spx_setup_default(const struct spx_setup *setup)
{
	for (uint32_t i = 1; i < setup->n_actions; i++)
		if (spx_setup_is_default(setup, i))
			return setup->action[i].name;
	return NULL;
}

static int
read_default(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_setup *setup = at->document->setup;
	uint32_t id;
	int rc = spx_read_action_id(at, field, &id);

	(void)into;
	if (rc != 0)
		return rc;
	setup->action[0].action = as_default(setup->action[id].action);
	return 0;
}

int
spx_read_rules(const struct spx_place *at, const struct spx_field *field, void *into)
{
	static const struct spx_field fields[] = {
		{"classifier", spx_read_classifier, offsetof(struct spx_setup, classifier)},
		{"default", read_default},
		{"list", spx_read_rule_list},
	};
	static const struct spx_keys keys = SPX_KEYS("\"rules\"", fields);

	(void)field;
	(void)into;
	return spx_read_object(at, &keys, at->document->setup);
}
