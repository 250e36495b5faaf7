/* What is still in rings when the appliance ends: whether there is anything, and what becomes of it. See
 * control.c, which waits.
 */
#include "app/sphex/appliance_internal.h"

bool
spx_drain_quiet(const struct spx_appliance *app)
{
	if (!atomic_load(&app->slowpath.idle) || rte_ring_count(app->exception) > 0)
		return false;
	for (uint16_t i = 0; i < app->n_workers; i++) {
		if (!atomic_load(&app->worker[i]->drained) || rte_ring_count(app->worker[i]->inject) > 0)
			return false;
		for (uint16_t p = 0; p < app->n_ports; p++)
			if (app->handover[i][p] != NULL && rte_ring_count(app->handover[i][p]) > 0)
				return false;
	}
	return true;
}

/* `port`: that the packets should have gone out by; SPX_NO_PORT: they know where they came in. */
static uint64_t
free_ring(struct spx_watcher *watcher, struct rte_ring *ring, uint16_t port)
{
	uint64_t n = 0;
	void *m;

	for (; ring != NULL && rte_ring_sc_dequeue(ring, &m) == 0; n++) {
		struct rte_mbuf *pkt = m;

		if (spx_watched(watcher))
			spx_watch_drop(watcher, port == SPX_NO_PORT ? spx_meta(pkt)->in_port : port, &pkt, 1,
				SPX_DROP_stopping);
		rte_pktmbuf_free(pkt);
	}
	return n;
}

void
spx_drain_drop_leftovers(struct spx_appliance *app)
{
	struct spx_watcher watcher = {.published = &app->watching.now, .thread = SPX_WATCH_CONTROL};
	uint64_t workers = 0, slow;

	spx_watch_turn(&watcher);
	slow = free_ring(&watcher, app->exception, SPX_NO_PORT);
	for (uint16_t i = 0; i < app->n_workers; i++) {
		slow += free_ring(&watcher, app->worker[i]->inject, SPX_NO_PORT);
		for (uint16_t p = 0; p < app->n_ports; p++)
			workers += free_ring(&watcher, app->handover[i][p], p);
	}
	app->leftover.handed_out += workers;
	app->leftover.drops[SPX_DROP_stopping] += workers;
	app->slowpath.counters.drops[SPX_DROP_stopping] += slow;
	if (workers + slow > 0)
		spx_log(SPX_LOG_WARNING, "%lu packets were still in rings when the drain ended (stopping)",
			workers + slow);
}
