/* What looks at packets as they go by: at most one trace and a few captures.
 *
 *   watch.c          who looks, published to the threads and taken back
 *   watch_hooks.c    what the packet's way calls for it
 *   tracer.c         a trace: chooses packets, writes down what each stage saw and decided
 *   tracer_log.c     what was written down, grouped by identical way
 *   tracer_line.c    an event of it as a line
 *   tap.c            a capture (tap.h)
 *
 * A `struct spx_watch` is immutable. The publisher swaps the pointer and frees the one before after a grace
 * period, as with the configuration. Nobody looks: the pointer is NULL, and that is all that a thread looks
 * at, once per turn of its loop. The packet's way asks once per burst, and per stage in a test that it makes
 * anyway.
 */
#ifndef SPX_WATCH_H
#define SPX_WATCH_H

#include <stdatomic.h>

#include "app/sphex/tap.h"

struct spx_appliance;
struct spx_port;
struct spx_tracer;
struct spx_worker;

struct spx_watch {
	struct spx_tracer *tracer; /* NULL: no trace */
	uint8_t wants; /* SPX_WATCH_TRACE, and the points that captures want, as 1 << enum spx_tap_point */
	uint16_t n_taps;
	struct spx_tap *tap[SPX_TAPS_MAX];
};

/* What lies between looking at packets that are about to be sent and knowing which of them were. */
struct spx_watch_sending {
	uint16_t n_copies[SPX_TAPS_MAX];
	uint16_t copied[SPX_TAPS_MAX][2 * SPX_BURST_MAX]; /* which packet the copy is of */
	struct rte_mbuf *copy[SPX_TAPS_MAX][2 * SPX_BURST_MAX];
	uint16_t n_traced;
	uint16_t traced[2 * SPX_BURST_MAX]; /* which packets are */
	uint32_t id[2 * SPX_BURST_MAX];
};

/* One thread's view. */
struct spx_watcher {
	const struct spx_watch *now;                /* of this turn; NULL: nobody looks */
	const struct spx_watch *_Atomic *published; /* where the publisher puts it; NULL: nobody ever looks */
	uint16_t thread;                            /* that writes: a worker's id, or one of the two below */
	struct spx_watch_sending sending;
};

#define SPX_WATCH_SLOWPATH SPX_WORKERS_MAX       /* thread of the slow path */
#define SPX_WATCH_CONTROL  (SPX_WORKERS_MAX + 1) /* and of who drops what is left at the end */
#define SPX_WATCH_THREADS  (SPX_WORKERS_MAX + 2)

/* Whether somebody looks at the packets of this turn. The benchmark of what asking costs is a build without
 * it. */
static inline bool
spx_watched(const struct spx_watcher *watcher)
{
#ifdef SPX_WITHOUT_WATCH
	(void)watcher;
	return false;
#else
	return __builtin_expect(watcher->now != NULL, 0);
#endif
}

#define SPX_WATCH_TRACE (1u << SPX_TAP_POINT_COUNT)

/* Whether somebody looks at this point: a capture, or a trace, which looks at all. */
static inline bool
spx_watched_at(const struct spx_watcher *watcher, enum spx_tap_point point)
{
	return spx_watched(watcher) && (watcher->now->wants & (SPX_WATCH_TRACE | 1u << point)) != 0;
}

/* At the begin of a turn: who looks now. */
static inline void
spx_watch_turn(struct spx_watcher *watcher)
{
	if (watcher->published != NULL)
		watcher->now = atomic_load_explicit(watcher->published, memory_order_acquire);
}

/* ---- control: any thread outside the packet loops, serialised by a lock ----------------------------------
 */

/* Begins to look: from the return on, every thread takes notice at its next turn. The watch owns neither
 * tracer nor tap. -EBUSY: there is a trace already, or SPX_TAPS_MAX captures; -ENOMEM. */
int spx_watch_add_tracer(struct spx_appliance *app, struct spx_tracer *tracer, struct spx_error *err);
int spx_watch_add_tap(struct spx_appliance *app, struct spx_tap *tap, struct spx_error *err);

/* Before a tracer is made, which takes memory: 0, or -EBUSY when there is a trace. Another may still come
 * first. */
int spx_watch_may_trace(struct spx_appliance *app, struct spx_error *err);

/* Ceases to look; when it returns no thread can reach the tracer or the tap. Waits for a grace period. */
void spx_watch_remove_tracer(struct spx_appliance *app, struct spx_tracer *tracer);
void spx_watch_remove_tap(struct spx_appliance *app, struct spx_tap *tap);

/* ---- the packet's way: only when spx_watched ------------------------------------------------------------
 */

/* A burst has come in by a queue, or (inject) from the slow path: chooses the packets to trace, which are
 * then in b->traced, and copies what captures want. */
void spx_watch_receive(struct spx_worker *w, struct spx_burst *b, uint16_t queue);
void spx_watch_inject(struct spx_worker *w, struct spx_burst *b);

/* The members of b->traced have been through a stage before transmit: what it saw and decided. */
void spx_watch_stage(struct spx_worker *w, struct spx_burst *b, enum spx_stage stage);

/* The punted packets are about to go to the slow path. */
void spx_watch_punt(struct spx_worker *w, const struct spx_burst *b);

/* n packets are about to be handed over to the worker that owns the port. */
void spx_watch_hand_over(struct spx_worker *w, uint16_t port, struct rte_mbuf **pkts, uint16_t n);

/* n packets are about to be sent, and the first `sent` of them were: one after the other. */
void spx_watch_send(struct spx_watcher *watcher, uint16_t port, struct rte_mbuf **pkts, uint16_t n);
void spx_watch_sent(
	struct spx_watcher *watcher, uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t sent);

/* n packets are about to be freed for a reason. `port`: where they came in, or should have gone out. */
void spx_watch_drop(
	struct spx_watcher *watcher, uint16_t port, struct rte_mbuf **pkts, unsigned n, enum spx_drop reason);

/* A mirror copy was made: nobody traces it. */
void spx_watch_clone(const struct spx_watcher *watcher, struct rte_mbuf *clone);

/* The slow path is about to end n packets. */
void spx_watch_consume(struct spx_watcher *watcher, struct rte_mbuf **pkts, unsigned n);

#endif
