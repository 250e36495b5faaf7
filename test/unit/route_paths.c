/* Several paths: shares by weight, ports that are down, flows that stay; and the reverse-path check. */
#include "test/unit/eal.h"
#include "test/unit/route_fixture.h"

#define FLOWS 65536u

static void
start(void)
{
	test_eal_start_with("512");
}

/* How many of the flows leave by each port; where[] gets each one's (64: down). */
static void
spread(const struct route_fixture *f, uint64_t up, unsigned by_port[65], uint8_t where[FLOWS])
{
	const struct spx_next_hop *hop = spx_route_next_hops(f->routes);
	struct spx_key4 key[SPX_BURST_MAX] = {0};
	uint64_t seed = 9, hash[SPX_BURST_MAX];
	uint32_t id[SPX_BURST_MAX];

	memset(by_port, 0, 65 * sizeof(*by_port));
	for (unsigned i = 0; i < FLOWS; i++) {
		key[i % 64].dip[0] = 10;
		hash[i % 64] = spx_random(&seed);
		if (i % 64 != 63)
			continue;
		spx_route_lookup4(f->routes, key, hash, UINT64_MAX, up, id);
		for (unsigned k = 0; k < 64; k++) {
			where[i - 63 + k] = id[k] == SPX_NEXT_HOP_DOWN ? 64 : (uint8_t)hop[id[k]].port;
			by_port[where[i - 63 + k]]++;
		}
	}
}

static bool
near(unsigned flows, double share)
{
	return flows > (share - 0.012) * FLOWS && flows < (share + 0.012) * FLOWS;
}

Test(route_paths, shares, .init = start)
{
	static uint8_t all[FLOWS], some[FLOWS];
	struct route_fixture f = {0};
	unsigned n[65];

	route_fixture_open(&f, NULL);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD,
			     "10.0.0.0/8 nexthop via 192.0.2.1 dev p1 weight 1 nexthop via 192.0.2.2 dev p2 "
			     "weight 2 "
			     "nexthop dev p3 weight 5\n"),
		0);
	spread(&f, UINT64_MAX, n, all);
	cr_expect(near(n[1], 0.125) && near(n[2], 0.25) && near(n[3], 0.625), "%u %u %u", n[1], n[2], n[3]);
	spread(&f, ~(UINT64_C(1) << 3), n, some);
	cr_expect(near(n[1], 1 / 3.0) && near(n[2], 2 / 3.0) && n[3] == 0, "%u %u %u", n[1], n[2], n[3]);
	for (unsigned i = 0; i < FLOWS; i++)
		cr_assert(all[i] == 3 || all[i] == some[i], "a flow moved that need not");
	spread(&f, UINT64_C(1) << 1, n, some);
	cr_expect_eq(n[1], FLOWS);
	spread(&f, ~UINT64_C(0xe), n, some);
	cr_expect_eq(n[64], FLOWS, "all down");
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_REPLACE,
			     "10.0.0.0/8 nexthop via 192.0.2.1 dev p1 weight 256 nexthop via 192.0.2.2 dev "
			     "p2 weight 1\n"),
		0);
	spread(&f, UINT64_MAX, n, all);
	cr_expect(near(n[2], 1 / 64.0), "at least one bucket: %u", n[2]);
	spread(&f, UINT64_C(1) << 2, n, all);
	cr_expect_eq(n[2], FLOWS, "the one bucket is found");
	route_fixture_close(&f);
}

/* Sixteen paths of one weight. */
Test(route_paths, sixteen, .init = start)
{
	static uint8_t where[FLOWS];
	struct route_fixture f = {0};
	char line[1024] = "10.0.0.0/8";
	unsigned n[65];

	route_fixture_open(&f, NULL);
	for (unsigned i = 0; i < 16; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " nexthop dev p%u", 2 * i);
	strcat(line, "\n");
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, line), 0);
	spread(&f, UINT64_MAX, n, where);
	for (unsigned i = 0; i < 32; i++)
		cr_expect(i % 2 == 0 ? near(n[i], 1 / 16.0) : n[i] == 0, "port %u: %u", i, n[i]);
	route_fixture_close(&f);
}

static uint64_t
source(const struct route_fixture *f, const char *address, uint16_t port, bool strict)
{
	enum spx_route_family family;
	uint8_t bytes[SPX_ROUTE_ADDRESS_BYTES];
	struct spx_key4 key4[2] = {0};
	struct spx_key6 key6[2] = {0};

	spx_route_parse_address(address, &family, bytes, NULL, NULL);
	memcpy(key4[1].sip, bytes, 4);
	memcpy(key6[1].sip, bytes, 16);
	return family == SPX_ROUTE_IPV4 ? spx_route_source4(f->routes, key4, 2, port, strict)
					: spx_route_source6(f->routes, key6, 2, port, strict);
}

Test(route_paths, reverse_path, .init = start)
{
	static const struct {
		const char *address;
		uint16_t port;
		bool loose, strict;
	} expected[] = {
		{"10.1.1.1", 1, true, true},
		{"10.1.1.1", 2, true, false},
		{"11.1.1.1", 2, true, true},
		{"11.1.1.1", 3, true, true},
		{"11.1.1.1", 1, true, false},
		{"12.1.1.1", 1, false, false},
		{"13.1.1.1", 1, false, false},
		{"2001:db8::1", 4, true, true},
		{"2001:db8::1", 5, true, false},
		{"2001:db9::1", 4, false, false},
		{"fd00::1", 6, true, true},
		{"fd00::1", 7, true, false},
	};
	struct route_fixture f = {0};

	route_fixture_open(&f, NULL);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD,
			     "10.0.0.0/8 via 192.0.2.1 dev p1\n11.0.0.0/8 nexthop dev p2 nexthop dev p3\n"
			     "12.0.0.0/8 blackhole\n2001:db8::/32 dev p4\n2001:db9::/32 prohibit\n"
			     "default via fe80::1 dev p6\n"),
		0);
	for (unsigned i = 0; i < RTE_DIM(expected); i++) {
		cr_expect_eq(source(&f, expected[i].address, expected[i].port, false),
			expected[i].loose ? 2 : 0, "%u loose", i);
		cr_expect_eq(source(&f, expected[i].address, expected[i].port, true),
			expected[i].strict ? 2 : 0, "%u strict", i);
	}
	route_fixture_close(&f);
}
