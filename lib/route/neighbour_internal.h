/* The neighbour table's parts: neighbour.c has the hash table and its readers, neighbour_state.c what happens
 * to entries, the writer's side alone. */
#ifndef SPX_ROUTE_NEIGHBOUR_INTERNAL_H
#define SPX_ROUTE_NEIGHBOUR_INTERNAL_H

#include <sys/queue.h>

#include "lib/route/prefix.h"

#define NO_ENTRY SPX_NEIGHBOUR_NONE /* ends a chain */

/* What readers see of a neighbour: one cache line. A change of anything but word and used is between two
 * increments of version, which is odd meanwhile. */
struct entry {
	uint64_t word; /* 0: the entry is free */
	uint32_t version;
	uint32_t next; /* of the chain */
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES];
	uint16_t port;
	uint8_t family;
	uint8_t used; /* by a reader since the writer looked */
} __rte_cache_aligned;
static_assert(sizeof(struct entry) == 64, "a reader touches one line of an entry");

/* The lists that entries stand in, by what time does to them. Each is in order of the time that counts. */
enum list {
	LIST_FREE,
	LIST_NEW,       /* incomplete, asked once: by `due`, when the next question is */
	LIST_WAITING,   /* incomplete, asked again: the same */
	LIST_PROBED,    /* probe: the same */
	LIST_FAILED,    /* by `due`, when the failure is over */
	LIST_KNOWN,     /* reachable and stale: by `last_use` */
	LIST_PERMANENT, /* no order */
	LISTS,
};

/* The writer's part of an entry. Times in ms. */
struct state {
	TAILQ_ENTRY(state) link;
	uint64_t due; /* new, waiting, probed, failed */
	uint64_t last_use;
	uint64_t confirmed; /* when it last answered to us */
	uint64_t changed;   /* when its MAC address last changed */
	uint8_t list;       /* enum list */
	uint8_t asked;      /* questions without answer */
};
TAILQ_HEAD(state_list, state);

struct spx_neighbours {
	/* readers */
	struct entry *entry;
	uint32_t *head; /* mask + 1 of them */
	uint32_t mask, capacity;
	struct spx_hash_seed seed;

	/* the writer */
	struct spx_neighbour_options options; /* defaults filled in */
	struct state *state;
	struct state_list list[LISTS];
	uint32_t in_state[SPX_NEIGHBOUR_STATE_COUNT];
	uint64_t created, evicted, refused, ignored, failed;
	spx_neighbour_usable *usable;
	void *usable_arg;
};

static inline uint32_t
index_of(const struct spx_neighbours *t, const struct state *s)
{
	return (uint32_t)(s - t->state);
}

uint32_t neighbour_hash(
	const struct spx_neighbours *t, enum spx_route_family family, uint16_t port, const uint8_t *address);

/* Writer: links entry i, free till now, under its key with a word, or takes it out and frees it. */
void neighbour_link(struct spx_neighbours *t, uint32_t i, enum spx_route_family family, uint16_t port,
	const uint8_t *address, uint64_t word);
void neighbour_unlink(struct spx_neighbours *t, uint32_t i);

/* Writer: a new word for a linked entry. */
void neighbour_set_word(struct spx_neighbours *t, uint32_t i, uint64_t word);

/* Writer: was it used since the last call? */
bool neighbour_take_used(struct spx_neighbours *t, uint32_t i);

#endif
