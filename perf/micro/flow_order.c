/* flow.order.*: the layered flow cache with its filter behind the exact cache (ours) or before it (peer),
 * both put together here from the same parts, for the same packets; doc/evaluation/filter-order.md has what
 * follows.
 *
 *   behind   exact cache; what it does not have: filter (seen before?), rules; what has been seen enters
 *   before   filter; what it knows: exact cache; what that does not have: rules; what has been seen enters
 *
 * The rules themselves are left out of the time, for both ask them about the same packets but for those that
 * the note tells: `before` also asks about resident flows that its filter has forgotten.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow/flow.h"
#include "lib/flow/repeats.h"
#include "perf/micro/flow_traffic.h"

#define SEED   9
#define WAYS   16
#define P      0.001
#define AGE    256  /* bursts between two calls of spx_flow_exact_age, as housekeeping does */
#define HITS   0.98 /* at least, when every flow is resident */
#define WARM   4    /* passes over the flows, and as many packets of the traffic */
#define ACTION 1
#define WIDER  8u /* times the flows of a wide filter */

/* In bench.variant beside the traffic: a filter as the order `before` would like it, for far more flows, and
 * cleared when full, so that there is one half to ask and not two. */
#define WIDE 0x100u

/* One order's parts and what it did. */
struct order {
	struct spx_flow_exact *exact;
	struct spx_flow_approximate *filter;
	struct spx_flow_repeats repeats;
	struct flow_traffic_place at;
	uint64_t bursts;
	uint64_t packets, hits, asked; /* asked: flows that the rules were asked about */
};

struct state {
	struct bench_context *context;
	enum flow_traffic_kind kind;
	struct flow_traffic traffic;
	struct order behind, before;
};

static const uint32_t actions[BENCH_BURST] = {[0 ... BENCH_BURST - 1] = ACTION};
static const uint32_t lengths[BENCH_BURST] = {[0 ... BENCH_BURST - 1] = FLOW_TRAFFIC_BYTES};

/* ---- the two orders -------------------------------------------------------------------------------- */

static inline uint64_t
find(struct order *o, const struct flow_traffic_burst *b, uint64_t set)
{
	struct spx_flow_data *found[BENCH_BURST];
	uint64_t hits = spx_flow_exact_lookup4(o->exact, b->key, b->hash, set, found);
	unsigned i;

	SPX_FOREACH (i, hits) {
		spx_count(&found[i]->packets, 1);
		spx_count(&found[i]->bytes, FLOW_TRAFFIC_BYTES);
	}
	return hits;
}

/* After the rules have answered the flows of `ask`, of which the filter knows `known`: those enter, with
 * those that came twice in the burst; the others are in the filter from now on. */
static inline void
learn(struct order *o, const struct flow_traffic_burst *b, uint64_t ask, uint64_t known)
{
	unsigned i;

	spx_flow_approximate_insert(o->filter, b->hash, ask & ~known);
	SPX_FOREACH (i, o->repeats.set)
		known |= spx_set_one(o->repeats.first[i]);
	if (known != 0)
		spx_flow_exact_insert4(
			o->exact, b->key, b->hash, known, actions, o->repeats.packets, o->repeats.bytes);
}

static inline uint64_t
first_of_flows(struct order *o, const struct flow_traffic_burst *b, uint64_t set)
{
	return spx_flow_repeats_find(&o->repeats, b->key, sizeof(b->key[0]), b->hash, lengths, set);
}

static inline void
count(struct order *o, uint64_t hits, uint64_t ask)
{
	o->packets += BENCH_BURST;
	o->hits += spx_set_count(hits);
	o->asked += spx_set_count(ask);
	if (++o->bursts % AGE == 0)
		spx_flow_exact_age(o->exact);
}

static void
filter_behind(struct order *o, const struct flow_traffic_burst *b)
{
	uint64_t all = spx_set_first(BENCH_BURST), hits = find(o, b, all), ask = 0;

	if (hits != all) {
		ask = first_of_flows(o, b, all & ~hits);
		learn(o, b, ask, spx_flow_approximate_lookup(o->filter, b->hash, ask));
	}
	count(o, hits, ask);
}

static void
filter_before(struct order *o, const struct flow_traffic_burst *b)
{
	uint64_t all = spx_set_first(BENCH_BURST), ask = 0;
	uint64_t known = spx_flow_approximate_lookup(o->filter, b->hash, all), hits = find(o, b, known);

	if (hits != all) {
		ask = first_of_flows(o, b, all & ~hits);
		learn(o, b, ask, ask & known);
	}
	count(o, hits, ask);
}

static void
ours(void *state, uint64_t ops)
{
	struct state *s = state;
	struct flow_traffic_burst burst;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		flow_traffic_next(&s->traffic, &s->behind.at, &burst);
		filter_behind(&s->behind, &burst);
	}
}

static void
theirs(void *state, uint64_t ops)
{
	struct state *s = state;
	struct flow_traffic_burst burst;

	for (uint64_t done = 0; done < ops; done += BENCH_BURST) {
		flow_traffic_next(&s->traffic, &s->before.at, &burst);
		filter_before(&s->before, &burst);
	}
}

/* ---- state ----------------------------------------------------------------------------------------- */

static int
make_order(const struct bench *b, struct order *o, struct spx_error *err)
{
	struct spx_flow_exact_options exact = {
		.family = SPX_FLOW_IPV4, .entries = b->size, .ways = WAYS, .socket = SOCKET_ID_ANY};
	bool wide = (b->variant & WIDE) != 0;
	struct spx_flow_approximate_options filter = {.p = P,
		.flows = wide ? WIDER * b->size : b->size,
		.ageing = wide ? SPX_FLOW_COLD : SPX_FLOW_DOUBLE_BUFFERED,
		.seed = SEED,
		.socket = SOCKET_ID_ANY};
	int rc = spx_flow_exact_create(&exact, &o->exact, err);

	if (rc == 0)
		rc = spx_flow_approximate_create(&filter, &o->filter, err);
	if (rc == 0)
		spx_flow_exact_set_generation(o->exact, 1);
	return rc;
}

/* Every flow comes several times in turn. */
static void
warm(struct order *o, uint32_t flows, void (*way)(struct order *o, const struct flow_traffic_burst *b))
{
	struct flow_traffic_burst burst;

	for (unsigned pass = 0; pass < WARM; pass++)
		for (uint32_t flow = 0; flow < flows; flow += BENCH_BURST) {
			for (unsigned i = 0; i < BENCH_BURST; i++)
				flow_traffic_set(&burst, i, flow + i);
			way(o, &burst);
		}
}

static int
check_resident(const struct order *o, uint32_t flows, const char *name, struct spx_error *err)
{
	struct spx_flow_exact_stats stats;

	spx_flow_exact_stats(o->exact, &stats);
	return (double)stats.resident >= HITS * flows
		       ? 0
		       : spx_error(err, -EINVAL, "filter %s: %" PRIu64 " of %u flows are resident", name,
				 stats.resident, flows);
}

static double
share(uint64_t part, const struct order *o)
{
	return 100.0 * (double)part / (double)RTE_MAX(o->packets, 1u);
}

/* Both did what the traffic asks for, and the note says how much of it. */
static int
check(void *state, struct spx_error *err)
{
	struct state *s = state;
	const struct order *behind = &s->behind, *before = &s->before;
	bool counting = s->context->counting;

	snprintf(s->context->note, sizeof(s->context->note),
		"hits %.1f %%, before %.1f %%; rules asked %.2f %%, before %.2f %%",
		share(behind->hits, behind), share(before->hits, before), share(behind->asked, behind),
		share(before->asked, before));
	if (s->kind == FLOW_TRAFFIC_HITS && (share(behind->hits, behind) < 100 * HITS ||
						    (!counting && share(before->hits, before) < 100 * HITS)))
		return spx_error(err, -EINVAL, "every flow should be resident: %s", s->context->note);
	if (s->kind == FLOW_TRAFFIC_ATTACK && behind->hits + before->hits != 0)
		return spx_error(err, -EINVAL, "no packet's flow should be known: %s", s->context->note);
	return 0;
}

static void
free_order(struct order *o)
{
	spx_flow_exact_free(o->exact);
	spx_flow_approximate_free(o->filter);
}

static void
teardown(void *state)
{
	struct state *s = state;

	free_order(&s->behind);
	free_order(&s->before);
	flow_traffic_free(&s->traffic);
}

/* Half as many flows as entries, so that nearly all find a place in their sets. */
static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct state *s = c->state;
	uint32_t flows = (uint32_t)b->size / 2;
	int rc;

	(void)part;
	s->context = c;
	s->kind = (enum flow_traffic_kind)(b->variant & ~WIDE);
	rc = flow_traffic_create(s->kind, flows, SEED, &s->traffic);
	if (rc < 0)
		return spx_error(err, rc, "no memory for the traffic");
	rc = make_order(b, &s->behind, err);
	if (rc == 0)
		rc = make_order(b, &s->before, err);
	if (rc < 0)
		return rc;
	warm(&s->behind, flows, filter_behind);
	warm(&s->before, flows, filter_before);
	rc = check_resident(&s->behind, flows, "behind", err);
	if (rc == 0)
		rc = check_resident(&s->before, flows, "before", err);
	ours(s, WARM * b->size);
	theirs(s, WARM * b->size);
	s->behind.packets = s->behind.hits = s->behind.asked = 0;
	s->before.packets = s->before.hits = s->before.asked = 0;
	return rc;
}

#define BENCH_ORDER(name, kind, entries)                                                                     \
	{                                                                                                    \
		.id = "flow.order." name, .unit = "ns per packet", .scale = BENCH_NS,                        \
		.peer = "filter before", .size = (entries), .variant = (kind),                               \
		.state_size = sizeof(struct state), .setup = setup, .ours = ours, .theirs = theirs,          \
		.check = check, .teardown = teardown                                                         \
	}
#define BENCH_ORDERS(name, kind)                                                                             \
	BENCH_ORDER(name ".4k", kind, 1 << 12), BENCH_ORDER(name ".64k", kind, 1 << 16),                     \
		BENCH_ORDER(name ".1m", kind, 1 << 20),                                                      \
		BENCH_ORDER(name ".64k.wide", (kind) | WIDE, 1 << 16)

static const struct bench benches[] = {
	BENCH_ORDERS("hits", FLOW_TRAFFIC_HITS),
	BENCH_ORDERS("half", FLOW_TRAFFIC_HALF),
	BENCH_ORDERS("attack", FLOW_TRAFFIC_ATTACK),
	BENCH_ORDERS("zipf", FLOW_TRAFFIC_ZIPF),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 512});
}
