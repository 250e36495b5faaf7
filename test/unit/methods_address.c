/* address.*, neighbour.*, show.addresses and show.neighbours of an appliance that runs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/methods_running.h"

static void
expect_addresses(struct running *r, const char *expected)
{
	json_t *result = running_call(r, spx_method_show_addresses, NULL);
	char *text = json_dumps(json_object_get(result, "addresses"), 0);

	cr_expect_str_eq(text, expected);
	free(text);
	json_decref(result);
}

Test(methods_address, add_delete)
{
	struct running r;

	running_start_routing(&r);
	expect_addresses(&r, "[{\"port\": \"left\", \"address\": \"192.0.2.1/24\"}]");
	json_decref(running_call(
		&r, spx_method_address_add, "{\"port\": \"right\", \"address\": \"2001:db8::1/64\"}"));
	expect_addresses(&r, "[{\"port\": \"left\", \"address\": \"192.0.2.1/24\"}, "
			     "{\"port\": \"right\", \"address\": \"2001:db8::1/64\"}]");
	running_refuses(&r, spx_method_address_add, "{\"port\": \"left\", \"address\": \"2001:db8::1/64\"}",
		-EEXIST, "is there already");
	running_refuses(&r, spx_method_address_add, "{\"port\": \"in\", \"address\": \"10.0.0.1/8\"}",
		-EINVAL, "never sends");
	running_refuses(&r, spx_method_address_add, "{\"port\": \"left\", \"address\": \"10.0.0/8\"}",
		-EINVAL, "is no address");
	running_refuses(&r, spx_method_address_add, "{\"port\": \"left\", \"address\": \"172.16.0.1/12\"}",
		-EEXIST, "there is a route to 172.16.0.0/12"); /* or it would go with the address */
	json_decref(running_call(
		&r, spx_method_address_add, "{\"port\": \"left\", \"address\": \"172.16.0.1/13\"}"));
	json_decref(running_call(
		&r, spx_method_address_delete, "{\"port\": \"left\", \"address\": \"172.16.0.1/13\"}"));
	running_refuses(&r, spx_method_address_delete, "{\"port\": \"left\", \"address\": \"192.0.2.1/16\"}",
		-ENOENT, "another prefix: give 192.0.2.1/24");
	json_decref(running_call(
		&r, spx_method_address_delete, "{\"port\": \"left\", \"address\": \"192.0.2.1/24\"}"));
	running_refuses(&r, spx_method_address_delete, "{\"port\": \"left\", \"address\": \"192.0.2.1/24\"}",
		-ENOENT, "no address of this node");
	running_refuses(&r, spx_method_address_delete,
		"{\"port\": \"left\", \"address\": \"2001:db8::1/64\"}", -ENOENT,
		"is an address of port right");
	expect_addresses(&r, "[{\"port\": \"right\", \"address\": \"2001:db8::1/64\"}]");
	running_end(&r);
}

/* All next hops but one are taken, so the routes of an address have no room. What was refused is nowhere: not
 * in the list, and not in what is in force. */
Test(methods_address, no_room)
{
	struct spx_route_list full = {0};
	struct spx_route_stats stats;
	struct running r;
	uint16_t right;

	running_start_routing(&r);
	for (right = 0; strcmp(r.setup.port[right].name, "right") != 0; right++)
		;
	spx_route_table_stats(r.app->routes, &stats);
	for (uint32_t i = 0; i < 4096 - 2 - 1 - stats.next_hops; i++) {
		struct spx_route_change c = {.operation = SPX_ROUTE_ADD,
			.route = {.length = 24, .n_paths = 1, .address = {11, i >> 8, i & 0xff}}};

		c.route.path[0] = (struct spx_path){.kind = SPX_NEXT_HOP_KIND_gateway,
			.port = right,
			.weight = 1,
			.gateway = {12, 0, i >> 8, i & 0xff}};
		cr_assert_eq(spx_route_list_add(&full, &c), 0);
	}
	cr_assert_eq(spx_route_table_change(r.app->routes, full.change, full.n, &r.err), 0, "%s", r.err.text);
	running_refuses(&r, spx_method_address_add, "{\"port\": \"right\", \"address\": \"10.7.0.1/24\"}",
		-ENOSPC, "next hops");
	expect_addresses(&r, "[{\"port\": \"left\", \"address\": \"192.0.2.1/24\"}]");
	cr_expect_eq(r.app->config->addresses.n, 1);
	cr_expect(!r.app->config->port[right].addressed);
	spx_route_list_free(&full);
	running_end(&r);
}

/* The slow path makes changes at its next turn: waits until the list is as expected. */
static void
wait_for_neighbours(struct running *r, const char *expected)
{
	for (unsigned i = 0; i < 100000; i++) {
		json_t *result = running_call(r, spx_method_show_neighbours, NULL);
		char *text = json_dumps(json_object_get(result, "neighbours"), 0);
		bool same = strcmp(text, expected) == 0;

		free(text);
		json_decref(result);
		if (same)
			return;
		sched_yield();
	}
	cr_expect_fail("the neighbours did not become %s", expected);
}

Test(methods_address, neighbours)
{
	static const char first[] = "[{\"address\": \"192.0.2.2\", \"port\": \"left\", \"mac\": "
				    "\"02:00:00:00:00:02\", \"state\": \"permanent\"}]";
	struct running r;

	running_start_routing(&r);
	wait_for_neighbours(&r, first);
	json_decref(running_call(
		&r, spx_method_neighbour_delete, "{\"address\": \"192.0.2.2\", \"port\": \"left\"}"));
	wait_for_neighbours(&r, "[]");
	running_refuses(&r, spx_method_neighbour_delete, "{\"address\": \"192.0.2.2\", \"port\": \"left\"}",
		-ENOENT, "no neighbour on port left");
	running_refuses(&r, spx_method_neighbour_add,
		"{\"address\": \"192.0.2.2\", \"port\": \"left\", \"mac\": \"03:00:00:00:00:02\"}", -EINVAL,
		"mac: is \"03:00:00:00:00:02\"; a neighbour is no group");
	json_decref(running_call(&r, spx_method_neighbour_add,
		"{\"address\": \"192.0.2.2\", \"port\": \"left\", \"mac\": \"02:00:00:00:00:02\"}"));
	wait_for_neighbours(&r, first);
	running_end(&r);
}
