/* lookup: keys to actions by flow cache and rules, and what the action's verdict means for the packet's way.
 */
#include "app/sphex/stages.h"

#include <rte_branch_prediction.h>

/* What the rules answered, in order, for the members of `ask`; the default action where no rule matches. */
static void
take_answers(struct spx_burst *b, uint64_t ask, const uint32_t action[])
{
	unsigned i, n = 0;

	SPX_FOREACH (i, ask) {
		b->action[i] = action[n] == SPX_ACTION_NONE ? 0 : action[n];
		n++;
	}
}

static void
ask_nobody(struct spx_burst *b, uint64_t ask)
{
	unsigned i;

	SPX_FOREACH (i, ask)
		b->action[i] = 0;
}

static void
ask_rules4(const struct spx_config *config, struct spx_burst *b, uint64_t ask)
{
	const struct spx_key4 *key[SPX_BURST_MAX];
	uint32_t action[SPX_BURST_MAX];
	unsigned i, n = 0;

	SPX_FOREACH (i, ask)
		key[n++] = &b->key4[i];
	if (!config->has_rules || n == 0) {
		ask_nobody(b, ask);
		return;
	}
	spx_rules_lookup4(config->rules, key, action, n);
	take_answers(b, ask, action);
}

static void
ask_rules6(const struct spx_config *config, struct spx_burst *b, uint64_t ask)
{
	const struct spx_key6 *key[SPX_BURST_MAX];
	uint32_t action[SPX_BURST_MAX];
	unsigned i, n = 0;

	SPX_FOREACH (i, ask)
		key[n++] = &b->key6[i];
	if (!config->has_rules || n == 0) {
		ask_nobody(b, ask);
		return;
	}
	spx_rules_lookup6(config->rules, key, action, n);
	take_answers(b, ask, action);
}

/* What has no flow key: it is never cached. */
static void
ask_rules_other(const struct spx_config *config, struct spx_burst *b)
{
	uint32_t action[SPX_BURST_MAX];
	unsigned i, n = 0;

	if (!config->has_rules) {
		ask_nobody(b, b->other);
		return;
	}
	SPX_FOREACH (i, b->other)
		action[n++] = spx_rules_lookup_other(
			config->rules, b->layout[i].ethertype, b->layout[i].vlan, b->in_port);
	take_answers(b, b->other, action);
}

static uint64_t
tcp_syn(const struct spx_burst *b)
{
	uint64_t syn = 0;
	unsigned i;

	SPX_FOREACH (i, b->alive)
		syn |= (uint64_t)((b->layout[i].flags & SPX_LAYOUT_TCP_SYN) != 0) << i;
	return syn;
}

/* Actions from the flow cache, and from the rules for what it does not know and then learns. */
static void
find_actions(struct spx_worker *w, struct spx_burst *b)
{
	uint64_t syn = spx_flow_mode(w->cache) == SPX_FLOW_MODE_approximate ? tcp_syn(b) : 0, ask;

	if (b->ipv4 != 0) {
		ask = spx_flow_lookup4(
			w->cache, b->key4, b->hash, b->length, b->ipv4, syn, b->action, b->memo);
		b->miss = ask;
		if (ask != 0) {
			ask_rules4(w->now, b, ask);
			spx_flow_learn4(w->cache, b->key4, b->hash, ask, b->action);
		}
	}
	if (b->ipv6 != 0) {
		ask = spx_flow_lookup6(
			w->cache, b->key6, b->hash, b->length, b->ipv6, syn, b->action, b->memo);
		b->miss |= ask;
		if (ask != 0) {
			ask_rules6(w->now, b, ask);
			spx_flow_learn6(w->cache, b->key6, b->hash, ask, b->action);
		}
	}
	if (b->other != 0)
		ask_rules_other(w->now, b);
}

/* A copy of the packet as received, on its way to the mirror port. */
static void
mirror(struct spx_worker *w, struct spx_burst *b, unsigned i, uint16_t port)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(b->pkt[i], w->pool, 0, UINT32_MAX);

	if (copy == NULL) {
		spx_count(&w->counters.uncloned, 1);
		return;
	}
	if (spx_watched(&w->watcher))
		spx_watch_clone(&w->watcher, copy);
	b->clone[b->n_clones] = copy;
	b->clone_port[b->n_clones++] = port;
	spx_count(&w->counters.cloned, 1);
}

#define EDITS (SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC | SPX_ACTION_DEC_TTL)

static inline void
count(struct spx_action_counter *counter, uint32_t bytes)
{
	spx_count(&counter->packets, 1);
	spx_count(&counter->bytes, bytes);
}

/* Most of the living: forwarded or routed, and nothing else. Returns the others, of which nothing is done. A
 * loop without calls, as what it uses stays in registers. */
static uint64_t
take_plain_actions(struct spx_worker *w, struct spx_burst *b)
{
	const struct spx_action *const actions = w->now->action;
	struct spx_action_counter *const counters = w->action_counter;
	uint64_t to_route = 0, edit = 0, others = 0;
	unsigned i;

	SPX_FOREACH (i, b->alive) {
		const uint32_t id = b->action[i];
		const struct spx_action *action = &actions[id];

		if (unlikely(action->mirror != SPX_NO_PORT)) {
			others |= spx_set_one(i);
			continue;
		}
		if (action->verdict == SPX_VERDICT_ROUTE) {
			to_route |= spx_set_one(i);
		} else if (likely(action->verdict == SPX_VERDICT_FORWARD)) {
			if (action->flags & EDITS)
				edit |= spx_set_one(i);
		} else {
			others |= spx_set_one(i);
			continue;
		}
		if (action->flags & SPX_ACTION_COUNT)
			count(&counters[id], b->length[i]);
		b->out_port[i] = action->port;
	}
	b->to_route = to_route;
	b->edit |= edit;
	return others;
}

static void
take_action(struct spx_worker *w, struct spx_burst *b, unsigned i)
{
	const struct spx_action *action = &w->now->action[b->action[i]];

	if (action->mirror != SPX_NO_PORT)
		mirror(w, b, i, action->mirror);
	if (action->flags & SPX_ACTION_COUNT)
		count(&w->action_counter[b->action[i]], b->length[i]);
	b->out_port[i] = action->port;
	if (action->verdict == SPX_VERDICT_FORWARD && (action->flags & EDITS) != 0)
		b->edit |= spx_set_one(i);
	else if (action->verdict == SPX_VERDICT_ROUTE)
		b->to_route |= spx_set_one(i);
	else if (action->verdict == SPX_VERDICT_PUNT)
		spx_burst_punt(b, i, SPX_EXCEPTION_rule);
	else if (action->verdict == SPX_VERDICT_DROP)
		spx_burst_drop(
			b, i, action->flags & SPX_ACTION_NO_RULE ? SPX_DROP_no_rule : SPX_DROP_rule_drop);
}

void
spx_stage_lookup(struct spx_worker *w, struct spx_burst *b)
{
	uint64_t others;
	unsigned i;

	find_actions(w, b);
	others = take_plain_actions(w, b);
	SPX_FOREACH (i, others)
		take_action(w, b, i);
}
