/* Routes, next hops, neighbours, own addresses: where a packet goes next. Data structures only: the `route`
 * stage, the slow path and control are built on them.
 *
 * A `struct spx_routes` is what workers look up in; a `struct spx_route_table` is the control thread's
 * editable list of routes behind it. The table has two copies of the longest-prefix structures. A batch of
 * changes is applied to the copy that nobody reads; publishing swaps one pointer; after the grace period the
 * same changes go to the other copy. So readers see all of a batch or nothing of it, and a batch with a
 * mistake in it is taken back on the idle copy before anybody saw it.
 *
 *   destination -> longest prefix -> next hop, or group of up to 16 paths -> next hop     (lookup.c)
 *   next hop -> port, and the neighbour's MAC address in it for a gateway                 (next_hop.c)
 *   port and destination -> MAC address, for destinations on a link of ours               (neighbour.c)
 *
 * IPv4 longest prefix: rte_fib, DIR24_8 (Gupta, Lin, McKeown, "Routing Lookups in Hardware at Memory Access
 * Speeds", 1998): one load for prefixes up to 24 bits, two for longer ones. Of two-byte entries when next
 * hops, groups and tbl8 fit (they do by default): 32 MB a copy, four-byte entries 64 MB; a tbl8 (256 entries,
 * for every /24 that has longer routes in it) 0.5 or 1 KB; and the tree inside of rte_fib 400 B for each of
 * `routes4`. rte_fib 22.11 counts its tbl8 wrongly when a prefix longer than 24 has the answer of the one
 * around it: the values stored carry a bit that keeps such answers apart (fib.c), so tbl8 run out exactly
 * when more than `tbl8_4` of the /24 have longer routes.
 *
 * IPv6 longest prefix: rte_lpm6, not rte_fib6. rte_fib6 22.11 reserves three tbl8 for a /48 whether it needs
 * them or not, and does not give them back: with 64 of them it takes 21 such routes, and none any more after
 * these are deleted. rte_lpm6 counts exactly and is slower. It takes 64 MB a copy and 1 KB for each of
 * `tbl8_6`: one for every /24, /32, /40 ... /120 that has longer routes in it.
 *
 * Lookups in bursts of 32 (AMD EPYC, 4 KiB pages, shared machine), ns:
 *
 *                      here     DPDK alone
 *   IPv4,  10,000        9      rte_fib 5                    (route.lookup.10k; 57 instructions)
 *   IPv6,  10,000       17      rte_fib6 7 with AVX-512      (route.lookup6.10k; 91 instructions)
 *   IPv4, 100,000               rte_fib 3.1 to 4.0 with two-byte entries, 4.6 to 5.0 with four, all variants
 *   IPv6, 100,000               rte_lpm6 17; rte_fib6 16 with AVX-512, 20 without
 *
 * 100,000 routes, 25,000 of them IPv6, in one batch: 0.8 to 1.1 s of processor time, parsing aside; a batch
 * of one change 8 to 11 us (test/unit/route_table.c) and the publisher's grace period.
 *
 * A batch needs room for what it adds beside what it replaces, as readers hold that until the end.
 * Full: more routes than routes4/routes6, tbl8, next hops or groups than the options say is -ENOSPC, names
 * the option, and changes nothing. A family without routes has no tables; the default route needs none.
 * EAL memory with the default options (both copies): IPv4 2 x 86 MB, IPv6 2 x 101 MB, each at the first route
 * of the family that is not its default route; -ENOMEM says how much is needed.
 *
 * The default route lies beside the tables, since to write it into 2^24 entries would take tens of ms.
 */
#ifndef SPX_ROUTE_H
#define SPX_ROUTE_H

#include "lib/base/base.h"
#include "lib/net/net.h"

enum spx_route_family { SPX_ROUTE_IPV4, SPX_ROUTE_IPV6, SPX_ROUTE_FAMILIES };

/* Addresses are 16 bytes in network order everywhere here: IPv4 in the first four, the others zero. */
#define SPX_ROUTE_ADDRESS_BYTES 16u

/* ---- next hops ------------------------------------------------------------------------------------- */

#define SPX_NEXT_HOP_KINDS(X)                                                                                \
	X(none, "no route matches")                                                                          \
	X(down, "the ports of all paths are down")                                                           \
	X(local, "an address of this node")                                                                  \
	X(connected, "on the link: the destination itself is the neighbour")                                 \
	X(gateway, "by way of the neighbour `gateway`")                                                      \
	X(broadcast, "the first or last address of a connected IPv4 prefix")                                 \
	X(blackhole, "dropped without a word")                                                               \
	X(unreachable, "dropped, ICMP host unreachable")                                                     \
	X(prohibit, "dropped, ICMP administratively prohibited")

enum spx_next_hop_kind {
#define SPX_NEXT_HOP_ENUM(name, text) SPX_NEXT_HOP_KIND_##name,
	SPX_NEXT_HOP_KINDS(SPX_NEXT_HOP_ENUM)
#undef SPX_NEXT_HOP_ENUM
		SPX_NEXT_HOP_KIND_COUNT
};

const char *spx_next_hop_kind_name(enum spx_next_hop_kind kind); /* static; any thread */

/* The two ids that are always there; their objects have the kinds none and down. */
#define SPX_NEXT_HOP_NONE 0u
#define SPX_NEXT_HOP_DOWN 1u

/* Where packets go. kind, family, port and gateway never change while a reader can know the id; `neighbour`
 * is written by the slow path, `used` by workers: see the functions. An id is used again only after a grace
 * period. One cache line. */
struct spx_next_hop {
	uint8_t kind;   /* enum spx_next_hop_kind */
	uint8_t family; /* enum spx_route_family */
	uint16_t port;  /* local, connected, broadcast, gateway; else SPX_NO_PORT */
	uint8_t used;   /* gateway: a worker sent by it since the slow path looked */
	uint8_t reserved[3];
	uint64_t neighbour; /* gateway: a neighbour word, 0 = not asked yet */
	uint8_t gateway[SPX_ROUTE_ADDRESS_BYTES];
	uint32_t chain; /* id of the next one with the same hash: the table's */
} __rte_cache_aligned;
static_assert(sizeof(struct spx_next_hop) == 64, "a next hop is one cache line");

/* ---- neighbour words ------------------------------------------------------------------------------- */

#define SPX_NEIGHBOUR_STATES(X)                                                                              \
	X(none, "nobody asked for it")                                                                       \
	X(incomplete, "asked, no answer yet")                                                                \
	X(reachable, "answered lately")                                                                      \
	X(stale, "known, not confirmed lately")                                                              \
	X(probe, "known, in use, being asked whether it is still there")                                     \
	X(failed, "did not answer")                                                                          \
	X(permanent, "configured")

enum spx_neighbour_state {
#define SPX_NEIGHBOUR_ENUM(name, text) SPX_NEIGHBOUR_##name,
	SPX_NEIGHBOUR_STATES(SPX_NEIGHBOUR_ENUM)
#undef SPX_NEIGHBOUR_ENUM
		SPX_NEIGHBOUR_STATE_COUNT
};

const char *spx_neighbour_state_name(enum spx_neighbour_state state); /* static; any thread */

/* MAC address and state in one word, so that a reader sees both or neither: the address in the first six
 * bytes of memory, the state above. 0 is state none. */
static inline uint64_t
spx_neighbour_word(enum spx_neighbour_state state, const uint8_t mac[6])
{
	uint64_t word = 0;

	memcpy(&word, mac, 6);
	return word | (uint64_t)state << 48;
}

static inline enum spx_neighbour_state
spx_neighbour_word_state(uint64_t word)
{
	return (enum spx_neighbour_state)(word >> 48);
}

static inline void
spx_neighbour_word_mac(uint64_t word, uint8_t mac[6])
{
	memcpy(mac, &word, 6);
}

/* True when packets can be sent to its MAC address. */
static inline bool
spx_neighbour_word_usable(uint64_t word)
{
	const unsigned usable = 1u << SPX_NEIGHBOUR_reachable | 1u << SPX_NEIGHBOUR_stale |
				1u << SPX_NEIGHBOUR_probe | 1u << SPX_NEIGHBOUR_permanent;

	return (usable >> (word >> 48) & 1) != 0;
}

/* Worker: the gateway's word, and a note that it was used (a store only when it is not noted yet). */
static inline uint64_t
spx_next_hop_use(struct spx_next_hop *hop)
{
	if (__atomic_load_n(&hop->used, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&hop->used, 1, __ATOMIC_RELAXED);
	return __atomic_load_n(&hop->neighbour, __ATOMIC_RELAXED);
}

/* Slow path: was it used since the last call? */
static inline bool
spx_next_hop_take_used(struct spx_next_hop *hop)
{
	return __atomic_load_n(&hop->used, __ATOMIC_RELAXED) != 0 &&
	       __atomic_exchange_n(&hop->used, 0, __ATOMIC_RELAXED) != 0;
}

/* ---- lookup: workers ------------------------------------------------------------------------------- */

/* What is in force, for readers; made and owned by a route table. */
struct spx_routes;

/* For the members of `set`: next_hop[i] = id of the next hop to key[i].dip: SPX_NEXT_HOP_NONE without a
 * route, SPX_NEXT_HOP_DOWN when a path has a port and the port of no path is in the set ports_up. Of several
 * paths the flow's hash[i] chooses by weight; a path whose port is down hands its flows to the others by
 * their weights and moves no other flow. Any thread that is an online reader of the publisher's grace
 * periods; no lock, no allocation. */
void spx_route_lookup4(const struct spx_routes *routes, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, uint64_t ports_up, uint32_t next_hop[]);
void spx_route_lookup6(const struct spx_routes *routes, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, uint64_t ports_up, uint32_t next_hop[]);

/* Reverse-path check (RFC 3704): the members of `set` to whose source address there is a way, a connected or
 * gateway route; in `strict` mode one of its paths must leave by `port`, the one they came in by. Same
 * readers. */
uint64_t spx_route_source4(const struct spx_routes *routes, const struct spx_key4 key[], uint64_t set,
	uint16_t port, bool strict);
uint64_t spx_route_source6(const struct spx_routes *routes, const struct spx_key6 key[], uint64_t set,
	uint16_t port, bool strict);

/* The next-hop objects, by id; for as long as the caller may use `routes`. */
struct spx_next_hop *spx_route_next_hops(const struct spx_routes *routes);

/* One more than the highest id in use or used before. */
uint32_t spx_route_next_hop_limit(const struct spx_routes *routes);

/* Slow path: neighbour `address` on `port` has changed: puts `word` into the objects of that gateway, in
 * place. Returns how many there are. One thread at a time, an online reader like workers; does not wait.
 * A next hop begins with word 0: its first packet is punted, and the slow path answers with this. */
unsigned spx_route_resolve(const struct spx_routes *routes, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], uint64_t word);

/* ---- routes: control ------------------------------------------------------------------------------- */

#define SPX_ROUTE_PATHS_MAX  16u
#define SPX_ROUTE_WEIGHT_MAX 256u

struct spx_path {
	uint8_t kind;    /* enum spx_next_hop_kind: local ... prohibit */
	uint16_t port;   /* gateway: SPX_NO_PORT = the port of the connected route to the gateway */
	uint16_t weight; /* 1...SPX_ROUTE_WEIGHT_MAX, with several paths */
	uint8_t gateway[SPX_ROUTE_ADDRESS_BYTES];
};

/* Several paths must be of the kinds connected and gateway. Their weights are kept to 1/64: a group is 64
 * buckets, at least one for each path. */
struct spx_route {
	uint8_t family;                           /* enum spx_route_family */
	uint8_t length;                           /* of the prefix, bits */
	uint8_t origin;                           /* the caller's own word, handed back by walk and find */
	uint8_t n_paths;                          /* 1...SPX_ROUTE_PATHS_MAX */
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES]; /* bits beyond the prefix zero */
	struct spx_path path[SPX_ROUTE_PATHS_MAX];
};

enum spx_route_operation {
	SPX_ROUTE_ADD,     /* -EEXIST when the prefix has a route */
	SPX_ROUTE_REPLACE, /* adds it or takes the place of the prefix's route */
	SPX_ROUTE_DELETE,  /* -ENOENT when the prefix has none; paths are not looked at */
};

struct spx_route_change {
	uint8_t operation; /* enum spx_route_operation */
	struct spx_route route;
};

struct spx_route_options {
	uint32_t routes4, routes6; /* 0: 131,072 and 65,536 */
	uint32_t tbl8_4, tbl8_6;   /* 0: 4,096 and 32,768; tbl8_4 is rounded up to 64s */
	uint32_t next_hops;        /* 0: 4,096; at most 65,536, the two fixed ones among them */
	uint32_t groups;           /* 0: 4,096; at most 65,536; different sets of several paths */
	int socket;                /* NUMA node of the tables, or SOCKET_ID_ANY */
};

struct spx_route_table;

/* Puts `routes` in force and returns when no reader can still be using what was in force before. Called by
 * the table from the thread that makes the change, one at a time. */
typedef void (*spx_routes_publish)(void *arg, struct spx_routes *routes);

/* An empty table; publishes at once. options may be NULL: all defaults. The table owns what it publishes.
 * Needs EAL. 0, -EINVAL, -ENOMEM. The spx_route_table_ functions may be called from any control thread; they
 * are serialised by a lock. */
int spx_route_table_create(const struct spx_route_options *options, spx_routes_publish publish, void *arg,
	struct spx_route_table **out, struct spx_error *err);

/* Makes n changes, in their order, as one: in force when it returns, for every reader all at once. On error
 * nothing has changed; err names the change. -EINVAL, -EEXIST, -ENOENT, -ENETUNREACH (no connected route to
 * a gateway without port), -ENOSPC (an option is too small), -ENOMEM. */
int spx_route_table_change(struct spx_route_table *table, const struct spx_route_change *change, size_t n,
	struct spx_error *err);

/* Calls visit for every route in order of family, address, length until it returns false; with the lock
 * held, so it must not call the table. */
typedef bool (*spx_route_visit)(void *arg, const struct spx_route *route);
void spx_route_table_walk(struct spx_route_table *table, spx_route_visit visit, void *arg);

/* The route that packets to `address` take. False: none. */
bool spx_route_table_find(struct spx_route_table *table, enum spx_route_family family,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], struct spx_route *route);

struct spx_route_stats {
	size_t routes[SPX_ROUTE_FAMILIES];
	size_t next_hops, groups;           /* in use, without the two fixed next hops */
	uint64_t batches;                   /* published */
	uint64_t bytes[SPX_ROUTE_FAMILIES]; /* EAL memory of the tables, both copies, about */
};
void spx_route_table_stats(struct spx_route_table *table, struct spx_route_stats *stats);

/* After the last reader. NULL may be given. */
void spx_route_table_destroy(struct spx_route_table *table);

/* ---- route files ----------------------------------------------------------------------------------- */

/* Port name -> id; negative: there is none of that name. `name` is not terminated. */
typedef int (*spx_route_port)(void *arg, const char *name, size_t length);

/* Changes that own their memory (free with spx_route_list_free). */
struct spx_route_list {
	struct spx_route_change *change;
	size_t n, room;
};

int spx_route_list_add(struct spx_route_list *list, const struct spx_route_change *change); /* 0, -ENOMEM */
void spx_route_list_free(struct spx_route_list *list);

/* Reads routes, one a line, as iproute2 writes them, and appends a change of the given operation for each:
 *
 *   10.0.0.0/8 via 192.0.2.1 [dev PORT]          2001:db8::/32 dev PORT
 *   default via 192.0.2.1                        10.9.0.0/16 blackhole|unreachable|prohibit
 *   10.1.0.0/16 nexthop via 192.0.2.1 [dev PORT] [weight N] nexthop dev PORT [weight N] ...
 *
 * An address without length is one host; `default` has the family of its gateway; # begins a comment. Host
 * bits beyond the prefix are a mistake. `name` stands for the text in messages, which name line and column.
 * 0, -EINVAL, -ENOMEM; on error the list is as before. */
int spx_route_parse(const char *name, const char *text, size_t length, enum spx_route_operation operation,
	spx_route_port port, void *arg, struct spx_route_list *list, struct spx_error *err);

/* An address in its usual form; with `length`, PREFIX or PREFIX/LENGTH. -EINVAL with what would be right. */
int spx_route_parse_address(const char *text, enum spx_route_family *family,
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES], uint8_t *length, struct spx_error *err);

#define SPX_ROUTE_TEXT 64u /* bytes that an address with length takes, with the zero */

/* Writes "192.0.2.0/24", or without the length when it is UINT8_MAX. Returns text. */
char *spx_route_format(enum spx_route_family family, const uint8_t address[SPX_ROUTE_ADDRESS_BYTES],
	uint8_t length, char text[SPX_ROUTE_TEXT]);

/* ---- own addresses --------------------------------------------------------------------------------- */

struct spx_address {
	uint8_t family; /* enum spx_route_family */
	uint8_t length; /* of the prefix on the link */
	uint16_t port;
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES]; /* with its host bits */
};

/* The addresses of this node: a plain list in the caller's hands, which a configuration generation copies.
 * "Is it mine" is asked of the routes (kind local), not here. */
struct spx_address_list {
	struct spx_address *address;
	size_t n, room;
};

#define SPX_ADDRESS_CHANGES_MAX 4u

/* Adds an address, and fills change[] with the *n route changes that belong to it, for the caller's batch:
 * its connected prefix, itself (local), and first and last address of an IPv4 prefix of at most 30 bits
 * (broadcast). All of them REPLACE with the given origin. -EEXIST: the address is there, on whatever port.
 * -EINVAL, -ENOMEM. On error nothing has changed. Copies of a list are the caller's (spx_address_list_copy).
 */
int spx_address_add(struct spx_address_list *list, const struct spx_address *address, uint8_t origin,
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX], size_t *n, struct spx_error *err);

/* Removes it (family and address count); what no other address of the list asks for is deleted by change[],
 * what another port's address asks for becomes that one's. -ENOENT. */
int spx_address_remove(struct spx_address_list *list, const struct spx_address *address, uint8_t origin,
	struct spx_route_change change[SPX_ADDRESS_CHANGES_MAX], size_t *n, struct spx_error *err);

/* The list's entry with that address, or NULL. */
const struct spx_address *spx_address_find(const struct spx_address_list *list, enum spx_route_family family,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES]);

/* The address of `port` to speak to `toward` from: the one with the longest prefix around it, else the
 * port's first of the family; NULL: it has none. */
const struct spx_address *spx_address_source(const struct spx_address_list *list,
	enum spx_route_family family, uint16_t port, const uint8_t toward[SPX_ROUTE_ADDRESS_BYTES]);

int spx_address_list_copy(const struct spx_address_list *from, struct spx_address_list *to); /* 0, -ENOMEM */
void spx_address_list_free(struct spx_address_list *list);

/* ---- neighbours ------------------------------------------------------------------------------------ */

/* (port, address) -> MAC address and state.
 *
 * A hash table of chains over a fixed array of entries, one cache line each; as many heads as entries or
 * more, keyed by a secret, so that a chain has one entry at a mean and nobody can make a long one. Not
 * rte_hash: there a reader needs the key compared by a call and the data in another line, and entries given
 * back only after a grace period, which the slow path cannot wait for. Here an entry has a version (a
 * sequence lock): a reader that meets an entry while it changes hands finds nothing, and "nothing" only makes
 * it ask the slow path, which is the one writer and knows. A lookup takes two cache lines, head and entry,
 * both prefetched for the burst.
 *
 * Entries come into being only because this node needs them (want) or by configuration (set). What others
 * say (heard) changes entries that are there and makes none, so a million forged senders cost the time to
 * read their messages and no memory. They can lie about a neighbour that is there, as ARP and ND let them;
 * a change of a known address that answers no question of ours is taken once in `lock_ms`.
 *
 * Full: a new neighbour takes the place of the one that failed the longest ago; else of the incomplete one
 * that waits the longest, if it had `retry_ms`; else of the one that was unused the longest, if for
 * `idle_ms`. Never of a permanent one or one in use: then -ENOSPC. All of it in constant time (lists in order
 * of time). Memory: 64 B an entry for readers, 56 B for the writer, 4 B for each head: 512 KB for 4,096.
 *
 * After RFC 4861, 7.3, for ARP too, without its state DELAY (nothing here could confirm by a hint from
 * above):
 *
 *   want: none -> incomplete (ask) -> 3 asked, none answered -> failed for failed_ms
 *   heard: -> reachable, or stale when it answers no question of ours
 *   reachable, for reachable_ms not confirmed -> stale; stale and used -> probe (ask the known MAC)
 *   probe -> 3 asked, none answered -> failed; failed: used meanwhile -> incomplete, else removed
 *   unused for forget_ms -> removed
 */
struct spx_neighbours;

struct spx_neighbour_options {
	uint32_t capacity;     /* 0: 4,096; at most 1,048,576 */
	uint32_t retry_ms;     /* 0: 1,000; between questions */
	uint32_t reachable_ms; /* 0: 30,000 */
	uint32_t failed_ms;    /* 0: 3,000; while it holds nobody asks again */
	uint32_t idle_ms;      /* 0: 60,000; unused so long, it may go when the table is full */
	uint32_t forget_ms;    /* 0: 600,000; unused so long, it goes */
	uint32_t lock_ms;      /* 0: 1,000 */
	int socket;
	struct spx_hash_seed seed; /* a secret */
};

#define SPX_NEIGHBOUR_NONE   UINT32_MAX
#define SPX_NEIGHBOUR_PROBES 3u /* questions without answer until a neighbour has failed */

/* options may be NULL: all defaults and a seed drawn. Needs EAL. 0, -EINVAL, -ENOMEM. */
int spx_neighbours_create(
	const struct spx_neighbour_options *options, struct spx_neighbours **out, struct spx_error *err);
void spx_neighbours_free(struct spx_neighbours *t); /* after the last reader; NULL may be given */

/* Whom the writer's calls tell that neighbour `index` can be sent to now, with its word, before readers see
 * it: what has waited for it goes out before what comes later. One, from then on; not called for an entry
 * that is made with its address. */
typedef void spx_neighbour_usable(void *arg, uint32_t index, uint64_t word);
void spx_neighbours_tell(struct spx_neighbours *t, spx_neighbour_usable *usable, void *arg);

/* Readers, any thread: for the members of `set`, word[i] = word of neighbour (port[i], key[i].dip), 0 when
 * there is none (or its entry is just changing hands). What is found is noted as used. */
void spx_neighbour_lookup4(struct spx_neighbours *t, const struct spx_key4 key[], const uint16_t port[],
	uint64_t set, uint64_t word[]);
void spx_neighbour_lookup6(struct spx_neighbours *t, const struct spx_key6 key[], const uint16_t port[],
	uint64_t set, uint64_t word[]);

/* A copy of an entry, of one moment. */
struct spx_neighbour {
	uint8_t family; /* enum spx_route_family */
	uint8_t state;  /* enum spx_neighbour_state; none: the entry is free */
	uint16_t port;
	uint8_t mac[6];
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES];
	uint64_t word;
};

/* Any thread. index < capacity; an entry keeps its index as long as it lives, so that its owner can keep an
 * array beside the table. False: it is free, or changing hands. */
bool spx_neighbour_read(const struct spx_neighbours *t, uint32_t index, struct spx_neighbour *neighbour);
uint32_t spx_neighbour_capacity(const struct spx_neighbours *t);

/* The writer: one thread at a time for everything below. now_ms counts from any moment and never falls. */

/* What the caller has to do about a neighbour. With every event the next hops' word may have changed in a way
 * that counts (usable or not, asked or failed): spx_route_resolve with neighbour.word, GONE with 0. */
enum spx_neighbour_what {
	SPX_NEIGHBOUR_NOTHING,
	SPX_NEIGHBOUR_SOLICIT, /* ask everybody: ARP broadcast, solicited-node multicast */
	SPX_NEIGHBOUR_ASK,     /* ask the known MAC address */
	SPX_NEIGHBOUR_FAIL,    /* it does not answer: give up what waits for it */
	SPX_NEIGHBOUR_GONE,    /* the entry is free now: give up what waits for it */
};

struct spx_neighbour_event {
	uint32_t index;
	uint8_t what;                   /* enum spx_neighbour_what */
	struct spx_neighbour neighbour; /* as it is now; GONE: as it was */
};

/* Somebody needs the neighbour: makes the entry when there is none, notes that it is used. *index is its
 * entry. event->what says what to do now: SOLICIT, ASK or NOTHING; event->neighbour.word whether it can be
 * sent to. *evicted (its what is NOTHING or GONE) is the entry that had to go for it. -ENOSPC: all are in
 * use; -EINVAL: no address of a neighbour (0, multicast, the IPv4 broadcast address). */
int spx_neighbour_want(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], uint64_t now_ms, struct spx_neighbour_event *event,
	struct spx_neighbour_event *evicted);

/* It is used by a next hop (spx_next_hop_take_used): keeps the entry, if there is one, from going. */
void spx_neighbour_use(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES]);

enum {
	SPX_NEIGHBOUR_SOLICITED = 1 << 0, /* says it answers us: ARP reply to our address, NA with S */
	SPX_NEIGHBOUR_OVERRIDE = 1 << 1,  /* it may change a known MAC: any ARP message, NA with O, NS */
};

/* A message says that the neighbour has that MAC address. 1: the entry's word changed so that the next hops
 * have to know (spx_route_resolve) and what waits can go; 0: nothing of that; -ENOENT: nobody asked for it,
 * ignored; -EINVAL: no MAC address of a station. *neighbour and *index (may be NULL) are filled for 0 and 1.
 */
int spx_neighbour_heard(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], const uint8_t mac[6], unsigned flags, uint64_t now_ms,
	struct spx_neighbour *neighbour, uint32_t *index);

/* Time goes on: up to `max` events; as many as max: call again. Every 100 ms or so. */
unsigned spx_neighbour_tick(
	struct spx_neighbours *t, uint64_t now_ms, struct spx_neighbour_event event[], unsigned max);

/* Configuration: a permanent entry, made or changed, whatever it was. Evicts as want does. */
int spx_neighbour_set(struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], const uint8_t mac[6], uint64_t now_ms,
	struct spx_neighbour_event *event, struct spx_neighbour_event *evicted);

/* Takes the entry out: event->what is GONE, or NOTHING when it was free. */
void spx_neighbour_remove(struct spx_neighbours *t, uint32_t index, struct spx_neighbour_event *event);

/* Index of a neighbour, or SPX_NEIGHBOUR_NONE. */
uint32_t spx_neighbour_find(const struct spx_neighbours *t, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES]);

struct spx_neighbour_stats {
	uint32_t state[SPX_NEIGHBOUR_STATE_COUNT]; /* entries by state; none: free */
	uint64_t created, evicted, refused;        /* refused: the table was full */
	uint64_t ignored;                          /* heard of strangers */
	uint64_t failed;                           /* resolutions */
};
void spx_neighbour_stats(const struct spx_neighbours *t, struct spx_neighbour_stats *stats); /* the writer */

#endif
