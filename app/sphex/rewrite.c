/* rewrite: what the action asks to change in the frame. */
#include <string.h>

#include "app/sphex/stages.h"

#define BOTH_MACS (SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC)
#define EDITS     (BOTH_MACS | SPX_ACTION_DEC_TTL)

/* The two addresses lie side by side in the action as in the frame, and are mostly set together. */
static_assert(offsetof(struct spx_action, src_mac) == offsetof(struct spx_action, dst_mac) + 6, "dst, src");

static inline void
set_macs(uint8_t *frame, const struct spx_action *action)
{
	if ((action->flags & BOTH_MACS) == BOTH_MACS)
		memcpy(frame, action->dst_mac, 12);
	else if (action->flags & SPX_ACTION_SET_DST_MAC)
		memcpy(frame, action->dst_mac, 6);
	else if (action->flags & SPX_ACTION_SET_SRC_MAC)
		memcpy(frame + 6, action->src_mac, 6);
}

/* Everything at once, as a router's actions mostly want it, for IPv4. False when the packet is at its last
 * hop: it stays as it is. */
static inline bool
route4(uint8_t *frame, uint8_t l3, const struct spx_action *action)
{
	if (unlikely(!spx_net_dec_ttl4(frame + l3)))
		return false;
	memcpy(frame, action->dst_mac, 12);
	return true;
}

/* The same for any action and packet. What is not IP has no hops to count. */
static bool
edit(const struct spx_burst *b, unsigned i, uint8_t *frame, const struct spx_action *action)
{
	uint8_t *l3 = frame + b->layout[i].l3;
	bool goes_on = true;

	if (action->flags & SPX_ACTION_DEC_TTL)
		goes_on = b->ipv4 & spx_set_one(i)   ? spx_net_dec_ttl4(l3)
			  : b->ipv6 & spx_set_one(i) ? spx_net_dec_ttl6(l3)
						     : true;
	if (goes_on)
		set_macs(frame, action);
	return goes_on;
}

void
spx_stage_rewrite(struct spx_worker *w, struct spx_burst *b)
{
	const struct spx_action *const actions = w->now->action;
	const uint64_t ipv4 = b->ipv4;
	unsigned i;

	SPX_FOREACH (i, b->edit) {
		const struct spx_action *action = &actions[b->action[i]];
		uint8_t *frame = rte_pktmbuf_mtod(b->pkt[i], uint8_t *);
		bool all = (action->flags & EDITS) == EDITS && (ipv4 & spx_set_one(i)) != 0;

		if (unlikely(!(all ? route4(frame, b->layout[i].l3, action) : edit(b, i, frame, action))))
			spx_burst_punt(b, i, SPX_EXCEPTION_ttl);
	}
}
