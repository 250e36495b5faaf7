/* The neighbour table's policy, call by call: how a neighbour is resolved, ages, fails; who goes from a full
 * table; what strangers can do. Time is an argument, so nothing here waits. */
#include <errno.h>
#include <pthread.h>

#include "test/unit/eal.h"
#include "test/unit/route_fixture.h"

#define ADDRESS(a, b)                                                                                        \
	(const uint8_t[SPX_ROUTE_ADDRESS_BYTES])                                                             \
	{                                                                                                    \
		10, 0, (uint8_t)(a), (uint8_t)(b)                                                            \
	}

static const uint8_t one[6] = {2, 0, 0, 0, 0, 1}, two[6] = {2, 0, 0, 0, 0, 2};

struct bench_table {
	struct spx_neighbours *t;
	struct spx_neighbour_event event, evicted, ticked[64];
	unsigned n_ticked;
	struct spx_neighbour seen;
};

static void
open_table(struct bench_table *b, uint32_t capacity)
{
	struct spx_neighbour_options o = {.capacity = capacity, .socket = -1};
	struct spx_error err;

	*b = (struct bench_table){0};
	spx_hash_seed_from(&o.seed, 3);
	cr_assert_eq(spx_neighbours_create(&o, &b->t, &err), 0, "%s", err.text);
}

static int
want(struct bench_table *b, const uint8_t *address, uint64_t now)
{
	return spx_neighbour_want(b->t, SPX_ROUTE_IPV4, 1, address, now, &b->event, &b->evicted);
}

static int
heard(struct bench_table *b, const uint8_t *address, const uint8_t mac[6], unsigned flags, uint64_t now)
{
	return spx_neighbour_heard(b->t, SPX_ROUTE_IPV4, 1, address, mac, flags, now, &b->seen, NULL);
}

/* What a tick asks for, if it is one thing; -1 for several. */
static int
tick(struct bench_table *b, uint64_t now)
{
	b->n_ticked = spx_neighbour_tick(b->t, now, b->ticked, RTE_DIM(b->ticked));
	return b->n_ticked == 0 ? SPX_NEIGHBOUR_NOTHING : b->n_ticked == 1 ? b->ticked[0].what : -1;
}

static enum spx_neighbour_state
state(const struct bench_table *b, const uint8_t *address)
{
	const uint32_t i = spx_neighbour_find(b->t, SPX_ROUTE_IPV4, 1, address);
	struct spx_neighbour n;

	return i != SPX_NEIGHBOUR_NONE && spx_neighbour_read(b->t, i, &n) ? n.state : SPX_NEIGHBOUR_none;
}

/* A worker looks it up. */
static uint64_t
used(struct bench_table *b, const uint8_t *address)
{
	struct spx_key4 key = {0};
	uint16_t port = 1;
	uint64_t word = 99;

	memcpy(key.dip, address, sizeof(key.dip));
	spx_neighbour_lookup4(b->t, &key, &port, 1, &word);
	return word;
}

static void
resolve(struct bench_table *b, const uint8_t *address, const uint8_t mac[6], uint64_t now)
{
	cr_assert_eq(want(b, address, now), 0);
	cr_assert_eq(heard(b, address, mac, SPX_NEIGHBOUR_SOLICITED | SPX_NEIGHBOUR_OVERRIDE, now), 1);
}

#define BOTH (SPX_NEIGHBOUR_SOLICITED | SPX_NEIGHBOUR_OVERRIDE)

static void
answers(void)
{
	const uint8_t *a = ADDRESS(0, 1);
	struct bench_table b;

	open_table(&b, 8);
	cr_expect_eq(used(&b, a), 0);
	cr_expect_eq(heard(&b, a, one, BOTH, 0), -ENOENT, "nobody asked");
	cr_assert_eq(want(&b, a, 1000), 0);
	cr_expect(b.event.what == SPX_NEIGHBOUR_SOLICIT && b.evicted.what == SPX_NEIGHBOUR_NOTHING);
	cr_expect_eq(want(&b, a, 1500), 0);
	cr_expect_eq(b.event.what, SPX_NEIGHBOUR_NOTHING, "asked already");
	cr_expect_eq(tick(&b, 1999), SPX_NEIGHBOUR_NOTHING);
	cr_expect_eq(tick(&b, 2000), SPX_NEIGHBOUR_SOLICIT);
	cr_expect_not(spx_neighbour_word_usable(used(&b, a)));
	cr_expect_eq(heard(&b, a, (const uint8_t[6]){1, 0, 0, 0, 0, 1}, BOTH, 2100), -EINVAL, "multicast");
	cr_expect_eq(heard(&b, a, (const uint8_t[6]){0}, BOTH, 2100), -EINVAL);
	cr_expect_eq(heard(&b, a, one, BOTH, 2100), 1);
	cr_expect(b.seen.state == SPX_NEIGHBOUR_reachable && memcmp(b.seen.mac, one, 6) == 0);
	cr_expect_eq(used(&b, a), spx_neighbour_word(SPX_NEIGHBOUR_reachable, one));
	cr_expect_eq(tick(&b, 30000), SPX_NEIGHBOUR_NOTHING);
	cr_expect_eq(tick(&b, 32100), SPX_NEIGHBOUR_NOTHING, "stale now, but nobody uses it");
	cr_expect_eq(state(&b, a), SPX_NEIGHBOUR_stale);
	used(&b, a);
	cr_expect_eq(tick(&b, 32200), SPX_NEIGHBOUR_ASK);
	cr_expect(spx_neighbour_word_usable(used(&b, a)), "it can be sent to meanwhile");
	cr_expect_eq(heard(&b, a, one, 0, 32300), 0, "no answer: proves nothing");
	cr_expect_eq(state(&b, a), SPX_NEIGHBOUR_probe);
	cr_expect_eq(heard(&b, a, one, SPX_NEIGHBOUR_SOLICITED, 32300), 0, "known, so nobody has to be told");
	cr_expect_eq(state(&b, a), SPX_NEIGHBOUR_reachable);
	cr_expect_eq(tick(&b, 62299), SPX_NEIGHBOUR_NOTHING);
	cr_expect_eq(state(&b, a), SPX_NEIGHBOUR_reachable, "confirmed at 32300");
	cr_expect_eq(tick(&b, 62300 + 600000), SPX_NEIGHBOUR_GONE, "forgotten");
	cr_expect(b.ticked[0].neighbour.address[3] == 1 && state(&b, a) == SPX_NEIGHBOUR_none);
	spx_neighbours_free(b.t);
}

static void
failures(void)
{
	const uint8_t *a = ADDRESS(0, 1);
	struct bench_table b;

	open_table(&b, 8);
	cr_assert_eq(want(&b, a, 0), 0);
	cr_expect_eq(tick(&b, 1000), SPX_NEIGHBOUR_SOLICIT);
	cr_expect_eq(tick(&b, 2000), SPX_NEIGHBOUR_SOLICIT);
	cr_expect_eq(tick(&b, 3000), SPX_NEIGHBOUR_FAIL);
	cr_expect_eq(b.ticked[0].neighbour.state, SPX_NEIGHBOUR_failed);
	cr_expect_eq(want(&b, a, 3100), 0);
	cr_expect_eq(b.event.what, SPX_NEIGHBOUR_NOTHING, "not yet");
	cr_expect_eq(tick(&b, 6000), SPX_NEIGHBOUR_SOLICIT, "wanted meanwhile");
	cr_expect_eq(tick(&b, 7000), SPX_NEIGHBOUR_SOLICIT);
	cr_expect_eq(tick(&b, 8000), SPX_NEIGHBOUR_SOLICIT);
	cr_expect_eq(tick(&b, 9000), SPX_NEIGHBOUR_FAIL);
	cr_expect_eq(tick(&b, 12000), SPX_NEIGHBOUR_GONE, "nobody wanted it");
	resolve(&b, a, one, 20000);
	used(&b, a);
	cr_expect_eq(tick(&b, 50000), SPX_NEIGHBOUR_ASK);
	cr_expect_eq(tick(&b, 51000), SPX_NEIGHBOUR_ASK);
	cr_expect_eq(tick(&b, 52000), SPX_NEIGHBOUR_ASK);
	cr_expect_eq(tick(&b, 53000), SPX_NEIGHBOUR_FAIL);
	cr_expect_not(spx_neighbour_word_usable(used(&b, a)));
	cr_expect_eq(heard(&b, a, two, SPX_NEIGHBOUR_OVERRIDE, 53500), 1, "it comes back by itself");
	cr_expect_eq(state(&b, a), SPX_NEIGHBOUR_stale);
	cr_expect_eq(want(&b, a, 53600), 0);
	cr_expect_eq(b.event.what, SPX_NEIGHBOUR_ASK, "a stale one that is wanted is asked");
	cr_expect_eq(want(&b, ADDRESS(0, 0), 0), 0, "10.0.0.0 can be a station");
	cr_expect_eq(want(&b, (const uint8_t[16]){0}, 0), -EINVAL);
	cr_expect_eq(want(&b, (const uint8_t[16]){224}, 0), -EINVAL);
	cr_expect_eq(want(&b, (const uint8_t[16]){255, 255, 255, 255}, 0), -EINVAL);
	spx_neighbours_free(b.t);
}

/* RFC 4861, 7.2.5, and the lock against flapping. */
static void
other_macs(void)
{
	const uint8_t *a = ADDRESS(0, 1);
	struct bench_table b;

	open_table(&b, 8);
	resolve(&b, a, one, 10000);
	cr_expect_eq(heard(&b, a, two, BOTH, 10999), 0, "too early, and no answer to a question");
	cr_expect_eq(used(&b, a), spx_neighbour_word(SPX_NEIGHBOUR_reachable, one));
	cr_expect_eq(heard(&b, a, two, 0, 12000), 0, "no override: only doubts");
	cr_expect_eq(used(&b, a), spx_neighbour_word(SPX_NEIGHBOUR_stale, one));
	cr_expect_eq(heard(&b, a, two, SPX_NEIGHBOUR_OVERRIDE, 12000), 1);
	cr_expect_eq(used(&b, a), spx_neighbour_word(SPX_NEIGHBOUR_stale, two));
	cr_expect_eq(tick(&b, 12100), SPX_NEIGHBOUR_ASK);
	cr_expect_eq(heard(&b, a, one, BOTH, 12200), 1, "an answer counts at once");
	cr_expect_eq(used(&b, a), spx_neighbour_word(SPX_NEIGHBOUR_reachable, one));
	for (unsigned i = 0; i < 1000; i++)
		heard(&b, a, i % 2 == 0 ? two : one, BOTH, 12201 + i / 2);
	cr_expect_eq(
		used(&b, a), spx_neighbour_word(SPX_NEIGHBOUR_reachable, one), "half a second of flapping");
	cr_assert_eq(spx_neighbour_set(b.t, SPX_ROUTE_IPV4, 1, a, two, 20000, &b.event, &b.evicted), 0);
	cr_expect_eq(heard(&b, a, one, BOTH, 30000), 0);
	cr_expect_eq(used(&b, a), spx_neighbour_word(SPX_NEIGHBOUR_permanent, two));
	cr_expect_eq(tick(&b, 10000000), SPX_NEIGHBOUR_NOTHING);
	cr_expect_eq(want(&b, a, 10000000), 0);
	cr_expect_eq(b.event.what, SPX_NEIGHBOUR_NOTHING);
	spx_neighbour_remove(b.t, b.event.index, &b.event);
	cr_expect(b.event.what == SPX_NEIGHBOUR_GONE && state(&b, a) == SPX_NEIGHBOUR_none);
	spx_neighbour_remove(b.t, b.event.index, &b.event);
	cr_expect_eq(b.event.what, SPX_NEIGHBOUR_NOTHING);
	cr_expect_eq(
		spx_neighbour_set(b.t, SPX_ROUTE_IPV4, 1, a, (const uint8_t[6]){1}, 0, &b.event, &b.evicted),
		-EINVAL);
	spx_neighbours_free(b.t);
}

/* Who goes: failed, then waiting, then unused for long; nobody else. */
static void
full(void)
{
	struct bench_table b;

	open_table(&b, 4);
	cr_assert_eq(
		spx_neighbour_set(b.t, SPX_ROUTE_IPV4, 1, ADDRESS(0, 1), one, 0, &b.event, &b.evicted), 0);
	cr_assert_eq(want(&b, ADDRESS(0, 2), 0), 0);
	for (uint64_t now = 1000; now <= 3000; now += 1000)
		tick(&b, now);
	cr_expect_eq(state(&b, ADDRESS(0, 2)), SPX_NEIGHBOUR_failed);
	resolve(&b, ADDRESS(0, 3), one, 3000);
	cr_assert_eq(want(&b, ADDRESS(0, 4), 3000), 0);
	cr_assert_eq(want(&b, ADDRESS(0, 5), 3100), 0);
	cr_expect(b.evicted.what == SPX_NEIGHBOUR_GONE && b.evicted.neighbour.address[3] == 2,
		"the failed one");
	cr_expect_eq(b.event.index, b.evicted.index, "in its place");
	cr_expect_eq(want(&b, ADDRESS(0, 6), 3900), -ENOSPC, "both had no second yet");
	cr_expect_eq(tick(&b, 4050), SPX_NEIGHBOUR_SOLICIT);
	cr_assert_eq(want(&b, ADDRESS(0, 6), 4060), 0);
	cr_expect(b.evicted.what == SPX_NEIGHBOUR_GONE && b.evicted.neighbour.address[3] == 4, "asked twice");
	cr_assert_eq(heard(&b, ADDRESS(0, 5), one, BOTH, 4100), 1);
	cr_assert_eq(heard(&b, ADDRESS(0, 6), one, BOTH, 4100), 1);
	cr_expect_eq(want(&b, ADDRESS(0, 7), 62999), -ENOSPC, "all used in the last minute");
	used(&b, ADDRESS(0, 3));
	cr_assert_eq(want(&b, ADDRESS(0, 7), 64100), 0, "3 was used just now, 5 not for a minute");
	cr_expect_eq(b.evicted.neighbour.address[3], 5);
	cr_expect_eq(state(&b, ADDRESS(0, 1)), SPX_NEIGHBOUR_permanent);
	cr_expect_eq(state(&b, ADDRESS(0, 3)), SPX_NEIGHBOUR_reachable);
	spx_neighbours_free(b.t);
}

/* One address on two ports, IPv4 and IPv6 of the same bytes: four neighbours. */
static void
keys(void)
{
	const uint8_t *a = ADDRESS(0, 1);
	struct spx_key6 key6 = {0};
	struct bench_table b;
	uint64_t word;

	open_table(&b, 8);
	memcpy(key6.dip, a, sizeof(key6.dip));
	for (unsigned i = 0; i < 4; i++) {
		cr_assert_eq(spx_neighbour_set(b.t, (enum spx_route_family)(i / 2), (uint16_t)(i % 2), a,
				     (const uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)i}, 0, &b.event, &b.evicted),
			0);
		cr_expect_eq(b.event.index, i);
	}
	spx_neighbour_lookup6(b.t, &key6, (const uint16_t[]){1}, 1, &word);
	cr_expect_eq(word, spx_neighbour_word(SPX_NEIGHBOUR_permanent, (const uint8_t[6]){2, 0, 0, 0, 0, 3}));
	cr_expect_eq(used(&b, a),
		spx_neighbour_word(SPX_NEIGHBOUR_permanent, (const uint8_t[6]){2, 0, 0, 0, 0, 1}));
	cr_expect_eq(spx_neighbour_find(b.t, SPX_ROUTE_IPV4, 2, a), SPX_NEIGHBOUR_NONE);
	spx_neighbours_free(b.t);
}

/* A million messages of strangers, then 200,000 addresses asked for that nobody has: what is in use stays. */
static void
strangers(void)
{
	struct spx_neighbour_stats stats;
	struct bench_table b;
	uint64_t seed = 11, now = 10000;
	unsigned refused = 0;

	open_table(&b, 4096);
	for (unsigned i = 1; i <= 200; i++)
		resolve(&b, ADDRESS(1, i), one, now);
	for (unsigned i = 0; i < 1000000; i++) {
		const uint64_t r = spx_random(&seed);

		cr_assert_eq(heard(&b, ADDRESS(2 + r % 250, r >> 8), two, BOTH, now), -ENOENT);
	}
	spx_neighbour_stats(b.t, &stats);
	cr_expect(stats.created == 200 && stats.ignored == 1000000 &&
		  stats.state[SPX_NEIGHBOUR_none] == 4096 - 200);
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t address[SPX_ROUTE_ADDRESS_BYTES] = {
			11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		refused += want(&b, address, now) == -ENOSPC;
		if (i % 100 != 0)
			continue;
		now += 100;
		for (unsigned k = 1; k <= 200; k++)
			cr_assert(spx_neighbour_word_usable(used(&b, ADDRESS(1, k))));
		while ((b.n_ticked = spx_neighbour_tick(b.t, now, b.ticked, RTE_DIM(b.ticked))) > 0) {
			for (unsigned k = 0; k < b.n_ticked; k++)
				if (b.ticked[k].what == SPX_NEIGHBOUR_ASK)
					heard(&b, b.ticked[k].neighbour.address, one, BOTH, now);
			if (b.n_ticked < RTE_DIM(b.ticked))
				break;
		}
	}
	spx_neighbour_stats(b.t, &stats);
	cr_expect_eq(stats.state[SPX_NEIGHBOUR_reachable] + stats.state[SPX_NEIGHBOUR_probe], 200);
	cr_expect_gt(stats.evicted, 1000);
	cr_expect_lt(refused, 200000);
	spx_neighbours_free(b.t);
}

static void
start(void)
{
	test_eal_start_with("512");
}

/* One EAL for all of them. */
Test(route_neighbour, policy, .init = start)
{
	struct spx_neighbour_options bad = {.capacity = 2000000};
	struct spx_neighbours *t;
	struct spx_error err;

	answers();
	failures();
	other_macs();
	full();
	keys();
	strangers();
	cr_expect_eq(spx_neighbours_create(&bad, &t, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "capacity is 2000000"), "%s", err.text);
	cr_assert_eq(spx_neighbours_create(NULL, &t, &err), 0);
	cr_expect_eq(spx_neighbour_capacity(t), 4096);
	spx_neighbours_free(t);
}
