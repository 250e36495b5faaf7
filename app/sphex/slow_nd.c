/* IPv6 neighbour discovery (RFC 4861): answers for addresses of this node, questions for neighbours, and what
 * others say; see slowpath.h. Routers and prefixes are not discovered: this node has the addresses that it is
 * given.
 */
#include <netinet/icmp6.h>
#include <string.h>

#include <rte_ip.h>

#include "app/sphex/slow_internal.h"

#define HOPS       255 /* of every message of neighbour discovery: it has not been forwarded */
#define MESSAGE    24u /* bytes of a solicitation or advertisement without options */
#define OPTION_MAC 8u  /* bytes of an option with a MAC address */
#define HEADERS    (uint16_t)(sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv6_hdr))

/* Where a message lies: frame, IPv6 header, message with its options. */
struct message {
	uint8_t *frame;
	struct rte_ipv6_hdr *ip;
	struct spx_nd *nd;
	uint32_t length; /* of the message */
};

/* Writes the headers around a message of `length` bytes that lies there, and its checksum. A priority tag
 * before the IPv6 header stays. */
static void
close_frame(const struct message *m, const uint8_t to_mac[6], const uint8_t from_mac[6], const uint8_t to[16],
	const uint8_t from[16])
{
	static const uint8_t ipv6[2] = {0x86, 0xdd};

	memcpy(m->frame, to_mac, 6);
	memcpy(m->frame + 6, from_mac, 6);
	memcpy((uint8_t *)m->ip - sizeof(ipv6), ipv6, sizeof(ipv6));
	m->ip->vtc_flow = RTE_BE32(6u << 28);
	m->ip->payload_len = rte_cpu_to_be_16((uint16_t)m->length);
	m->ip->proto = IPPROTO_ICMPV6;
	m->ip->hop_limits = HOPS;
	memmove(m->ip->dst_addr, to, 16);
	memmove(m->ip->src_addr, from, 16);
	m->nd->checksum = 0;
	m->nd->checksum = rte_ipv6_udptcp_cksum(m->ip, m->nd);
}

static void
put_mac(uint8_t *option, uint8_t type, const uint8_t mac[6])
{
	option[0] = type;
	option[1] = 1; /* in units of 8 bytes */
	memcpy(option + 2, mac, 6);
}

/* The MAC address in an option of that type, or NULL. */
static const uint8_t *
find_mac(const struct message *m, uint8_t type)
{
	const uint8_t *option = (const uint8_t *)m->nd + MESSAGE, *end = (const uint8_t *)m->nd + m->length;

	while (option + OPTION_MAC <= end && option[1] > 0) {
		if (option[0] == type && option[1] == 1)
			return option + 2;
		option += 8u * option[1];
	}
	return NULL;
}

/* RFC 4861 7.1: options have a length, and the last ends with the message. */
static bool
has_sound_options(const struct message *m)
{
	const uint8_t *option = (const uint8_t *)m->nd + MESSAGE;
	uint32_t left = m->length - MESSAGE;

	while (left > 1 && option[1] > 0 && 8u * option[1] <= left) {
		left -= 8u * option[1];
		option += 8u * option[1];
	}
	return left == 0;
}

static void
frame_of(uint8_t *frame, struct message *m)
{
	m->frame = frame;
	m->ip = (struct rte_ipv6_hdr *)(frame + sizeof(struct rte_ether_hdr));
	m->nd = (struct spx_nd *)(m->ip + 1);
}

void
spx_slow_ask6(struct spx_slowpath *s, uint16_t port, const uint8_t address[16], const uint8_t *mac)
{
	const struct spx_config_port *own_port = &s->now->port[port];
	const struct spx_address *own = spx_address_source(&s->now->addresses, SPX_ROUTE_IPV6, port, address);
	uint8_t group[16] = {0xff, 0x02, [11] = 1, 0xff}, group_mac[6] = {0x33, 0x33, 0xff};
	uint8_t link_local[16];
	struct message m = {.length = MESSAGE + OPTION_MAC};
	struct rte_mbuf *mbuf = spx_slow_new(s, HEADERS + MESSAGE + OPTION_MAC);

	if (mbuf == NULL)
		return; /* asked again at the next tick */
	memcpy(group + 13, address + 13, 3);
	memcpy(group_mac + 3, address + 13, 3);
	spx_slow_link_local(own_port, link_local);
	frame_of(rte_pktmbuf_mtod(mbuf, uint8_t *), &m);
	memset(m.nd, 0, m.length);
	m.nd->type = ND_NEIGHBOR_SOLICIT;
	memcpy(m.nd->target, address, 16);
	put_mac((uint8_t *)m.nd + MESSAGE, ND_OPT_SOURCE_LINKADDR, own_port->mac);
	close_frame(&m, mac == NULL ? group_mac : mac, own_port->mac, mac == NULL ? group : address,
		own == NULL ? link_local : own->address);
	spx_slow_send(s, mbuf, port);
}

/* ---- what comes in ---------------------------------------------------------------------------------------
 */

static bool
is_zero(const uint8_t address[16])
{
	static const uint8_t zero[16];

	return memcmp(address, zero, sizeof(zero)) == 0;
}

/* RFC 4861 7.1.1 and 7.1.2, beyond what is so of every message: who looks for a double asks the group of his
 * address and has no MAC address yet; what is said to a group answers nobody. */
static bool
makes_sense(const struct message *m)
{
	static const uint8_t asked[13] = {0xff, 0x02, [11] = 1, 0xff}; /* begin of solicited-node groups */

	if (m->nd->target[0] == 0xff || (m->frame[6] & 1) != 0)
		return false;
	if (m->nd->type == ND_NEIGHBOR_SOLICIT && is_zero(m->ip->src_addr))
		return memcmp(m->ip->dst_addr, asked, sizeof(asked)) == 0 &&
		       find_mac(m, ND_OPT_SOURCE_LINKADDR) == NULL;
	return m->nd->type != ND_NEIGHBOR_ADVERT || m->ip->dst_addr[0] != 0xff ||
	       (m->nd->flags & ND_NA_FLAG_SOLICITED) == 0;
}

/* The question becomes the answer (RFC 4861 7.2.4). */
static void
advertise(struct spx_slowpath *s, struct rte_mbuf *mbuf, struct message *m)
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1}, all_nodes_mac[6] = {0x33, 0x33, [5] = 1};
	const uint16_t in = spx_meta(mbuf)->in_port;
	const struct spx_config_port *port = &s->now->port[in];
	const bool nameless = is_zero(m->ip->src_addr); /* looks for a double of its address */
	const uint32_t length = (uint32_t)((uint8_t *)m->nd - m->frame) + MESSAGE + OPTION_MAC;
	uint8_t to[16], to_mac[6], target[16];

	memcpy(to, nameless ? all_nodes : m->ip->src_addr, 16);
	memcpy(to_mac, nameless ? all_nodes_mac : m->frame + 6, 6);
	memcpy(target, m->nd->target, 16);
	/* The answer is as long as it is, whatever the question had. */
	if (rte_pktmbuf_pkt_len(mbuf) > length)
		rte_pktmbuf_trim(mbuf, (uint16_t)(rte_pktmbuf_pkt_len(mbuf) - length));
	else if (rte_pktmbuf_append(mbuf, (uint16_t)(length - rte_pktmbuf_pkt_len(mbuf))) == NULL) {
		spx_slow_consume(s, mbuf);
		return;
	}
	m->length = MESSAGE + OPTION_MAC;
	memset(m->nd, 0, m->length);
	m->nd->type = ND_NEIGHBOR_ADVERT;
	m->nd->flags = ND_NA_FLAG_ROUTER | ND_NA_FLAG_OVERRIDE | (nameless ? 0 : ND_NA_FLAG_SOLICITED);
	memcpy(m->nd->target, target, 16);
	put_mac((uint8_t *)m->nd + MESSAGE, ND_OPT_TARGET_LINKADDR, port->mac);
	close_frame(m, to_mac, port->mac, to, target);
	spx_slow_send(s, mbuf, in);
}

static void
take_solicitation(struct spx_slowpath *s, struct rte_mbuf *mbuf, struct message *m)
{
	const uint16_t in = spx_meta(mbuf)->in_port;
	const uint8_t *mac = find_mac(m, ND_OPT_SOURCE_LINKADDR);
	const uint8_t *target = m->nd->target;

	if (mac != NULL && !is_zero(m->ip->src_addr))
		spx_slow_heard(s, SPX_ROUTE_IPV6, in, m->ip->src_addr, mac, SPX_NEIGHBOUR_OVERRIDE);
	if (spx_slow_is_ours(s, SPX_ROUTE_IPV6, in, target))
		advertise(s, mbuf, m);
	else
		spx_slow_consume(s, mbuf);
}

static void
take_advertisement(struct spx_slowpath *s, struct rte_mbuf *mbuf, const struct message *m)
{
	const uint32_t said = m->nd->flags;
	const uint8_t *mac = find_mac(m, ND_OPT_TARGET_LINKADDR);
	unsigned flags = (said & ND_NA_FLAG_SOLICITED ? SPX_NEIGHBOUR_SOLICITED : 0) |
			 (said & ND_NA_FLAG_OVERRIDE ? SPX_NEIGHBOUR_OVERRIDE : 0);

	if (mac == NULL)
		mac = m->frame + 6;
	if (!spx_slow_is_ours(s, SPX_ROUTE_IPV6, spx_meta(mbuf)->in_port, m->nd->target))
		spx_slow_heard(s, SPX_ROUTE_IPV6, spx_meta(mbuf)->in_port, m->nd->target, mac, flags);
	spx_slow_consume(s, mbuf);
}

void
spx_slow_nd(struct spx_slowpath *s, struct rte_mbuf *mbuf)
{
	const struct spx_layout *layout = &spx_meta(mbuf)->layout;
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct message m = {.frame = frame,
		.ip = (struct rte_ipv6_hdr *)(frame + layout->l3),
		.nd = (struct spx_nd *)(frame + layout->l4)};
	uint32_t end = layout->l3 + (uint32_t)sizeof(*m.ip) + rte_be_to_cpu_16(m.ip->payload_len);
	bool plain =
		!spx_layout_in_vlan(layout) && layout->l4 == layout->l3 + sizeof(*m.ip) && mbuf->nb_segs == 1;
	bool valid;

	m.length = plain && end <= rte_pktmbuf_data_len(mbuf) ? end - layout->l4 : 0;
	valid = m.length >= MESSAGE && m.ip->hop_limits == HOPS && m.nd->code == 0 &&
		rte_ipv6_udptcp_cksum_verify(m.ip, m.nd) == 0 && has_sound_options(&m) && makes_sense(&m);
	if (valid && m.nd->type == ND_NEIGHBOR_SOLICIT)
		take_solicitation(s, mbuf, &m);
	else if (valid && m.nd->type == ND_NEIGHBOR_ADVERT)
		take_advertisement(s, mbuf, &m);
	else
		spx_slow_consume(s, mbuf); /* RFC 4861 7.1: silently */
}
