/* The reference loop's routes: an rte_fib and an array of next hops. */
#ifndef SPX_PERF_ROUTE_H
#define SPX_PERF_ROUTE_H

#include <rte_ether.h>
#include <rte_fib.h>
#include <rte_ip.h>

#include "perf/reference/table.h"

#define REFERENCE_NEXT_HOPS 64u /* their numbers: 1...64; 0 = no route */

struct reference_route {
	uint32_t ip; /* host order, bits beyond the prefix zero */
	uint8_t length, next_hop;
};

/* The MAC addresses of a frame on its way to it, as they lie there. */
struct reference_next_hop {
	struct rte_ether_addr dst, src;
};

struct reference_routes {
	struct rte_fib *fib;
	struct reference_next_hop hop[REFERENCE_NEXT_HOPS + 1];
};

/* The MAC address of a next hop; ours has the same. */
static inline struct rte_ether_addr
reference_next_hop_mac(unsigned next_hop)
{
	return (struct rte_ether_addr){{6, 6, 6, 6, 6, (uint8_t)next_hop}};
}

/* Every prefix once. 0 or a negative errno. */
int reference_routes_create(
	struct reference_routes *r, const struct reference_route route[], uint32_t n, struct spx_error *err);
void reference_routes_free(struct reference_routes *r);

/* next_hop[i] = number of the next hop to key[i]'s destination; n up to REFERENCE_BURST. */
void reference_routes_lookup(
	const struct reference_routes *r, const struct reference_key key[], unsigned n, uint64_t next_hop[]);

/* The frame on its way to it: MAC addresses, TTL and checksum (RFC 1624). */
static inline void
reference_rewrite(const struct reference_next_hop *hop, struct rte_mbuf *m)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ethernet + 1);
	uint32_t sum = (uint32_t)ip->hdr_checksum + RTE_BE16(0x0100);

	ethernet->dst_addr = hop->dst;
	ethernet->src_addr = hop->src;
	ip->time_to_live--;
	ip->hdr_checksum = (uint16_t)(sum + (sum >> 16));
}

#endif
