/* The general parser: one frame, header by header. Each function reads one header, checks it, and goes on to
 * the next; a frame that is malformed ends at the first check that fails, whose name is the drop reason.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>

#include "lib/net/parse.h"

#define ETHERNET_HEADER 14u
#define VLAN_TAG        4u
#define IPV4_HEADER     20u
#define IPV6_HEADER     40u
#define IP_LENGTH_MAX   65535u /* of IPv4's total length, of IPv6's payload length */
#define IPV6_EXTENSIONS 8 /* a chain longer than this is refused: the work per packet has to be bounded */

#define PROTO_HIP   139
#define PROTO_SHIM6 140

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_9100 0x9100 /* QinQ before 802.1ad */

static uint16_t
read16(const struct spx_frame *f, uint32_t at)
{
	uint16_t value;

	memcpy(&value, f->bytes + at, sizeof(value));
	return rte_be_to_cpu_16(value);
}

static enum spx_frame_kind
bad(struct spx_frame *f, enum spx_drop reason)
{
	f->reason = reason;
	return SPX_FRAME_BAD;
}

/* The frame, or the packet in it, ends at `end`: nothing behind is read. */
static void
end_packet(struct spx_frame *f, uint32_t end)
{
	f->length = end;
	f->room = RTE_MIN(f->room, end);
}

/* True when bytes at...at+n-1 can be read; else sets the reason: `truncated`, or that they lie in a later
 * segment. */
static bool
readable(struct spx_frame *f, uint32_t at, uint32_t n, enum spx_drop truncated)
{
	if (at + n <= f->room)
		return true;
	f->reason = at + n > f->length ? truncated : SPX_DROP_header_segmented;
	return false;
}

/* True for ICMP messages with an identifier. RFC 792, RFC 950: echo, timestamp, information, mask. RFC 4443:
 * echo. RFC 8335: extended echo. */
static bool
icmp_identified(uint8_t type, bool v6)
{
	if (v6)
		return type == 128 || type == 129 || type == 160 || type == 161;
	return type == 0 || type == 8 || (type >= 13 && type <= 18) || type == 42 || type == 43;
}

/* ICMP and ICMPv6: type and code stand for the source port, the identifier, where the message has one, for
 * the destination port. */
static bool
parse_icmp(struct spx_frame *f, uint32_t at, bool v6)
{
	bool identified;

	if (!readable(f, at, v6 ? 4 : 8, SPX_DROP_icmp_truncated))
		return false;
	identified = icmp_identified(f->bytes[at], v6);
	if (identified && !readable(f, at, 8, SPX_DROP_icmp_truncated))
		return false;
	memcpy(&f->ports[0], f->bytes + at, sizeof(f->ports[0]));
	if (identified)
		memcpy(&f->ports[1], f->bytes + at + 4, sizeof(f->ports[1]));
	return true;
}

static bool
parse_tcp(struct spx_frame *f, uint32_t at)
{
	uint32_t header;

	if (!readable(f, at, 20, SPX_DROP_tcp_truncated))
		return false;
	header = (uint32_t)(f->bytes[at + 12] >> 4) * 4;
	if (header < 20 || at + header > f->length) {
		f->reason = SPX_DROP_tcp_header_length;
		return false;
	}
	if ((f->bytes[at + 13] & 0x12) == 0x02)
		f->layout.flags |= SPX_LAYOUT_TCP_SYN;
	memcpy(f->ports, f->bytes + at, sizeof(f->ports));
	return true;
}

static bool
parse_udp(struct spx_frame *f, uint32_t at)
{
	uint32_t length;

	if (!readable(f, at, 8, SPX_DROP_udp_truncated))
		return false;
	length = read16(f, at + 4);
	if (length < 8 || at + length > f->length) {
		f->reason = SPX_DROP_udp_length;
		return false;
	}
	memcpy(f->ports, f->bytes + at, sizeof(f->ports));
	return true;
}

/* The transport header at `at`, of protocol f->proto. Fragments are not looked into: only the first has
 * ports. ICMP belongs to IPv4 and ICMPv6 to IPv6; the other way round they are protocols like any other. */
static bool
parse_transport(struct spx_frame *f, uint32_t at)
{
	bool v6 = f->layout.ethertype == ETHERTYPE_IPV6;

	if ((f->layout.flags & SPX_LAYOUT_FRAGMENT) || f->proto == IPPROTO_NONE)
		return true;
	f->layout.l4 = (uint16_t)at;
	switch (f->proto) {
	case IPPROTO_TCP:
		return parse_tcp(f, at);
	case IPPROTO_UDP:
		return parse_udp(f, at);
	case IPPROTO_ICMP:
		return v6 || parse_icmp(f, at, v6);
	case IPPROTO_ICMPV6:
		return !v6 || parse_icmp(f, at, v6);
	default:
		return true;
	}
}

static enum spx_frame_kind
parse_ipv4(struct spx_frame *f)
{
	uint32_t at = f->layout.l3, header, total, fragment;

	if (!readable(f, at, IPV4_HEADER, SPX_DROP_ipv4_truncated))
		return SPX_FRAME_BAD;
	if (f->bytes[at] >> 4 != 4)
		return bad(f, SPX_DROP_ipv4_version);
	header = (uint32_t)(f->bytes[at] & 0xf) * 4;
	if (header < IPV4_HEADER || at + header > f->length)
		return bad(f, SPX_DROP_ipv4_header_length);
	if (at + header > f->room)
		return bad(f, SPX_DROP_header_segmented);
	total = read16(f, at + 2);
	if (total < header || at + total > f->length)
		return bad(f, SPX_DROP_ipv4_total_length);
	if (f->checksum_bad || (f->verify_checksum && spx_net_sum4(f->bytes + at, header / 4) != 0xffff))
		return bad(f, SPX_DROP_ipv4_checksum);
	end_packet(f, at + total);
	f->proto = f->bytes[at + 9];
	fragment = read16(f, at + 6) & 0x3fff; /* more fragments, offset in 8 bytes */
	if (fragment != 0) {
		if ((fragment & 0x1fff) * 8 + total > IP_LENGTH_MAX)
			return bad(f, SPX_DROP_fragment_overrun);
		f->layout.flags |= SPX_LAYOUT_FRAGMENT;
	}
	return parse_transport(f, at + header) ? SPX_FRAME_IPV4 : SPX_FRAME_BAD;
}

/* A fragment header (RFC 8200 section 4.5) at `at`. An atomic fragment (RFC 6946: offset 0, no more to come)
 * is a whole packet. False when the fragment is malformed. */
static bool
parse_ipv6_fragment(struct spx_frame *f, uint32_t at)
{
	uint32_t field = read16(f, at + 2);

	if ((field & 0xfff9) == 0)
		return true;
	/* What stands before the fragment header counts, that itself does not. */
	if ((field & 0xfff8) + f->length - f->layout.l3 - IPV6_HEADER - 8 > IP_LENGTH_MAX) {
		f->reason = SPX_DROP_fragment_overrun;
		return false;
	}
	f->layout.flags |= SPX_LAYOUT_FRAGMENT;
	return true;
}

static bool
is_ipv6_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_AH || next == IPPROTO_DSTOPTS || next == IPPROTO_MH || next == PROTO_HIP ||
	       next == PROTO_SHIM6;
}

/* Length in bytes of an extension header of type `next` whose second byte is `field`. */
static uint32_t
ipv6_extension_size(uint8_t next, uint8_t field)
{
	if (next == IPPROTO_FRAGMENT)
		return 8;
	if (next == IPPROTO_AH) /* RFC 4302 section 2.2: in 4 bytes, less 2 */
		return (field + 2u) * 4;
	return (field + 1u) * 8; /* RFC 6564: in 8 bytes, the first not counted */
}

static enum spx_frame_kind
parse_ipv6(struct spx_frame *f)
{
	uint32_t at = f->layout.l3, payload;
	uint8_t next;

	if (!readable(f, at, IPV6_HEADER, SPX_DROP_ipv6_truncated))
		return SPX_FRAME_BAD;
	if (f->bytes[at] >> 4 != 6)
		return bad(f, SPX_DROP_ipv6_version);
	payload = read16(f, at + 4);
	if (at + IPV6_HEADER + payload > f->length)
		return bad(f, SPX_DROP_ipv6_payload_length);
	end_packet(f, at + IPV6_HEADER + payload);
	next = f->bytes[at + 6];
	at += IPV6_HEADER;
	for (int chain = 0; is_ipv6_extension(next); chain++) {
		uint32_t size;

		if (chain == IPV6_EXTENSIONS)
			return bad(f, SPX_DROP_ipv6_extension);
		if (!readable(f, at, 8, SPX_DROP_ipv6_extension))
			return SPX_FRAME_BAD;
		size = ipv6_extension_size(next, f->bytes[at + 1]);
		if (at + size > f->length)
			return bad(f, SPX_DROP_ipv6_extension);
		if (next == IPPROTO_FRAGMENT && !parse_ipv6_fragment(f, at))
			return SPX_FRAME_BAD;
		next = f->bytes[at];
		at += size;
		if (f->layout.flags & SPX_LAYOUT_FRAGMENT)
			break; /* what follows belongs to the fragmentable part: the same for all fragments */
	}
	f->proto = next;
	return parse_transport(f, at) ? SPX_FRAME_IPV6 : SPX_FRAME_BAD;
}

/* RFC 826 for Ethernet and IPv4: 28 bytes. */
static enum spx_frame_kind
parse_arp(struct spx_frame *f)
{
	uint32_t at = f->layout.l3;

	if (!readable(f, at, 28, SPX_DROP_arp_truncated))
		return SPX_FRAME_BAD;
	if (read16(f, at) != 1 || read16(f, at + 2) != ETHERTYPE_IPV4 || f->bytes[at + 4] != 6 ||
		f->bytes[at + 5] != 4)
		return bad(f, SPX_DROP_arp_format);
	return SPX_FRAME_OTHER;
}

/* Ethernet header and up to two tags. A third tag is not looked behind: such a frame is not IP to us. */
static bool
parse_ethernet(struct spx_frame *f)
{
	uint32_t at = ETHERNET_HEADER;
	uint16_t type;

	if (!readable(f, 0, ETHERNET_HEADER, SPX_DROP_ethernet_truncated))
		return false;
	type = read16(f, 12);
	for (int tag = 0; tag < 2; tag++) {
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ && type != ETHERTYPE_9100)
			break;
		if (!readable(f, at, VLAN_TAG, SPX_DROP_vlan_truncated))
			return false;
		if (tag == 0)
			f->layout.vlan = read16(f, at) & 0xfff;
		type = read16(f, at + 2);
		at += VLAN_TAG;
	}
	f->layout.ethertype = type;
	f->layout.l3 = (uint8_t)at;
	return true;
}

enum spx_frame_kind
spx_frame_parse(struct spx_frame *f, uint16_t port)
{
	enum spx_frame_kind kind;

	f->layout = (struct spx_layout){0};
	f->ports[0] = f->ports[1] = 0;
	end_packet(f, f->length);
	if (!parse_ethernet(f))
		return SPX_FRAME_BAD;
	switch (f->layout.ethertype) {
	case ETHERTYPE_IPV4:
		kind = parse_ipv4(f);
		break;
	case ETHERTYPE_IPV6:
		kind = parse_ipv6(f);
		break;
	case ETHERTYPE_ARP:
		return parse_arp(f);
	default:
		return SPX_FRAME_OTHER;
	}
	f->context = (uint32_t)f->layout.vlan << SPX_CONTEXT_VLAN_SHIFT | (port & SPX_CONTEXT_PORT_MASK) |
		     (f->layout.flags & SPX_LAYOUT_FRAGMENT ? SPX_CONTEXT_FRAGMENT : 0);
	return kind;
}
