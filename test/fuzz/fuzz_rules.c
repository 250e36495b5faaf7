/* Fuzzes what rule.load and rule.add read: any text is rules for the running appliance or is refused with a
 * printable message; its setup stays as it is; and rules that were taken read back from what show.rules says
 * of them. No input reaches a file, nor DPDK, which does not run here.
 *
 * The first byte chooses: 'a' rule.add, whose rule is the JSON behind it; 'c' rule.load with an action, of
 * the text behind it; any other rule.load without.
 */
#include <stdlib.h>
#include <string.h>

#include "app/sphex/methods.h"
#include "app/sphex/setup_json.h"

#define READ_BACK 64 /* of the rules of an input: more say nothing new */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
	"{\"ports\": [{\"name\": \"in\", \"driver\": \"replay\", \"trace\": \"t\"},"
	"  {\"name\": \"out\", \"driver\": \"ethdev\", \"device\": \"net_null0\"}],"
	" \"actions\": {\"web\": {\"verdict\": \"forward\", \"port\": \"out\", \"count\": true},"
	"  \"deny\": {\"verdict\": \"drop\"}, \"look\": {\"verdict\": \"punt\", \"mirror\": \"out\"}},"
	" \"rules\": {\"default\": \"deny\", \"classifier\": \"linear\"}}";

static struct spx_appliance app; /* has a setup, and no more */

static void
check(bool good)
{
	if (!good)
		abort();
}

static const struct spx_setup *
setup_once(void)
{
	static struct spx_setup setup;
	struct spx_error err;

	if (app.setup == NULL) {
		check(spx_setup_init(&setup) == 0);
		check(spx_setup_parse(&setup, "text", text, strlen(text), &err) == 0);
		app.setup = &setup;
	}
	return app.setup;
}

static void
check_message(const struct spx_call *call, int rc)
{
	const char *message = call->err->text;

	check(rc == 0 || strncmp(message, "rule.", 5) == 0);
	for (const char *c = message; rc != 0 && *c != '\0'; c++)
		check(*c >= ' ' && *c <= '~');
}

/* rule.add with this rule, which is taken over. 0 or what it says. */
static int
read_rule(json_t *json, struct spx_rule *rule)
{
	struct spx_error err = {""};
	struct spx_call call = {.app = &app, .method = "rule.add", .fd = -1, .err = &err};
	int rc;

	call.params = json_pack("{s:o}", "rule", json);
	check(call.params != NULL);
	rc = spx_rule_add_read(&call, rule);
	check_message(&call, rc);
	json_decref(call.params);
	return rc;
}

static void
check_rule(const struct spx_rule *rule)
{
	struct spx_rule again;

	check(rule->action > 0 && rule->action < app.setup->n_actions);
	check(spx_rule_check(rule, NULL) == 0);
	check(read_rule(spx_rule_json(app.setup, rule), &again) == 0);
	check(again.order == rule->order && again.action == rule->action);
	check(memcmp(&again.match, &rule->match, sizeof(again.match)) == 0);
}

static void
add(const char *data, size_t size)
{
	json_t *json = json_loadb(data, size, JSON_DECODE_ANY, NULL);
	struct spx_rule rule;

	if (json == NULL || read_rule(json, &rule) != 0)
		return;
	rule.order = rule.order == 0 ? 16 : rule.order; /* the table's choice */
	check_rule(&rule);
}

static void
load(const char *data, size_t size, const char *action)
{
	struct spx_error err = {""};
	struct spx_call call = {.app = &app, .method = "rule.load", .fd = -1, .err = &err};
	struct spx_rule_list rules = {0};
	size_t flags_ignored;
	int rc;

	call.params = json_pack(
		"{s:s, s:o, s:s*}", "name", "f", "text", json_stringn_nocheck(data, size), "action", action);
	check(call.params != NULL);
	rc = spx_rule_load_read(&call, &rules, &flags_ignored);
	check_message(&call, rc);
	check(rc != 0 || flags_ignored <= rules.n);
	for (size_t i = 0; rc == 0 && i < RTE_MIN(rules.n, (size_t)READ_BACK); i++) {
		check_rule(&rules.rule[i]);
		check(i == 0 || rules.rule[i].order > rules.rule[i - 1].order);
	}
	spx_rule_list_free(&rules);
	json_decref(call.params);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct spx_setup *setup = setup_once();
	const struct spx_setup before = *setup;
	struct spx_setup_action actions[8];

	check(setup->n_actions <= RTE_DIM(actions));
	memcpy(actions, setup->action, setup->n_actions * sizeof(actions[0]));
	if (size > 0 && data[0] == 'a')
		add((const char *)data + 1, size - 1);
	else if (size > 0)
		load((const char *)data + 1, size - 1, data[0] == 'c' ? "web" : NULL);
	check(memcmp(&before, setup, sizeof(before)) == 0);
	check(memcmp(actions, setup->action, setup->n_actions * sizeof(actions[0])) == 0);
	return 0;
}
