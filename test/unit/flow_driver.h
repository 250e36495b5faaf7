/* Drives a flow cache as the lookup stage does, over a universe of flows whose hashes collide as the test
 * wants, with a rule function that changes with the generation.
 */
#ifndef SPX_TEST_FLOW_DRIVER_H
#define SPX_TEST_FLOW_DRIVER_H

#include "lib/flow/flow.h"

struct driver {
	struct spx_flow_cache *cache;
	uint32_t n_actions;
	uint64_t collide; /* flows whose number is equal modulo this have equal hashes; 0 = all different */
	uint64_t random, generation;
	bool remembers; /* memos of flows too; wrong ones count as wrong answers */
	uint32_t now_ms;

	/* the burst in hand */
	unsigned n;
	uint64_t asked;
	uint32_t flow[SPX_BURST_MAX], action[SPX_BURST_MAX], bytes[SPX_BURST_MAX];
	uint64_t memo[SPX_BURST_MAX];
	uint64_t hash[SPX_BURST_MAX];
	struct spx_key4 key4[SPX_BURST_MAX];
	struct spx_key6 key6[SPX_BURST_MAX];

	/* so far */
	uint64_t packets, asked_flows, wrong, recalled;
	uint64_t ended_flows[SPX_FLOW_END_COUNT], ended_packets, ended_bytes;
};

/* Creates the cache with the driver as the receiver of ended flows, generation 1. */
void driver_init(struct driver *d, struct spx_flow_options *options);
void driver_free(struct driver *d);

void driver_key4(uint32_t flow, struct spx_key4 *key);
void driver_key6(uint32_t flow, struct spx_key6 *key);
uint64_t driver_hash(const struct driver *d, uint32_t flow);

/* What the rules say of an IPv4 flow in the driver's generation; an IPv6 flow gets the next action. */
uint32_t driver_rule(const struct driver *d, uint32_t flow);

/* Flow of the next packet of the burst. */
void driver_add(struct driver *d, uint32_t flow);

/* Looks the burst up as one family, answers what is asked, learns; counts wrong answers; empties the burst.
 * Returns the set that was asked. */
uint64_t driver_burst(struct driver *d, enum spx_flow_family family, uint64_t syn);

/* Looks the burst up as the lookup stage does with packets of both families: the members of ipv4, then those
 * of ipv6, each with rules and learning; the others have no flow. Counts wrong answers, among them whatever
 * was written for the others; empties the burst. */
void driver_mixed_burst(struct driver *d, uint64_t ipv4, uint64_t ipv6);

/* A burst of one packet. True when the rules were asked. */
bool driver_packet(struct driver *d, enum spx_flow_family family, uint32_t flow);

/* The same lookup without learning: the set that would have to ask. */
uint64_t driver_lookup(struct driver *d, enum spx_flow_family family, uint64_t syn);

/* Packets counted = packets of ended and of resident flows; so are inserted flows. After a flush: all ended.
 */
void driver_check_sums(struct driver *d);

#endif
