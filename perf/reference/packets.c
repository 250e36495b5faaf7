/* Makes and refreshes the benchmarks' packets; packets.h says why they are refreshed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "perf/reference/packets.h"

#define FLOW_OFFSET (sizeof(struct rte_ether_hdr) + offsetof(struct rte_ipv4_hdr, time_to_live))
#define TTL         64
#define PORT_BASE   1024 /* ports at random from here up */

/* The part of the header that is the same for all flows. */
static void
fill_ip(struct rte_ipv4_hdr *ip)
{
	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(PACKETS_FRAME - sizeof(struct rte_ether_hdr));
}

static void
random_flow(uint64_t *random, struct packets_flow *flow)
{
	struct {
		struct rte_ipv4_hdr ip;
		uint8_t ports[4];
	} header;
	uint64_t addresses = spx_random(random), ports = spx_random(random);
	uint16_t sport = rte_cpu_to_be_16((uint16_t)(PORT_BASE + (ports & 0x7fff)));
	uint16_t dport = rte_cpu_to_be_16((uint16_t)(PORT_BASE + (ports >> 16 & 0x7fff)));

	fill_ip(&header.ip);
	header.ip.time_to_live = TTL;
	header.ip.next_proto_id = IPPROTO_UDP;
	memcpy(&header.ip.src_addr, &addresses, sizeof(addresses)); /* and dst_addr, which follows */
	header.ip.hdr_checksum = rte_ipv4_cksum(&header.ip);
	memcpy(header.ports, &sport, sizeof(sport));
	memcpy(header.ports + sizeof(sport), &dport, sizeof(dport));
	memcpy(flow, &header.ip.time_to_live, sizeof(*flow));
}

int
packets_flows_create(uint32_t n, uint64_t seed, struct packets_flows *flows)
{
	flows->flow = aligned_alloc(
		RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(n * sizeof(*flows->flow), RTE_CACHE_LINE_SIZE));
	if (flows->flow == NULL)
		return -ENOMEM;
	flows->n = n;
	for (uint32_t i = 0; i < n; i++)
		random_flow(&seed, &flows->flow[i]);
	return 0;
}

void
packets_flows_free(struct packets_flows *flows)
{
	free(flows->flow);
	*flows = (struct packets_flows){0};
}

void
packets_build(struct rte_mbuf *m, const struct packets_flow *flow)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_ether_hdr *ethernet = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ethernet + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	m->data_len = PACKETS_FRAME;
	m->pkt_len = PACKETS_FRAME;
	memset(frame, 0, PACKETS_FRAME);
	memset(&ethernet->dst_addr, 0x02, sizeof(ethernet->dst_addr));
	memset(&ethernet->src_addr, 0x06, sizeof(ethernet->src_addr));
	ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	fill_ip(ip);
	udp->dgram_len = rte_cpu_to_be_16(PACKETS_FRAME - sizeof(*ethernet) - sizeof(*ip));
	memcpy(frame + FLOW_OFFSET, flow, sizeof(*flow));
}

void
packets_refresh(const struct packets_flows *flows, uint32_t *next, struct rte_mbuf *const pkt[], unsigned n)
{
	uint32_t flow = *next;

	for (unsigned i = 0; i < n; i++) {
		memcpy(rte_pktmbuf_mtod_offset(pkt[i], void *, FLOW_OFFSET), &flows->flow[flow],
			sizeof(struct packets_flow));
		flow = flow + 1 == flows->n ? 0 : flow + 1;
	}
	*next = flow;
}

int
packets_alloc(
	const struct packets_flows *flows, struct rte_mempool *pool, struct rte_mbuf *pkt[], unsigned count)
{
	if (rte_pktmbuf_alloc_bulk(pool, pkt, count) != 0)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		packets_build(pkt[i], &flows->flow[i % flows->n]);
	return 0;
}
