/* A set: a compiled base, a small linear overlay of rules added since, and a mask of base rules deleted
 * since.
 *
 * Immutable once published, so workers look up without a lock. The base is shared by all sets that derive
 * from it. Of base and overlay the answer with the lower order wins. When the tries answer with a masked
 * rule, the next one in order is looked for by walking on behind it: right, and slow only for packets of
 * deleted rules until the next compile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rules/rules_internal.h"

/* ---- build ----------------------------------------------------------------------------------------- */

static int
by_order(const void *a, const void *b)
{
	uint32_t x = ((const struct spx_rule *)a)->order, y = ((const struct spx_rule *)b)->order;

	return (x > y) - (x < y);
}

/* Checks, copies and sorts. */
static int
sort_rules(const struct spx_rule *rule, size_t n, struct spx_rule **out, struct spx_error *err)
{
	struct spx_rule *sorted;

	*out = NULL;
	for (size_t i = 0; i < n; i++)
		if (spx_rule_check(&rule[i], err) != 0)
			return spx_error_at(err, -EINVAL, "rule %zu (order %u)", i + 1, rule[i].order);
	if (n == 0)
		return 0;
	sorted = reallocarray(NULL, n, sizeof(*sorted));
	if (sorted == NULL)
		return spx_error(err, -ENOMEM, "no memory for %zu rules", n);
	memcpy(sorted, rule, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_order);
	for (size_t i = 1; i < n; i++) {
		uint32_t order = sorted[i].order;

		if (order == sorted[i - 1].order) {
			free(sorted);
			return spx_error(
				err, -EINVAL, "two rules have order %u: an order is given once", order);
		}
	}
	*out = sorted;
	return 0;
}

static void
base_release(struct spx_base *base)
{
	if (__atomic_sub_fetch(&base->users, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	spx_acl_free(&base->acl);
	spx_linear_free(&base->linear);
	free(base);
}

int
spx_rules_derive(struct spx_base *base, struct spx_rule *overlay, size_t n_overlay, const uint64_t *masked,
	size_t n_masked, struct spx_rules **out)
{
	const size_t mask_bytes = spx_mask_words(base) * sizeof(uint64_t);
	struct spx_rules *rules = calloc(1, sizeof(*rules));

	if (rules == NULL) {
		free(overlay);
		return -ENOMEM;
	}
	if (n_masked > 0 && (rules->masked = malloc(mask_bytes)) != NULL)
		memcpy(rules->masked, masked, mask_bytes);
	rules->n_masked = n_masked;
	if (spx_linear_init(&rules->overlay, overlay, n_overlay) != 0 ||
		(n_masked > 0 && rules->masked == NULL)) {
		spx_linear_free(&rules->overlay);
		free(rules->masked);
		free(rules);
		return -ENOMEM;
	}
	rules->base = base;
	__atomic_add_fetch(&base->users, 1, __ATOMIC_RELAXED);
	*out = rules;
	return 0;
}

int
spx_rules_flatten(const struct spx_rule *rule, size_t n, struct spx_rules **out, struct spx_error *err)
{
	struct spx_base *base;
	struct spx_rule *sorted;
	int rc = sort_rules(rule, n, &sorted, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	base = calloc(1, sizeof(*base));
	if (base == NULL) {
		free(sorted);
		return spx_error(err, -ENOMEM, "no memory for %zu rules", n);
	}
	base->users = 1;
	rc = spx_linear_init(&base->linear, sorted, n);
	if (rc == 0)
		rc = spx_rules_derive(base, NULL, 0, NULL, 0, out);
	base_release(base);
	return rc == 0 ? 0 : spx_error(err, rc, "no memory for %zu rules", n);
}

int
spx_rules_compile(struct spx_rules *rules, enum spx_classifier classifier, struct spx_error *err)
{
	if (classifier != SPX_CLASSIFIER_ACL)
		return 0;
	return spx_acl_build(&rules->base->acl, &rules->base->linear, err);
}

int
spx_rules_build(enum spx_classifier classifier, const struct spx_rule *rule, size_t n, struct spx_rules **out,
	struct spx_error *err)
{
	int rc = spx_rules_flatten(rule, n, out, err);

	if (rc == 0 && (rc = spx_rules_compile(*out, classifier, err)) != 0) {
		spx_rules_free(*out);
		*out = NULL;
	}
	return rc;
}

void
spx_rules_free(struct spx_rules *rules)
{
	if (rules == NULL)
		return;
	base_release(rules->base);
	spx_linear_free(&rules->overlay);
	free(rules->masked);
	free(rules);
}

size_t
spx_rules_count(const struct spx_rules *rules)
{
	return rules->base->linear.n - rules->n_masked + rules->overlay.n;
}

/* ---- lookup ---------------------------------------------------------------------------------------- */

static inline const struct spx_answer *
lower_order(const struct spx_answer *a, const struct spx_answer *b)
{
	if (a == NULL || (b != NULL && b->order < a->order))
		return b;
	return a;
}

static inline uint32_t
action_of(const struct spx_answer *answer)
{
	return answer == NULL ? SPX_ACTION_NONE : answer->action;
}

static uint32_t
explained(const struct spx_answer *answer, uint32_t *order)
{
	*order = answer == NULL ? 0 : answer->order;
	return action_of(answer);
}

/* The answer of base and overlay; `result` is what the tries say, where there are any. */
static inline const struct spx_answer *
answer4(const struct spx_rules *rules, uint32_t result, const struct spx_key4 *key)
{
	const struct spx_linear *base = &rules->base->linear, *overlay = &rules->overlay;
	const struct spx_answer *answer;

	if (rules->base->acl.ipv4.all == NULL) {
		answer = spx_linear_find4(base, 0, rules->masked, key);
	} else {
		answer = result == 0 ? NULL : &base->ipv4.answer[result - 1];
		if (answer != NULL && spx_masked(rules->masked, answer->rule))
			answer = spx_linear_find4(base, result, rules->masked, key);
	}
	if (overlay->ipv4.n > 0)
		answer = lower_order(answer, spx_linear_find4(overlay, 0, NULL, key));
	return answer;
}

void
spx_rules_lookup4(
	const struct spx_rules *rules, const struct spx_key4 *const key[], uint32_t action[], unsigned n)
{
	const struct spx_acl_family *acl = &rules->base->acl.ipv4;
	uint32_t result[SPX_BURST_MAX];

	if (acl->all != NULL)
		spx_acl_classify(acl, (const uint8_t *const *)key, sizeof(*key[0]), result, n);
	for (unsigned i = 0; i < n; i++)
		action[i] = action_of(answer4(rules, acl->all == NULL ? 0 : result[i], key[i]));
}

uint32_t
spx_rules_explain4(const struct spx_rules *rules, const struct spx_key4 *key, uint32_t *order)
{
	const struct spx_acl_family *acl = &rules->base->acl.ipv4;
	const uint8_t *bytes = (const uint8_t *)key;
	uint32_t result = 0;

	if (acl->all != NULL)
		spx_acl_classify(acl, &bytes, sizeof(*key), &result, 1);
	return explained(answer4(rules, result, key), order);
}

/* The answer of base and overlay; `result` is what the tries say, where there are any. */
static inline const struct spx_answer *
answer6(const struct spx_rules *rules, uint32_t result, const struct spx_key6 *key)
{
	const struct spx_linear *base = &rules->base->linear, *overlay = &rules->overlay;
	const struct spx_answer *answer;

	if (rules->base->acl.ipv6.all == NULL) {
		answer = spx_linear_find6(base, 0, rules->masked, key);
	} else {
		answer = result == 0 ? NULL : &base->ipv6.answer[result - 1];
		if (answer != NULL && spx_masked(rules->masked, answer->rule))
			answer = spx_linear_find6(base, result, rules->masked, key);
	}
	if (overlay->ipv6.n > 0)
		answer = lower_order(answer, spx_linear_find6(overlay, 0, NULL, key));
	return answer;
}

void
spx_rules_lookup6(
	const struct spx_rules *rules, const struct spx_key6 *const key[], uint32_t action[], unsigned n)
{
	const struct spx_acl_family *acl = &rules->base->acl.ipv6;
	uint32_t result[SPX_BURST_MAX];

	if (acl->all != NULL)
		spx_acl_classify(acl, (const uint8_t *const *)key, sizeof(*key[0]), result, n);
	for (unsigned i = 0; i < n; i++)
		action[i] = action_of(answer6(rules, acl->all == NULL ? 0 : result[i], key[i]));
}

uint32_t
spx_rules_explain6(const struct spx_rules *rules, const struct spx_key6 *key, uint32_t *order)
{
	const struct spx_acl_family *acl = &rules->base->acl.ipv6;
	const uint8_t *bytes = (const uint8_t *)key;
	uint32_t result = 0;

	if (acl->all != NULL)
		spx_acl_classify(acl, &bytes, sizeof(*key), &result, 1);
	return explained(answer6(rules, result, key), order);
}

static const struct spx_answer *
answer_other(const struct spx_rules *rules, uint16_t ethertype, uint16_t vlan, uint16_t port)
{
	return lower_order(spx_linear_find_other(&rules->base->linear, rules->masked, ethertype, vlan, port),
		spx_linear_find_other(&rules->overlay, NULL, ethertype, vlan, port));
}

uint32_t
spx_rules_lookup_other(const struct spx_rules *rules, uint16_t ethertype, uint16_t vlan, uint16_t port)
{
	return action_of(answer_other(rules, ethertype, vlan, port));
}

uint32_t
spx_rules_explain_other(
	const struct spx_rules *rules, uint16_t ethertype, uint16_t vlan, uint16_t port, uint32_t *order)
{
	return explained(answer_other(rules, ethertype, vlan, port), order);
}
