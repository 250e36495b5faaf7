/* The workers' flow caches: made from the setup, tied to the rings of ended flows, flushed at the end. */
#include <errno.h>
#include <math.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#include "app/sphex/appliance_internal.h"

/* Seeds of a worker's filters: from the appliance's secret, so runs repeat when that does (hash_seed). */
static uint64_t
filter_seed(const struct spx_appliance *app, uint16_t worker)
{
	uint64_t state = app->seed.word[0] ^ worker;

	return spx_random(&state);
}

static int
create_cache(const struct spx_appliance *app, struct spx_worker *w, struct spx_error *err)
{
	const struct spx_setup_cache *wanted = &app->setup->cache;
	const struct spx_flow_options options = {
		.mode = wanted->mode,
		.entries = wanted->entries,
		.entries6 = wanted->entries6,
		.ways = wanted->ways,
		.p = wanted->p,
		.flows = wanted->flows,
		.ageing = wanted->ageing,
		.idle_ms = (uint32_t)ceil(wanted->idle_seconds * 1000),
		.flood_rate = wanted->flood_guard,
		.n_actions = app->setup->n_actions,
		.seed = filter_seed(app, w->id),
		.socket = (int)rte_lcore_to_socket_id(w->id + 1u),
		.ended = spx_flow_export,
		.arg = &w->flow_export,
	};
	struct spx_error why = {""};
	int r = spx_flow_create(&options, &w->cache, &why);

	if (r == -ENOMEM)
		return spx_error(err, r,
			"worker %u: %s; raise memory.megabytes or lower cache.entries and cache.flows", w->id,
			why.text);
	return r < 0 ? spx_error(err, r, "worker %u: %s", w->id, why.text) : 0;
}

int
spx_appliance_create_cache(struct spx_appliance *app, struct spx_worker *w, struct spx_error *err)
{
	struct rte_ring *ring = spx_flow_ring_create(w->id, app->setup->flow_ring, err);

	if (ring == NULL)
		return -ENOMEM;
	app->slowpath.flow_ring[app->slowpath.n_flow_rings++] = ring;
	w->flow_export.ring = ring;
	w->flow_export.totals = &app->slowpath.flow_totals;
	return create_cache(app, w, err);
}

/* The slow path has stopped: what is in the rings is added up here, and what the caches still hold goes there
 * directly, as no ring could take it. */
void
spx_appliance_flush_caches(struct spx_appliance *app)
{
	for (uint16_t i = 0; i < app->slowpath.n_flow_rings; i++)
		while (spx_flow_collect(app->slowpath.flow_ring[i], &app->slowpath.flow_totals) > 0)
			;
	for (uint16_t i = 0; i < app->n_workers; i++) {
		app->worker[i]->flow_export.ring = NULL;
		spx_flow_flush(app->worker[i]->cache);
	}
}

void
spx_appliance_free_caches(struct spx_appliance *app)
{
	for (uint16_t i = 0; i < app->n_workers; i++)
		spx_flow_free(app->worker[i]->cache);
	for (uint16_t i = 0; i < app->slowpath.n_flow_rings; i++)
		rte_ring_free(app->slowpath.flow_ring[i]);
}
