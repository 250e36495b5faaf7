/* The control thread's editable list: every change publishes a new set at once, and a compile thread folds
 * overlay and mask into a new base when they have grown or when changes have paused.
 *
 * The thread compiles a snapshot without the lock. Changes made meanwhile are applied twice: to the set in
 * force and to `next`, the same rules over the base that is being compiled; when the compile is done, `next`
 * is what gets published. So changes during a compile are coalesced: one compile runs at a time and whatever
 * came in meanwhile waits for one more. A whole new set bumps `epoch`, which makes a running compile's result
 * worthless.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_lcore.h>

#include "lib/rules/rules_internal.h"

/* Rules in overlay and mask together beyond which a compile starts at once. 32 overlay rules whose addresses
 * do not match cost an IPv4 packet 12 to 38 ns and an IPv6 packet 3 to 44 ns beside 20 to 82 and 80 to 162 ns
 * in the tries (loaded machine, base and overlay in turns): about one more lookup at worst. Rules whose
 * addresses match, and answers that are masked, cost more; those were not measured. */
#define CHANGES_MAX 32u

/* With fewer changes the compile waits until there was none for so long. */
#define QUIET_NS 100000000

struct spx_rule_table {
	enum spx_classifier classifier;
	spx_rules_publish publish;
	void *arg;
	pthread_t thread;

	pthread_mutex_t lock;   /* over everything below */
	pthread_cond_t work;    /* something changed: for the compile thread */
	pthread_cond_t idle;    /* the compile thread has nothing to do: for spx_rule_table_settle */
	struct spx_rules *now;  /* in force */
	struct spx_rules *next; /* over the base being compiled, with the changes since; else NULL */
	uint64_t epoch;         /* whole sets put in force */
	uint64_t changes;       /* single changes made */
	uint64_t failed_at;     /* `changes` when a compile failed: not tried again before the next change */
	uint64_t compiles;      /* done and published */
	struct timespec quiet_at; /* when the last change counts as past */
	bool running;             /* a compile is */
	bool failed, hurry, stop; /* hurry: somebody waits in settle */
};

/* ---- publish --------------------------------------------------------------------------------------- */

static void
put_in_force(struct spx_rule_table *t, struct spx_rules *rules, bool answers_changed)
{
	struct spx_rules *before = t->now;

	t->now = rules;
	t->publish(t->arg, rules, answers_changed);
	spx_rules_free(before);
}

static void
drop_next(struct spx_rule_table *t)
{
	spx_rules_free(t->next);
	t->next = NULL;
}

static size_t
uncompiled(const struct spx_rules *rules)
{
	return rules->overlay.n + rules->n_masked;
}

static bool
compile_due(const struct spx_rule_table *t)
{
	return uncompiled(t->now) > 0 && !(t->failed && t->failed_at == t->changes);
}

/* Puts a single change in force: `now` is the new set, `next` its twin over the base being compiled. */
static void
commit_change(struct spx_rule_table *t, struct spx_rules *now, struct spx_rules *next)
{
	if (next != NULL) {
		spx_rules_free(t->next);
		t->next = next;
	}
	t->changes++;
	clock_gettime(CLOCK_MONOTONIC, &t->quiet_at);
	t->quiet_at.tv_nsec += QUIET_NS;
	if (t->quiet_at.tv_nsec >= 1000000000) {
		t->quiet_at.tv_sec++;
		t->quiet_at.tv_nsec -= 1000000000;
	}
	put_in_force(t, now, true);
	pthread_cond_signal(&t->work);
}

/* ---- compile thread -------------------------------------------------------------------------------- */

static int
snapshot(struct spx_rule_table *t, struct spx_error *err)
{
	struct spx_rule *rule;
	size_t n;
	int rc = spx_rules_in_force(t->now, &rule, &n);

	if (rc != 0)
		return spx_error(err, rc, "no memory for %zu rules", n);
	rc = spx_rules_flatten(rule, n, &t->next, err);
	free(rule);
	return rc;
}

/* One compile: called with the lock, which it gives up while it compiles. `next` may be replaced by sets over
 * the same base meanwhile; `snap` keeps the base. */
static void
compile(struct spx_rule_table *t)
{
	struct spx_error err = {0};
	struct spx_rules *snap = NULL;
	uint64_t epoch = t->epoch, changes = t->changes;
	int rc = snapshot(t, &err);

	t->running = true;
	if (rc == 0)
		rc = spx_rules_derive(t->next->base, NULL, 0, NULL, 0, &snap);
	if (rc == 0) {
		pthread_mutex_unlock(&t->lock);
		rc = spx_rules_compile(snap, t->classifier, &err);
		pthread_mutex_lock(&t->lock);
	}
	t->running = false;
	t->failed = rc != 0;
	t->failed_at = changes;
	if (rc == 0 && epoch == t->epoch) {
		put_in_force(t, t->next, false); /* the rules of `now` over their own base */
		t->next = NULL;
		t->compiles++;
	}
	drop_next(t);
	spx_rules_free(snap);
	if (rc != 0)
		spx_log(SPX_LOG_WARNING, "rules stay in the overlay, lookups are slower: %s", err.text);
}

static bool
is_past(const struct timespec *time)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > time->tv_sec || (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

static void *
compile_thread(void *arg)
{
	struct spx_rule_table *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		if (!compile_due(t)) {
			pthread_cond_broadcast(&t->idle);
			pthread_cond_wait(&t->work, &t->lock);
		} else if (!t->hurry && uncompiled(t->now) <= CHANGES_MAX && !is_past(&t->quiet_at)) {
			pthread_cond_timedwait(&t->work, &t->lock, &t->quiet_at);
		} else {
			compile(t);
		}
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* A control thread of DPDK's: off the CPUs of the lcores where there are others. Signals are other threads'
 * business. */
static int
start_thread(struct spx_rule_table *t)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = rte_ctrl_thread_create(&t->thread, "spx-compile", NULL, compile_thread, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* ---- the table ------------------------------------------------------------------------------------- */

static void
table_free(struct spx_rule_table *t)
{
	spx_rules_free(t->now);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->work);
	pthread_cond_destroy(&t->idle);
	free(t);
}

int
spx_rule_table_create(enum spx_classifier classifier, spx_rules_publish publish, void *arg,
	struct spx_rule_table **out, struct spx_error *err)
{
	struct spx_rule_table *t = calloc(1, sizeof(*t));
	pthread_condattr_t monotonic;
	int rc;

	*out = NULL;
	if (t == NULL)
		return spx_error(err, -ENOMEM, "no memory for a rule table");
	t->classifier = classifier;
	t->publish = publish;
	t->arg = arg;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&t->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&t->idle, NULL);
	rc = spx_rules_build(classifier, NULL, 0, &t->now, err);
	if (rc == 0 && (rc = start_thread(t)) != 0)
		spx_error(err, rc, "the compile thread does not start: %s", strerror(-rc));
	if (rc != 0) {
		table_free(t);
		return rc;
	}
	publish(arg, t->now, true);
	*out = t;
	return 0;
}

int
spx_rule_table_set(struct spx_rule_table *t, const struct spx_rule *rule, size_t n, struct spx_error *err)
{
	struct spx_rules *rules;
	int rc = spx_rules_build(t->classifier, rule, n, &rules, err);

	if (rc != 0)
		return rc;
	pthread_mutex_lock(&t->lock);
	t->epoch++;
	t->failed = false;
	drop_next(t);
	put_in_force(t, rules, true);
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

/* With the lock, the rule checked. */
static int
add(struct spx_rule_table *t, const struct spx_rule *rule, struct spx_error *err)
{
	struct spx_rules *now = NULL, *next = NULL;
	int rc = spx_rules_with(t->now, rule, &now);

	if (rc == 0 && t->next != NULL)
		rc = spx_rules_with(t->next, rule, &next);
	if (rc == 0)
		commit_change(t, now, next);
	else
		spx_rules_free(now);
	if (rc == -EEXIST)
		return spx_error(err, rc,
			"there is a rule of order %u: delete it first or choose another order", rule->order);
	return rc == 0 ? 0 : spx_error(err, rc, "no memory for one more rule");
}

int
spx_rule_table_add(struct spx_rule_table *t, const struct spx_rule *rule, struct spx_error *err)
{
	int rc = spx_rule_check(rule, err);

	if (rc != 0)
		return rc;
	pthread_mutex_lock(&t->lock);
	rc = add(t, rule, err);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

int
spx_rule_table_append(struct spx_rule_table *t, struct spx_rule *rule, uint32_t step, struct spx_error *err)
{
	uint32_t last;
	int rc;

	pthread_mutex_lock(&t->lock);
	last = spx_rules_last_order(t->now);
	rule->order = last + step;
	if (step > SPX_RULE_ORDER_MAX - last)
		rc = spx_error(err, -ENOSPC,
			"no order is left behind the last rule, which has %u of %u: give an order", last,
			SPX_RULE_ORDER_MAX);
	else if ((rc = spx_rule_check(rule, err)) == 0)
		rc = add(t, rule, err);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

int
spx_rule_table_delete(struct spx_rule_table *t, uint32_t order, struct spx_error *err)
{
	struct spx_rules *now = NULL, *next = NULL;
	int rc;

	pthread_mutex_lock(&t->lock);
	rc = spx_rules_without(t->now, order, &now);
	if (rc == 0 && t->next != NULL)
		rc = spx_rules_without(t->next, order, &next);
	if (rc == 0)
		commit_change(t, now, next);
	else
		spx_rules_free(now);
	pthread_mutex_unlock(&t->lock);
	if (rc == -ENOENT)
		return spx_error(
			err, rc, "there is no rule of order %u: give the order of a rule in force", order);
	return rc == 0 ? 0 : spx_error(err, rc, "no memory to delete a rule");
}

void
spx_rule_table_settle(struct spx_rule_table *t)
{
	pthread_mutex_lock(&t->lock);
	while (t->running || compile_due(t)) {
		t->hurry = true;
		pthread_cond_signal(&t->work);
		pthread_cond_wait(&t->idle, &t->lock);
	}
	t->hurry = false;
	pthread_mutex_unlock(&t->lock);
}

int
spx_rule_table_get(struct spx_rule_table *t, struct spx_rule **out, size_t *n, struct spx_error *err)
{
	int rc;

	pthread_mutex_lock(&t->lock);
	rc = spx_rules_in_force(t->now, out, n);
	pthread_mutex_unlock(&t->lock);
	return rc == 0 ? 0 : spx_error(err, rc, "no memory for a copy of %zu rules", *n);
}

void
spx_rule_table_stats(
	struct spx_rule_table *t, size_t *rules, size_t *overlay, size_t *masked, uint64_t *compiles)
{
	pthread_mutex_lock(&t->lock);
	if (rules != NULL)
		*rules = spx_rules_count(t->now);
	if (overlay != NULL)
		*overlay = t->now->overlay.n;
	if (masked != NULL)
		*masked = t->now->n_masked;
	if (compiles != NULL)
		*compiles = t->compiles;
	pthread_mutex_unlock(&t->lock);
}

void
spx_rule_table_destroy(struct spx_rule_table *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	table_free(t);
}
