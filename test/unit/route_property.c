/* The route table against a list that is searched from end to end: random batches, right and wrong, of both
 * families, crowded into few bits so that prefixes nest in every way. */
#include <errno.h>

#include "test/unit/eal.h"
#include "test/unit/route_fixture.h"

#define ROUTES_MAX 2000u
#define BATCH_MAX  24u
#define BATCHES    1500u

struct model {
	struct spx_route route[ROUTES_MAX];
	size_t n;
};

static void
start(void)
{
	test_eal_start_with("512");
}

static bool
covers(const struct spx_route *r, const uint8_t *address)
{
	for (unsigned bit = 0; bit < r->length; bit++)
		if (((r->address[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8) & 1) != 0)
			return false;
	return true;
}

static const struct spx_route *
model_lookup(const struct model *m, enum spx_route_family family, const uint8_t *address)
{
	const struct spx_route *best = NULL;

	for (size_t i = 0; i < m->n; i++)
		if (m->route[i].family == family && covers(&m->route[i], address) &&
			(best == NULL || m->route[i].length > best->length))
			best = &m->route[i];
	return best;
}

static struct spx_route *
model_find(struct model *m, const struct spx_route *r)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->route[i].family == r->family && m->route[i].length == r->length &&
			memcmp(m->route[i].address, r->address, sizeof(r->address)) == 0)
			return &m->route[i];
	return NULL;
}

static int
model_change(struct model *m, const struct spx_route_change *c)
{
	struct spx_route *there = model_find(m, &c->route);

	if (c->operation == SPX_ROUTE_ADD && there != NULL)
		return -EEXIST;
	if (c->operation == SPX_ROUTE_DELETE && there == NULL)
		return -ENOENT;
	if (c->operation == SPX_ROUTE_DELETE)
		*there = m->route[--m->n];
	else if (there != NULL)
		*there = c->route;
	else
		m->route[m->n++] = c->route;
	return 0;
}

/* Two bits of every byte are random, so 4^4 addresses of IPv4, and prefixes of all lengths over them. */
static void
random_address(uint64_t *seed, enum spx_route_family family, uint8_t address[SPX_ROUTE_ADDRESS_BYTES])
{
	memset(address, 0, SPX_ROUTE_ADDRESS_BYTES);
	for (unsigned i = 0; i < (family == SPX_ROUTE_IPV4 ? 4 : 16); i++)
		address[i] = (uint8_t)((spx_random(seed) & 1) << 7 | (spx_random(seed) & 1));
}

static void
random_change(uint64_t *seed, struct spx_route_change *c)
{
	const enum spx_route_family family = spx_random(seed) & 1;
	const unsigned bits = family == SPX_ROUTE_IPV4 ? 32 : 128;
	struct spx_route *r = &c->route;

	*c = (struct spx_route_change){.operation = SPX_ROUTE_REPLACE};
	if (spx_random(seed) % 4 == 0)
		c->operation = SPX_ROUTE_DELETE;
	if (spx_random(seed) % 400 == 0)
		c->operation = SPX_ROUTE_ADD;
	r->family = (uint8_t)family;
	r->length = (uint8_t)(spx_random(seed) % (bits + 1));
	r->origin = (uint8_t)spx_random(seed);
	r->n_paths = 1;
	random_address(seed, family, r->address);
	for (unsigned bit = r->length; bit < bits; bit++)
		r->address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	r->path[0] = (struct spx_path){.kind = SPX_NEXT_HOP_KIND_gateway,
		.port = (uint16_t)(spx_random(seed) % 4),
		.weight = 1,
		.gateway = {10, 0, 0, (uint8_t)(1 + spx_random(seed) % 3)}};
}

static void
expect(const struct route_fixture *f, const struct model *m, enum spx_route_family family,
	const uint8_t *address, uint32_t id)
{
	const struct spx_route *right = model_lookup(m, family, address);
	const struct spx_next_hop *hop = &spx_route_next_hops(f->routes)[id];
	char text[SPX_ROUTE_TEXT];

	spx_route_format(family, address, UINT8_MAX, text);
	if (right == NULL) {
		cr_assert_eq(id, SPX_NEXT_HOP_NONE, "%s has no route, got next hop %u", text, id);
		return;
	}
	cr_assert(hop->kind == SPX_NEXT_HOP_KIND_gateway && hop->port == right->path[0].port &&
			  memcmp(hop->gateway, right->path[0].gateway, sizeof(hop->gateway)) == 0,
		"%s: wrong next hop %u, should be of the prefix of %u bits", text, id, right->length);
}

static void
compare(const struct route_fixture *f, const struct model *m, uint64_t *seed)
{
	struct spx_key4 key4[SPX_BURST_MAX] = {0};
	struct spx_key6 key6[SPX_BURST_MAX] = {0};
	uint64_t hash[SPX_BURST_MAX] = {0}, set = spx_random(seed) | 1;
	uint8_t address[2][SPX_BURST_MAX][SPX_ROUTE_ADDRESS_BYTES];
	uint32_t id4[SPX_BURST_MAX], id6[SPX_BURST_MAX];
	unsigned i;

	for (i = 0; i < SPX_BURST_MAX; i++) {
		random_address(seed, SPX_ROUTE_IPV4, address[0][i]);
		random_address(seed, SPX_ROUTE_IPV6, address[1][i]);
		memcpy(key4[i].dip, address[0][i], sizeof(key4[i].dip));
		memcpy(key6[i].dip, address[1][i], sizeof(key6[i].dip));
		id4[i] = id6[i] = 54321;
	}
	spx_route_lookup4(f->routes, key4, hash, set, UINT64_MAX, id4);
	spx_route_lookup6(f->routes, key6, hash, set, UINT64_MAX, id6);
	for (i = 0; i < SPX_BURST_MAX; i++) {
		if ((set >> i & 1) != 0) {
			expect(f, m, SPX_ROUTE_IPV4, address[0][i], id4[i]);
			expect(f, m, SPX_ROUTE_IPV6, address[1][i], id6[i]);
		} else {
			cr_assert(id4[i] == 54321 && id6[i] == 54321, "packet %u is not of the set", i);
		}
	}
}

static bool
count_visit(void *arg, const struct spx_route *route)
{
	struct spx_route *there = model_find(((void **)arg)[0], route);

	cr_assert_not_null(there);
	cr_assert_eq(there->origin, route->origin);
	cr_assert_eq(there->path[0].port, route->path[0].port);
	++*(size_t *)((void **)arg)[1];
	return true;
}

Test(route_property, batches_against_a_list, .init = start)
{
	static struct model model, tried;
	struct route_fixture f = {0};
	struct spx_route_change change[BATCH_MAX];
	uint64_t seed = 5;
	unsigned refused = 0;

	route_fixture_open(&f, NULL);
	for (unsigned b = 0; b < BATCHES; b++) {
		const size_t n = 1 + spx_random(&seed) % BATCH_MAX;
		int rc = 0, right = 0;
		size_t visited = 0;

		tried = model;
		for (size_t i = 0; i < n; i++) {
			random_change(&seed, &change[i]);
			if (tried.n > ROUTES_MAX / 3 && change[i].operation == SPX_ROUTE_REPLACE)
				change[i].operation = SPX_ROUTE_DELETE;
			if (change[i].operation == SPX_ROUTE_DELETE && spx_random(&seed) % 64 != 0 &&
				tried.n > 0) {
				change[i].route = tried.route[spx_random(&seed) % tried.n];
			}
			if (right == 0)
				right = model_change(&tried, &change[i]);
		}
		rc = spx_route_table_change(f.table, change, n, &f.err);
		cr_assert_eq(rc, right, "batch %u: %d, should be %d: %s", b, rc, right, f.err.text);
		if (rc == 0)
			model = tried;
		refused += rc != 0;
		compare(&f, &model, &seed);
		if (b % 50 == 0) {
			spx_route_table_walk(f.table, count_visit, (void *[]){&model, &visited});
			cr_assert_eq(visited, model.n);
		}
	}
	cr_expect_gt(refused, BATCHES / 20, "the batches have mistakes in them: %u", refused);
	cr_expect_gt(model.n, 100, "and the table is not empty: %zu", model.n);
	route_fixture_close(&f);
}
