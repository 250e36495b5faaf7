/* The queue of a port: packets wait in it until the port's rate lets them go.
 *
 * First in, first out, with a rate and two limits; a packet that a limit does not let in is refused (tail
 * drop). A scheduler of several queues can stand behind the same calls: whoever drives it only puts packets
 * in, asks which are due, and says how many of those went.
 *
 * Bytes are those of the frame without FCS, as in the counters of ports (tx_bytes) and as Linux's tc counts
 * them: a queue of 10000 kbit/s lets its port's tx_bytes grow by 1,250,000 a second. On an Ethernet wire each
 * frame takes 24 bytes more (preamble 8, FCS 4, gap 12).
 *
 * Rate: a bucket of credit in units of 1 / `hz` bytes. A tick of the clock adds rate / 8 of them, a packet
 * costs its bytes times hz, and both are whole numbers: nothing is rounded, so nothing drifts however long it
 * runs. A packet goes when the bucket has its cost, or holds a whole burst, whichever is less; in the second
 * case the bucket goes into debt, so a frame larger than a burst needs no larger bucket.
 *   - A queue that stood empty has saved up one burst at most, SPX_QUEUE_BURST_MS of its rate. While its
 *     owner comes often enough, no interval of t seconds lets more bytes go than
 *     rate t / 8 + max(burst, largest frame).
 *   - Packets that were due and had to wait, because the owner was late (it slept, or another thread had its
 *     CPU) or the port took none, are made good, up to SPX_QUEUE_LATE_MS of the rate; what is beyond is lost
 *     to the rate.
 *
 * Memory is allocated at the creation: a ring of pointers, and nothing for each packet. A queue never owns
 * time: `now` is the caller's, in ticks of any clock that does not run backwards, and may wrap.
 */
#ifndef SPX_QUEUE_H
#define SPX_QUEUE_H

#include "lib/base/base.h"

#define SPX_QUEUE_BURST_MS     1u
#define SPX_QUEUE_LATE_MS      100u
#define SPX_QUEUE_RATE_MAX     100000000u /* kbit/s: 100 Gbit/s */
#define SPX_QUEUE_PACKETS_MAX  1048576u   /* limit_packets at most */
#define SPX_QUEUE_BYTES_MIN    16384u     /* limit_bytes: any frame has room in an empty queue */
#define SPX_QUEUE_BYTES_MAX    4294967295u
#define SPX_QUEUE_CAPACITY_MIN 16384u /* packets that the limit of any queue may be raised to */

/* What may be changed while packets flow. */
struct spx_queue_options {
	uint64_t rate_kbps;     /* 1000 bits a second; 0: as fast as the port takes packets */
	uint32_t limit_packets; /* that wait */
	uint64_t limit_bytes;   /* of the packets that wait */
};

struct spx_queue_stats {
	uint64_t packets, bytes;           /* waiting now */
	uint64_t most_packets, most_bytes; /* that ever waited at once */
	uint64_t sent_packets, sent_bytes;
	uint64_t dropped_packets, dropped_bytes; /* refused: a limit did not let them in */
};

struct spx_queue;

/* A queue for a clock of `hz` ticks a second (1000...5 * 10^9), its bucket empty at `now`. Its ring holds
 * limit_packets, or SPX_QUEUE_CAPACITY_MIN if that is more. 0, -EINVAL (a value out of bounds), -ENOMEM. Not
 * from a packet loop. */
int spx_queue_create(const struct spx_queue_options *options, uint64_t hz, uint64_t now,
	struct spx_queue **out, struct spx_error *err);

/* NULL may be given. Packets in it are not freed: remove them before. */
void spx_queue_free(struct spx_queue *q);

/* ---- any thread ------------------------------------------------------------------------------------------
 */

/* Other rate and limits, from the owner's next look at the queue on. Packets that wait stay; above a lower
 * limit none are let in until fewer wait. One thread at a time. 0, or -EINVAL and nothing is changed: a value
 * is out of bounds, or limit_packets above what the ring holds. */
int spx_queue_set(struct spx_queue *q, const struct spx_queue_options *options, struct spx_error *err);

/* What is in force, or will be at the owner's next look. */
void spx_queue_options(const struct spx_queue *q, struct spx_queue_options *options);

/* Counters: never cleared, each exact, and all of one moment when the owner stands still. */
void spx_queue_stats(const struct spx_queue *q, struct spx_queue_stats *stats);

/* Packets waiting. */
uint32_t spx_queue_depth(const struct spx_queue *q);

/* Packets that the ring has places for. */
uint32_t spx_queue_capacity(const struct spx_queue *q);

/* ---- the owner: one thread -------------------------------------------------------------------------------
 */

/* Puts n packets in, in their order. Those that a limit refuses are moved to the front of pkts, in their
 * order, and stay the caller's. Returns how many those are. */
uint16_t spx_queue_enqueue(struct spx_queue *q, uint64_t now, struct rte_mbuf **pkts, uint16_t n);

/* The first packets that may go now, n at most, to pkts. They stay in the queue until spx_queue_sent. */
uint16_t spx_queue_due(struct spx_queue *q, uint64_t now, struct rte_mbuf **pkts, uint16_t n);

/* The first n of the packets that spx_queue_due gave last have gone; they had so many bytes together. */
void spx_queue_sent(struct spx_queue *q, uint16_t n, uint64_t bytes);

/* Takes the first packets out, n at most, whatever the rate says; they are the caller's to end, and not
 * counted as sent. */
uint16_t spx_queue_remove(struct spx_queue *q, struct rte_mbuf **pkts, uint16_t n);

/* Ticks until the first packet may go; 0: it may now; UINT64_MAX: there is none. */
uint64_t spx_queue_wait(struct spx_queue *q, uint64_t now);

#endif
