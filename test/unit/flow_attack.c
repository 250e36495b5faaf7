/* What a flood of new flows does to the long-lived ones: in mode layered next to nothing, because a flow
 * enters at its second packet. The table that it prints is the one of doc/evaluation/attack.md.
 *
 * Long-lived flows for three quarters of the entries send packets, each flow as often or by Zipf; then the
 * same again with packets of strangers in between, 16 x as many flows as there are entries. Measured is the
 * share of the long-lived flows' packets that the cache answers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/flow/flow.h"
#include "test/unit/eal.h"

#define ENTRIES   16384u
#define LONG      (ENTRIES * 3 / 4)
#define STRANGERS (ENTRIES * 16)
#define BURST     32u
#define FRAME     60u
#define WARM      (LONG * 32) /* packets before the measurement */
#define GUARD     10000u      /* new flows a second, where there is a guard */
#define CALM      8u    /* packets in a millisecond: even if each were a flow's first, the guard sleeps */
#define FLOOD     1000u /* of the attack */
#define SEED      10
#define ACTION    3

struct popularity {
	const char *name;
	uint32_t (*draw)(uint64_t *random); /* a long-lived flow: 0...LONG-1 */
};

/* Strangers for each packet of the long-lived, and packets of each stranger one after the other. */
struct attack {
	unsigned per_packet, packets;
};

struct side {
	struct spx_flow_cache *cache;
	uint64_t random, stranger; /* stranger: packets of them so far */
	double ms;                 /* its clock */
	uint64_t long_packets, long_hits;
};

static uint32_t
draw_uniform(uint64_t *random)
{
	return (uint32_t)(spx_random(random) % LONG);
}

/* The r-th flow in proportion to 1 / r. */
static uint32_t
draw_zipf(uint64_t *random)
{
	double unit = (double)((spx_random(random) >> 11) + 1) * 0x1p-53;

	return (uint32_t)pow((double)LONG, unit) - 1;
}

static const struct popularity uniform = {"uniform", draw_uniform}, zipf = {"Zipf", draw_zipf};

static struct side
make_side(enum spx_flow_mode mode, uint64_t flood_rate)
{
	struct spx_flow_options options = {.mode = mode,
		.entries = ENTRIES,
		.entries6 = 16,
		.ways = 16,
		.p = 0.001,
		.flows = ENTRIES,
		.ageing = SPX_FLOW_DOUBLE_BUFFERED,
		.flood_rate = flood_rate,
		.seed = SEED,
		.socket = SOCKET_ID_ANY};
	struct side side = {.random = SEED};
	struct spx_error err;

	cr_assert_eq(spx_flow_create(&options, &side.cache, &err), 0, "%s", err.text);
	spx_flow_set_generation(side.cache, 1);
	spx_flow_housekeep(side.cache, 0);
	return side;
}

/* Key and hash of a flow: a number mixed. */
static void
set_flow(struct spx_key4 *key, uint64_t *hash, uint64_t flow)
{
	uint64_t word[2];

	word[0] = spx_random(&flow);
	word[1] = word[0] * UINT64_C(0xd6e8feb86659fd93);
	memcpy(key, word, sizeof(*key));
	*hash = spx_random(&word[0]);
}

/* One burst; whose packet each is is drawn. */
static void
forward(struct side *side, const struct popularity *popularity, const struct attack *attack)
{
	struct spx_key4 key[BURST];
	uint64_t hash[BURST], long_lived = 0, asked;
	uint32_t bytes[BURST], action[BURST];
	uint64_t memo[BURST];
	unsigned i;

	for (i = 0; i < BURST; i++) {
		bytes[i] = FRAME;
		if (spx_random(&side->random) % (1 + attack->per_packet) == 0) {
			long_lived |= spx_set_one(i);
			set_flow(&key[i], &hash[i], popularity->draw(&side->random));
		} else {
			set_flow(&key[i], &hash[i], LONG + side->stranger++ / attack->packets);
		}
	}
	asked = spx_flow_lookup4(side->cache, key, hash, bytes, spx_set_first(BURST), 0, action, memo);
	SPX_FOREACH (i, asked)
		action[i] = ACTION;
	spx_flow_learn4(side->cache, key, hash, asked, action);
	for (i = 0; i < BURST; i++)
		cr_assert_eq(action[i], ACTION);
	side->long_packets += spx_set_count(long_lived);
	side->long_hits += spx_set_count(long_lived & ~asked);
	side->ms += (double)BURST / (attack->per_packet == 0 ? CALM : FLOOD);
	spx_flow_housekeep(side->cache, (uint32_t)side->ms);
}

/* Share of hits of the long-lived flows' packets, from here on. */
static double
run(struct side *side, const struct popularity *popularity, const struct attack *attack, uint64_t packets)
{
	side->long_packets = 0;
	side->long_hits = 0;
	for (uint64_t done = 0; done < packets; done += BURST)
		forward(side, popularity, attack);
	return (double)side->long_hits / (double)side->long_packets;
}

/* Hits of the long-lived flows in a cache of that mode without and with the attack. */
struct result {
	double before, during;
};

static struct result
measure(enum spx_flow_mode mode, uint64_t flood_rate, const struct popularity *popularity,
	const struct attack *attack)
{
	static const struct attack none = {.packets = 1};
	uint64_t strangers = (uint64_t)STRANGERS * attack->packets;
	struct side side = make_side(mode, flood_rate);
	struct result r;

	run(&side, popularity, &none, WARM);
	r.before = run(&side, popularity, &none, WARM);
	r.during = run(&side, popularity, attack, strangers + strangers / attack->per_packet);
	cr_assert_geq(side.stranger, strangers * 99 / 100);
	spx_flow_free(side.cache);
	fprintf(stderr, "%-8s %u : 1, %u packets a stranger, %-8s guard %5u: hits %5.1f %% -> %5.1f %%\n",
		popularity->name, attack->per_packet, attack->packets, spx_flow_mode_name(mode),
		(unsigned)flood_rate, 100 * r.before, 100 * r.during);
	return r;
}

/* Layered keeps 95 % of its hits; exact, which lets everybody in, is worse off. */
static void
check_one_packet_flows(const struct popularity *popularity)
{
	static const struct attack attacks[] = {
		{.per_packet = 1, .packets = 1}, {.per_packet = 4, .packets = 1}};

	for (unsigned i = 0; i < RTE_DIM(attacks); i++) {
		struct result exact = measure(SPX_FLOW_MODE_exact, 0, popularity, &attacks[i]);
		struct result layered = measure(SPX_FLOW_MODE_layered, 0, popularity, &attacks[i]);

		cr_assert_geq(layered.during, 0.95 * layered.before);
		cr_assert_lt(exact.during, layered.during);
	}
}

TestSuite(flow_attack, .init = test_eal_start);

Test(flow_attack, one_packet_flows_leave_uniform_ones_alone)
{
	check_one_packet_flows(&uniform);
}

Test(flow_attack, one_packet_flows_leave_zipf_ones_alone)
{
	check_one_packet_flows(&zipf);
}

/* Who sends two packets is let in: against that there is the guard. */
Test(flow_attack, two_packet_flows_are_the_guards)
{
	static const struct attack twice = {.per_packet = 4, .packets = 2};
	struct result layered = measure(SPX_FLOW_MODE_layered, 0, &uniform, &twice);
	struct result guarded = measure(SPX_FLOW_MODE_layered, GUARD, &uniform, &twice);

	cr_assert_lt(layered.during, 0.95 * layered.before);
	cr_assert_geq(guarded.during, 0.95 * guarded.before);
}
