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
#include <stdlib.h>
#include <string.h>

#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include "lib/flow/flow.h"
#include "lib/net/net.h"
#include "perf/bench.h"

#define QUERIES     (1u << 20)
#define WAYS        SPX_FLOW_WAYS_MAX
#define AGE_PACKETS 4096u
#define HASH_SEED   3

enum { HIT = 0, MISS = 1, INSERT = 2, KIND = 3, V6 = 4 }; /* struct bench: variant */

struct state {
	unsigned kind;
	bool v6;
	size_t key_size;
	uint64_t n;      /* resident flows */
	uint64_t random; /* of the keys */
	struct spx_hash_seed seed;
	struct spx_flow_exact *cache;
	struct rte_hash *table;
	uint8_t *resident; /* n keys */
	uint8_t *query;    /* QUERIES keys */
	uint64_t at[2];    /* next query: ours, theirs */
	uint64_t oldest;   /* theirs: query that is deleted next, after the resident keys */
	uint64_t asked[2], hits[2], failed;
	uint64_t told; /* flows that ended */
	uint32_t now;
};

static void
told(void *arg, const struct spx_flow_record *record)
{
	struct state *s = arg;

	(void)record;
	s->told++;
}

/* ---- ours ------------------------------------------------------------------------------------------ */

static inline void
hash_burst(const struct state *s, const uint8_t *key, uint64_t hash[BENCH_BURST])
{
	for (unsigned i = 0; i < BENCH_BURST; i++)
		hash[i] = s->v6 ? spx_hash6(&s->seed, (const struct spx_key6 *)key + i)
				: spx_hash4(&s->seed, (const struct spx_key4 *)key + i);
}

static inline uint64_t
lookup_burst(struct state *s, const uint8_t *key, const uint64_t hash[], struct spx_flow_data *found[])
{
	const uint64_t all = spx_set_first(BENCH_BURST);

	return s->v6 ? spx_flow_exact_lookup6(s->cache, (const struct spx_key6 *)key, hash, all, found)
		     : spx_flow_exact_lookup4(s->cache, (const struct spx_key4 *)key, hash, all, found);
}

static inline void
insert_burst(struct state *s, const uint8_t *key, const uint64_t hash[], uint64_t set)
{
	static const uint32_t zero[BENCH_BURST], one[BENCH_BURST] = {[0 ... BENCH_BURST - 1] = 1};

	if (s->v6)
		spx_flow_exact_insert6(s->cache, (const struct spx_key6 *)key, hash, set, zero, one, one);
	else
		spx_flow_exact_insert4(s->cache, (const struct spx_key4 *)key, hash, set, zero, one, one);
}

static inline void
our_burst(struct state *s)
{
	const uint8_t *key = s->query + s->at[0] * s->key_size;
	struct spx_flow_data *found[BENCH_BURST];
	uint64_t hash[BENCH_BURST], hits;

	hash_burst(s, key, hash);
	hits = lookup_burst(s, key, hash, found);
	s->hits[0] += spx_set_count(hits);
	if (s->kind == INSERT)
		insert_burst(s, key, hash, spx_set_first(BENCH_BURST) & ~hits);
	s->at[0] = (s->at[0] + BENCH_BURST) % QUERIES;
	if (s->at[0] % AGE_PACKETS == 0) {
		spx_flow_exact_age(s->cache);
		spx_flow_exact_set_time(s->cache, ++s->now);
	}
}

static void
ours(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST)
		our_burst(s);
	s->asked[0] += ops;
}

/* ---- theirs ---------------------------------------------------------------------------------------- */

static void
their_lookup(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		const uint8_t *key = s->query + s->at[1] * s->key_size;
		const void *keys[BENCH_BURST];
		void *data[BENCH_BURST];
		uint64_t hits;

		for (unsigned i = 0; i < BENCH_BURST; i++)
			keys[i] = key + i * s->key_size;
		s->hits[1] += (uint64_t)rte_hash_lookup_bulk_data(s->table, keys, BENCH_BURST, &hits, data);
		s->at[1] = (s->at[1] + BENCH_BURST) % QUERIES;
	}
	s->asked[1] += ops;
}

static void
their_insert(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done++) {
		const uint8_t *oldest = s->oldest < s->n
						? s->resident + s->oldest * s->key_size
						: s->query + (s->oldest - s->n) % QUERIES * s->key_size;

		s->failed += rte_hash_del_key(s->table, oldest) < 0;
		s->failed += rte_hash_add_key(s->table, s->query + s->at[1] * s->key_size) < 0;
		s->oldest++;
		s->at[1] = (s->at[1] + 1) % QUERIES;
	}
	s->asked[1] += ops;
}

static void
theirs(void *state, uint64_t ops)
{
	if (((struct state *)state)->kind == INSERT)
		their_insert(state, ops);
	else
		their_lookup(state, ops);
}

/* ---- setup ----------------------------------------------------------------------------------------- */

static void
teardown(void *state)
{
	struct state *s = state;

	spx_flow_exact_free(s->cache);
	rte_hash_free(s->table);
	rte_free(s->resident);
	rte_free(s->query);
	rte_free(s);
}

/* Random keys are different keys: 128 bits and more. */
static void
draw_keys(struct state *s, uint8_t *key, uint64_t n)
{
	for (uint64_t at = 0; at < n * s->key_size; at += sizeof(uint64_t)) {
		uint64_t word = spx_random(&s->random);

		memcpy(key + at, &word, sizeof(word));
	}
}

static size_t
allocated(void)
{
	struct rte_malloc_socket_stats stats;

	return rte_malloc_get_socket_stats((int)rte_socket_id(), &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

/* Keys enter until n flows are resident; resident[] becomes those, whatever was evicted on the way. */
static int
fill_ours(struct state *s, uint64_t entries, struct spx_error *err)
{
	const struct spx_flow_exact_options options = {.family = s->v6,
		.entries = entries,
		.ways = WAYS,
		.socket = SOCKET_ID_ANY,
		.ended = told,
		.arg = s};
	struct spx_flow_exact_stats stats = {0};
	struct spx_flow_record record;
	int rc = spx_flow_exact_create(&options, &s->cache, err);
	uint64_t n = 0;

	if (rc < 0)
		return rc;
	spx_flow_exact_set_generation(s->cache, 1);
	for (uint64_t tries = 0; stats.resident < s->n; tries++) {
		uint8_t key[BENCH_BURST * sizeof(struct spx_key6)];
		struct spx_flow_data *found[BENCH_BURST];
		uint64_t hash[BENCH_BURST], left = RTE_MIN(s->n - stats.resident, BENCH_BURST);

		if (tries > s->n)
			return spx_error(err, -ENOSPC, "%" PRIu64 " of %" PRIu64 " flows are resident",
				stats.resident, s->n);
		draw_keys(s, key, BENCH_BURST);
		hash_burst(s, key, hash);
		lookup_burst(s, key, hash, found);
		insert_burst(s, key, hash, spx_set_first((unsigned)left));
		spx_flow_exact_stats(s->cache, &stats);
	}
	for (uint64_t i = 0; i < stats.entries; i++) {
		if (spx_flow_exact_read(s->cache, i, &record))
			memcpy(s->resident + n++ * s->key_size, &record.key6, s->key_size);
	}
	return n == s->n ? 0 : spx_error(err, -EIO, "%" PRIu64 " flows are resident, not %" PRIu64, n, s->n);
}

static int
fill_theirs(struct state *s, struct spx_error *err)
{
	struct rte_hash_parameters parameters = {.name = "peer",
		.entries = (uint32_t)((double)s->n / 0.85),
		.key_len = (uint32_t)s->key_size,
		.hash_func = rte_hash_crc,
		.socket_id = (int)rte_socket_id()};

	s->table = rte_hash_create(&parameters);
	if (s->table == NULL)
		return spx_error(err, -ENOMEM, "no memory for rte_hash of %u entries", parameters.entries);
	for (uint64_t i = 0; i < s->n; i++) {
		if (rte_hash_add_key_data(s->table, s->resident + i * s->key_size, s) < 0)
			return spx_error(
				err, -ENOSPC, "rte_hash took %" PRIu64 " of %" PRIu64 " flows", i, s->n);
	}
	if ((uint64_t)rte_hash_count(s->table) != s->n)
		return spx_error(err, -EIO, "rte_hash has %d flows", rte_hash_count(s->table));
	return 0;
}

static void
shuffle(struct state *s)
{
	uint8_t keep[sizeof(struct spx_key6)];

	for (uint64_t left = s->n; left > 1; left--) {
		uint8_t *a = s->resident + (left - 1) * s->key_size;
		uint8_t *b = s->resident + spx_random(&s->random) % left * s->key_size;

		memcpy(keep, a, s->key_size);
		memmove(a, b, s->key_size);
		memcpy(b, keep, s->key_size);
	}
}

static int
fill(struct state *s, struct bench_context *c, struct spx_error *err)
{
	uint64_t entries = s->kind == INSERT ? s->n : (uint64_t)((double)s->n / 0.85);
	size_t begin = allocated(), between;
	int rc = fill_ours(s, entries, err);

	if (rc < 0)
		return rc;
	between = allocated();
	shuffle(s);
	if (!c->counting && (rc = fill_theirs(s, err)) < 0)
		return rc;
	draw_keys(s, s->query, QUERIES);
	for (uint64_t i = 0; i < QUERIES && s->kind == HIT; i++)
		memcpy(s->query + i * s->key_size, s->resident + spx_random(&s->random) % s->n * s->key_size,
			s->key_size);
	snprintf(c->note, sizeof(c->note), "%.1f B per resident flow, rte_hash %.1f",
		(double)(between - begin) / (double)s->n, (double)(allocated() - between) / (double)s->n);
	return 0;
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct state *s = rte_zmalloc(NULL, sizeof(*s), RTE_CACHE_LINE_SIZE);
	int rc;

	(void)part;
	if (s == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	s->kind = b->variant & KIND;
	s->v6 = (b->variant & V6) != 0;
	s->key_size = s->v6 ? sizeof(struct spx_key6) : sizeof(struct spx_key4);
	s->n = b->size;
	s->random = b->size;
	spx_hash_seed_from(&s->seed, HASH_SEED);
	s->resident = rte_malloc(NULL, s->n * s->key_size, RTE_CACHE_LINE_SIZE);
	s->query = rte_malloc(NULL, QUERIES * s->key_size, RTE_CACHE_LINE_SIZE);
	rc = s->resident == NULL || s->query == NULL
		     ? spx_error(err, -ENOMEM, "no memory for %u queries", QUERIES)
		     : fill(s, c, err);
	if (rc < 0)
		teardown(s);
	c->state = s;
	return rc;
}

/* Every query was what it should be, and no flow was lost. */
static int
check(void *state, struct spx_error *err)
{
	const struct state *s = state;
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
		.scale = BENCH_MEGA_PER_SECOND, .variant = (which), .size = (flows), .setup = setup,         \
		.ours = ours, .theirs = theirs, .check = check, .teardown = teardown                         \
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
