/* The reference loop: what a competent DPDK forwarder of flows does, and nothing else. It is the peer of the
 * whole way (perf/end_to_end) and, in parts, of the micro benchmarks.
 *
 * One turn: a burst of 32 from a port; Ethernet, IPv4, UDP or TCP → 16-byte key and its CRC; rte_hash bulk
 * look-up; packets and bytes counted per flow; MAC addresses written, TTL decremented with its checksum
 * (RFC 1624); the burst goes out by the same port. What it does not forward it frees and counts.
 *
 * It does what DPDK's own l3fwd does in its exact-match mode plus the counters, and uses only DPDK: nothing
 * of lib/ but the types of base.h.
 */
#ifndef SPX_PERF_REFERENCE_H
#define SPX_PERF_REFERENCE_H

#include <rte_hash.h>

#include "perf/reference/packets.h"

#define REFERENCE_BURST 32u

/* Network order, as in the packet. */
struct reference_key {
	uint8_t sip[4], dip[4];
	uint8_t sport[2], dport[2];
	uint8_t proto;
	uint8_t zero[3];
};
static_assert(sizeof(struct reference_key) == 16, "rte_hash compares 16 bytes at once");

struct reference_options {
	const struct packets_flows *flows; /* resident flows: all of them; shared, outlives the loop */
	uint64_t capacity;                 /* entries of the table */
	uint16_t port;                     /* of reference_port, loaded with packets */
};

struct reference_counters {
	uint64_t received, transmitted, dropped;
};

struct reference;

/* Creates the table and makes every flow resident. 0 or a negative errno with a message. */
int reference_create(const struct reference_options *options, struct reference **out, struct spx_error *err);
void reference_free(struct reference *r);

/* One burst, its packets refreshed first. Returns the number of packets received. */
unsigned reference_turn(struct reference *r);

const struct reference_counters *reference_counters(const struct reference *r);
/* Packets over all flows' counters. */
uint64_t reference_counted(const struct reference *r);
/* Bytes of table and counters for each resident flow. */
double reference_bytes_per_flow(const struct reference *r);

/* Its first part alone: key[i] and hash[i] of packet i, n up to 64. Returns the set of packets that have
 * one. */
uint64_t
reference_parse(struct rte_mbuf *const pkt[], unsigned n, struct reference_key key[], hash_sig_t hash[]);

/* A self-looped net_ring port of that name: what is sent by queue 0 is received from it. PACKETS_MBUFS
 * packets from a pool of its own, with private areas of `private` bytes, are on their way in it. 0 or a
 * negative errno with a message. */
struct reference_port {
	uint16_t id;
	struct rte_mempool *pool;
};
int reference_port_open(const char *name, unsigned private, const struct packets_flows *flows,
	struct reference_port *port, struct spx_error *err);
void reference_port_close(struct reference_port *port);

#endif
