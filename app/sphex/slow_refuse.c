/* ICMP and ICMPv6 errors to the senders of packets that end here; see slowpath.h. */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include <rte_icmp.h>
#include <rte_ip.h>

#include "app/sphex/slow_internal.h"

#define QUOTED4 548u  /* bytes of the packet in an error: with headers 576 (RFC 1812 4.3.2.3) */
#define QUOTED6 1232u /* with headers 1280 (RFC 4443 2.4) */

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

/* RFC 1812 4.3.2.7: about no error, no later fragment, nothing sent to many. */
static bool
may_tell4(const struct rte_mbuf *m, const struct spx_meta *meta)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + meta->layout.l3);
	const uint8_t *l4 = frame + meta->layout.l3 + (ip->version_ihl & 15) * 4;
	bool error = ip->next_proto_id == IPPROTO_ICMP && l4 < frame + m->data_len &&
		     *l4 != RTE_IP_ICMP_ECHO_REQUEST && *l4 != RTE_IP_ICMP_ECHO_REPLY;

	return (frame[0] & 1) == 0 && !error && (ip->fragment_offset & RTE_BE16(0x1fff)) == 0;
}

/* Is what begins at l4, behind whatever extension headers, an ICMPv6 error or redirect? parse has seen that
 * the headers lie in the packet. */
static bool
is_error6(const uint8_t *frame, const struct spx_layout *layout)
{
	uint32_t at = layout->l3 + (uint32_t)sizeof(struct rte_ipv6_hdr);
	uint8_t next = frame[layout->l3 + 6];

	while (at < layout->l4) {
		const uint8_t size = frame[at + 1];
		const uint8_t type = next;

		next = frame[at];
		at += type == IPPROTO_FRAGMENT ? 8u : type == IPPROTO_AH ? (size + 2u) * 4 : (size + 1u) * 8;
	}
	return at == layout->l4 && next == IPPROTO_ICMPV6 &&
	       ((frame[at] & 0x80) == 0 || frame[at] == ND_REDIRECT);
}

/* RFC 4443 2.4 (e). A packet too big is told to many too, which nobody here sends on. */
static bool
may_tell6(const struct rte_mbuf *m, const struct spx_meta *meta)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(frame + meta->layout.l3);

	return (frame[0] & 1) == 0 && ip->dst_addr[0] != 0xff && !is_error6(frame, &meta->layout);
}

/* Bytes of a packet of `length` that an error has, at most `most`: without the frame's padding. */
static uint32_t
quoted_of(struct rte_mbuf *about, uint32_t length, uint32_t most)
{
	uint32_t there = (uint32_t)about->data_len - spx_meta(about)->layout.l3;

	length = RTE_MIN(length, there);
	return RTE_MIN(length, most);
}

/* An error with the first `quoted` bytes of the packet. */
static void
tell4(struct spx_slowpath *s, struct rte_mbuf *about, const struct error *error, uint16_t mtu)
{
	const struct spx_meta *meta = spx_meta(about);
	const uint8_t *frame = rte_pktmbuf_mtod(about, const uint8_t *);
	const struct rte_ipv4_hdr *old = (const struct rte_ipv4_hdr *)(frame + meta->layout.l3);
	uint32_t quoted = quoted_of(about, rte_be_to_cpu_16(old->total_length), QUOTED4);
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
		.time_to_live = SPX_SLOW_TTL,
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
	uint32_t quoted =
		quoted_of(about, (uint32_t)sizeof(*old) + rte_be_to_cpu_16(old->payload_len), QUOTED6);
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
		.hop_limits = SPX_SLOW_TTL};
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
		!spx_layout_in_vlan(&meta->layout) && spx_slow_has_sender(s, m) &&
		(ipv4 ? may_tell4(m, meta) : may_tell6(m, meta)) &&
		spx_slow_take_one(&s->errors, s->now_ms)) {
		if (ipv4)
			tell4(s, m, &error, mtu);
		else
			tell6(s, m, &error, mtu);
	}
	spx_slow_drop(s, m, reason);
}
