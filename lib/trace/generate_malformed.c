/* Malformed frames of the trace generator: right ones with one or two fields overwritten, or cut.
 *
 * Each kind breaks one check of the parse stage that holds without verifying checksums; the IPv4 header
 * checksum is made right again, so that nothing but the fault named here is wrong.
 */
#include <string.h>

#include "lib/trace/generate.h"

#define L3  14u        /* offset of the IP or ARP header */
#define L4  (L3 + 20u) /* behind IPv4 */
#define L46 (L3 + 40u) /* behind IPv6 */

enum base { UDP4, TCP4, UDP6, ARP };

/* Bytes to overwrite: width 0 = none. */
struct patch {
	uint8_t at, width;
	uint16_t value;
};

struct kind {
	uint8_t base; /* enum base */
	uint8_t cut;  /* bytes on the wire, 0 = as built */
	struct patch patch[2];
};

static const struct kind kinds[] = {
	{UDP4, 10, {{0}}},                                /* ends inside the Ethernet header */
	{UDP4, 16, {{12, 2, 0x8100}}},                    /* ends inside the VLAN tag */
	{ARP, L3 + 20, {{0}}},                            /* ends inside the ARP message */
	{ARP, 0, {{L3, 2, 6}}},                           /* ARP hardware type not Ethernet */
	{UDP4, L3 + 12, {{0}}},                           /* ends inside the IPv4 header */
	{UDP4, 0, {{L3, 1, 0x55}}},                       /* IPv4 version 5 */
	{UDP4, 0, {{L3, 1, 0x44}}},                       /* IPv4 header of 16 bytes */
	{UDP4, 0, {{L3, 1, 0x4f}}},                       /* IPv4 header beyond the frame */
	{UDP4, 0, {{L3 + 2, 2, 10}}},                     /* total length below the header */
	{UDP4, 0, {{L3 + 2, 2, 1400}}},                   /* total length beyond the frame */
	{UDP4, 0, {{L3 + 6, 2, 0x1fff}}},                 /* fragment beyond 65535 bytes */
	{UDP6, L3 + 24, {{0}}},                           /* ends inside the IPv6 header */
	{UDP6, 0, {{L3, 1, 0x40}}},                       /* IPv6 version 4 */
	{UDP6, 0, {{L3 + 4, 2, 1400}}},                   /* IPv6 payload beyond the frame */
	{UDP6, 0, {{L3 + 6, 1, 0}, {L46, 2, 0x11ff}}},    /* hop-by-hop header beyond the packet */
	{TCP4, 0, {{L3 + 2, 2, 20 + 12}}},                /* packet ends inside the TCP header */
	{TCP4, 0, {{L4 + 12, 1, 0x30}}},                  /* TCP header of 12 bytes */
	{TCP4, 0, {{L4 + 12, 1, 0xf0}}},                  /* TCP header beyond the packet */
	{UDP4, 0, {{L3 + 2, 2, 20 + 4}}},                 /* packet ends inside the UDP header */
	{UDP4, 0, {{L4 + 4, 2, 4}}},                      /* UDP length below its header */
	{UDP4, 0, {{L4 + 4, 2, 1000}}},                   /* UDP length beyond the packet */
	{UDP4, 0, {{L3 + 9, 1, 1}, {L3 + 2, 2, 20 + 2}}}, /* packet ends inside the ICMP header */
};

unsigned
spx_malformed_kinds(void)
{
	return RTE_DIM(kinds);
}

static void
build(struct spx_generate_frame *frame, enum base base, uint64_t *random)
{
	const struct spx_generate_ends ends = {
		.source = SPX_GENERATE_CLIENTS + (uint32_t)spx_random_below(random, 1u << 24),
		.destination = SPX_GENERATE_WEB_SERVERS + (uint32_t)spx_random_below(random, 1u << 12),
		.sport = (uint16_t)(1024 + spx_random_below(random, 60000)),
		.dport = base == TCP4 ? 80 : 53,
		.ttl = 60,
		.ipv6 = base == UDP6,
		.outward = true,
	};

	if (base == ARP)
		spx_frame_arp(frame, ends.source, ends.destination, false);
	else if (base == TCP4)
		spx_frame_tcp(frame, &ends, SPX_TCP_ACK, (uint32_t)spx_random(random), 0, 0);
	else
		spx_frame_udp(frame, &ends, 18);
}

void
spx_frame_malformed(struct spx_generate_frame *frame, unsigned kind, uint64_t *random)
{
	const struct kind *k = &kinds[kind];

	build(frame, k->base, random);
	for (unsigned i = 0; i < RTE_DIM(k->patch); i++) {
		const struct patch *patch = &k->patch[i];

		if (patch->width == 1)
			frame->bytes[patch->at] = (uint8_t)patch->value;
		else if (patch->width == 2)
			spx_frame_put16(frame->bytes + patch->at, patch->value);
	}
	if (k->base == UDP4 || k->base == TCP4)
		spx_frame_checksum4(frame->bytes + L3);
	if (k->cut != 0)
		frame->length = k->cut;
}
