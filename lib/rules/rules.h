/* The full classifier behind the flow caches: ordered rules, first match wins.
 *
 * A `struct spx_rules` is an immutable set that workers look up in; a `struct spx_rule_table` is the control
 * thread's editable list, which publishes one spx_rules after the other. Readers see the old or the new set,
 * never something between: the publisher swaps one pointer and frees the old set after a grace period.
 *
 * Classifiers: `linear` walks the rules in order (the oracle of the tests, and right for a handful of rules);
 * `acl` compiles them into librte_acl tries. Lowest and highest figure over the published IPv4 ClassBench
 * sets, in runs on a shared machine from nearly idle to heavily loaded (AVX-512, bursts of 32, 8192 headers
 * drawn evenly inside the rules), so they give the size of things and promise nothing:
 *
 *   rules      linear, ns       acl, ns       compile, s      tries, MB (EAL)
 *    1,000     240 to 720       20 to 54      0.04 to 1.5       1 to 14
 *   10,000    2700 to 19000     36 to 290     0.5 to 18         6 to 137
 *
 * The process peaked at 160 MB with the 1,000-rule sets and at 1.1 GB with the others, tries included. The
 * upper ends of acl are firewall sets, whose wide rules blow tries up: EAL must have that memory in one piece
 * (-m), or the build says -ENOMEM.
 *
 * So a change does not wait for a compile: additions go to a small overlay that is walked linearly, deletions
 * into a mask (mostly 1 to 4 us a change, and the grace period); the compile runs on a thread of its own and
 * takes over when it is done, with the changes made meanwhile.
 */
#ifndef SPX_RULES_H
#define SPX_RULES_H

#include "lib/base/base.h"

/* ---- rules ----------------------------------------------------------------------------------------- */

enum spx_family { SPX_FAMILY_ANY, SPX_FAMILY_IPV4, SPX_FAMILY_IPV6, SPX_FAMILY_OTHER };

enum {
	SPX_MATCH_VLAN = 1 << 0,
	SPX_MATCH_PORT = 1 << 1,
	SPX_MATCH_ETHERTYPE = 1 << 2,
	SPX_MATCH_PROTO = 1 << 3,
};

/* What a rule asks for. All zero but the two port ranges 0...65535 matches every packet. A rule that names
 * addresses has the family of those; one that names a port range or a protocol matches IP only. A range other
 * than 0...65535 never matches a fragment. */
struct spx_match {
	uint8_t family;                 /* enum spx_family; OTHER = what is not IP */
	uint8_t fields;                 /* SPX_MATCH_...: which of the fields below marked (*) count */
	uint8_t proto;                  /* (*) */
	uint8_t sip_length, dip_length; /* prefix lengths, bits: 0...32 or 0...128 */
	uint8_t sip[16],
		dip[16]; /* network order, IPv4 in the first four bytes, bits beyond the prefix zero */
	uint16_t sport_low, sport_high; /* host order, inclusive */
	uint16_t dport_low, dport_high;
	uint16_t vlan;      /* (*) outer VLAN id; 0 = untagged */
	uint16_t port;      /* (*) input port id */
	uint16_t ethertype; /* (*) host order; 0x0800 and 0x86dd are the families IPV4 and IPV6 */
};

struct spx_rule {
	uint32_t order;  /* lower first; unique in a set; 1...SPX_RULE_ORDER_MAX */
	uint32_t action; /* action id */
	struct spx_match match;
};

#define SPX_RULE_ORDER_MAX ((1u << 28) - 1)

/* A rule list that owns its memory (free with spx_rule_list_free). */
struct spx_rule_list {
	struct spx_rule *rule;
	size_t n, room;
};

/* A match that accepts everything. */
void spx_match_any(struct spx_match *match);

/* Appends a copy. 0 or -ENOMEM. */
int spx_rule_list_add(struct spx_rule_list *list, const struct spx_rule *rule);
void spx_rule_list_free(struct spx_rule_list *list);

/* Checks one rule (prefix bits, ranges, order, family against fields). 0 or -EINVAL with what would be right.
 */
int spx_rule_check(const struct spx_rule *rule, struct spx_error *err);

/* Reads a ClassBench file (`@sip/len dip/len lo : hi lo : hi proto/mask [flags/mask]`, one rule a line) and
 * appends its rules with orders first_order, first_order+1 ... and the given action. The flags column is read
 * and ignored; *flags_ignored (may be NULL) counts the rules where it asked for something. Errors name file,
 * line and column. 0 or a negative errno; on error the list is as before. */
int spx_rules_read_classbench(const char *path, uint32_t first_order, uint32_t action,
	struct spx_rule_list *list, size_t *flags_ignored, struct spx_error *err);

/* The same from memory; `name` stands for the file in messages. */
int spx_rules_parse_classbench(const char *name, const char *text, size_t length, uint32_t first_order,
	uint32_t action, struct spx_rule_list *list, size_t *flags_ignored, struct spx_error *err);

/* ---- lookup: workers ------------------------------------------------------------------------------- */

enum spx_classifier { SPX_CLASSIFIER_LINEAR, SPX_CLASSIFIER_ACL };

struct spx_rules;

/* action[i] = action id of the first rule that matches *key[i], or SPX_ACTION_NONE. n up to SPX_BURST_MAX. No
 * allocation, no lock. Any thread that is an online reader of the publisher's grace periods. */
void spx_rules_lookup4(
	const struct spx_rules *rules, const struct spx_key4 *const key[], uint32_t action[], unsigned n);
void spx_rules_lookup6(
	const struct spx_rules *rules, const struct spx_key6 *const key[], uint32_t action[], unsigned n);

/* The same for one frame that is not IP. */
uint32_t
spx_rules_lookup_other(const struct spx_rules *rules, uint16_t ethertype, uint16_t vlan, uint16_t port);

/* The same for one packet, and which rule it was: *order, 0 where none matches. For those who want to know
 * why (the packet tracer), not for every packet. */
uint32_t spx_rules_explain4(const struct spx_rules *rules, const struct spx_key4 *key, uint32_t *order);
uint32_t spx_rules_explain6(const struct spx_rules *rules, const struct spx_key6 *key, uint32_t *order);
uint32_t spx_rules_explain_other(
	const struct spx_rules *rules, uint16_t ethertype, uint16_t vlan, uint16_t port, uint32_t *order);

/* Builds an immutable set from n rules in any order (copied). 0, -EINVAL (a bad or double rule, named in
 * err), -ENOMEM. Any thread; needs EAL. Free with spx_rules_free when no reader is left. NULL may be freed.
 */
int spx_rules_build(enum spx_classifier classifier, const struct spx_rule *rule, size_t n,
	struct spx_rules **out, struct spx_error *err);
void spx_rules_free(struct spx_rules *rules);

/* Number of rules in force. */
size_t spx_rules_count(const struct spx_rules *rules);

/* ---- table: control thread ------------------------------------------------------------------------- */

struct spx_rule_table;

/* Puts `rules` in force and returns when no reader can still be using the set before it (which the table then
 * frees). answers_changed: some header may get another answer than before, so that what was remembered of the
 * set before (flow caches) is worth nothing. True for every change and the first set, false for a set that
 * only was compiled. Called by the table from the thread that makes the change or from its compile thread,
 * one at a time. */
typedef void (*spx_rules_publish)(void *arg, struct spx_rules *rules, bool answers_changed);

/* An empty table; publishes an empty set at once. The table owns every set it publishes until it has
 * published the next one. All spx_rule_table_ functions may be called from any control thread; they are
 * serialised by a lock. */
int spx_rule_table_create(enum spx_classifier classifier, spx_rules_publish publish, void *arg,
	struct spx_rule_table **out, struct spx_error *err);

/* Replaces all rules at once: returns when the new set, compiled, is in force. On error nothing has changed.
 */
int spx_rule_table_set(
	struct spx_rule_table *table, const struct spx_rule *rule, size_t n, struct spx_error *err);

/* Adds one rule; in force when it returns, without waiting for a compile. -EEXIST: the order is taken. */
int spx_rule_table_add(struct spx_rule_table *table, const struct spx_rule *rule, struct spx_error *err);

/* The same behind the last rule in force: rule->order becomes its order + step (step alone in an empty
 * table). -ENOSPC: no order is left there. */
int spx_rule_table_append(
	struct spx_rule_table *table, struct spx_rule *rule, uint32_t step, struct spx_error *err);

/* Deletes the rule of that order; out of force when it returns. -ENOENT: there is none. */
int spx_rule_table_delete(struct spx_rule_table *table, uint32_t order, struct spx_error *err);

/* Waits until no compile is running or due. */
void spx_rule_table_settle(struct spx_rule_table *table);

/* A copy of the rules in force, sorted by order; *out is freed by the caller with free (NULL when there are
 * none). 0 or -ENOMEM. */
int spx_rule_table_get(struct spx_rule_table *table, struct spx_rule **out, size_t *n, struct spx_error *err);

/* How many rules, how many of them in the overlay, how many masked, compiles done. Any pointer may be NULL.
 */
void spx_rule_table_stats(
	struct spx_rule_table *table, size_t *rules, size_t *overlay, size_t *masked, uint64_t *compiles);

/* Stops the compile thread and frees table and the set in force: after the last reader. NULL may be given. */
void spx_rule_table_destroy(struct spx_rule_table *table);

#endif
