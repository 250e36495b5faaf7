/* The packets that ours and the reference loop are measured with: 64-byte UDP over IPv4 (60 without FCS), of
 * N flows, carried by a fixed number of mbufs that circulate through a self-looped port.
 *
 * A forwarder consumes what it forwards: TTLs fall, and there are fewer mbufs than flows. So before each
 * burst is forwarded, packets_refresh writes the next flows' TTL, checksum, addresses and ports into its
 * packets: one 16-byte store a packet, the same for both sides, and part of both figures.
 */
#ifndef SPX_PERF_PACKETS_H
#define SPX_PERF_PACKETS_H

#include "lib/base/base.h"

#define PACKETS_FRAME 60u  /* bytes without FCS */
#define PACKETS_MBUFS 512u /* in circulation */

#define PACKETS_ROUTER 0x02 /* each byte of the MAC address that packets are for when they are built */

/* Bytes 8...23 of IPv4 header and UDP ports, as they lie in the frame; network order. */
struct packets_flow {
	uint8_t ttl, proto;
	uint8_t checksum[2];
	uint8_t sip[4], dip[4];
	uint8_t sport[2], dport[2];
};
static_assert(sizeof(struct packets_flow) == 16, "one store a packet");

/* Flows in the order in which they come round; read-only once made, so both sides can share them. */
struct packets_flows {
	struct packets_flow *flow;
	uint32_t n;
};

/* Draws a UDP flow: addresses and ports of *key. */
typedef void (*packets_draw)(void *arg, uint64_t *random, struct spx_key4 *key);

/* N different flows in random order, seeded; draw NULL: at random, else by it (a flow that it draws twice is
 * replaced by a random one). Free with packets_flows_free. 0 or -ENOMEM. */
int
packets_flows_create(uint32_t n, uint64_t seed, packets_draw draw, void *arg, struct packets_flows *flows);
void packets_flows_free(struct packets_flows *flows);

/* Writes the whole frame of the flow into an empty mbuf. */
void packets_build(struct rte_mbuf *m, const struct packets_flow *flow);

/* Gives the n packets the next n flows; *next (below flows->n) is the side's own place in the order. */
void
packets_refresh(const struct packets_flows *flows, uint32_t *next, struct rte_mbuf *const pkt[], unsigned n);

/* Puts the MAC address that packets are for back into packets that went to a next hop: a router looks at it.
 */
void packets_to_router(struct rte_mbuf *const pkt[], unsigned n);

/* Builds count mbufs from the pool, with the first flows in turn. 0 or -ENOMEM. */
int packets_alloc(
	const struct packets_flows *flows, struct rte_mempool *pool, struct rte_mbuf *pkt[], unsigned count);

#endif
