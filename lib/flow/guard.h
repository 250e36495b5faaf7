/* The flood guard: above a rate of new flows none enters the exact cache, so that a flood cannot turn it
 * over.
 *
 * A bucket of tokens: every flow that wants to enter takes one, time brings them back at the configured rate.
 * When it is empty the guard is on and nobody enters, but those who want to go on taking, down to a debt of
 * one full bucket: so the guard stays on as long as they come faster than the rate, and ends by itself when
 * the bucket has filled to one half. (katran's is_under_flood counts new connections a second and stops
 * inserting in the same way; the bucket does without a second's delay.)
 */
#ifndef SPX_FLOW_GUARD_H
#define SPX_FLOW_GUARD_H

#include "lib/base/base.h"

#define SPX_FLOW_GUARD_MS 20u /* of the rate in a full bucket: housekeeping comes several times in it */

struct spx_flow_guard {
	uint64_t rate;  /* flows a second = thousandths a millisecond; 0 = no guard */
	int64_t full;   /* thousandths of a flow in a full bucket */
	int64_t tokens; /* -full...full */
	bool on;
};

static inline void
spx_flow_guard_init(struct spx_flow_guard *g, uint64_t rate)
{
	g->rate = rate;
	g->full = (int64_t)RTE_MAX(rate * SPX_FLOW_GUARD_MS, (uint64_t)SPX_BURST_MAX * 1000);
	g->tokens = g->full;
	g->on = false;
}

/* n flows want to enter. True when they may. */
static inline bool
spx_flow_guard_take(struct spx_flow_guard *g, unsigned n)
{
	if (g->rate == 0)
		return true;
	g->tokens = RTE_MAX(g->tokens - (int64_t)n * 1000, -g->full);
	if (g->tokens < 0)
		g->on = true;
	return !g->on;
}

static inline void
spx_flow_guard_refill(struct spx_flow_guard *g, uint32_t elapsed_ms)
{
	int64_t more = (int64_t)RTE_MIN((uint64_t)elapsed_ms * g->rate, 2 * (uint64_t)g->full);

	g->tokens = RTE_MIN(g->tokens + more, g->full);
	if (g->tokens >= g->full / 2)
		g->on = false;
}

#endif
