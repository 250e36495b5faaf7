/* The slow-path lcore: its loop, and which exception goes where; see slowpath.h. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_errno.h>

#include "app/sphex/slow_internal.h"

#define IDLE_NS     50000 /* between looks at empty rings */
#define CHANGES     1024u /* of neighbours that may wait for a turn */
#define FULL_BURSTS 64u   /* of exceptions in a row, after which what comes later may overtake */

int
spx_slowpath_create(struct spx_slowpath *s, struct spx_error *err)
{
	if (s->neighbours == NULL)
		return 0;
	s->waiting = calloc(spx_neighbour_capacity(s->neighbours), sizeof(*s->waiting));
	s->changes = rte_ring_create("slowpath_changes", CHANGES, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (s->waiting == NULL || s->changes == NULL)
		return spx_error(err, -ENOMEM,
			"no memory for packets that wait for neighbours; raise memory.megabytes");
	spx_neighbours_tell(s->neighbours, spx_slow_let_go, s);
	s->errors.left = s->echoes.left = SPX_SLOW_ANSWERS;
	return 0;
}

void
spx_slowpath_free(struct spx_slowpath *s)
{
	void *change;

	while (s->changes != NULL && rte_ring_sc_dequeue(s->changes, &change) == 0)
		free(change);
	rte_ring_free(s->changes);
	free(s->waiting);
}

void
spx_slowpath_inject(struct spx_slowpath *s, uint16_t worker, struct rte_mbuf *m, enum spx_stage stage)
{
	spx_meta(m)->stage = (uint8_t)stage;
	if (rte_ring_sp_enqueue(s->inject[worker], m) != 0)
		spx_slow_drop(s, m, SPX_DROP_inject_ring_full);
}

static enum spx_drop
reason_of(enum spx_exception exception)
{
	switch (exception) {
	case SPX_EXCEPTION_ttl:
		return SPX_DROP_ttl_expired;
	case SPX_EXCEPTION_unreachable:
		return SPX_DROP_unreachable;
	case SPX_EXCEPTION_path_down:
		return SPX_DROP_path_down;
	case SPX_EXCEPTION_prohibited:
		return SPX_DROP_prohibited;
	case SPX_EXCEPTION_too_big:
		return SPX_DROP_too_big;
	default:
		return SPX_DROP_no_route;
	}
}

/* May a message make a neighbour known? */
static bool
tells(struct rte_mbuf *m)
{
	const uint8_t exception = spx_meta(m)->exception;

	return exception == SPX_EXCEPTION_arp || exception == SPX_EXCEPTION_local;
}

/* Without routing exceptions are counted by class and end here. */
static void
handle(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const enum spx_exception exception = (enum spx_exception)spx_meta(m)->exception;

	spx_count(&s->counters.exceptions[exception], 1);
	if (exception == SPX_EXCEPTION_rule || s->neighbours == NULL)
		spx_slow_consume(s, m);
	else if (exception == SPX_EXCEPTION_neighbour)
		spx_slow_wait(s, m);
	else if (exception == SPX_EXCEPTION_arp)
		spx_slow_arp(s, m);
	else if (exception == SPX_EXCEPTION_local)
		spx_slow_local(s, m);
	else
		spx_slow_refuse(s, m, reason_of(exception));
}

/* What waits for a neighbour goes before what may make it known: once it is, workers send to it what comes
 * later, and that shall not overtake. Nor shall it when the neighbour is known and only the next hop is new:
 * workers are told when no more exceptions stand in the ring, or do so without an end. */
static unsigned
take_exceptions(struct spx_slowpath *s)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];
	unsigned n, telling = 0;

	atomic_store(&s->idle, false);
	n = rte_ring_sc_dequeue_burst(s->exception, (void **)pkts, SPX_BURST_MAX, NULL);
	for (unsigned i = 0; i < n; i++)
		if (!tells(pkts[i]))
			handle(s, pkts[i]);
		else
			pkts[telling++] = pkts[i];
	s->full_bursts = n == SPX_BURST_MAX ? s->full_bursts + 1 : 0;
	spx_slow_tell_known(s, s->full_bursts % FULL_BURSTS == 0);
	for (unsigned i = 0; i < telling; i++)
		handle(s, pkts[i]);
	atomic_store(&s->idle, n == 0);
	return n;
}

unsigned
spx_slowpath_turn(struct spx_slowpath *s)
{
	unsigned n;

	spx_watch_turn(&s->watcher);
	if (s->neighbours != NULL) {
		s->now = atomic_load_explicit(s->config, memory_order_acquire);
		s->now_ms =
			(uint64_t)(((unsigned __int128)(rte_rdtsc() - s->tsc_zero) * s->ms_per_tsc) >> 64);
		spx_slow_tick(s);
	}
	n = take_exceptions(s);
	for (uint16_t i = 0; i < s->n_flow_rings; i++)
		n += spx_flow_collect(s->flow_ring[i], &s->flow_totals);
	spx_count(&s->counters.polls, 1);
	return n;
}

void
spx_slowpath_run(struct spx_slowpath *s)
{
	const struct timespec nap = {.tv_nsec = IDLE_NS};

	rte_rcu_qsbr_thread_register(s->qsbr, SPX_WATCH_SLOWPATH);
	rte_rcu_qsbr_thread_online(s->qsbr, SPX_WATCH_SLOWPATH);
	while (!atomic_load(&s->stop)) {
		unsigned n = spx_slowpath_turn(s);

		rte_rcu_qsbr_quiescent(s->qsbr, SPX_WATCH_SLOWPATH);
		if (n == 0)
			nanosleep(&nap, NULL);
	}
	rte_rcu_qsbr_thread_offline(s->qsbr, SPX_WATCH_SLOWPATH);
	rte_rcu_qsbr_thread_unregister(s->qsbr, SPX_WATCH_SLOWPATH);
}
