/* What is for this node: ICMP and ICMPv6 echo, and what others are to answer; see slowpath.h. */
#include <netinet/icmp6.h>
#include <string.h>

#include <rte_icmp.h>
#include <rte_ip.h>

#include "app/sphex/slow_internal.h"

/* ---- echo ------------------------------------------------------------------------------------------------
 */

/* Back to where the frame came from. */
static void
turn_round(const struct spx_slowpath *s, uint8_t *frame, uint16_t port)
{
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, s->now->port[port].mac, 6);
}

static bool
is_plain(const struct rte_mbuf *m, const struct spx_meta *meta)
{
	return m->nb_segs == 1 && !spx_layout_in_vlan(&meta->layout) &&
	       (meta->layout.flags & SPX_LAYOUT_FRAGMENT) == 0 && meta->layout.l4 != 0;
}

/* RFC 1624: the checksum of a message whose type is another now. It is not made anew, so that what came
 * damaged goes back damaged. */
static uint16_t
changed_type(uint16_t checksum, uint8_t from, uint8_t to)
{
	uint32_t sum = (uint16_t)~checksum;

	sum += (uint16_t)~rte_cpu_to_be_16((uint16_t)(from << 8));
	sum += rte_cpu_to_be_16((uint16_t)(to << 8));
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void
echo4(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + meta->layout.l3);
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(frame + meta->layout.l4);
	uint32_t us = ip->dst_addr;

	ip->dst_addr = ip->src_addr;
	ip->src_addr = us;
	ip->time_to_live = SPX_SLOW_TTL;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	icmp->icmp_cksum = changed_type(icmp->icmp_cksum, RTE_IP_ICMP_ECHO_REQUEST, RTE_IP_ICMP_ECHO_REPLY);
	turn_round(s, frame, meta->in_port);
	spx_slow_send(s, m, meta->in_port);
}

static void
echo6(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), us[16];
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + meta->layout.l3);
	struct spx_icmp6 *icmp = (struct spx_icmp6 *)(frame + meta->layout.l4);

	memcpy(us, ip->dst_addr, 16);
	memcpy(ip->dst_addr, ip->src_addr, 16);
	memcpy(ip->src_addr, us, 16);
	ip->hop_limits = SPX_SLOW_TTL;
	icmp->type = ICMP6_ECHO_REPLY;
	icmp->checksum = changed_type(icmp->checksum, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY);
	turn_round(s, frame, meta->in_port);
	spx_slow_send(s, m, meta->in_port);
}

/* What this node does not answer itself goes to the local port as it is, for the MAC address of the interface
 * there, so that the kernel's programs answer. */
static void
hand_on(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);

	if (s->local_port == SPX_NO_PORT || meta->in_port == s->local_port ||
		spx_layout_in_vlan(&meta->layout)) {
		spx_slow_refuse(s, m, SPX_DROP_local_unhandled);
		return;
	}
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), s->now->port[s->local_port].mac, 6);
	spx_slow_send(s, m, s->local_port);
}

static void
echo(struct spx_slowpath *s, struct rte_mbuf *m, void (*answer)(struct spx_slowpath *, struct rte_mbuf *))
{
	if (!spx_slow_has_sender(s, m))
		spx_slow_drop(s, m, SPX_DROP_martian_source);
	else if (spx_slow_take_one(&s->echoes, s->now_ms))
		answer(s, m);
	else
		spx_slow_drop(s, m, SPX_DROP_rate_limited);
}

static void
local4(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + meta->layout.l3);
	const struct rte_icmp_hdr *icmp = (const struct rte_icmp_hdr *)(frame + meta->layout.l4);

	if (ip->next_proto_id == IPPROTO_ICMP && is_plain(m, meta) &&
		icmp->icmp_type == RTE_IP_ICMP_ECHO_REQUEST)
		echo(s, m, echo4);
	else
		hand_on(s, m);
}

/* An address of that port, its link-local one among them, or of another. */
static bool
is_for_us6(const struct spx_slowpath *s, uint16_t port, const uint8_t address[16])
{
	return spx_slow_is_ours(s, SPX_ROUTE_IPV6, port, address) ||
	       (address[0] != 0xff && spx_address_find(&s->now->addresses, SPX_ROUTE_IPV6, address) != NULL);
}

static void
local6(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(frame + meta->layout.l3);
	const struct spx_icmp6 *icmp = (const struct spx_icmp6 *)(frame + meta->layout.l4);

	const bool plain = ip->proto == IPPROTO_ICMPV6 && is_plain(m, meta);

	if (plain && icmp->type >= ND_ROUTER_SOLICIT && icmp->type <= ND_REDIRECT)
		spx_slow_nd(s, m);
	else if (plain && icmp->type == ICMP6_ECHO_REQUEST && is_for_us6(s, meta->in_port, ip->dst_addr))
		echo(s, m, echo6);
	else if (ip->dst_addr[0] == 0xff)
		spx_slow_consume(s, m); /* groups are for neighbour discovery alone; others listen to them */
	else
		hand_on(s, m);
}

void
spx_slow_local(struct spx_slowpath *s, struct rte_mbuf *m)
{
	if (spx_meta(m)->layout.ethertype == RTE_ETHER_TYPE_IPV4)
		local4(s, m);
	else
		local6(s, m);
}
