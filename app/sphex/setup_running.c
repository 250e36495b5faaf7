/* Rules for an appliance that runs: a rule file as text, of which only the rules may be new; see setup.h.
 *
 * Ports and actions are what workers, caches and counters were made for, so they are those of the start. A
 * rule file may say them again, which makes the file that an appliance was started with one that it takes
 * again.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "app/sphex/setup_reader.h"

/* ---- what must be as it is ------------------------------------------------------------------------- */

static int
check_action(const struct spx_place *at)
{
	const struct spx_setup *setup = at->document->setup;
	const json_t *id = json_object_get(at->document->actions, at->key);
	struct spx_action action;
	int rc = spx_read_action(at, &action);

	if (rc != 0)
		return rc;
	if (id == NULL)
		return spx_mistake(at,
			"is an action that the running appliance does not have; actions are fixed "
			"at its start: rules with those it has expected");
	if (memcmp(&action, &setup->action[json_integer_value(id)].action, sizeof(action)) != 0)
		return spx_mistake(at,
			"differs from the action of that name that the running appliance has; "
			"actions are fixed at its start: the same definition, or none, expected");
	return 0;
}

static int
check_actions(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const char *name;
	json_t *value;

	(void)field;
	(void)into;
	if (!json_is_object(at->value))
		return spx_unexpected(at, "an object of actions by name expected");
	json_object_foreach (at->value, name, value) {
		struct spx_place place = spx_place_key(at, name);
		int rc = check_action(&place);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
check_classifier(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const struct spx_setup *setup = at->document->setup;
	enum spx_classifier classifier;
	int rc = spx_read_classifier(at, field, &classifier);

	(void)into;
	if (rc == 0 && classifier != setup->classifier)
		return spx_unexpected(at, "the classifier is fixed at the start: \"%s\", or none, expected",
			spx_classifier_words[setup->classifier]);
	return rc;
}

static int
check_default(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const struct spx_setup *setup = at->document->setup;
	const char *now = spx_setup_default(setup);
	uint32_t id;
	int rc = spx_read_action_id(at, field, &id);

	(void)into;
	if (rc == 0 && !spx_setup_is_default(setup, id))
		return spx_unexpected(at, "the default is fixed at the start: %s%s%s expected",
			now == NULL ? "none" : "\"", now == NULL ? "" : now,
			now == NULL ? "" : "\", or none,");
	return rc;
}

static int
read_rules(const struct spx_place *at, const struct spx_field *field, void *into)
{
	static const struct spx_field fields[] = {
		{"classifier", check_classifier},
		{"default", check_default},
		{"list", spx_read_rule_list},
	};
	static const struct spx_keys keys = SPX_KEYS("\"rules\"", fields);

	(void)field;
	return spx_read_object(at, &keys, into);
}

/* ---- the text -------------------------------------------------------------------------------------- */

static int
parse_json(
	struct spx_setup *scratch, const char *name, const char *text, size_t length, struct spx_error *err)
{
	static const struct spx_field fields[] = {
		{"actions", check_actions},
		{"rules", read_rules, .required = true},
	};
	static const struct spx_keys keys = SPX_KEYS("a rule file", fields);
	struct spx_document document = {.setup = scratch, .name = name, .root = "$", .err = err};

	return spx_read_document(&document, &keys, text, length);
}

/* Without an action said it is the one that a quick start has. */
static int
parse_classbench(const struct spx_setup *setup, const char *name, const char *text, size_t length,
	uint32_t action, struct spx_rule_list *rules, size_t *flags_ignored, struct spx_error *err)
{
	if (action == SPX_ACTION_NONE)
		action = spx_setup_find_action(setup, "forward");
	if (action == SPX_ACTION_NONE)
		return spx_error(err, -EINVAL,
			"%s: is no JSON, so ClassBench, whose rules say no action: the name of an action "
			"beside "
			"it expected",
			name);
	return spx_rules_parse_classbench(name, text, length, 1, action, rules, flags_ignored, err);
}

static bool
is_json(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && isspace((unsigned char)text[i]))
		i++;
	return i < length && (text[i] == '{' || text[i] == '[');
}

/* The scratch setup has everything of the one in force but the rules; the tables write nothing else. */
int
spx_setup_parse_rules(const struct spx_setup *setup, const char *name, const char *text, size_t length,
	uint32_t action, struct spx_rule_list *rules, size_t *flags_ignored, struct spx_error *err)
{
	struct spx_setup scratch = *setup;
	int rc;

	*flags_ignored = 0;
	if (!is_json(text, length))
		return parse_classbench(setup, name, text, length, action, rules, flags_ignored, err);
	if (action != SPX_ACTION_NONE)
		return spx_error(err, -EINVAL,
			"%s: is JSON, whose rules say their actions themselves: no action beside it expected",
			name);
	scratch.rules = *rules;
	rc = parse_json(&scratch, name, text, length, err);
	*rules = scratch.rules;
	return rc;
}
