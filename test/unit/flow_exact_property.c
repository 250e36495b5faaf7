/* A hundred million lookups over flows whose hashes collide, with insertions, expiry and new generations in
 * between: every answer belongs to the flow that was asked for and to the generation in force. */
#include <string.h>

#include "test/unit/eal.h"
#include "test/unit/flow_exact_pair.h"

TestSuite(flow_exact_property, .init = test_eal_start, .timeout = 120);

#define LOOKUPS UINT64_C(100000000)
#define FLOWS   (1u << 14)
#define HASHES  (FLOWS / 8) /* eight flows have the same hash */

/* Few tags, and the sets unevenly used. */
static uint64_t
hash_of(uint32_t id)
{
	uint64_t hash = pair_hash_good(id % HASHES);

	return (hash & ~UINT64_C(0xffff)) | (hash & 7);
}

static uint32_t
answer(uint32_t id, uint32_t generation)
{
	return (id << 12) ^ (generation * 0x9e3779b9u);
}

struct flows {
	struct spx_key4 key4[FLOWS];
	struct spx_key6 key6[FLOWS];
	uint64_t hash[FLOWS];
};

static void
check_answers(enum spx_flow_family family, unsigned ways, uint64_t lookups)
{
	static struct flows flows;
	const struct spx_flow_exact_options options = {
		.family = family, .entries = FLOWS / 2, .ways = ways, .socket = SOCKET_ID_ANY};
	const uint32_t one[SPX_BURST_MAX] = {0};
	uint64_t random = ways, hit = 0, wrong = 0;
	uint32_t generation = 1;
	struct spx_flow_exact *x;

	for (uint32_t id = 0; id < FLOWS; id++) {
		flows.key4[id] = pair_key4(id);
		flows.key6[id] = pair_key6(id);
		flows.hash[id] = hash_of(id);
	}
	cr_assert_eq(spx_flow_exact_create(&options, &x, NULL), 0);
	spx_flow_exact_set_generation(x, generation);
	for (uint64_t done = 0; done < lookups; done += SPX_BURST_MAX) {
		/* Neighbours in a row: different flows, and different again in the next burst. */
		uint32_t first = (uint32_t)(spx_random(&random) % (FLOWS - SPX_BURST_MAX)), action[64];
		struct spx_flow_data *found[SPX_BURST_MAX];
		uint64_t hits;
		unsigned i;

		if (done / SPX_BURST_MAX % 4096 == 0) {
			spx_flow_exact_set_generation(x, ++generation);
			spx_flow_exact_set_time(x, generation);
			spx_flow_exact_sweep(x, FLOWS / 8, 3);
		}
		hits = family == SPX_FLOW_IPV4 ? spx_flow_exact_lookup4(x, &flows.key4[first],
							 &flows.hash[first], UINT64_MAX, found)
					       : spx_flow_exact_lookup6(x, &flows.key6[first],
							 &flows.hash[first], UINT64_MAX, found);
		hit += spx_set_count(hits);
		for (i = 0; i < SPX_BURST_MAX; i++)
			action[i] = answer(first + i, generation);
		SPX_FOREACH (i, hits)
			wrong += found[i]->action != action[i] || found[i]->generation != generation;
		if (family == SPX_FLOW_IPV4)
			spx_flow_exact_insert4(
				x, &flows.key4[first], &flows.hash[first], ~hits, action, one, one);
		else
			spx_flow_exact_insert6(
				x, &flows.key6[first], &flows.hash[first], ~hits, action, one, one);
	}
	cr_assert_eq(wrong, 0, "%lu of %lu answers are wrong", wrong, hit);
	cr_assert(hit > lookups / 8 && hit < lookups * 7 / 8, "%lu of %lu hit", hit, lookups);
	spx_flow_exact_free(x);
}

Test(flow_exact_property, no_wrong_answer_ipv4)
{
	check_answers(SPX_FLOW_IPV4, 16, LOOKUPS / 2);
	check_answers(SPX_FLOW_IPV4, 5, LOOKUPS / 4);
}

Test(flow_exact_property, no_wrong_answer_ipv6)
{
	check_answers(SPX_FLOW_IPV6, 16, LOOKUPS / 4);
}
