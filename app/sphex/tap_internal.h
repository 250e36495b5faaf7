/* What tap.c and tap_writer.c share; nobody else includes it. */
#ifndef SPX_TAP_INTERNAL_H
#define SPX_TAP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <rte_ring.h>

#include "app/sphex/tap.h"
#include "lib/trace/trace.h"

#define SPX_TAP_FRAME_MAX 65536u /* bytes kept of a packet at most */

struct spx_tap {
	/* Written by spx_tap_create only. */
	struct spx_tap_options options; /* with strings of its own */
	struct spx_filter *filter;
	struct rte_mempool *pool; /* of copies, with struct spx_tap_copy */
	struct rte_ring *ring;    /* of copies to be written: threads put, the writer takes */
	uint32_t keep;            /* bytes of a packet that are copied */

	atomic_bool ended; /* set by the writer */

	/* Written by the packet side, the second rarely. */
	_Atomic uint64_t left __rte_cache_aligned; /* packets that may still be put; UINT64_MAX: no end */
	_Atomic uint64_t lost;                     /* pool or ring had no room */

	/* The writer's; any thread reads the atomics. */
	pthread_t writer __rte_cache_aligned;
	struct spx_capture_file *file;
	struct spx_wall_clock clock;
	uint64_t taken;                  /* from the ring */
	_Atomic uint64_t packets, bytes; /* written */
	_Atomic uint64_t unwritten;      /* taken and lost to a write error */
	atomic_int error;                /* of writing, negative errno */
	_Atomic uint64_t deadline;       /* TSC: from then on a pipe is not waited for; 0: none, go on */
	uint8_t frame[SPX_TAP_FRAME_MAX];
};

/* What a copy knows of its packet: the private area of the mbuf. */
struct spx_tap_copy {
	uint64_t time;   /* TSC at the copy */
	uint32_t length; /* of the packet */
	uint16_t port;
	uint8_t point;  /* enum spx_tap_point */
	uint8_t reason; /* enum spx_drop, at drop */
};
static_assert(sizeof(struct spx_tap_copy) % RTE_MBUF_PRIV_ALIGN == 0, "the size of a private area");

/* Begins the file (options.fd is then its, or closed) and starts the thread. 0 or a negative errno. */
int spx_tap_writer_start(struct spx_tap *tap, const char *const *port_name, struct spx_error *err);

/* Has the writer finish, joins it, closes the file. 0 or the first error of its life. */
int spx_tap_writer_stop(struct spx_tap *tap);

#endif
