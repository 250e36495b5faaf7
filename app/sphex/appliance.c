/* The whole: how an appliance is built, and how it is freed. */
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
	app->ports_up = UINT64_MAX;
	pthread_mutex_init(&app->latest.lock, NULL);
	pthread_mutex_init(&app->address_lock, NULL);
	pthread_mutex_init(&app->watching.lock, NULL);
	pthread_mutex_init(&app->captures.lock, NULL);
	if (setup->hash_seed != 0)
		spx_hash_seed_from(&app->seed, setup->hash_seed);
	else if ((r = spx_hash_seed_draw(&app->seed)) < 0) {
		spx_error(err, r, "the kernel gave no random numbers (%s)", strerror(-r));
		goto failed;
	}
	if ((r = spx_appliance_check_files(app, err)) < 0 || (r = spx_appliance_create_rules(app, err)) < 0 ||
		(r = spx_appliance_create_pool(app, err)) < 0 ||
		(r = spx_appliance_open_ports(app, err)) < 0 ||
		(r = spx_appliance_check_actions(app, err)) < 0 ||
		(r = spx_appliance_create_routes(app, err)) < 0 ||
		(r = spx_appliance_create_workers(app, err)) < 0 ||
		(r = spx_appliance_set_neighbours(app, err)) < 0)
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
	spx_slowpath_free(&app->slowpath);
	spx_rule_table_destroy(app->rules);
	spx_route_table_destroy(app->routes);
	spx_neighbours_free(app->neighbours);
	if (first == 0)
		first = spx_appliance_check_pool(app, err);
	pthread_mutex_destroy(&app->captures.lock);
	pthread_mutex_destroy(&app->watching.lock);
	pthread_mutex_destroy(&app->address_lock);
	pthread_mutex_destroy(&app->latest.lock);
	spx_address_list_free(&app->latest.addresses);
	spx_config_free(app->config);
	free(app->qsbr);
	free(app);
	return first;
}
