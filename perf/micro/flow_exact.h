/* The two caches of flow.exact.*, filled (flow_exact_fill.c) and measured (flow_exact.c), and our side's
 * bursts. */
#ifndef SPX_PERF_FLOW_EXACT_H
#define SPX_PERF_FLOW_EXACT_H

#include "lib/flow/flow.h"
#include "lib/net/net.h"
#include "perf/bench.h"

struct rte_hash;

#define FLOW_EXACT_QUERIES (1u << 20)

enum { HIT = 0, MISS = 1, INSERT = 2, KIND = 3, V6 = 4 }; /* struct bench: variant */

struct flow_exact {
	unsigned kind;
	bool v6;
	size_t key_size;
	uint64_t n;      /* resident flows */
	uint64_t random; /* of the keys */
	struct spx_hash_seed seed;
	struct spx_flow_exact *cache;
	struct rte_hash *table;
	uint8_t *resident; /* n keys */
	uint8_t *query;    /* FLOW_EXACT_QUERIES keys */
	uint64_t at[2];    /* next query: ours, theirs */
	uint64_t oldest;   /* theirs: query that is deleted next, after the resident keys */
	uint64_t asked[2], hits[2], failed;
	uint64_t told; /* flows that ended */
	uint32_t now;
};

static inline void
flow_exact_hash(const struct flow_exact *s, const uint8_t *key, uint64_t hash[BENCH_BURST])
{
	for (unsigned i = 0; i < BENCH_BURST; i++)
		hash[i] = s->v6 ? spx_hash6(&s->seed, (const struct spx_key6 *)key + i)
				: spx_hash4(&s->seed, (const struct spx_key4 *)key + i);
}

static inline uint64_t
flow_exact_look_up(
	struct flow_exact *s, const uint8_t *key, const uint64_t hash[], struct spx_flow_data *found[])
{
	const uint64_t all = spx_set_first(BENCH_BURST);

	return s->v6 ? spx_flow_exact_lookup6(s->cache, (const struct spx_key6 *)key, hash, all, found)
		     : spx_flow_exact_lookup4(s->cache, (const struct spx_key4 *)key, hash, all, found);
}

static inline void
flow_exact_insert(struct flow_exact *s, const uint8_t *key, const uint64_t hash[], uint64_t set)
{
	static const uint32_t zero[BENCH_BURST], one[BENCH_BURST] = {[0 ... BENCH_BURST - 1] = 1};

	if (s->v6)
		spx_flow_exact_insert6(s->cache, (const struct spx_key6 *)key, hash, set, zero, one, one);
	else
		spx_flow_exact_insert4(s->cache, (const struct spx_key4 *)key, hash, set, zero, one, one);
}

/* Makes both caches and the keys for the kind, family and number of flows in s. What there is of it after an
 * error, flow_exact_free frees. */
int flow_exact_fill(struct flow_exact *s, struct bench_context *c, struct spx_error *err);
void flow_exact_free(struct flow_exact *s);

#endif
