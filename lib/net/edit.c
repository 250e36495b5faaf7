/* Checksums of headers. */
#include <string.h>

#include "lib/net/net.h"

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
