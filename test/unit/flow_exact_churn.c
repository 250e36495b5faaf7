/* The exact cache against its model: random bursts, insertions, generations, expiry, at all shapes. */
#include <stdlib.h>
#include <string.h>

#include "test/unit/eal.h"
#include "test/unit/flow_exact_pair.h"

TestSuite(flow_exact, .init = test_eal_start);

/* A burst of different flows out of `flows`, most of them out of the lower few. Returns how many. */
static unsigned
draw_burst(uint64_t *random, uint32_t flows, uint32_t id[])
{
	unsigned n = 1 + (unsigned)(spx_random(random) % SPX_BURST_MAX), kept = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t most = spx_random(random) % 4 == 0 ? flows : flows / 4 + 1;
		uint32_t drawn = (uint32_t)(spx_random(random) % most);
		unsigned k = 0;

		while (k < kept && id[k] != drawn)
			k++;
		if (k == kept)
			id[kept++] = drawn;
	}
	return kept;
}

static void
churn(struct pair_shape shape, unsigned bursts, uint64_t seed)
{
	uint32_t flows = (uint32_t)(2 * shape.entries + 8), id[SPX_BURST_MAX];
	struct pair p;

	pair_create(&p, shape);
	for (unsigned b = 0; b < bursts; b++) {
		unsigned n = draw_burst(&seed, flows, id);
		uint64_t misses = pair_lookup(&p, id, n), event = spx_random(&seed);

		/* Not all that missed enter. */
		pair_insert(&p, id, misses & (spx_random(&seed) | spx_random(&seed)));
		if (event % 16 == 0)
			spx_flow_exact_age(p.cache);
		if (event % 8 == 1)
			pair_time(&p, p.now + event / 8 % 64);
		if (event % 32 == 2)
			pair_sweep(&p, 1 + event / 32 % p.sets, 100);
		if (event % 256 == 3)
			pair_generation(&p, p.generation + 1);
		if (event % 1024 == 4)
			pair_flush(&p);
		if (b % 64 == 0)
			pair_check(&p);
	}
	pair_check(&p);
	pair_flush(&p);
	pair_check(&p);
	cr_assert_eq(p.departed, p.accounted);
	pair_free(&p);
}

static void
churn_all_ways(enum spx_flow_family family)
{
	static const uint64_t entries[] = {1, 7, 100, 3000};
	static uint64_t (*const hash[])(uint32_t) = {pair_hash_good, pair_hash_one, pair_hash_tags};

	for (unsigned ways = 1; ways <= SPX_FLOW_WAYS_MAX; ways++) {
		for (unsigned e = 0; e < RTE_DIM(entries); e++)
			churn((struct pair_shape){family, entries[e], ways, hash[(ways + e) % 3]}, 600, ways);
	}
}

Test(flow_exact, churn_ipv4)
{
	churn_all_ways(SPX_FLOW_IPV4);
}

Test(flow_exact, churn_ipv6)
{
	churn_all_ways(SPX_FLOW_IPV6);
}

/* Flows of one hash: the full key decides. */
Test(flow_exact, flows_of_one_hash)
{
	uint32_t id[40];
	struct pair p;

	for (uint32_t i = 0; i < RTE_DIM(id); i++)
		id[i] = i;
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		pair_create(&p, (struct pair_shape){family, 64, 16, pair_hash_one});
		cr_assert_eq(pair_lookup(&p, id, 16), spx_set_first(16));
		pair_insert(&p, id, spx_set_first(16));
		cr_assert_eq(pair_lookup(&p, id, 40), spx_set_first(40) & ~spx_set_first(16));
		pair_insert(&p, id, spx_set_first(40) & ~spx_set_first(16));
		pair_check(&p);
		cr_assert_eq(spx_set_count(pair_lookup(&p, id, 40)), 24);
		pair_free(&p);
	}
}

/* After the rules have changed no flow answers as before; all go on counting. */
Test(flow_exact, generation_comes_between)
{
	uint32_t id[64];
	struct pair p;

	for (uint32_t i = 0; i < RTE_DIM(id); i++)
		id[i] = 5 * i;
	pair_create(&p, (struct pair_shape){SPX_FLOW_IPV4, 1024, 16, pair_hash_good});
	pair_insert(&p, id, pair_lookup(&p, id, 64));
	cr_assert_eq(pair_lookup(&p, id, 64), 0);
	pair_generation(&p, 2);
	cr_assert_eq(pair_lookup(&p, id, 64), UINT64_MAX);
	pair_insert(&p, id, UINT64_MAX);
	cr_assert_eq(pair_lookup(&p, id, 64), 0);
	cr_assert_eq(p.renewed, 64);
	cr_assert_eq(p.inserted, 64);
	pair_check(&p);
	pair_free(&p);
}

/* The state of a flow is its action's: 0 when it enters and when the rules have changed. */
Test(flow_exact, state_begins_with_zero)
{
	const struct spx_flow_exact_options options = {
		.family = SPX_FLOW_IPV4, .entries = 1, .ways = 1, .socket = SOCKET_ID_ANY};
	const struct spx_key4 key[2] = {{.proto = 6}, {.proto = 17}};
	const uint64_t hash[2] = {1, 2};
	const uint32_t one[2] = {1, 1};
	struct spx_flow_data *found[2];
	struct spx_flow_exact *x;

	cr_assert_eq(spx_flow_exact_create(&options, &x, NULL), 0);
	for (uint32_t generation = 1; generation < 4; generation++) {
		spx_flow_exact_set_generation(x, generation);
		for (unsigned i = 0; i < 2; i++) {
			cr_assert_eq(spx_flow_exact_lookup4(x, key, hash, 1u << i, found), 0);
			spx_flow_exact_insert4(x, key, hash, 1u << i, one, one, one);
			cr_assert_eq(spx_flow_exact_lookup4(x, key, hash, 1u << i, found), 1u << i);
			cr_assert_eq(found[i]->state, 0);
			found[i]->state = 77;
			spx_flow_exact_set_generation(x, generation + 100);
			cr_assert_eq(spx_flow_exact_lookup4(x, key, hash, 1u << i, found), 0);
			spx_flow_exact_insert4(x, key, hash, 1u << i, one, one, one);
			cr_assert_eq(spx_flow_exact_lookup4(x, key, hash, 1u << i, found), 1u << i);
			cr_assert_eq(found[i]->state, 0);
			cr_assert_eq(found[i]->packets, 2);
			found[i]->state = 78;
			spx_flow_exact_set_generation(x, generation);
		}
	}
	spx_flow_exact_free(x);
}

/* Two flows of a burst come into the one way there is: the first one ends with its own counts. */
Test(flow_exact, two_of_a_burst_into_one_way)
{
	const uint32_t id[3] = {1, 2, 5};
	struct pair p;

	pair_create(&p, (struct pair_shape){SPX_FLOW_IPV6, 1, 1, pair_hash_one});
	pair_insert(&p, id, pair_lookup(&p, id, 3));
	cr_assert_eq(p.ended[SPX_FLOW_END_evicted], 2);
	cr_assert_eq(pair_lookup(&p, id, 3), 3);
	pair_check(&p);
	pair_free(&p);
}

/* Members outside the set are not touched. */
Test(flow_exact, only_members)
{
	const uint32_t id[4] = {1, 2, 3, 4};
	struct spx_flow_data *found[4] = {NULL};
	struct spx_key4 key[4];
	uint64_t hash[4];
	struct pair p;

	pair_create(&p, (struct pair_shape){SPX_FLOW_IPV4, 64, 4, pair_hash_good});
	pair_insert(&p, id, 0xb);
	for (unsigned i = 0; i < 4; i++) {
		key[i] = pair_key4(id[i]);
		hash[i] = pair_hash_good(id[i]);
	}
	cr_assert_eq(spx_flow_exact_lookup4(p.cache, key, hash, 0, found), 0);
	cr_assert_eq(spx_flow_exact_lookup4(p.cache, key, hash, 0x6, found), 0x2);
	cr_assert(found[0] == NULL && found[1] != NULL && found[3] == NULL);
	pair_free(&p);
}

Test(flow_exact, expiry_goes_round)
{
	uint32_t id[32];
	struct pair p;

	for (uint32_t i = 0; i < RTE_DIM(id); i++)
		id[i] = i;
	pair_create(&p, (struct pair_shape){SPX_FLOW_IPV4, 100, 5, pair_hash_good});
	pair_insert(&p, id, pair_lookup(&p, id, 32));
	pair_time(&p, p.now + 1000);
	pair_sweep(&p, 20, 1000); /* not more than 1,000 */
	cr_assert_eq(p.ended[SPX_FLOW_END_expired], 0);
	pair_lookup(&p, id, 10);
	pair_time(&p, p.now + 1);
	for (unsigned i = 0; i < 20; i++)
		pair_sweep(&p, 1, 1000);
	cr_assert_eq(p.ended[SPX_FLOW_END_expired] + p.ended[SPX_FLOW_END_evicted], 22);
	pair_check(&p);
	pair_free(&p);
}
