/* The inside of the trace generator: generate_plan.c decides who sends how much, generate.c plays the plan
 * into a file, generate_flow.c says what each source sends next, generate_frame.c builds frames,
 * generate_malformed.c breaks them. Nobody else includes it but tests.
 */
#ifndef SPX_TRACE_GENERATE_H
#define SPX_TRACE_GENERATE_H

#include "lib/trace/trace.h"

/* Addresses are of ranges set aside for benchmarks (RFC 2544: 198.18.0.0/15), documentation (RFC 5737:
 * 203.0.113.0/24; RFC 3849: 2001:db8::/32) and private networks (RFC 1918: 10.0.0.0/8). */
#define SPX_GENERATE_CLIENTS      0x0a000000u /* 10.0.0.0/8 */
#define SPX_GENERATE_WEB_SERVERS  0xc6120000u /* 198.18.0.0 */
#define SPX_GENERATE_GAME_SERVERS 0xc6128000u /* 198.18.128.0 */
#define SPX_GENERATE_SCANNER      0xcb007142u /* 203.0.113.66 */
#define SPX_GENERATE_SCANNED      0xc6130000u /* 198.19.0.0/17 */
#define SPX_GENERATE_VICTIM       0xc613ff50u /* 198.19.255.80: the host under the flood */

/* ---- generate_frame.c ------------------------------------------------------------------------------ */

#define SPX_FRAME_ROOM   1536u
#define SPX_FRAME_MIN    60u   /* Ethernet's 64 without the frame check sequence */
#define SPX_PAYLOAD_FULL 1440u /* bytes of TCP payload that fit 1500 bytes of IPv6, and so of IPv4 */

/* A frame under construction. Its payload is zeros: what the snap length cuts off, a reader that fills with
 * zeros restores, checksums included. */
struct spx_generate_frame {
	uint8_t bytes[SPX_FRAME_ROOM]; /* zero from `headers` on */
	uint32_t headers;              /* bytes of all headers */
	uint32_t length;               /* bytes on the wire */
};

/* Between whom a packet goes. IPv6 addresses are 2001:db8:: with the IPv4 address in the last 32 bits. */
struct spx_generate_ends {
	uint32_t source, destination;
	uint16_t sport, dport;
	uint16_t vlan; /* 0 = untagged */
	uint8_t ttl;
	bool ipv6;
	bool outward; /* client side to server side: chooses the MAC addresses */
};

enum { SPX_TCP_FIN = 1, SPX_TCP_SYN = 2, SPX_TCP_PSH = 8, SPX_TCP_ACK = 16 };

/* Each replaces the frame by a whole new one, payload in bytes of zeros, padded to Ethernet's minimum. */
void spx_frame_udp(struct spx_generate_frame *frame, const struct spx_generate_ends *ends, uint32_t payload);
void spx_frame_tcp(struct spx_generate_frame *frame, const struct spx_generate_ends *ends, uint8_t flags,
	uint32_t sequence, uint32_t acknowledgment, uint32_t payload);
void spx_frame_arp(struct spx_generate_frame *frame, uint32_t sender, uint32_t target, bool reply);

/* Makes the checksum of the 20-byte IPv4 header at ip right again. */
void spx_frame_checksum4(uint8_t *ip);

/* Network order. */
void spx_frame_put16(uint8_t *p, uint16_t v);
void spx_frame_put32(uint8_t *p, uint32_t v);

/* ---- generate_malformed.c -------------------------------------------------------------------------- */

/* Ways a frame can be malformed. */
unsigned spx_malformed_kinds(void);

/* Replaces the frame by one malformed in the way kind = 0...spx_malformed_kinds()-1. */
void spx_frame_malformed(struct spx_generate_frame *frame, unsigned kind, uint64_t *random);

/* ---- generate_flow.c ------------------------------------------------------------------------------- */

enum spx_source_kind {
	SPX_SOURCE_WEB,
	SPX_SOURCE_GAME,
	SPX_SOURCE_SCAN,
	SPX_SOURCE_FLOOD,
	SPX_SOURCE_MALFORMED,
	SPX_SOURCE_ARP,
};

/* Whatever sends packets: a web or game flow (both directions), or one of the other four. */
struct spx_source {
	uint64_t pause; /* ns: web: round trip; others: mean gap between packets */
	uint32_t left;  /* packets still to send */
	uint32_t sent;
	uint32_t client, server; /* addresses */
	uint32_t sequence[2];    /* TCP, next byte of client and server */
	uint16_t client_port, server_port;
	uint16_t vlan;
	uint8_t kind; /* enum spx_source_kind */
	uint8_t ttl;
	bool ipv6;
};

/* Gives flow number `id` of `flows` its ends, a share of them IPv6 and VLAN. kind, left and pause stay. */
void spx_source_address(struct spx_source *source, uint32_t id, uint32_t flows, uint64_t *random);

/* Builds the source's next packet and returns the nanoseconds until the one after. */
uint64_t spx_source_send(struct spx_source *source, struct spx_generate_frame *frame, uint64_t *random);

/* ---- generate_plan.c ------------------------------------------------------------------------------- */

struct spx_generate_plan {
	struct spx_source *source; /* owned: web and game flows first, then the others */
	uint64_t *begin;           /* owned: ns from the start of the trace to the source's first packet */
	uint32_t n;
	uint64_t span; /* ns that the trace lasts, about */
};

/* Checks the parameters and makes the plan. 0, or -EINVAL naming the parameter, or -ENOMEM. */
int spx_generate_plan(const struct spx_generate *g, struct spx_generate_plan *plan, uint64_t *random,
	struct spx_error *err);

void spx_generate_plan_free(struct spx_generate_plan *plan);

/* Uniform in 0...n-1, n > 0. */
static inline uint64_t
spx_random_below(uint64_t *random, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)spx_random(random) * n) >> 64);
}

#endif
