/* What the tests of lib/rules share: a naive model of the rules' meaning that works on plain numbers and
 * single bits, random rules and headers that collide often, and one EAL for the classifier acl. */
#ifndef SPX_TEST_RULES_MODEL_H
#define SPX_TEST_RULES_MODEL_H

#include "lib/rules/rules.h"

/* A packet as the rules see it, in host order. Family IPV4, IPV6 or OTHER. */
struct header {
	uint8_t family;
	uint8_t sip[16], dip[16];
	uint16_t sport, dport; /* 0 in a fragment */
	uint8_t proto;
	bool fragment;
	uint16_t vlan, port, ethertype;
};

/* rte_eal_init for the classifier acl. Once per process; megabytes of memory for EAL. */
void start_eal(unsigned megabytes);

bool model_matches(const struct spx_match *match, const struct header *header);

/* Action of the matching rule with the lowest order among n in any order. */
uint32_t model_lookup(const struct spx_rule *rule, size_t n, const struct header *header);

/* Through the library, one header or many (up to SPX_BURST_MAX of one family). */
uint32_t rules_lookup(const struct spx_rules *rules, const struct header *header);
void
rules_lookup_burst(const struct spx_rules *rules, const struct header *header, uint32_t action[], unsigned n);

/* A valid rule without order and action, drawn from few values per field. */
void random_match(uint64_t *random, struct spx_match *match);

/* A header from the same values; `near` (may be NULL) is a rule that it tends to agree with. */
void random_header(uint64_t *random, uint8_t family, const struct spx_rule *near, struct header *header);

#endif
