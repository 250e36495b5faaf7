/* What can be asked for, what it takes, how full it gets, and reading while the owner writes. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "test/unit/eal.h"
#include "test/unit/flow_exact_pair.h"

TestSuite(flow_exact_options, .init = test_eal_start, .timeout = 60);

/* Creation fails and the message has these words. */
static void
refused(struct spx_flow_exact_options options, int rc, const char *words)
{
	struct spx_flow_exact *x = NULL;
	struct spx_error err;

	options.socket = SOCKET_ID_ANY;
	cr_assert_eq(spx_flow_exact_create(&options, &x, &err), rc);
	cr_assert_null(x);
	cr_assert_neq(strstr(err.text, words), NULL, "%s", err.text);
	cr_assert_eq(spx_flow_exact_create(&options, &x, NULL), rc);
}

Test(flow_exact_options, are_checked)
{
	refused((struct spx_flow_exact_options){.family = 2, .entries = 1, .ways = 1}, -EINVAL,
		"neither IPv4");
	refused((struct spx_flow_exact_options){.entries = 0, .ways = 1}, -EINVAL, "0 entries");
	refused((struct spx_flow_exact_options){.entries = 1, .ways = 0}, -EINVAL, "1 to 16");
	refused((struct spx_flow_exact_options){.entries = 1, .ways = 17}, -EINVAL, "1 to 16");
	refused((struct spx_flow_exact_options){.entries = UINT64_MAX, .ways = 16}, -EINVAL, "68719476720");
	refused((struct spx_flow_exact_options){.entries = (1ull << 32) * 4, .ways = 4}, -EINVAL, "4 ways");
	refused((struct spx_flow_exact_options){.entries = 1ull << 30, .ways = 16}, -ENOMEM, "MiB");
	spx_flow_exact_free(NULL);
}

/* 64 B or 128 B for an entry and a header of 64 B for each set. */
Test(flow_exact_options, memory)
{
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		struct spx_flow_exact_options options = {
			.family = family, .entries = 99990, .ways = 16, .socket = SOCKET_ID_ANY};
		struct spx_flow_exact_stats stats;
		struct spx_flow_exact *x;

		cr_assert_eq(spx_flow_exact_create(&options, &x, NULL), 0);
		spx_flow_exact_stats(x, &stats);
		cr_assert_eq(stats.sets, 6250);
		cr_assert_eq(stats.entries, 100000);
		cr_assert_eq(stats.bytes - sizeof(*x), stats.entries * (family == SPX_FLOW_IPV4 ? 68 : 132));
		spx_flow_exact_free(x);
	}
}

/* Flows enter an empty cache of 65,536 entries until there have been `load` times as many: the share of them
 * that is evicted is what Poisson's distribution says. Thirty times over. */
static void
check_evicted(double load, unsigned ways, double model)
{
	struct spx_flow_exact_options options = {.entries = 65536, .ways = ways, .socket = SOCKET_ID_ANY};
	const uint32_t one[SPX_BURST_MAX] = {0};
	uint64_t flows = (uint64_t)(load * 65536), random = 1;
	struct spx_flow_exact_stats stats;
	struct spx_flow_exact *x;
	double evicted;

	cr_assert_eq(spx_flow_exact_create(&options, &x, NULL), 0);
	spx_flow_exact_set_generation(x, 1);
	for (uint64_t n = 0; n < 30 * flows; n += SPX_BURST_MAX) {
		struct spx_key4 key[SPX_BURST_MAX];
		uint64_t hash[SPX_BURST_MAX];

		for (unsigned i = 0; i < SPX_BURST_MAX; i++) {
			key[i] = pair_key4((uint32_t)n + i);
			hash[i] = spx_random(&random);
		}
		if (n % flows < SPX_BURST_MAX)
			spx_flow_exact_flush(x);
		spx_flow_exact_insert4(x, key, hash, UINT64_MAX, one, one, one);
	}
	spx_flow_exact_stats(x, &stats);
	evicted = (double)stats.ended[SPX_FLOW_END_evicted] / (double)stats.inserted;
	cr_log_info("load %.2f, %u ways: %.5f evicted, model %.5f\n", load, ways, evicted, model);
	cr_assert(evicted > 0.9 * model && evicted < 1.1 * model, "%f evicted, the model says %f", evicted,
		model);
	spx_flow_exact_free(x);
}

Test(flow_exact_options, evicted_as_the_model_says)
{
	check_evicted(0.5, 16, 0.00079);
	check_evicted(0.7, 16, 0.01281);
	check_evicted(0.85, 16, 0.04406);
	check_evicted(0.85, 4, 0.14068);
	check_evicted(0.85, 1, 0.32637);
}

/* ---- reading while the owner writes ---------------------------------------------------------------- */

#define READ_ENTRIES 4u
#define OWNER_TURNS  2000000u

struct shared {
	struct spx_flow_exact *x;
	bool stop;
	uint64_t read, wrong;
};

/* Of flow `id` the action is id and packets and bytes are id and three times id. */
static void *
read_along(void *arg)
{
	struct shared *s = arg;

	for (uint64_t n = 0; !__atomic_load_n(&s->stop, __ATOMIC_RELAXED); n++) {
		struct spx_flow_record record;
		struct spx_key6 key;

		if (!spx_flow_exact_read(s->x, n % READ_ENTRIES, &record))
			continue;
		key = pair_key6(record.action);
		s->read++;
		s->wrong += memcmp(&key, &record.key6, sizeof(key)) != 0 || record.packets != record.action ||
			    record.bytes != 3 * (uint64_t)record.action || record.first_use != 9;
	}
	return NULL;
}

Test(flow_exact_options, reads_are_whole)
{
	const struct spx_flow_exact_options options = {
		.family = SPX_FLOW_IPV6, .entries = READ_ENTRIES, .ways = 2, .socket = SOCKET_ID_ANY};
	struct shared s = {.stop = false};
	pthread_t reader;
	cpu_set_t all;

	cr_assert_eq(spx_flow_exact_create(&options, &s.x, NULL), 0);
	spx_flow_exact_set_generation(s.x, 1);
	spx_flow_exact_set_time(s.x, 9);
	cr_assert_eq(pthread_create(&reader, NULL, read_along, &s), 0);
	memset(&all, 0xff, sizeof(all)); /* EAL has bound this thread, and so the new one, to one core */
	cr_assert_eq(pthread_setaffinity_np(reader, sizeof(all), &all), 0);
	for (uint32_t id = 1; id < OWNER_TURNS; id++) {
		struct spx_key6 key = pair_key6(id);
		uint64_t hash = pair_hash_tags(id);
		struct spx_flow_data *found;
		uint32_t bytes = 3 * id;

		cr_assert_eq(spx_flow_exact_lookup6(s.x, &key, &hash, 1, &found), 0);
		spx_flow_exact_insert6(s.x, &key, &hash, 1, &id, &id, &bytes);
		if (id % 16 == 0)
			spx_flow_exact_flush(s.x);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(reader, NULL);
	cr_assert_eq(s.wrong, 0, "%lu of %lu reads", s.wrong, s.read);
	cr_assert_gt(s.read, 1000);
	spx_flow_exact_free(s.x);
}
