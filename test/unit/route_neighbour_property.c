/* The neighbour table under random calls, against what must always hold, and under readers.
 *
 * The model knows each neighbour by its address: what was asked when, when it was used, which MAC address it
 * may have. It does not repeat the table's lists; it checks that every event is one that is allowed. */
#include <errno.h>
#include <pthread.h>

#include "test/unit/eal.h"
#include "test/unit/route_fixture.h"

#define ADDRESSES 24u
#define CAPACITY  10u
#define STEPS     200000u
#define BOTH      (SPX_NEIGHBOUR_SOLICITED | SPX_NEIGHBOUR_OVERRIDE)

struct known {
	bool there, permanent;
	uint32_t index;
	uint64_t asked_at, used_at, heard_at;
	unsigned questions; /* since the last answer */
	uint8_t mac;        /* last one told, whether believed or not */
};

struct model {
	struct spx_neighbours *t;
	struct known known[ADDRESSES];
	uint64_t now;
};

static void
start(void)
{
	test_eal_start_with("64");
}

/* Address number i: odd ones are IPv6. */
static enum spx_route_family
address_of(unsigned i, uint8_t address[SPX_ROUTE_ADDRESS_BYTES])
{
	memset(address, 0, SPX_ROUTE_ADDRESS_BYTES);
	address[0] = (uint8_t)(1 + i);
	return i % 2 == 0 ? SPX_ROUTE_IPV4 : SPX_ROUTE_IPV6;
}

static void
question(struct model *m, struct known *k, const struct spx_neighbour_event *e)
{
	cr_assert(!k->permanent && k->questions < SPX_NEIGHBOUR_PROBES);
	cr_assert(k->questions == 0 || m->now - k->asked_at >= 1000, "%lu after %lu", m->now, k->asked_at);
	cr_assert_eq(e->neighbour.state,
		e->what == SPX_NEIGHBOUR_ASK ? SPX_NEIGHBOUR_probe : SPX_NEIGHBOUR_incomplete);
	k->questions++;
	k->asked_at = m->now;
}

static void
happened(struct model *m, const struct spx_neighbour_event *e, bool evicted)
{
	struct known *k;

	if (e->what == SPX_NEIGHBOUR_NOTHING)
		return;
	k = &m->known[e->neighbour.address[0] - 1];
	cr_assert(k->there && k->index == e->index);
	if (e->what == SPX_NEIGHBOUR_FAIL) {
		cr_assert(k->questions == SPX_NEIGHBOUR_PROBES && m->now - k->asked_at >= 1000);
		k->questions = 0;
		k->asked_at = m->now;
	} else if (e->what == SPX_NEIGHBOUR_GONE) {
		cr_assert(!k->permanent);
		if (spx_neighbour_word_usable(e->neighbour.word))
			cr_assert_geq(m->now - k->used_at, evicted ? 60000 : 600000, "it was in use");
		*k = (struct known){.mac = k->mac};
	} else {
		question(m, k, e);
	}
}

static void
create_if_new(struct model *m, struct known *k, uint32_t index)
{
	if (!k->there)
		*k = (struct known){.there = true, .index = index, .mac = k->mac};
	cr_assert_eq(k->index, index, "an entry keeps its index");
	k->used_at = m->now;
}

static void
do_want(struct model *m, unsigned i, const uint8_t *address, enum spx_route_family family)
{
	struct spx_neighbour_event event, evicted;
	const int rc = spx_neighbour_want(m->t, family, 1, address, m->now, &event, &evicted);

	if (rc == -ENOSPC) {
		cr_assert_not(m->known[i].there);
		return;
	}
	cr_assert_eq(rc, 0);
	happened(m, &evicted, true);
	create_if_new(m, &m->known[i], event.index);
	happened(m, &event, false);
}

static void
do_heard(struct model *m, unsigned i, const uint8_t *address, enum spx_route_family family, uint64_t r)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(1 + r % 3)};
	struct spx_neighbour n;
	const int rc =
		spx_neighbour_heard(m->t, family, 1, address, mac, (unsigned)(r >> 8) & 3, m->now, &n, NULL);

	cr_assert_eq(rc == -ENOENT, !m->known[i].there);
	if (rc < 0)
		return;
	m->known[i].mac = mac[5];
	if (rc == 1)
		cr_assert(spx_neighbour_word_usable(n.word) && n.mac[5] == mac[5]);
	if (n.state == SPX_NEIGHBOUR_reachable || n.state == SPX_NEIGHBOUR_stale) {
		if (m->known[i].questions > 0)
			m->known[i].used_at = m->now;
		m->known[i].questions = 0;
	}
}

static void
do_set_or_remove(struct model *m, unsigned i, const uint8_t *address, enum spx_route_family family, bool set)
{
	struct spx_neighbour_event event, evicted;

	if (!set) {
		if (m->known[i].there) {
			spx_neighbour_remove(m->t, m->known[i].index, &event);
			cr_assert(
				event.what == SPX_NEIGHBOUR_GONE && event.neighbour.address[0] == address[0]);
			m->known[i] = (struct known){0};
		}
		return;
	}
	if (spx_neighbour_set(m->t, family, 1, address, (const uint8_t[6]){2}, m->now, &event, &evicted) != 0)
		return;
	happened(m, &evicted, true);
	create_if_new(m, &m->known[i], event.index);
	m->known[i].permanent = true;
	m->known[i].questions = 0;
}

static void
do_lookup(struct model *m, unsigned i, const uint8_t *address, enum spx_route_family family)
{
	struct spx_key4 key4 = {0};
	struct spx_key6 key6 = {0};
	const uint16_t port = 1;
	uint64_t word;

	memcpy(key4.dip, address, sizeof(key4.dip));
	memcpy(key6.dip, address, sizeof(key6.dip));
	if (family == SPX_ROUTE_IPV4)
		spx_neighbour_lookup4(m->t, &key4, &port, 1, &word);
	else
		spx_neighbour_lookup6(m->t, &key6, &port, 1, &word);
	cr_assert_eq(word != 0, m->known[i].there);
	cr_assert_eq(m->known[i].permanent, spx_neighbour_word_state(word) == SPX_NEIGHBOUR_permanent);
	m->known[i].used_at = m->now;
}

static void
do_tick(struct model *m)
{
	struct spx_neighbour_event event[3];
	unsigned n;

	do {
		n = spx_neighbour_tick(m->t, m->now, event, RTE_DIM(event));
		for (unsigned i = 0; i < n; i++)
			happened(m, &event[i], false);
	} while (n == RTE_DIM(event));
}

static void
check(const struct model *m)
{
	struct spx_neighbour_stats stats;
	unsigned there = 0, read = 0;
	struct spx_neighbour n;

	spx_neighbour_stats(m->t, &stats);
	for (unsigned i = 0; i < ADDRESSES; i++) {
		uint8_t address[SPX_ROUTE_ADDRESS_BYTES];
		const enum spx_route_family family = address_of(i, address);

		there += m->known[i].there;
		cr_assert_eq(spx_neighbour_find(m->t, family, 1, address),
			m->known[i].there ? m->known[i].index : SPX_NEIGHBOUR_NONE);
	}
	for (uint32_t i = 0; i < spx_neighbour_capacity(m->t); i++)
		read += spx_neighbour_read(m->t, i, &n);
	cr_assert(there == read && stats.state[SPX_NEIGHBOUR_none] == CAPACITY - there, "%u %u", there, read);
}

Test(route_neighbour_property, random_calls, .init = start)
{
	struct spx_neighbour_options o = {.capacity = CAPACITY, .socket = -1};
	struct spx_neighbour_stats stats;
	struct model m = {.now = 1000000};
	uint64_t seed = 21;

	cr_assert_eq(spx_neighbours_create(&o, &m.t, NULL), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		const uint64_t r = spx_random(&seed);
		const unsigned i = r % ADDRESSES, what = (r >> 16) % 64;
		uint8_t address[SPX_ROUTE_ADDRESS_BYTES];
		const enum spx_route_family family = address_of(i, address);

		m.now += (r >> 24) % 8 == 0 ? (r >> 32) % 2000 : 0;
		if ((r >> 40) % 20000 == 0)
			m.now += 700000;
		if (what < 16)
			do_want(&m, i, address, family);
		else if (what < 32)
			do_heard(&m, i, address, family, r >> 44);
		else if (what < 34)
			do_set_or_remove(&m, i, address, family, what == 32 && i < 3);
		else if (what < 44)
			do_lookup(&m, i, address, family);
		else if (what < 60)
			do_tick(&m);
		else
			check(&m);
	}
	spx_neighbour_stats(m.t, &stats);
	cr_expect(stats.evicted > 100 && stats.refused > 100 && stats.failed > 100 && stats.ignored > 100,
		"%lu %lu %lu %lu", stats.evicted, stats.refused, stats.failed, stats.ignored);
	spx_neighbours_free(m.t);
}

/* ---- readers --------------------------------------------------------------------------------------- */

/* One entry, which changes hands all the time under the readers' eyes. */
#define READ_CAPACITY 1u

struct reader {
	struct spx_neighbours *t;
	bool stop;
	uint64_t found, wrong;
};

/* The MAC address of neighbour i ends with i, whoever reads it. */
static void *
read_on(void *arg)
{
	struct reader *r = arg;
	struct spx_key4 key[ADDRESSES] = {0};
	uint16_t port[ADDRESSES];
	uint64_t word[ADDRESSES];

	for (unsigned i = 0; i < ADDRESSES; i++) {
		key[i].dip[0] = (uint8_t)(1 + i);
		port[i] = 1;
	}
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		struct spx_neighbour n;
		uint64_t found = 0;

		spx_neighbour_lookup4(r->t, key, port, spx_set_first(ADDRESSES), word);
		for (unsigned i = 0; i < ADDRESSES; i++) {
			uint8_t mac[6];

			spx_neighbour_word_mac(word[i], mac);
			found += spx_neighbour_word_usable(word[i]);
			r->wrong += spx_neighbour_word_usable(word[i]) && mac[5] != 1 + i;
		}
		for (unsigned k = 0; k < 100; k++)
			if (spx_neighbour_read(r->t, 0, &n) && spx_neighbour_word_usable(n.word))
				r->wrong += n.mac[5] != n.address[0];
		__atomic_store_n(&r->found, r->found + found, __ATOMIC_RELAXED);
	}
	return NULL;
}

Test(route_neighbour_property, readers, .init = start)
{
	struct spx_neighbour_options o = {.capacity = READ_CAPACITY, .socket = -1};
	struct reader r = {0};
	pthread_t thread;
	uint64_t seed = 4;

	cr_assert_eq(spx_neighbours_create(&o, &r.t, NULL), 0);
	pthread_create(&thread, NULL, read_on, &r);
	for (unsigned n = 0; n < 2000000 || __atomic_load_n(&r.found, __ATOMIC_RELAXED) < 10000; n++) {
		const unsigned i = spx_random(&seed) % ADDRESSES;
		const uint8_t address[SPX_ROUTE_ADDRESS_BYTES] = {(uint8_t)(1 + i)};
		const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(1 + i)};
		struct spx_neighbour_event event, evicted;

		if (spx_neighbour_want(r.t, SPX_ROUTE_IPV4, 1, address, n, &event, &evicted) == 0)
			spx_neighbour_heard(r.t, SPX_ROUTE_IPV4, 1, address, mac, BOTH, n, NULL, NULL);
		else
			spx_neighbour_remove(r.t, (uint32_t)(spx_random(&seed) % READ_CAPACITY), &event);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_expect_eq(r.wrong, 0, "%lu of %lu", r.wrong, r.found);
	spx_neighbours_free(r.t);
}
