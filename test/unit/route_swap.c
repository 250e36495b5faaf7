/* Readers beside the control thread: a batch is seen as a whole, a neighbour's word is seen whole, and ids
 * are not used again under a reader's hands. */
#include <pthread.h>
#include <sched.h>

#include "test/unit/eal.h"
#include "test/unit/route_fixture.h"

static void
start(void)
{
	test_eal_start_with("512");
}

struct reader {
	struct route_fixture *f;
	pthread_t thread;
	uint64_t turns; /* how often it stood between two looks */
	bool stop;
	uint64_t mixed, wrong, seen[2]; /* bursts with answers of both batches, of none; of each */
};

/* The publisher waits until the reader has begun a turn after the swap. */
static void
grace(void *arg)
{
	struct reader *r = arg;
	const uint64_t from = __atomic_load_n(&r->turns, __ATOMIC_SEQ_CST);

	while (__atomic_load_n(&r->turns, __ATOMIC_SEQ_CST) < from + 2)
		sched_yield();
}

#define PREFIXES 64u

static void
look(struct reader *r)
{
	const struct spx_routes *routes = __atomic_load_n(&r->f->routes, __ATOMIC_SEQ_CST);
	const struct spx_next_hop *hop = spx_route_next_hops(routes);
	struct spx_key4 key4[PREFIXES] = {0};
	struct spx_key6 key6[PREFIXES] = {0};
	uint64_t hash[PREFIXES] = {0};
	uint32_t id[2][PREFIXES];
	unsigned odd = 0;

	for (unsigned i = 0; i < PREFIXES; i++) {
		memcpy(key4[i].dip, (uint8_t[]){10, (uint8_t)i, 0, 1}, 4);
		memcpy(key6[i].dip, (uint8_t[]){0x20, 1, (uint8_t)i}, 3);
	}
	spx_route_lookup4(routes, key4, hash, UINT64_MAX, UINT64_MAX, id[0]);
	spx_route_lookup6(routes, key6, hash, UINT64_MAX, UINT64_MAX, id[1]);
	for (unsigned i = 0; i < 2 * PREFIXES; i++) {
		const struct spx_next_hop *h = &hop[id[i / PREFIXES][i % PREFIXES]];

		/* the gateway of batch g is ...g on port g, g = 0 and 1 alternately */
		if (h->kind != SPX_NEXT_HOP_KIND_gateway || (h->gateway[3] & 1) != h->port)
			r->wrong++;
		odd += h->port;
	}
	if (odd != 0 && odd != 2 * PREFIXES)
		r->mixed++;
	else
		r->seen[odd != 0]++;
}

static void *
read_on(void *arg)
{
	struct reader *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		look(r);
		__atomic_add_fetch(&r->turns, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Another gateway each time, so that next hops come and go: by half of the prefixes each, in two orders. */
static void
batch(struct route_fixture *f, unsigned round)
{
	static struct spx_route_change change[2 * PREFIXES];

	for (unsigned i = 0; i < 2 * PREFIXES; i++) {
		struct spx_route *r = &change[i].route;
		const unsigned k = round % 3 == 0 ? 2 * PREFIXES - 1 - i : i;

		change[i] = (struct spx_route_change){.operation = SPX_ROUTE_REPLACE};
		r->family = k >= PREFIXES;
		r->length = r->family == SPX_ROUTE_IPV4 ? 16 : 24;
		r->n_paths = 1;
		memcpy(r->address,
			r->family == SPX_ROUTE_IPV4 ? (uint8_t[]){10, (uint8_t)k, 0}
						    : (uint8_t[]){0x20, 1, (uint8_t)(k - PREFIXES)},
			3);
		r->path[0] = (struct spx_path){.kind = SPX_NEXT_HOP_KIND_gateway,
			.port = (uint16_t)(round & 1),
			.gateway = {10, (uint8_t)(1 + k % 2), 0, (uint8_t)(round % 200)}};
	}
	cr_assert_eq(
		spx_route_table_change(f->table, change, RTE_DIM(change), &f->err), 0, "%s", f->err.text);
}

/* A batch of which the last change is a mistake: nobody may see anything of it. */
static void
bad_batch(struct route_fixture *f)
{
	struct spx_route_change change[2] = {
		{.operation = SPX_ROUTE_REPLACE,
			.route = {.length = 16,
				.address = {10, 7},
				.n_paths = 1,
				.path = {{.kind = SPX_NEXT_HOP_KIND_blackhole}}}},
		{.operation = SPX_ROUTE_DELETE, .route = {.length = 16, .address = {99, 7}}},
	};

	cr_assert_lt(spx_route_table_change(f->table, change, 2, &f->err), 0);
}

Test(route_swap, batches_are_seen_whole, .init = start)
{
	struct route_fixture f = {0};
	struct reader r = {.f = &f};

	route_fixture_open(&f, NULL);
	batch(&f, 0);
	pthread_create(&r.thread, NULL, read_on, &r);
	f.grace = grace;
	f.arg = &r;
	for (unsigned round = 1; round < 400; round++) {
		batch(&f, round);
		if (round % 16 == 0)
			bad_batch(&f);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(r.thread, NULL);
	cr_expect(r.mixed == 0 && r.wrong == 0, "%lu bursts of two batches, %lu wrong answers", r.mixed,
		r.wrong);
	cr_expect(r.seen[0] > 50 && r.seen[1] > 50, "seen %lu and %lu times", r.seen[0], r.seen[1]);
	cr_expect_leq(spx_route_next_hop_limit(f.routes), 12, "ids are used again: %u",
		spx_route_next_hop_limit(f.routes));
	route_fixture_close(&f);
}

/* ---- words ----------------------------------------------------------------------------------------- */

struct watcher {
	struct spx_next_hop *hop;
	bool stop;
	uint64_t torn, changes;
};

/* State and each byte of the address belong together: the writer makes them so. */
static void *
watch(void *arg)
{
	struct watcher *w = arg;
	uint64_t before = 0;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		const uint64_t word = spx_next_hop_use(w->hop);
		uint8_t mac[6];

		spx_neighbour_word_mac(word, mac);
		for (unsigned i = 1; i < 6; i++)
			w->torn += mac[i] != mac[0];
		w->torn += mac[0] % 5u + 1 != (unsigned)spx_neighbour_word_state(word);
		__atomic_store_n(&w->changes, w->changes + (word != before), __ATOMIC_RELAXED);
		before = word;
	}
	return NULL;
}

Test(route_swap, words_are_seen_whole, .init = start)
{
	struct route_fixture f = {0};
	struct watcher w = {0};
	pthread_t thread;
	uint8_t gateway[SPX_ROUTE_ADDRESS_BYTES] = {192, 0, 2, 1}, mac[6] = {0};

	route_fixture_open(&f, NULL);
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_ADD, "10.0.0.0/8 via 192.0.2.1 dev p1\n"), 0);
	w.hop = &spx_route_next_hops(f.routes)[route_fixture_lookup(&f, "10.1.1.1", 0, UINT64_MAX)];
	cr_assert_eq(w.hop->neighbour, 0);
	cr_assert_eq(spx_route_resolve(f.routes, SPX_ROUTE_IPV4, 2, gateway, 1), 0, "another port's");
	cr_assert_eq(spx_route_resolve(f.routes, SPX_ROUTE_IPV4, 1, gateway,
			     spx_neighbour_word(SPX_NEIGHBOUR_incomplete, mac)),
		1);
	pthread_create(&thread, NULL, watch, &w);
	for (unsigned n = 0; __atomic_load_n(&w.changes, __ATOMIC_RELAXED) < 200; n++) {
		memset(mac, (int)(n % 250), sizeof(mac));
		spx_route_resolve(f.routes, SPX_ROUTE_IPV4, 1, gateway,
			spx_neighbour_word((enum spx_neighbour_state)(mac[0] % 5 + 1), mac));
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_expect_eq(w.torn, 0);
	cr_expect(spx_next_hop_take_used(w.hop) && !spx_next_hop_take_used(w.hop));
	cr_assert_eq(route_fixture_change(&f, SPX_ROUTE_DELETE, "10.0.0.0/8 blackhole\n"), 0);
	cr_expect_eq(spx_route_resolve(f.routes, SPX_ROUTE_IPV4, 1, gateway, 0), 0, "it is gone");
	route_fixture_close(&f);
}
