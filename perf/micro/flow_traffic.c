/* Draws the packets of flow_traffic.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perf/micro/flow_traffic.h"

#define PACKETS  (1u << 22) /* after which the order begins again, the strangers aside */
#define STRANGER UINT32_MAX
#define MANY     8u /* zipf: so many times `flows` in all */

/* A number in (0, 1]. */
static double
draw_unit(uint64_t *random)
{
	return (double)((spx_random(random) >> 11) + 1) * 0x1p-53;
}

static uint32_t
draw(enum flow_traffic_kind kind, uint32_t flows, uint64_t *random)
{
	uint64_t r = spx_random(random);

	switch (kind) {
	case FLOW_TRAFFIC_ATTACK:
		return STRANGER;
	case FLOW_TRAFFIC_ZIPF:
		/* The inverse of the distribution function of 1 / x on 1...n, rounded down. */
		return (uint32_t)pow((double)MANY * flows, draw_unit(random)) - 1;
	case FLOW_TRAFFIC_HALF:
		return (r >> 63) != 0 ? STRANGER : (uint32_t)(r % flows);
	default:
		return (uint32_t)(r % flows);
	}
}

int
flow_traffic_create(enum flow_traffic_kind kind, uint32_t flows, uint64_t seed, struct flow_traffic *traffic)
{
	traffic->flow = malloc(PACKETS * sizeof(*traffic->flow));
	if (traffic->flow == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < PACKETS; i++)
		traffic->flow[i] = draw(kind, flows, &seed);
	return 0;
}

void
flow_traffic_free(struct flow_traffic *traffic)
{
	free(traffic->flow);
	traffic->flow = NULL;
}

void
flow_traffic_next(
	const struct flow_traffic *traffic, struct flow_traffic_place *at, struct flow_traffic_burst *burst)
{
	const uint32_t *flow = &traffic->flow[at->packet % PACKETS];

	for (unsigned i = 0; i < BENCH_BURST; i++) {
		bool stranger = flow[i] == STRANGER;

		flow_traffic_set(burst, i, stranger ? STRANGER + at->stranger : flow[i]);
		at->stranger += stranger;
	}
	at->packet += BENCH_BURST;
}
