/* The steering program in the kernel, on no interface, with a socket for its verdicts to lead to, and a port
 * whose maps are its maps. Needs root; tests skip themselves where the kernel refuses.
 */
#ifndef SPX_TEST_XDP_FIXTURE_H
#define SPX_TEST_XDP_FIXTURE_H

#include "drivers/xdp/xdp_internal.h"
#include "test/unit/frames.h"

struct steering {
	struct bpf_object *object;
	int program, socket;
	struct spx_xdp xdp;
	struct spx_port port; /* for spx_xdp_steer */
};

/* Loads it; skips the test, with the reason, where that is not possible. */
void steering_start(struct steering *s);
void steering_stop(struct steering *s);

/* Whether the program hands the frame to the socket; false: to the kernel. Any other verdict fails the test.
 */
bool steering_takes(const struct steering *s, const struct frame *f);

/* Makes the target ours or the kernel's; fails the test when that is refused. */
void steering_set(struct steering *s, const struct spx_xdp_target *target, bool on);

/* Takes the socket out of the map, as its end does. */
void steering_lose_socket(struct steering *s);

#endif
