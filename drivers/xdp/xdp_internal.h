/* What the files of the driver xdp share: xdp.c opens and closes the port; interface.c looks before whether
 * that can work, explain.c says afterwards why it did not; attached.c knows the program on the interface,
 * steer_live.c its maps.
 */
#ifndef SPX_XDP_INTERNAL_H
#define SPX_XDP_INTERNAL_H

#include "drivers/ethdev/ethdev.h"
#include "drivers/xdp/steer.h"

/* The program's maps as file descriptors; -1 = none. */
struct spx_xdp_maps {
	int settings, udp_ports, prefixes4, prefixes6;
};

struct spx_xdp {
	struct spx_ethdev ethdev; /* first: see ethdev.h */
	unsigned if_index;
	uint16_t queues; /* receive queues to take */
	uint32_t filled; /* mbufs that the device took at the start, for the kernel to receive into */
	int lock;        /* socket whose name says that the interface is taken; -1 = none */
	int program;     /* ours, attached; -1 = none */
	struct spx_xdp_maps maps;
};

/* ---- interface.c ------------------------------------------------------------------------------------- */

/* Looks for what would make DPDK's device fail without a reason one could read: privileges, the interface,
 * its MTU and queues, the pool. Sets x->if_index and x->queues. 0 or a negative errno with a message that
 * names the remedy. */
int spx_xdp_check(struct spx_xdp *x, const struct spx_port *p, struct spx_error *err);

/* Takes the interface for this process: -EBUSY with a message when another sphex has it. Ends with the
 * process at the latest: x->lock. */
int spx_xdp_lock(struct spx_xdp *x, const struct spx_port *p, struct spx_error *err);

/* ---- attached.c -------------------------------------------------------------------------------------- */

/* Makes room for our program: none is there, or one of ours that a killed process left, which is detached
 * with a message. -EBUSY with a message for anybody else's. */
int spx_xdp_clear(const struct spx_xdp *x, const struct spx_port *p, struct spx_error *err);

/* After the device has started: finds the program and its maps and brings it into the mode that is asked for.
 * Sets x->program and x->maps, and says the mode in the log. 0 or a negative errno with a message. */
int spx_xdp_find(struct spx_xdp *x, const struct spx_port *p, struct spx_error *err);

/* Detaches our program if it is still there and closes the descriptors. */
void spx_xdp_release(struct spx_xdp *x);

/* ---- explain.c --------------------------------------------------------------------------------------- */

/* Keeps what libbpf says from standard error: its last words are for spx_xdp_explain. */
void spx_xdp_listen(void);

/* Does what DPDK's device did, step by step, until something fails: puts the reason and the remedy into err.
 * Returns code. */
int spx_xdp_explain(const struct spx_xdp *x, const struct spx_port *p, int code, struct spx_error *err);

#endif
