/* The reference loop's parse: the checks that l3fwd makes, a key, its CRC. */
#include <string.h>

#include <rte_ether.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

#include "perf/reference/reference.h"

#define AHEAD      4 /* packets whose headers are fetched before they are read */
#define PORTS_SIZE 4

/* The 16 bytes of the key as two words in memory order, and the first word's bytes that count: all but TTL
 * and checksum. */
union words {
	struct reference_key key;
	uint64_t word[2];
};
static const union words mask = {.key = {.proto = 0xff, .sip = {0xff, 0xff, 0xff, 0xff}}};

/* Plain IPv4 without options, not a fragment, UDP or TCP, complete. */
static inline bool
has_key(const struct rte_mbuf *m, const struct rte_ether_hdr *ethernet, const struct rte_ipv4_hdr *ip)
{
	unsigned length = rte_pktmbuf_data_len(m);

	return length >= sizeof(*ethernet) + sizeof(*ip) + PORTS_SIZE &&
	       ethernet->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) && ip->version_ihl == RTE_IPV4_VHL_DEF &&
	       rte_be_to_cpu_16(ip->total_length) <= length - sizeof(*ethernet) &&
	       (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) == 0 &&
	       (ip->next_proto_id == IPPROTO_UDP || ip->next_proto_id == IPPROTO_TCP);
}

static inline bool
parse_one(const struct rte_mbuf *m, struct reference_key *key, hash_sig_t *hash)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(ethernet + 1);
	union words k;

	if (unlikely(!has_key(m, ethernet, ip)))
		return false;
	memcpy(&k, &ip->time_to_live, sizeof(k));
	k.word[0] &= mask.word[0];
	*key = k.key;
	*hash = rte_hash_crc_8byte(k.word[1], rte_hash_crc_8byte(k.word[0], 0)); /* rte_hash_crc of the key */
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
		good |= (uint64_t)parse_one(pkt[i], &key[i], &hash[i]) << i;
	}
	return good;
}

struct reference_key
reference_key_of(const struct packets_flow *flow)
{
	struct reference_key key = {.proto = flow->proto};

	memcpy(key.sip, flow->sip, sizeof(key) - offsetof(struct reference_key, sip));
	return key;
}
