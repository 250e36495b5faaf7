/* Two threads on one store: nothing torn, nothing lost, no deadlock. They run for as long as SECONDS says,
 * each as fast as it can. */
#include <pthread.h>
#include <time.h>

#include "test/unit/eal.h"
#include "test/unit/ess_model.h"

#define SECONDS  2
#define ACCOUNTS 4u
#define MONEY    1000u
#define CHURN    512u /* keys */

TestSuite(ess_threads, .init = test_eal_start);

static struct spx_ess *s;
static bool stop;

/* A thread's own. */
struct side {
	unsigned index;
	struct spx_ess_worker *worker;
	uint64_t seed;
	uint64_t done, wrong;
};

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Runs `body` in two threads for SECONDS; sums what they did. */
static void
run(void *(*body)(void *side), uint64_t *done)
{
	const struct timespec some = {.tv_sec = SECONDS};
	struct side side[2] = {{.index = 0}, {.index = 1}};
	pthread_t thread[2];

	stop = false;
	for (unsigned i = 0; i < 2; i++) {
		side[i].worker = spx_ess_worker(s, i);
		side[i].seed = i;
		cr_assert_eq(pthread_create(&thread[i], NULL, body, &side[i]), 0);
	}
	nanosleep(&some, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	*done = 0;
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		cr_assert_eq(side[i].wrong, 0);
		cr_assert_gt(side[i].done, 100);
		*done += side[i].done;
	}
}

static bool
stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* ---- money moves between accounts, mapped in both orders ------------------------------------------- */

static bool
move(struct spx_ess_tx *tx, void *arg)
{
	struct side *side = arg;
	uint64_t from = spx_random(&side->seed) % ACCOUNTS, to = (from + 1 + side->index) % ACCOUNTS;

	spx_ess_map(tx, 0, from, SPX_ESS_CLASS_public, false);
	spx_ess_map(tx, 1, to, SPX_ESS_CLASS_public, false);
	tx->bank[0].value[0]--;
	tx->bank[1].value[0]++;
	tx->bank[0].value[3]++; /* moves from here */
	tx->written = 3;
	return true;
}

/* All accounts at once: their sum stays. What is not of one time is not committed. */
static bool
look(struct spx_ess_tx *tx, void *arg)
{
	uint64_t *sum = arg;

	*sum = 0;
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		spx_ess_map(tx, i, (i * 3) % ACCOUNTS, SPX_ESS_CLASS_public, false);
		*sum += tx->bank[i].value[0];
	}
	return true;
}

static void *
banker(void *arg)
{
	struct side *side = arg;
	struct spx_ess_tx tx;
	uint64_t sum;

	side->wrong += ess_on_any_core() != 0;
	while (!stopped()) {
		side->wrong += spx_ess_transact(&tx, side->worker, 0, false, 1, move, side) != 0;
		side->done++;
		if (side->done % 8 != 0)
			continue;
		side->wrong += spx_ess_transact(&tx, side->worker, 0, false, 1, look, &sum) != 0;
		side->wrong += sum != ACCOUNTS * MONEY;
	}
	return NULL;
}

Test(ess_threads, both_orders)
{
	uint64_t done, sum = 0, moves = 0;

	s = ess_make(64, 2, SPX_ESS_LIFETIME_MAX);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		ess_put(spx_ess_worker(s, 0), i, SPX_ESS_CLASS_public, MONEY, 1);
	run(banker, &done);
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		uint64_t value[4];

		cr_assert(spx_ess_get(s, SPX_ESS_CLASS_public, i, 1, (uint8_t *)value));
		sum += value[0];
		moves += value[3] - MONEY;
	}
	cr_assert_eq(sum, ACCOUNTS * MONEY);
	cr_assert_eq(moves, done);
	spx_ess_free(s);
}

/* ---- one writes, the other one reads ---------------------------------------------------------------- */

static bool
same_words(const uint64_t value[4])
{
	return value[1] == value[0] && value[2] == value[0] && value[3] == value[0];
}

static void *
writer_or_reader(void *arg)
{
	struct side *side = arg;
	uint64_t value[4];

	side->wrong += ess_on_any_core() != 0;
	while (!stopped()) {
		side->done++;
		if (side->index == 0)
			side->wrong += ess_put(side->worker, 1, SPX_ESS_CLASS_public, side->done, 1) != 0;
		else if (spx_ess_get(s, SPX_ESS_CLASS_public, 1, 1, (uint8_t *)value))
			side->wrong += !same_words(value);
	}
	return NULL;
}

Test(ess_threads, not_torn)
{
	uint64_t done;

	s = ess_make(64, 2, SPX_ESS_LIFETIME_MAX);
	run(writer_or_reader, &done);
	spx_ess_free(s);
}

/* ---- entries come and go --------------------------------------------------------------------------- */

/* All words of a value are a number that names its key. */
static bool
belongs(const uint64_t value[4], uint64_t key)
{
	return value[0] % CHURN == key && value[1] == value[0] && value[2] == value[0] &&
	       value[3] == value[0];
}

static void *
churner(void *arg)
{
	struct side *side = arg;

	side->wrong += ess_on_any_core() != 0;
	while (!stopped()) {
		const uint64_t key = spx_random(&side->seed) % CHURN, now = now_us();
		uint64_t value[4];
		struct spx_ess_tx tx;

		if (spx_ess_get(s, SPX_ESS_CLASS_public, key, now, (uint8_t *)value))
			side->wrong += !belongs(value, key);
		spx_ess_begin(&tx, side->worker, 0, false, now);
		if (spx_ess_map(&tx, 1, key, SPX_ESS_CLASS_public, true) == 1)
			side->wrong += !belongs(tx.bank[1].value, key);
		for (unsigned i = 0; i < 4; i++)
			tx.bank[1].value[i] = side->done * CHURN + key;
		tx.written = 2;
		switch (spx_ess_commit(&tx, now)) {
		case 0:
			side->done++;
			break;
		case -EAGAIN:
		case -ENOSPC:
			break;
		default:
			side->wrong++;
		}
	}
	return NULL;
}

Test(ess_threads, churn)
{
	struct spx_ess_stats stats;
	uint64_t done;

	s = ess_make(64, 2, 100);
	run(churner, &done);
	spx_ess_stats(s, now_us(), &stats);
	cr_assert_eq(stats.commits, done);
	cr_assert_leq(stats.live, 64);
	cr_assert_gt(stats.expired, 1000);
	spx_ess_free(s);
}
