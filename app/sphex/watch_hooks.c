/* What the packet's way calls when somebody looks at packets; see watch.h. Captures get copies, a trace gets
 * events.
 */
#include <string.h>

#include "app/sphex/tracer.h"
#include "app/sphex/worker.h"

#define MACS 12u /* bytes of both addresses */

/* ---- captures --------------------------------------------------------------------------------------------
 */

/* Copies of n packets at one point of one port to all captures that want them. */
static void
show_taps(const struct spx_watcher *watcher, enum spx_tap_point point, uint16_t port, struct rte_mbuf **pkts,
	unsigned n, enum spx_drop reason)
{
	for (uint16_t t = 0; t < watcher->now->n_taps; t++) {
		struct spx_tap *tap = watcher->now->tap[t];
		struct rte_mbuf *copies[SPX_BURST_MAX];
		unsigned n_copies = 0;

		if (!spx_tap_wants(tap, point, port))
			continue;
		for (unsigned i = 0; i < n; i++) {
			copies[n_copies] = spx_tap_copy(tap, pkts[i], point, port, reason);
			n_copies += copies[n_copies] != NULL;
			if (n_copies == SPX_BURST_MAX || i + 1 == n) {
				spx_tap_put(tap, copies, n_copies);
				n_copies = 0;
			}
		}
	}
}

static void
copy_for_taps(struct spx_watcher *watcher, uint16_t port, struct rte_mbuf **pkts, uint16_t n)
{
	struct spx_watch_sending *s = &watcher->sending;

	for (uint16_t t = 0; t < watcher->now->n_taps; t++) {
		struct spx_tap *tap = watcher->now->tap[t];

		s->n_copies[t] = 0;
		if (!spx_tap_wants(tap, SPX_TAP_transmit, port))
			continue;
		for (uint16_t i = 0; i < n; i++) {
			struct rte_mbuf *copy =
				spx_tap_copy(tap, pkts[i], SPX_TAP_transmit, port, SPX_DROP_COUNT);

			if (copy == NULL)
				continue;
			s->copied[t][s->n_copies[t]] = i;
			s->copy[t][s->n_copies[t]++] = copy;
		}
	}
}

static void
put_copies_of_sent(struct spx_watcher *watcher, uint16_t sent)
{
	struct spx_watch_sending *s = &watcher->sending;

	for (uint16_t t = 0; t < watcher->now->n_taps; t++) {
		uint16_t n = 0;

		while (n < s->n_copies[t] && s->copied[t][n] < sent)
			n++;
		if (n > 0)
			spx_tap_put(watcher->now->tap[t], s->copy[t], n);
		if (n < s->n_copies[t])
			rte_pktmbuf_free_bulk(s->copy[t] + n, s->n_copies[t] - n);
	}
}

/* ---- events of stages ------------------------------------------------------------------------------------
 */

static struct spx_trace_frame
frame_of(const struct spx_burst *b, unsigned i)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(b->pkt[i], const uint8_t *), *l3 = bytes + b->layout[i].l3;
	struct spx_trace_frame frame;

	memcpy(frame.macs, bytes, MACS);
	frame.ttl = b->ipv4 & spx_set_one(i) ? l3[8] : b->ipv6 & spx_set_one(i) ? l3[7] : 0;
	return frame;
}

static void
saw_parse(const struct spx_burst *b, unsigned i, struct spx_trace_event *event)
{
	event->port = b->in_port;
	event->parse.malformed = (b->drop & spx_set_one(i)) != 0;
	if (event->parse.malformed)
		return;
	event->parse.layout = b->layout[i];
	event->parse.frame = frame_of(b, i);
	if (b->ipv4 & spx_set_one(i)) {
		event->parse.family = 4;
		event->parse.key4 = b->key4[i];
		event->parse.hash = b->hash[i];
	} else if (b->ipv6 & spx_set_one(i)) {
		event->parse.family = 6;
		event->parse.key6 = b->key6[i];
		event->parse.hash = b->hash[i];
	}
}

/* Which rule: asked again, for the answer may have come from the cache. */
static uint32_t
explain(const struct spx_worker *w, const struct spx_burst *b, unsigned i, uint32_t *order)
{
	*order = 0;
	if (!w->now->has_rules)
		return SPX_ACTION_NONE;
	if (b->ipv4 & spx_set_one(i))
		return spx_rules_explain4(w->now->rules, &b->key4[i], order);
	if (b->ipv6 & spx_set_one(i))
		return spx_rules_explain6(w->now->rules, &b->key6[i], order);
	return spx_rules_explain_other(
		w->now->rules, b->layout[i].ethertype, b->layout[i].vlan, b->in_port, order);
}

static void
saw_lookup(const struct spx_worker *w, const struct spx_burst *b, unsigned i, struct spx_trace_event *event)
{
	const struct spx_action *action = &w->now->action[b->action[i]];
	uint32_t rule_action = explain(w, b, i, &event->lookup.rule);

	event->port = b->in_port;
	event->lookup.action = b->action[i];
	event->lookup.rule_action = rule_action == SPX_ACTION_NONE ? 0 : rule_action;
	event->lookup.out_port = action->port;
	event->lookup.mirror = action->mirror;
	event->lookup.verdict = action->verdict;
	event->lookup.mode =
		b->other & spx_set_one(i) ? SPX_FLOW_MODE_none : (uint8_t)spx_flow_mode(w->cache);
	event->lookup.miss = (b->miss & spx_set_one(i)) != 0;
}

/* Packets that the stage was given: those that were alive, as every stage leaves those it ends in drop or
 * punt, and traced ones that a stage before ended have left b->traced. */
void
spx_watch_stage(struct spx_worker *w, struct spx_burst *b, enum spx_stage stage)
{
	unsigned i;

	if (stage < SPX_STAGE_parse || stage > SPX_STAGE_enqueue || w->watcher.now->tracer == NULL)
		return;
	SPX_FOREACH (i, b->traced) {
		struct spx_trace_event event = {.id = spx_meta(b->pkt[i])->trace};

		if (stage == SPX_STAGE_parse) {
			event.kind = SPX_TRACE_parse;
			saw_parse(b, i, &event);
		} else if (stage == SPX_STAGE_lookup) {
			event.kind = SPX_TRACE_lookup;
			saw_lookup(w, b, i, &event);
		} else if (stage == SPX_STAGE_rewrite) {
			event.kind = SPX_TRACE_rewrite;
			event.rewrite = frame_of(b, i);
		} else {
			event.kind = SPX_TRACE_enqueue;
			event.port = b->out_port[i];
			event.enqueue.waiting = w->batch[b->out_port[i]].n;
		}
		spx_tracer_write(w->watcher.now->tracer, w->watcher.thread, &event);
	}
	b->traced &= b->alive;
}

/* ---- what the packet's way calls -------------------------------------------------------------------------
 */

static void
arrive(struct spx_worker *w, struct spx_burst *b, enum spx_trace_kind kind, uint16_t queue)
{
	if (w->watcher.now->tracer == NULL)
		return;
	spx_tracer_choose(w->watcher.now->tracer, w, b, kind, queue);
	if (b->traced != 0)
		w->attention = SPX_ATTENTION_TRACE;
}

void
spx_watch_receive(struct spx_worker *w, struct spx_burst *b, uint16_t queue)
{
	show_taps(&w->watcher, SPX_TAP_receive, b->in_port, b->pkt, b->n, SPX_DROP_COUNT);
	arrive(w, b, SPX_TRACE_receive, queue);
}

void
spx_watch_inject(struct spx_worker *w, struct spx_burst *b)
{
	arrive(w, b, SPX_TRACE_inject, 0);
}

/* An event of one kind for each traced one of n packets. */
static void
write_each(struct spx_watcher *watcher, struct rte_mbuf **pkts, unsigned n, struct spx_trace_event event)
{
	struct spx_tracer *tracer = watcher->now->tracer;

	for (unsigned i = 0; i < n && tracer != NULL; i++) {
		event.id = spx_tracer_id(tracer, pkts[i]);
		if (event.id != 0)
			spx_tracer_write(tracer, watcher->thread, &event);
	}
}

void
spx_watch_punt(struct spx_worker *w, const struct spx_burst *b)
{
	unsigned i;

	SPX_FOREACH (i, b->punt)
		write_each(&w->watcher, (struct rte_mbuf **)&b->pkt[i], 1,
			(struct spx_trace_event){.kind = SPX_TRACE_punt, .exception = b->exception[i]});
}

void
spx_watch_hand_over(struct spx_worker *w, uint16_t port, struct rte_mbuf **pkts, uint16_t n)
{
	write_each(&w->watcher, pkts, n,
		(struct spx_trace_event){
			.kind = SPX_TRACE_transmit, .port = port, .transmit = {.handed_over = true}});
}

void
spx_watch_send(struct spx_watcher *watcher, uint16_t port, struct rte_mbuf **pkts, uint16_t n)
{
	struct spx_watch_sending *s = &watcher->sending;
	const struct spx_tracer *tracer = watcher->now->tracer;

	copy_for_taps(watcher, port, pkts, n);
	s->n_traced = 0;
	for (uint16_t i = 0; i < n && tracer != NULL; i++) {
		uint32_t id = spx_tracer_id(tracer, pkts[i]);

		if (id == 0)
			continue;
		s->traced[s->n_traced] = i;
		s->id[s->n_traced++] = id;
		spx_tracer_forget(tracer, pkts[i]); /* it may come in again, by a software ring */
	}
}

void
spx_watch_sent(
	struct spx_watcher *watcher, uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t sent)
{
	const struct spx_watch_sending *s = &watcher->sending;

	put_copies_of_sent(watcher, sent);
	for (uint16_t i = 0; i < s->n_traced; i++) {
		struct spx_trace_event event = {.kind = SPX_TRACE_transmit,
			.id = s->id[i],
			.port = port,
			.transmit = {.queue = queue}};

		if (s->traced[i] < sent)
			spx_tracer_write(watcher->now->tracer, watcher->thread, &event);
		else
			spx_tracer_remember(watcher->now->tracer, pkts[s->traced[i]]);
	}
}

void
spx_watch_drop(
	struct spx_watcher *watcher, uint16_t port, struct rte_mbuf **pkts, unsigned n, enum spx_drop reason)
{
	show_taps(watcher, SPX_TAP_drop, port, pkts, n, reason);
	write_each(watcher, pkts, n,
		(struct spx_trace_event){.kind = SPX_TRACE_drop, .port = port, .reason = (uint8_t)reason});
}

void
spx_watch_clone(const struct spx_watcher *watcher, struct rte_mbuf *clone)
{
	if (watcher->now->tracer != NULL)
		spx_tracer_forget(watcher->now->tracer, clone);
}

void
spx_watch_consume(struct spx_watcher *watcher, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		write_each(watcher, &pkts[i], 1,
			(struct spx_trace_event){
				.kind = SPX_TRACE_slowpath, .exception = spx_meta(pkts[i])->exception});
}
