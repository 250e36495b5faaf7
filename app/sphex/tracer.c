/* The packet side of a trace; see tracer.h. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring_elem.h>

#include "app/sphex/tracer_internal.h"
#include "app/sphex/worker.h"

#define EVENTS_OF_WAY                                                                                        \
	16u            /* most that one thread writes of one packet: two rounds of seven stages, and ends */
#define RING_MIN 2048u /* events, and one less has room: a burst of chosen packets is 64 * 16 */
#define RING_MAX 16384u

static atomic_uint sessions; /* traces of this process: tells packets of an earlier one apart */

/* The bit of ol_flags that says that spx_meta.trace counts. 0 or a negative errno. */
static int
register_flag(uint64_t *flag)
{
	static const struct rte_mbuf_dynflag description = {.name = "spx_traced"};
	int bit = rte_mbuf_dynflag_register(&description);

	if (bit < 0)
		return -rte_errno;
	*flag = UINT64_C(1) << bit;
	return 0;
}

static int
create_rings(struct spx_tracer *t, uint16_t n_workers)
{
	uint32_t most = RTE_MIN(t->count * EVENTS_OF_WAY, RING_MAX);
	uint32_t size = rte_align32pow2(RTE_MAX(most, RING_MIN));

	for (unsigned i = 0; i < SPX_WATCH_THREADS; i++) {
		char name[RTE_RING_NAMESIZE];

		if (i >= n_workers && i < SPX_WORKERS_MAX)
			continue;
		snprintf(name, sizeof(name), "tracer_%u_%u", t->session, i);
		t->ring[i] = rte_ring_create_elem(name, sizeof(struct spx_trace_event), size, SOCKET_ID_ANY,
			RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (t->ring[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
spx_tracer_create(uint32_t count, const char *filter, uint16_t n_workers, struct spx_tracer **out,
	struct spx_error *err)
{
	struct spx_tracer *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL)
		return spx_error(err, -ENOMEM, "no memory for a trace");
	t->count = count;
	t->session = atomic_fetch_add(&sessions, 1) & (UINT32_MAX >> SPX_TRACE_NUMBER_BITS);
	r = spx_filter_create(filter, &t->filter, err);
	if (r == 0 && ((r = register_flag(&t->flag)) < 0 || (r = create_rings(t, n_workers)) < 0))
		spx_error(err, r,
			"no memory for the events of %u packets: ask for fewer, or raise memory.megabytes",
			count);
	if (r < 0) {
		spx_tracer_free(t);
		return r;
	}
	*out = t;
	return 0;
}

void
spx_tracer_free(struct spx_tracer *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < SPX_WATCH_THREADS; i++)
		rte_ring_free(t->ring[i]);
	spx_filter_free(t->filter);
	free(t);
}

uint32_t
spx_tracer_chosen(const struct spx_tracer *t)
{
	return RTE_MIN(atomic_load(&t->chosen), t->count);
}

uint64_t
spx_tracer_lost(const struct spx_tracer *t)
{
	return atomic_load(&t->lost);
}

/* ---- packets ---------------------------------------------------------------------------------------------
 */

uint32_t
spx_tracer_id(const struct spx_tracer *t, struct rte_mbuf *m)
{
	uint32_t id = (m->ol_flags & t->flag) != 0 ? spx_meta(m)->trace : 0;

	return id >> SPX_TRACE_NUMBER_BITS == t->session ? id : 0; /* not one of an earlier trace */
}

void
spx_tracer_forget(const struct spx_tracer *t, struct rte_mbuf *m)
{
	m->ol_flags &= ~t->flag;
}

void
spx_tracer_remember(const struct spx_tracer *t, struct rte_mbuf *m)
{
	m->ol_flags |= t->flag;
}

void
spx_tracer_write(struct spx_tracer *t, uint16_t thread, struct spx_trace_event *event)
{
	event->tsc = rte_rdtsc();
	event->thread = (uint8_t)thread;
	if (t->ring[thread] == NULL || rte_ring_sp_enqueue_elem(t->ring[thread], event, sizeof(*event)) != 0)
		atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
}

/* Gives the packet the next number; false when all are given. */
static bool
number(struct spx_tracer *t, struct rte_mbuf *m)
{
	uint32_t before = atomic_fetch_add(&t->chosen, 1);

	if (before >= t->count)
		return false;
	m->ol_flags |= t->flag;
	spx_meta(m)->trace = t->session << SPX_TRACE_NUMBER_BITS | (before + 1);
	return true;
}

static void
write_arrival(struct spx_tracer *t, struct spx_worker *w, const struct spx_burst *b, unsigned i,
	enum spx_trace_kind kind, uint16_t queue)
{
	struct spx_trace_event event = {.id = spx_meta(b->pkt[i])->trace,
		.kind = kind,
		.port = b->in_port,
		.receive = {.length = b->pkt[i]->pkt_len, .queue = queue}};

	if (kind == SPX_TRACE_inject)
		event.receive.stage = spx_meta(b->pkt[i])->stage;
	spx_tracer_write(t, w->watcher.thread, &event);
}

void
spx_tracer_choose(struct spx_tracer *t, struct spx_worker *w, struct spx_burst *b, enum spx_trace_kind kind,
	uint16_t queue)
{
	const bool full = atomic_load_explicit(&t->chosen, memory_order_relaxed) >= t->count;
	unsigned room = rte_ring_free_count(t->ring[w->watcher.thread]) / EVENTS_OF_WAY, i;

	if (full && kind == SPX_TRACE_receive)
		return; /* new packets carry no number */
	SPX_FOREACH (i, b->alive) {
		struct rte_mbuf *m = b->pkt[i];
		bool traced = kind == SPX_TRACE_inject && spx_tracer_id(t, m) != 0;

		if (!traced && !full && room > 0 && spx_filter_match(t->filter, m) && number(t, m)) {
			traced = true;
			room--;
		}
		if (!traced)
			continue;
		b->traced |= spx_set_one(i);
		write_arrival(t, w, b, i, kind, queue);
	}
}
