/* rewrite: what the action asks to change in the frame. */
#include <string.h>

#include "app/sphex/stages.h"

void
spx_stage_rewrite(struct spx_worker *w, struct spx_burst *b)
{
	unsigned i;

	SPX_FOREACH (i, b->edit) {
		const struct spx_action *action = &w->now->action[b->action[i]];
		uint8_t *frame = rte_pktmbuf_mtod(b->pkt[i], uint8_t *);
		uint8_t *ip = frame + b->layout[i].l3;

		if (action->flags & SPX_ACTION_DEC_TTL) {
			bool is4 = (b->ipv4 & spx_set_one(i)) != 0, is6 = (b->ipv6 & spx_set_one(i)) != 0;

			if ((is4 && !spx_net_dec_ttl4(ip)) || (is6 && !spx_net_dec_ttl6(ip))) {
				spx_burst_punt(b, i, SPX_EXCEPTION_ttl);
				continue;
			}
		}
		if (action->flags & SPX_ACTION_SET_DST_MAC)
			memcpy(frame, action->dst_mac, sizeof(action->dst_mac));
		if (action->flags & SPX_ACTION_SET_SRC_MAC)
			memcpy(frame + 6, action->src_mac, sizeof(action->src_mac));
	}
}
