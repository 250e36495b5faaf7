/* show.flows, show.rules, show.config of a running appliance. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "test/unit/methods_running.h"

TestSuite(methods_tables, .timeout = 60);

/* ---- show.flows ------------------------------------------------------------------------------------ */

static void
check_flow(const json_t *flow)
{
	bool v6 = strcmp(running_word(flow, "family"), "ipv6") == 0,
	     web = running_number(flow, "dport") == 53;

	cr_expect_eq(json_object_size(flow), 12);
	if (v6) {
		cr_expect_str_eq(running_word(flow, "src"), "2001:db8::1");
		cr_expect_str_eq(running_word(flow, "dst"), "2001:db8::2");
	} else {
		cr_expect_eq(strncmp(running_word(flow, "src"), "10.0.0.", 7), 0);
		cr_expect_str_eq(running_word(flow, "dst"), "198.51.100.2");
	}
	cr_expect_str_eq(running_word(flow, "proto"), "udp");
	cr_expect_eq(running_number(flow, "sport"), 0x1234);
	cr_expect(web || running_number(flow, "dport") == 80);
	cr_expect_eq(running_number(flow, "vlan"), 0);
	cr_expect_str_eq(running_word(flow, "port"), "in");
	cr_expect_str_eq(running_word(flow, "action"), web ? "web" : "other");
	cr_expect(running_number(flow, "packets") > 0 &&
		  running_number(flow, "bytes") > 0); /* of two moments */
	cr_expect_lt(json_real_value(json_object_get(flow, "idle_seconds")), 30);
}

static void
check_flows(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_flows, NULL),
	       *flows = json_object_get(result, "flows");
	json_int_t least = INT64_MAX;

	cr_assert_eq(json_array_size(flows), 2 * TRACE_FLOWS + 1);
	cr_expect_gt(json_real_value(json_object_get(result, "seconds")), 0);
	for (size_t i = 0; i < json_array_size(flows); i++) {
		const json_t *flow = json_array_get(flows, i);

		check_flow(flow);
		cr_expect_leq(running_number(flow, "bytes"), least, "most bytes first");
		least = running_number(flow, "bytes");
	}
	json_decref(result);
	result = running_call(r, spx_method_show_flows, "{\"count\": 2}");
	cr_expect_eq(json_array_size(json_object_get(result, "flows")), 2);
	json_decref(result);
	running_refuses(r, spx_method_show_flows, "{\"count\": 1001}", -EINVAL,
		"count: is 1001; an integer from 1 to 1000 expected");
	running_refuses(r, spx_method_show_flows, "{\"n\": 1}", -EINVAL, "n: is no key of show.flows");
}

/* ---- show.rules ------------------------------------------------------------------------------------ */

static void
check_rules(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_rules, NULL);
	char *list = json_dumps(json_object_get(result, "list"), 0);

	cr_expect_eq(json_object_size(result), 9);
	cr_expect_eq(running_number(result, "generation"), (json_int_t)atomic_load(&r->app->generation));
	cr_expect_eq(running_number(result, "rules"), 3);
	cr_expect_str_eq(running_word(result, "classifier"), "linear");
	cr_expect_str_eq(running_word(json_object_get(result, "default"), "action"), "deny");
	cr_expect_eq(running_number(result, "overlay"), 0);
	cr_expect_eq(running_number(result, "masked"), 0);
	cr_expect(json_is_null(json_object_get(result, "next")));
	cr_expect_str_eq(list,
		"[{\"order\": 16, \"match\": {\"dport\": 53}, \"action\": \"web\"}, "
		"{\"order\": 32, \"match\": {\"ethertype\": \"0x0806\"}, \"action\": \"look\"}, "
		"{\"order\": 48, \"match\": {\"proto\": \"udp\", \"dport\": 80}, \"action\": "
		"\"other\"}]");
	free(list);
	json_decref(result);
	running_refuses(r, spx_method_show_rules, "{\"from\": 0}", -EINVAL, "from: is 0; an integer from 1");
	running_refuses(
		r, spx_method_show_rules, "{\"count\": 0}", -EINVAL, "count: is 0; an integer from 1");
}

/* Orders page by page, `count` at once. */
static void
check_pages(struct running *r, unsigned count)
{
	static const json_int_t expected[] = {16, 32, 48};
	json_int_t from = 1;
	size_t seen = 0;

	while (from > 0) {
		char params[64];
		json_t *result, *list;

		snprintf(params, sizeof(params), "{\"from\": %lld, \"count\": %u}", from, count);
		result = running_call(r, spx_method_show_rules, params);
		list = json_object_get(result, "list");
		cr_assert_leq(json_array_size(list), count);
		for (size_t i = 0; i < json_array_size(list); i++)
			cr_assert_eq(running_number(json_array_get(list, i), "order"), expected[seen++]);
		from = json_integer_value(json_object_get(result, "next"));
		json_decref(result);
	}
	cr_expect_eq(seen, RTE_DIM(expected));
}

static void
check_change(struct running *r)
{
	json_t *result;

	json_decref(running_call(r, spx_method_rule_add,
		"{\"rule\": {\"order\": 17, \"match\": {\"vlan\": 1}, \"action\": \"deny\"}}"));
	result = running_call(r, spx_method_show_rules, "{\"from\": 17, \"count\": 1}");
	cr_expect_eq(running_number(result, "rules"), 4);
	cr_expect_eq(running_number(result, "next"), 32);
	cr_expect_eq(running_number(result, "overlay") + running_number(result, "compiles"), 1);
	cr_expect_eq(running_number(json_array_get(json_object_get(result, "list"), 0), "order"), 17);
	json_decref(result);
}

/* ---- show.config ----------------------------------------------------------------------------------- */

static void
check_config(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_config, NULL), *list;
	char *text = json_dumps(result, 0);
	struct spx_error err = {""};
	struct spx_setup again;

	cr_assert_eq(spx_setup_init(&again), 0);
	cr_assert_eq(
		spx_setup_parse(&again, "config", text, strlen(text), &err), 0, "%s: %s", err.text, text);
	cr_expect_eq(again.rules.n, 4, "the one that was added is there");
	cr_expect(again.rules.rule[1].order == 17 && again.rules.rule[1].match.vlan == 1);
	cr_expect_eq(again.hash_seed, 1);
	cr_expect_eq(again.n_actions, r->setup.n_actions);
	list = json_object_get(json_object_get(result, "rules"), "list");
	cr_expect_eq(json_array_size(list), 4);
	spx_setup_free(&again);
	free(text);
	json_decref(result);
	running_refuses(r, spx_method_show_config, "{\"x\": 1}", -EINVAL, "takes no parameters");
}

static void
check_config_of_readers(struct running *r)
{
	struct spx_error err = {""};
	struct spx_call call = {.app = r->app, .method = "m", .fd = -1, .role = SPX_ROLE_READER, .err = &err};
	json_t *result;

	cr_assert_eq(spx_method_show_config(&call, &result), 0, "%s", err.text);
	cr_expect_null(json_object_get(result, "hash_seed"), "it is a secret");
	cr_expect_not_null(json_object_get(result, "seconds"));
	json_decref(result);
}

Test(methods_tables, flows_rules_config)
{
	struct running r;

	running_start(&r);
	check_flows(&r);
	check_rules(&r);
	for (unsigned count = 1; count <= 4; count++)
		check_pages(&r, count);
	check_change(&r);
	check_config(&r);
	check_config_of_readers(&r);
	running_end(&r);
}
