/* Headers to flow keys, keys to hashes, and edits of packets.
 *
 * The parse stage calls spx_net_parse on every burst; the replay driver and the benchmarks use the same
 * functions. Nothing here keeps state: the hash secret belongs to the caller.
 */
#ifndef SPX_NET_H
#define SPX_NET_H

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include "lib/base/base.h"

/* ---- hash ------------------------------------------------------------------------------------------ */

/* The flow hash: 64 bits, seeded with a secret, built from 64x64->128-bit multiplications whose halves are
 * folded together. It is not linear over GF(2), so keys that collide under one seed do not collide under
 * another (with a CRC they would), and an attacker who does not know the secret cannot make collisions.
 * Filters, cache sets and path choice derive from it by different mixes. */
struct spx_hash_seed {
	uint64_t word[4];
};

/* Draws a secret from the kernel. Before the workers start; returns 0 or a negative errno. */
int spx_hash_seed_draw(struct spx_hash_seed *seed);

/* Derives a seed from a number: tests, benchmarks and replays that have to repeat. */
void spx_hash_seed_from(struct spx_hash_seed *seed, uint64_t number);

/* The halves of the 128-bit product, folded together. */
static inline uint64_t
spx_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Two words: two multiplications in a row. */
static inline uint64_t
spx_hash_pair(const struct spx_hash_seed *seed, uint64_t a, uint64_t b)
{
	uint64_t h = spx_fold(a ^ seed->word[0], b ^ seed->word[1]);

	return spx_fold(h ^ seed->word[2], seed->word[3]);
}

uint64_t spx_hash4(const struct spx_hash_seed *seed, const struct spx_key4 *key);
uint64_t spx_hash6(const struct spx_hash_seed *seed, const struct spx_key6 *key);

/* ---- parse ----------------------------------------------------------------------------------------- */

struct spx_net_options {
	struct spx_hash_seed seed;
	uint32_t max_frame;   /* bytes without FCS; a longer frame is dropped: oversize */
	bool verify_checksum; /* IPv4 header checksum in software (where the port did not) */

	/* An array of lines4 cache lines that whoever looks plain IPv4 flows up next begins with, each at the
	 * upper 32 bits of its hash as a fraction of the array: parse asks for the line as soon as it knows
	 * the hash. NULL and 0: for none. */
	const void *table4;
	uint64_t lines4;
};

/* Parses every packet of b->alive: fills layout and length, and key4/key6 and hash, puts each index into
 * exactly one of ipv4, ipv6, other; a malformed packet goes to drop with its reason. Reads b->n, in_port,
 * pkt, alive; the other sets need not be initialised. Packets that the port marked RTE_MBUF_F_RX_IP_CKSUM_BAD
 * are dropped as ipv4_checksum either way. */
void spx_net_parse(struct spx_burst *b, const struct spx_net_options *options);

/* The flow hash of a single frame whose first `captured` of `length` bytes are at `bytes`, as spx_net_parse
 * would compute it for a packet from port 0; 0 for what has no key (not IP, malformed, or cut inside its
 * headers). */
uint64_t
spx_net_flow_hash(const uint8_t *bytes, uint32_t captured, uint32_t length, const struct spx_hash_seed *seed);

/* ---- edits ----------------------------------------------------------------------------------------- */

/* Subtracts one from the TTL of the IPv4 header at ip, which is not 0, keeping the checksum right.
 *
 * RFC 1624: HC' = ~(~HC + ~m + m'); the word TTL|protocol falls by 0x0100, so the checksum rises by it, with
 * the carry coming round (sums of 16-bit words do not depend on the byte order). The carry comes from 0xffff
 * too: the sum of a header is never 0, so a computed checksum is 0x0000 there. */
static inline void
spx_net_take_hop4(uint8_t *ip)
{
	uint16_t checksum;
	uint32_t sum;

	ip[8]--;
	memcpy(&checksum, ip + 10, sizeof(checksum));
	sum = checksum + (uint32_t)RTE_BE16(0x0100);
	checksum = (uint16_t)(sum + (sum >= 0xffff));
	memcpy(ip + 10, &checksum, sizeof(checksum));
}

/* The same when it is not known whether a hop is left: false and unchanged when the TTL is 0 or 1. */
static inline bool
spx_net_dec_ttl4(uint8_t *ip)
{
	if (unlikely(ip[8] <= 1))
		return false;
	spx_net_take_hop4(ip);
	return true;
}

/* The same for the hop limit of the IPv6 header at ip. */
static inline bool
spx_net_dec_ttl6(uint8_t *ip)
{
	if (unlikely(ip[7] <= 1))
		return false;
	ip[7]--;
	return true;
}

/* One's complement sum of an IPv4 header of `words` 32-bit words, folded: 0xffff when its checksum is right.
 */
uint16_t spx_net_sum4(const uint8_t *ip, unsigned words);

#endif
