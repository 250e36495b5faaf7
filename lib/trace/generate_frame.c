/* Frames of the trace generator: Ethernet, 802.1Q, IPv4, IPv6, UDP, TCP, ARP, every checksum right.
 *
 * Called by generate_flow.c and generate_malformed.c. The payload is zeros and adds nothing to a checksum, so
 * the checksum of a packet needs its headers only.
 */
#include <string.h>

#include "lib/trace/generate.h"

#define ETHERNET 14u
#define VLAN     4u
#define IPV4     20u
#define IPV6     40u
#define UDP      8u
#define TCP      20u
#define ARP      28u

#define PROTO_TCP 6
#define PROTO_UDP 17

static const uint8_t client_mac[6] = {0x02, 0, 0, 0, 0, 0x01}; /* locally administered */
static const uint8_t server_mac[6] = {0x02, 0, 0, 0, 0, 0x02};

void
spx_frame_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
spx_frame_put32(uint8_t *p, uint32_t v)
{
	spx_frame_put16(p, (uint16_t)(v >> 16));
	spx_frame_put16(p + 2, (uint16_t)v);
}

/* Adds n bytes, n even, to a one's complement sum (RFC 1071). */
static uint32_t
sum_add(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static uint16_t
sum_finish(uint32_t sum)
{
	while (sum > UINT16_MAX)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)~sum;
}

void
spx_frame_checksum4(uint8_t *ip)
{
	spx_frame_put16(ip + 10, 0);
	spx_frame_put16(ip + 10, sum_finish(sum_add(0, ip, IPV4)));
}

/* An empty frame with Ethernet header and VLAN tag; returns where the next header goes. */
static uint8_t *
begin(struct spx_generate_frame *frame, bool outward, uint16_t vlan, uint16_t ethertype)
{
	uint8_t *p = frame->bytes;

	memset(p, 0, frame->headers);
	memcpy(p, outward ? server_mac : client_mac, 6);
	memcpy(p + 6, outward ? client_mac : server_mac, 6);
	frame->headers = ETHERNET;
	if (vlan != 0) {
		spx_frame_put16(p + 12, 0x8100);
		spx_frame_put16(p + 14, vlan);
		frame->headers += VLAN;
	}
	spx_frame_put16(p + frame->headers - 2, ethertype);
	return p + frame->headers;
}

/* Counts n more bytes of header and the payload, padded to the smallest frame. */
static void
end(struct spx_generate_frame *frame, uint32_t n, uint32_t payload)
{
	frame->headers += n;
	frame->length = RTE_MAX(frame->headers + payload, SPX_FRAME_MIN);
}

static void
put_ipv4(uint8_t *ip, const struct spx_generate_ends *ends, uint8_t proto, uint32_t length)
{
	ip[0] = 0x45;
	spx_frame_put16(ip + 2, (uint16_t)(IPV4 + length));
	spx_frame_put16(ip + 6, 0x4000); /* don't fragment */
	ip[8] = ends->ttl;
	ip[9] = proto;
	spx_frame_put32(ip + 12, ends->source);
	spx_frame_put32(ip + 16, ends->destination);
	spx_frame_checksum4(ip);
}

static void
put_ipv6(uint8_t *ip, const struct spx_generate_ends *ends, uint8_t proto, uint32_t length)
{
	ip[0] = 0x60;
	spx_frame_put16(ip + 4, (uint16_t)length);
	ip[6] = proto;
	ip[7] = ends->ttl;
	spx_frame_put32(ip + 8, 0x20010db8);
	spx_frame_put32(ip + 20, ends->source);
	spx_frame_put32(ip + 24, 0x20010db8);
	spx_frame_put32(ip + 36, ends->destination);
}

/* Link and IP header for a transport packet of `length` bytes; returns where its header goes. */
static uint8_t *
begin_ip(struct spx_generate_frame *frame, const struct spx_generate_ends *ends, uint8_t proto,
	uint32_t length)
{
	uint8_t *ip = begin(frame, ends->outward, ends->vlan, ends->ipv6 ? 0x86dd : 0x0800);

	if (ends->ipv6) {
		put_ipv6(ip, ends, proto, length);
		frame->headers += IPV6;
	} else {
		put_ipv4(ip, ends, proto, length);
		frame->headers += IPV4;
	}
	return frame->bytes + frame->headers;
}

/* Checksum over pseudo header and transport header; the addresses are the bytes right before the header. */
static uint16_t
transport_checksum(const uint8_t *header, uint32_t n, bool ipv6, uint8_t proto, uint32_t length)
{
	uint32_t addresses = ipv6 ? 32 : 8;
	uint32_t sum = sum_add(proto + length, header - addresses, addresses);

	return sum_finish(sum_add(sum, header, n));
}

void
spx_frame_udp(struct spx_generate_frame *frame, const struct spx_generate_ends *ends, uint32_t payload)
{
	uint32_t length = UDP + payload;
	uint8_t *udp = begin_ip(frame, ends, PROTO_UDP, length);
	uint16_t checksum;

	spx_frame_put16(udp, ends->sport);
	spx_frame_put16(udp + 2, ends->dport);
	spx_frame_put16(udp + 4, (uint16_t)length);
	checksum = transport_checksum(udp, UDP, ends->ipv6, PROTO_UDP, length);
	/* RFC 768: a sum of zero is sent as all ones, zero means that there is none. */
	spx_frame_put16(udp + 6, checksum == 0 ? UINT16_MAX : checksum);
	end(frame, UDP, payload);
}

void
spx_frame_tcp(struct spx_generate_frame *frame, const struct spx_generate_ends *ends, uint8_t flags,
	uint32_t sequence, uint32_t acknowledgment, uint32_t payload)
{
	uint32_t length = TCP + payload;
	uint8_t *tcp = begin_ip(frame, ends, PROTO_TCP, length);

	spx_frame_put16(tcp, ends->sport);
	spx_frame_put16(tcp + 2, ends->dport);
	spx_frame_put32(tcp + 4, sequence);
	spx_frame_put32(tcp + 8, acknowledgment);
	tcp[12] = TCP / 4 << 4;
	tcp[13] = flags;
	spx_frame_put16(tcp + 14, UINT16_MAX); /* window */
	spx_frame_put16(tcp + 16, transport_checksum(tcp, TCP, ends->ipv6, PROTO_TCP, length));
	end(frame, TCP, payload);
}

void
spx_frame_arp(struct spx_generate_frame *frame, uint32_t sender, uint32_t target, bool reply)
{
	uint8_t *arp = begin(frame, !reply, 0, 0x0806);

	if (!reply)
		memset(frame->bytes, 0xff, 6);
	spx_frame_put16(arp, 1);          /* Ethernet */
	spx_frame_put16(arp + 2, 0x0800); /* IPv4 */
	arp[4] = 6;
	arp[5] = 4;
	spx_frame_put16(arp + 6, reply ? 2 : 1);
	memcpy(arp + 8, frame->bytes + 6, 6);
	spx_frame_put32(arp + 14, sender);
	if (reply)
		memcpy(arp + 18, frame->bytes, 6);
	spx_frame_put32(arp + 24, target);
	end(frame, ARP, 0);
}
