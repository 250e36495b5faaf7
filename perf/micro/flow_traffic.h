/* Packets for benchmarks of the flow caches: a key, a hash and 60 bytes each, nothing else of a packet.
 *
 * A flow is a number, its key and hash are mixed from that: a flow costs no memory, and those that never come
 * back (strangers) never run out. The order of the flows is drawn beforehand.
 */
#ifndef SPX_PERF_FLOW_TRAFFIC_H
#define SPX_PERF_FLOW_TRAFFIC_H

#include "perf/bench.h"

#define FLOW_TRAFFIC_BYTES 60u /* of each packet */

enum flow_traffic_kind {
	FLOW_TRAFFIC_HITS,   /* `flows` flows, each as likely */
	FLOW_TRAFFIC_HALF,   /* every other packet, at random, is a stranger's */
	FLOW_TRAFFIC_ATTACK, /* strangers only */
	FLOW_TRAFFIC_ZIPF,   /* 8 x flows flows, the r-th most frequent in proportion to 1 / r */
};

/* Shared by both sides, each of which has a place of its own. */
struct flow_traffic {
	uint32_t *flow; /* of each packet in turn; FLOW_TRAFFIC_STRANGER = one that never was */
};

struct flow_traffic_place {
	uint64_t packet, stranger; /* how many there were */
};

struct flow_traffic_burst {
	struct spx_key4 key[BENCH_BURST];
	uint64_t hash[BENCH_BURST];
};

/* Seeded. 0 or -ENOMEM. Free with flow_traffic_free. */
int
flow_traffic_create(enum flow_traffic_kind kind, uint32_t flows, uint64_t seed, struct flow_traffic *traffic);
void flow_traffic_free(struct flow_traffic *traffic);

/* Packet i of the burst belongs to that flow. */
static inline void
flow_traffic_set(struct flow_traffic_burst *burst, unsigned i, uint64_t flow)
{
	uint64_t word[2];

	word[0] = spx_random(&flow);
	word[1] = word[0] * UINT64_C(0xd6e8feb86659fd93);
	memcpy(&burst->key[i], word, sizeof(word));
	burst->hash[i] = (word[1] ^ word[1] >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The next burst. */
void flow_traffic_next(
	const struct flow_traffic *traffic, struct flow_traffic_place *at, struct flow_traffic_burst *burst);

#endif
