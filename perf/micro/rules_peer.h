/* rte_acl called directly, as a DPDK application does that needs IPv4 5-tuples only: the peer of the rules
 * benchmarks. */
#ifndef SPX_PERF_RULES_PEER_H
#define SPX_PERF_RULES_PEER_H

#include <rte_acl.h>

#include "perf/micro/rules_data.h"

struct rules_peer {
	struct rte_acl_ctx *acl;
	const char *variant; /* the fastest of the machine on this set, found by trial; static */
};

/* Compiles the rules of data and tries the variants on its headers. 0 or a negative errno. */
int rules_peer_build(const struct rules_data *data, struct rules_peer *peer, struct spx_error *err);
void rules_peer_free(struct rules_peer *peer);

/* answer[i] = 1 + index of the first rule that matches, 0 = none. */
static inline void
rules_peer_lookup(
	const struct rules_peer *peer, const struct spx_key4 *const key[], uint32_t answer[], unsigned n)
{
	rte_acl_classify(peer->acl, (const uint8_t **)(uintptr_t)key, answer, n, 1);
}

#endif
