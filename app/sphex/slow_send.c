/* Frames of the slow path on their way to a worker, and the ends of packets; see slowpath.h. */
#include "app/sphex/slow_internal.h"

struct rte_mbuf *
spx_slow_new(struct spx_slowpath *s, uint16_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool);

	if (m == NULL || rte_pktmbuf_append(m, length) == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	*spx_meta(m) =
		(struct spx_meta){.action = SPX_ACTION_NONE, .in_port = SPX_NO_PORT, .out_port = SPX_NO_PORT};
	spx_count(&s->counters.generated, 1);
	return m;
}

/* Always the same worker for a port, so that frames keep their order. */
void
spx_slow_send(struct spx_slowpath *s, struct rte_mbuf *m, uint16_t port)
{
	spx_meta(m)->in_port = port;
	spx_meta(m)->out_port = port;
	spx_meta(m)->action = SPX_ACTION_NONE;
	if (s->mute & spx_set_one(port)) {
		spx_slow_drop(s, m, SPX_DROP_port_down);
		return;
	}
	spx_slowpath_inject(s, port % s->n_workers, m, SPX_STAGE_enqueue);
}

void
spx_slow_drop(struct spx_slowpath *s, struct rte_mbuf *m, enum spx_drop reason)
{
	if (spx_watched(&s->watcher))
		spx_watch_drop(&s->watcher, spx_meta(m)->in_port, &m, 1, reason);
	spx_count(&s->counters.drops[reason], 1);
	rte_pktmbuf_free(m);
}

void
spx_slow_consume(struct spx_slowpath *s, struct rte_mbuf *m)
{
	if (spx_watched(&s->watcher))
		spx_watch_consume(&s->watcher, &m, 1);
	spx_count(&s->counters.consumed, 1);
	rte_pktmbuf_free(m);
}
