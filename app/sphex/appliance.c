/* The whole: configurations and their publication, how an appliance is built, and how it is freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "app/sphex/appliance_internal.h"
#include "app/sphex/server.h"

uint64_t
spx_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- configuration --------------------------------------------------------------------------------- */

/* 1, 2, ...: 0 is left out. */
static uint32_t
next_rules_generation(const struct spx_config *old, bool answers_changed)
{
	uint32_t next = old == NULL ? 1 : old->rules_generation + answers_changed;

	return next == 0 ? 1 : next;
}

/* spx_rules_publish: a new generation with these rules takes over; returns when nobody reads the one before.
 * Flow caches go on with what they hold when the answers are the same. */
static void
publish_rules(void *arg, struct spx_rules *rules, bool answers_changed)
{
	struct spx_appliance *app = arg;
	uint32_t n = app->setup->n_actions;
	struct spx_config *old = app->config, *new = malloc(sizeof(*new) + n * sizeof(new->action[0]));

	if (new == NULL)
		abort(); /* a few hundred kilobytes at most; there is nothing sensible to go on with */
	new->generation = old == NULL ? 1 : old->generation + 1;
	new->rules_generation = next_rules_generation(old, answers_changed);
	new->rules = rules;
	new->has_rules = spx_rules_count(rules) > 0;
	new->n_actions = n;
	for (uint32_t i = 0; i < n; i++)
		new->action[i] = app->setup->action[i].action;
	atomic_store_explicit(&app->config, new, memory_order_release);
	atomic_store(&app->generation, new->generation);
	rte_rcu_qsbr_synchronize(app->qsbr, RTE_QSBR_THRID_INVALID);
	free(old);
}

static int
create_rules(struct spx_appliance *app, struct spx_error *err)
{
	const struct spx_setup *setup = app->setup;
	size_t size = rte_rcu_qsbr_get_memsize(SPX_WATCH_THREADS);
	int r;

	app->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (app->qsbr == NULL || rte_rcu_qsbr_init(app->qsbr, SPX_WATCH_THREADS) != 0)
		return spx_error(err, -ENOMEM, "no memory");
	r = spx_rule_table_create(setup->classifier, publish_rules, app, &app->rules, err);
	if (r == 0 && setup->rules.n > 0)
		r = spx_rule_table_set(app->rules, setup->rules.rule, setup->rules.n, err);
	return r;
}

/* ---- life ------------------------------------------------------------------------------------------ */

int
spx_appliance_create(const struct spx_setup *setup, struct spx_appliance **out, struct spx_error *err)
{
	struct spx_appliance *app = calloc(1, sizeof(*app));
	int r;

	if (app == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	app->setup = setup;
	app->tsc_zero = rte_rdtsc();
	pthread_mutex_init(&app->watching.lock, NULL);
	pthread_mutex_init(&app->captures.lock, NULL);
	if (setup->hash_seed != 0)
		spx_hash_seed_from(&app->seed, setup->hash_seed);
	else if ((r = spx_hash_seed_draw(&app->seed)) < 0) {
		spx_error(err, r, "the kernel gave no random numbers (%s)", strerror(-r));
		goto failed;
	}
	if ((r = spx_appliance_check_files(app, err)) < 0 || (r = create_rules(app, err)) < 0 ||
		(r = spx_appliance_create_pool(app, err)) < 0 ||
		(r = spx_appliance_open_ports(app, err)) < 0 ||
		(r = spx_appliance_check_actions(app, err)) < 0 ||
		(r = spx_appliance_create_workers(app, err)) < 0)
		goto failed;
	*out = app;
	return 0;
failed:
	spx_appliance_free(app, NULL);
	return r;
}

int
spx_appliance_free(struct spx_appliance *app, struct spx_error *err)
{
	int first = 0;

	for (uint16_t p = 0; p < app->n_ports; p++) {
		int r = spx_port_close(&app->port[p], first == 0 ? err : NULL);

		first = first == 0 ? r : first;
	}
	spx_server_free(app->server); /* after the ports, whose threads may tell it things */
	spx_appliance_free_caches(app);
	for (uint16_t i = 0; i < app->n_workers; i++) {
		for (uint16_t p = 0; p < app->n_ports; p++)
			rte_ring_free(app->handover[i][p]);
		rte_ring_free(app->worker[i]->inject);
		rte_free(app->worker[i]->action_counter);
		rte_free(app->worker[i]);
	}
	for (uint16_t p = 0; p < app->n_ports; p++)
		spx_queue_free(app->queue[p]);
	rte_ring_free(app->exception);
	spx_rule_table_destroy(app->rules);
	if (first == 0)
		first = spx_appliance_check_pool(app, err);
	pthread_mutex_destroy(&app->captures.lock);
	pthread_mutex_destroy(&app->watching.lock);
	free(app->config);
	free(app->qsbr);
	free(app);
	return first;
}
