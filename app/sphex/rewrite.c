/* rewrite: what the action asks to change in the frame. */
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

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

/* ---- routed packets --------------------------------------------------------------------------------------
 */

/* MAC address and state of each neighbour: of a gateway in the next hop, of others in the table. */
static void
find_neighbours(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	struct spx_next_hop *hops = w->now->next_hop;
	uint64_t connected = 0;
	unsigned i;

	SPX_FOREACH (i, set) {
		struct spx_next_hop *hop = &hops[b->next_hop[i]];

		if (likely(hop->kind == SPX_NEXT_HOP_KIND_gateway))
			b->neighbour[i] = spx_next_hop_use(hop);
		else
			connected |= spx_set_one(i);
	}
	if (connected & b->ipv4)
		spx_neighbour_lookup4(w->neighbours, b->key4, b->out_port, connected & b->ipv4, b->neighbour);
	if (connected & b->ipv6)
		spx_neighbour_lookup6(w->neighbours, b->key6, b->out_port, connected & b->ipv6, b->neighbour);
}

/* To the neighbour's address from the port's: twelve bytes by two stores, put together in a register. In
 * memory the load of what smaller stores had just written would wait for them, some 15 clocks a packet. */
static inline void
set_routed_macs(uint8_t *frame, uint64_t neighbour, const uint8_t source[6])
{
	const uint64_t mac = rte_le_to_cpu_64(neighbour) & UINT64_C(0xffffffffffff);
	uint16_t begin;
	uint64_t both;

	memcpy(&begin, source, sizeof(begin));
	both = rte_cpu_to_le_64(mac | (uint64_t)rte_le_to_cpu_16(begin) << 48);
	memcpy(frame, &both, sizeof(both));
	memcpy(frame + sizeof(both), source + 2, 4);
}

/* From our address to the neighbour's, one hop further. route has seen that there is a hop left. */
static inline void
rewrite_one(struct spx_burst *b, unsigned i, const struct spx_config_port *ports, bool v4)
{
	uint8_t *frame = rte_pktmbuf_mtod(b->pkt[i], uint8_t *), *l3 = frame + b->layout[i].l3;
	const uint64_t neighbour = b->neighbour[i];

	if (unlikely(!spx_neighbour_word_usable(neighbour))) {
		spx_burst_punt(b, i, SPX_EXCEPTION_neighbour);
		return;
	}
	if (v4)
		spx_net_take_hop4(l3);
	else
		spx_net_dec_ttl6(l3);
	set_routed_macs(frame, neighbour, ports[b->out_port[i]].mac);
}

static void
rewrite_routed(const struct spx_worker *w, struct spx_burst *b)
{
	const struct spx_config_port *const ports = w->now->port;
	unsigned i;

	if (b->routed & ~b->resolved)
		find_neighbours(w, b, b->routed & ~b->resolved);
	SPX_FOREACH (i, b->routed & b->ipv4)
		rewrite_one(b, i, ports, true);
	SPX_FOREACH (i, b->routed & b->ipv6)
		rewrite_one(b, i, ports, false);
}

void
spx_stage_rewrite(struct spx_worker *w, struct spx_burst *b)
{
	const struct spx_action *const actions = w->now->action;
	const uint64_t ipv4 = b->ipv4;
	unsigned i;

	if (b->routed != 0)
		rewrite_routed(w, b);
	SPX_FOREACH (i, b->edit) {
		const struct spx_action *action = &actions[b->action[i]];
		uint8_t *frame = rte_pktmbuf_mtod(b->pkt[i], uint8_t *);
		bool all = (action->flags & EDITS) == EDITS && (ipv4 & spx_set_one(i)) != 0;

		if (unlikely(!(all ? route4(frame, b->layout[i].l3, action) : edit(b, i, frame, action))))
			spx_burst_punt(b, i, SPX_EXCEPTION_ttl);
	}
}
