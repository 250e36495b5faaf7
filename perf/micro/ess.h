/* What the two files of ess.* share: ess.c fills and measures the store, ess_cores.c has the second core. */
#ifndef SPX_PERF_ESS_H
#define SPX_PERF_ESS_H

#include <pthread.h>
#include <semaphore.h>

#include "lib/ess/ess.h"
#include "perf/bench.h"

struct rte_hash;

#define ESS_BENCH_CORES 2u

/* What a core works through. */
struct ess_core {
	struct spx_ess_worker *worker;
	const uint64_t *query;
	uint32_t queries; /* a power of two */
	uint32_t at;
	uint64_t done, failed;
} __rte_cache_aligned;

struct ess_bench {
	struct ess_core core[ESS_BENCH_CORES];
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

/* Maps, changes and commits `ops` keys of a core's own. */
void ess_bench_work(struct ess_core *c, uint64_t ops);

/* Starts the second core's thread, and ends it if it was started. */
int ess_cores_start(struct ess_bench *s, struct spx_error *err);
void ess_cores_stop(struct ess_bench *s);

/* Two cores, and twice one core: sides of a benchmark. */
void ess_cores_both(void *state, uint64_t ops);
void ess_cores_one(void *state, uint64_t ops);

#endif
