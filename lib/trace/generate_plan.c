/* The plan of a generated trace: which sources there are, how many packets each sends and when it begins.
 *
 * generate.c asks for it once and then plays it. The numbers of packets and flows are exact; shares of kinds
 * are exact, shares of IPv6 and VLAN are by chance.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/trace/generate.h"

#define SECOND      UINT64_C(1000000000) /* ns */
#define MILLISECOND UINT64_C(1000000)

#define SPAN_MIN        (10 * SECOND)
#define PACKET_TIME     (50 * UINT64_C(1000)) /* mean ns between packets of a long trace: 20,000 a second */
#define ARP_ONE_IN      1000u
#define GAME_SHARE      40u /* per cent of what the other sources leave */
#define GAME_FLOWS_MAX  4u  /* one flow in so many at most */
#define GAME_RATE_MIN   40u /* packets per second, both directions together */
#define GAME_RATE_MAX   120u
#define UNANSWERED      8u    /* one web flow in so many is a lone SYN */
#define WEB_HEAD        3u    /* packets that every other web flow has */
#define PARETO_TOP      1000u /* largest weight of a web flow; the least is 1 */
#define PARETO_FRACTION 8u    /* bits behind the point */

/* A weight drawn from the bounded Pareto distribution of shape 1 over 1...PARETO_TOP, by inversion:
 * x = 1 / (1 - u * (1 - 1 / top)). Shape 1 needs neither logarithm nor power, whose last bits differ between
 * machines. */
static uint32_t
draw_weight(uint64_t *random)
{
	const uint64_t u = spx_random(random) >> 32;
	const uint64_t top = PARETO_TOP;

	return (uint32_t)((top << (32 + PARETO_FRACTION)) / ((top << 32) - u * (top - 1)));
}

static struct spx_source *
add_source(struct spx_generate_plan *plan, enum spx_source_kind kind, uint64_t packets)
{
	struct spx_source *source = &plan->source[plan->n++];

	*source = (struct spx_source){.kind = (uint8_t)kind, .left = (uint32_t)packets};
	return source;
}

/* A source that is no flow: spreads its packets over a part of the trace. */
static void
add_steady(struct spx_generate_plan *plan, enum spx_source_kind kind, uint64_t packets, uint64_t begin,
	uint64_t duration)
{
	if (packets == 0)
		return;
	plan->begin[plan->n] = begin;
	add_source(plan, kind, packets)->pause = duration / packets;
}

/* Long game flows until their share of the packets is used up. Returns their packets. */
static uint64_t
plan_games(struct spx_generate_plan *plan, uint32_t flows, uint64_t packets, uint64_t *random)
{
	const uint64_t share = RTE_MIN(packets * GAME_SHARE / 100, packets - flows);
	uint64_t used = 0;

	for (uint32_t i = 0; i < flows / GAME_FLOWS_MAX && used < share; i++) {
		uint64_t rate = GAME_RATE_MIN + spx_random_below(random, GAME_RATE_MAX - GAME_RATE_MIN + 1);
		uint64_t begin = spx_random_below(random, plan->span / 10);
		uint64_t pause = SECOND / rate;
		/* At least one packet: a flow is counted when it is seen. */
		uint64_t n = RTE_MIN((plan->span - begin) / pause, share - used);

		plan->begin[plan->n] = begin;
		add_source(plan, SPX_SOURCE_GAME, n)->pause = pause;
		used += n;
	}
	return used;
}

/* Shares `packets` among the web flows [first, first + n): every flow one at least, a lone SYN exactly one,
 * the others their head where that is possible and then by weight. */
static void
share_web_packets(struct spx_source *flow, uint32_t n, uint64_t packets)
{
	const uint64_t head = RTE_MIN(packets / n, (uint64_t)WEB_HEAD);
	uint64_t weights = 0, heads = 0, spare, given = 0;

	for (uint32_t i = 0; i < n; i++) {
		weights += flow[i].left;
		heads += flow[i].left == 0 ? 1 : head;
	}
	assert(weights > 0); /* the first flow has one */
	spare = packets - heads;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t weight = flow[i].left;
		uint64_t size = weight == 0 ? 1 : head + weight * spare / weights;

		/* `sent` remembers until the next loop which flow may grow. */
		flow[i].sent = weight != 0;
		flow[i].left = (uint32_t)size;
		given += size;
	}
	/* What rounding down has left over is less than one packet for each flow that may grow. */
	for (uint32_t i = 0; i < n; i++) {
		if (flow[i].sent != 0 && given < packets) {
			flow[i].left++;
			given++;
		}
		flow[i].sent = 0;
	}
}

static void
plan_web(struct spx_generate_plan *plan, uint32_t flows, uint64_t packets, uint64_t *random)
{
	const uint32_t first = plan->n;

	for (uint32_t i = 0; i < flows; i++) {
		bool unanswered = i > 0 && spx_random_below(random, UNANSWERED) == 0;
		struct spx_source *flow =
			add_source(plan, SPX_SOURCE_WEB, unanswered ? 0 : draw_weight(random));

		flow->pause = 8 * MILLISECOND + spx_random_below(random, 72 * MILLISECOND);
	}
	share_web_packets(&plan->source[first], flows, packets);
	for (uint32_t i = first; i < plan->n; i++) {
		uint64_t lasts = (1 + plan->source[i].left / 10) * plan->source[i].pause;
		/* Large flows begin early enough to end with the others. */
		uint64_t latest = RTE_MAX(plan->span > lasts ? plan->span - lasts : 0, plan->span / 16);

		plan->begin[i] = spx_random_below(random, latest);
	}
}

static int
check(const struct spx_generate *g, struct spx_error *err)
{
	if (g->packets == 0 || g->packets > SPX_GENERATE_PACKETS_MAX)
		return spx_error(err, -EINVAL, "packets: %llu; 1 to %llu expected",
			(unsigned long long)g->packets, (unsigned long long)SPX_GENERATE_PACKETS_MAX);
	if (g->flows == 0 || g->flows > SPX_GENERATE_FLOWS_MAX)
		return spx_error(
			err, -EINVAL, "flows: %u; 1 to %u expected", g->flows, SPX_GENERATE_FLOWS_MAX);
	if (g->snap == 0 || g->snap > SPX_GENERATE_SNAP_MAX)
		return spx_error(err, -EINVAL, "snap: %u; 1 to %u expected", g->snap, SPX_GENERATE_SNAP_MAX);
	if (g->scan > 1000 || g->flood > 1000 || g->malformed > 1000 ||
		g->scan + g->flood + g->malformed > 1000)
		return spx_error(err, -EINVAL,
			"scan, flood, malformed: %u + %u + %u per mille; at most 1000 together expected",
			g->scan, g->flood, g->malformed);
	return 0;
}

static int
allocate(struct spx_generate_plan *plan, uint32_t sources, struct spx_error *err)
{
	plan->source = calloc(sources, sizeof(*plan->source));
	plan->begin = calloc(sources, sizeof(*plan->begin));
	if (plan->source != NULL && plan->begin != NULL)
		return 0;
	spx_generate_plan_free(plan);
	return spx_error(err, -ENOMEM, "no memory for %u flows", sources);
}

int
spx_generate_plan(
	const struct spx_generate *g, struct spx_generate_plan *plan, uint64_t *random, struct spx_error *err)
{
	const uint64_t scan = g->packets * g->scan / 1000, flood = g->packets * g->flood / 1000;
	const uint64_t malformed = g->packets * g->malformed / 1000, arp = g->packets / ARP_ONE_IN;
	const uint64_t others = scan + flood + malformed + arp;
	uint64_t games;
	int rc = check(g, err);

	*plan = (struct spx_generate_plan){.span = RTE_MAX(SPAN_MIN, g->packets * PACKET_TIME)};
	if (rc != 0)
		return rc;
	if (g->packets < others + g->flows)
		return spx_error(err, -EINVAL,
			"packets: %llu; at least %llu expected: one for each of the %u flows and %llu for "
			"scan, "
			"flood, malformed and ARP",
			(unsigned long long)g->packets, (unsigned long long)(others + g->flows), g->flows,
			(unsigned long long)others);
	rc = allocate(plan, g->flows + 4, err);
	if (rc != 0)
		return rc;
	games = plan_games(plan, g->flows, g->packets - others, random);
	plan_web(plan, g->flows - plan->n, g->packets - others - games, random);
	for (uint32_t i = 0; i < plan->n; i++)
		spx_source_address(&plan->source[i], i, g->flows, random);
	add_steady(plan, SPX_SOURCE_SCAN, scan, 0, plan->span);
	/* The flood rises and ends while everything else goes on. */
	add_steady(plan, SPX_SOURCE_FLOOD, flood, plan->span * 3 / 10, plan->span * 3 / 10);
	add_steady(plan, SPX_SOURCE_MALFORMED, malformed, 0, plan->span);
	add_steady(plan, SPX_SOURCE_ARP, arp, 0, plan->span);
	return 0;
}

void
spx_generate_plan_free(struct spx_generate_plan *plan)
{
	free(plan->source);
	free(plan->begin);
	*plan = (struct spx_generate_plan){.source = NULL};
}
