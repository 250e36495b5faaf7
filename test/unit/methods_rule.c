/* rule.* under traffic: what a change says is in force when it returns, whatever the flow caches hold; and
 * every mistake is refused with its place, and changes nothing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "test/unit/methods_running.h"

TestSuite(methods_rule, .timeout = 60);

enum { LEFT = 1, RIGHT };

static json_int_t
number(const json_t *object, const char *key)
{
	cr_assert(json_is_integer(json_object_get(object, key)), "%s", key);
	return json_integer_value(json_object_get(object, key));
}

/* The result of a change: its order, and a generation beyond the one before. */
static void
change(struct running *r, running_method run, const char *params, json_int_t order)
{
	uint64_t before = atomic_load(&r->app->generation);
	json_t *result = running_call(r, run, params);

	cr_expect_eq(json_object_size(result), 2);
	cr_expect_eq(number(result, "order"), order, "%s", params);
	cr_expect_gt((uint64_t)number(result, "generation"), before);
	cr_expect_leq((uint64_t)number(result, "generation"), atomic_load(&r->app->generation));
	json_decref(result);
}

static void
load(struct running *r, const char *params, json_int_t rules)
{
	uint64_t before = atomic_load(&r->app->generation);
	json_t *result = running_call(r, spx_method_rule_load, params);

	cr_expect_eq(json_object_size(result), 3);
	cr_expect_eq(number(result, "rules"), rules);
	cr_expect_gt((uint64_t)number(result, "generation"), before);
	json_decref(result);
}

static uint64_t
sent(const struct running *r, unsigned port)
{
	struct spx_report report;

	spx_report_take(r->app, &report);
	return report.workers.port[port].tx_packets;
}

/* Which of the two ports sends from now on, as a set. */
static unsigned
sending(const struct running *r)
{
	uint64_t left = sent(r, LEFT), right = sent(r, RIGHT);

	running_wait(r);
	return (unsigned)(sent(r, LEFT) > left) << LEFT | (unsigned)(sent(r, RIGHT) > right) << RIGHT;
}

#define BOTH (1u << LEFT | 1u << RIGHT)

/* The list of show.rules as text. */
static char *
shown(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_rules, "{}");
	char *text = json_dumps(json_object_get(result, "list"), JSON_COMPACT);

	json_decref(result);
	return text;
}

Test(methods_rule, add_and_delete)
{
	struct running r;

	running_start(&r);
	cr_expect_eq(sending(&r), BOTH);
	change(&r, spx_method_rule_add,
		"{\"rule\": {\"order\": 5, \"match\": {\"dport\": 53}, \"action\": \"other\"}}", 5);
	cr_expect_eq(sending(&r), 1u << RIGHT);
	change(&r, spx_method_rule_add,
		"{\"rule\": {\"order\": 4, \"match\": {\"dport\": 80, \"port\": \"in\"}, \"action\": "
		"\"deny\"}}",
		4);
	cr_expect_eq(sending(&r), 1u << RIGHT);
	change(&r, spx_method_rule_delete, "{\"order\": 5}", 5);
	cr_expect_eq(sending(&r), 1u << LEFT);
	change(&r, spx_method_rule_add, "{\"rule\": {\"match\": {}, \"action\": \"look\"}}", 64);
	change(&r, spx_method_rule_add, "{\"rule\": {\"match\": {\"vlan\": 7}, \"action\": \"look\"}}", 80);
	change(&r, spx_method_rule_delete, "{\"order\": 4}", 4);
	cr_expect_eq(sending(&r), BOTH);
	running_end(&r);
}

Test(methods_rule, load_replaces_all)
{
	struct running r;
	char *text;

	running_start(&r);
	load(&r,
		"{\"name\": \"f\", \"text\": \"\\n {\\\"rules\\\": {\\\"list\\\": [{\\\"match\\\": {}, "
		"\\\"action\\\": \\\"web\\\"}]}}\"}",
		1);
	cr_expect_eq(sending(&r), 1u << LEFT);
	load(&r,
		"{\"text\": \"# all\\n@0.0.0.0/0 0.0.0.0/0 0 : 65535 53 : 53 0x11/0xFF 0x1/0x1\\n\", "
		"\"action\": \"other\"}",
		1);
	cr_expect_eq(sending(&r), 1u << RIGHT);
	text = shown(&r);
	cr_expect_str_eq(text, "[{\"order\":1,\"match\":{\"family\":\"ipv4\",\"proto\":\"udp\",\"dport\":53},"
			       "\"action\":\"other\"}]");
	free(text);
	load(&r, "{\"text\": \"\", \"action\": \"other\"}", 0);
	cr_expect_eq(sending(&r), 0, "the default drops");
	/* What the appliance was started with may be said again. */
	load(&r,
		"{\"name\": \"same.json\", \"text\": \"{\\\"actions\\\": {\\\"deny\\\": {\\\"verdict\\\": "
		"\\\"drop\\\"}, \\\"web\\\": {\\\"count\\\": true, \\\"verdict\\\": \\\"forward\\\", "
		"\\\"port\\\": "
		"\\\"left\\\", \\\"decrement_ttl\\\": true}}, \\\"rules\\\": {\\\"default\\\": \\\"deny\\\", "
		"\\\"classifier\\\": \\\"linear\\\", \\\"list\\\": [{\\\"match\\\": {\\\"dport\\\": 80}, "
		"\\\"action\\\": \\\"web\\\"}]}}\"}",
		1);
	cr_expect_eq(sending(&r), 1u << LEFT);
	running_end(&r);
}

/* ---- mistakes -------------------------------------------------------------------------------------- */

static const struct running_mistake mistakes[] = {
	{spx_method_rule_add, NULL, -EINVAL, "\"rule\" is missing"},
	{spx_method_rule_add, "[]", -EINVAL, "an object expected"},
	{spx_method_rule_add, "{\"rul\": {}}", -EINVAL, "rul: is no key of rule.add; \"rule\" expected"},
	{spx_method_rule_add, "{\"rule\": {\"match\": {}}}", -EINVAL, "rule: \"action\" is missing"},
	{spx_method_rule_add, "{\"rule\": {\"action\": \"web\"}}", -EINVAL, "rule: \"match\" is missing"},
	{spx_method_rule_add, "{\"rule\": {\"match\": {}, \"action\": \"wbe\"}}", -EINVAL,
		"rule.action: is \"wbe\"; the name of an action: one of \"web\", \"other\", \"look\", "
		"\"deny\" "
		"expected, did you mean \"web\"?"},
	{spx_method_rule_add, "{\"rule\": {\"match\": {}, \"action\": \"default\"}}", -EINVAL,
		"rule.action: is"},
	{spx_method_rule_add, "{\"rule\": {\"match\": {\"dst\": \"10.0.0.1/8\"}, \"action\": \"web\"}}",
		-EINVAL, "rule.match.dst: is \"10.0.0.1/8\"; no bits beyond"},
	{spx_method_rule_add, "{\"rule\": {\"match\": {\"port\": \"left\"}, \"action\": \"wbe\"}}", -EINVAL,
		"rule.action"},
	{spx_method_rule_add,
		"{\"rule\": {\"match\": {\"family\": \"other\", \"dport\": 1}, \"action\": \"web\"}}",
		-EINVAL, "rule.match: the family is other than IP"},
	{spx_method_rule_add, "{\"rule\": {\"match\": {}, \"action\": \"web\", \"order\": 0}}", -EINVAL,
		"rule.order: is 0; an integer from 1 to 268435455 expected"},
	{spx_method_rule_add, "{\"rule\": {\"match\": {}, \"action\": \"web\", \"order\": 32}}", -EEXIST,
		"there is a rule of order 32"},
	{spx_method_rule_add, "{\"rule\": {\"classbench\": \"/etc/passwd\", \"action\": \"web\"}}", -EINVAL,
		"rule.classbench: is no key of a rule"},
	{spx_method_rule_delete, "{}", -EINVAL, "\"order\" is missing"},
	{spx_method_rule_delete, "{\"order\": \"32\"}", -EINVAL, "order: is \"32\"; an integer from 1"},
	{spx_method_rule_delete, "{\"order\": 33}", -ENOENT, "there is no rule of order 33"},
	{spx_method_rule_load, "{}", -EINVAL, "\"text\" is missing"},
	{spx_method_rule_load, "{\"text\": 5}", -EINVAL, "text: is 5; the text of a file expected"},
	{spx_method_rule_load, "{\"text\": \"\", \"action\": \"none\"}", -EINVAL, "action: is \"none\""},
	{spx_method_rule_load, "{\"text\": \"\", \"name\": \"a\\nb\"}", -EINVAL, "name: is \"a\\nb\""},
	{spx_method_rule_load, "{\"text\": \"\"}", -EINVAL, "rules: is no JSON, so ClassBench"},
	{spx_method_rule_load, "{\"text\": \"@1\", \"action\": \"web\", \"name\": \"f\"}", -EINVAL,
		"name: f:1:"},
	{spx_method_rule_load, "{\"text\": \"{}\", \"action\": \"web\", \"name\": \"f\"}", -EINVAL,
		"name: f: is JSON, whose rules say their actions"},
	{spx_method_rule_load, "{\"text\": \"{}\", \"name\": \"f\"}", -EINVAL,
		"name: f: $: \"rules\" is missing"},
	{spx_method_rule_load, "{\"text\": \" [\"}", -EINVAL, "name: rules:1:2: no valid JSON"},
};

/* Rule files, with ' for \": what stands in them, and where. */
static const struct {
	const char *text, *says;
} files[] = {
	{"{'rules': {'list': [{'match': {}, 'action': 'web'}, {'match': {'dport': -1}, 'action': 'web'}]}}",
		"name: f: $.rules.list[1].match.dport: is -1"},
	{"{'rules': {'list': [{'match': {}, 'action': 'web', 'order': 2}, {'match': {}, 'action': 'web', "
	 "'order': "
	 "2}]}}",
		"$.rules.list[1].order: is 2; an order above 2"},
	{"{'rules': {'list': [{'classbench': '/etc/passwd', 'action': 'web'}]}}",
		"$.rules.list[0].classbench: names a file"},
	{"{'actions': {'new': {'verdict': 'drop'}}, 'rules': {}}",
		"$.actions.new: is an action that the running appliance does not have"},
	{"{'actions': {'default': {'verdict': 'drop'}}, 'rules': {}}",
		"$.actions.default: is an action that"},
	{"{'actions': {'deny': {'verdict': 'drop', 'count': true}}, 'rules': {}}",
		"$.actions.deny: differs from the action of that name"},
	{"{'actions': {'deny': {'verdict': 'dorp'}}, 'rules': {}}", "$.actions.deny.verdict: is \"dorp\""},
	{"{'actions': [], 'rules': {}}", "$.actions: is an array; an object of actions"},
	{"{'rules': {'default': 'web'}}", "$.rules.default: is \"web\"; the default is fixed at the start: "
					  "\"deny\", or none, expected"},
	{"{'rules': {'classifier': 'acl'}}",
		"$.rules.classifier: is \"acl\"; the classifier is fixed at the start: \"linear\", or none, "
		"expected"},
	{"{'ports': [], 'rules': {}}", "$.ports: is no key of a rule file"},
};

static void
refuse_file(struct running *r, const char *text, const char *says)
{
	char json[512];
	char *params;
	json_t *object;

	snprintf(json, sizeof(json), "%s", text);
	for (char *c = json; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	object = json_pack("{s:s, s:s}", "name", "f", "text", json);
	params = json_dumps(object, 0);
	running_refuses(r, spx_method_rule_load, params, -EINVAL, says);
	free(params);
	json_decref(object);
}

Test(methods_rule, mistakes_change_nothing)
{
	struct running r;
	char *before, *after;
	uint64_t generation;

	running_start(&r);
	generation = atomic_load(&r.app->generation);
	before = shown(&r);
	running_refuses_all(&r, mistakes, RTE_DIM(mistakes));
	for (size_t i = 0; i < RTE_DIM(files); i++)
		refuse_file(&r, files[i].text, files[i].says);
	after = shown(&r);
	cr_expect_str_eq(after, before);
	cr_expect_eq(atomic_load(&r.app->generation), generation);
	free(before);
	free(after);
	running_end(&r);
}
