/* What looks at packets as they go by: at most one trace and a few captures.
 *
 *   watch.c          who looks, published to the threads and taken back; the hooks of the packet's way
 *   tracer.c         a trace: chooses packets, writes down what each stage saw and decided
 *   tracer_text.c    what was written down, as lines, grouped by identical way
 *   tap.c            a capture (tap.h)
 *
 * A `struct spx_watch` is immutable. The publisher swaps the pointer and frees the one before after a grace period,
 * as with the configuration. Nobody looks: the pointer is NULL, and that is all that a thread looks at, once per
 * turn of its loop. The packet's way asks once per burst, and per stage in a test that it makes anyway.
 */
#ifndef SPX_WATCH_H
#define SPX_WATCH_H

#include <stdatomic.h>

#include "app/sphex/tap.h"

struct spx_tracer;
struct spx_appliance;

struct spx_watch {
	struct spx_tracer *tracer; /* NULL: no trace */
	uint16_t n_taps;
	struct spx_tap *tap[SPX_TAPS_MAX];
};

/* ---- control: any thread outside the packet loops, serialised by a lock ---------------------------------- */

/* Begins to look: from the return on, every thread takes notice at its next turn. The watch owns neither tracer nor
 * tap. -EBUSY: there is a trace already, or SPX_TAPS_MAX captures; -ENOMEM. */
int spx_watch_add_tracer(struct spx_appliance *app, struct spx_tracer *tracer, struct spx_error *err);
int spx_watch_add_tap(struct spx_appliance *app, struct spx_tap *tap, struct spx_error *err);

/* Ceases to look; when it returns no thread can reach the tracer or the tap. Waits for a grace period. */
void spx_watch_remove_tracer(struct spx_appliance *app, struct spx_tracer *tracer);
void spx_watch_remove_tap(struct spx_appliance *app, struct spx_tap *tap);

#endif
