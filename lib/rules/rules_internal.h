/* What the files of lib/rules share and nobody else sees: the flattened form of a rule set and how sets
 * derive from each other.
 *
 * rule.c checks single rules; linear.c flattens sorted rules and walks them; acl.c compiles the flattened
 * rules into tries; set.c puts both together into a set and looks up in it; change.c derives one set from
 * another; table.c is the editable list over all of them.
 */
#ifndef SPX_RULES_INTERNAL_H
#define SPX_RULES_INTERNAL_H

#include "lib/rules/rules.h"

struct rte_acl_ctx;

/* Sets of families: bit 1 << enum spx_family. */
#define SPX_FAMILIES_IP  (1u << SPX_FAMILY_IPV4 | 1u << SPX_FAMILY_IPV6)
#define SPX_FAMILIES_ALL (SPX_FAMILIES_IP | 1u << SPX_FAMILY_OTHER)

#define SPX_ETHERTYPE_IPV4 0x0800u
#define SPX_ETHERTYPE_IPV6 0x86ddu

static inline bool
spx_match_names_ports(const struct spx_match *m)
{
	return m->sport_low > 0 || m->sport_high < UINT16_MAX || m->dport_low > 0 ||
	       m->dport_high < UINT16_MAX;
}

/* The families whose packets can match; empty when the conditions contradict each other. */
unsigned spx_match_families(const struct spx_match *match);

/* ---- linear ---------------------------------------------------------------------------------------- */

/* 64 bits that must agree with the key's under the mask. */
struct spx_word {
	uint64_t value, mask;
};

/* The last eight bytes of an IP flow key: ports, protocol, context. */
struct spx_tail {
	uint32_t value, mask; /* protocol and context, as they lie in the key */
	uint16_t sport_low, sport_high, dport_low, dport_high;
};

/* What a match yields. */
struct spx_answer {
	uint32_t rule; /* index in spx_linear.rule */
	uint32_t order, action;
};

/* One family's rules in order, as parallel arrays: a walk touches the words of every rule on its way, the
 * rest only of those whose words agree. */
struct spx_walk {
	size_t n;
	struct spx_word *word;     /* n × words of the family: 1 IPv4, 4 IPv6, 1 other */
	struct spx_tail *tail;     /* n; not used for what is not IP */
	struct spx_answer *answer; /* n */
};

/* Rules sorted by order and flattened by family; a rule may lie in several. Owns everything. */
struct spx_linear {
	struct spx_rule *rule;
	size_t n;
	struct spx_walk ipv4, ipv6, other;
};

/* Flattens n checked rules sorted by order and without doubles; takes `rule` (from malloc; may be NULL when n
 * is 0), also on failure. 0 or -ENOMEM; on failure nothing is left to free. */
int spx_linear_init(struct spx_linear *linear, struct spx_rule *rule, size_t n);
void spx_linear_free(struct spx_linear *linear);

/* The first rule at position `from` of the family or behind it that matches and whose bit in `masked` (by
 * rule index; NULL = none) is not set; NULL when there is none. */
const struct spx_answer *spx_linear_find4(
	const struct spx_linear *linear, size_t from, const uint64_t *masked, const struct spx_key4 *key);
const struct spx_answer *spx_linear_find6(
	const struct spx_linear *linear, size_t from, const uint64_t *masked, const struct spx_key6 *key);
const struct spx_answer *spx_linear_find_other(const struct spx_linear *linear, const uint64_t *masked,
	uint16_t ethertype, uint16_t vlan, uint16_t port);

static inline bool
spx_masked(const uint64_t *masked, uint32_t rule)
{
	return masked != NULL && (masked[rule / 64] >> (rule % 64) & 1) != 0;
}

/* Position of the first rule whose order is not below `order`; n when all are. */
size_t spx_linear_position(const struct spx_linear *linear, uint32_t order);

/* ---- acl ------------------------------------------------------------------------------------------- */

/* The tries of one family. */
struct spx_acl_family {
	struct rte_acl_ctx *all;       /* NULL: the family has no rule */
	struct rte_acl_ctx *fragments; /* of the rules without ports; NULL: there is none */
	bool fragments_apart;          /* are fragments classified by `fragments`? */
};

struct spx_acl {
	struct spx_acl_family ipv4, ipv6;
};

/* 0, -ENOMEM or rte_acl's error; on failure nothing is left to free. */
int spx_acl_build(struct spx_acl *acl, const struct spx_linear *linear, struct spx_error *err);
void spx_acl_free(struct spx_acl *acl);

/* result[i] = position in the family's walk of the first rule that matches key[i], plus one; 0 = none.
 * `length` is the size of a key. n up to SPX_BURST_MAX; `all` must be there. */
void spx_acl_classify(const struct spx_acl_family *family, const uint8_t *const key[], size_t length,
	uint32_t result[], unsigned n);

/* ---- sets ------------------------------------------------------------------------------------------ */

/* The part of a set that is compiled, shared by all sets that derive from it; counted. */
struct spx_base {
	unsigned users; /* sets that hold it; atomic */
	struct spx_linear linear;
	struct spx_acl acl;
};

/* In force: the base's rules but the masked, and the overlay's. An order is in force at most once. */
struct spx_rules {
	struct spx_base *base;
	struct spx_linear overlay;
	uint64_t *masked; /* a bit per rule of the base; NULL = none */
	size_t n_masked;
};

/* A set of n rules in any order (copied), flattened but not compiled: acl answers like linear until
 * spx_rules_compile. 0, -EINVAL, -ENOMEM. */
int spx_rules_flatten(const struct spx_rule *rule, size_t n, struct spx_rules **out, struct spx_error *err);

/* Compiles the base of a set that no other thread looks up in; others may derive sets from it meanwhile. */
int spx_rules_compile(struct spx_rules *rules, enum spx_classifier classifier, struct spx_error *err);

/* A set over the same base with these overlay rules (taken, also on failure; sorted) and this mask (copied;
 * may be NULL). 0 or -ENOMEM. */
int spx_rules_derive(struct spx_base *base, struct spx_rule *overlay, size_t n_overlay,
	const uint64_t *masked, size_t n_masked, struct spx_rules **out);

/* 64-bit words of a mask over the base. */
static inline size_t
spx_mask_words(const struct spx_base *base)
{
	return (base->linear.n + 63) / 64;
}

/* A set with one more rule (checked before): 0, -EEXIST when its order is in force, -ENOMEM. */
int spx_rules_with(const struct spx_rules *rules, const struct spx_rule *rule, struct spx_rules **out);

/* A set without the rule of that order: 0, -ENOENT, -ENOMEM. */
int spx_rules_without(const struct spx_rules *rules, uint32_t order, struct spx_rules **out);

/* The highest order in force; 0 when there is no rule. */
uint32_t spx_rules_last_order(const struct spx_rules *rules);

/* The rules in force, sorted by order, in an array from malloc (NULL when there are none). 0 or -ENOMEM. */
int spx_rules_in_force(const struct spx_rules *rules, struct spx_rule **out, size_t *n);

#endif
