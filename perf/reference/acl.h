/* rte_acl called directly, as a DPDK application does that needs IPv4 5-tuples only: the peer of the rules
 * benchmarks, and the rules behind the reference loop's table. */
#ifndef SPX_PERF_ACL_H
#define SPX_PERF_ACL_H

#include <rte_acl.h>

#include "lib/rules/rules.h"

#define REFERENCE_ACL_BURST 32u /* headers looked up at once, when the variants are tried */

struct reference_acl {
	struct rte_acl_ctx *acl;
	const char *variant; /* the fastest of the machine on this set, found by trial; static */
};

/* Where the fields of a header lie, in bytes from its start, as they lie in the packet. */
struct reference_acl_layout {
	uint32_t proto, sip, dip, sport, dport; /* dport = sport + 2: rte_acl reads groups of four bytes */
};

/* Compiles the IPv4 rules for headers of that layout and tries the variants on n_headers of them (a multiple
 * of REFERENCE_ACL_BURST). 0 or a negative errno. */
int reference_acl_build(const struct spx_rule_list *rules, const struct reference_acl_layout *layout,
	const void *const header[], unsigned n_headers, struct reference_acl *acl, struct spx_error *err);
void reference_acl_free(struct reference_acl *acl);

/* answer[i] = 1 + index of the first rule that matches, 0 = none. */
static inline void
reference_acl_lookup(
	const struct reference_acl *acl, const void *const header[], uint32_t answer[], unsigned n)
{
	rte_acl_classify(acl->acl, (const uint8_t **)(uintptr_t)header, answer, n, 1);
}

#endif
