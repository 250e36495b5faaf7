/* The flood guard: above a rate of new flows that want the places of others they do not get them, so that a
 * flood cannot turn the exact cache over. Empty places are free: a cold cache fills at any rate.
 *
 * A bucket of tokens: every new flow that comes to a full set takes one, time brings them back at the
 * configured rate. When it is empty the guard is on, and those who come go on taking, down to a debt of one
 * full bucket: so the guard stays on as long as they come faster than the rate, and ends by itself when the
 * bucket has filled to one half. (katran's is_under_flood counts new connections a second and stops inserting
 * in the same way; the bucket does without a second's delay.)
 *
 * A flow that stays outside comes again with its next packet, so many flows that are here to stay look like a
 * flood when the places are taken by flows that are not. While the guard is on a sixteenth of the rate gets
 * through: those take their places in time, and a flood turns over no more than that.
 */
#ifndef SPX_FLOW_GUARD_H
#define SPX_FLOW_GUARD_H

#include "lib/base/base.h"

#define SPX_FLOW_GUARD_MS      20u /* of the rate in a full bucket: housekeeping comes several times in it */
#define SPX_FLOW_GUARD_TRICKLE 16  /* part of the rate that gets through while it is on */

struct spx_flow_guard {
	uint64_t rate;   /* flows a second = thousandths a millisecond; 0 = no guard */
	int64_t full;    /* thousandths of a flow in a full bucket */
	int64_t tokens;  /* -full...full */
	int64_t trickle; /* thousandths of a flow that may get through while it is on */
	bool on;
};

static inline void
spx_flow_guard_init(struct spx_flow_guard *g, uint64_t rate)
{
	*g = (struct spx_flow_guard){.rate = rate,
		.full = (int64_t)RTE_MAX(rate * SPX_FLOW_GUARD_MS, (uint64_t)SPX_BURST_MAX * 1000)};
	g->tokens = g->full;
}

/* Whether new flows may take the places of others now. */
static inline bool
spx_flow_guard_lets_in(const struct spx_flow_guard *g)
{
	return !g->on || g->trickle > 0;
}

/* n new flows have come to full sets, and were let in or not. A burst of them at most gets in too late. */
static inline void
spx_flow_guard_take(struct spx_flow_guard *g, unsigned n)
{
	if (g->rate == 0)
		return;
	if (g->trickle > 0)
		g->trickle -= (int64_t)n * 1000;
	g->tokens = RTE_MAX(g->tokens - (int64_t)n * 1000, -g->full);
	g->on |= g->tokens < 0;
}

static inline void
spx_flow_guard_refill(struct spx_flow_guard *g, uint32_t elapsed_ms)
{
	int64_t more = (int64_t)RTE_MIN((uint64_t)elapsed_ms * g->rate, 2 * (uint64_t)g->full);

	g->tokens = RTE_MIN(g->tokens + more, g->full);
	if (g->on)
		g->trickle = RTE_MIN(g->trickle + more / SPX_FLOW_GUARD_TRICKLE, g->full);
	if (g->on && g->tokens >= g->full / 2) {
		g->on = false;
		g->trickle = 0;
	}
}

#endif
