/* The reference loop's table of flows: an rte_hash, counters by a flow's position in it, and, where flows
 * come and go, the order in which they came: when the table is full the oldest makes way. */
#ifndef SPX_PERF_TABLE_H
#define SPX_PERF_TABLE_H

#include <rte_hash.h>

#include "lib/base/base.h"

/* Network order: bytes 8...23 of the IPv4 header and ports as they lie in the packet, TTL and checksum zero,
 * so that the key is made by two loads and a mask. */
struct reference_key {
	uint8_t zero, proto, zeros[2];
	uint8_t sip[4], dip[4];
	uint8_t sport[2], dport[2];
};
static_assert(sizeof(struct reference_key) == 16, "rte_hash compares 16 bytes at once");

struct reference_counter {
	uint64_t packets, bytes;
};

/* A flow as its deletion needs it. */
struct reference_entered {
	struct reference_key key;
	hash_sig_t hash;
};

struct reference_table {
	struct rte_hash *hash;
	struct reference_counter *counter; /* by the flow's position in hash */
	struct reference_entered *entered; /* ring of `most`, oldest first; NULL: flows only come */
	uint32_t capacity;                 /* entries of hash */
	uint32_t most;                     /* flows resident at once */
	uint32_t n, oldest;                /* flows resident; place of the oldest in the ring */
	uint64_t ended;                    /* packets of flows that are resident no more */
};

/* With `replaces` the oldest flow makes way when `most` are resident; without it that is an error. 0 or a
 * negative errno. */
int reference_table_create(
	struct reference_table *t, uint64_t capacity, uint32_t most, bool replaces, struct spx_error *err);
void reference_table_free(struct reference_table *t);

/* Enters a flow, its counter at zero; hash = rte_hash_crc of the key. Returns its position, also when it was
 * there already, or a negative errno. */
int32_t reference_table_enter(struct reference_table *t, const struct reference_key *key, hash_sig_t hash);

/* Packets counted by all flows, those that have ended included. */
uint64_t reference_table_packets(const struct reference_table *t);

/* Bytes of table, counters and order for each flow that it is made for. */
double reference_table_bytes_per_flow(const struct reference_table *t);

#endif
