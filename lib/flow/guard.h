/* The flood guard: above a rate of new flows none enters the exact cache, so that a flood cannot turn it
 * over.
 *
 * A bucket of tokens: every flow that wants to enter takes one, time brings them back at the configured rate.
 * When it is empty the guard is on, and those who want to enter go on taking, down to a debt of one full
 * bucket: so the guard stays on as long as they come faster than the rate, and ends by itself when the bucket
 * has filled to one half. (katran's is_under_flood counts new connections a second and stops inserting in the
 * same way; the bucket does without a second's delay.)
 *
 * A flow that stays outside wants to enter again with its next packet, so flows that are here to stay look
 * like a flood when many of them come at once. While the guard is on a sixteenth of the rate may enter: such
 * a cache fills and the guard ends, and a flood turns over no more than that.
 */
#ifndef SPX_FLOW_GUARD_H
#define SPX_FLOW_GUARD_H

#include "lib/base/base.h"

#define SPX_FLOW_GUARD_MS 20u /* of the rate in a full bucket: housekeeping comes several times in it */

#define SPX_FLOW_GUARD_TRICKLE 16 /* part of the rate that enters while it is on */

struct spx_flow_guard {
	uint64_t rate;   /* flows a second = thousandths a millisecond; 0 = no guard */
	int64_t full;    /* thousandths of a flow in a full bucket */
	int64_t tokens;  /* -full...full */
	int64_t trickle; /* of the few that may enter while it is on: thousandths */
	bool on;
};

static inline void
spx_flow_guard_init(struct spx_flow_guard *g, uint64_t rate)
{
	g->rate = rate;
	g->full = (int64_t)RTE_MAX(rate * SPX_FLOW_GUARD_MS, (uint64_t)SPX_BURST_MAX * 1000);
	g->tokens = g->full;
	g->trickle = 0;
	g->on = false;
}

/* n flows want to enter. True when they may. */
static inline bool
spx_flow_guard_take(struct spx_flow_guard *g, unsigned n)
{
	if (g->rate == 0)
		return true;
	g->tokens = RTE_MAX(g->tokens - (int64_t)n * 1000, -g->full);
	if (g->tokens < 0 && !g->on) {
		g->on = true;
		g->trickle = 0;
	}
	if (!g->on)
		return true;
	if (g->trickle < (int64_t)n * 1000)
		return false;
	g->trickle -= (int64_t)n * 1000;
	return true;
}

static inline void
spx_flow_guard_refill(struct spx_flow_guard *g, uint32_t elapsed_ms)
{
	const int64_t most = RTE_MAX(g->full / SPX_FLOW_GUARD_TRICKLE, INT64_C(1000) * SPX_BURST_MAX);
	int64_t more = (int64_t)RTE_MIN((uint64_t)elapsed_ms * g->rate, 2 * (uint64_t)g->full);

	g->tokens = RTE_MIN(g->tokens + more, g->full);
	g->trickle += more / SPX_FLOW_GUARD_TRICKLE;
	g->trickle = RTE_MIN(g->trickle, most);
	if (g->tokens >= g->full / 2)
		g->on = false;
}

#endif
