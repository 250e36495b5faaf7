/* What the table tells of the rules in force, and rules that are put behind the last one: against a plain
 * sorted array, with overlay and mask in every state between two compiles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/rules_model.h"

#define MOST 300
#define STEP 16u

static void
setup(void)
{
	start_eal(256);
}

TestSuite(rules_table_get, .init = setup);

/* The sorted array beside the table. */
struct model {
	struct spx_rule rule[MOST];
	size_t n;
};

static void
publish(void *arg, struct spx_rules *rules, bool answers_changed)
{
	(void)arg;
	(void)rules;
	(void)answers_changed;
}

static struct spx_rule_table *
make_table(void)
{
	struct spx_rule_table *table;
	struct spx_error err;

	cr_assert_eq(
		spx_rule_table_create(SPX_CLASSIFIER_LINEAR, publish, NULL, &table, &err), 0, "%s", err.text);
	return table;
}

static struct spx_rule
random_rule(uint64_t *random, uint32_t order)
{
	struct spx_rule rule;

	memset(&rule, 0, sizeof(rule));
	rule.order = order;
	rule.action = (uint32_t)(spx_random(random) % 100);
	random_match(random, &rule.match);
	return rule;
}

static size_t
position(const struct model *m, uint32_t order)
{
	size_t at = 0;

	while (at < m->n && m->rule[at].order < order)
		at++;
	return at;
}

static void
expect_same(struct spx_rule_table *table, const struct model *m)
{
	struct spx_rule *rule;
	struct spx_error err;
	size_t n;

	cr_assert_eq(spx_rule_table_get(table, &rule, &n, &err), 0, "%s", err.text);
	cr_assert_eq(n, m->n);
	cr_assert_eq(rule == NULL, n == 0);
	for (size_t i = 0; i < n; i++) {
		cr_assert_eq(rule[i].order, m->rule[i].order);
		cr_assert_eq(rule[i].action, m->rule[i].action);
		cr_assert_arr_eq(&rule[i].match, &m->rule[i].match, sizeof(rule[i].match));
	}
	free(rule);
}

static void
add(struct spx_rule_table *table, struct model *m, uint64_t *random)
{
	struct spx_rule rule = random_rule(random, 1 + (uint32_t)(spx_random(random) % 5000));
	size_t at = position(m, rule.order);
	bool taken = at < m->n && m->rule[at].order == rule.order;

	cr_assert_eq(spx_rule_table_add(table, &rule, NULL), taken ? -EEXIST : 0);
	if (taken)
		return;
	memmove(m->rule + at + 1, m->rule + at, (m->n++ - at) * sizeof(rule));
	m->rule[at] = rule;
}

static void
append(struct spx_rule_table *table, struct model *m, uint64_t *random)
{
	struct spx_rule rule = random_rule(random, 0);
	uint32_t last = m->n == 0 ? 0 : m->rule[m->n - 1].order;

	cr_assert_eq(spx_rule_table_append(table, &rule, STEP, NULL), 0);
	cr_assert_eq(rule.order, last + STEP);
	m->rule[m->n++] = rule;
}

/* Often the last one. */
static void
take(struct spx_rule_table *table, struct model *m, uint64_t *random)
{
	size_t at = spx_random(random) % 3 == 0 ? m->n - 1 : spx_random(random) % m->n;

	cr_assert_eq(spx_rule_table_delete(table, m->rule[at].order, NULL), 0);
	memmove(m->rule + at, m->rule + at + 1, (--m->n - at) * sizeof(m->rule[0]));
}

Test(rules_table_get, the_rules_in_force_by_order)
{
	struct spx_rule_table *table = make_table();
	struct model m = {0};
	uint64_t random = 21;

	expect_same(table, &m);
	for (unsigned step = 0; step < 2000; step++) {
		uint64_t what = spx_random(&random) % 100;

		if (what < 2)
			spx_rule_table_settle(table);
		else if (m.n > 0 && (what < 45 || m.n == MOST))
			take(table, &m, &random);
		else if (what < 70)
			append(table, &m, &random);
		else
			add(table, &m, &random);
		expect_same(table, &m);
	}
	spx_rule_table_destroy(table);
}

Test(rules_table_get, behind_the_highest_order_comes_none)
{
	struct spx_rule_table *table = make_table();
	struct model m = {.rule = {{.order = SPX_RULE_ORDER_MAX - STEP + 1}}, .n = 1};
	struct spx_rule rule = {0};
	struct spx_error err = {""};

	spx_match_any(&m.rule[0].match);
	spx_match_any(&rule.match);
	cr_assert_eq(spx_rule_table_add(table, &m.rule[0], &err), 0, "%s", err.text);
	cr_expect_eq(spx_rule_table_append(table, &rule, STEP, &err), -ENOSPC);
	cr_expect_not_null(strstr(err.text, "no order is left"), "%s", err.text);
	rule.match.family = SPX_FAMILY_OTHER + 1;
	cr_expect_eq(spx_rule_table_append(table, &rule, STEP - 1, &err), -EINVAL);
	expect_same(table, &m);
	rule.match.family = SPX_FAMILY_ANY;
	cr_expect_eq(spx_rule_table_append(table, &rule, STEP - 1, &err), 0, "%s", err.text);
	cr_expect_eq(rule.order, SPX_RULE_ORDER_MAX);
	spx_rule_table_destroy(table);
}
