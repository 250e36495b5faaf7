/* flow.exact.*: the exact cache against rte_hash with CRC, the same keys in bursts of 32, hashing included.
 *
 * N flows are resident on both sides, in tables for N / 0.85. Queries are 1 Mi keys in a row, drawn at random
 * from the resident flows (hit) or from none of them (miss). insert: a new flow enters a full cache of N
 * entries after the lookup that misses it, the oldest of its set ends and is told; rte_hash, with N flows
 * resident, deletes its oldest one and adds the new one. Ours is aged and told the time every 4,096 packets,
 * as housekeeping does it.
 */
#include <errno.h>
#include <inttypes.h>

#include <rte_hash.h>

#include "perf/micro/flow_exact.h"

#define AGE_PACKETS 4096u
#define HASH_SEED   3

/* ---- ours ------------------------------------------------------------------------------------------ */

static inline void
our_burst(struct flow_exact *s)
{
	const uint8_t *key = s->query + s->at[0] * s->key_size;
	struct spx_flow_data *found[BENCH_BURST];
	uint64_t hash[BENCH_BURST], hits;

	flow_exact_hash(s, key, hash);
	hits = flow_exact_look_up(s, key, hash, found);
	s->hits[0] += spx_set_count(hits);
	if (s->kind == INSERT)
		flow_exact_insert(s, key, hash, spx_set_first(BENCH_BURST) & ~hits);
	s->at[0] = (s->at[0] + BENCH_BURST) % FLOW_EXACT_QUERIES;
	if (s->at[0] % AGE_PACKETS == 0) {
		spx_flow_exact_age(s->cache);
		spx_flow_exact_set_time(s->cache, ++s->now);
	}
}

static void
ours(void *state, uint64_t ops)
{
	struct flow_exact *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST)
		our_burst(s);
	s->asked[0] += ops;
}

/* ---- theirs ---------------------------------------------------------------------------------------- */

static void
their_lookup(void *state, uint64_t ops)
{
	struct flow_exact *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		const uint8_t *key = s->query + s->at[1] * s->key_size;
		const void *keys[BENCH_BURST];
		void *data[BENCH_BURST];
		uint64_t hits;

		for (unsigned i = 0; i < BENCH_BURST; i++)
			keys[i] = key + i * s->key_size;
		s->hits[1] += (uint64_t)rte_hash_lookup_bulk_data(s->table, keys, BENCH_BURST, &hits, data);
		s->at[1] = (s->at[1] + BENCH_BURST) % FLOW_EXACT_QUERIES;
	}
	s->asked[1] += ops;
}

static void
their_insert(void *state, uint64_t ops)
{
	struct flow_exact *s = state;

	for (uint64_t done = 0; done < ops; done++) {
		const uint8_t *oldest =
			s->oldest < s->n ? s->resident + s->oldest * s->key_size
					 : s->query + (s->oldest - s->n) % FLOW_EXACT_QUERIES * s->key_size;

		s->failed += rte_hash_del_key(s->table, oldest) < 0;
		s->failed += rte_hash_add_key(s->table, s->query + s->at[1] * s->key_size) < 0;
		s->oldest++;
		s->at[1] = (s->at[1] + 1) % FLOW_EXACT_QUERIES;
	}
	s->asked[1] += ops;
}

static void
theirs(void *state, uint64_t ops)
{
	if (((struct flow_exact *)state)->kind == INSERT)
		their_insert(state, ops);
	else
		their_lookup(state, ops);
}

/* ---- setup ----------------------------------------------------------------------------------------- */

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct flow_exact *s = c->state;

	(void)part;
	s->kind = b->variant & KIND;
	s->v6 = (b->variant & V6) != 0;
	s->key_size = s->v6 ? sizeof(struct spx_key6) : sizeof(struct spx_key4);
	s->n = b->size;
	s->random = b->size;
	spx_hash_seed_from(&s->seed, HASH_SEED);
	return flow_exact_fill(s, c, err);
}

static void
teardown(void *state)
{
	flow_exact_free(state);
}

/* Every query was what it should be, and no flow was lost. */
static int
check(void *state, struct spx_error *err)
{
	const struct flow_exact *s = state;
	uint64_t factor = s->kind == HIT;
	struct spx_flow_exact_stats stats;

	spx_flow_exact_stats(s->cache, &stats);
	if (s->hits[0] != factor * s->asked[0] || s->hits[1] != factor * s->asked[1] || s->failed != 0)
		return spx_error(err, -EIO,
			"of %" PRIu64 " and %" PRIu64 " queries %" PRIu64 " and %" PRIu64
			" were hits, %" PRIu64 " failed",
			s->asked[0], s->asked[1], s->hits[0], s->hits[1], s->failed);
	if (stats.resident != s->n || s->told != stats.ended[SPX_FLOW_END_evicted])
		return spx_error(err, -EIO, "%" PRIu64 " flows are resident", stats.resident);
	return 0;
}

#define BENCH(name, which, flows)                                                                            \
	{                                                                                                    \
		.id = "flow.exact." name, .unit = "Mops/s", .peer = "rte_hash",                              \
		.scale = BENCH_MEGA_PER_SECOND, .variant = (which), .size = (flows),                         \
		.state_size = sizeof(struct flow_exact), .setup = setup, .ours = ours, .theirs = theirs,     \
		.check = check, .teardown = teardown                                                         \
	}

static const struct bench benches[] = {
	BENCH("lookup.hit.4k", HIT, 1u << 12),
	BENCH("lookup.hit.64k", HIT, 1u << 16),
	BENCH("lookup.hit.1m", HIT, 1u << 20),
	BENCH("lookup.hit.v6.64k", HIT | V6, 1u << 16),
	BENCH("lookup.miss.64k", MISS, 1u << 16),
	BENCH("lookup.miss.1m", MISS, 1u << 20),
	BENCH("insert", INSERT, 1u << 16),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 256});
}
