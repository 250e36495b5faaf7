/* route.*: destination to next hop in bursts of 32, against plain rte_fib (rte_fib6) on the same routes with
 * the addresses ready in an array: what sets, groups, ports and the default route cost beside the longest
 * prefix. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>

#include "lib/route/route.h"
#include "perf/bench.h"

#define HEADERS  8192u
#define GATEWAYS 64u

struct state {
	struct spx_route_table *table;
	const struct spx_routes *routes;
	struct rte_fib *fib;
	struct rte_fib6 *fib6;
	unsigned next[2]; /* header to go on with: ours, theirs */
	uint32_t next_hop[BENCH_BURST];
	uint64_t answer[BENCH_BURST];
	uint64_t hash[HEADERS];
	struct spx_key4 key4[HEADERS];
	struct spx_key6 key6[HEADERS];
	uint32_t ip4[HEADERS];
	uint8_t ip6[HEADERS][RTE_FIB6_IPV6_ADDR_SIZE];
};

static void
ours4(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		spx_route_lookup4(s->routes, &s->key4[s->next[0]], &s->hash[s->next[0]],
			spx_set_first(BENCH_BURST), UINT64_MAX, s->next_hop);
		s->next[0] = (s->next[0] + BENCH_BURST) % HEADERS;
	}
}

static void
theirs4(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		rte_fib_lookup_bulk(s->fib, &s->ip4[s->next[1]], s->answer, BENCH_BURST);
		s->next[1] = (s->next[1] + BENCH_BURST) % HEADERS;
	}
}

static void
ours6(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		spx_route_lookup6(s->routes, &s->key6[s->next[0]], &s->hash[s->next[0]],
			spx_set_first(BENCH_BURST), UINT64_MAX, s->next_hop);
		s->next[0] = (s->next[0] + BENCH_BURST) % HEADERS;
	}
}

static void
theirs6(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		rte_fib6_lookup_bulk(s->fib6, &s->ip6[s->next[1]], s->answer, BENCH_BURST);
		s->next[1] = (s->next[1] + BENCH_BURST) % HEADERS;
	}
}

/* Nobody reads while the bench changes routes. */
static void
publish(void *arg, struct spx_routes *routes)
{
	((struct state *)arg)->routes = routes;
}

/* Half of the lengths are 24 (48), as in the tables of the Internet; the gateway's last byte is its number.
 */
static void
draw(uint64_t *seed, bool v6, struct spx_route_change *c)
{
	const uint64_t r = spx_random(seed), address = spx_random(seed);

	*c = (struct spx_route_change){.operation = SPX_ROUTE_REPLACE,
		.route = {.family = v6,
			.n_paths = 1,
			.path = {{.kind = SPX_NEXT_HOP_KIND_gateway,
				.port = (uint16_t)(r % 4),
				.gateway = {10, 0, (uint8_t)(r % 4), (uint8_t)(1 + r % GATEWAYS)}}}}};
	if (v6)
		c->route.length = (uint8_t)(r >> 8 & 1 ? 48 : 29 + (r >> 9) % 20);
	else
		c->route.length = (uint8_t)(r >> 8 & 1 ? 24 : 12 + (r >> 9) % 17);
	memcpy(c->route.address, &address, v6 ? 8 : 4);
	if (v6) {
		c->route.address[0] = 0x20;
		c->route.address[1] = 1;
	}
	for (unsigned bit = c->route.length; bit < 128; bit++)
		c->route.address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

static int
add_to_peer(struct state *s, const struct spx_route *r)
{
	const uint64_t answer = r->path[0].gateway[3];
	uint32_t ip;

	if (r->family == SPX_ROUTE_IPV6)
		return rte_fib6_add(s->fib6, r->address, r->length, answer);
	memcpy(&ip, r->address, sizeof(ip));
	return rte_fib_add(s->fib, rte_be_to_cpu_32(ip), r->length, answer);
}

/* Headers to addresses inside of the routes. */
static void
make_header(struct state *s, uint64_t *seed, unsigned i, const struct spx_route *r)
{
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES];

	for (unsigned k = 0; k < sizeof(address); k++)
		address[k] = r->address[k] | (8 * k >= r->length ? (uint8_t)spx_random(seed) : 0);
	s->hash[i] = spx_random(seed);
	memcpy(s->key4[i].dip, address, sizeof(s->key4[i].dip));
	memcpy(s->key6[i].dip, address, sizeof(s->key6[i].dip));
	memcpy(s->ip6[i], address, sizeof(s->ip6[i]));
	memcpy(&s->ip4[i], address, sizeof(s->ip4[i]));
	s->ip4[i] = rte_be_to_cpu_32(s->ip4[i]);
}

/* Both have to give the same gateway for every header. */
static int
compare(struct state *s, bool v6, struct spx_error *err)
{
	const struct spx_next_hop *hop = spx_route_next_hops(s->routes);

	for (unsigned i = 0; i < HEADERS; i += BENCH_BURST) {
		(v6 ? ours6 : ours4)(s, BENCH_BURST);
		(v6 ? theirs6 : theirs4)(s, BENCH_BURST);
		for (unsigned k = 0; k < BENCH_BURST; k++)
			if (hop[s->next_hop[k]].gateway[3] != s->answer[k])
				return spx_error(err, -EINVAL, "header %u: ours says gateway %u, the peer %u",
					i + k, hop[s->next_hop[k]].gateway[3], (unsigned)s->answer[k]);
	}
	return 0;
}

static int
make_peer(struct state *s, bool v6, uint32_t routes, struct spx_error *err)
{
	if (v6)
		s->fib6 = rte_fib6_create("peer", SOCKET_ID_ANY,
			&(struct rte_fib6_conf){.type = RTE_FIB6_TRIE,
				.max_routes = (int)routes,
				.trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = 4 * routes}});
	else
		s->fib = rte_fib_create("peer", SOCKET_ID_ANY,
			&(struct rte_fib_conf){.type = RTE_FIB_DIR24_8,
				.max_routes = (int)routes,
				.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_2B, .num_tbl8 = routes}});
	return s->fib != NULL || s->fib6 != NULL ? 0 : spx_error(err, -rte_errno, "the peer cannot be made");
}

static int
fill(struct state *s, struct spx_route_change *change, uint32_t routes, bool v6, struct spx_error *err)
{
	uint64_t seed = 1;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < routes; i++) {
		draw(&seed, v6, &change[i]);
		if (add_to_peer(s, &change[i].route) != 0)
			rc = spx_error(err, -ENOSPC, "the peer is full at route %u", i);
	}
	for (unsigned i = 0; i < HEADERS; i++)
		make_header(s, &seed, i, &change[spx_random(&seed) % routes].route);
	if (rc == 0)
		rc = spx_route_table_change(s->table, change, routes, err);
	return rc == 0 ? compare(s, v6, err) : rc;
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	const uint32_t routes = (uint32_t)b->size;
	const struct spx_route_options options = {.routes4 = routes,
		.routes6 = routes,
		.tbl8_4 = routes,
		.tbl8_6 = 4 * routes,
		.socket = SOCKET_ID_ANY};
	struct spx_route_change *change = calloc(routes, sizeof(*change));
	struct state *s = c->state;
	int rc;

	(void)part;
	if (change == NULL)
		return spx_error(err, -ENOMEM, "no memory for %u routes", routes);
	rc = spx_route_table_create(&options, publish, s, &s->table, err);
	if (rc == 0)
		rc = make_peer(s, b->variant, routes, err);
	if (rc == 0)
		rc = fill(s, change, routes, b->variant, err);
	free(change);
	return rc;
}

static void
teardown(void *state)
{
	struct state *s = state;

	spx_route_table_destroy(s->table);
	rte_fib_free(s->fib);
	rte_fib6_free(s->fib6);
}

#define BENCH_ROUTE(name, v6, plain, routes)                                                                 \
	{                                                                                                    \
		.id = name, .unit = "Mops/s", .scale = BENCH_MEGA_PER_SECOND, .peer = plain,                 \
		.size = (routes), .variant = (v6), .state_size = sizeof(struct state), .setup = setup,       \
		.ours = (v6) ? ours6 : ours4, .theirs = (v6) ? theirs6 : theirs4, .teardown = teardown       \
	}

static const struct bench benches[] = {
	BENCH_ROUTE("route.lookup.10k", 0, "rte_fib", 10000),
	BENCH_ROUTE("route.lookup6.10k", 1, "rte_fib6", 10000),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 1024});
}
