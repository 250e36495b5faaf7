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

/* The part of the header that is the same for all flows. */
static void
fill_ip(struct rte_ipv4_hdr *ip)
{
	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(PACKETS_FRAME - sizeof(struct rte_ether_hdr));
}

/* Between addresses that a router forwards: 1.0.0.0 to 126.255.255.255. */
static void
draw_any(void *arg, uint64_t *random, struct spx_key4 *key)
{
	uint64_t words[2] = {spx_random(random), spx_random(random)};

	(void)arg;
	memcpy(key, words, sizeof(*key));
	key->sip[0] = (uint8_t)(1 + key->sip[0] % 126);
	key->dip[0] = (uint8_t)(1 + key->dip[0] % 126);
}

static void
draw_flow(packets_draw draw, void *arg, uint64_t *random, struct packets_flow *flow)
{
	struct spx_key4 key;
	struct rte_ipv4_hdr ip;

	draw(arg, random, &key);
	fill_ip(&ip);
	ip.time_to_live = TTL;
	ip.next_proto_id = IPPROTO_UDP;
	memcpy(&ip.src_addr, key.sip, sizeof(key.sip));
	memcpy(&ip.dst_addr, key.dip, sizeof(key.dip));
	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(flow, &ip.time_to_live, offsetof(struct packets_flow, sport));
	memcpy(flow->sport, key.sport, sizeof(key.sport));
	memcpy(flow->dport, key.dport, sizeof(key.dport));
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct packets_flow));
}

/* Replaces flows that occur twice by random ones. Returns how many. */
static uint32_t
replace_doubles(struct packets_flows *flows, uint64_t *random)
{
	uint32_t doubles = 0;

	qsort(flows->flow, flows->n, sizeof(*flows->flow), by_bytes);
	for (uint32_t i = 1; i < flows->n; i++) {
		if (by_bytes(&flows->flow[i - 1], &flows->flow[i]) == 0) {
			draw_flow(draw_any, NULL, random, &flows->flow[i - 1]);
			doubles++;
		}
	}
	return doubles;
}

/* Fisher and Yates. */
static void
shuffle(struct packets_flows *flows, uint64_t *random)
{
	for (uint32_t left = flows->n; left > 1; left--) {
		uint32_t k = (uint32_t)(spx_random(random) % left);
		struct packets_flow other = flows->flow[k];

		flows->flow[k] = flows->flow[left - 1];
		flows->flow[left - 1] = other;
	}
}

int
packets_flows_create(uint32_t n, uint64_t seed, packets_draw draw, void *arg, struct packets_flows *flows)
{
	size_t bytes = RTE_ALIGN_CEIL(n * sizeof(*flows->flow), RTE_CACHE_LINE_SIZE);

	flows->flow = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
	if (flows->flow == NULL)
		return -ENOMEM;
	flows->n = n;
	for (uint32_t i = 0; i < n; i++)
		draw_flow(draw == NULL ? draw_any : draw, arg, &seed, &flows->flow[i]);
	while (replace_doubles(flows, &seed) > 0)
		;
	shuffle(flows, &seed);
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
	memset(&ethernet->dst_addr, PACKETS_ROUTER, sizeof(ethernet->dst_addr));
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

void
packets_to_router(struct rte_mbuf *const pkt[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memset(rte_pktmbuf_mtod(pkt[i], void *), PACKETS_ROUTER, RTE_ETHER_ADDR_LEN);
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
