/* Edits of headers in place, checksums kept right. */
#include <string.h>

#include "lib/net/net.h"

#define IPV4_TTL      8
#define IPV4_CHECKSUM 10
#define IPV6_HOPS     7

bool
spx_net_dec_ttl4(uint8_t *ip)
{
	uint32_t sum;

	if (ip[IPV4_TTL] <= 1)
		return false;
	ip[IPV4_TTL]--;
	/* RFC 1624: HC' = ~(~HC + ~m + m'); the word TTL|protocol fell by 0x0100, so the checksum rises by
	 * it, with the carry coming round. The carry comes from 0xffff too: the sum of a header is never 0,
	 * so a computed checksum is 0x0000 there. */
	sum = (uint32_t)(ip[IPV4_CHECKSUM] << 8 | ip[IPV4_CHECKSUM + 1]) + 0x0100;
	sum += sum >= 0xffff;
	ip[IPV4_CHECKSUM] = (uint8_t)(sum >> 8);
	ip[IPV4_CHECKSUM + 1] = (uint8_t)sum;
	return true;
}

bool
spx_net_dec_ttl6(uint8_t *ip)
{
	if (ip[IPV6_HOPS] <= 1)
		return false;
	ip[IPV6_HOPS]--;
	return true;
}

uint16_t
spx_net_sum4(const uint8_t *ip, unsigned words)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < words; i++) {
		uint32_t word;

		memcpy(&word, ip + i * sizeof(word), sizeof(word));
		sum += word;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}
