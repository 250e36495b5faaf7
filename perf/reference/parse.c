/* The reference loop's parse: the checks that l3fwd makes, a key, its CRC. */
#include <string.h>

#include <rte_ether.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

#include "perf/reference/reference.h"

#define AHEAD 4 /* packets whose headers are fetched before they are read */

/* True when the packet has a key: plain IPv4 without options, not a fragment, UDP or TCP, complete. */
static inline bool
parse_one(const struct rte_mbuf *m, struct reference_key *key)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(ethernet + 1);
	unsigned room = rte_pktmbuf_data_len(m) - (unsigned)sizeof(*ethernet);

	if (unlikely(rte_pktmbuf_data_len(m) < sizeof(*ethernet) + sizeof(*ip) + sizeof(uint32_t) ||
		     ethernet->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
		     ip->version_ihl != RTE_IPV4_VHL_DEF || rte_be_to_cpu_16(ip->total_length) > room ||
		     (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0 ||
		     (ip->next_proto_id != IPPROTO_UDP && ip->next_proto_id != IPPROTO_TCP)))
		return false;
	memcpy(key->sip, &ip->src_addr, sizeof(key->sip) + sizeof(key->dip) + sizeof(uint32_t));
	memset(&key->proto, 0, sizeof(uint32_t));
	key->proto = ip->next_proto_id;
	return true;
}

uint64_t
reference_parse(struct rte_mbuf *const pkt[], unsigned n, struct reference_key key[], hash_sig_t hash[])
{
	uint64_t good = 0;

	for (unsigned i = 0; i < n && i < AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkt[i], void *));
	for (unsigned i = 0; i < n; i++) {
		if (i + AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkt[i + AHEAD], void *));
		if (likely(parse_one(pkt[i], &key[i]))) {
			hash[i] = rte_hash_crc(&key[i], sizeof(key[i]), 0);
			good |= spx_set_one(i);
		}
	}
	return good;
}
