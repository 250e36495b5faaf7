/* Packets that wait for neighbours of a router, many at once; see slow_neighbour.c. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <rte_cycles.h>

#include "test/unit/router_fixture.h"

static struct frame f;

TestSuite(router_neighbours, .init = router_start, .fini = router_stop, .timeout = 60);

/* A packet to a host of port IN. */
static void
give_to(unsigned host)
{
	char to[16];

	frame_udp4(&f, 20);
	snprintf(to, sizeof(to), "10.9.0.%u", host);
	router_between4(&f, "10.8.0.2", to);
	router_give(SIDE, &f);
}

/* Says of a host of port IN where it is. */
static void
answer_for(uint8_t host)
{
	const uint8_t us[4] = {10, 9, 0, 1}, it[4] = {10, 9, 0, host};

	frame_start(&f, TYPE_ARP);
	frame_arp(&f);
	frame_put16(&f, 20, 2);
	memcpy(f.bytes + 22, f.bytes + 6, 6);
	memcpy(f.bytes + 28, it, sizeof(it));
	memcpy(f.bytes + 38, us, sizeof(us));
	router_give(IN, &f);
}

/* Hundreds of neighbours are asked again in the same moment, and each turn asks a few: the inject ring has to
 * have room for what others wait for. */
Test(router_neighbours, questions_come_by_and_by)
{
	const unsigned hosts = 200;

	for (unsigned host = 2; host < 2 + hosts; host++)
		give_to(host);
	cr_assert_eq(router_sent[IN].n, hosts, "a question for each");
	router->slowpath.tsc_zero -= rte_get_tsc_hz() + rte_get_tsc_hz() / 8;
	for (unsigned turns = 0; router_sent[IN].n < 2 * hosts; turns++) {
		unsigned before = router_sent[IN].n;

		cr_assert_lt(turns, 10);
		spx_slowpath_turn(&router->slowpath);
		while (spx_worker_turn(router->worker[0]) > 0)
			;
		cr_assert_leq(
			router_sent[IN].n - before, 64, "%u questions at once", router_sent[IN].n - before);
	}
	router_wait(50);
	cr_assert_eq(router_sent[IN].n, 2 * hosts, "and no more till the next time");
}

Test(router_neighbours, what_waits_goes_or_is_told)
{
	for (unsigned i = 0; i < SPX_SLOW_WAITING_MAX + 2; i++)
		give_to(7);
	give_to(8);
	cr_assert_eq(router->slowpath.n_waiting, SPX_SLOW_WAITING_MAX + 1);
	cr_assert_eq(router_drops(SPX_DROP_neighbour_full), 2);
	router_sent[IN].n = 0;
	answer_for(7);
	cr_assert_eq(router_sent[IN].n, SPX_SLOW_WAITING_MAX);
	for (unsigned i = 0; i < 4; i++)
		router_wait(1100);
	cr_assert_eq(router_drops(SPX_DROP_neighbour_failed), 1);
	cr_assert_eq(router_sent[SIDE].n, 1, "its sender is told");
	cr_assert_eq(router->slowpath.n_waiting, 0);
}

/* The way that they wait to go may be gone when the neighbour answers. */
Test(router_neighbours, the_port_goes_down_while_packets_wait)
{
	give_to(7);
	atomic_store(&router->port[IN].down, true);
	answer_for(7);
	cr_assert_eq(router_drops(SPX_DROP_port_down), 1);
	cr_assert_eq(router->slowpath.n_waiting, 0);
}

/* A next hop that is new goes by a neighbour that is known. What comes when the slow path has begun to answer
 * does not overtake what still stands in its ring. */
Test(router_neighbours, known_to_all_but_the_next_hop)
{
	struct spx_route_change change = {.operation = SPX_ROUTE_ADD,
		.route = {.family = SPX_ROUTE_IPV4, .length = 16, .n_paths = 1, .address = {172, 16}}};
	struct spx_error err;
	unsigned n = 0;

	change.route.path[0] = (struct spx_path){
		.kind = SPX_NEXT_HOP_KIND_gateway, .port = SIDE, .weight = 1, .gateway = {10, 8, 0, 2}};
	cr_assert_eq(spx_route_table_change(router->routes, &change, 1, &err), 0, "%s", err.text);
	for (; n < 3 * SPX_BURST_MAX; n++) {
		router_udp4(&f, 20);
		frame_put16(&f, f.ip + 4, (uint16_t)n);
		router_between4(&f, "10.9.0.2", "172.16.0.1");
		if (n == SPX_BURST_MAX + 10 || n == SPX_BURST_MAX + 20 || n == SPX_BURST_MAX + 30)
			spx_slowpath_turn(&router->slowpath);
		router_give_worker(IN, &f);
	}
	cr_assert_eq(router_sent[SIDE].n, n);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(
			router_sent[SIDE].id[i], i, "%u went out as number %u", router_sent[SIDE].id[i], i);
	cr_assert_eq(router->slowpath.counters.exceptions[SPX_EXCEPTION_neighbour], SPX_BURST_MAX + 20);
}
