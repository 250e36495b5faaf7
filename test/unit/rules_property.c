/* linear = acl = naive model on random rule sets of all kinds, from scratch and after random changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/rules/rules_internal.h"
#include "test/common/rule_sets.h"
#include "test/unit/rules_model.h"

static void
setup(void)
{
	start_eal(256);
}

TestSuite(rules_property, .init = setup);

static void
random_rules(uint64_t *random, struct spx_rule *rule, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memset(&rule[i], 0, sizeof(rule[i]));
		rule[i].order = (uint32_t)(i + 1) * 10;
		rule[i].action = (uint32_t)(spx_random(random) % SPX_ACTIONS_MAX);
		random_match(random, &rule[i].match);
	}
	/* In any order. */
	for (size_t i = n; i > 1; i--) {
		size_t other = spx_random(random) % i;
		struct spx_rule keep = rule[other];

		rule[other] = rule[i - 1];
		rule[i - 1] = keep;
	}
}

/* Bursts of every family against the model over the n rules in force. */
static void
compare(const struct spx_rules *rules, const struct spx_rule *rule, size_t n, unsigned headers,
	uint64_t *random, const char *who)
{
	for (uint8_t family = SPX_FAMILY_IPV4; family <= SPX_FAMILY_OTHER; family++)
		for (unsigned left = headers; left > 0;) {
			unsigned burst = RTE_MIN(left, 1u + (unsigned)(spx_random(random) % SPX_BURST_MAX));
			struct header h[SPX_BURST_MAX];
			uint32_t action[SPX_BURST_MAX];

			for (unsigned i = 0; i < burst; i++)
				random_header(
					random, family, n == 0 ? NULL : &rule[spx_random(random) % n], &h[i]);
			rules_lookup_burst(rules, h, action, burst);
			for (unsigned i = 0; i < burst; i++)
				cr_assert_eq(action[i], model_lookup(rule, n, &h[i]),
					"%s, family %u, %zu rules", who, family, n);
			left -= burst;
		}
}

static void
check_random_sets(unsigned sets, size_t most, uint64_t seed)
{
	struct spx_rule *rule = calloc(most, sizeof(*rule));

	for (unsigned s = 0; s < sets; s++) {
		size_t n = spx_random(&seed) % (most + 1);
		struct spx_rules *linear, *acl;
		struct spx_error err;

		random_rules(&seed, rule, n);
		cr_assert_eq(
			spx_rules_build(SPX_CLASSIFIER_LINEAR, rule, n, &linear, &err), 0, "%s", err.text);
		cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_ACL, rule, n, &acl, &err), 0, "%s", err.text);
		compare(linear, rule, n, 64, &seed, "linear");
		compare(acl, rule, n, 64, &seed, "acl");
		spx_rules_free(linear);
		spx_rules_free(acl);
	}
	free(rule);
}

Test(rules_property, small_sets_agree_with_the_model)
{
	check_random_sets(1500, 12, 1);
}

Test(rules_property, larger_sets_agree_with_the_model)
{
	check_random_sets(40, 150, 2);
}

/* Random additions and deletions on top of a compiled base, in a model that is a plain array. */
static void
change_randomly(enum spx_classifier classifier, uint64_t seed)
{
	enum { BASE = 40, CHANGES = 60, ORDERS = 600 };
	struct spx_rule rule[BASE + CHANGES];
	size_t n = BASE;
	struct spx_rules *now, *next;

	random_rules(&seed, rule, n);
	cr_assert_eq(spx_rules_build(classifier, rule, n, &now, NULL), 0);
	for (unsigned c = 0; c < CHANGES; c++) {
		uint32_t order = 1 + (uint32_t)(spx_random(&seed) % ORDERS);
		size_t at = 0;
		int rc;

		if (spx_random(&seed) % 4 == 0 && n > 0)
			order = rule[spx_random(&seed) % n].order;
		while (at < n && rule[at].order != order)
			at++;
		if (spx_random(&seed) % 2 == 0) {
			struct spx_rule more = {.order = order, .action = c};

			random_match(&seed, &more.match);
			rc = spx_rules_with(now, &more, &next);
			cr_assert_eq(rc, at < n ? -EEXIST : 0);
			if (rc == 0)
				rule[n++] = more;
		} else {
			rc = spx_rules_without(now, order, &next);
			cr_assert_eq(rc, at < n ? 0 : -ENOENT);
			if (rc == 0)
				rule[at] = rule[--n];
		}
		if (rc != 0)
			continue;
		spx_rules_free(now);
		now = next;
		cr_assert_eq(spx_rules_count(now), n);
		compare(now, rule, n, 32, &seed, "changed");
	}
	spx_rules_free(now);
}

Test(rules_property, changes_agree_with_the_model)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		change_randomly(SPX_CLASSIFIER_LINEAR, seed);
		change_randomly(SPX_CLASSIFIER_ACL, seed);
	}
}

/* Every rule of the base deleted, one after the other, then all added again. */
Test(rules_property, all_deleted_and_back)
{
	enum { N = 70 }; /* more than one word of the mask */
	struct spx_rule rule[N], *in_force;
	struct spx_rules *now, *next;
	uint64_t random = 5;
	size_t n;

	random_rules(&random, rule, N);
	cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_ACL, rule, N, &now, NULL), 0);
	for (n = N; n > 0; n--, spx_rules_free(now), now = next)
		cr_assert_eq(spx_rules_without(now, rule[n - 1].order, &next), 0);
	cr_assert_eq(spx_rules_count(now), 0);
	compare(now, rule, 0, 32, &random, "nothing left");
	for (n = 0; n < N; n++, spx_rules_free(now), now = next)
		cr_assert_eq(spx_rules_with(now, &rule[n], &next), 0);
	compare(now, rule, N, 256, &random, "all back");
	cr_assert_eq(spx_rules_in_force(now, &in_force, &n), 0);
	cr_assert_eq(n, N);
	for (size_t i = 1; i < n; i++)
		cr_assert_lt(in_force[i - 1].order, in_force[i].order);
	free(in_force);
	spx_rules_free(now);
}

/* ---- generated sets -------------------------------------------------------------------------------- */

static void
agree6(const struct spx_rules *acl, const struct spx_rules *linear, const struct spx_rule_list *list,
	unsigned headers, uint64_t *random)
{
	for (unsigned left = headers; left > 0; left -= 32) {
		struct spx_key6 key[32];
		const struct spx_key6 *keys[32];
		uint32_t a[32], l[32];

		for (unsigned i = 0; i < 32; i++) {
			if (i % 4 == 0)
				rule_sets_random_key6(random, &key[i]);
			else
				rule_sets_key6(&list->rule[spx_random(random) % list->n], random, &key[i]);
			keys[i] = &key[i];
		}
		spx_rules_lookup6(acl, keys, a, 32);
		spx_rules_lookup6(linear, keys, l, 32);
		cr_assert_arr_eq(a, l, sizeof(a));
	}
}

Test(rules_property, generated_ipv6_acl_is_linear)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct spx_rule_list list = {0};
		struct spx_rules *acl, *linear;
		uint64_t random = seed;

		cr_assert_eq(rule_sets_generate(SPX_FAMILY_IPV6, 50 * seed * seed, seed, &list), 0);
		cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_ACL, list.rule, list.n, &acl, NULL), 0);
		cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_LINEAR, list.rule, list.n, &linear, NULL), 0);
		agree6(acl, linear, &list, 16000, &random);
		spx_rules_free(acl);
		spx_rules_free(linear);
		spx_rule_list_free(&list);
	}
}

/* A header drawn inside a rule is accepted by it, so the generator tests what it says. */
Test(rules_property, generated_headers_hit_their_rule)
{
	struct spx_rule_list list = {0};
	uint64_t random = 9;

	cr_assert_eq(rule_sets_generate(SPX_FAMILY_IPV6, 300, 3, &list), 0);
	cr_assert_eq(rule_sets_generate(SPX_FAMILY_IPV4, 300, 3, &list), 0);
	for (size_t i = 0; i < list.n; i++) {
		const struct spx_rule *rule = &list.rule[i];
		struct spx_rules *one;
		uint32_t action;

		cr_assert_eq(spx_rules_build(SPX_CLASSIFIER_LINEAR, rule, 1, &one, NULL), 0);
		if (rule->match.family == SPX_FAMILY_IPV6) {
			struct spx_key6 key;

			rule_sets_key6(rule, &random, &key);
			spx_rules_lookup6(one, &(const struct spx_key6 *){&key}, &action, 1);
		} else {
			struct spx_key4 key;

			rule_sets_key4(rule, &random, &key);
			spx_rules_lookup4(one, &(const struct spx_key4 *){&key}, &action, 1);
		}
		cr_assert_eq(action, rule->action);
		spx_rules_free(one);
	}
	spx_rule_list_free(&list);
}
