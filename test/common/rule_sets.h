/* Seeded rule sets and headers for tests and benchmarks: IPv6 sets, for which nobody publishes any, and IPv4
 * sets of the same making.
 *
 * Prefixes are derived by nesting: each extends one drawn before, so that rules contain and overlap each
 * other as they do in routers and firewalls. Ports and protocols follow the classes of ClassBench (any, high,
 * low, one, some range). Specific rules come before wide ones, and the last accepts everything.
 */
#ifndef SPX_TEST_RULE_SETS_H
#define SPX_TEST_RULE_SETS_H

#include "lib/rules/rules.h"

/* Appends n rules of the family (SPX_FAMILY_IPV4 or SPX_FAMILY_IPV6) with orders 1...n; the action of a rule
 * is its order modulo SPX_ACTIONS_MAX. The same seed gives the same set. 0 or -ENOMEM. */
int rule_sets_generate(uint8_t family, size_t n, uint64_t seed, struct spx_rule_list *list);

/* A header that the rule accepts, random in what the rule leaves open; untagged, from port 0, no fragment
 * unless the rule asks otherwise. */
void rule_sets_key4(const struct spx_rule *rule, uint64_t *random, struct spx_key4 *key);
void rule_sets_key6(const struct spx_rule *rule, uint64_t *random, struct spx_key6 *key);

/* A header of random bytes with context 0. */
void rule_sets_random_key4(uint64_t *random, struct spx_key4 *key);
void rule_sets_random_key6(uint64_t *random, struct spx_key6 *key);

#endif
