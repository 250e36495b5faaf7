/* The packet's way. spx_worker_turn reads like the list in doc/architecture.md: each line is one stage that
 * handles the whole burst.
 */
#include <time.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "app/sphex/stages.h"

#define HOUSEKEEPING_EVERY 256u  /* bursts between two rounds, at most: a turn has one from every queue */
#define SLEEP_AFTER        1024u /* idle turns in a row before the worker sleeps */
#define SLEEP_NS           50000u

/* ---- between stages -------------------------------------------------------------------------------- */

/* Starts the stage clocks when this is one burst in SPX_SAMPLE_EVERY: reading the TSC costs as much as half a
 * packet. Each queue has a count of its own; with one for all, queues served in turn would be timed always or
 * never. */
static inline void
clock_start(struct spx_worker *w, uint32_t burst)
{
	w->attention = burst % SPX_SAMPLE_EVERY == 0 ? SPX_ATTENTION_CLOCK : SPX_ATTENTION_NONE;
	if (w->attention != SPX_ATTENTION_NONE)
		w->tsc = rte_rdtsc();
}

static inline void
clock_stage(struct spx_worker *w, enum spx_stage stage, unsigned packets)
{
	struct spx_stage_counter *counter = &w->counters.stage[stage];
	uint64_t now = rte_rdtsc();

	spx_count(&counter->sampled_packets, packets);
	spx_count(&counter->sampled_cycles, now - w->tsc);
	w->tsc = now;
}

/* Books `packets` that went through a stage, its cycles when this burst is timed, and its traces. */
static inline void
leave(struct spx_worker *w, enum spx_stage stage, unsigned packets)
{
	spx_count(&w->counters.stage[stage].packets, packets);
	if (likely(w->attention == SPX_ATTENTION_NONE))
		return;
	if (w->attention == SPX_ATTENTION_CLOCK)
		clock_stage(w, stage, packets);
	else
		spx_watch_stage(w, &w->b, stage);
}

/* ---- the way --------------------------------------------------------------------------------------- */

/* From enqueue on: for complete frames. */
static void
go_from_enqueue(struct spx_worker *w, struct spx_burst *b)
{
	unsigned packets = spx_set_count(b->alive) + b->n_clones;

	spx_stage_enqueue(w, b);
	leave(w, SPX_STAGE_enqueue, packets);
	spx_stage_transmit(w, b);
	leave(w, SPX_STAGE_transmit, packets);
	packets = spx_set_count(b->punt);
	spx_stage_punt(w, b);
	leave(w, SPX_STAGE_punt, packets);
	spx_drop_marked(w, b);
}

/* From rewrite on: for packets whose action is known. */
static void
go_from_rewrite(struct spx_worker *w, struct spx_burst *b)
{
	unsigned packets = spx_set_count(b->alive);

	spx_stage_rewrite(w, b);
	leave(w, SPX_STAGE_rewrite, packets);
	go_from_enqueue(w, b);
}

/* The whole way. */
static void
go_from_parse(struct spx_worker *w, struct spx_burst *b, const struct spx_net_options *net)
{
	unsigned packets = spx_set_count(b->alive);

	spx_stage_parse(w, b, net);
	leave(w, SPX_STAGE_parse, packets);
	packets = spx_set_count(b->alive);
	spx_stage_lookup(w, b);
	leave(w, SPX_STAGE_lookup, packets);
	packets = spx_set_count(b->to_route);
	spx_stage_route(w, b);
	leave(w, SPX_STAGE_route, packets);
	go_from_rewrite(w, b);
}

/* ---- inject ---------------------------------------------------------------------------------------- */

/* Prepares a burst of injected packets that came in by one port and go on at one stage. */
static void
burst_from_meta(struct spx_burst *b, struct rte_mbuf **pkts, uint16_t n)
{
	b->n = n;
	b->in_port = spx_meta(pkts[0])->in_port;
	b->alive = spx_set_first(n);
	b->ipv4 = b->ipv6 = b->other = b->drop = b->punt = b->edit = b->miss = b->traced = 0;
	b->to_route = b->routed = b->resolved = 0;
	b->n_clones = 0;
	for (uint16_t i = 0; i < n; i++) {
		const struct spx_meta *meta = spx_meta(pkts[i]);

		b->pkt[i] = pkts[i];
		b->action[i] = meta->action;
		b->out_port[i] = meta->out_port;
		b->layout[i] = meta->layout;
		b->ipv4 |= (uint64_t)(meta->layout.ethertype == 0x0800) << i;
		b->ipv6 |= (uint64_t)(meta->layout.ethertype == 0x86dd) << i;
		b->neighbour[i] = meta->neighbour;
		if (meta->stage == SPX_STAGE_rewrite && meta->neighbour != 0)
			b->routed |= spx_set_one(i);
		else if (meta->stage == SPX_STAGE_rewrite && meta->action != SPX_ACTION_NONE)
			b->edit |= spx_set_one(i);
	}
}

static void
go_from_inject(struct spx_worker *w, struct rte_mbuf **pkts, uint16_t n)
{
	struct spx_burst *b = &w->b;
	uint8_t stage = spx_meta(pkts[0])->stage;

	burst_from_meta(b, pkts, n);
	b->resolved = b->routed;
	clock_start(w, w->injections++);
	if (spx_watched(&w->watcher))
		spx_watch_inject(w, b);
	if (stage == SPX_STAGE_enqueue)
		go_from_enqueue(w, b);
	else if (stage == SPX_STAGE_rewrite)
		go_from_rewrite(w, b);
	else
		go_from_parse(w, b, &w->inject_net[b->in_port]);
}

/* Takes a burst from the inject ring and sends it on its way in runs that share input port and stage. */
static unsigned
inject(struct spx_worker *w)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];
	unsigned n, begin = 0;

	if (w->inject == NULL)
		return 0;
	n = rte_ring_sc_dequeue_burst(w->inject, (void **)pkts, SPX_BURST_MAX, NULL);
	spx_count(&w->counters.injected, n);
	while (begin < n) {
		const struct spx_meta *first = spx_meta(pkts[begin]);
		unsigned end = begin + 1;

		while (end < n && spx_meta(pkts[end])->in_port == first->in_port &&
			spx_meta(pkts[end])->stage == first->stage)
			end++;
		go_from_inject(w, pkts + begin, (uint16_t)(end - begin));
		begin = end;
	}
	return n;
}

/* ---- the loop -------------------------------------------------------------------------------------- */

static bool
receiving(const struct spx_worker *w)
{
	return atomic_load_explicit(w->phase, memory_order_relaxed) == SPX_PHASE_RUN;
}

unsigned
spx_worker_turn(struct spx_worker *w)
{
	unsigned packets;

	w->now = atomic_load_explicit(w->config, memory_order_acquire);
	spx_flow_set_generation(w->cache, w->now->rules_generation);
	spx_watch_turn(&w->watcher);
	w->up = w->ports_up == NULL ? UINT64_MAX : __atomic_load_n(w->ports_up, __ATOMIC_RELAXED);
	packets = inject(w); /* before what came later */
	for (uint16_t i = 0; i < w->n_rx && receiving(w); i++) {
		struct spx_burst *b = &w->b;

		clock_start(w, w->rx[i].bursts);
		if (!spx_stage_receive(w, b, &w->rx[i]))
			continue;
		w->rx[i].bursts++;
		leave(w, SPX_STAGE_receive, b->n);
		if (spx_watched_at(&w->watcher, SPX_TAP_receive))
			spx_watch_receive(w, b, w->rx[i].queue);
		go_from_parse(w, b, &w->rx[i].net);
		packets += b->n;
	}
	packets += spx_transmit_handed_over(w);
	if (w->shaped != 0)
		packets += spx_shaped_transmit(w);
	spx_count(&w->counters.polls, 1);
	if (packets == 0)
		spx_count(&w->counters.idle, 1);
	return packets;
}

/* Whether there is nothing to do for longer than a nap, which takes up to twice the time that it is asked
 * for. */
static bool
may_doze(struct spx_worker *w)
{
	if (w->idle_turns <= SLEEP_AFTER || !w->sleeps)
		return false;
	return w->shaped == 0 || spx_shaped_wait(w) > 2 * SLEEP_NS;
}

/* Sleeps a little, out of the publisher's way. */
static void
doze(struct spx_worker *w)
{
	const struct timespec nap = {.tv_nsec = SLEEP_NS};

	rte_rcu_qsbr_thread_offline(w->qsbr, w->id);
	nanosleep(&nap, NULL);
	rte_rcu_qsbr_thread_online(w->qsbr, w->id);
}

/* Milliseconds on the clock of the flow caches, modulo 2^32. */
static uint32_t
flow_time(const struct spx_worker *w)
{
	return (uint32_t)(((unsigned __int128)(rte_rdtsc() - w->tsc_zero) * w->ms_per_tsc) >> 64);
}

/* Errors that the slow path may be asked to tell senders: so many a second, and as many at once. */
static void
refill_errors(struct spx_worker *w, uint32_t now_ms)
{
	uint32_t passed = now_ms - w->told_at;
	uint64_t more = (uint64_t)passed * SPX_ERRORS_A_SECOND / 1000;

	if (more == 0)
		return;
	w->errors_left = (uint32_t)RTE_MIN(w->errors_left + more, (uint64_t)SPX_ERRORS_A_SECOND);
	w->told_at = now_ms;
}

/* What need not happen in every turn. */
static void
housekeep(struct spx_worker *w)
{
	uint32_t now_ms = flow_time(w);

	rte_rcu_qsbr_quiescent(w->qsbr, w->id);
	spx_flow_housekeep(w->cache, now_ms);
	refill_errors(w, now_ms);
	spx_shaped_housekeep(w);
}

int
spx_worker_run(void *arg)
{
	struct spx_worker *w = arg;
	const unsigned every = RTE_MAX(HOUSEKEEPING_EVERY / (w->n_rx + 1u), 1u); /* turns */
	uint64_t turns = 0;
	int phase;

	rte_rcu_qsbr_thread_register(w->qsbr, w->id);
	rte_rcu_qsbr_thread_online(w->qsbr, w->id);
	housekeep(w);
	while ((phase = atomic_load_explicit(w->phase, memory_order_acquire)) != SPX_PHASE_STOP) {
		unsigned packets;

		if (phase == SPX_PHASE_DRAIN)
			atomic_store(&w->drained, false); /* packets may be in hand from here on */
		packets = spx_worker_turn(w);
		w->idle_turns = packets == 0 ? w->idle_turns + 1 : 0;
		if (phase == SPX_PHASE_DRAIN)
			atomic_store(&w->drained, packets == 0);
		if (++turns % every == 0)
			housekeep(w);
		if (may_doze(w)) {
			doze(w);
			housekeep(w); /* in turns that take so long, time would stand still for idle flows */
		} else if (packets == 0)
			rte_pause();
	}
	rte_rcu_qsbr_thread_offline(w->qsbr, w->id);
	rte_rcu_qsbr_thread_unregister(w->qsbr, w->id);
	return 0;
}
