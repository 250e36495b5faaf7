/* Repeats within a burst: which packets belong to a flow that another packet before them belongs to.
 *
 * Only the packets that no cache answered are looked at, so that each of their flows asks the rules once. An
 * open-addressed table of twice the burst, by the flow hash, on the stack.
 */
#ifndef SPX_FLOW_REPEATS_H
#define SPX_FLOW_REPEATS_H

#include <string.h>

#include "lib/base/base.h"

#define SPX_FLOW_REPEAT_SLOTS (2 * SPX_BURST_MAX)

struct spx_flow_repeats {
	uint64_t set;                    /* members that repeat the flow of an earlier one */
	uint8_t first[SPX_BURST_MAX];    /* of each of those: that earlier one */
	uint32_t packets[SPX_BURST_MAX]; /* of each other: packets of its flow, with its own */
	uint32_t bytes[SPX_BURST_MAX];   /* and their bytes */
};

/* Fills r for the members of `set`, whose keys of `size` bytes lie one after the other at `key`. Returns the
 * members that repeat none. */
static inline uint64_t
spx_flow_repeats_find(struct spx_flow_repeats *r, const void *key, size_t size, const uint64_t hash[],
	const uint32_t bytes[], uint64_t set)
{
	uint8_t slot[SPX_FLOW_REPEAT_SLOTS]; /* 1 + index of a member, 0 = free */
	unsigned i;

	r->set = 0;
	if (set == 0)
		return 0;
	memset(slot, 0, sizeof(slot));
	SPX_FOREACH (i, set) {
		const uint8_t *mine = (const uint8_t *)key + i * size;
		unsigned s = (unsigned)(hash[i] >> 32) % SPX_FLOW_REPEAT_SLOTS, k;

		for (; slot[s] != 0; s = (s + 1) % SPX_FLOW_REPEAT_SLOTS) {
			k = slot[s] - 1u;
			if (hash[k] == hash[i] && memcmp((const uint8_t *)key + k * size, mine, size) == 0)
				break;
		}
		if (slot[s] == 0) {
			slot[s] = (uint8_t)(i + 1);
			r->packets[i] = 1;
			r->bytes[i] = bytes[i];
		} else {
			r->set |= spx_set_one(i);
			r->first[i] = (uint8_t)k;
			r->packets[k]++;
			r->bytes[k] += bytes[i];
		}
	}
	return set & ~r->set;
}

#endif
