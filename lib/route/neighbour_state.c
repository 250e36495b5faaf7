/* What happens to neighbours: wanted, heard of, aged, evicted. The writer's side; time is an argument, so
 * that the policy is a pure function of what was called (route.h has the picture of the states).
 *
 * Every entry stands in one list, whose order is that of the time that counts there: each question is
 * retry_ms after the one before and each failure lasts failed_ms, so who is appended is due last. Known
 * neighbours move to the end when the tick finds them used.
 */
#include <errno.h>

#include "lib/route/neighbour_internal.h"

static enum spx_neighbour_state
state_of(const struct spx_neighbours *t, uint32_t i)
{
	return spx_neighbour_word_state(t->entry[i].word);
}

static void
move(struct spx_neighbours *t, struct state *s, enum list list)
{
	TAILQ_REMOVE(&t->list[s->list], s, link);
	s->list = (uint8_t)list;
	TAILQ_INSERT_TAIL(&t->list[list], s, link);
}

/* Another state, the MAC address stays. */
static void
set_state(struct spx_neighbours *t, uint32_t i, enum spx_neighbour_state state)
{
	uint8_t mac[6];

	spx_neighbour_word_mac(t->entry[i].word, mac);
	neighbour_set_word(t, i, spx_neighbour_word(state, mac));
}

static void
fill_event(
	struct spx_neighbours *t, uint32_t i, enum spx_neighbour_what what, struct spx_neighbour_event *event)
{
	event->index = i;
	event->what = (uint8_t)what;
	spx_neighbour_read(t, i, &event->neighbour);
}

static void
release(struct spx_neighbours *t, struct state *s, struct spx_neighbour_event *event)
{
	const uint32_t i = index_of(t, s);

	fill_event(t, i, SPX_NEIGHBOUR_GONE, event);
	neighbour_unlink(t, i);
	move(t, s, LIST_FREE);
}

/* Asks, for the first time or once more. A known MAC address is asked itself. */
static enum spx_neighbour_what
ask(struct spx_neighbours *t, struct state *s, enum spx_neighbour_state state, uint64_t now)
{
	s->asked++;
	s->due = now + t->options.retry_ms;
	set_state(t, index_of(t, s), state);
	if (state == SPX_NEIGHBOUR_probe) {
		move(t, s, LIST_PROBED);
		return SPX_NEIGHBOUR_ASK;
	}
	move(t, s, s->asked == 1 ? LIST_NEW : LIST_WAITING);
	return SPX_NEIGHBOUR_SOLICIT;
}

static void
note_use(struct spx_neighbours *t, struct state *s, uint64_t now)
{
	s->last_use = now;
	if (s->list == LIST_KNOWN)
		move(t, s, LIST_KNOWN);
}

/* ---- room ------------------------------------------------------------------------------------------ */

/* Of the known ones, how many that readers used since the last tick are put to the end in search of one that
 * may go. The tick does that for all, so behind it the first is the one unused the longest. */
#define LOOK_MAX 8u

/* Who goes for a newcomer, or NULL. The head of each list is its oldest. */
static struct state *
find_victim(struct spx_neighbours *t, uint64_t now)
{
	struct state *s = TAILQ_FIRST(&t->list[LIST_FAILED]);

	if (s == NULL)
		s = TAILQ_FIRST(&t->list[LIST_WAITING]);
	if (s != NULL)
		return s;
	for (unsigned looks = 0; looks < LOOK_MAX; looks++) {
		s = TAILQ_FIRST(&t->list[LIST_KNOWN]);
		if (s == NULL || now - s->last_use < t->options.idle_ms)
			return NULL;
		if (!neighbour_take_used(t, index_of(t, s)))
			return s;
		note_use(t, s, now);
	}
	return NULL;
}

static struct state *
make_entry(struct spx_neighbours *t, enum spx_route_family family, uint16_t port, const uint8_t *address,
	uint64_t word, struct spx_neighbour_event *evicted, uint64_t now)
{
	struct state *s = TAILQ_FIRST(&t->list[LIST_FREE]);

	if (s == NULL) {
		s = find_victim(t, now);
		if (s == NULL) {
			t->refused++;
			return NULL;
		}
		release(t, s, evicted);
		t->evicted++;
	}
	neighbour_link(t, index_of(t, s), family, port, address, word);
	s->asked = 0;
	s->last_use = s->changed = s->confirmed = now;
	t->created++;
	return s;
}

/* ---- calls ----------------------------------------------------------------------------------------- */

int
spx_neighbour_want(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], uint64_t now_ms, struct spx_neighbour_event *event,
	struct spx_neighbour_event *evicted)
{
	static const uint8_t no_mac[6];
	enum spx_neighbour_what what = SPX_NEIGHBOUR_NOTHING;
	uint32_t i = spx_neighbour_find(t, family, port, address);
	struct state *s;

	evicted->what = SPX_NEIGHBOUR_NOTHING;
	if (!is_station(family, address))
		return -EINVAL;
	if (i == SPX_NEIGHBOUR_NONE) {
		s = make_entry(t, family, port, address, spx_neighbour_word(SPX_NEIGHBOUR_incomplete, no_mac),
			evicted, now_ms);
		if (s == NULL)
			return -ENOSPC;
		i = index_of(t, s);
		what = ask(t, s, SPX_NEIGHBOUR_incomplete, now_ms);
	} else {
		s = &t->state[i];
		note_use(t, s, now_ms);
		if (s->list == LIST_FAILED)
			__atomic_store_n(
				&t->entry[i].used, 1, __ATOMIC_RELAXED); /* ask again when it is over */
		else if (state_of(t, i) == SPX_NEIGHBOUR_stale)
			what = ask(t, s, SPX_NEIGHBOUR_probe, now_ms);
	}
	fill_event(t, i, what, event);
	return 0;
}

void
spx_neighbour_use(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES])
{
	const uint32_t i = spx_neighbour_find(t, family, port, address);

	if (i != SPX_NEIGHBOUR_NONE)
		__atomic_store_n(&t->entry[i].used, 1, __ATOMIC_RELAXED);
}

static bool
is_station_mac(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return (mac[0] & 1) == 0 && memcmp(mac, zero, sizeof(zero)) != 0;
}

/* The MAC address differs: is the message believed? RFC 4861, 7.2.5: only with the override flag; and an
 * unsolicited one not again at once. */
static bool
may_change(const struct spx_neighbours *t, const struct state *s, bool answer, unsigned flags, uint64_t now)
{
	if ((flags & SPX_NEIGHBOUR_OVERRIDE) == 0)
		return false;
	return answer || now - s->changed >= t->options.lock_ms;
}

/* Takes what was heard. True when next hops have to know. An answer is one only to a question. */
static bool
hear(struct spx_neighbours *t, uint32_t i, const uint8_t mac[6], unsigned flags, uint64_t now)
{
	const uint64_t before = t->entry[i].word;
	const enum spx_neighbour_state state = spx_neighbour_word_state(before);
	const bool known = spx_neighbour_word_usable(before);
	const bool asked = state == SPX_NEIGHBOUR_incomplete || state == SPX_NEIGHBOUR_probe;
	const bool answer = asked && (flags & SPX_NEIGHBOUR_SOLICITED) != 0;
	struct state *s = &t->state[i];
	uint8_t old[6];
	bool other;

	spx_neighbour_word_mac(before, old);
	other = !known || memcmp(old, mac, sizeof(old)) != 0;
	if (state == SPX_NEIGHBOUR_permanent)
		return false;
	if (known && other && !may_change(t, s, answer, flags, now)) {
		if (state == SPX_NEIGHBOUR_reachable && (flags & SPX_NEIGHBOUR_OVERRIDE) == 0)
			set_state(
				t, i, SPX_NEIGHBOUR_stale); /* somebody says other: ask it at the next use */
		return false;
	}
	if (!answer && !other)
		return false; /* what was known already, and proves nothing */
	neighbour_set_word(
		t, i, spx_neighbour_word(answer ? SPX_NEIGHBOUR_reachable : SPX_NEIGHBOUR_stale, mac));
	if (answer)
		s->confirmed = now;
	if (other)
		s->changed = now;
	s->asked = 0;
	if (s->list != LIST_KNOWN) {
		s->last_use = now; /* the list is in that order; it was asked because it was used */
		move(t, s, LIST_KNOWN);
	}
	return other;
}

int
spx_neighbour_heard(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], const uint8_t mac[6], unsigned flags, uint64_t now_ms,
	struct spx_neighbour *neighbour, uint32_t *index)
{
	uint32_t i;
	bool changed;

	if (!is_station_mac(mac))
		return -EINVAL;
	i = spx_neighbour_find(t, family, port, address);
	if (i == SPX_NEIGHBOUR_NONE) {
		t->ignored++;
		return -ENOENT;
	}
	changed = hear(t, i, mac, flags, now_ms);
	if (neighbour != NULL)
		spx_neighbour_read(t, i, neighbour);
	if (index != NULL)
		*index = i;
	return changed;
}

int
spx_neighbour_set(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], const uint8_t mac[6], uint64_t now_ms,
	struct spx_neighbour_event *event, struct spx_neighbour_event *evicted)
{
	const uint64_t word = spx_neighbour_word(SPX_NEIGHBOUR_permanent, mac);
	uint32_t i = spx_neighbour_find(t, family, port, address);

	evicted->what = SPX_NEIGHBOUR_NOTHING;
	if (!is_station(family, address) || !is_station_mac(mac))
		return -EINVAL;
	if (i == SPX_NEIGHBOUR_NONE) {
		struct state *s = make_entry(t, family, port, address, word, evicted, now_ms);

		if (s == NULL)
			return -ENOSPC;
		i = index_of(t, s);
	} else {
		neighbour_set_word(t, i, word);
	}
	move(t, &t->state[i], LIST_PERMANENT);
	fill_event(t, i, SPX_NEIGHBOUR_NOTHING, event);
	return 0;
}

void
spx_neighbour_remove(struct spx_neighbours *t, uint32_t index, struct spx_neighbour_event *event)
{
	event->index = index;
	event->what = SPX_NEIGHBOUR_NOTHING;
	if (t->state[index].list != LIST_FREE)
		release(t, &t->state[index], event);
}

/* ---- time ------------------------------------------------------------------------------------------ */

/* A question went without answer: asks again, or gives up. */
static void
ask_again(struct spx_neighbours *t, struct state *s, uint64_t now, struct spx_neighbour_event *event)
{
	const uint32_t i = index_of(t, s);
	enum spx_neighbour_what what = SPX_NEIGHBOUR_FAIL;

	if (neighbour_take_used(t, i))
		s->last_use = now;
	if (s->asked < SPX_NEIGHBOUR_PROBES) {
		what = ask(t, s, state_of(t, i), now);
	} else {
		set_state(t, i, SPX_NEIGHBOUR_failed);
		s->due = now + t->options.failed_ms;
		move(t, s, LIST_FAILED);
		t->failed++;
	}
	fill_event(t, i, what, event);
}

/* The failure is over: asks anew if somebody wanted to send meanwhile. */
static void
end_failure(struct spx_neighbours *t, struct state *s, uint64_t now, struct spx_neighbour_event *event)
{
	const uint32_t i = index_of(t, s);

	if (!neighbour_take_used(t, i)) {
		release(t, s, event);
		return;
	}
	s->last_use = now;
	s->asked = 0;
	fill_event(t, i, ask(t, s, SPX_NEIGHBOUR_incomplete, now), event);
}

/* Ages a known neighbour. True: there is something to do about it. */
static bool
age(struct spx_neighbours *t, struct state *s, uint64_t now, struct spx_neighbour_event *event)
{
	const uint32_t i = index_of(t, s);
	const bool used = neighbour_take_used(t, i);

	if (used)
		note_use(t, s, now);
	if (state_of(t, i) == SPX_NEIGHBOUR_reachable && now - s->confirmed >= t->options.reachable_ms)
		set_state(t, i, SPX_NEIGHBOUR_stale);
	if (now - s->last_use >= t->options.forget_ms) {
		release(t, s, event);
		return true;
	}
	if (!used || state_of(t, i) != SPX_NEIGHBOUR_stale)
		return false;
	s->asked = 0;
	fill_event(t, i, ask(t, s, SPX_NEIGHBOUR_probe, now), event);
	return true;
}

/* Each list of what is due ends at the first that is not. The known are looked at once each, in number: those
 * found used move to the end, and workers may go on using them. */
unsigned
spx_neighbour_tick(
	struct spx_neighbours *t, uint64_t now_ms, struct spx_neighbour_event event[], unsigned max)
{
	static const enum list asked[] = {LIST_NEW, LIST_WAITING, LIST_PROBED};
	uint32_t known = t->in_state[SPX_NEIGHBOUR_reachable] + t->in_state[SPX_NEIGHBOUR_stale];
	struct state *s, *next;
	unsigned n = 0;

	for (unsigned k = 0; k < RTE_DIM(asked); k++)
		while (n < max && (s = TAILQ_FIRST(&t->list[asked[k]])) != NULL && s->due <= now_ms)
			ask_again(t, s, now_ms, &event[n++]);
	while (n < max && (s = TAILQ_FIRST(&t->list[LIST_FAILED])) != NULL && s->due <= now_ms)
		end_failure(t, s, now_ms, &event[n++]);
	for (s = TAILQ_FIRST(&t->list[LIST_KNOWN]); known > 0 && s != NULL && n < max; s = next, known--) {
		next = TAILQ_NEXT(s, link);
		n += age(t, s, now_ms, &event[n]);
	}
	return n;
}

void
spx_neighbour_stats(const struct spx_neighbours *t, struct spx_neighbour_stats *stats)
{
	*stats = (struct spx_neighbour_stats){.created = t->created,
		.evicted = t->evicted,
		.refused = t->refused,
		.ignored = t->ignored,
		.failed = t->failed};
	memcpy(stats->state, t->in_state, sizeof(stats->state));
}
