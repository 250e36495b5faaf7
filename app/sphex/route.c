/* route: destination addresses to next hops and output ports, for packets whose action says route.
 *
 * A packet that has no way is dropped with its reason; of some reasons its sender is told by ICMP, which is
 * the slow path's work, so while the worker has errors left to tell, those packets are punted instead.
 */
#include <string.h>

#include <rte_branch_prediction.h>

#include "app/sphex/stages.h"

#define ETHERTYPE_ARP 0x0806
#define IP4_FLAGS     6 /* offset of flags and fragment offset */

/* ---- ends ------------------------------------------------------------------------------------------------
 */

/* Drops packet i, or gives it to the slow path to tell the sender. */
static void
refuse(struct spx_worker *w, struct spx_burst *b, unsigned i, enum spx_drop reason,
	enum spx_exception exception)
{
	if (w->errors_left == 0) {
		spx_burst_drop(b, i, reason);
		return;
	}
	w->errors_left--;
	spx_burst_punt(b, i, exception);
}

/* The members of `set` that are for us: for our MAC address, or for a group: *groups. A port in promiscuous
 * mode gets others too. */
static uint64_t
check_receiver(const struct spx_worker *w, struct spx_burst *b, uint64_t set, uint64_t *groups)
{
	const struct spx_config_port *port = &w->now->port[b->in_port];
	const uint64_t mac = spx_load64(port->mac);
	uint64_t others = 0;
	unsigned i;

	if (!port->addressed)
		return set;
	SPX_FOREACH (i, set) {
		const uint8_t *frame = rte_pktmbuf_mtod(b->pkt[i], const uint8_t *);

		if (likely(((spx_load64(frame) ^ mac) & SPX_MAC_MASK) == 0))
			continue;
		if (frame[0] & 1)
			*groups |= spx_set_one(i);
		else
			others |= spx_set_one(i);
	}
	SPX_FOREACH (i, others)
		spx_burst_drop(b, i, SPX_DROP_other_host);
	return set & ~others;
}

/* ---- what is not IP --------------------------------------------------------------------------------------
 */

static void
end_other(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	bool addressed = w->now->port[b->in_port].addressed;
	unsigned i;

	SPX_FOREACH (i, set) {
		if (addressed && b->layout[i].ethertype == ETHERTYPE_ARP)
			spx_burst_punt(b, i, SPX_EXCEPTION_arp);
		else
			spx_burst_drop(b, i, SPX_DROP_not_ip);
	}
}

/* ---- next hops -------------------------------------------------------------------------------------------
 */

static bool
must_not_fragment(const struct spx_burst *b, unsigned i)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(b->pkt[i], const uint8_t *, b->layout[i].l3);

	return (b->ipv6 & spx_set_one(i)) != 0 || (ip[IP4_FLAGS] & 0x40) != 0;
}

static uint8_t
hops_left(const struct spx_burst *b, unsigned i)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(b->pkt[i], const uint8_t *, b->layout[i].l3);

	return b->ipv4 & spx_set_one(i) ? ip[8] : ip[7];
}

/* Towards a neighbour by a port. */
static void
go_out(struct spx_worker *w, struct spx_burst *b, unsigned i, uint16_t port)
{
	if (unlikely(hops_left(b, i) <= 1)) {
		refuse(w, b, i, SPX_DROP_ttl_expired, SPX_EXCEPTION_ttl);
		return;
	}
	if (unlikely(spx_layout_in_vlan(&b->layout[i]))) {
		spx_burst_drop(b, i, SPX_DROP_vlan);
		return;
	}
	b->out_port[i] = port;
	if (unlikely(b->length[i] - b->layout[i].l3 > w->now->port[port].mtu)) {
		if (must_not_fragment(b, i))
			refuse(w, b, i, SPX_DROP_too_big, SPX_EXCEPTION_too_big);
		else
			spx_burst_drop(b, i, SPX_DROP_too_big);
		return;
	}
	b->routed |= spx_set_one(i);
}

/* Everything but a way out. */
static void
end_here(struct spx_worker *w, struct spx_burst *b, unsigned i, enum spx_next_hop_kind kind)
{
	switch (kind) {
	case SPX_NEXT_HOP_KIND_local:
		spx_burst_punt(b, i, SPX_EXCEPTION_local);
		break;
	case SPX_NEXT_HOP_KIND_down:
		refuse(w, b, i, SPX_DROP_path_down, SPX_EXCEPTION_path_down);
		break;
	case SPX_NEXT_HOP_KIND_broadcast:
		spx_burst_drop(b, i, SPX_DROP_broadcast);
		break;
	case SPX_NEXT_HOP_KIND_blackhole:
		spx_burst_drop(b, i, SPX_DROP_blackhole);
		break;
	case SPX_NEXT_HOP_KIND_unreachable:
		refuse(w, b, i, SPX_DROP_unreachable, SPX_EXCEPTION_unreachable);
		break;
	case SPX_NEXT_HOP_KIND_prohibit:
		refuse(w, b, i, SPX_DROP_prohibited, SPX_EXCEPTION_prohibited);
		break;
	default:
		refuse(w, b, i, SPX_DROP_no_route, SPX_EXCEPTION_no_route);
		break;
	}
}

static void
take_next_hops(struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	const struct spx_next_hop *hops = w->now->next_hop;
	unsigned i;

	SPX_FOREACH (i, set) {
		const struct spx_next_hop *hop = &hops[b->next_hop[i]];

		if (!spx_is_way_out(hop))
			end_here(w, b, i, hop->kind);
		else if ((b->ipv6 & spx_set_one(i)) != 0 && spx_is_link_local6(b->key6[i].sip))
			spx_burst_drop(b, i, SPX_DROP_link_local);
		else
			go_out(w, b, i, hop->port);
	}
}

/* Without those of `groups`: a packet for one station that all routers of a link get would be sent on by all
 * (RFC 1812 5.3.4). */
static uint64_t
check_groups(struct spx_burst *b, uint64_t set, uint64_t groups)
{
	unsigned i;

	SPX_FOREACH (i, set & groups)
		spx_burst_drop(b, i, SPX_DROP_link_broadcast);
	return set & ~groups;
}

/* The members of `set` that have a way back to their source, as the port wants it. Link-local addresses have
 * it on their link, and are not sent on. */
static uint64_t
check_source(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	const enum spx_reverse_path check = w->now->port[b->in_port].reverse_path;
	const bool strict = check == SPX_REVERSE_PATH_STRICT;
	uint64_t good = 0;
	unsigned i;

	if (likely(check == SPX_REVERSE_PATH_OFF))
		return set;
	if (set & b->ipv4)
		good |= spx_route_source4(w->now->routes, b->key4, set & b->ipv4, b->in_port, strict);
	if (set & b->ipv6)
		good |= spx_route_source6(w->now->routes, b->key6, set & b->ipv6, b->in_port, strict);
	SPX_FOREACH (i, set & b->ipv6 & ~good)
		good |= (uint64_t)spx_is_link_local6(b->key6[i].sip) << i;
	SPX_FOREACH (i, set & ~good)
		spx_burst_drop(b, i, SPX_DROP_reverse_path);
	return good;
}

/* ---- the stage -------------------------------------------------------------------------------------------
 */

static void
look_up(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	const struct spx_routes *routes = w->now->routes;
	const uint64_t set4 = set & b->ipv4, set6 = set & b->ipv6;
	uint64_t firm = 0;

	if (set4 != 0)
		firm |= spx_route_lookup4(routes, b->key4, b->hash, set4, w->up, b->next_hop);
	if (set6 != 0)
		firm |= spx_route_lookup6(routes, b->key6, b->hash, set6, w->up, b->next_hop);
	spx_route_remember(w, b, firm);
}

/* The whole way of the stage, for any packet. */
static void
route(struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	uint64_t known, fresh, groups = 0;

	set = check_receiver(w, b, set, &groups);
	if (set & b->other)
		end_other(w, b, set & b->other);
	known = spx_route_recall(w, b, set & ~b->other);
	fresh = set & ~known;
	fresh = spx_route_addresses4(b, fresh & b->ipv4) | spx_route_addresses6(w, b, fresh & b->ipv6);
	set = check_source(w, b, check_groups(b, known | fresh, groups));
	look_up(w, b, fresh & set);
	take_next_hops(w, b, set);
}

void
spx_stage_route(struct spx_worker *w, struct spx_burst *b)
{
	uint64_t set = b->to_route;

	if (set != 0 && w->now->port[b->in_port].reverse_path == SPX_REVERSE_PATH_OFF)
		set &= ~b->ipv4 | spx_route_take_remembered4(w, b, set & b->ipv4);
	if (set != 0)
		route(w, b, set);
}
