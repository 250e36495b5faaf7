/* Packets that wait for a neighbour, and the neighbours' ageing; see slowpath.h and lib/route/route.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/slow_internal.h"

#define TICK_MS 100u
#define EVENTS  64u

/* A neighbour that control wants to be permanent, or gone. */
struct spx_slow_change {
	struct spx_setup_neighbour neighbour;
	bool add;
};

/* ---- waiting ---------------------------------------------------------------------------------------------
 */

/* On to the stage that found that the MAC address was not known. */
static void
go_on(struct spx_slowpath *s, struct rte_mbuf *m, uint64_t word)
{
	spx_meta(m)->neighbour = word;
	spx_slowpath_inject(s, spx_meta(m)->out_port % s->n_workers, m, SPX_STAGE_rewrite);
}

void
spx_slow_let_go(void *slowpath, uint32_t index, uint64_t word)
{
	struct spx_slowpath *s = slowpath;
	struct spx_slow_waiting *waiting = &s->waiting[index];

	for (uint16_t i = 0; i < waiting->n; i++)
		go_on(s, waiting->pkt[i], word);
	spx_count(&s->n_waiting, (uint64_t)0 - waiting->n);
	waiting->n = 0;
}

static void
give_up(struct spx_slowpath *s, uint32_t index)
{
	struct spx_slow_waiting *waiting = &s->waiting[index];

	for (uint16_t i = 0; i < waiting->n; i++)
		spx_slow_refuse(s, waiting->pkt[i], SPX_DROP_neighbour_failed);
	spx_count(&s->n_waiting, (uint64_t)0 - waiting->n);
	waiting->n = 0;
}

static void
keep(struct spx_slowpath *s, uint32_t index, struct rte_mbuf *m)
{
	struct spx_slow_waiting *waiting = &s->waiting[index];

	if (waiting->n == SPX_SLOW_WAITING_MAX || s->n_waiting >= SPX_SLOW_ALL_WAITING) {
		spx_slow_drop(s, m, SPX_DROP_neighbour_full);
		return;
	}
	waiting->pkt[waiting->n++] = m;
	spx_count(&s->n_waiting, 1);
}

/* ---- what the table asks for -----------------------------------------------------------------------------
 */

static void
ask(struct spx_slowpath *s, const struct spx_neighbour *neighbour, bool everybody)
{
	const uint8_t *mac = everybody ? NULL : neighbour->mac;

	if (neighbour->family == SPX_ROUTE_IPV4)
		spx_slow_ask4(s, neighbour->port, neighbour->address, mac);
	else
		spx_slow_ask6(s, neighbour->port, neighbour->address, mac);
}

static void
resolve(struct spx_slowpath *s, const struct spx_neighbour *neighbour, uint64_t word)
{
	if (s->now->routes != NULL)
		spx_route_resolve(
			s->now->routes, neighbour->family, neighbour->port, neighbour->address, word);
}

/* Told at the end of the burst, slowpath.c says why. */
static void
note_known(struct spx_slowpath *s, const struct spx_neighbour *neighbour, uint64_t word)
{
	struct spx_slow_known *known = &s->known[s->n_known++]; /* one for a packet at most */

	*known = (struct spx_slow_known){.word = word, .port = neighbour->port, .family = neighbour->family};
	memcpy(known->address, neighbour->address, sizeof(known->address));
}

void
spx_slow_tell_known(struct spx_slowpath *s, bool now)
{
	for (uint16_t i = 0; now && i < s->n_known && s->now->routes != NULL; i++) {
		const struct spx_slow_known *known = &s->known[i];

		spx_route_resolve(s->now->routes, (enum spx_route_family)known->family, known->port,
			known->address, known->word);
	}
	s->n_known = 0;
}

static void
act(struct spx_slowpath *s, const struct spx_neighbour_event *event)
{
	switch ((enum spx_neighbour_what)event->what) {
	case SPX_NEIGHBOUR_SOLICIT:
	case SPX_NEIGHBOUR_ASK:
		ask(s, &event->neighbour, event->what == SPX_NEIGHBOUR_SOLICIT);
		break;
	case SPX_NEIGHBOUR_FAIL:
		s->n_known = 0; /* it may be one of them */
		resolve(s, &event->neighbour, event->neighbour.word);
		give_up(s, event->index);
		break;
	case SPX_NEIGHBOUR_GONE:
		s->n_known = 0;
		resolve(s, &event->neighbour, 0);
		give_up(s, event->index);
		break;
	case SPX_NEIGHBOUR_NOTHING:
		break;
	}
}

void
spx_slow_wait(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	const enum spx_route_family family =
		meta->layout.ethertype == RTE_ETHER_TYPE_IPV4 ? SPX_ROUTE_IPV4 : SPX_ROUTE_IPV6;
	struct spx_neighbour_event event, evicted;
	int r = spx_neighbour_want(
		s->neighbours, family, meta->out_port, meta->gateway, s->now_ms, &event, &evicted);

	if (r < 0) {
		spx_slow_drop(s, m, r == -ENOSPC ? SPX_DROP_neighbour_full : SPX_DROP_neighbour_failed);
		return;
	}
	act(s, &evicted);
	if (spx_neighbour_word_usable(event.neighbour.word)) {
		note_known(s, &event.neighbour, event.neighbour.word);
		go_on(s, m, event.neighbour.word);
	} else {
		resolve(s, &event.neighbour, event.neighbour.word);
		if (event.neighbour.state == SPX_NEIGHBOUR_failed)
			spx_slow_refuse(s, m, SPX_DROP_neighbour_failed);
		else
			keep(s, event.index, m);
	}
	act(s, &event);
}

void
spx_slow_heard(struct spx_slowpath *s, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], const uint8_t mac[6], unsigned flags)
{
	struct spx_neighbour neighbour;

	if (spx_neighbour_heard(
		    s->neighbours, family, port, address, mac, flags, s->now_ms, &neighbour, NULL) == 1)
		resolve(s, &neighbour, neighbour.word);
}

/* ---- time ------------------------------------------------------------------------------------------------
 */

/* Gateways that workers have sent by are in use, though nobody asked the table for them. */
static void
note_used(struct spx_slowpath *s)
{
	struct spx_next_hop *hops = s->now->next_hop;
	uint32_t limit = s->now->routes == NULL ? 0 : spx_route_next_hop_limit(s->now->routes);

	for (uint32_t i = 0; i < limit; i++)
		if (hops[i].kind == SPX_NEXT_HOP_KIND_gateway && spx_next_hop_take_used(&hops[i]))
			spx_neighbour_use(s->neighbours, hops[i].family, hops[i].port, hops[i].gateway);
}

static void
take_changes(struct spx_slowpath *s)
{
	struct spx_neighbour_event event, evicted;
	void *taken;

	while (rte_ring_sc_dequeue(s->changes, &taken) == 0) {
		struct spx_slow_change *change = taken;
		const struct spx_setup_neighbour *n = &change->neighbour;
		uint32_t index = spx_neighbour_find(s->neighbours, n->family, n->port, n->address);

		if (!change->add && index != SPX_NEIGHBOUR_NONE) {
			spx_neighbour_remove(s->neighbours, index, &event);
			act(s, &event);
		} else if (change->add && spx_neighbour_set(s->neighbours, n->family, n->port, n->address,
						  n->mac, s->now_ms, &event, &evicted) == 0) {
			act(s, &evicted);
			resolve(s, &event.neighbour, event.neighbour.word);
		}
		free(change);
	}
}

void
spx_slow_tick(struct spx_slowpath *s)
{
	struct spx_neighbour_event event[EVENTS];
	unsigned n;

	take_changes(s);
	if (s->now_ms - s->ticked_ms < TICK_MS)
		return;
	n = spx_neighbour_tick(s->neighbours, s->now_ms, event, EVENTS);
	for (unsigned i = 0; i < n; i++)
		act(s, &event[i]);
	if (n == EVENTS)
		return; /* the others in the next turn: thousands at once would fill the inject rings */
	s->ticked_ms = s->now_ms;
	note_used(s);
}

/* ---- control ---------------------------------------------------------------------------------------------
 */

int
spx_slowpath_set_neighbour(
	struct spx_slowpath *s, const struct spx_setup_neighbour *neighbour, bool add, struct spx_error *err)
{
	struct spx_slow_change *change;

	if (s->neighbours == NULL)
		return spx_error(err, -EOPNOTSUPP,
			"there is no routing: give the configuration an address, a route or an action with "
			"verdict route");
	change = malloc(sizeof(*change));
	if (change == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	*change = (struct spx_slow_change){.neighbour = *neighbour, .add = add};
	if (rte_ring_enqueue(s->changes, change) != 0) {
		free(change);
		return spx_error(err, -EBUSY, "too many changes of neighbours wait: try again");
	}
	return 0;
}

uint64_t
spx_slowpath_drop_waiting(struct spx_slowpath *s)
{
	uint64_t dropped = s->n_waiting;

	spx_watch_turn(&s->watcher); /* who looks now, after its last turn */
	for (uint32_t i = 0; s->waiting != NULL && i < spx_neighbour_capacity(s->neighbours); i++) {
		for (uint16_t k = 0; k < s->waiting[i].n; k++)
			spx_slow_drop(s, s->waiting[i].pkt[k], SPX_DROP_stopping);
		s->waiting[i].n = 0;
	}
	s->n_waiting = 0;
	return dropped;
}
