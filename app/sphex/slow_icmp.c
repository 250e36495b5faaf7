/* ICMP and ICMPv6: echo to addresses of this node, and errors to the senders of packets that end here; see
 * slowpath.h. */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include <rte_icmp.h>
#include <rte_ip.h>

#include "app/sphex/slow_internal.h"

#define QUOTED4 548u  /* bytes of the packet in an error: with headers 576 (RFC 1812 4.3.2.3) */
#define QUOTED6 1232u /* with headers 1280 (RFC 4443 2.4) */
#define TTL     64

/* Whether one more answer may be given. */
static bool
take_one(struct spx_slow_budget *budget, uint64_t now_ms)
{
	uint64_t passed = now_ms > budget->refilled_ms ? now_ms - budget->refilled_ms : 0;
	uint64_t more = passed * SPX_SLOW_ANSWERS / 1000;

	if (more > 0) {
		budget->left = (uint32_t)RTE_MIN(budget->left + more, (uint64_t)SPX_SLOW_ANSWERS);
		budget->refilled_ms = now_ms;
	}
	if (budget->left == 0)
		return false;
	budget->left--;
	return true;
}

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
	return m->nb_segs == 1 && meta->layout.vlan == 0 && (meta->layout.flags & SPX_LAYOUT_FRAGMENT) == 0 &&
	       meta->layout.l4 != 0;
}

static void
echo4(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + meta->layout.l3);
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(frame + meta->layout.l4);
	uint32_t us = ip->dst_addr, sum = (uint16_t)~icmp->icmp_cksum;

	ip->dst_addr = ip->src_addr;
	ip->src_addr = us;
	ip->time_to_live = TTL;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	/* RFC 1624: the word type|code falls from 0x0800 to 0. */
	sum += (uint16_t)~RTE_BE16(RTE_IP_ICMP_ECHO_REQUEST << 8);
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	sum = (sum & 0xffff) + (sum >> 16);
	icmp->icmp_cksum = (uint16_t) ~(sum + (sum >> 16));
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
	ip->hop_limits = TTL;
	icmp->type = ICMP6_ECHO_REPLY;
	icmp->checksum = 0;
	icmp->checksum = rte_ipv6_udptcp_cksum(ip, icmp);
	turn_round(s, frame, meta->in_port);
	spx_slow_send(s, m, meta->in_port);
}

/* What this node does not answer itself goes to the local port as it is, for the MAC address of the interface
 * there, so that the kernel's programs answer. */
static void
hand_on(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);

	if (s->local_port == SPX_NO_PORT || meta->in_port == s->local_port || meta->layout.vlan != 0) {
		spx_slow_refuse(s, m, SPX_DROP_local_unhandled);
		return;
	}
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), s->now->port[s->local_port].mac, 6);
	spx_slow_send(s, m, s->local_port);
}

static void
echo(struct spx_slowpath *s, struct rte_mbuf *m, void (*answer)(struct spx_slowpath *, struct rte_mbuf *))
{
	if (take_one(&s->echoes, s->now_ms))
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

	if (ip->next_proto_id != IPPROTO_ICMP || !is_plain(m, meta))
		hand_on(s, m);
	else if (icmp->icmp_type == RTE_IP_ICMP_ECHO_REQUEST)
		echo(s, m, echo4);
	else
		hand_on(s, m);
}

static void
local6(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(frame + meta->layout.l3);
	const struct spx_icmp6 *icmp = (const struct spx_icmp6 *)(frame + meta->layout.l4);

	if (ip->proto != IPPROTO_ICMPV6 || !is_plain(m, meta))
		hand_on(s, m);
	else if (icmp->type >= ND_ROUTER_SOLICIT && icmp->type <= ND_REDIRECT)
		spx_slow_nd(s, m);
	else if (icmp->type == ICMP6_ECHO_REQUEST &&
		 spx_slow_is_ours(s, SPX_ROUTE_IPV6, meta->in_port, ip->dst_addr))
		echo(s, m, echo6);
	else if (icmp->type == ICMP6_ECHO_REQUEST && ip->dst_addr[0] != 0xff &&
		 spx_address_find(&s->now->addresses, SPX_ROUTE_IPV6, ip->dst_addr) != NULL)
		echo(s, m, echo6); /* an address of another port */
	else if (ip->dst_addr[0] == 0xff)
		spx_slow_consume(s, m); /* groups are for neighbour discovery alone */
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

/* ---- errors ----------------------------------------------------------------------------------------------
 */

/* How a reason is said. */
struct error {
	uint8_t type4, code4, type6, code6;
};

static bool
error_of(enum spx_drop reason, bool udp, struct error *error)
{
	switch (reason) {
	case SPX_DROP_ttl_expired:
		*error = (struct error){
			ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT};
		return true;
	case SPX_DROP_no_route:
		*error = (struct error){
			ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE};
		return true;
	case SPX_DROP_unreachable:
	case SPX_DROP_path_down:
	case SPX_DROP_neighbour_failed:
		*error = (struct error){
			ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR};
		return true;
	case SPX_DROP_prohibited:
		*error = (struct error){
			ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN};
		return true;
	case SPX_DROP_too_big:
		*error = (struct error){ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ICMP6_PACKET_TOO_BIG, 0};
		return true;
	case SPX_DROP_local_unhandled:
		*error = (struct error){
			ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT};
		return udp;
	default:
		return false;
	}
}

/* An address of the port, or any of this node, to speak from. */
static const uint8_t *
speaker(const struct spx_slowpath *s, enum spx_route_family family, uint16_t port, const uint8_t toward[16])
{
	const struct spx_address *own = spx_address_source(&s->now->addresses, family, port, toward);

	for (size_t i = 0; own == NULL && i < s->now->addresses.n; i++)
		if (s->now->addresses.address[i].family == family)
			own = &s->now->addresses.address[i];
	return own == NULL ? NULL : own->address;
}

/* RFC 1812 4.3.2.7: about no error, no later fragment, nothing sent to many, nobody that cannot be answered.
 */
static bool
may_tell4(const struct rte_mbuf *m, const struct spx_meta *meta)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + meta->layout.l3);
	const uint8_t *sip = (const uint8_t *)&ip->src_addr,
		      *l4 = frame + meta->layout.l3 + (ip->version_ihl & 15) * 4;
	bool error = ip->next_proto_id == IPPROTO_ICMP && l4 < frame + m->data_len &&
		     *l4 != RTE_IP_ICMP_ECHO_REQUEST && *l4 != RTE_IP_ICMP_ECHO_REPLY;

	return (frame[0] & 1) == 0 && !error && (ip->fragment_offset & RTE_BE16(0x1fff)) == 0 &&
	       sip[0] != 0 && sip[0] != 127 && sip[0] < 224;
}

/* RFC 4443 2.4 (e). A packet too big is told to many too, which nobody here sends on. */
static bool
may_tell6(const struct rte_mbuf *m, const struct spx_meta *meta)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(frame + meta->layout.l3);
	bool error =
		ip->proto == IPPROTO_ICMPV6 && meta->layout.l4 != 0 && (frame[meta->layout.l4] & 0x80) == 0;

	return (frame[0] & 1) == 0 && !error && ip->src_addr[0] != 0xff && ip->dst_addr[0] != 0xff &&
	       (ip->src_addr[0] | ip->src_addr[15]) != 0;
}

/* An error with the first `quoted` bytes of the packet. */
static void
tell4(struct spx_slowpath *s, struct rte_mbuf *about, const struct error *error, uint16_t mtu)
{
	const struct spx_meta *meta = spx_meta(about);
	const uint8_t *frame = rte_pktmbuf_mtod(about, const uint8_t *);
	const struct rte_ipv4_hdr *old = (const struct rte_ipv4_hdr *)(frame + meta->layout.l3);
	uint32_t quoted = RTE_MIN((uint32_t)about->data_len - meta->layout.l3, QUOTED4);
	uint16_t length = (uint16_t)(sizeof(*old) + sizeof(struct rte_icmp_hdr) + quoted);
	uint8_t toward[SPX_ROUTE_ADDRESS_BYTES] = {0};
	const uint8_t *from;
	struct rte_ipv4_hdr *ip;
	struct rte_icmp_hdr *icmp;
	struct rte_mbuf *m;
	uint8_t *out;

	memcpy(toward, &old->src_addr, 4);
	from = speaker(s, SPX_ROUTE_IPV4, meta->in_port, toward);
	if (from == NULL || (m = spx_slow_new(s, (uint16_t)(sizeof(struct rte_ether_hdr) + length))) == NULL)
		return;
	out = rte_pktmbuf_mtod(m, uint8_t *);
	ip = (struct rte_ipv4_hdr *)(out + sizeof(struct rte_ether_hdr));
	icmp = (struct rte_icmp_hdr *)(ip + 1);
	memcpy(out, frame + 6, 6);
	memcpy(out + 6, s->now->port[meta->in_port].mac, 6);
	out[12] = 0x08;
	out[13] = 0x00;
	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = 0xc0, /* RFC 1812 4.3.2.5: precedence of network control */
		.total_length = rte_cpu_to_be_16(length),
		.time_to_live = TTL,
		.next_proto_id = IPPROTO_ICMP,
		.dst_addr = old->src_addr};
	memcpy(&ip->src_addr, from, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*icmp = (struct rte_icmp_hdr){.icmp_type = error->type4, .icmp_code = error->code4};
	icmp->icmp_seq_nb = rte_cpu_to_be_16(mtu); /* RFC 1191; 0 of other errors */
	memcpy(icmp + 1, old, quoted);
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, sizeof(*icmp) + quoted);
	spx_slow_send(s, m, meta->in_port);
}

static void
tell6(struct spx_slowpath *s, struct rte_mbuf *about, const struct error *error, uint16_t mtu)
{
	const struct spx_meta *meta = spx_meta(about);
	const uint8_t *frame = rte_pktmbuf_mtod(about, const uint8_t *);
	const struct rte_ipv6_hdr *old = (const struct rte_ipv6_hdr *)(frame + meta->layout.l3);
	uint32_t quoted = RTE_MIN((uint32_t)about->data_len - meta->layout.l3, QUOTED6);
	uint16_t length = (uint16_t)(sizeof(struct spx_icmp6) + quoted);
	const uint8_t *from = speaker(s, SPX_ROUTE_IPV6, meta->in_port, old->src_addr);
	struct rte_ipv6_hdr *ip;
	struct spx_icmp6 *icmp;
	struct rte_mbuf *m;
	uint8_t *out;

	if (from == NULL ||
		(m = spx_slow_new(s, (uint16_t)(sizeof(struct rte_ether_hdr) + sizeof(*ip) + length))) ==
			NULL)
		return;
	out = rte_pktmbuf_mtod(m, uint8_t *);
	ip = (struct rte_ipv6_hdr *)(out + sizeof(struct rte_ether_hdr));
	icmp = (struct spx_icmp6 *)(ip + 1);
	memcpy(out, frame + 6, 6);
	memcpy(out + 6, s->now->port[meta->in_port].mac, 6);
	out[12] = 0x86;
	out[13] = 0xdd;
	*ip = (struct rte_ipv6_hdr){.vtc_flow = RTE_BE32(6u << 28),
		.payload_len = rte_cpu_to_be_16(length),
		.proto = IPPROTO_ICMPV6,
		.hop_limits = TTL};
	memcpy(ip->dst_addr, old->src_addr, 16);
	memcpy(ip->src_addr, from, 16);
	*icmp = (struct spx_icmp6){.type = error->type6, .code = error->code6};
	icmp->mtu = rte_cpu_to_be_32(mtu);
	memcpy(icmp + 1, old, quoted);
	icmp->checksum = rte_ipv6_udptcp_cksum(ip, icmp);
	spx_slow_send(s, m, meta->in_port);
}

void
spx_slow_refuse(struct spx_slowpath *s, struct rte_mbuf *m, enum spx_drop reason)
{
	const struct spx_meta *meta = spx_meta(m);
	const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, meta->layout.l3);
	const bool ipv4 = meta->layout.ethertype == RTE_ETHER_TYPE_IPV4,
		   ipv6 = meta->layout.ethertype == RTE_ETHER_TYPE_IPV6;
	const uint16_t mtu = reason == SPX_DROP_too_big ? s->now->port[meta->out_port].mtu : 0;
	struct error error;

	if ((ipv4 || ipv6) && error_of(reason, (ipv4 ? l3[9] : l3[6]) == IPPROTO_UDP, &error) &&
		meta->layout.vlan == 0 && (ipv4 ? may_tell4(m, meta) : may_tell6(m, meta)) &&
		take_one(&s->errors, s->now_ms)) {
		if (ipv4)
			tell4(s, m, &error, mtu);
		else
			tell6(s, m, &error, mtu);
	}
	spx_slow_drop(s, m, reason);
}
