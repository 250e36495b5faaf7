/* show.routes and route.find: what the route table holds; see methods.h. Both wait for its lock, which a
 * change holds while it waits for the workers. */
#include <errno.h>
#include <string.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"
#include "app/sphex/setup_json.h"

#define COUNT_MAX     10000
#define COUNT_DEFAULT 1000

static json_t *
paths(const struct spx_setup *setup, const struct spx_route *route)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < route->n_paths; i++) {
		const struct spx_path *path = &route->path[i];
		json_t *o = json_pack("{s:s}", "kind", spx_next_hop_kind_name(path->kind));
		char gateway[SPX_ROUTE_TEXT];

		if (path->kind == SPX_NEXT_HOP_KIND_gateway)
			json_object_set_new(o, "gateway",
				json_string(
					spx_route_format(route->family, path->gateway, UINT8_MAX, gateway)));
		if (path->port != SPX_NO_PORT)
			json_object_set_new(o, "port", json_string(setup->port[path->port].name));
		if (route->n_paths > 1)
			json_object_set_new(o, "weight", json_integer(path->weight));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *
prefix_json(const struct spx_route *route)
{
	char prefix[SPX_ROUTE_TEXT];

	return json_string(spx_route_format(route->family, route->address, route->length, prefix));
}

static json_t *
describe(const struct spx_setup *setup, const struct spx_route *route)
{
	return json_pack("{s:o, s:s, s:o, s:o}", "prefix", prefix_json(route), "origin",
		route->origin == SPX_ORIGIN_ADDRESS ? "address" : "static", "route",
		spx_route_json(setup, route), "paths", paths(setup, route));
}

/* ---- show.routes --------------------------------------------------------------------------------------- */

struct page {
	struct spx_route from; /* prefix to begin with */
	uint32_t count;
	const struct spx_setup *setup;
	json_t *list, *next;
};

static int
read_from(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_route *from = into;
	struct spx_address prefix;
	int rc = spx_read_address(at, SPX_NO_PORT, &prefix);

	(void)field;
	if (rc != 0)
		return rc;
	from->family = prefix.family;
	from->length = prefix.length;
	memcpy(from->address, prefix.address, sizeof(from->address));
	return 0;
}

/* The order of a walk: family, address, length. */
static bool
before(const struct spx_route *a, const struct spx_route *b)
{
	int order = a->family - b->family;

	if (order == 0)
		order = memcmp(a->address, b->address, sizeof(a->address));
	return order != 0 ? order < 0 : a->length < b->length;
}

/* spx_route_visit. */
static bool
add_to_page(void *arg, const struct spx_route *route)
{
	struct page *page = arg;

	if (before(route, &page->from))
		return true;
	if (json_array_size(page->list) == page->count) {
		page->next = prefix_json(route);
		return false;
	}
	json_array_append_new(page->list, describe(page->setup, route));
	return true;
}

static json_t *
show(const struct spx_appliance *app, struct page *page)
{
	struct spx_route_stats stats;

	page->list = json_array();
	spx_route_table_walk(app->routes, add_to_page, page);
	spx_route_table_stats(app->routes, &stats);
	return json_pack("{s:o, s:{s:o, s:o}, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o}", "generation",
		spx_report_number(atomic_load(&app->generation)), "routes", "ipv4",
		spx_report_number(stats.routes[SPX_ROUTE_IPV4]), "ipv6",
		spx_report_number(stats.routes[SPX_ROUTE_IPV6]), "bytes", "ipv4",
		spx_report_number(stats.bytes[SPX_ROUTE_IPV4]), "ipv6",
		spx_report_number(stats.bytes[SPX_ROUTE_IPV6]), "next_hops",
		spx_report_number(stats.next_hops), "groups", spx_report_number(stats.groups), "batches",
		spx_report_number(stats.batches), "list", page->list, "next",
		page->next == NULL ? json_null() : page->next);
}

int
spx_method_show_routes(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {
		{"from", read_from, offsetof(struct page, from)},
		{"count", spx_read_u32, offsetof(struct page, count), .min = 1, .max = COUNT_MAX},
	};
	static const struct spx_keys keys = SPX_KEYS("show.routes", fields);
	struct page page = {.count = COUNT_DEFAULT, .setup = call->app->setup};
	int r = spx_call_read(call, &keys, &page);

	if (r == 0 && (r = spx_call_needs_routing(call)) != 0)
		spx_call_refuse(call, r);
	return r != 0 ? r : spx_call_give(call, show(call->app, &page), result);
}

/* ---- route.find ---------------------------------------------------------------------------------------- */

static int
read_target(const struct spx_place *at, const struct spx_field *field, void *into)
{
	struct spx_address *address = into;
	int rc = spx_read_address(at, SPX_NO_PORT, address);

	(void)field;
	if (rc == 0 && address->length != (address->family == SPX_ROUTE_IPV4 ? 32 : 128))
		return spx_unexpected(at, "an address without length expected");
	return rc;
}

int
spx_method_route_find(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {{"address", read_target, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("route.find", fields);
	struct spx_address address;
	struct spx_route route;
	bool found;
	int r = spx_call_read(call, &keys, &address);

	if (r == 0 && (r = spx_call_needs_routing(call)) != 0)
		spx_call_refuse(call, r);
	if (r != 0)
		return r;
	found = spx_route_table_find(call->app->routes, address.family, address.address, &route);
	return spx_call_give(call,
		json_pack("{s:o}", "route", found ? describe(call->app->setup, &route) : json_null()),
		result);
}
