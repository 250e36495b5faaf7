/* The ephemeral state store: what programs on packets keep at a node, entries of 32 bytes under a 64-bit key
 * that live for a fixed time from their creation and then are gone.
 *
 * A run of a program is a transaction: it maps up to four entries into banks (copies), computes on the
 * copies, and commits. Any lcore may map any key; a commit takes effect as a whole, or not at all because
 * another lcore was faster, and then the program runs again. Nothing here allocates after creation, logs or
 * makes a system call. tx.c reads (map), commit.c writes, place.c finds places for new entries, store.c is
 * the rest.
 *
 * Structure. Entries are cache lines in one array; a bucket is a cache line with a version, eight tags of 16
 * bits, the eight entries behind them, and a chain for those beyond. One bucket for every four entries; the
 * hash (64 bits, by a secret seed: keys are chosen by attackers) gives bucket and tag.
 *
 *   Lifetime. All entries live equally long and places are given out in a row, round and round, so the order
 *   of birth is the order of expiry and the next place is the one of the oldest entry: it is free when that
 *   has expired, and when it has not the store is full, exactly. Reclaiming is O(1) and happens to the places
 *   that creations need; who looks a key up compares the entry's birth with the time, so an entry is gone at
 *   the tick of its lifetime whether its place was reclaimed or not. No live entry is ever evicted.
 *   Time is the caller's, in microseconds; where the clocks of two lcores differ, an entry may be gone for
 *   one as much earlier as the other one is ahead.
 *
 *   Reading. The version of a bucket is odd while a commit writes there. Map reads the version, searches,
 *   copies, reads the version again, and does so until both are equal and even: no torn value, and no entry
 *   whose place went to another key meanwhile. It remembers the version.
 *
 *   Commit. (1) For each bucket that it writes: compare-and-swap of the version from what map saw to odd; it
 *   fails when anything in the bucket has changed, or somebody is writing there. (2) For each bucket that was
 *   only read: the version must be what map saw. (3) Creations take places. (4) Writes, (5) versions + 2. A
 *   failure before (3) puts the old versions back and says "again"; so does one in (3), with versions + 2, as
 *   expired entries may have left the buckets in vain. After (1) nobody changes what it writes, at (2)
 * nothing that it read has changed, so the whole of it could have happened at that moment (Tu et al., "Speedy
 *   Transactions in Multicore In-Memory Databases", SOSP 2013, argue the same way). Absence is covered: an
 *   entry that appears changes its bucket's version. Versions have 64 bits and do not come round. An entry of
 *   the same bucket that changes is taken for a conflict too; it only costs a run.
 *
 *   No deadlock. Who has made a version odd waits for nothing but the lock of the row of places, and who has
 *   that lock waits for nothing: it only tries other versions. So the order in which keys are mapped does not
 *   matter. Everything else waits while it holds no version: map for an odd version, a commit for the serial
 *   lock. A version is odd for some 30 instructions, with a creation for some 300; a thread that loses its
 *   core just then keeps those waiting who want that bucket.
 *
 *   Progress. After SPX_ESS_FAILURES failures the caller takes the serial lock and runs again. No commit that
 *   writes begins while another lcore holds it, so only commits that had begun before can still be in the
 *   way, one for each other lcore: then it succeeds.
 *
 *   Quota. Creations take tokens from a bucket of the worker's own for the port that the packet came in by,
 *   filled at the port's quota / workers; nothing is shared.
 *
 * Occupancy. n entries in b buckets: Poisson with mean m = n / b, 4 in a full store; the share
 * sum over k > 8 of (k - 8) e^-m m^k / k! / m of the entries is in chains: 0.84 % by the formula, 0.81 %
 * measured (test/unit/ess_store.c).
 *
 * Memory: 64 B for an entry and 16 B of buckets: 80 B for each of the capacity. The capacity follows from the
 * traffic: creations a second * lifetime.
 *
 * Measured with 1 Mi entries live, bursts of 32, one core of a busy AMD EPYC, hugepages:
 *
 *                                                 ns     instructions
 *   map, change, commit (ess.map_commit.1m)       45     322    rte_hash look-up and a copy of 32 B: 57 ns
 *   the same on two cores (ess.scale.2cores)      22     322    1.85 times what one core does
 *   create where the oldest was (ess.create.1m)   81     790
 *
 * Two cache lines, bucket and entry, are all that map and commit of an entry touch, and prefetch brings those
 * of a burst side by side. A creation touches two more, to take the old entry out, which are fetched a few
 * creations before.
 */
#ifndef SPX_ESS_H
#define SPX_ESS_H

#include <errno.h>

#include <rte_branch_prediction.h>

#include "lib/base/base.h"
#include "lib/net/net.h"

#define SPX_ESS_VALUE        32u /* bytes of an entry's value */
#define SPX_ESS_BANKS        4u  /* entries that a transaction maps at most */
#define SPX_ESS_FAILURES     8u  /* of a transaction, then it takes the serial lock */
#define SPX_ESS_CAPACITY     (1u << 20)
#define SPX_ESS_CAPACITY_MIN 16u
#define SPX_ESS_CAPACITY_MAX (1u << 30)
#define SPX_ESS_LIFETIME     UINT64_C(10000000)    /* us */
#define SPX_ESS_LIFETIME_MAX UINT64_C(86400000000) /* us: a day */
#define SPX_ESS_QUOTA_MS     100u                  /* of a port's quota may be created at once */
#define SPX_ESS_QUOTA_MAX    UINT64_C(1000000000)  /* creations a second */

/* Classes of keys; the class is part of the key. Which key a program reaches in class private, and that
 * invitations are made by one instruction only, is the caller's to see to. */
#define SPX_ESS_CLASSES(X)                                                                                   \
	X(public, "whoever knows the key")                                                                   \
	X(protected, "everybody reads, operators create and write")                                          \
	X(private, "one program")                                                                            \
	X(invitation, "made by invite, read by reroute")

enum spx_ess_class {
#define SPX_ESS_CLASS_ENUM(name, text) SPX_ESS_CLASS_##name,
	SPX_ESS_CLASSES(SPX_ESS_CLASS_ENUM)
#undef SPX_ESS_CLASS_ENUM
		SPX_ESS_CLASS_COUNT
};

const char *spx_ess_class_name(enum spx_ess_class class); /* static; any thread */

/* ---- the store ------------------------------------------------------------------------------------- */

struct spx_ess;
struct spx_ess_worker; /* one lcore's side of it: its counters and quotas */

struct spx_ess_options {
	uint32_t capacity;    /* entries, SPX_ESS_CAPACITY_MIN...MAX */
	uint32_t workers;     /* 1...SPX_WORKERS_MAX */
	uint64_t lifetime_us; /* 1...SPX_ESS_LIFETIME_MAX */
	int socket;           /* NUMA node of its memory, or SOCKET_ID_ANY */
	struct spx_hash_seed seed;
};

/* An empty store without quotas. 0, -EINVAL (says what would be right) or -ENOMEM. Needs EAL. */
int spx_ess_create(const struct spx_ess_options *options, struct spx_ess **out, struct spx_error *err);
void spx_ess_free(struct spx_ess *s); /* NULL may be given; nobody may use it any more */

/* The worker's side, index < workers; the store's. Transactions of one side are of one thread at a time. */
struct spx_ess_worker *spx_ess_worker(struct spx_ess *s, unsigned index);

/* The store that the side is of. */
const struct spx_ess *spx_ess_store(const struct spx_ess_worker *worker);

/* Creations a second for packets that come in by a port < SPX_PORTS_MAX, 0: no limit; all workers together,
 * split equally. A worker's bucket holds SPX_ESS_QUOTA_MS of it, and four creations at least. Any thread, at
 * any time. 0 or -EINVAL. */
int spx_ess_set_quota(struct spx_ess *s, uint16_t port, uint64_t per_second, struct spx_error *err);

/* Copies the value of a key that is there at now_us; false: none is. Any thread. */
bool spx_ess_get(
	const struct spx_ess *s, enum spx_ess_class class, uint64_t key, uint64_t now_us, uint8_t value[]);

/* Counters are never cleared. Any thread. */
struct spx_ess_stats {
	uint64_t capacity;
	uint64_t lifetime_us;
	uint64_t bytes;   /* of memory, all told */
	uint64_t live;    /* entries at now_us */
	uint64_t created; /* created = live + expired */
	uint64_t expired;
	uint64_t commits;       /* transactions that took effect, those that only read too */
	uint64_t refused_full;  /* creating transactions that found no place */
	uint64_t refused_quota; /* that their port's quota did not let create */
	uint64_t conflicts;     /* runs in vain, because another lcore was faster */
	uint64_t serial;        /* transactions that took the serial lock */
};
void spx_ess_stats(const struct spx_ess *s, uint64_t now_us, struct spx_ess_stats *stats);

/* ---- transactions ---------------------------------------------------------------------------------- */

/* A mapped entry. The program reads and writes `value`; the rest is the store's. */
struct spx_ess_bank {
	uint64_t value[SPX_ESS_VALUE / sizeof(uint64_t)]; /* zeros of an entry that is not there */
	uint64_t key;
	uint64_t version; /* of the bucket, when it was read */
	uint64_t birth;   /* of an entry that was found */
	uint32_t bucket;
	uint32_t place; /* of an entry that was found */
};
static_assert(sizeof(struct spx_ess_bank) == 64, "a bank is as long as a cache line");

/* On the caller's stack or wherever; used by one thread. Sets of banks are masks of four bits. */
struct spx_ess_tx {
	struct spx_ess_bank bank[SPX_ESS_BANKS];
	struct spx_ess_worker *worker;
	uint64_t now_us;
	uint8_t mapped;
	uint8_t found;   /* of those: were there */
	uint8_t created; /* of those: were not, and will be there after the commit */
	uint8_t written; /* the caller adds the banks whose value it changes; ignored of banks neither found
			    nor created */
	uint8_t guarded; /* of those: in class protected */
	uint8_t class[SPX_ESS_BANKS];
	uint16_t port;        /* that the packet came in by, for its quota */
	bool operator_rights; /* class protected may be created and written */
	bool serial;          /* it holds the serial lock */
};

/* Brings the buckets and entries of n keys into the cache, for transactions that follow. Any n; best a
 * burst's keys at once. Any thread. */
void spx_ess_prefetch(const struct spx_ess *s, const uint64_t key[], const uint8_t class[], unsigned n);

/* Begins a transaction, or a further run of it. port < SPX_PORTS_MAX. */
static inline void
spx_ess_begin(struct spx_ess_tx *tx, struct spx_ess_worker *worker, uint16_t port, bool operator_rights,
	uint64_t now_us)
{
	tx->worker = worker;
	tx->now_us = now_us;
	tx->mapped = tx->found = tx->created = tx->written = tx->guarded = 0;
	tx->port = port;
	tx->operator_rights = operator_rights;
	tx->serial = false;
}

/* Maps a key into a bank that is not mapped yet. Returns 1: found; 0: not there, zeros, to be created when
 * `create` is set; -EEXIST: this transaction has mapped the key already (in this class); -EACCES: creating in
 * class protected takes operator rights. After an error the transaction is only to be given up. */
int spx_ess_map(struct spx_ess_tx *tx, unsigned bank, uint64_t key, enum spx_ess_class class, bool create);

/* Makes all writes and creations at once. 0, or nothing has changed and the transaction is over:
 * -EAGAIN: something mapped is not as it was read any more, or has expired by now_us: run again;
 * -ENOSPC: no place for what is to be created; -EDQUOT: the port's quota is used up; -EACCES: class protected
 * was written without operator rights. Entries created are born at now_us, which is not before the time of
 * the begin. */
int spx_ess_commit(struct spx_ess_tx *tx, uint64_t now_us);

/* For a run that is given up: whether all that it has read was so at one time. 0 or -EAGAIN. */
int spx_ess_validate(const struct spx_ess_tx *tx);

/* The serial lock; between begin (of the lock) and end the holder's transactions have `serial` set, and no
 * other lcore's writing commit begins. Not to be taken twice. */
void spx_ess_serial_begin(struct spx_ess_worker *worker);
void spx_ess_serial_end(struct spx_ess_worker *worker);

/* A run of a program: maps and computes, true: to be committed. It may run many times, and leaves what it
 * computed (its verdict, what it will write elsewhere) in arg. */
typedef bool (*spx_ess_step)(struct spx_ess_tx *tx, void *arg);

/* The whole transaction, with its repetitions and the serial lock. 0: committed, or given up by the step; or
 * -ENOSPC, -EDQUOT, -EACCES as of the commit. */
static __rte_always_inline int
spx_ess_transact(struct spx_ess_tx *tx, struct spx_ess_worker *worker, uint16_t port, bool operator_rights,
	uint64_t now_us, spx_ess_step step, void *arg)
{
	bool serial = false;
	int rc;

	for (unsigned failures = 1;; failures++) {
		spx_ess_begin(tx, worker, port, operator_rights, now_us);
		tx->serial = serial;
		rc = step(tx, arg) ? spx_ess_commit(tx, now_us) : spx_ess_validate(tx);
		if (likely(rc != -EAGAIN))
			break;
		if (failures == SPX_ESS_FAILURES) {
			spx_ess_serial_begin(worker);
			serial = true;
		}
	}
	if (unlikely(serial))
		spx_ess_serial_end(worker);
	return rc;
}

#endif
