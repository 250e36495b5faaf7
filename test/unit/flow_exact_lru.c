/* The order of use is exact: of sixteen entries, one packet after the other, the exact cache is a list LRU
 * hit for hit, and larger tables keep to the model, however long flows are idle and whoever ages them. */
#include <string.h>

#include "test/unit/eal.h"
#include "test/unit/flow_exact_pair.h"

TestSuite(flow_exact_lru, .init = test_eal_start);

#define LIST  16u
#define CHURN 1000u
#define IDLE  (65536u + 10u)

/* The most recently used one first. */
struct list {
	uint32_t id[LIST];
	unsigned n;
};

/* True when it was there; it is in any case afterwards, if `enter` or it was. */
static bool
list_use(struct list *l, uint32_t id, bool enter)
{
	unsigned at = 0;
	bool hit;

	while (at < l->n && l->id[at] != id)
		at++;
	hit = at < l->n;
	if (!hit && !enter)
		return false;
	if (!hit && l->n < LIST)
		at = l->n++;
	else if (!hit)
		at = LIST - 1;
	memmove(&l->id[1], &l->id[0], at * sizeof(l->id[0]));
	l->id[0] = id;
	return hit;
}

/* Phases: churn among many flows; then a stretch in which few flows are looked up, nothing enters, and the
 * others grow old in their order, until stamps that had come round would just look young again. age_every 0:
 * nobody ages but the lookup. */
static void
check_list(unsigned age_every, uint64_t seed)
{
	struct list list = {.n = 0};
	uint64_t hits = 0;
	struct pair p;

	pair_create(&p, (struct pair_shape){SPX_FLOW_IPV4, LIST, LIST, pair_hash_good});
	for (unsigned packet = 1; packet <= 1500000; packet++) {
		bool idle = packet % (CHURN + IDLE) >= CHURN;
		unsigned hot = 1 + packet / (CHURN + IDLE) % 15;
		uint32_t id = (uint32_t)(spx_random(&seed) % 40);
		uint64_t miss;

		if (idle)
			id = list.id[spx_random(&seed) % hot];
		miss = pair_lookup(&p, &id, 1);
		cr_assert_eq(miss == 0, list_use(&list, id, !idle), "packet %u", packet);
		hits += miss == 0;
		if (!idle)
			pair_insert(&p, &id, miss);
		if (age_every != 0 && packet % age_every == 0)
			spx_flow_exact_age(p.cache);
	}
	cr_assert(hits > 1400000 && hits < 1490000, "%lu hits", hits);
	pair_check(&p);
	pair_free(&p);
}

Test(flow_exact_lru, is_a_list)
{
	check_list(2048, 1);
}

Test(flow_exact_lru, is_a_list_aged_at_the_latest)
{
	check_list(65536, 2);
}

Test(flow_exact_lru, is_a_list_never_aged)
{
	check_list(0, 3);
}

/* Bursts, several sets to a tick and more: flows are idle for several turns of the stamp. */
static void
check_table(uint64_t sets, unsigned ways, unsigned age_every)
{
	uint64_t entries = sets * ways, seed = sets;
	uint32_t id[SPX_BURST_MAX];
	struct pair p;

	pair_create(&p, (struct pair_shape){SPX_FLOW_IPV4, entries, ways, pair_hash_good});
	for (unsigned round = 0; round < 4; round++) {
		uint64_t quiet = (UINT64_C(50000) << p.shift) * (round + 1);

		for (uint64_t n = 0; n < entries; n++) {
			uint32_t first = (uint32_t)(spx_random(&seed) % (2 * entries));

			pair_insert(&p, &first, pair_lookup(&p, &first, 1));
			if (n % 1000 == 0)
				spx_flow_exact_age(p.cache);
		}
		for (uint64_t n = 0, aged = 0; n < quiet; n += SPX_BURST_MAX) {
			uint32_t first = (uint32_t)(spx_random(&seed) % (entries / 8 + 1));

			for (uint32_t i = 0; i < SPX_BURST_MAX; i++)
				id[i] = first + i;
			pair_lookup(&p, id, SPX_BURST_MAX);
			if (age_every != 0 && n - aged >= age_every) {
				spx_flow_exact_age(p.cache);
				aged = n;
			}
		}
	}
	pair_check(&p);
	pair_free(&p);
}

Test(flow_exact_lru, larger_tables)
{
	static const uint64_t sets[] = {2, 127, 128, 255, 256, 1000};
	static const unsigned age_every[] = {0, 1000, 32768, 65536};

	for (unsigned s = 0; s < RTE_DIM(sets); s++)
		check_table(sets[s], s % 2 == 0 ? 16 : 6, age_every[s % RTE_DIM(age_every)]);
}
