/* Two threads execute COUNT on one key: the key's value is the number of capsules executed. And the port's
 * quota as a capsule sees it. */
#include <pthread.h>
#include <time.h>

#include <rte_byteorder.h>

#include "lib/capsule/esp.h"
#include "test/unit/eal.h"
#include "test/unit/ess_model.h"

#define SECONDS 2
#define BURST   32u

TestSuite(esp_threads, .init = test_eal_start);

static bool stop;

struct side {
	struct spx_ess_worker *worker;
	uint64_t executed, wrong;
};

static void *
counter(void *arg)
{
	uint64_t word[2] = {rte_cpu_to_be_64(5), UINT64_MAX};
	struct side *side = arg;

	side->wrong += ess_on_any_core() != 0;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct spx_esp_capsule c[BURST];

		for (unsigned i = 0; i < BURST; i++)
			c[i] = (struct spx_esp_capsule){
				.scratch = (uint8_t *)word, .words = 2, .instruction = SPX_ESP_COUNT};
		spx_esp_run_bulk(side->worker, 0, 1, c, BURST);
		for (unsigned i = 0; i < BURST; i++)
			side->wrong += c[i].result != SPX_ESP_FORWARD;
		side->executed += BURST;
	}
	return NULL;
}

Test(esp_threads, count)
{
	const struct timespec some = {.tv_sec = SECONDS};
	struct spx_ess *s = ess_make(1024, 2, SPX_ESS_LIFETIME_MAX);
	struct side side[2] = {{.worker = spx_ess_worker(s, 0)}, {.worker = spx_ess_worker(s, 1)}};
	pthread_t thread[2];
	uint64_t value;

	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, counter, &side[i]), 0);
	nanosleep(&some, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		cr_assert_eq(side[i].wrong, 0);
		cr_assert_gt(side[i].executed, 0);
	}
	cr_assert(ess_value(s, 5, SPX_ESS_CLASS_public, 1, &value));
	cr_assert_eq(rte_be_to_cpu_64(value), side[0].executed + side[1].executed);
	spx_ess_free(s);
}

/* A worker's bucket holds four creations at least, and one a second flows in. */
Test(esp_threads, quota)
{
	struct spx_ess *s = ess_make(1024, 1, SPX_ESS_LIFETIME);
	uint64_t word[2] = {0, UINT64_MAX};
	struct spx_error err;

	cr_assert_eq(spx_ess_set_quota(s, 6, 1, &err), 0);
	for (unsigned i = 0; i < 8; i++) {
		struct spx_esp_capsule c = {.scratch = (uint8_t *)word,
			.words = 2,
			.instruction = SPX_ESP_COUNT,
			.port = i == 7 ? 5 : 6};

		word[0]++;
		spx_esp_run_bulk(spx_ess_worker(s, 0), 0, i < 6 ? 1 : 1000001, &c, 1);
		cr_assert_eq(
			c.result, i == 4 || i == 5 ? SPX_ESP_FAULT_QUOTA : SPX_ESP_FORWARD, "capsule %u", i);
	}
	spx_ess_free(s);
}
