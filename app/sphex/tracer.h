/* A trace: the way of the next packets that match a filter, stage by stage.
 *
 *   tracer.c       the packet side: chooses packets, writes events down in the rings of the threads
 *   tracer_log.c   the reader's side: collects events, puts them in order and in groups
 *   tracer_line.c  an event as a line
 *
 * A chosen packet carries a dynamic flag in its mbuf and its number in the private area, so whoever meets it
 * later, another worker or the slow path, goes on writing. Events are binary and go by one single-producer
 * ring for each thread; nothing is formatted in a packet loop. A packet is chosen only when the ring has room
 * for the whole of its way through that thread, so ways are whole; where another thread's ring is full the
 * event is lost and counted.
 */
#ifndef SPX_TRACER_H
#define SPX_TRACER_H

#include <jansson.h>

#include "app/sphex/watch.h"
#include "lib/base/base.h"

#define SPX_TRACE_MAX 10000u /* packets of one trace */

/* What an event says: a stage's name, or what happens to packets outside of the stages. */
#define SPX_TRACE_KINDS(X)                                                                                   \
	X(receive)                                                                                           \
	X(inject)                                                                                            \
	X(parse)                                                                                             \
	X(lookup)                                                                                            \
	X(rewrite)                                                                                           \
	X(enqueue)                                                                                           \
	X(transmit)                                                                                          \
	X(punt)                                                                                              \
	X(slowpath)                                                                                          \
	X(drop)

enum spx_trace_kind {
#define SPX_TRACE_ENUM(name) SPX_TRACE_##name,
	SPX_TRACE_KINDS(SPX_TRACE_ENUM)
#undef SPX_TRACE_ENUM
		SPX_TRACE_KIND_COUNT
};

/* The fields of a frame that rewrite may change. */
struct spx_trace_frame {
	uint8_t macs[12]; /* destination, source */
	uint8_t ttl;      /* or hop limit; 0 where it is not IP */
};

struct spx_trace_event {
	uint64_t tsc;
	uint32_t id;    /* of the packet */
	uint8_t kind;   /* enum spx_trace_kind */
	uint8_t thread; /* that wrote it: a worker's id, SPX_WATCH_SLOWPATH, SPX_WATCH_CONTROL */
	uint16_t port;  /* in (receive, inject, parse, lookup) or out (enqueue, transmit); drop: either */
	union {
		struct {
			uint32_t length; /* bytes of the frame */
			uint16_t queue;
			uint8_t stage; /* inject: enum spx_stage where it goes on */
		} receive;
		struct {
			uint64_t hash;
			struct spx_layout layout;
			uint8_t family; /* 4, 6; 0: not IP, or malformed */
			bool malformed; /* dropped: nothing else here counts */
			struct spx_trace_frame frame;
			union {
				struct spx_key4 key4;
				struct spx_key6 key6;
			};
		} parse;
		struct {
			uint32_t action; /* id in force for the packet */
			uint32_t
				rule_action; /* what the rules say: differs where an approximate cache errs */
			uint32_t rule;       /* order of the rule; 0: none matches */
			uint16_t out_port, mirror;
			uint8_t verdict; /* enum spx_verdict */
			uint8_t mode;    /* enum spx_flow_mode; none also for what is never cached */
			bool miss;       /* of the flow cache: the rules were asked */
		} lookup;
		struct spx_trace_frame rewrite; /* as it is afterwards */
		struct {
			uint16_t waiting; /* packets in the port's batch, with this one */
		} enqueue;
		struct {
			uint16_t queue;
			bool handed_over; /* to the worker that owns the port, not sent yet */
		} transmit;
		uint8_t exception; /* punt, slowpath: enum spx_exception */
		uint8_t reason;    /* drop: enum spx_drop */
	};
};
static_assert(sizeof(struct spx_trace_event) == 88, "an element of the rings");

/* ---- life: any thread outside the packet loops ------------------------------------------------------------
 */

/* A trace of `count` (1...SPX_TRACE_MAX) packets that match `filter`, by up to n_workers workers. 0, -EINVAL
 * (filter), -ENOMEM. Freed by the caller, once no thread can reach it (watch.h). */
int spx_tracer_create(uint32_t count, const char *filter, uint16_t n_workers, struct spx_tracer **out,
	struct spx_error *err);
void spx_tracer_free(struct spx_tracer *t); /* NULL may be given */

/* Packets chosen so far, at most count. */
uint32_t spx_tracer_chosen(const struct spx_tracer *t);

/* Events that found a ring full. */
uint64_t spx_tracer_lost(const struct spx_tracer *t);

/* ---- reader's side: one thread ----------------------------------------------------------------------------
 */

struct spx_trace_log;

struct spx_trace_log *spx_trace_log_create(const struct spx_tracer *t); /* NULL for want of memory */
void spx_trace_log_free(struct spx_trace_log *log);

/* Takes what the rings hold. 0, or -ENOMEM. */
int spx_trace_log_collect(struct spx_trace_log *log, struct spx_tracer *t);

/* Packets whose way has come to its end: sent, dropped, consumed. */
uint32_t spx_trace_log_ended(const struct spx_trace_log *log);

/* Names for the lines. */
struct spx_trace_names {
	const char *(*port)(const void *arg, uint16_t port);
	const char *(*action)(const void *arg, uint32_t action);
	const void *arg;
};

/* What is in the log as the groups of doc/control.md, method trace: a new reference, NULL for want of memory.
 * Sorts the log. */
json_t *spx_trace_log_groups(struct spx_trace_log *log, const struct spx_trace_names *names);

/* ---- packet side: watch_hooks.c ---------------------------------------------------------------------------
 */

/* Chooses packets of b->alive, and adds those that were chosen before and came back; sets b->traced. An event
 * of `kind` (receive or inject) is written for each. */
void spx_tracer_choose(struct spx_tracer *t, struct spx_worker *w, struct spx_burst *b,
	enum spx_trace_kind kind, uint16_t queue);

/* The number of a traced packet; 0: not traced. */
uint32_t spx_tracer_id(const struct spx_tracer *t, struct rte_mbuf *m);

/* From here on the packet's way is not written down any more; or it is again, with the number it had. */
void spx_tracer_forget(const struct spx_tracer *t, struct rte_mbuf *m);
void spx_tracer_remember(const struct spx_tracer *t, struct rte_mbuf *m);

/* Writes an event down, stamped; `thread` is the writer's. */
void spx_tracer_write(struct spx_tracer *t, uint16_t thread, struct spx_trace_event *event);

#endif
