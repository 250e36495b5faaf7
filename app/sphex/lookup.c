/* lookup: keys to actions by the rules, and what the action's verdict means for the packet's way. */
#include "app/sphex/stages.h"

#include <rte_branch_prediction.h>

static void
lookup_ipv4(const struct spx_config *config, struct spx_burst *b)
{
	const struct spx_key4 *key[SPX_BURST_MAX];
	uint32_t action[SPX_BURST_MAX];
	unsigned i, n = 0;

	SPX_FOREACH (i, b->ipv4)
		key[n++] = &b->key4[i];
	spx_rules_lookup4(config->rules, key, action, n);
	n = 0;
	SPX_FOREACH (i, b->ipv4)
		b->action[i] = action[n++];
}

static void
lookup_ipv6(const struct spx_config *config, struct spx_burst *b)
{
	const struct spx_key6 *key[SPX_BURST_MAX];
	uint32_t action[SPX_BURST_MAX];
	unsigned i, n = 0;

	SPX_FOREACH (i, b->ipv6)
		key[n++] = &b->key6[i];
	spx_rules_lookup6(config->rules, key, action, n);
	n = 0;
	SPX_FOREACH (i, b->ipv6)
		b->action[i] = action[n++];
}

/* The rules' answer for every living packet; the default action where no rule matches. */
static void
lookup_rules(const struct spx_config *config, struct spx_burst *b)
{
	unsigned i;

	if (b->ipv4 != 0)
		lookup_ipv4(config, b);
	if (b->ipv6 != 0)
		lookup_ipv6(config, b);
	SPX_FOREACH (i, b->other)
		b->action[i] = spx_rules_lookup_other(
			config->rules, b->layout[i].ethertype, b->layout[i].vlan, b->in_port);
	SPX_FOREACH (i, b->alive)
		if (b->action[i] == SPX_ACTION_NONE)
			b->action[i] = 0;
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
	b->clone[b->n_clones] = copy;
	b->clone_port[b->n_clones++] = port;
	spx_count(&w->counters.cloned, 1);
}

static void
count_action(struct spx_worker *w, uint32_t action, const struct rte_mbuf *m)
{
	spx_count(&w->action_counter[action].packets, 1);
	spx_count(&w->action_counter[action].bytes, m->pkt_len);
}

void
spx_stage_lookup(struct spx_worker *w, struct spx_burst *b)
{
	const struct spx_config *config = w->now;
	unsigned i;

	if (config->has_rules)
		lookup_rules(config, b);
	else
		SPX_FOREACH (i, b->alive)
			b->action[i] = 0;
	SPX_FOREACH (i, b->alive) {
		const struct spx_action *action = &config->action[b->action[i]];

		if (unlikely(action->mirror != SPX_NO_PORT))
			mirror(w, b, i, action->mirror);
		if (action->flags & SPX_ACTION_COUNT)
			count_action(w, b->action[i], b->pkt[i]);
		b->out_port[i] = action->port;
		if (action->verdict == SPX_VERDICT_DROP)
			spx_burst_drop(b, i,
				action->flags & SPX_ACTION_NO_RULE ? SPX_DROP_no_rule : SPX_DROP_rule_drop);
		else if (action->verdict == SPX_VERDICT_PUNT)
			spx_burst_punt(b, i, SPX_EXCEPTION_rule);
		else if (action->flags &
			 (SPX_ACTION_SET_DST_MAC | SPX_ACTION_SET_SRC_MAC | SPX_ACTION_DEC_TTL))
			b->edit |= spx_set_one(i);
	}
}
