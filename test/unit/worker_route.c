/* The stage route with a flow cache before it: what is remembered of a flow holds exactly as long as the
 * routes and the links do. What the stage says of single packets is in drop_reasons.c and
 * test/system/test_router.py.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/route_fixture.h"
#include "test/unit/worker_fixture.h"

#define MTU 1500

static struct fixture f;
static struct route_fixture r;
static uint64_t up = UINT64_MAX;

static const uint8_t router[6] = {2, 0, 0, 0, 0, 1}; /* to whom fixture_udp sends */

/* Routes of these lines are in force, and the gateways 192.0.2.1...3 and 2001:db8::1...3 of ports 1 to 3
 * known. */
static void
routes(enum spx_route_operation operation, const char *lines)
{
	cr_assert_eq(route_fixture_change(&r, operation, lines), 0, "%s", r.err.text);
	f.config->routes = r.routes;
	f.config->next_hop = spx_route_next_hops(r.routes);
	f.config->routes_generation++;
	for (uint8_t n = 1; n <= 3; n++) {
		const uint8_t mac[6] = {2, 1, 1, 1, 1, n};
		const uint64_t word = spx_neighbour_word(SPX_NEIGHBOUR_permanent, mac);

		spx_route_resolve(r.routes, SPX_ROUTE_IPV4, n,
			(const uint8_t[SPX_ROUTE_ADDRESS_BYTES]){192, 0, 2, n}, word);
		spx_route_resolve(r.routes, SPX_ROUTE_IPV6, n,
			(const uint8_t[SPX_ROUTE_ADDRESS_BYTES]){0x20, 0x01, 0x0d, 0xb8, [15] = n}, word);
	}
}

static void
start(void)
{
	fixture_init_with(&f, 2047, "512"); /* tables of routes are large */
	route_fixture_open(&r, NULL);
	fixture_cache(f.worker, SPX_FLOW_MODE_exact);
	fixture_action(&f, 0, (struct spx_action){.verdict = SPX_VERDICT_ROUTE, .port = SPX_NO_PORT});
	for (unsigned p = 0; p < FAKE_PORTS; p++) {
		f.config->port[p].mtu = MTU;
		memcpy(f.config->port[p].mac, router, sizeof(router));
	}
	up = UINT64_MAX;
	f.worker->ports_up = &up;
	f.worker->errors_left = 0; /* no sender is told: every packet that has no way is dropped */
}

static void
stop(void)
{
	fixture_balanced(&f.worker->counters, 0);
	route_fixture_close(&r);
}

TestSuite(worker_route, .init = start, .fini = stop);

/* A UDP packet over IPv6 from 2001:db8::9:<host> to 2001:db8:1::1. */
static struct rte_mbuf *
udp6(uint8_t host)
{
	const uint8_t frame[62] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 17,
		64, 0x20, 0x01, 0x0d, 0xb8, [35] = 9, [37] = host, [38] = 0x20, 0x01, 0x0d, 0xb8, 0,
		1, [53] = 1, 0x10, 0, 0, 53, 0, 8, 0xab, 0xcd};

	return fixture_frame(&f, frame, sizeof(frame));
}

static struct rte_mbuf *
packet(bool v6, uint8_t host)
{
	return v6 ? udp6(host) : fixture_udp(&f, host, 53, 64);
}

/* By which port a packet of each flow goes out: -1 none, FAKE_PORTS several. */
static int
way_of(bool v6, unsigned flows, uint8_t where[])
{
	int way = -1;

	for (unsigned i = 0; i < flows; i++) {
		unsigned before[FAKE_PORTS];

		for (unsigned p = 0; p < FAKE_PORTS; p++)
			before[p] = f.fake[p].n_out;
		fixture_give(&f, 0, packet(v6, (uint8_t)i));
		spx_worker_turn(f.worker);
		where[i] = UINT8_MAX;
		for (unsigned p = 0; p < FAKE_PORTS; p++) {
			cr_assert_leq(f.fake[p].n_out - before[p], 1);
			if (f.fake[p].n_out == before[p])
				continue;
			where[i] = (uint8_t)p;
			way = way == -1 || way == (int)p ? (int)p : FAKE_PORTS;
			rte_pktmbuf_free(f.fake[p].out[--f.fake[p].n_out]);
		}
	}
	return way;
}

static int
way(bool v6)
{
	uint8_t where[1];

	return way_of(v6, 1, where);
}

/* A route for each packet of a flow, before it is resident and after. */
Test(worker_route, follows_every_change)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		const char *by1 = v6 ? "2001:db8:1::/48 via 2001:db8::1 dev p1\n"
				     : "10.0.1.0/24 via 192.0.2.1 dev p1\n";
		const char *by2 = v6 ? "2001:db8:1::/64 via 2001:db8::2 dev p2\n"
				     : "10.0.1.1/32 via 192.0.2.2 dev p2\n";

		routes(SPX_ROUTE_ADD, by1);
		for (unsigned i = 0; i < 4; i++)
			cr_assert_eq(way(v6), 1, "IPv%d, packet %u", v6 ? 6 : 4, i);
		routes(SPX_ROUTE_ADD, by2);
		for (unsigned i = 0; i < 3; i++)
			cr_assert_eq(way(v6), 2, "IPv%d, packet %u", v6 ? 6 : 4, i);
		routes(SPX_ROUTE_DELETE, by2);
		cr_assert_eq(way(v6), 1);
		routes(SPX_ROUTE_DELETE, by1);
		for (unsigned i = 0; i < 3; i++)
			cr_assert_eq(way(v6), -1);
		cr_assert_eq(f.worker->counters.drops[SPX_DROP_no_route], 3u * (v6 + 1u));
	}
}

/* Flows of a port that goes down take the other one, and are back when it is up again. */
Test(worker_route, leaves_a_port_that_is_down)
{
	uint8_t before[64], meanwhile[64], after[64];

	for (int v6 = 0; v6 <= 1; v6++) {
		routes(SPX_ROUTE_ADD,
			v6 ? "2001:db8:1::/48 nexthop via 2001:db8::1 dev p1 nexthop via 2001:db8::2 dev p2\n"
			   : "10.0.1.0/24 nexthop via 192.0.2.1 dev p1 nexthop via 192.0.2.2 dev p2\n");
		cr_assert_eq(way_of(v6, 64, before), FAKE_PORTS, "some flows by each");
		way_of(v6, 64, after);
		cr_assert_arr_eq(before, after, sizeof(before));
		up = ~spx_set_one(1);
		for (unsigned i = 0; i < 3; i++)
			cr_assert_eq(way_of(v6, 64, meanwhile), 2);
		up = UINT64_MAX;
		way_of(v6, 64, after);
		cr_assert_arr_eq(before, after, sizeof(before), "what was a detour is not remembered");
		up = ~(spx_set_one(1) | spx_set_one(2));
		cr_assert_eq(way_of(v6, 64, meanwhile), -1);
		up = UINT64_MAX;
	}
	cr_assert_eq(f.worker->counters.drops[SPX_DROP_path_down], 128);
}

/* What is asked of every packet is asked of those whose way is remembered, too. */
Test(worker_route, single_packets_of_a_known_flow)
{
	const uint64_t *drops = f.worker->counters.drops;
	struct rte_mbuf *m;

	routes(SPX_ROUTE_ADD, "10.0.1.0/24 via 192.0.2.1 dev p1\n");
	f.config->port[0].addressed = true;
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(way(false), 1);

	fixture_give(&f, 0, fixture_udp(&f, 0, 53, 1));
	spx_worker_turn(f.worker);
	cr_expect_eq(drops[SPX_DROP_ttl_expired], 1);

	m = packet(false, 0);
	rte_pktmbuf_mtod(m, uint8_t *)[5] ^= 1;
	fixture_give(&f, 0, m);
	spx_worker_turn(f.worker);
	cr_expect_eq(drops[SPX_DROP_other_host], 1);

	f.config->port[1].mtu = 45;
	fixture_give(&f, 0, packet(false, 0));
	spx_worker_turn(f.worker);
	cr_expect_eq(drops[SPX_DROP_too_big], 1);
	f.config->port[1].mtu = MTU;

	f.config->port[0].reverse_path = SPX_REVERSE_PATH_LOOSE;
	fixture_give(&f, 0, packet(false, 0));
	spx_worker_turn(f.worker);
	cr_expect_eq(drops[SPX_DROP_reverse_path], 1, "there is no way back to 10.0.0.0");
	cr_expect_eq(f.fake[1].n_out, 0);
}

/* The frame that goes out is the same whether the way was looked up or remembered. */
Test(worker_route, the_same_frame)
{
	routes(SPX_ROUTE_ADD, "10.0.1.0/24 via 192.0.2.1 dev p1\n2001:db8:1::/48 via 2001:db8::1 dev p1\n");
	for (int v6 = 0; v6 <= 1; v6++) {
		f.fake[1].n_out = 0;
		for (unsigned i = 0; i < 4; i++) {
			fixture_give(&f, 0, packet(v6, 7));
			spx_worker_turn(f.worker);
		}
		cr_assert_eq(f.fake[1].n_out, 4);
		for (unsigned i = 1; i < 4; i++)
			cr_assert_arr_eq(rte_pktmbuf_mtod(f.fake[1].out[0], uint8_t *),
				rte_pktmbuf_mtod(f.fake[1].out[i], uint8_t *), 60);
	}
}
