/* See net_model.h. */
#include <string.h>

#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include "test/unit/net_model.h"

/* A frame being read from front to back. */
struct reading {
	const uint8_t *bytes;
	uint32_t at;    /* next byte */
	uint32_t room;  /* bytes in the first segment: headers have to lie there */
	uint32_t end;   /* of the frame, later of the IP packet */
	uint16_t port;  /* source, host order */
	uint16_t port2; /* destination */
	uint8_t proto;
	bool fragment;
	struct parsed p;
};

static bool
drop(struct reading *r, enum spx_drop reason)
{
	r->p = (struct parsed){.kind = PARSED_DROP, .reason = reason};
	return false;
}

/* Copies the next n bytes of header and goes on behind them. */
static bool
take(struct reading *r, void *header, uint32_t n, enum spx_drop truncated)
{
	if (r->end - r->at < n)
		return drop(r, truncated);
	if (r->at + n > r->room)
		return drop(r, SPX_DROP_header_segmented);
	memcpy(header, r->bytes + r->at, n);
	r->at += n;
	return true;
}

/* Type and code, and the identifier of those messages that have one: RFC 792, 950, 4443, 8335. */
static bool
read_icmp(struct reading *r, bool v6)
{
	static const uint8_t with_identifier[] = {ICMP_ECHOREPLY, ICMP_ECHO, ICMP_TIMESTAMP,
		ICMP_TIMESTAMPREPLY, ICMP_INFO_REQUEST, ICMP_INFO_REPLY, ICMP_ADDRESS, ICMP_ADDRESSREPLY, 42,
		43};
	static const uint8_t with_identifier6[] = {ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY, 160, 161};
	struct icmphdr icmp;
	bool has;

	if (!take(r, &icmp, v6 ? 4 : 8, SPX_DROP_icmp_truncated))
		return false;
	has = v6 ? memchr(with_identifier6, icmp.type, sizeof(with_identifier6)) != NULL
		 : memchr(with_identifier, icmp.type, sizeof(with_identifier)) != NULL;
	if (v6 && has && !take(r, &icmp.un, 4, SPX_DROP_icmp_truncated))
		return false;
	r->port = (uint16_t)(icmp.type * 256 + icmp.code);
	r->port2 = has ? ntohs(icmp.un.echo.id) : 0;
	return true;
}

static bool
read_tcp(struct reading *r)
{
	uint32_t start = r->at;
	struct tcphdr tcp;

	if (!take(r, &tcp, 20, SPX_DROP_tcp_truncated))
		return false;
	if (tcp.doff < 5 || tcp.doff * 4u > r->end - start)
		return drop(r, SPX_DROP_tcp_header_length);
	if (tcp.syn && !tcp.ack)
		r->p.layout.flags |= SPX_LAYOUT_TCP_SYN;
	r->port = ntohs(tcp.source);
	r->port2 = ntohs(tcp.dest);
	return true;
}

static bool
read_udp(struct reading *r)
{
	uint32_t start = r->at;
	struct udphdr udp;

	if (!take(r, &udp, 8, SPX_DROP_udp_truncated))
		return false;
	if (ntohs(udp.len) < 8 || ntohs(udp.len) > r->end - start)
		return drop(r, SPX_DROP_udp_length);
	r->port = ntohs(udp.source);
	r->port2 = ntohs(udp.dest);
	return true;
}

static bool
read_transport(struct reading *r, bool v6)
{
	if (r->fragment) {
		r->p.layout.flags |= SPX_LAYOUT_FRAGMENT;
		return true;
	}
	if (r->proto != 59)
		r->p.layout.l4 = (uint16_t)r->at;
	if (r->proto == 6)
		return read_tcp(r);
	if (r->proto == 17)
		return read_udp(r);
	if (r->proto == (v6 ? 58 : 1))
		return read_icmp(r, v6);
	return true;
}

static bool
checksum_right(const uint8_t *header, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i += 2)
		sum += header[i] * 256u + header[i + 1];
	return sum % 0xffff == 0;
}

/* RFC 791 */
static bool
read_ipv4(struct reading *r, bool checksum_bad, bool verify)
{
	uint32_t start = r->at, header, total, offset;
	uint8_t options[40];
	struct iphdr ip;

	if (!take(r, &ip, 20, SPX_DROP_ipv4_truncated))
		return false;
	if (ip.version != 4)
		return drop(r, SPX_DROP_ipv4_version);
	header = ip.ihl * 4u;
	if (header < 20)
		return drop(r, SPX_DROP_ipv4_header_length);
	if (!take(r, options, header - 20, SPX_DROP_ipv4_header_length))
		return false;
	total = ntohs(ip.tot_len);
	if (total < header || total > r->end - start)
		return drop(r, SPX_DROP_ipv4_total_length);
	if (checksum_bad || (verify && !checksum_right(r->bytes + start, header)))
		return drop(r, SPX_DROP_ipv4_checksum);
	r->end = start + total;
	offset = (ntohs(ip.frag_off) & IP_OFFMASK) * 8u;
	r->fragment = offset > 0 || (ntohs(ip.frag_off) & IP_MF);
	if (r->fragment && header + offset + (total - header) > 65535)
		return drop(r, SPX_DROP_fragment_overrun);
	r->proto = ip.protocol;
	memcpy(r->p.key4.sip, &ip.saddr, 4);
	memcpy(r->p.key4.dip, &ip.daddr, 4);
	r->p.kind = PARSED_IPV4;
	return read_transport(r, false);
}

/* One extension header of RFC 8200 section 4, RFC 4302, 6275, 7401, 5533. `before` = bytes of extension
 * headers before it. *known is false when r->proto is none. */
static bool
read_extension(struct reading *r, uint32_t before, bool *known)
{
	uint32_t start = r->at, size;
	struct ip6_frag header; /* begins as they all do: next header, length */

	*known =
		strchr("\x2b\x2c\x33\x3c\x87\x8b\x8c", r->proto) != NULL; /* strchr finds 0 too: hop-by-hop */
	if (!*known)
		return true;
	if (!take(r, &header, 8, SPX_DROP_ipv6_extension))
		return false;
	size = r->proto == 44   ? 8
	       : r->proto == 51 ? header.ip6f_reserved * 4u + 8
				: header.ip6f_reserved * 8u + 8;
	if (size > r->end - start)
		return drop(r, SPX_DROP_ipv6_extension);
	r->at = start + size;
	if (r->proto == 44) {
		uint32_t offset = ntohs(header.ip6f_offlg & IP6F_OFF_MASK);

		r->fragment = offset > 0 || (header.ip6f_offlg & IP6F_MORE_FRAG);
		if (r->fragment && before + offset + (r->end - r->at) > 65535)
			return drop(r, SPX_DROP_fragment_overrun);
	}
	r->proto = header.ip6f_nxt;
	return true;
}

/* RFC 8200 */
static bool
read_ipv6(struct reading *r)
{
	uint32_t first;
	struct ip6_hdr ip;
	bool known = true;

	if (!take(r, &ip, 40, SPX_DROP_ipv6_truncated))
		return false;
	if (ip.ip6_vfc >> 4 != 6)
		return drop(r, SPX_DROP_ipv6_version);
	if (ntohs(ip.ip6_plen) > r->end - r->at)
		return drop(r, SPX_DROP_ipv6_payload_length);
	r->end = r->at + ntohs(ip.ip6_plen);
	r->proto = ip.ip6_nxt;
	memcpy(r->p.key6.sip, &ip.ip6_src, 16);
	memcpy(r->p.key6.dip, &ip.ip6_dst, 16);
	r->p.kind = PARSED_IPV6;
	first = r->at;
	for (int n = 0; n < 8 && known && !r->fragment; n++) {
		if (!read_extension(r, r->at - first, &known))
			return false;
	}
	if (known && !r->fragment) { /* eight of them: what comes now must be none */
		struct reading ninth = *r;

		if (!read_extension(&ninth, 0, &known) || known)
			return drop(r, SPX_DROP_ipv6_extension);
	}
	return read_transport(r, true);
}

/* RFC 826 */
static bool
read_arp(struct reading *r)
{
	struct ether_arp arp;

	if (!take(r, &arp, 28, SPX_DROP_arp_truncated))
		return false;
	if (ntohs(arp.arp_hrd) != ARPHRD_ETHER || ntohs(arp.arp_pro) != ETH_P_IP || arp.arp_hln != 6 ||
		arp.arp_pln != 4)
		return drop(r, SPX_DROP_arp_format);
	return true;
}

/* IEEE 802.3 and 802.1Q: addresses, at most two tags, EtherType. */
static bool
read_ethernet(struct reading *r)
{
	struct ether_header ethernet;
	uint16_t type, tag[2];

	if (!take(r, &ethernet, 14, SPX_DROP_ethernet_truncated))
		return false;
	type = ntohs(ethernet.ether_type);
	for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8 || type == 0x9100); tags++) {
		if (!take(r, tag, 4, SPX_DROP_vlan_truncated))
			return false;
		if (tags == 0)
			r->p.layout.vlan = ntohs(tag[0]) % 4096;
		type = ntohs(tag[1]);
	}
	r->p.layout.ethertype = type;
	r->p.layout.l3 = (uint8_t)r->at;
	r->p.kind = PARSED_OTHER;
	return true;
}

/* Ports, protocol and context, as base.h lays them out. */
static void
write_tail(const struct reading *r, uint8_t *tail)
{
	uint32_t context = r->p.layout.vlan * 4096u + (r->fragment ? 2048 : 0) + PARSED_PORT;

	tail[0] = (uint8_t)(r->port / 256);
	tail[1] = (uint8_t)(r->port % 256);
	tail[2] = (uint8_t)(r->port2 / 256);
	tail[3] = (uint8_t)(r->port2 % 256);
	tail[4] = r->proto;
	tail[5] = (uint8_t)(context >> 16);
	tail[6] = (uint8_t)(context >> 8);
	tail[7] = (uint8_t)context;
}

struct parsed
model_parse(const struct rte_mbuf *m, const struct spx_net_options *options)
{
	struct reading r = {
		.bytes = rte_pktmbuf_mtod(m, const uint8_t *), .room = m->data_len, .end = m->pkt_len};
	bool good = m->pkt_len <= options->max_frame ? read_ethernet(&r) : drop(&r, SPX_DROP_oversize);
	uint64_t verdict = m->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_IP_CKSUM_GOOD);

	if (!good)
		return r.p;
	switch (r.p.layout.ethertype) {
	case ETHERTYPE_IP:
		if (read_ipv4(&r, verdict == RTE_MBUF_F_RX_IP_CKSUM_BAD, options->verify_checksum)) {
			write_tail(&r, r.p.key4.sport);
			r.p.hash = spx_hash4(&options->seed, &r.p.key4);
		}
		break;
	case ETHERTYPE_IPV6:
		if (read_ipv6(&r)) {
			write_tail(&r, r.p.key6.sport);
			r.p.hash = spx_hash6(&options->seed, &r.p.key6);
		}
		break;
	case ETHERTYPE_ARP:
		read_arp(&r);
		break;
	}
	return r.p;
}
