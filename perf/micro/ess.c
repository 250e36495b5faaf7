/* ess.*: the ephemeral state store with 1 Mi live entries, in bursts of 32.
 *
 * map_commit: the entries of a burst's keys are fetched, then each is mapped, one word of it changed, and
 * committed. The peer looks the same 64-bit keys up in rte_hash, CRC, in bulk, and copies the 32 bytes that
 * the hash's data names; both tables are full to 85 %.
 *
 * create: a new key is mapped, and created in the place of the oldest entry, which has just expired.
 *
 * scale: two cores map and commit at once, each on half of the keys; the peer is twice what one core does
 * alone.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <rte_pause.h>

#include "lib/ess/ess.h"
#include "perf/bench.h"

#define QUERIES (1u << 20)
#define CORES   2u

enum { MAP_COMMIT, SCALE, CREATE }; /* struct bench: variant */

/* What a core works through. */
struct core {
	struct spx_ess_worker *worker;
	const uint64_t *query;
	uint32_t queries; /* a power of two */
	uint32_t at;
	uint64_t done, failed;
} __rte_cache_aligned;

struct state {
	struct core core[CORES];
	struct spx_ess *store;
	struct rte_hash *table;
	uint8_t (*value)[SPX_ESS_VALUE]; /* of the peer */
	uint64_t *query;
	uint64_t n, seed;
	uint64_t copied, missed; /* theirs */
	uint64_t created;        /* keys; also the clock of `create` */

	/* The other core, none while instructions are counted. */
	pthread_t other;
	bool other_runs;
	sem_t order, finished;
	uint64_t ordered; /* operations; 0: to end */
	uint64_t took_ns; /* of the other core's time */
};

/* ---- ours ------------------------------------------------------------------------------------------ */

static void
burst(struct core *c)
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

static void
work(struct core *c, uint64_t ops)
{
	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		burst(c);
		c->done += BENCH_BURST;
	}
}

static void
ours(void *state, uint64_t ops)
{
	work(&((struct state *)state)->core[0], ops);
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
	struct state *s = state;
	struct core *c = &s->core[0];

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
	struct state *s = state;
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

/* ---- two cores ------------------------------------------------------------------------------------- */

static uint64_t
own_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *
other_core(void *state)
{
	struct state *s = state;

	while (sem_wait(&s->order) == 0 && s->ordered != 0) {
		uint64_t start = own_time_ns();

		work(&s->core[1], s->ordered);
		s->took_ns = own_time_ns() - start;
		sem_post(&s->finished);
	}
	return NULL;
}

/* Half of the operations each, whole bursts. The frame sees this thread's time: it becomes that of the slower
 * one of the two. */
static void
ours_on_two(void *state, uint64_t ops)
{
	struct state *s = state;
	const uint64_t half = ops / 2 / BENCH_BURST * BENCH_BURST, start = own_time_ns();

	if (!s->other_runs) {
		work(&s->core[0], half);
		work(&s->core[1], ops - half);
		return;
	}
	s->ordered = ops - half;
	sem_post(&s->order);
	work(&s->core[0], half);
	sem_wait(&s->finished);
	while (own_time_ns() - start < s->took_ns)
		rte_pause();
}

/* Twice one core: half of the operations. */
static void
one_of_two(void *state, uint64_t ops)
{
	work(&((struct state *)state)->core[0], ops / 2);
}

/* A core that this thread does not run on, or -1. */
static int
another_core(void)
{
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (cpu != sched_getcpu() && sched_setaffinity(0, sizeof(one), &one) == 0)
			return cpu;
	}
	return -1;
}

/* The thread inherits the core it is started on. */
static int
start_other(struct state *s, struct spx_error *err)
{
	cpu_set_t mine;
	int rc = sched_getaffinity(0, sizeof(mine), &mine);

	if (rc != 0 || another_core() < 0)
		return spx_error(err, -ENODEV, "it takes two cores");
	sem_init(&s->order, 0, 0);
	sem_init(&s->finished, 0, 0);
	rc = pthread_create(&s->other, NULL, other_core, s);
	if (rc == 0)
		s->other_runs = true;
	if (sched_setaffinity(0, sizeof(mine), &mine) != 0 || rc != 0)
		return spx_error(err, -EIO, "the second core's thread does not start");
	return 0;
}

/* ---- setup ----------------------------------------------------------------------------------------- */

static int
fill_ours(struct state *s, uint64_t key, struct spx_error *err)
{
	struct spx_ess_tx tx;

	spx_ess_begin(&tx, s->core[0].worker, 0, false, 1);
	spx_ess_map(&tx, 0, key, SPX_ESS_CLASS_public, true);
	if (spx_ess_commit(&tx, 1) != 0)
		return spx_error(err, -ENOSPC, "the store does not take %" PRIu64 " entries", s->n);
	return 0;
}

static int
make(struct state *s, unsigned variant, bool peer, struct spx_error *err)
{
	const uint32_t capacity = (uint32_t)(variant == CREATE ? s->n : (double)s->n / 0.85);
	struct spx_ess_options options = {.capacity = capacity,
		.workers = CORES,
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
fill(struct state *s, bool two, struct spx_error *err)
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
	struct state *s = c->state;
	struct spx_ess_stats stats;
	int rc;

	(void)part;
	s->n = b->size;
	s->seed = b->size;
	rc = make(s, b->variant, b->variant == MAP_COMMIT && !c->counting, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < CORES; i++)
		s->core[i] = (struct core){.worker = spx_ess_worker(s->store, i),
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
	return two && !c->counting ? start_other(s, err) : 0;
}

static void
teardown(void *state)
{
	struct state *s = state;

	if (s->other_runs) {
		s->ordered = 0;
		sem_post(&s->order);
		pthread_join(s->other, NULL);
	}
	spx_ess_free(s->store);
	rte_hash_free(s->table);
	rte_free(s->value);
	rte_free(s->query);
}

/* Every operation was one: found, committed, and counted. */
static int
check(void *state, struct spx_error *err)
{
	const struct state *s = state;
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
		.variant = (which), .size = 1u << 20, .state_size = sizeof(struct state), .setup = setup,    \
		.ours = first, .theirs = second, .check = check, .teardown = teardown                        \
	}

static const struct bench benches[] = {
	BENCH_ESS("map_commit.1m", MAP_COMMIT, "rte_hash and copy", ours, theirs),
	BENCH_ESS("create.1m", CREATE, NULL, ours_create, NULL),
	BENCH_ESS("scale.2cores", SCALE, "2 x one core", ours_on_two, one_of_two),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 512});
}
