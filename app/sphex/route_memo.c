/* What the flow cache remembers for the stage route (route.c).
 *
 * Whether the addresses of a flow may be routed, and its next hop, are the same for all its packets while the
 * routes are. So the cache keeps the next hop as the flow's memo: routes generation << 32 | id. Only ways out
 * are kept, and none that was taken because the port of another is down. What is not resident, and all flows
 * after a change of the routes, goes the whole way of the stage.
 */
#include <rte_branch_prediction.h>

#include "app/sphex/stages.h"

#define UNTAGGED_L3 14u /* offset of the IP header behind an Ethernet header alone */

/* Most of IPv4, in one go: untagged, for us, remembered by way of a gateway whose port is up, TTL left, and
 * it fits. The gateway's word is at hand, so it is taken here. Returns the others, about which nothing is
 * said. */
uint64_t
spx_route_take_remembered4(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	struct spx_next_hop *const hops = w->now->next_hop;
	const struct spx_config_port *const ports = w->now->port, *const in = &ports[b->in_port];
	const uint64_t mac = spx_load64(in->mac), mac_mask = in->addressed ? SPX_MAC_MASK : 0;
	const uint32_t generation = w->now->routes_generation;
	const uint64_t up = w->up;
	uint64_t others = 0;
	unsigned i;

	SPX_FOREACH (i, set) {
		const uint8_t *frame = rte_pktmbuf_mtod(b->pkt[i], const uint8_t *);
		const uint64_t memo = b->memo[i];
		struct spx_next_hop *hop;

		if (unlikely(memo >> 32 != generation || b->layout[i].l3 != UNTAGGED_L3 ||
			     ((spx_load64(frame) ^ mac) & mac_mask) != 0)) {
			others |= spx_set_one(i);
			continue;
		}
		hop = &hops[(uint32_t)memo];
		if (unlikely(hop->kind != SPX_NEXT_HOP_KIND_gateway || (up >> hop->port & 1) == 0 ||
			     frame[UNTAGGED_L3 + 8] <= 1 ||
			     b->length[i] - UNTAGGED_L3 > ports[hop->port].mtu)) {
			others |= spx_set_one(i);
			continue;
		}
		b->next_hop[i] = (uint32_t)memo;
		b->out_port[i] = hop->port;
		b->neighbour[i] = spx_next_hop_use(hop);
	}
	b->routed |= set & ~others;
	b->resolved |= set & ~others;
	return others;
}

/* The members of `set` whose next hop is remembered, with its port up. */
uint64_t
spx_route_recall(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	const struct spx_next_hop *const hops = w->now->next_hop;
	const uint32_t generation = w->now->routes_generation;
	const uint64_t up = w->up;
	uint64_t known = 0;
	unsigned i;

	SPX_FOREACH (i, set) {
		const uint64_t memo = b->memo[i];
		const uint32_t id = (uint32_t)memo;

		if (unlikely(memo >> 32 != generation))
			continue;
		b->next_hop[i] = id;
		known |= (up >> hops[id].port & 1) << i;
	}
	return known;
}

void
spx_route_remember(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	const uint64_t generation = w->now->routes_generation;
	uint64_t out = 0;
	unsigned i;

	SPX_FOREACH (i, set) {
		b->memo[i] = generation << 32 | b->next_hop[i];
		out |= (uint64_t)spx_is_way_out(&w->now->next_hop[b->next_hop[i]]) << i;
	}
	if (out & b->ipv4)
		spx_flow_remember4(w->cache, b->key4, b->hash, out & b->ipv4, b->memo);
	if (out & b->ipv6)
		spx_flow_remember6(w->cache, b->key6, b->hash, out & b->ipv6, b->memo);
}
