/* spxctl: counters of an interval. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "app/spxctl/rates.h"
#include "app/spxctl/since.h"

static void
check_since(const char *now, const char *then, const char *expected)
{
	json_t *a = json_loads(now, 0, NULL), *b = json_loads(then, JSON_DECODE_ANY, NULL);
	json_t *wanted = json_loads(expected, 0, NULL);
	char *text;

	cr_assert(a != NULL && wanted != NULL, "the test's own JSON");
	spx_since(a, b);
	text = json_dumps(a, JSON_COMPACT);
	cr_assert(json_equal(a, wanted), "%s, expected %s", text, expected);
	free(text);
	json_decref(a);
	json_decref(b);
	json_decref(wanted);
}

Test(ctl_since, ports)
{
	check_since("{\"seconds\":5.5,\"ports\":[{\"name\":\"in\",\"link\":\"up\",\"rx_packets\":10}]}",
		"{\"seconds\":1.5,\"ports\":[{\"name\":\"in\",\"link\":\"down\",\"rx_packets\":4}]}",
		"{\"seconds\":4.0,\"ports\":[{\"name\":\"in\",\"link\":\"up\",\"rx_packets\":6}]}");
}

/* By name, not by place: a later version may have more, in another order. */
Test(ctl_since, other_order)
{
	check_since("{\"drops\":[{\"reason\":\"a\",\"packets\":5},{\"reason\":\"new\",\"packets\":3},"
		    "{\"reason\":\"b\",\"packets\":9}],\"packets\":{\"received\":20}}",
		"{\"drops\":[{\"reason\":\"b\",\"packets\":2},{\"reason\":\"a\",\"packets\":1}],"
		"\"packets\":{\"received\":8}}",
		"{\"drops\":[{\"reason\":\"a\",\"packets\":4},{\"reason\":\"new\",\"packets\":3},"
		"{\"reason\":\"b\",\"packets\":7}],\"packets\":{\"received\":12}}");
}

Test(ctl_since, workers_keep_their_ids)
{
	check_since("{\"workers\":[{\"id\":0,\"polls\":9},{\"id\":1,\"polls\":7}]}",
		"{\"workers\":[{\"id\":0,\"polls\":1},{\"id\":1,\"polls\":2}]}",
		"{\"workers\":[{\"id\":0,\"polls\":8},{\"id\":1,\"polls\":5}]}");
}

Test(ctl_since, cache)
{
	check_since("{\"cache\":{\"mode\":\"layered\",\"exact\":{\"hits\":30,\"misses\":20,\"hit_ratio\":0.6,"
		    "\"resident\":5,\"entries\":64,\"bytes\":4096,\"ipv4\":{\"resident\":5}},"
		    "\"approximate\":{\"hits\":4,\"flows\":7,\"bytes\":512,\"p\":0.001},"
		    "\"ended\":{\"evicted\":{\"flows\":3,\"packets\":9,\"bytes\":540}}}}",
		"{\"cache\":{\"mode\":\"layered\",\"exact\":{\"hits\":20,\"misses\":20,\"hit_ratio\":0.5,"
		"\"resident\":4,\"entries\":64,\"bytes\":4096,\"ipv4\":{\"resident\":4}},"
		"\"approximate\":{\"hits\":1,\"flows\":6,\"bytes\":512,\"p\":0.001},"
		"\"ended\":{\"evicted\":{\"flows\":1,\"packets\":2,\"bytes\":120}}}}",
		"{\"cache\":{\"mode\":\"layered\",\"exact\":{\"hits\":10,\"misses\":0,\"hit_ratio\":1.0,"
		"\"resident\":5,\"entries\":64,\"bytes\":4096,\"ipv4\":{\"resident\":5}},"
		"\"approximate\":{\"hits\":3,\"flows\":7,\"bytes\":512,\"p\":0.001},"
		"\"ended\":{\"evicted\":{\"flows\":2,\"packets\":7,\"bytes\":420}}}}");
}

/* What was kept in a file may be anything by now. */
Test(ctl_since, nonsense)
{
	check_since("{\"ports\":[{\"name\":\"in\",\"rx\":5}]}", "{\"ports\":7}",
		"{\"ports\":[{\"name\":\"in\",\"rx\":5}]}");
	check_since("{\"a\":5,\"b\":[1,[2]],\"c\":{}}", "{\"a\":\"x\",\"b\":{},\"c\":[1]}",
		"{\"a\":5,\"b\":[1,[2]],\"c\":{}}");
	check_since("{\"a\":5}", "[1]", "{\"a\":5}");
	check_since("{\"a\":5}", "{\"a\":9}", "{\"a\":0}");
}

Test(ctl_since, flows)
{
	json_t *now = json_loads("{\"seconds\":3.0,\"flows\":["
				 "{\"src\":\"a\",\"sport\":1,\"dst\":\"b\",\"dport\":2,\"proto\":\"udp\","
				 "\"vlan\":0,\"port\":\"in\","
				 "\"packets\":9,\"bytes\":900},"
				 "{\"src\":\"a\",\"sport\":1,\"dst\":\"b\",\"dport\":2,\"proto\":\"udp\","
				 "\"vlan\":7,\"port\":\"in\","
				 "\"packets\":5,\"bytes\":500}, 7]}",
		0, NULL);
	json_t *then = json_loads("{\"seconds\":1.0,\"flows\":["
				  "{\"src\":\"a\",\"sport\":1,\"dst\":\"b\",\"dport\":2,\"proto\":\"udp\","
				  "\"vlan\":0,\"port\":\"in\","
				  "\"packets\":4,\"bytes\":400}]}",
		0, NULL);
	json_t *flows = json_object_get(now, "flows");

	spx_rates_flows_since(now, then);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(flows, 0), "packets")), 5);
	cr_assert_eq(json_integer_value(json_object_get(json_array_get(flows, 0), "bytes")), 500);
	cr_assert_eq(
		json_integer_value(json_object_get(json_array_get(flows, 1), "packets")), 5, "another flow");
	cr_assert_eq(json_real_value(json_object_get(now, "seconds")), 2.0);
	json_decref(now);
	json_decref(then);
}
