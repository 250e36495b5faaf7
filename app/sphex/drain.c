/* What is still in rings and port queues when the appliance ends: whether there is anything, and what becomes
 * of it. See control.c, which waits.
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
	for (uint16_t p = 0; p < app->n_ports; p++) /* last: rings are emptied into them */
		if (app->queue[p] != NULL && spx_queue_depth(app->queue[p]) > 0)
			return false;
	return true;
}

static void
free_packet(struct spx_watcher *watcher, uint16_t port, struct rte_mbuf *pkt)
{
	if (spx_watched(watcher))
		spx_watch_drop(watcher, port, &pkt, 1, SPX_DROP_stopping);
	rte_pktmbuf_free(pkt);
}

/* `port`: that the packets should have gone out by; SPX_NO_PORT: they know where they came in. */
static uint64_t
free_ring(struct spx_watcher *watcher, struct rte_ring *ring, uint16_t port)
{
	uint64_t n = 0;
	void *m;

	for (; ring != NULL && rte_ring_sc_dequeue(ring, &m) == 0; n++)
		free_packet(watcher, port == SPX_NO_PORT ? spx_meta(m)->in_port : port, m);
	return n;
}

static uint64_t
free_queue(struct spx_watcher *watcher, uint16_t port, struct spx_queue *queue)
{
	struct rte_mbuf *pkt;
	uint64_t n = 0;

	for (; queue != NULL && spx_queue_remove(queue, &pkt, 1) == 1; n++)
		free_packet(watcher, port, pkt);
	return n;
}

void
spx_drain_drop_leftovers(struct spx_appliance *app)
{
	struct spx_watcher watcher = {.published = &app->watching.now, .thread = SPX_WATCH_CONTROL};
	uint64_t workers = 0, queues = 0, slow;

	spx_watch_turn(&watcher);
	spx_slowpath_drop_waiting(&app->slowpath);
	spx_slowpath_drop_waiting(&app->slowpath);
	slow = free_ring(&watcher, app->exception, SPX_NO_PORT);
	for (uint16_t i = 0; i < app->n_workers; i++) {
		slow += free_ring(&watcher, app->worker[i]->inject, SPX_NO_PORT);
		for (uint16_t p = 0; p < app->n_ports; p++)
			workers += free_ring(&watcher, app->handover[i][p], p);
	}
	for (uint16_t p = 0; p < app->n_ports; p++)
		queues += free_queue(&watcher, p, app->queue[p]);
	app->leftover.handed_out += workers;
	app->leftover.drops[SPX_DROP_stopping] += workers + queues;
	app->slowpath.counters.drops[SPX_DROP_stopping] += slow;
	if (workers + queues + slow > 0)
		spx_log(SPX_LOG_WARNING,
			"%lu packets were still in rings and %lu in port queues when the drain ended "
			"(stopping)",
			workers + slow, queues);
}
