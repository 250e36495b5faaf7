/* The flow caches in front of the rules: what was answered for a flow's first packets answers its next ones.
 *
 * Three parts, one section each below. The exact cache (exact.c) holds flows with their full key, action,
 * state and counters. The approximate cache (approximate.c) is a Bloom filter over flow hashes: a set of
 * flows in a dozen bits each, with a known chance to say yes to a stranger. The flow cache (cache.c) puts
 * them together in the modes of a configuration; the lookup stage calls nothing but that, the two others are
 * public for tests, benchmarks and studies.
 *
 * A cache belongs to one worker. Everything that is not said to be callable from any thread is called by that
 * worker alone, or while it does not run. Nothing of that allocates after creation, logs, makes a system call
 * or waits.
 *
 * All functions take the arrays of a burst and a set of indices into them (base.h), so nothing is gathered
 * before and nothing scattered after. `hash` is the 64-bit flow hash that parse computed with the appliance's
 * secret: sets, tags and filter positions come from different bits and mixes of it.
 */
#ifndef SPX_FLOW_H
#define SPX_FLOW_H

#include "lib/base/base.h"

enum spx_flow_family { SPX_FLOW_IPV4, SPX_FLOW_IPV6, SPX_FLOW_FAMILIES };

/* ---- flows ----------------------------------------------------------------------------------------- */

/* What a resident flow carries besides its key. Times are milliseconds on the caller's clock, modulo 2^32. */
struct spx_flow_data {
	uint32_t action;     /* action id the rules answered */
	uint32_t state;      /* the action's own; 0 when the flow enters and when the rules have changed */
	uint32_t generation; /* of the rules that answered; never 0 */
	uint32_t last_use;
	uint32_t first_use;
	uint32_t version; /* of the entry: changes when another flow enters it, for those who read along */
	uint64_t packets, bytes; /* since the flow entered; bytes: frames without FCS */
	uint64_t memo;           /* the owner's (spx_flow_remember4); 0 when the flow enters */
};
static_assert(sizeof(struct spx_flow_data) == 48, "an IPv4 flow fits a cache line");

/* Why a flow is resident no more. */
#define SPX_FLOW_ENDS(X)                                                                                     \
	X(evicted, "another flow took its place")                                                            \
	X(expired, "it was idle")                                                                            \
	X(stopped, "the appliance stopped")

enum spx_flow_end {
#define SPX_FLOW_END_ENUM(name, text) SPX_FLOW_END_##name,
	SPX_FLOW_ENDS(SPX_FLOW_END_ENUM)
#undef SPX_FLOW_END_ENUM
		SPX_FLOW_END_COUNT
};

const char *spx_flow_end_name(enum spx_flow_end end);

/* A flow outside of its cache: one that has ended, or a copy of a resident one. */
struct spx_flow_record {
	union {
		struct spx_key4 key4;
		struct spx_key6 key6;
	};
	uint8_t family; /* enum spx_flow_family */
	uint8_t end;    /* enum spx_flow_end, of an ended flow */
	uint16_t reserved;
	uint32_t action;
	uint64_t packets, bytes;
	uint32_t first_use, last_use; /* ms, as in spx_flow_data */
};
static_assert(sizeof(struct spx_flow_record) % 4 == 0, "an element of an rte_ring");

/* Takes a flow that has ended; called in the packet loop, so it must not wait. */
typedef void (*spx_flow_ended)(void *arg, const struct spx_flow_record *record);

/* ---- exact cache ----------------------------------------------------------------------------------- */

/* A set-associative table of ceil(entries / ways) sets, any number of them. The upper 32 bits of the hash,
 * as a fraction, choose the set; the low 16, made odd, are the flow's tag (0 stands for an empty way).
 * A set has a header of one cache line, 16 tags and 16 stamps of last use, and its flows lie in entries of
 * one line (IPv4) or two (IPv6: what lookups touch in the first, packets and bytes in the second).
 *
 * Why this one. A cache has to forget the right flow at once and never to move one, so that pointers hold
 * through a burst: chains and displacement (cuckoo, hopscotch) buy occupancy that a cache does not need, and
 * pay with it when they are full. One comparison of the header answers for all ways, the order of use stands
 * beside the tags, and both are there before the entry is asked for.
 *
 *              cache lines           instructions, IPv4, lookup and hash (callgrind, bursts of 32)
 *   hit        2 (IPv6: 3)           114
 *   miss       1                      70; ways / 2^15 of them compare a key for nothing
 *   insertion  2 (IPv6: 3)           276 with the lookup that missed, the flow that ends, and its record
 *
 * Occupancy. n flows fall into sets as Poisson's distribution with mean m = n / sets says; of a set's flows
 * those beyond its ways find no place. Their share, sum over k > ways of (k - ways) e^-m m^k/k! / m, and what
 * a table of 65,536 entries evicted while it was filled (test/unit/flow_exact_options.c):
 *
 *   flows / entries   0.5, 16 ways   0.7, 16 ways   0.85, 16 ways   0.85, 4 ways   0.85, 1 way
 *   formula           0.08 %         1.28 %         4.4 %           14.1 %         32.6 %
 *   measured          0.08 %         1.28 %         4.4 %           14.1 %         32.7 %
 *
 * When a set is full its least recently used flow ends for the new one; nothing else happens, so the cost
 * stays. On a real uplink 1,024 entries of 16 ways hit as often (0.913) as a list LRU over all of them
 * (0.914).
 *
 * The order of use is exact to the tick: the packet with few sets, 2^floor(log2(sets / 64)) packets with
 * 128 and more; flows of one burst are used at the same time. Stamps have 16 bits and do not come round:
 * exact.c shows it.
 *
 * Memory: 64 or 128 bytes of an entry and 64 / ways of a header: with 16 ways 68 B for an IPv4 entry, 132 B
 * for an IPv6 one; at 0.85 occupancy 80 and 155 B for each resident flow (measured; rte_hash without any data
 * 62 and 81 B). */
struct spx_flow_exact;

struct spx_flow_exact_options {
	enum spx_flow_family family;
	uint64_t entries;     /* at least one; rounded up to a multiple of ways */
	unsigned ways;        /* 1...SPX_FLOW_WAYS_MAX */
	bool protect;         /* flows in use are not evicted for every new one: see insert */
	int socket;           /* NUMA node of its memory, or SOCKET_ID_ANY */
	spx_flow_ended ended; /* gets every flow that ends; NULL: nobody does */
	void *arg;
};

#define SPX_FLOW_WAYS_MAX 16u

/* 0, -EINVAL (says what would be right) or -ENOMEM. Needs EAL. */
int spx_flow_exact_create(
	const struct spx_flow_exact_options *options, struct spx_flow_exact **out, struct spx_error *err);
void spx_flow_exact_free(struct spx_flow_exact *x); /* NULL may be given */

/* Entries answer only for the generation of the rules that is set here (not 0): flows of others are found no
 * more, and keep their counters when they enter again. */
void spx_flow_exact_set_generation(struct spx_flow_exact *x, uint32_t generation);

/* Sets the time that last_use and first_use get from now on. */
void spx_flow_exact_set_time(struct spx_flow_exact *x, uint32_t now_ms);

/* Finds the flows of the members of `set`. Returns the set of those that are resident with the generation in
 * force; found[i] of each points to its data, valid until the next insertion, sweep or flush, and the flow
 * counts as used. Packets and bytes are the caller's to count. */
uint64_t spx_flow_exact_lookup4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[]);
uint64_t spx_flow_exact_lookup6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[]);

/* The same for packets of a burst that has been looked up: they are not new ones for the order of use. */
uint64_t spx_flow_exact_again4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[]);
uint64_t spx_flow_exact_again6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, struct spx_flow_data *found[]);

/* The same with what a cache does of it: action[i] and memo[i] of each hit are the flow's, and the packet
 * counts there with its bytes[i]. IPv4: fast when spx_flow_exact_lines of the hashes have been asked for. */
uint64_t spx_flow_exact_answer4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint32_t action[], uint64_t memo[]);
uint64_t spx_flow_exact_answer6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint32_t action[], uint64_t memo[]);

/* Of the members of the last lookup those that are resident with an older generation. */
uint64_t spx_flow_exact_stale(const struct spx_flow_exact *x);

/* While `closed`, new flows get empty places only. */
void spx_flow_exact_close(struct spx_flow_exact *x, bool closed);

/* Enters the flows of the members of `set`, which must be different flows that a lookup of this burst did not
 * find, each with its action and with packets[i] and bytes[i] to begin its counters with. In a full set the
 * least recently used flow ends (evicted). A flow that is resident with an older generation gets the new
 * generation and action, state 0, and goes on counting. Returns the members that are resident now: all of
 * them, unless the cache is closed or `protect` is set.
 *
 * protect: in a full set whose flows are all in use (the least recently used one within the last 2 * entries
 * packets) only every 16th new flow enters. LRU throws out the flow that is wanted next when more flows than
 * ways come round in turn, and nobody hits; this way ways of them stay, and the set still follows its
 * traffic. (Bimodal insertion of Qureshi et al., ISCA 2007, does so for processor caches.) */
uint64_t spx_flow_exact_insert4(struct spx_flow_exact *x, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, const uint32_t action[], const uint32_t packets[], const uint32_t bytes[]);
uint64_t spx_flow_exact_insert6(struct spx_flow_exact *x, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, const uint32_t action[], const uint32_t packets[], const uint32_t bytes[]);

/* New flows of the last insertion that came to full sets, whether they got a place there or not. */
unsigned spx_flow_exact_contested(const struct spx_flow_exact *x);

/* The array of *lines cache lines that a lookup begins with: the upper 32 bits of the hash, as a fraction of
 * it, are the flow's. Who prefetches them while it still computes other hashes hides their distance. */
const void *spx_flow_exact_lines(const struct spx_flow_exact *x, uint64_t *lines);

/* Keeps the order of use exact; housekeeping calls it every few thousand packets looked up, and a lookup does
 * when nobody has for 16 Ki. Costs about one cache line per 128 packets. */
void spx_flow_exact_age(struct spx_flow_exact *x);

/* Goes on through the next n sets (ways entries each), round and round: flows not used for more than idle_ms
 * end (expired). */
void spx_flow_exact_sweep(struct spx_flow_exact *x, uint64_t n, uint32_t idle_ms);

/* Ends every flow (stopped). */
void spx_flow_exact_flush(struct spx_flow_exact *x);

/* What it holds and what it has done; never cleared. Any thread may read. */
struct spx_flow_exact_stats {
	uint64_t entries, sets;
	uint64_t resident; /* flows now, of whatever generation */
	uint64_t bytes;    /* of memory, all told */
	uint64_t inserted; /* flows that entered */
	uint64_t renewed;  /* of an older generation, answered anew */
	uint64_t refused;  /* flows that did not enter: their set was full and closed, or all in use */
	uint64_t ended[SPX_FLOW_END_COUNT]; /* inserted = resident + sum of ended */
};
void spx_flow_exact_stats(const struct spx_flow_exact *x, struct spx_flow_exact_stats *stats);

/* Copies the flow in entry `index` (0...entries-1) while the owner may be changing it: false when there is
 * none, or it changed meanwhile. Any thread. */
bool spx_flow_exact_read(const struct spx_flow_exact *x, uint64_t index, struct spx_flow_record *record);

/* ---- approximate cache ----------------------------------------------------------------------------- */

/* A set of flows in about a dozen bits each, with a known chance p of a yes for a stranger.
 *
 * Why a Bloom filter? It holds no keys: at p = 1e-3 a flow takes 2.1 bytes, in the exact cache a cache
 *   line.
 * Why blocks? All bits of a flow lie in one cache line: one miss for a look-up instead of one for each
 *   probe.
 * What is a block? 64 bytes: 480 bits and a 32-bit epoch. The flow hash, multiplied and folded with the
 *   filter's seed, gives the block (any number of them, by multiply-shift); the positions come from the
 *   product of the mixed hash and an odd number, 32 bits of it for 8 probes, times a constant for each.
 * What is p?  sum over j of P(J = j) * chance(j),  J ~ Binomial(flows entered, 1 / blocks) the flows in
 *   the stranger's block, chance(j) that `probes` more throws hit set bits only after j * probes throws at
 *   480 bits (plan.c; exact, and the tests hold a measured p to the 95 % interval around it).
 * What does it cost in memory? For 1 Mi flows, epochs and all, against an unblocked filter of -log2(p)
 *   probes (1.44 * -log2 p bits); blocks differ in their flows, and the fuller ones make most of the
 *   mistakes, so the smaller p, the dearer:
 *     p      probes   bits per flow   unblocked
 *     1e-2      6         10.6            9.6
 *     1e-3      8         16.8           14.4
 *     1e-4     10         23.9           19.2
 *     1e-6     14         42.6           28.8
 *     1e-9     16         94.0           43.1
 * Of two numbers of probes that differ by less than 2 % in memory the smaller one is taken.
 * What is full? It counts the flows that change a bit, so those that it takes for known enter uncounted;
 *   the plan reckons with them (entered: 0.2 % more than `flows` at p = 1e-2, 39 % at 0.5) and p holds
 *   until the last.
 * What happens when full? A further flow that it does not know clears it first; one that it knows changes
 *   nothing. Cold ageing forgets all then.
 * What is double-buffered? Two filters of that size, each with its own seed. What enters, enters both; the
 *   active one answers, and what it finds enters the other one too. When the other one counts flows / 2
 *   (rounded down), or the active one `flows`, the next flow that has to enter clears the active one and
 *   makes the other one active. So neither ever counts more than `flows`, the one that takes over is half
 *   full, and **the last flows / 2 different flows that were entered or found are always found**: between
 *   its own clear and its taking over so many different flows were used, and every one of them entered it.
 *   With nothing but new flows it answers for the last flows / 2 ... flows of them. It costs twice the
 *   memory, and a second probe for each hit.
 * What does a clear cost? Two random numbers and one line: the epoch goes up, blocks of another epoch
 *   count as empty and are wiped when something enters. Each clear wipes one block in turn, so none is
 *   older than `blocks` (at most 2^31) clears, and that epochs come round after 2^32 does no harm.
 * What do its mistakes have in common? With cold ageing nothing beyond a clear: the new seed moves block and
 *   positions, so strangers taken for known are others then. With double-buffered ageing a stranger taken for
 *   known enters the other half like any flow that is found, and stays known while it is used: p is the
 * chance at its first packet.
 */

struct spx_flow_approximate;

enum spx_flow_ageing { SPX_FLOW_COLD, SPX_FLOW_DOUBLE_BUFFERED };

struct spx_flow_approximate_options {
	double p;       /* chance of a yes for a flow that is not in it, when it is full: 1e-11...0.5 */
	uint64_t flows; /* flows it counts when it is full; at least 1, double-buffered 2 */
	enum spx_flow_ageing ageing;
	uint64_t seed; /* of its seeds; each clear draws the next one */
	int socket;
};

/* How a filter is laid out for (p, flows). */
struct spx_flow_approximate_plan {
	uint64_t blocks;  /* of one cache line */
	unsigned probes;  /* bits that a flow sets in its block */
	uint64_t entered; /* flows that are in it when it is full: it counts those that change a bit */
	double p;         /* by the model, with those in it; at most what was asked for */
};

/* The smallest filter that keeps to p with that many flows. 0 or -EINVAL (says what would be right). Takes
 * milliseconds. */
int spx_flow_approximate_plan(
	double p, uint64_t flows, struct spx_flow_approximate_plan *plan, struct spx_error *err);

/* The model: chance of a yes for a stranger in `blocks` blocks (at least one) that `flows` different flows of
 * `probes` (1...16) bits have entered, counted or not. Takes up to a millisecond. */
double spx_flow_approximate_model(uint64_t blocks, unsigned probes, uint64_t flows);

int spx_flow_approximate_create(const struct spx_flow_approximate_options *options,
	struct spx_flow_approximate **out, struct spx_error *err);
void spx_flow_approximate_free(struct spx_flow_approximate *f); /* NULL may be given */

/* Returns the members of `set` that the filter holds, or says so of. With double-buffered ageing those enter
 * the other half too. */
uint64_t spx_flow_approximate_lookup(struct spx_flow_approximate *f, const uint64_t hash[], uint64_t set);

/* The two halves of that: who is there, and that those of them who are meant are in use. Between them the
 * caller can leave out whom it does not believe: what enters the other half by mistake stays. */
uint64_t spx_flow_approximate_peek(struct spx_flow_approximate *f, const uint64_t hash[], uint64_t set);
void spx_flow_approximate_refresh(struct spx_flow_approximate *f, const uint64_t hash[], uint64_t found);

/* Enters the members of `set`, in their order; a flow that is there already changes nothing. When the filter
 * is full it is cleared (cold), or the other half takes over and this one is cleared (double-buffered), in
 * constant time and with a new seed. */
void spx_flow_approximate_insert(struct spx_flow_approximate *f, const uint64_t hash[], uint64_t set);

/* Forgets everything, in constant time, with a new seed. */
void spx_flow_approximate_clear(struct spx_flow_approximate *f);

struct spx_flow_approximate_stats {
	struct spx_flow_approximate_plan plan; /* of one half */
	uint64_t flows;                        /* in the filter that answers */
	uint64_t clears;                       /* because it was full */
	uint64_t bytes;                        /* of memory, all told */
};
void spx_flow_approximate_stats(
	const struct spx_flow_approximate *f, struct spx_flow_approximate_stats *stats); /* any thread */

/* ---- flow cache ------------------------------------------------------------------------------------ */

#define SPX_FLOW_MODES(X)                                                                                    \
	X(none)                                                                                              \
	X(exact)                                                                                             \
	X(layered)                                                                                           \
	X(approximate)

enum spx_flow_mode {
#define SPX_FLOW_MODE_ENUM(name) SPX_FLOW_MODE_##name,
	SPX_FLOW_MODES(SPX_FLOW_MODE_ENUM)
#undef SPX_FLOW_MODE_ENUM
		SPX_FLOW_MODE_COUNT
};

const char *spx_flow_mode_name(enum spx_flow_mode mode);

#define SPX_FLOW_ACTIONS_MAX 64u /* action ids in mode approximate, which has a filter for each */

struct spx_flow_options {
	enum spx_flow_mode mode;
	uint64_t entries, entries6; /* of the exact caches for IPv4 and IPv6 */
	unsigned ways;
	double p;       /* approximate: misclassified in all; layered: admitted at the first packet */
	uint64_t flows; /* that a filter holds */
	enum spx_flow_ageing ageing;
	uint32_t idle_ms;    /* after which a flow ends; 0 = never */
	uint64_t flood_rate; /* new flows a second that may take the places of others; 0 = no guard */
	uint32_t n_actions;  /* mode approximate: ids are 0...n_actions-1 */
	uint64_t seed;       /* of the filters */
	int socket;
	spx_flow_ended ended; /* gets every flow that ends; NULL: nobody does */
	void *arg;
};

/* What the worker's cache did, in packets unless it says otherwise. The owner writes, any thread reads; never
 * cleared. In the modes exact and layered exact_hits + exact_misses, in mode approximate the five
 * approximate_ counters of it, are the packets looked up. */
#define SPX_FLOW_COUNTERS(X)                                                                                 \
	X(exact_hits) /* answered by the exact cache, or by a packet before in the burst */                  \
	X(exact_misses)                                                                                      \
	X(approximate_hits)    /* exactly one filter said yes (layered: flows seen before, admitted) */      \
	X(approximate_misses)  /* none did (layered: flows not seen before) */                               \
	X(approximate_several) /* several did: asked the rules */                                            \
	X(approximate_syn)     /* TCP SYN: asked the rules */                                                \
	X(approximate_repeats) /* answered by a packet before in the burst */                                \
	X(counted)             /* counted in entries of the exact cache */                                   \
	X(guarded)             /* flows that got no place because of the guard */                            \
	X(guard_on)            /* times that the guard began to hold flows off */                            \
	X(guard_off)           /* times that it ended */

struct spx_flow_counters {
#define SPX_FLOW_COUNTER_FIELD(name) uint64_t name;
	SPX_FLOW_COUNTERS(SPX_FLOW_COUNTER_FIELD)
#undef SPX_FLOW_COUNTER_FIELD
};

struct spx_flow_cache;

/* 0, -EINVAL (says what would be right) or -ENOMEM. Needs EAL. */
int
spx_flow_create(const struct spx_flow_options *options, struct spx_flow_cache **out, struct spx_error *err);
void spx_flow_free(struct spx_flow_cache *c); /* NULL may be given; nothing ends: see spx_flow_flush */

/* Answers before `generation` of the rules (never 0) are worth nothing from here on. Before the first lookup,
 * and whenever it differs from the one before. */
void spx_flow_set_generation(struct spx_flow_cache *c, uint32_t generation);

/* Answers the members of `set`: action[i] of those that need not ask the rules. Returns the others, of which
 * every flow is in once: the caller asks the rules for those and must then call the learn of the same family,
 * before any other call. bytes[i] is the length of packet i; `syn` the set of TCP SYN packets, which mode
 * approximate sends to the rules; the other modes do not look at it. memo[i] of every member is what was
 * remembered of its flow, 0 when nothing was. */
uint64_t spx_flow_lookup4(struct spx_flow_cache *c, const struct spx_key4 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint64_t syn, uint32_t action[], uint64_t memo[]);
uint64_t spx_flow_lookup6(struct spx_flow_cache *c, const struct spx_key6 key[], const uint64_t hash[],
	const uint32_t bytes[], uint64_t set, uint64_t syn, uint32_t action[], uint64_t memo[]);

/* Takes what the rules answered for the set that the lookup returned, gives it to the repeats of those flows
 * in action[], and remembers it as the mode says. */
void spx_flow_learn4(struct spx_flow_cache *c, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t asked, uint32_t action[]);
void spx_flow_learn6(struct spx_flow_cache *c, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t asked, uint32_t action[]);

/* Remembers memo[i] of the flows of `set`, as long as they are resident in the exact caches: a word whose
 * meaning is the caller's, for what follows from the key alone and is dear to find out (the route stage's
 * next hop). After the learn of the burst. */
void spx_flow_remember4(struct spx_flow_cache *c, const struct spx_key4 key[], const uint64_t hash[],
	uint64_t set, const uint64_t memo[]);
void spx_flow_remember6(struct spx_flow_cache *c, const struct spx_key6 key[], const uint64_t hash[],
	uint64_t set, const uint64_t memo[]);

/* Time goes on: expires idle flows, keeps the order of use exact, refills the flood guard. Every few hundred
 * bursts at the latest; now_ms counts from any moment, modulo 2^32. Bounded work. */
void spx_flow_housekeep(struct spx_flow_cache *c, uint32_t now_ms);

/* Ends every flow (stopped). */
void spx_flow_flush(struct spx_flow_cache *c);

/* spx_flow_exact_lines of the IPv4 flows; NULL and 0 in a mode without. */
const void *spx_flow_lines4(const struct spx_flow_cache *c, uint64_t *lines);

/* The mode it was created with; any thread. */
enum spx_flow_mode spx_flow_mode(const struct spx_flow_cache *c);

/* The counters; any thread. */
const struct spx_flow_counters *spx_flow_counters(const struct spx_flow_cache *c);

/* Sizes and flows of the parts; a part that the mode does not have is all zero. The filters of mode
 * approximate are added up. Any thread. */
void spx_flow_stats(const struct spx_flow_cache *c, struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES],
	struct spx_flow_approximate_stats *approximate);

/* The n flows with the most bytes of n_caches caches together, most first, into top[]. Returns how many there
 * are. Reads while the owners write, so a flow that leaves and comes back meanwhile may be in twice. Any
 * thread but the owners'; takes milliseconds for large caches. */
size_t spx_flow_top(
	const struct spx_flow_cache *const cache[], size_t n_caches, size_t n, struct spx_flow_record top[]);

#endif
