/* rewrite: what the action asks to change in the frame. */
#include <string.h>

#include "app/sphex/stages.h"

#define BOTH_MACS (SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC)

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

/* False when the packet is at its last hop: it stays as it is. What is not IP has no hops to count. */
static inline bool
dec_ttl(const struct spx_burst *b, unsigned i, uint8_t *ip)
{
	if (likely(b->ipv4 & spx_set_one(i)))
		return spx_net_dec_ttl4(ip);
	return !(b->ipv6 & spx_set_one(i)) || spx_net_dec_ttl6(ip);
}

void
spx_stage_rewrite(struct spx_worker *w, struct spx_burst *b)
{
	const struct spx_action *actions = w->now->action;
	unsigned i;

	SPX_FOREACH (i, b->edit) {
		const struct spx_action *action = &actions[b->action[i]];
		uint8_t *frame = rte_pktmbuf_mtod(b->pkt[i], uint8_t *);

		if ((action->flags & SPX_ACTION_DEC_TTL) && unlikely(!dec_ttl(b, i, frame + b->layout[i].l3)))
			spx_burst_punt(b, i, SPX_EXCEPTION_ttl);
		else
			set_macs(frame, action);
	}
}
