/* The reference loop: what a competent DPDK forwarder of flows does, and nothing else. It is the peer of the
 * whole way (perf/end_to_end) and, in parts, of the micro benchmarks.
 *
 * One turn: a burst of 32 from a port; Ethernet, IPv4, UDP or TCP → 16-byte key and its CRC; rte_hash bulk
 * look-up; packets and bytes counted per flow; MAC addresses written, TTL decremented with its checksum
 * (RFC 1624); the burst goes out by the same port. What it does not forward it frees and counts. Given rules,
 * it asks rte_acl about flows that are not in the table and enters them, for which the oldest make way.
 * Given routes, it looks the destinations up in rte_fib, in bulk, and takes the MAC addresses from an array
 * of next hops (route.c).
 *
 * It does what DPDK's own l3fwd does in its exact-match mode plus the counters, and uses only DPDK: nothing
 * of lib/ but the types of base.h and rules.h.
 */
#ifndef SPX_PERF_REFERENCE_H
#define SPX_PERF_REFERENCE_H

#include "perf/reference/acl.h"
#include "perf/reference/packets.h"
#include "perf/reference/route.h"
#include "perf/reference/table.h"

#define REFERENCE_BURST 32u

struct reference_options {
	const struct packets_flows *flows; /* that its packets are of; shared, outlives the loop */
	uint64_t capacity;                 /* entries of the table */
	uint16_t port;                     /* of reference_port, loaded with packets */

	/* NULL: every flow is resident, and what belongs to another is dropped. Else only the first
	 * `resident` flows are, a flow that is not is looked up in these rules, whose every rule says
	 * forward, and takes the oldest flow's place; the packets begin with the flow after those. Used at
	 * the creation only. */
	const struct spx_rule_list *rules;
	uint32_t resident;

	/* NULL: all packets go to one next hop. Not together with rules. Used at the creation only. */
	const struct reference_route *routes;
	uint32_t n_routes;
};

struct reference_counters {
	uint64_t received, transmitted, dropped;
	uint64_t missed; /* of received: its flow was not resident */
};

struct reference;

/* Creates the table and makes flows resident. 0 or a negative errno with a message. */
int reference_create(const struct reference_options *options, struct reference **out, struct spx_error *err);
void reference_free(struct reference *r);

/* One burst, its packets refreshed first. Returns the number of packets received. */
unsigned reference_turn(struct reference *r);

const struct reference_counters *reference_counters(const struct reference *r);
/* Packets over all flows' counters, flows that are resident no more included. */
uint64_t reference_counted(const struct reference *r);
/* The next hop to an address, network order; 0 = none. */
uint64_t reference_next_hop_to(const struct reference *r, const uint8_t dip[4]);
/* Bytes of the table for each resident flow. */
double reference_bytes_per_flow(const struct reference *r);
/* The variant of rte_acl in use; NULL without rules. */
const char *reference_acl_variant(const struct reference *r);

/* Its first part alone: key[i] and hash[i] of packet i, n up to 64. Returns the set of packets that have
 * one. */
uint64_t
reference_parse(struct rte_mbuf *const pkt[], unsigned n, struct reference_key key[], hash_sig_t hash[]);

/* The key of the flow's packets. */
struct reference_key reference_key_of(const struct packets_flow *flow);

/* ---- the port -------------------------------------------------------------------------------------- */

/* A self-looped net_ring port: what is sent by queue 0 is received from it. The device's name is the port's
 * and begins with net_ring and has at most 17 letters. 0 or a negative errno with a message. */
struct reference_port {
	uint16_t id;
	struct rte_mempool *pool;
};
int reference_port_open(const char *name, struct reference_port *port, struct spx_error *err);
void reference_port_close(struct reference_port *port);

/* A pool for PACKETS_MBUFS packets with private areas of that many bytes, NULL for want of memory. */
struct rte_mempool *reference_pool(const char *name, uint16_t private_bytes);

/* Puts PACKETS_MBUFS packets on their way in a port; takes what is on its way out again. */
int reference_port_load(
	uint16_t id, struct rte_mempool *pool, const struct packets_flows *flows, struct spx_error *err);
void reference_port_drain(uint16_t id);

#endif
