/* The route table: what it refuses and what then stays, what gateways without port leave by, default routes,
 * limits of every kind, ids, and how long changes take. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "test/unit/eal.h"
#include "test/unit/route_fixture.h"

static void
start(void)
{
	test_eal_start_with("1024");
}

/* Of the processor: other programs may have the rest of the machine. */
static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* No route with bits: no tables. */
static void
defaults(void)
{
	struct route_fixture f = {0};
	struct spx_route_stats stats;

	route_fixture_open(&f, NULL);
	cr_assert_eq(route_fixture_lookup(&f, "192.0.2.1", 0, 1), SPX_NEXT_HOP_NONE);
	cr_assert_eq(route_fixture_lookup(&f, "2001:db8::1", 0, 1), SPX_NEXT_HOP_NONE);
	cr_assert_eq(
		route_fixture_change(&f, SPX_ROUTE_ADD, "default via 192.0.2.9 dev p3\n::/0 blackhole\n"), 0);
	cr_assert_eq(route_fixture_hop(&f, "198.51.100.7")->port, 3);
	cr_assert_eq(route_fixture_hop(&f, "2001:db8::1")->kind, SPX_NEXT_HOP_KIND_blackhole);
	spx_route_table_stats(f.table, &stats);
	cr_assert(stats.bytes[0] == 0 && stats.bytes[1] == 0 && stats.routes[0] == 1 && stats.next_hops == 2);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, "10.0.0.0/8 dev p1\n"), 0);
	spx_route_table_stats(f.table, &stats);
	cr_assert(stats.bytes[0] > 0 && stats.bytes[1] == 0);
	cr_assert_eq(route_fixture_hop(&f, "10.1.1.1")->kind, SPX_NEXT_HOP_KIND_connected);
	cr_assert_eq(route_fixture_hop(&f, "11.1.1.1")->port, 3);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_DELETE, "0.0.0.0/0 blackhole\n"), 0);
	cr_assert_eq(route_fixture_lookup(&f, "11.1.1.1", 0, UINT64_MAX), SPX_NEXT_HOP_NONE);
	cr_assert_eq(route_fixture_lookup(&f, "10.1.1.1", 0, ~UINT64_C(2)), SPX_NEXT_HOP_DOWN);
	route_fixture_close(&f);
}

static void
gateway_ports(void)
{
	struct route_fixture f = {0};
	struct spx_route r;
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES] = {10, 9, 8, 7};

	route_fixture_open(&f, NULL);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, "10.0.0.0/8 via 192.0.2.9\n"), -ENETUNREACH);
	cr_assert_not_null(
		strstr(f.err.text, "route 10.0.0.0/8: gateway 192.0.2.9 is on no link"), "%s", f.err.text);
	cr_assert_eq(f.published, 1, "nobody saw it");
	cr_assert_eq(
		route_fixture_change(&f, SPX_ROUTE_ADD, "10.0.0.0/8 dev p1\n10.0.0.0/8 dev p2\n"), -EEXIST);
	cr_assert_eq(f.published, 2, "a grace period for the next hop that came and went");
	cr_assert_eq(
		route_fixture_change(&f, SPX_ROUTE_ADD, "192.0.2.0/24 dev p5\n10.0.0.0/8 via 192.0.2.9\n"),
		0);
	cr_assert_eq(route_fixture_hop(&f, "10.1.1.1")->port, 5);
	cr_assert(spx_route_table_find(f.table, SPX_ROUTE_IPV4, address, &r));
	cr_assert(r.length == 8 && r.n_paths == 1 && r.path[0].port == 5 && r.path[0].gateway[3] == 9);
	address[0] = 11;
	cr_assert_not(spx_route_table_find(f.table, SPX_ROUTE_IPV4, address, &r));
	route_fixture_close(&f);
}

/* Twice as many as there is room for, one by one and in one batch: what fits is in, what does not changes
 * nothing, and what went makes room. */
static void
limit(struct spx_route_options o, const char *option, const char *format, unsigned room)
{
	struct route_fixture f = {0};
	char line[128], all[65536] = "";
	size_t at = 0;

	route_fixture_open(&f, &o);
	for (unsigned i = 0; i < 2 * room; i++) {
		int rc;

		snprintf(line, sizeof(line), format, i, i);
		at += (size_t)snprintf(all + at, sizeof(all) - at, format, i, i);
		rc = route_fixture_change(&f, SPX_ROUTE_ADD, line);
		cr_assert_eq(rc, i < room ? 0 : -ENOSPC, "%s: route %u: %d %s", option, i, rc, f.err.text);
		cr_assert(rc == 0 || strstr(f.err.text, option) != NULL, "%s", f.err.text);
	}
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < room; i++) {
			snprintf(line, sizeof(line), format, i, i);
			cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_DELETE, line), 0, "%s", f.err.text);
			if (round < 2)
				cr_assert_eq(
					route_fixture_change(&f, SPX_ROUTE_ADD, line), 0, "%s", f.err.text);
		}
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, all), -ENOSPC);
	for (unsigned i = 0; i < room; i++) {
		snprintf(line, sizeof(line), format, i, i);
		cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, line), 0, "%s", f.err.text);
	}
	route_fixture_close(&f);
}

/* A longer prefix with the answer of the one around it, which rte_fib's count of tbl8 does not survive. */
static void
same_answer(void)
{
	struct route_fixture f = {0};

	route_fixture_open(&f, NULL);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, "10.0.0.0/24 blackhole\n"), 0);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, "10.0.0.0/25 blackhole\n"), 0);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_DELETE, "10.0.0.0/25 blackhole\n"), 0);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, "10.0.1.0/25 blackhole\n"), 0, "%s", f.err.text);
	route_fixture_close(&f);
}

static void
limits(void)
{
	const struct spx_route_options o = {.routes4 = 200,
		.routes6 = 200,
		.tbl8_4 = 20,
		.tbl8_6 = 20,
		.next_hops = 20,
		.groups = 20,
		.socket = -1};
	struct spx_route_options few = o;

	limit(o, "tbl8_4", "10.0.%u.0/25 blackhole #%u\n", 64);
	few.tbl8_6 = 21; /* one for the /24, and one for each /32 */
	limit(few, "tbl8_6", "2001:d%02u::/40 blackhole #%u\n", 20);
	few = o;
	few.routes4 = few.routes6 = 10;
	limit(few, "routes4", "10.%u.0.0/16 blackhole #%u\n", 10);
	limit(few, "routes6", "2001:%u::/32 blackhole #%u\n", 10);
}

static void
next_hop_limits(void)
{
	const struct spx_route_options o = {.next_hops = 20, .groups = 4, .socket = -1};
	const struct spx_route_options wide = {.next_hops = 65536, .groups = 65536, .socket = -1};
	struct route_fixture f = {0};
	struct spx_route_stats stats;
	char line[128];

	limit(o, "next_hops", "10.%u.0.0/16 via 192.1.0.1%02u dev p1\n", 18);
	limit(o, "groups", "10.%u.0.0/16 nexthop dev p1 weight %u1 nexthop dev p2 weight 1\n", 4);
	route_fixture_open(&f, &wide); /* four-byte entries */
	for (unsigned i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "10.0.%u.128/25 via 192.0.2.%u dev p1\n", i, i + 1);
		cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, line), 0, "%s", f.err.text);
	}
	cr_assert_eq(
		route_fixture_change(&f, SPX_ROUTE_ADD, "11.0.0.0/8 nexthop dev p3 nexthop dev p3\n"), 0);
	cr_assert_eq(route_fixture_hop(&f, "10.0.77.129")->gateway[3], 78);
	cr_assert_eq(route_fixture_hop(&f, "11.1.1.1")->port, 3, "a group, whose number is beyond 15 bits");
	spx_route_table_stats(f.table, &stats);
	cr_assert_gt(stats.bytes[0], UINT64_C(128) << 20);
	route_fixture_close(&f);
}

/* Ids are shared by routes that say the same, and come back only when nobody can know them. */
static void
ids(void)
{
	struct route_fixture f = {0};
	struct spx_route_stats stats;

	route_fixture_open(&f, NULL);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD,
			     "10.1.0.0/16 via 192.0.2.1 dev p1\n10.2.0.0/16 via 192.0.2.1 dev p1\n"
			     "10.3.0.0/16 nexthop via 192.0.2.1 dev p1 nexthop via 192.0.2.2 dev p2\n"
			     "10.4.0.0/16 nexthop via 192.0.2.2 dev p2 nexthop via 192.0.2.1 dev p1\n"),
		0);
	spx_route_table_stats(f.table, &stats);
	cr_assert(stats.next_hops == 2 && stats.groups == 1, "%zu %zu", stats.next_hops, stats.groups);
	cr_assert_eq(route_fixture_hop(&f, "10.1.0.1"), route_fixture_hop(&f, "10.2.0.1"));
	cr_assert_eq(spx_route_next_hop_limit(f.routes), 4);
	for (unsigned i = 0; i < 1000; i++) {
		char line[128];

		snprintf(line, sizeof(line), "10.1.0.0/16 via 192.0.2.%u dev p1\n", 1 + i % 200);
		cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_REPLACE, line), 0, "%s", f.err.text);
	}
	cr_assert_leq(spx_route_next_hop_limit(f.routes), 6, "ids are used again");
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_DELETE,
			     "10.1.0.0/16 blackhole\n10.2.0.0/16 blackhole\n10.3.0.0/16 "
			     "blackhole\n10.4.0.0/16 blackhole\n"),
		0);
	spx_route_table_stats(f.table, &stats);
	cr_assert(stats.next_hops == 0 && stats.groups == 0);
	route_fixture_close(&f);
}

static void
mistakes(void)
{
	static const struct {
		struct spx_route route;
		const char *text;
	} wrong[] = {
		{{.family = 2}, "family 2"},
		{{.length = 33}, "33 bits"},
		{{.length = 8, .address = {10, 1}}, "write 10.0.0.0/8"},
		{{.length = 8, .address = {10}}, "0 paths"},
		{{.length = 8, .address = {10}, .n_paths = 17}, "17 paths"},
		{{.length = 8, .address = {10}, .n_paths = 1, .path = {{.kind = 1}}}, "kind 1"},
		{{.length = 8,
			 .address = {10},
			 .n_paths = 1,
			 .path = {{.kind = SPX_NEXT_HOP_KIND_connected, .port = 64}}},
			"port 64"},
		{{.length = 8, .address = {10}, .n_paths = 1, .path = {{.kind = SPX_NEXT_HOP_KIND_gateway}}},
			"single station"},
		{{.length = 8,
			 .address = {10},
			 .n_paths = 2,
			 .path = {{.kind = SPX_NEXT_HOP_KIND_connected}}},
			"weight 0"},
		{{.length = 8,
			 .address = {10},
			 .n_paths = 2,
			 .path = {{.kind = SPX_NEXT_HOP_KIND_blackhole, .weight = 1}}},
			"blackhole is one of several"},
	};
	struct route_fixture f = {0};
	struct spx_route_change two[2] = {{.operation = SPX_ROUTE_ADD,
		.route = {.length = 8,
			.address = {11},
			.n_paths = 1,
			.path = {{.kind = SPX_NEXT_HOP_KIND_blackhole}}}}};
	struct spx_route_options bad = {.next_hops = 65537};

	route_fixture_open(&f, NULL);
	for (size_t i = 0; i < RTE_DIM(wrong); i++) {
		two[1].route = wrong[i].route;
		cr_assert_eq(spx_route_table_change(f.table, two, 2, &f.err), -EINVAL, "%zu", i);
		cr_assert_not_null(strstr(f.err.text, wrong[i].text), "%s: %s", wrong[i].text, f.err.text);
		cr_assert_eq(route_fixture_lookup(&f, "11.1.1.1", 0, 1), SPX_NEXT_HOP_NONE);
	}
	two[1] = two[0];
	cr_assert_eq(spx_route_table_change(f.table, two, 2, &f.err), -EEXIST);
	two[1].operation = 3;
	cr_assert_eq(spx_route_table_change(f.table, two, 2, &f.err), -EINVAL);
	cr_assert_eq(spx_route_table_change(f.table, two, 0, &f.err), 0);
	cr_assert_eq(spx_route_table_change(f.table, two, 1, &f.err), 0);
	two[0].operation = SPX_ROUTE_DELETE;
	two[1] = two[0];
	cr_assert_eq(spx_route_table_change(f.table, two, 2, &f.err), -ENOENT);
	cr_assert_eq(route_fixture_hop(&f, "11.1.1.1")->kind, SPX_NEXT_HOP_KIND_blackhole);
	route_fixture_close(&f);
	cr_assert_eq(spx_route_table_create(&bad, NULL, NULL, &f.table, &f.err), -EINVAL);
	cr_assert_not_null(strstr(f.err.text, "next_hops is 65537: give 3 to 65536"), "%s", f.err.text);
}

/* One EAL for all of them. */
Test(route_table, behaviour, .init = start)
{
	defaults();
	gateway_ports();
	limits();
	same_answer();
	next_hop_limits();
	ids();
	mistakes();
}

/* Issue: 100,000 routes in one batch in under 5 s, 1,000 changes a second. Half of both families' routes are
 * what tables have most, /24 and /48. */
static void
draw(uint64_t *seed, struct spx_route_change *c)
{
	const uint64_t r = spx_random(seed);

	*c = (struct spx_route_change){.operation = SPX_ROUTE_REPLACE,
		.route = {.family = r % 4 == 0,
			.n_paths = 1,
			.path = {{.kind = SPX_NEXT_HOP_KIND_gateway,
				.port = 1,
				.gateway = {10, 0, 1 + r / 8 % 4, 1}}}}};
	if (c->route.family == SPX_ROUTE_IPV4) {
		c->route.length = (uint8_t)(r >> 10 & 1 ? 24 : 16 + (r >> 11) % 9);
		memcpy(c->route.address, &(uint32_t){(uint32_t)(r >> 20) | 1}, 4);
	} else {
		c->route.length = (uint8_t)(r >> 10 & 1 ? 48 : 29 + (r >> 11) % 20);
		c->route.address[0] = 0x20;
		c->route.address[1] = 1;
		c->route.address[2] = (uint8_t)(r >> 16) & 3;
		memcpy(&c->route.address[3], &(uint32_t){(uint32_t)(r >> 20)}, 3);
	}
	for (unsigned bit = c->route.length; bit < 128; bit++)
		c->route.address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

Test(route_table, speed, .init = start)
{
	struct spx_route_options o = {.socket = -1};
	struct route_fixture f = {0};
	static struct spx_route_change change[100000];
	uint64_t seed = 7;
	double import, single, from;

	route_fixture_open(&f, &o);
	for (size_t i = 0; i < RTE_DIM(change); i++)
		draw(&seed, &change[i]);
	from = seconds();
	cr_assert_eq(spx_route_table_change(f.table, change, RTE_DIM(change), &f.err), 0, "%s", f.err.text);
	import = seconds() - from;
	from = seconds();
	for (unsigned i = 0; i < 1000; i++) {
		change[i].operation = i % 2 == 0 ? SPX_ROUTE_DELETE : SPX_ROUTE_REPLACE;
		change[i].route = change[i / 2 * 97].route;
		cr_assert_eq(spx_route_table_change(f.table, &change[i], 1, &f.err), 0, "%s", f.err.text);
	}
	single = seconds() - from;
	fprintf(stderr, "100,000 routes in %.3f s, 1,000 changes in %.4f s\n", import, single);
	cr_expect_lt(import, 5.0);
	cr_expect_lt(single, 0.5);
	route_fixture_close(&f);
}
