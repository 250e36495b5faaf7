/* route.*: routes changed while packets go by, through the route table (lib/route/route.h); see methods.h.
 *
 * Static routes only: those of addresses come and go with these. The address lock is held from the look at
 * what is there to the change, so that nobody changes it between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/methods.h"
#include "app/sphex/report_internal.h"
#include "app/sphex/setup_json.h"

static bool
same_prefix(const struct spx_route *a, const struct spx_route *b)
{
	return a->family == b->family && a->length == b->length &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* The own address that asks for a route to this prefix, or NULL. Under the address lock. */
static const struct spx_address *
owner(const struct spx_appliance *app, const struct spx_route *route)
{
	for (size_t i = 0; i < app->latest.addresses.n; i++) {
		const struct spx_address *address = &app->latest.addresses.address[i];
		struct spx_address_list list = {0};
		struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX];
		size_t n = 0, k = 0;

		if (spx_address_add(&list, address, SPX_ORIGIN_ADDRESS, change, &n, NULL) != 0)
			n = 0;
		spx_address_list_free(&list);
		while (k < n && !same_prefix(&change[k].route, route))
			k++;
		if (k < n)
			return address;
	}
	return NULL;
}

/* Makes the changes as one, unless one of them is at a route that an address has. Under the address lock. */
static int
change(struct spx_call *call, const struct spx_route_list *list)
{
	const struct spx_appliance *app = call->app;
	char prefix[SPX_ROUTE_TEXT], address[SPX_ROUTE_TEXT];

	for (size_t i = 0; i < list->n; i++) {
		const struct spx_route *route = &list->change[i].route;
		const struct spx_address *own = owner(app, route);

		if (own != NULL)
			return spx_error(call->err, -EPERM,
				"the route to %s belongs to the address %s of port %s: delete that, or give "
				"another prefix",
				spx_route_format(route->family, route->address, route->length, prefix),
				spx_route_format(own->family, own->address, own->length, address),
				app->setup->port[own->port].name);
	}
	return list->n == 0 ? 0 : spx_route_table_change(app->routes, list->change, list->n, call->err);
}

static int
change_locked(struct spx_call *call, const struct spx_route_list *list)
{
	int r;

	pthread_mutex_lock(&call->app->address_lock);
	r = change(call, list);
	pthread_mutex_unlock(&call->app->address_lock);
	return r;
}

static json_t *
changed(const struct spx_call *call, const struct spx_route *route)
{
	return json_pack("{s:o, s:o}", "route", spx_route_json(call->app->setup, route), "generation",
		spx_report_number(atomic_load(&call->app->generation)));
}

static json_t *
deleted(const struct spx_call *call, const struct spx_route *route)
{
	char prefix[SPX_ROUTE_TEXT];

	return json_pack("{s:s, s:o}", "prefix",
		spx_route_format(route->family, route->address, route->length, prefix), "generation",
		spx_report_number(atomic_load(&call->app->generation)));
}

/* ---- route.add, route.replace, route.delete ------------------------------------------------------------ */

static int
read_add(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	return spx_read_route(at, SPX_ROUTE_ADD, into);
}

static int
read_replace(const struct spx_place *at, const struct spx_field *field, void *into)
{
	(void)field;
	return spx_read_route(at, SPX_ROUTE_REPLACE, into);
}

/* A prefix alone is enough: what comes behind it is read and not looked at. */
static int
read_delete(const struct spx_place *at, const struct spx_field *field, void *into)
{
	const char *text = json_string_value(at->value);
	struct spx_place whole = *at;
	int rc;

	(void)field;
	if (text == NULL || strpbrk(text, " \t") != NULL)
		return spx_read_route(at, SPX_ROUTE_DELETE, into);
	whole.value = json_sprintf("%s blackhole", text);
	if (whole.value == NULL)
		return spx_no_memory(at);
	rc = spx_read_route(&whole, SPX_ROUTE_DELETE, into);
	json_decref(whole.value);
	return rc;
}

static int
change_one(struct spx_call *call, const struct spx_keys *keys,
	json_t *(*shown)(const struct spx_call *, const struct spx_route *), json_t **result)
{
	struct spx_route_list list = {0};
	int r = spx_call_read(call, keys, &list);

	if (r == 0 && ((r = spx_call_needs_routing(call)) != 0 || (r = change_locked(call, &list)) != 0))
		spx_call_refuse(call, r);
	if (r == 0)
		r = spx_call_give(call, shown(call, &list.change[0].route), result);
	spx_route_list_free(&list);
	return r;
}

int
spx_method_route_add(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {{"route", read_add, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("route.add", fields);

	return change_one(call, &keys, changed, result);
}

int
spx_method_route_replace(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {{"route", read_replace, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("route.replace", fields);

	return change_one(call, &keys, changed, result);
}

int
spx_method_route_delete(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {{"route", read_delete, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("route.delete", fields);

	return change_one(call, &keys, deleted, result);
}

/* ---- route.load ---------------------------------------------------------------------------------------- */

struct load {
	struct spx_call_file file;
	bool replace;
};

static int
by_prefix(const void *a, const void *b)
{
	const struct spx_route *x = &((const struct spx_route_change *)a)->route;
	const struct spx_route *y = &((const struct spx_route_change *)b)->route;
	int order = x->family - y->family;

	if (order == 0)
		order = memcmp(x->address, y->address, sizeof(x->address));
	return order != 0 ? order : x->length - y->length;
}

/* The file's routes are sorted, and no prefix is there twice: each takes the place of what was there, and
 * what is left of the old ones goes. */
static int
check_twice(struct spx_call *call, const struct spx_route_list *list)
{
	char prefix[SPX_ROUTE_TEXT];

	qsort(list->change, list->n, sizeof(list->change[0]), by_prefix);
	for (size_t i = 1; i < list->n; i++) {
		const struct spx_route *route = &list->change[i].route;

		if (same_prefix(&list->change[i - 1].route, route))
			return spx_error(call->err, -EEXIST, "two routes to %s: one for each prefix expected",
				spx_route_format(route->family, route->address, route->length, prefix));
	}
	return 0;
}

struct old_routes {
	struct spx_route_list *list;
	size_t n; /* of the new ones, sorted, in its beginning */
	int failed;
};

/* spx_route_visit. */
static bool
delete_if_old(void *arg, const struct spx_route *route)
{
	struct old_routes *old = arg;
	const struct spx_route_change gone = {.operation = SPX_ROUTE_DELETE, .route = *route};

	if (route->origin == SPX_ORIGIN_STATIC &&
		bsearch(&gone, old->list->change, old->n, sizeof(gone), by_prefix) == NULL)
		old->failed = spx_route_list_add(old->list, &gone);
	return old->failed == 0;
}

static int
load_routes(struct spx_call *call, struct spx_route_list *list, bool replace)
{
	struct old_routes old = {.list = list, .n = list->n};
	int r = replace ? check_twice(call, list) : 0;

	if (r == 0 && replace) {
		spx_route_table_walk(call->app->routes, delete_if_old, &old);
		r = old.failed == 0 ? 0 : spx_error(call->err, old.failed, "out of memory");
	}
	return r == 0 ? change(call, list) : r;
}

static int
load_locked(struct spx_call *call, struct spx_route_list *list, bool replace)
{
	int r;

	pthread_mutex_lock(&call->app->address_lock);
	r = load_routes(call, list, replace);
	pthread_mutex_unlock(&call->app->address_lock);
	return r;
}

int
spx_method_route_load(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {
		{"name", spx_call_read_name, offsetof(struct load, file.name)},
		{"text", spx_call_read_string, offsetof(struct load, file.text), .required = true},
		{"replace", spx_read_bool, offsetof(struct load, replace)},
	};
	static const struct spx_keys keys = SPX_KEYS("route.load", fields);
	struct load load = {.file.name = NULL};
	struct spx_route_list list = {0};
	size_t n = 0;
	int r = spx_call_read(call, &keys, &load);

	if (r == 0) {
		r = spx_setup_parse_routes(call->app->setup,
			load.file.name == NULL ? "routes" : load.file.name, json_string_value(load.file.text),
			json_string_length(load.file.text), load.replace ? SPX_ROUTE_REPLACE : SPX_ROUTE_ADD,
			&list, call->err);
		n = list.n;
		if (r != 0 || (r = spx_call_needs_routing(call)) != 0 ||
			(r = load_locked(call, &list, load.replace)) != 0)
			spx_call_refuse(call, r);
	}
	if (r == 0)
		r = spx_call_give(call,
			json_pack("{s:o, s:o, s:o}", "routes", spx_report_number(n), "deleted",
				spx_report_number(list.n - n), "generation",
				spx_report_number(atomic_load(&call->app->generation))),
			result);
	spx_route_list_free(&list);
	free(load.file.name);
	return r;
}
