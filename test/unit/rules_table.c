/* The editable table: what each call puts in force, what a compile does with changes made meanwhile, and that
 * readers under rte_rcu_qsbr see published sets only, and never an old one after a call has returned. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <rte_rcu_qsbr.h>

#include "test/common/rule_sets.h"
#include "test/unit/rules_model.h"

static void
setup(void)
{
	start_eal(256);
}

TestSuite(rules_table, .init = setup);

/* The set in force for tests without a reader of their own. The lock is the grace period: a lookup holds it.
 */
struct shelf {
	pthread_mutex_t lock;
	const struct spx_rules *now;
	unsigned published, changed;
};

static void
put_on_shelf(void *arg, struct spx_rules *rules, bool answers_changed)
{
	struct shelf *shelf = arg;

	pthread_mutex_lock(&shelf->lock);
	shelf->now = rules;
	shelf->published++;
	shelf->changed += answers_changed;
	pthread_mutex_unlock(&shelf->lock);
}

static uint32_t
shelf_lookup(struct shelf *shelf, const struct header *h)
{
	uint32_t action;

	pthread_mutex_lock(&shelf->lock);
	action = rules_lookup(shelf->now, h);
	pthread_mutex_unlock(&shelf->lock);
	return action;
}

static struct spx_rule
simple_rule(uint32_t order, uint32_t action)
{
	struct spx_rule rule = {.order = order, .action = action};

	spx_match_any(&rule.match);
	return rule;
}

static struct spx_rule_table *
make_table(enum spx_classifier classifier, struct shelf *shelf)
{
	struct spx_rule_table *table;
	struct spx_error err;

	*shelf = (struct shelf){.lock = PTHREAD_MUTEX_INITIALIZER};
	cr_assert_eq(spx_rule_table_create(classifier, put_on_shelf, shelf, &table, &err), 0, "%s", err.text);
	cr_assert_not_null(shelf->now, "the empty set is published at once");
	return table;
}

static void
compare(struct shelf *shelf, const struct spx_rule *rule, size_t n, unsigned headers, uint64_t *random)
{
	for (unsigned i = 0; i < headers; i++) {
		uint8_t family = (uint8_t)(SPX_FAMILY_IPV4 + spx_random(random) % 3);
		struct header h;

		random_header(random, family, n == 0 ? NULL : &rule[spx_random(random) % n], &h);
		cr_assert_eq(shelf_lookup(shelf, &h), model_lookup(rule, n, &h));
	}
}

Test(rules_table, each_call_is_in_force_when_it_returns)
{
	static const struct header h = {.family = SPX_FAMILY_IPV4, .proto = 6};

	for (enum spx_classifier c = SPX_CLASSIFIER_LINEAR; c <= SPX_CLASSIFIER_ACL; c++) {
		struct shelf shelf;
		struct spx_rule_table *table = make_table(c, &shelf);
		struct spx_rule rule = simple_rule(10, 1);
		struct spx_error err;

		cr_expect_eq(shelf_lookup(&shelf, &h), SPX_ACTION_NONE);
		cr_expect_eq(spx_rule_table_add(table, &rule, &err), 0);
		cr_expect_eq(shelf_lookup(&shelf, &h), 1);
		rule = simple_rule(5, 2);
		cr_expect_eq(spx_rule_table_add(table, &rule, &err), 0);
		cr_expect_eq(shelf_lookup(&shelf, &h), 2);
		cr_expect_eq(spx_rule_table_delete(table, 5, &err), 0);
		cr_expect_eq(shelf_lookup(&shelf, &h), 1);
		rule = simple_rule(10, 3);
		cr_expect_eq(spx_rule_table_set(table, &rule, 1, &err), 0);
		cr_expect_eq(shelf_lookup(&shelf, &h), 3);
		cr_expect_eq(spx_rule_table_set(table, NULL, 0, &err), 0);
		cr_expect_eq(shelf_lookup(&shelf, &h), SPX_ACTION_NONE);
		spx_rule_table_destroy(table);
	}
	spx_rule_table_destroy(NULL);
}

Test(rules_table, mistakes_change_nothing)
{
	static const struct header h = {.family = SPX_FAMILY_IPV4, .proto = 6};
	struct shelf shelf;
	struct spx_rule_table *table = make_table(SPX_CLASSIFIER_ACL, &shelf);
	struct spx_rule two[2] = {simple_rule(1, 1), simple_rule(2, 2)};
	const struct spx_rules *before;
	struct spx_error err;

	cr_assert_eq(spx_rule_table_set(table, two, 2, &err), 0);
	before = shelf.now;
	cr_expect_eq(spx_rule_table_add(table, &two[1], &err), -EEXIST);
	cr_expect_not_null(strstr(err.text, "order 2"), "%s", err.text);
	cr_expect_eq(spx_rule_table_delete(table, 3, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "order 3"), "%s", err.text);
	two[1].order = 0;
	cr_expect_eq(spx_rule_table_add(table, &two[1], &err), -EINVAL);
	cr_expect_eq(spx_rule_table_set(table, two, 2, &err), -EINVAL);
	two[1].order = 1;
	cr_expect_eq(spx_rule_table_set(table, two, 2, &err), -EINVAL);
	cr_expect_eq(shelf.now, before);
	cr_expect_eq(shelf_lookup(&shelf, &h), 1);
	spx_rule_table_destroy(table);
}

Test(rules_table, a_quiet_moment_folds_overlay_and_mask)
{
	struct shelf shelf;
	struct spx_rule_table *table = make_table(SPX_CLASSIFIER_ACL, &shelf);
	struct spx_rule rule[5];
	size_t rules, overlay, masked;
	uint64_t compiles, random = 3;

	for (uint32_t i = 0; i < 5; i++) {
		rule[i] = simple_rule(i + 1, i);
		random_match(&random, &rule[i].match);
	}
	cr_assert_eq(spx_rule_table_set(table, rule, 3, NULL), 0);
	cr_assert_eq(spx_rule_table_add(table, &rule[3], NULL), 0);
	cr_assert_eq(spx_rule_table_add(table, &rule[4], NULL), 0);
	cr_assert_eq(spx_rule_table_delete(table, 1, NULL), 0);
	spx_rule_table_stats(table, &rules, &overlay, &masked, &compiles);
	cr_expect_eq(rules, 4);
	cr_expect(overlay == 2 && masked == 1 && compiles == 0, "%zu %zu", overlay, masked);
	compare(&shelf, rule + 1, 4, 500, &random);
	/* Nobody asks for it: the thread compiles by itself when nothing more comes. */
	for (int i = 0; i < 200 && compiles == 0; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		spx_rule_table_stats(table, &rules, &overlay, &masked, &compiles);
	}
	cr_expect(rules == 4 && overlay == 0 && masked == 0 && compiles == 1);
	cr_expect(shelf.published == 6 && shelf.changed == 5, "%u %u", shelf.published, shelf.changed);
	compare(&shelf, rule + 1, 4, 500, &random);
	spx_rule_table_settle(table);
	spx_rule_table_stats(table, NULL, NULL, NULL, &compiles);
	cr_expect_eq(compiles, 1);
	spx_rule_table_destroy(table);
}

/* Random sets, additions, deletions, settles against a plain array. */
static void
change_randomly(enum spx_classifier classifier, uint64_t seed)
{
	enum { MOST = 400, STEPS = 300 };
	struct spx_rule *rule = calloc(MOST + STEPS, sizeof(*rule));
	struct shelf shelf;
	struct spx_rule_table *table = make_table(classifier, &shelf);
	size_t n = 0, count;

	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t what = (uint32_t)(spx_random(&seed) % 100);

		if (what < 2) {
			n = spx_random(&seed) % MOST;
			for (size_t i = 0; i < n; i++) {
				rule[i] = simple_rule((uint32_t)i * 2 + 1, (uint32_t)i);
				random_match(&seed, &rule[i].match);
			}
			cr_assert_eq(spx_rule_table_set(table, rule, n, NULL), 0);
		} else if (what < 5) {
			spx_rule_table_settle(table);
			spx_rule_table_stats(table, &count, NULL, NULL, NULL);
			cr_assert_eq(count, n);
		} else if (what < 50 && n > 0) {
			size_t at = spx_random(&seed) % n;

			cr_assert_eq(spx_rule_table_delete(table, rule[at].order, NULL), 0);
			rule[at] = rule[--n];
		} else {
			struct spx_rule more = simple_rule((uint32_t)(1 + spx_random(&seed) % 5000), step);
			size_t at = 0;

			random_match(&seed, &more.match);
			while (at < n && rule[at].order != more.order)
				at++;
			cr_assert_eq(spx_rule_table_add(table, &more, NULL), at < n ? -EEXIST : 0);
			if (at == n)
				rule[n++] = more;
		}
		spx_rule_table_stats(table, &count, NULL, NULL, NULL);
		cr_assert_eq(count, n);
		compare(&shelf, rule, n, 16, &seed);
	}
	spx_rule_table_destroy(table);
	free(rule);
}

Test(rules_table, random_changes_agree_with_the_model)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		change_randomly(SPX_CLASSIFIER_LINEAR, seed);
		change_randomly(SPX_CLASSIFIER_ACL, seed);
	}
}

/* ---- compiles -------------------------------------------------------------------------------------- */

/* A base that takes long enough to compile that changes meet a compile on its way. */
static struct spx_rule_table *
busy_table(struct shelf *shelf, struct spx_rule_list *list)
{
	struct spx_rule_table *table = make_table(SPX_CLASSIFIER_ACL, shelf);

	cr_assert_eq(rule_sets_generate(SPX_FAMILY_IPV4, 2000, 11, list), 0);
	for (size_t i = 0; i < list->n; i++)
		list->rule[i].order += 1000000;
	cr_assert_eq(spx_rule_table_set(table, list->rule, list->n, NULL), 0);
	return table;
}

Test(rules_table, changes_during_a_compile_are_coalesced)
{
	enum { ADDED = 400, DELETED = 200 };
	struct spx_rule_list list = {0};
	struct shelf shelf;
	struct spx_rule_table *table = busy_table(&shelf, &list);
	size_t rules, overlay, masked, most = 0;
	uint64_t compiles, random = 4;

	for (uint32_t i = 0; i < ADDED; i++) {
		struct spx_rule rule = simple_rule(i + 1, 9);

		random_match(&random, &rule.match);
		cr_assert_eq(spx_rule_table_add(table, &rule, NULL), 0);
		cr_assert_eq(spx_rule_list_add(&list, &rule), 0);
		spx_rule_table_stats(table, NULL, &overlay, NULL, NULL);
		most = RTE_MAX(most, overlay);
	}
	for (uint32_t i = 0; i < DELETED; i++) { /* of the base and of those just added */
		size_t at = spx_random(&random) % list.n;

		cr_assert_eq(spx_rule_table_delete(table, list.rule[at].order, NULL), 0);
		list.rule[at] = list.rule[--list.n];
	}
	compare(&shelf, list.rule, list.n, 500, &random);
	spx_rule_table_settle(table);
	spx_rule_table_stats(table, &rules, &overlay, &masked, &compiles);
	cr_expect(rules == list.n && overlay == 0 && masked == 0);
	cr_expect_gt(most, 32, "the changes waited for the compile");
	cr_expect(compiles >= 1 && compiles < 100, "%llu compiles for 600 changes",
		(unsigned long long)compiles);
	cr_expect_eq(shelf.published, 2 + ADDED + DELETED + compiles);
	cr_expect_eq(shelf.changed, 2 + ADDED + DELETED, "a compile changes no answer");
	compare(&shelf, list.rule, list.n, 2000, &random);
	spx_rule_table_destroy(table);
	spx_rule_list_free(&list);
}

Test(rules_table, a_new_set_makes_a_running_compile_worthless)
{
	struct spx_rule_list list = {0};
	struct shelf shelf;
	struct spx_rule_table *table = busy_table(&shelf, &list);
	struct spx_rule only = simple_rule(1, 77), more = simple_rule(2, 78);
	size_t rules, overlay, masked;
	uint64_t compiles, random = 6;

	for (uint32_t i = 0; i < 40; i++) { /* the 33rd starts a compile */
		struct spx_rule rule = simple_rule(i + 1, 9);

		cr_assert_eq(spx_rule_table_add(table, &rule, NULL), 0);
	}
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	cr_assert_eq(spx_rule_table_set(table, &only, 1, NULL), 0);
	compare(&shelf, &only, 1, 100, &random);
	/* Orders that the abandoned compile knows otherwise. */
	cr_expect_eq(spx_rule_table_add(table, &more, NULL), 0);
	cr_expect_eq(spx_rule_table_delete(table, 1, NULL), 0);
	compare(&shelf, &more, 1, 100, &random);
	spx_rule_table_settle(table);
	spx_rule_table_stats(table, &rules, &overlay, &masked, &compiles);
	cr_expect(rules == 1 && overlay == 0 && masked == 0);
	cr_expect_eq(compiles, 1, "only the one behind the new set counts, not %llu",
		(unsigned long long)compiles);
	compare(&shelf, &more, 1, 100, &random);
	spx_rule_table_destroy(table);
	spx_rule_list_free(&list);
}

Test(rules_table, destroy_during_a_compile)
{
	struct spx_rule_list list = {0};
	struct shelf shelf;
	struct spx_rule_table *table = busy_table(&shelf, &list);

	for (uint32_t i = 0; i < 40; i++) {
		struct spx_rule rule = simple_rule(i + 1, 9);

		cr_assert_eq(spx_rule_table_add(table, &rule, NULL), 0);
	}
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	spx_rule_table_destroy(table);
	spx_rule_list_free(&list);
}

/* ---- readers --------------------------------------------------------------------------------------- */

/* A publisher with one reader that looks up all the time. The action of every header is the number of the
 * last change, the same in a burst. The writer moves one bound before a change and the other when the call
 * has returned, so an answer lies between the lower of the floors and the higher of the ceilings that the
 * reader reads before it loads the set and after the lookup. */
struct theatre {
	struct spx_rules *now;
	struct rte_rcu_qsbr *rcu;
	uint32_t floor, ceiling;
	uint64_t bursts;
	bool stop;
	const char *wrong;
};

static void
put_on_stage(void *arg, struct spx_rules *rules, bool answers_changed)
{
	struct theatre *t = arg;
	uint64_t token;

	(void)answers_changed;
	__atomic_store_n(&t->now, rules, __ATOMIC_RELEASE);
	token = rte_rcu_qsbr_start(t->rcu);
	while (rte_rcu_qsbr_check(t->rcu, token, false) == 0)
		sched_yield();
}

/* One burst against the set in force. */
static void
read_burst(struct theatre *t, uint64_t *random)
{
	uint8_t family = (uint8_t)(SPX_FAMILY_IPV4 + spx_random(random) % 3);
	uint32_t floor = __atomic_load_n(&t->floor, __ATOMIC_ACQUIRE);
	uint32_t ceiling = __atomic_load_n(&t->ceiling, __ATOMIC_ACQUIRE);
	const struct spx_rules *rules = __atomic_load_n(&t->now, __ATOMIC_ACQUIRE);
	struct header h[SPX_BURST_MAX];
	uint32_t action[SPX_BURST_MAX];

	for (unsigned i = 0; i < SPX_BURST_MAX; i++)
		random_header(random, family, NULL, &h[i]);
	rules_lookup_burst(rules, h, action, SPX_BURST_MAX);
	floor = RTE_MIN(floor, __atomic_load_n(&t->floor, __ATOMIC_ACQUIRE));
	ceiling = RTE_MAX(ceiling, __atomic_load_n(&t->ceiling, __ATOMIC_ACQUIRE));
	for (unsigned i = 0; i < SPX_BURST_MAX; i++) {
		if (action[i] != action[0])
			t->wrong = "two answers in one burst";
		if (action[i] < floor || action[i] > ceiling)
			t->wrong = "an answer older than the last call that returned, or not yet published";
	}
	t->bursts++;
}

static void *
reader(void *arg)
{
	struct theatre *t = arg;
	uint64_t random = 8;

	rte_rcu_qsbr_thread_register(t->rcu, 0);
	rte_rcu_qsbr_thread_online(t->rcu, 0);
	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
		read_burst(t, &random);
		rte_rcu_qsbr_quiescent(t->rcu, 0);
	}
	rte_rcu_qsbr_thread_offline(t->rcu, 0);
	rte_rcu_qsbr_thread_unregister(t->rcu, 0);
	return NULL;
}

/* A set of n rules of all kinds, all with this action, so that every header has one answer. */
static void
uniform_set(struct spx_rule *rule, size_t n, uint32_t action, uint64_t *random)
{
	for (size_t i = 0; i < n; i++) {
		rule[i] = simple_rule((uint32_t)i + 1000000, action);
		if (i + 1 < n)
			random_match(random, &rule[i].match);
	}
}

static struct spx_rule_table *
open_theatre(struct theatre *t, pthread_t *thread)
{
	struct spx_rule_table *table;
	struct spx_rule any = simple_rule(SPX_RULE_ORDER_MAX, 0);
	size_t size = rte_rcu_qsbr_get_memsize(1);

	*t = (struct theatre){
		.rcu = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE))};
	cr_assert_eq(rte_rcu_qsbr_init(t->rcu, 1), 0);
	cr_assert_eq(spx_rule_table_create(SPX_CLASSIFIER_ACL, put_on_stage, t, &table, NULL), 0);
	cr_assert_eq(spx_rule_table_set(table, &any, 1, NULL), 0);
	cr_assert_eq(pthread_create(thread, NULL, reader, t), 0);
	return table;
}

static void
close_theatre(struct theatre *t, pthread_t thread, struct spx_rule_table *table)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	spx_rule_table_destroy(table);
	free(t->rcu);
	cr_expect_null(t->wrong, "%s", t->wrong);
	cr_expect_gt(t->bursts, 0);
}

Test(rules_table, readers_see_whole_sets_only)
{
	enum { N = 300, SETS = 10, ADDS = 15 };
	static struct spx_rule rule[N];
	struct theatre t;
	pthread_t thread;
	struct spx_rule_table *table = open_theatre(&t, &thread);
	uint64_t random = 12;
	uint32_t number = 0;

	for (unsigned s = 0; s < SETS; s++) {
		uniform_set(rule, N, ++number, &random);
		__atomic_store_n(&t.ceiling, number, __ATOMIC_RELEASE);
		cr_assert_eq(spx_rule_table_set(table, rule, N, NULL), 0);
		__atomic_store_n(&t.floor, number, __ATOMIC_RELEASE);
		/* Each addition lies before all others and accepts everything. */
		for (uint32_t a = 0; a < ADDS + 4 * s; a++) {
			struct spx_rule first = simple_rule(999999 - a, ++number);

			__atomic_store_n(&t.ceiling, number, __ATOMIC_RELEASE);
			cr_assert_eq(spx_rule_table_add(table, &first, NULL), 0);
			__atomic_store_n(&t.floor, number, __ATOMIC_RELEASE);
		}
	}
	spx_rule_table_settle(table);
	close_theatre(&t, thread, table);
}

/* Deletions bring back the answer below: the number counts down, the floor moves first. */
Test(rules_table, readers_see_no_deleted_rule)
{
	enum { N = 200 };
	static struct spx_rule rule[N];
	struct theatre t;
	pthread_t thread;
	struct spx_rule_table *table = open_theatre(&t, &thread);

	for (uint32_t i = 0; i < N; i++) /* order 1 has action N */
		rule[i] = simple_rule(i + 1, N - i);
	__atomic_store_n(&t.ceiling, N, __ATOMIC_RELEASE);
	cr_assert_eq(spx_rule_table_set(table, rule, N, NULL), 0);
	for (uint32_t i = 0; i < N - 1; i++) {
		__atomic_store_n(&t.floor, N - i - 1, __ATOMIC_RELEASE);
		cr_assert_eq(spx_rule_table_delete(table, i + 1, NULL), 0);
		__atomic_store_n(&t.ceiling, N - i - 1, __ATOMIC_RELEASE);
		if (i % 50 == 0)
			spx_rule_table_settle(table);
	}
	close_theatre(&t, thread, table);
}
