/* ess.*: the ephemeral state store with 1 Mi live entries, in bursts of 32.
 *
 * map_commit: the entries of a burst's keys are fetched, then each is mapped, one word of it changed, and
 * committed. The peer looks the same 64-bit keys up in rte_hash, CRC, in bulk, and copies the 32 bytes that
 * the hash's data names; both tables are full to 85 %.
 *
 * create: a new key is mapped, and created in the place of the oldest entry, which has just expired.
 *
 * scale (ess_cores.c): two cores map and commit at once, each on half of the keys; the peer is twice what one
 * core does alone.
 */
#include <inttypes.h>

#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include "perf/micro/ess.h"

#define QUERIES (1u << 20)

enum { MAP_COMMIT, SCALE, CREATE }; /* struct bench: variant */

/* ---- ours ------------------------------------------------------------------------------------------ */

static void
burst(struct ess_core *c)
{
	static const uint8_t public[BENCH_BURST];
	const uint64_t *key = c->query + c->at;

	spx_ess_prefetch(spx_ess_store(c->worker), key, public, BENCH_BURST);
	for (unsigned i = 0; i < BENCH_BURST; i++) {
		struct spx_ess_tx tx;

		spx_ess_begin(&tx, c->worker, 0, false, 1);
		c->failed += spx_ess_map(&tx, 0, key[i], SPX_ESS_CLASS_public, false) != 1;
		tx.bank[0].value[0]++;
		tx.written = 1;
		c->failed += spx_ess_commit(&tx, 1) != 0;
	}
	c->at = (c->at + BENCH_BURST) & (c->queries - 1);
}

void
ess_bench_work(struct ess_core *c, uint64_t ops)
{
	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		burst(c);
		c->done += BENCH_BURST;
	}
}

static void
ours(void *state, uint64_t ops)
{
	ess_bench_work(&((struct ess_bench *)state)->core[0], ops);
}

/* A burst a microsecond. */
static uint64_t
created_at(uint64_t key)
{
	return key / BENCH_BURST + 1;
}

static void
ours_create(void *state, uint64_t ops)
{
	static const uint8_t public[BENCH_BURST];
	struct ess_bench *s = state;
	struct ess_core *c = &s->core[0];

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		const uint64_t now = created_at(s->created);
		uint64_t key[BENCH_BURST];

		for (unsigned i = 0; i < BENCH_BURST; i++)
			key[i] = s->created++;
		spx_ess_prefetch(s->store, key, public, BENCH_BURST);
		for (unsigned i = 0; i < BENCH_BURST; i++) {
			struct spx_ess_tx tx;

			spx_ess_begin(&tx, c->worker, 0, false, now);
			c->failed += spx_ess_map(&tx, 0, key[i], SPX_ESS_CLASS_public, true) != 0;
			c->failed += spx_ess_commit(&tx, now) != 0;
		}
		c->done += BENCH_BURST;
	}
}

/* ---- theirs ---------------------------------------------------------------------------------------- */

static void
theirs(void *state, uint64_t ops)
{
	struct ess_bench *s = state;
	uint64_t copy[SPX_ESS_VALUE / sizeof(uint64_t)];

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		const void *key[BENCH_BURST];
		void *data[BENCH_BURST];
		uint64_t hits;

		for (unsigned i = 0; i < BENCH_BURST; i++)
			key[i] = &s->core[1].query[s->core[1].at + i];
		s->missed += BENCH_BURST -
			     (uint64_t)rte_hash_lookup_bulk_data(s->table, key, BENCH_BURST, &hits, data);
		for (unsigned i = 0; i < BENCH_BURST; i++)
			rte_prefetch0(data[i]);
		for (unsigned i = 0; i < BENCH_BURST; i++) {
			memcpy(copy, data[i], sizeof(copy));
			s->copied += copy[0] + copy[3];
		}
		s->core[1].at = (s->core[1].at + BENCH_BURST) & (s->core[1].queries - 1);
	}
}

/* ---- setup ----------------------------------------------------------------------------------------- */

static int
fill_ours(struct ess_bench *s, uint64_t key, struct spx_error *err)
{
	struct spx_ess_tx tx;

	spx_ess_begin(&tx, s->core[0].worker, 0, false, 1);
	spx_ess_map(&tx, 0, key, SPX_ESS_CLASS_public, true);
	if (spx_ess_commit(&tx, 1) != 0)
		return spx_error(err, -ENOSPC, "the store does not take %" PRIu64 " entries", s->n);
	return 0;
}

static int
make(struct ess_bench *s, unsigned variant, bool peer, struct spx_error *err)
{
	const uint32_t capacity = (uint32_t)(variant == CREATE ? s->n : (double)s->n / 0.85);
	struct spx_ess_options options = {.capacity = capacity,
		.workers = ESS_BENCH_CORES,
		.lifetime_us = variant == CREATE ? s->n / BENCH_BURST : SPX_ESS_LIFETIME_MAX,
		.socket = (int)rte_socket_id()};
	const struct rte_hash_parameters parameters = {.name = "peer",
		.entries = capacity,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
		.socket_id = (int)rte_socket_id()};

	spx_hash_seed_from(&options.seed, 1);
	s->query = rte_malloc(NULL, QUERIES * sizeof(*s->query), RTE_CACHE_LINE_SIZE);
	if (s->query == NULL)
		return spx_error(err, -ENOMEM, "no memory for the queries");
	if (!peer)
		return spx_ess_create(&options, &s->store, err);
	s->value = rte_zmalloc(NULL, s->n * sizeof(*s->value), RTE_CACHE_LINE_SIZE);
	s->table = rte_hash_create(&parameters);
	if (s->value == NULL || s->table == NULL)
		return spx_error(err, -ENOMEM, "no memory for the peer");
	return spx_ess_create(&options, &s->store, err);
}

/* The keys in both; queries are drawn from them: for two cores the first half of the queries from the first
 * half of the keys, the second from the second. */
static int
fill(struct ess_bench *s, bool two, struct spx_error *err)
{
	uint64_t *key = rte_malloc(NULL, s->n * sizeof(*key), 0);
	int rc = key == NULL ? spx_error(err, -ENOMEM, "no memory for the keys") : 0;

	for (uint64_t i = 0; rc == 0 && i < s->n; i++) {
		key[i] = spx_random(&s->seed);
		rc = fill_ours(s, key[i], err);
		if (rc == 0 && s->table != NULL && rte_hash_add_key_data(s->table, &key[i], s->value[i]) < 0)
			rc = spx_error(err, -ENOSPC, "rte_hash does not take %" PRIu64 " keys", s->n);
	}
	for (uint32_t i = 0; rc == 0 && i < QUERIES; i++) {
		uint64_t half = two ? s->n / 2 : s->n;

		s->query[i] = key[spx_random(&s->seed) % half + (two && i >= QUERIES / 2 ? half : 0)];
	}
	rte_free(key);
	return rc;
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	const bool two = b->variant == SCALE;
	struct ess_bench *s = c->state;
	struct spx_ess_stats stats;
	int rc;

	(void)part;
	s->n = b->size;
	s->seed = b->size;
	rc = make(s, b->variant, b->variant == MAP_COMMIT && !c->counting, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < ESS_BENCH_CORES; i++)
		s->core[i] = (struct ess_core){.worker = spx_ess_worker(s->store, i),
			.query = s->query + (two ? i * (QUERIES / 2) : 0),
			.queries = two ? QUERIES / 2 : QUERIES};
	if (b->variant == CREATE)
		ours_create(s, s->n);
	else
		rc = fill(s, two, err);
	if (rc < 0)
		return rc;
	s->core[0].done = 0;
	spx_ess_stats(s->store, RTE_MAX(created_at(s->created) - 1, UINT64_C(1)), &stats);
	if (stats.live != s->n)
		return spx_error(err, -EIO, "%" PRIu64 " entries live, not %" PRIu64, stats.live, s->n);
	snprintf(c->note, sizeof(c->note), "%.1f B per live entry", (double)stats.bytes / (double)s->n);
	return two && !c->counting ? ess_cores_start(s, err) : 0;
}

static void
teardown(void *state)
{
	struct ess_bench *s = state;

	ess_cores_stop(s);
	spx_ess_free(s->store);
	rte_hash_free(s->table);
	rte_free(s->value);
	rte_free(s->query);
}

/* Every operation was one: found, committed, and counted. */
static int
check(void *state, struct spx_error *err)
{
	const struct ess_bench *s = state;
	uint64_t failed = s->core[0].failed + s->core[1].failed + s->missed;
	struct spx_ess_stats stats;

	/* Keys differ, but two of them may be in one bucket. */
	spx_ess_stats(s->store, 1, &stats);
	if (failed != stats.conflicts)
		return spx_error(err, -EIO, "%" PRIu64 " operations failed", failed);
	if (stats.commits + stats.conflicts != s->n + s->core[0].done + s->core[1].done)
		return spx_error(err, -EIO, "%" PRIu64 " commits", stats.commits);
	return 0;
}

#define BENCH_ESS(name, which, other, first, second)                                                         \
	{                                                                                                    \
		.id = "ess." name, .unit = "Mops/s", .peer = other, .scale = BENCH_MEGA_PER_SECOND,          \
		.variant = (which), .size = 1u << 20, .state_size = sizeof(struct ess_bench),                \
		.setup = setup, .ours = first, .theirs = second, .check = check, .teardown = teardown        \
	}

static const struct bench benches[] = {
	BENCH_ESS("map_commit.1m", MAP_COMMIT, "rte_hash and copy", ours, theirs),
	BENCH_ESS("create.1m", CREATE, NULL, ours_create, NULL),
	BENCH_ESS("scale.2cores", SCALE, "2 x one core", ess_cores_both, ess_cores_one),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 512});
}
