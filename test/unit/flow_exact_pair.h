/* An exact cache and a naive model of it, side by side: everything is done to both and compared at once.
 *
 * The model is a table of the same sets and ways that searches by flow number, with 64-bit stamps that never
 * come round. Flows are numbers; a test says what hash each has.
 */
#ifndef SPX_TEST_FLOW_EXACT_PAIR_H
#define SPX_TEST_FLOW_EXACT_PAIR_H

#include <criterion/criterion.h>

#include "lib/flow/exact_internal.h"

struct pair_flow {
	bool resident;
	uint32_t id, action, generation, first_use, last_use;
	uint64_t packets, bytes;
	uint64_t stamp;
};

struct pair {
	struct spx_flow_exact *cache;
	enum spx_flow_family family;
	uint64_t (*hash)(uint32_t id);

	/* The model. */
	struct pair_flow *flow; /* sets * ways */
	uint64_t sets;
	unsigned ways, shift;
	uint64_t looked_up, sweep_at;
	uint32_t generation, now;
	uint64_t inserted, renewed, ended[SPX_FLOW_END_COUNT];

	/* Flows that have ended in the present operation: as the model says, and how many the cache told. */
	struct spx_flow_record *expected;
	size_t n_expected, n_told;

	uint64_t accounted; /* packets counted in flows */
	uint64_t departed;  /* of those, told with flows that ended */
};

struct pair_shape {
	enum spx_flow_family family;
	uint64_t entries;
	unsigned ways;
	uint64_t (*hash)(uint32_t id);
};

void pair_create(struct pair *p, struct pair_shape shape);
void pair_free(struct pair *p);

/* Keys of flow `id`: the number lies in different bytes of different flows, the rest is equal. */
struct spx_key4 pair_key4(uint32_t id);
struct spx_key6 pair_key6(uint32_t id);

/* A burst of n different flows is looked up, hits are counted with one packet each. Returns the misses. */
uint64_t pair_lookup(struct pair *p, const uint32_t id[], unsigned n);
/* Those of `set` enter; their action is made of flow and generation. */
void pair_insert(struct pair *p, const uint32_t id[], uint64_t set);

void pair_generation(struct pair *p, uint32_t generation);
void pair_time(struct pair *p, uint32_t now);
void pair_sweep(struct pair *p, uint64_t n, uint32_t idle_ms);
void pair_flush(struct pair *p);
/* Every entry, the statistics, and that no packet is lost. */
void pair_check(const struct pair *p);

/* Hashes for tests. */
uint64_t pair_hash_good(uint32_t id);
uint64_t pair_hash_one(uint32_t id);  /* the same for all */
uint64_t pair_hash_tags(uint32_t id); /* four sets' worth, three tags, one of them 0 */

#endif
