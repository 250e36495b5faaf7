/* Ports over AF_XDP: an interface that stays the kernel's, of which sphex takes what a list of targets says,
 * live.
 *
 * Frames for a target go to sphex, all others to the kernel; so do all of them while sphex does not run. The
 * steering program is bytecode/xdp/steer.bpf.c. Everything here is for the control thread.
 */
#ifndef SPX_XDP_H
#define SPX_XDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spx_error;
struct spx_port;

/* Where the kernel runs the program: in the interface's driver (native), or behind it, which any interface
 * can (generic). */
enum spx_xdp_mode { SPX_XDP_AUTO, SPX_XDP_NATIVE, SPX_XDP_GENERIC };

enum spx_xdp_kind {
	SPX_XDP_EVERYTHING, /* every frame, ARP and neighbour discovery too */
	SPX_XDP_UDP_PORT,   /* UDP over IPv4 or IPv6 to that port: no fragments, no IPv6 extension headers */
	SPX_XDP_PREFIX4,    /* IPv4 to that prefix, fragments too */
	SPX_XDP_PREFIX6,
};

struct spx_xdp_target {
	enum spx_xdp_kind kind;
	uint16_t udp_port;   /* host order */
	uint8_t length;      /* of the prefix, bits */
	uint8_t address[16]; /* network order, IPv4 in the first four bytes; bits beyond the prefix zero */
};

#define SPX_XDP_PREFIXES_MAX 4096u /* of each family, at one port */
#define SPX_XDP_FRAME_MAX    3392u /* bytes: a page less what DPDK and the kernel keep in it for themselves */
#define SPX_XDP_HEADROOM     256u  /* bytes that the kernel keeps in front of each frame, in the mbuf */

/* Makes the target ours (on) or the kernel's, while frames flow; what is so already is no error. Each target
 * is on or off for itself: with "everything" off those count that are on. p is an open port of the driver
 * xdp, the target is copied. 0, or a negative errno with a message: -EINVAL for another driver's port or a
 * prefix with bits beyond its length, -ENOSPC when there are too many prefixes. */
int spx_xdp_steer(struct spx_port *p, const struct spx_xdp_target *target, bool on, struct spx_error *err);

/* What is ours now, as the kernel has it: calls see(target, arg) for each. 0 or a negative errno with a
 * message. */
int spx_xdp_steered(struct spx_port *p, void (*see)(const struct spx_xdp_target *target, void *arg),
	void *arg, struct spx_error *err);

#endif
