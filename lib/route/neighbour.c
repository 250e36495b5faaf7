/* The neighbour table: memory, hash chains, readers. What happens to entries is neighbour_state.c; route.h
 * argues for the table.
 *
 * Readers run beside the one writer. An entry that is taken out may be linked elsewhere at once, so a reader
 * that stands at it can be led into another chain, and miss its own: a wrong "nothing", which sends the
 * packet to the slow path. It cannot get a wrong word: word and key are read between two equal, even
 * versions. STEPS_MAX ends a walk that is led on and on.
 */
#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_prefetch.h>

#include "lib/route/neighbour_internal.h"

#define STEPS_MAX 32u

/* The flow hash of a key with nothing but the address and the port in it. */
static inline uint32_t
hash4(const struct spx_neighbours *t, uint16_t port, const uint8_t *address)
{
	struct spx_key4 key = {0};

	memcpy(key.dip, address, sizeof(key.dip));
	memcpy(key.dport, &port, sizeof(port));
	return (uint32_t)(spx_hash4(&t->seed, &key) >> 32) & t->mask;
}

static inline uint32_t
hash6(const struct spx_neighbours *t, uint16_t port, const uint8_t *address)
{
	struct spx_key6 key = {0};

	memcpy(key.dip, address, sizeof(key.dip));
	memcpy(key.dport, &port, sizeof(port));
	return (uint32_t)(spx_hash6(&t->seed, &key) >> 32) & t->mask;
}

uint32_t
neighbour_hash(
	const struct spx_neighbours *t, enum spx_route_family family, uint16_t port, const uint8_t *address)
{
	return family == SPX_ROUTE_IPV4 ? hash4(t, port, address) : hash6(t, port, address);
}

static inline bool
has_key(const struct entry *e, enum spx_route_family family, uint16_t port, const uint8_t *address)
{
	return e->port == port && e->family == family &&
	       memcmp(e->address, address, family_bytes(family)) == 0;
}

/* Reads the word of an entry if it has the key: 0 when not, or while it changes. */
static inline uint64_t
word_if(const struct entry *e, enum spx_route_family family, uint16_t port, const uint8_t *address)
{
	const uint32_t version = __atomic_load_n(&e->version, __ATOMIC_ACQUIRE);
	const uint64_t word = __atomic_load_n(&e->word, __ATOMIC_RELAXED);
	const bool same = has_key(e, family, port, address);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!same || (version & 1) != 0 || __atomic_load_n(&e->version, __ATOMIC_RELAXED) != version)
		return 0;
	return word;
}

/* The entry with that key, from a chain's first on, and its word; NO_ENTRY and 0: none. */
static inline uint32_t
search(const struct spx_neighbours *t, uint32_t i, enum spx_route_family family, uint16_t port,
	const uint8_t *address, uint64_t *word)
{
	for (unsigned steps = 0; i != NO_ENTRY && steps < STEPS_MAX; steps++) {
		*word = word_if(&t->entry[i], family, port, address);
		if (*word != 0)
			return i;
		i = __atomic_load_n(&t->entry[i].next, __ATOMIC_ACQUIRE);
	}
	*word = 0;
	return NO_ENTRY;
}

static inline uint64_t
use(struct spx_neighbours *t, uint32_t first, enum spx_route_family family, uint16_t port,
	const uint8_t *address)
{
	uint64_t word;
	const uint32_t i = search(t, first, family, port, address, &word);

	if (i != NO_ENTRY && __atomic_load_n(&t->entry[i].used, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&t->entry[i].used, 1, __ATOMIC_RELAXED);
	return word;
}

/* Turns chains' numbers into their first entries, asking for the entries' lines. */
static inline void
first_entries(const struct spx_neighbours *t, uint64_t set, uint32_t at[])
{
	unsigned i;

	SPX_FOREACH (i, set) {
		at[i] = __atomic_load_n(&t->head[at[i]], __ATOMIC_ACQUIRE);
		if (at[i] != NO_ENTRY)
			rte_prefetch0(&t->entry[at[i]]);
	}
}

void
spx_neighbour_lookup4(struct spx_neighbours *t, const struct spx_key4 key[], const uint16_t port[],
	uint64_t set, uint64_t word[])
{
	uint32_t at[SPX_BURST_MAX];
	unsigned i;

	SPX_FOREACH (i, set) {
		at[i] = hash4(t, port[i], key[i].dip);
		rte_prefetch0(&t->head[at[i]]);
	}
	first_entries(t, set, at);
	SPX_FOREACH (i, set)
		word[i] = use(t, at[i], SPX_ROUTE_IPV4, port[i], key[i].dip);
}

void
spx_neighbour_lookup6(struct spx_neighbours *t, const struct spx_key6 key[], const uint16_t port[],
	uint64_t set, uint64_t word[])
{
	uint32_t at[SPX_BURST_MAX];
	unsigned i;

	SPX_FOREACH (i, set) {
		at[i] = hash6(t, port[i], key[i].dip);
		rte_prefetch0(&t->head[at[i]]);
	}
	first_entries(t, set, at);
	SPX_FOREACH (i, set)
		word[i] = use(t, at[i], SPX_ROUTE_IPV6, port[i], key[i].dip);
}

uint32_t
spx_neighbour_find(const struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES])
{
	uint64_t word;

	return search(t,
		__atomic_load_n(&t->head[neighbour_hash(t, family, port, address)], __ATOMIC_ACQUIRE), family,
		port, address, &word);
}

bool
spx_neighbour_read(const struct spx_neighbours *t, uint32_t index, struct spx_neighbour *n)
{
	const struct entry *e = &t->entry[index];
	const uint32_t version = __atomic_load_n(&e->version, __ATOMIC_ACQUIRE);

	*n = (struct spx_neighbour){
		.word = __atomic_load_n(&e->word, __ATOMIC_RELAXED), .port = e->port, .family = e->family};
	memcpy(n->address, e->address, sizeof(n->address));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if ((version & 1) != 0 || __atomic_load_n(&e->version, __ATOMIC_RELAXED) != version)
		n->word = 0;
	n->state = (uint8_t)spx_neighbour_word_state(n->word);
	spx_neighbour_word_mac(n->word, n->mac);
	return n->word != 0;
}

uint32_t
spx_neighbour_capacity(const struct spx_neighbours *t)
{
	return t->capacity;
}

/* ---- the writer's hands ---------------------------------------------------------------------------- */

static void
begin_change(struct entry *e)
{
	__atomic_store_n(&e->version, e->version + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void
end_change(struct entry *e)
{
	__atomic_store_n(&e->version, e->version + 1, __ATOMIC_RELEASE);
}

void
spx_neighbours_tell(struct spx_neighbours *t, spx_neighbour_usable *usable, void *arg)
{
	t->usable = usable;
	t->usable_arg = arg;
}

void
neighbour_set_word(struct spx_neighbours *t, uint32_t i, uint64_t word)
{
	const uint64_t before = t->entry[i].word;

	t->in_state[spx_neighbour_word_state(before)]--;
	t->in_state[spx_neighbour_word_state(word)]++;
	if (t->usable != NULL && before != 0 && !spx_neighbour_word_usable(before) &&
		spx_neighbour_word_usable(word))
		t->usable(t->usable_arg, i, word);
	__atomic_store_n(&t->entry[i].word, word, __ATOMIC_RELEASE);
}

void
neighbour_link(struct spx_neighbours *t, uint32_t i, enum spx_route_family family, uint16_t port,
	const uint8_t *address, uint64_t word)
{
	uint32_t *head = &t->head[neighbour_hash(t, family, port, address)];
	struct entry *e = &t->entry[i];

	begin_change(e);
	memset(e->address, 0, sizeof(e->address));
	memcpy(e->address, address, family_bytes(family));
	e->port = port;
	e->family = (uint8_t)family;
	e->used = 0;
	neighbour_set_word(t, i, word);
	__atomic_store_n(&e->next, *head, __ATOMIC_RELAXED);
	end_change(e);
	__atomic_store_n(head, i, __ATOMIC_RELEASE);
}

void
neighbour_unlink(struct spx_neighbours *t, uint32_t i)
{
	struct entry *e = &t->entry[i];
	uint32_t *link = &t->head[neighbour_hash(t, (enum spx_route_family)e->family, e->port, e->address)];

	while (*link != i)
		link = &t->entry[*link].next;
	__atomic_store_n(link, e->next, __ATOMIC_RELEASE);
	begin_change(e);
	neighbour_set_word(t, i, 0);
	end_change(e);
}

bool
neighbour_take_used(struct spx_neighbours *t, uint32_t i)
{
	return __atomic_load_n(&t->entry[i].used, __ATOMIC_RELAXED) != 0 &&
	       __atomic_exchange_n(&t->entry[i].used, 0, __ATOMIC_RELAXED) != 0;
}

/* ---- creation -------------------------------------------------------------------------------------- */

static uint32_t
otherwise(uint32_t option, uint32_t value)
{
	return option != 0 ? option : value;
}

static int
fill_options(const struct spx_neighbour_options *from, struct spx_neighbour_options *o, struct spx_error *err)
{
	int rc = 0;

	*o = (struct spx_neighbour_options){.socket = SOCKET_ID_ANY};
	if (from != NULL)
		*o = *from;
	else
		rc = spx_hash_seed_draw(&o->seed);
	if (rc != 0)
		return spx_error(err, rc, "the kernel gives no random numbers for the neighbours' hash");
	o->capacity = otherwise(o->capacity, 4096);
	o->retry_ms = otherwise(o->retry_ms, 1000);
	o->reachable_ms = otherwise(o->reachable_ms, 30000);
	o->failed_ms = otherwise(o->failed_ms, 3000);
	o->idle_ms = otherwise(o->idle_ms, 60000);
	o->forget_ms = otherwise(o->forget_ms, 600000);
	o->lock_ms = otherwise(o->lock_ms, 1000);
	if (o->capacity > 1u << 20)
		return spx_error(err, -EINVAL, "capacity is %u neighbours: give 1 to %u, or 0 for 4096",
			o->capacity, 1u << 20);
	return 0;
}

int
spx_neighbours_create(
	const struct spx_neighbour_options *options, struct spx_neighbours **out, struct spx_error *err)
{
	struct spx_neighbour_options o;
	struct spx_neighbours *t;
	int rc = fill_options(options, &o, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	t = rte_zmalloc_socket("spx_neighbours", sizeof(*t), RTE_CACHE_LINE_SIZE, o.socket);
	if (t == NULL)
		return spx_error(err, -ENOMEM, "no memory for the neighbour table");
	t->options = o;
	t->seed = o.seed;
	t->capacity = o.capacity;
	t->mask = rte_align32pow2(o.capacity) - 1;
	t->entry = rte_zmalloc_socket(
		"spx_neighbours", o.capacity * sizeof(*t->entry), RTE_CACHE_LINE_SIZE, o.socket);
	t->head = rte_malloc_socket(
		"spx_neighbours", (t->mask + 1) * sizeof(*t->head), RTE_CACHE_LINE_SIZE, o.socket);
	t->state = calloc(o.capacity, sizeof(*t->state));
	if (t->entry == NULL || t->head == NULL || t->state == NULL) {
		spx_neighbours_free(t);
		return spx_error(
			err, -ENOMEM, "no memory for %u neighbours; raise memory.megabytes", o.capacity);
	}
	memset(t->head, 0xff, (t->mask + 1) * sizeof(*t->head));
	t->in_state[SPX_NEIGHBOUR_none] = o.capacity;
	for (unsigned k = 0; k < LISTS; k++)
		TAILQ_INIT(&t->list[k]);
	for (uint32_t i = 0; i < o.capacity; i++)
		TAILQ_INSERT_TAIL(&t->list[LIST_FREE], &t->state[i], link);
	*out = t;
	return 0;
}

void
spx_neighbours_free(struct spx_neighbours *t)
{
	if (t == NULL)
		return;
	rte_free(t->entry);
	rte_free(t->head);
	free(t->state);
	rte_free(t);
}
