/* route.* and show.routes of an appliance that runs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/methods_running.h"

static json_t *
find(struct running *r, const char *address)
{
	char params[128];

	snprintf(params, sizeof(params), "{\"address\": \"%s\"}", address);
	return running_call(r, spx_method_route_find, params);
}

/* The line of the route that is taken to the address; "" without one. */
static void
expect_way(struct running *r, const char *address, const char *expected)
{
	json_t *result = find(r, address);
	const char *line = json_string_value(json_object_get(json_object_get(result, "route"), "route"));

	cr_expect_str_eq(line == NULL ? "" : line, expected, "to %s", address);
	json_decref(result);
}

static void
done(json_t *result)
{
	json_decref(result);
}

Test(methods_route, add_replace_delete)
{
	struct running r;
	json_t *result;

	running_start_routing(&r);
	expect_way(&r, "172.16.1.1", "172.16.0.0/12 via 192.0.2.2 dev left");
	expect_way(&r, "192.0.2.1", "192.0.2.1/32 local dev left");
	expect_way(&r, "192.0.2.77", "192.0.2.0/24 dev left");
	expect_way(&r, "10.1.1.1", "");
	done(running_call(&r, spx_method_route_add, "{\"route\": \"10.0.0.0/8 via 192.0.2.2\"}"));
	expect_way(&r, "10.1.1.1", "10.0.0.0/8 via 192.0.2.2 dev left");
	done(running_call(&r, spx_method_route_replace,
		"{\"route\": \"10.0.0.0/8 nexthop via 192.0.2.3 nexthop dev right weight 3\"}"));
	expect_way(&r, "10.1.1.1",
		"10.0.0.0/8 nexthop via 192.0.2.3 dev left weight 1 nexthop dev right weight 3");
	result = running_call(&r, spx_method_route_delete, "{\"route\": \"10.0.0.0/8\"}");
	cr_expect_str_eq(json_string_value(json_object_get(result, "prefix")), "10.0.0.0/8");
	done(result);
	expect_way(&r, "10.1.1.1", "");
	done(running_call(&r, spx_method_route_delete, "{\"route\": \"172.16.0.0/12 via 192.0.2.2\"}"));
	expect_way(&r, "172.16.1.1", "");
	running_end(&r);
}

/* ---- mistakes ------------------------------------------------------------------------------------------ */

static const struct running_mistake mistakes[] = {
	{spx_method_route_add, "{}", -EINVAL, "\"route\" is missing"},
	{spx_method_route_add, "{\"route\": 1}", -EINVAL, "route: is 1; one route expected"},
	{spx_method_route_add, "{\"route\": \"10.0.0.0/8 vja 192.0.2.2\"}", -EINVAL, "route:1:12: \"vja\""},
	{spx_method_route_add, "{\"route\": \"10.0.0.0/8 dev in\"}", -EINVAL, "a replay port never sends"},
	{spx_method_route_add, "{\"route\": \"172.16.0.0/12 via 192.0.2.9\"}", -EEXIST, "172.16.0.0/12"},
	{spx_method_route_add, "{\"route\": \"10.0.0.0/8 via 203.0.113.1\"}", -ENETUNREACH, "203.0.113.1"},
	{spx_method_route_add, "{\"route\": \"192.0.2.0/24 via 192.0.2.2\"}", -EPERM,
		"belongs to the address 192.0.2.1/24 of port left"},
	{spx_method_route_delete, "{\"route\": \"192.0.2.1/32\"}", -EPERM, "delete that"},
	{spx_method_route_delete, "{\"route\": \"10.0.0.0/8\"}", -ENOENT, "10.0.0.0/8"},
	{spx_method_route_delete, "{\"route\": \"10.0.0.1/8\"}", -EINVAL, "write 10.0.0.0/8"},
	{spx_method_route_find, "{\"address\": \"10.0.0.0/8\"}", -EINVAL,
		"an address without length expected"},
	{spx_method_route_load, "{\"text\": \"10.0.0.0/8 blackhole\\n10.1.0.0/16 via\\n\", \"name\": \"f\"}",
		-EINVAL, "f:2:16: \"\" is no address"},
	{spx_method_route_load, "{\"text\": \"10.0.0.0/8 blackhole\\n172.16.0.0/12 blackhole\"}", -EEXIST,
		"172.16.0.0/12"},
	{spx_method_route_load,
		"{\"text\": \"10.0.0.0/8 blackhole\\n10.0.0.0/8 blackhole\", \"replace\": true}", -EEXIST,
		"two routes to 10.0.0.0/8"},
	{spx_method_show_routes, "{\"from\": \"x\"}", -EINVAL, "is no address"},
	{spx_method_show_routes, "{\"count\": 10001}", -EINVAL, "from 1 to 10000"},
};

/* All routes, as text; freed by the caller. */
static char *
shown(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_routes, NULL);
	char *text = json_dumps(json_object_get(result, "list"), 0);

	json_decref(result);
	return text;
}

Test(methods_route, mistakes_change_nothing)
{
	struct running r;
	char *before, *after;

	running_start_routing(&r);
	before = shown(&r);
	running_refuses_all(&r, mistakes, RTE_DIM(mistakes));
	after = shown(&r);
	cr_expect_str_eq(after, before);
	free(before);
	free(after);
	running_end(&r);
}

Test(methods_route, without_routing)
{
	static const char says[] = "an address, a route or an action with the verdict \"route\"";
	struct running r;

	running_start(&r);
	running_refuses(&r, spx_method_route_add, "{\"route\": \"10.0.0.0/8 blackhole\"}", -EOPNOTSUPP, says);
	running_refuses(&r, spx_method_route_load, "{\"text\": \"\"}", -EOPNOTSUPP, says);
	running_refuses(&r, spx_method_route_find, "{\"address\": \"10.0.0.1\"}", -EOPNOTSUPP, says);
	running_refuses(&r, spx_method_show_routes, NULL, -EOPNOTSUPP, says);
	running_refuses(&r, spx_method_show_addresses, NULL, -EOPNOTSUPP, says);
	running_refuses(&r, spx_method_show_neighbours, NULL, -EOPNOTSUPP, says);
	running_refuses(&r, spx_method_address_add, "{\"port\": \"left\", \"address\": \"192.0.2.1/24\"}",
		-EOPNOTSUPP, says);
	running_end(&r);
}

/* ---- many ---------------------------------------------------------------------------------------------- */

#define MANY 100000u

/* Parameters of route.load with n routes 20.0.0.0/24 and up, by the gateway; freed by the caller. */
static char *
many(unsigned n, unsigned gateway, const char *last, bool replace)
{
	char *text = malloc((size_t)n * 40 + 64), *params;
	size_t used = 0;
	json_t *o;

	text[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		used += (size_t)sprintf(text + used, "%u.%u.%u.0/24 via 192.0.2.%u\n", 20 + (i >> 16),
			i >> 8 & 255, i & 255, gateway);
	strcpy(text + used, last);
	o = json_pack("{s:s, s:b}", "text", text, "replace", replace);
	params = json_dumps(o, 0);
	json_decref(o);
	free(text);
	return params;
}

static void
load_many(struct running *r, unsigned n, unsigned gateway, bool replace, json_int_t deleted)
{
	char *params = many(n, gateway, "", replace);
	uint64_t begun = spx_now_ns();
	json_t *result = running_call(r, spx_method_route_load, params);
	double seconds = (double)(spx_now_ns() - begun) / 1e9;

	fprintf(stderr, "# %u routes in %.2f s\n", n, seconds);
	cr_expect_lt(seconds, 5.0);
	cr_expect_eq(json_integer_value(json_object_get(result, "routes")), n);
	cr_expect_eq(json_integer_value(json_object_get(result, "deleted")), deleted);
	json_decref(result);
	free(params);
}

/* The routes of show.routes, page by page; their number, addresses' among them. */
static size_t
count_pages(struct running *r)
{
	json_t *next = json_string("0.0.0.0/0"), *page;
	size_t n = 0;

	while (json_is_string(next)) {
		char params[128];

		snprintf(params, sizeof(params), "{\"from\": \"%s\", \"count\": 10000}",
			json_string_value(next));
		page = running_call(r, spx_method_show_routes, params);
		n += json_array_size(json_object_get(page, "list"));
		json_decref(next);
		next = json_incref(json_object_get(page, "next"));
		json_decref(page);
	}
	json_decref(next);
	return n;
}

Test(methods_route, many_at_once, .timeout = 120)
{
	struct running r;
	uint64_t generation;
	char *params;

	running_start_routing(&r);
	generation = atomic_load(&r.app->generation);
	load_many(&r, MANY, 2, false, 0);
	cr_expect_eq(atomic_load(&r.app->generation), generation + 1, "one batch");
	expect_way(&r, "20.0.7.1", "20.0.7.0/24 via 192.0.2.2 dev left");
	cr_expect_eq(count_pages(&r), MANY + 1 + 4, "and those of the address and the start");

	params = many(10, 3, "192.0.2.0/24 blackhole\n", true);
	running_refuses(&r, spx_method_route_load, params, -EPERM, "belongs to the address");
	free(params);
	expect_way(&r, "20.0.7.1", "20.0.7.0/24 via 192.0.2.2 dev left");

	load_many(&r, MANY / 2, 3, true, MANY / 2 + 1);
	cr_expect_eq(atomic_load(&r.app->generation), generation + 2);
	expect_way(&r, "20.0.7.1", "20.0.7.0/24 via 192.0.2.3 dev left");
	expect_way(&r, "172.16.1.1", "");
	expect_way(&r, "192.0.2.1", "192.0.2.1/32 local dev left");
	cr_expect_eq(count_pages(&r), MANY / 2 + 4);
	running_end(&r);
}

/* ---- show.config --------------------------------------------------------------------------------------- */

Test(methods_route, the_configuration_has_what_is_now)
{
	static const char *const expected[] = {"\"routes\": [\"10.0.0.0/8 via 192.0.2.2 dev left\"]",
		"\"addresses\": [\"192.0.2.1/24\", \"198.51.100.1/24\"]", "\"rate_kbps\": 77"};
	struct running r;
	struct spx_setup again;
	struct spx_error err;
	json_t *result;
	char *text;

	running_start_routing(&r);
	done(running_call(
		&r, spx_method_route_load, "{\"text\": \"10.0.0.0/8 via 192.0.2.2\", \"replace\": true}"));
	done(running_call(
		&r, spx_method_address_add, "{\"port\": \"left\", \"address\": \"198.51.100.1/24\"}"));
	done(running_call(&r, spx_method_queue_set, "{\"port\": \"left\", \"rate_kbps\": 77}"));
	result = running_call(&r, spx_method_show_config, NULL);
	text = json_dumps(result, 0);
	for (size_t i = 0; i < RTE_DIM(expected); i++)
		cr_expect_not_null(strstr(text, expected[i]), "%s is not in %s", expected[i], text);
	cr_assert_eq(spx_setup_init(&again), 0);
	cr_expect_eq(spx_setup_parse(&again, "text", text, strlen(text), &err), 0, "%s", err.text);
	spx_setup_free(&again);
	free(text);
	json_decref(result);
	running_end(&r);
}
