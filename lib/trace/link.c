/* Link types: what lies in the trace before the Ethernet frame or the IP packet.
 *
 * pcap.c and pcapng.c call the strip function of the type on every packet. Numbers and layouts: the list of
 * link-layer header types at tcpdump.org and draft-ietf-opsawg-pcaplinktype.
 */
#include "lib/trace/reader.h"

#define TYPE_IPV4       0x0800
#define TYPE_IPV6       0x86dd
#define TYPE_MPLS       0x8847
#define TYPE_MPLS_MULTI 0x8848
#define ETHERTYPE_MIN   0x0600 /* below, the field is an IEEE 802.3 length or a Linux pseudo protocol */
#define SLL_HATYPE      2
#define SLL_NETLINK     824 /* ARPHRD_NETLINK: the protocol is a netlink family */
#define PPP_ADDRESS     0xff
#define PPP_CONTROL     0x03
#define HDLC_UNICAST    0x0f
#define HDLC_BROADCAST  0x8f

static uint16_t
big16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Moves past `header` bytes, of which not one may be cut off. */
static bool
skip(struct spx_trace_packet *packet, uint32_t header)
{
	if (packet->captured < header)
		return false;
	packet->data += header;
	packet->captured -= header;
	packet->length -= header;
	return true;
}

/* A payload of `ethertype` behind `header` bytes. */
static bool
payload(struct spx_trace_packet *packet, uint32_t header, uint16_t ethertype)
{
	packet->ethertype = ethertype;
	return ethertype >= ETHERTYPE_MIN && skip(packet, header);
}

/* A payload behind `header` bytes, its EtherType at offset `field` in them. */
static bool
payload_by_field(struct spx_trace_packet *packet, uint32_t header, uint32_t field)
{
	return packet->captured >= header && payload(packet, header, big16(packet->data + field));
}

/* Raw IP of either version behind `header` bytes. */
static bool
ip_behind(struct spx_trace_packet *packet, uint32_t header)
{
	if (packet->captured <= header)
		return false;
	switch (packet->data[header] >> 4) {
	case 4:
		return payload(packet, header, TYPE_IPV4);
	case 6:
		return payload(packet, header, TYPE_IPV6);
	default:
		return false;
	}
}

static bool
ethernet_behind(struct spx_trace_packet *packet, uint32_t header)
{
	packet->ethertype = 0;
	return skip(packet, header);
}

static bool
strip_ethernet(struct spx_trace_packet *packet)
{
	packet->ethertype = 0;
	return true;
}

static bool
strip_raw(struct spx_trace_packet *packet)
{
	return ip_behind(packet, 0);
}

static bool
strip_ipv4(struct spx_trace_packet *packet)
{
	return payload(packet, 0, TYPE_IPV4);
}

static bool
strip_ipv6(struct spx_trace_packet *packet)
{
	return payload(packet, 0, TYPE_IPV6);
}

/* BSD loopback: an address family in the byte order of the machine that wrote it (LOOP: network order). */
static bool
family_behind(struct spx_trace_packet *packet, uint32_t header)
{
	uint32_t family;

	if (packet->captured < header)
		return false;
	memcpy(&family, packet->data, sizeof(family));
	family = rte_le_to_cpu_32(family);
	/* Families are small numbers, so the order shows. */
	if (family > UINT16_MAX)
		family = rte_bswap32(family);
	switch (family) {
	case 2: /* AF_INET everywhere */
		return payload(packet, header, TYPE_IPV4);
	case 10: /* AF_INET6: Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return payload(packet, header, TYPE_IPV6);
	default:
		return false;
	}
}

static bool
strip_null(struct spx_trace_packet *packet)
{
	return family_behind(packet, 4);
}

/* OpenBSD encapsulating interface: family, SPI, flags. */
static bool
strip_enc(struct spx_trace_packet *packet)
{
	return family_behind(packet, 12);
}

/* SLIP as BSD captures it: direction, type of compression, 14 bytes for it. */
static bool
strip_slip(struct spx_trace_packet *packet)
{
	return ip_behind(packet, 16);
}

static bool
strip_sll(struct spx_trace_packet *packet)
{
	if (packet->captured < 16 || big16(packet->data + SLL_HATYPE) == SLL_NETLINK)
		return false;
	return payload_by_field(packet, 16, 14);
}

static bool
strip_sll2(struct spx_trace_packet *packet)
{
	if (packet->captured < 20 || big16(packet->data + 8) == SLL_NETLINK)
		return false;
	return payload_by_field(packet, 20, 0);
}

/* PPP's protocol field at offset `at`; its first byte may be compressed away (RFC 1661, 6.5). */
static bool
ppp_protocol(struct spx_trace_packet *packet, uint32_t at)
{
	uint32_t end = at + 2;
	uint16_t protocol;

	if (packet->captured > at && (packet->data[at] & 1) != 0) {
		protocol = packet->data[at];
		end = at + 1;
	} else if (packet->captured >= end) {
		protocol = big16(packet->data + at);
	} else {
		return false;
	}
	switch (protocol) {
	case 0x0021:
		return payload(packet, end, TYPE_IPV4);
	case 0x0057:
		return payload(packet, end, TYPE_IPV6);
	case 0x0281:
		return payload(packet, end, TYPE_MPLS);
	case 0x0283:
		return payload(packet, end, TYPE_MPLS_MULTI);
	default:
		return false;
	}
}

/* Cisco HDLC behind `skipped` bytes: address, control, EtherType. */
static bool
hdlc_behind(struct spx_trace_packet *packet, uint32_t skipped)
{
	return payload_by_field(packet, skipped + 4, skipped + 2);
}

/* PPP with or without HDLC-like framing (RFC 1662), or Cisco HDLC, told from the address byte, behind
 * `skipped` bytes. */
static bool
ppp_behind(struct spx_trace_packet *packet, uint32_t skipped)
{
	const uint8_t *p = packet->data + skipped;

	if (packet->captured < skipped + 2)
		return false;
	if (p[0] == PPP_ADDRESS && p[1] == PPP_CONTROL)
		return ppp_protocol(packet, skipped + 2);
	if (p[0] == HDLC_UNICAST || p[0] == HDLC_BROADCAST)
		return hdlc_behind(packet, skipped);
	return ppp_protocol(packet, skipped);
}

static bool
strip_ppp(struct spx_trace_packet *packet)
{
	return ppp_behind(packet, 0);
}

static bool
strip_ppp_direction(struct spx_trace_packet *packet)
{
	return ppp_behind(packet, 1);
}

/* PPPoE (RFC 2516): version and type, code (0 = session), session, length. */
static bool
strip_pppoe(struct spx_trace_packet *packet)
{
	return packet->captured >= 6 && packet->data[1] == 0 && ppp_protocol(packet, 6);
}

static bool
strip_hdlc(struct spx_trace_packet *packet)
{
	return hdlc_behind(packet, 0);
}

static bool
strip_hdlc_direction(struct spx_trace_packet *packet)
{
	return hdlc_behind(packet, 1);
}

/* LLC and SNAP with an EtherType (RFC 2684, RFC 1042). */
static bool
strip_llc(struct spx_trace_packet *packet)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};

	return packet->captured >= 8 && memcmp(packet->data, snap, sizeof(snap)) == 0 &&
	       payload_by_field(packet, 8, 6);
}

/* Switch tags between the addresses and the EtherType: the frame is not in one piece, so what is behind the
 * EtherType is the payload. */
static bool
strip_tag4(struct spx_trace_packet *packet)
{
	return payload_by_field(packet, 18, 16);
}

static bool
strip_tag8(struct spx_trace_packet *packet)
{
	return payload_by_field(packet, 22, 20);
}

static bool
strip_ethernet4(struct spx_trace_packet *packet)
{
	return ethernet_behind(packet, 4);
}

/* netANALYZER transparent mode: 4 bytes of its own, preamble and start of frame. */
static bool
strip_ethernet12(struct spx_trace_packet *packet)
{
	return ethernet_behind(packet, 12);
}

static const struct spx_trace_link links[] = {
	{0, "NULL, BSD loopback", strip_null},
	{1, "Ethernet", strip_ethernet},
	{3, "AX.25", NULL},
	{6, "IEEE 802.5 token ring", NULL},
	{7, "ARCNET, BSD", NULL},
	{8, "SLIP", strip_slip},
	{9, "PPP", strip_ppp},
	{10, "FDDI", NULL},
	{12, "raw IP", strip_raw},
	{14, "raw IP, OpenBSD", strip_raw},
	{50, "PPP in HDLC framing", strip_ppp},
	{51, "PPPoE", strip_pppoe},
	{100, "LLC over ATM", strip_llc},
	{101, "raw IP", strip_raw},
	{104, "Cisco HDLC", strip_hdlc},
	{105, "IEEE 802.11", NULL},
	{107, "frame relay", NULL},
	{108, "LOOP, OpenBSD loopback", strip_null},
	{109, "ENC, OpenBSD", strip_enc},
	{113, "Linux cooked", strip_sll},
	{114, "LocalTalk", NULL},
	{117, "PFLOG", NULL},
	{119, "IEEE 802.11 with Prism header", NULL},
	{122, "IP over Fibre Channel", NULL},
	{123, "SunATM", NULL},
	{127, "IEEE 802.11 with radiotap header", NULL},
	{129, "ARCNET, Linux", NULL},
	{138, "IP over IEEE 1394", NULL},
	{140, "SS7 MTP2", NULL},
	{143, "DOCSIS", NULL},
	{144, "Linux IrDA", NULL},
	{163, "IEEE 802.11 with AVS header", NULL},
	{165, "BACnet MS/TP", NULL},
	{166, "PPP of pppd with direction", strip_ppp_direction},
	{187, "Bluetooth HCI", NULL},
	{189, "USB, Linux", NULL},
	{192, "PPI", NULL},
	{195, "IEEE 802.15.4", NULL},
	{197, "ERF", NULL},
	{201, "Bluetooth HCI with direction", NULL},
	{204, "PPP with direction", strip_ppp_direction},
	{205, "Cisco HDLC with direction", strip_hdlc_direction},
	{220, "USB, Linux, padded", NULL},
	{227, "CAN", NULL},
	{228, "IPv4", strip_ipv4},
	{229, "IPv6", strip_ipv6},
	{230, "IEEE 802.15.4 without FCS", NULL},
	{231, "D-Bus", NULL},
	{239, "Linux netfilter log", NULL},
	{240, "Ethernet with netANALYZER header", strip_ethernet4},
	{241, "Ethernet with netANALYZER header and preamble", strip_ethernet12},
	{247, "InfiniBand", NULL},
	{249, "USB, Windows", NULL},
	{253, "netlink", NULL},
	{276, "Linux cooked, version 2", strip_sll2},
	{281, "Ethernet with Broadcom tag", strip_tag4},
	{282, "Ethernet behind Broadcom tag", strip_ethernet4},
	{284, "Ethernet with Marvell DSA tag", strip_tag4},
	{285, "Ethernet with Marvell EDSA tag", strip_tag8},
};

static const struct spx_trace_link unknown = {0, "unknown", NULL};

const struct spx_trace_link *
spx_trace_link_find(uint16_t type)
{
	for (size_t i = 0; i < RTE_DIM(links); i++) {
		if (links[i].type == type)
			return &links[i];
	}
	return &unknown;
}
