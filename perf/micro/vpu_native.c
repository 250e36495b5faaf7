/* vpu.native.*: capsules of ESP executed natively, in bursts of 32, 64 Ki keys live in the store. The peer of
 * the same instructions as programs; it has none itself. Each capsule is run as it is in the packets' way:
 * keys fetched for the burst, transaction, answer in the scratchpad.
 *
 * count: threshold out of reach, forwarded. compare: the value is as large as the stored one, put and
 * forwarded. collect: 32 Ki counters that never reach zero, and as many sums: two entries, both put, dropped.
 */
#include <inttypes.h>

#include <rte_byteorder.h>

#include "lib/capsule/esp.h"
#include "perf/bench.h"

#define KEYS     (1u << 16)
#define CAPSULES (1u << 16)
#define WORDS    3u

struct state {
	struct spx_ess *store;
	struct spx_ess_worker *worker;
	uint64_t at, wrong;
	uint16_t expected;
	struct spx_esp_capsule capsule[CAPSULES];
	uint64_t scratch[CAPSULES][WORDS];
};

static void
ours(void *state, uint64_t ops)
{
	struct state *s = state;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		struct spx_esp_capsule *c = &s->capsule[s->at];

		spx_esp_run_bulk(s->worker, 1, 1, c, BENCH_BURST);
		for (unsigned i = 0; i < BENCH_BURST; i++)
			s->wrong += c[i].result != s->expected;
		s->at = (s->at + BENCH_BURST) % CAPSULES;
	}
}

static int
put(struct state *s, uint64_t key, uint64_t value, struct spx_error *err)
{
	struct spx_ess_tx tx;

	spx_ess_begin(&tx, s->worker, 0, false, 1);
	spx_ess_map(&tx, 0, rte_be_to_cpu_64(key), SPX_ESS_CLASS_public, true);
	tx.bank[0].value[0] = rte_cpu_to_be_64(value);
	tx.written = 1;
	return spx_ess_commit(&tx, 1) == 0 ? 0 : spx_error(err, -ENOSPC, "the store is full");
}

/* Key i of KEYS; as it lies in a scratchpad. */
static uint64_t
key(uint64_t i)
{
	return spx_random(&i);
}

static int
fill(struct state *s, enum spx_esp_instruction instruction, struct spx_error *err)
{
	const bool pairs = instruction == SPX_ESP_COLLECT;
	uint64_t seed = 1;
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < KEYS; i++)
		rc = put(s, key(i), pairs ? UINT64_C(1) << 60 : 7, err);
	for (unsigned i = 0; i < CAPSULES; i++) {
		uint64_t first = spx_random(&seed) % (pairs ? KEYS / 2 : KEYS);

		s->scratch[i][0] = key(first);
		s->scratch[i][1] = pairs ? key(first + KEYS / 2)
					 : rte_cpu_to_be_64(instruction == SPX_ESP_COUNT ? UINT64_MAX : 7);
		s->scratch[i][2] = rte_cpu_to_be_64(i);
		s->capsule[i] = (struct spx_esp_capsule){.scratch = (uint8_t *)s->scratch[i],
			.words = WORDS,
			.instruction = (uint8_t)instruction,
			.op = instruction == SPX_ESP_COMPARE ? SPX_ESP_GE
			      : pairs                        ? SPX_ESP_SUM
							     : 0};
	}
	s->expected = pairs ? SPX_ESP_DROP : SPX_ESP_FORWARD;
	return rc;
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct spx_ess_options options = {.capacity = SPX_ESS_CAPACITY,
		.workers = 1,
		.lifetime_us = SPX_ESS_LIFETIME,
		.socket = SOCKET_ID_ANY};
	struct state *s = c->state;
	int rc;

	(void)part;
	spx_hash_seed_from(&options.seed, 1);
	rc = spx_ess_create(&options, &s->store, err);
	if (rc < 0)
		return rc;
	s->worker = spx_ess_worker(s->store, 0);
	return fill(s, b->variant, err);
}

static int
check(void *state, struct spx_error *err)
{
	const struct state *s = state;
	struct spx_ess_stats stats;

	spx_ess_stats(s->store, 1, &stats);
	if (s->wrong != 0 || stats.live != KEYS)
		return spx_error(err, -EIO,
			"%" PRIu64 " capsules did not do what they should, %" PRIu64 " entries live",
			s->wrong, stats.live);
	return 0;
}

static void
teardown(void *state)
{
	spx_ess_free(((struct state *)state)->store);
}

#define BENCH_NATIVE(name, instruction)                                                                      \
	{                                                                                                    \
		.id = "vpu.native." name, .unit = "ns per capsule", .scale = BENCH_NS,                       \
		.variant = (instruction), .state_size = sizeof(struct state), .setup = setup, .ours = ours,  \
		.check = check, .teardown = teardown                                                         \
	}

static const struct bench benches[] = {
	BENCH_NATIVE("count", SPX_ESP_COUNT),
	BENCH_NATIVE("compare", SPX_ESP_COMPARE),
	BENCH_NATIVE("collect", SPX_ESP_COLLECT),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 256});
}
