/* A port: where packets come from or go to. A driver is one struct of functions.
 *
 * Drivers: ethdev (any DPDK device), xdp (an interface of the kernel, shared with it), replay (a trace plays
 * into the appliance), capture (pcapng file out). The control thread opens and closes ports; workers call
 * rx_burst and tx_burst, each queue from one worker only.
 */
#ifndef SPX_PORT_H
#define SPX_PORT_H

#include <stdatomic.h>

#include "drivers/xdp/xdp.h"
#include "lib/base/base.h"

struct spx_port;

/* What the configuration says of a port. Strings are the configuration's and outlive the port. */
struct spx_port_options {
	char name[SPX_NAME_MAX];
	const char *driver;       /* "ethdev", "xdp", "replay", "capture" */
	uint16_t id;              /* 0...SPX_PORTS_MAX-1 */
	uint16_t workers;         /* queues wanted, each way */
	uint32_t max_frame;       /* bytes without FCS */
	bool verify_checksum;     /* IPv4 header checksum: by the device where it can, else in parse */
	struct rte_mempool *pool; /* for received packets; private area of struct spx_meta */

	const char *device; /* ethdev: devargs such as "0000:03:00.0" or "net_null0,size=60" */
	uint16_t rx_descriptors, tx_descriptors; /* ethdev; 0 = the driver's choice */
	bool promiscuous;                        /* ethdev, xdp */

	const char *interface;               /* xdp: name of the kernel's interface */
	uint16_t queues;                     /* xdp: receive queues to take, from 0 on; 0 = all it has */
	enum spx_xdp_mode mode;              /* xdp */
	const struct spx_xdp_target *target; /* xdp: what is ours at first, n_targets of them */
	uint32_t n_targets;

	const char *file; /* replay: trace; capture: file to create */
	uint64_t passes;  /* replay: times through the trace; 0 = no limit */
	double speed;     /* replay: factor of the trace's own times; 0 = as fast as possible */
	uint32_t snap;    /* capture: bytes kept of each packet; 0 = all */
	const struct spx_hash_seed *seed; /* replay: deals flows to workers */
};

/* What the device itself counted, besides the workers' counters. Packets. */
struct spx_port_stats {
	uint64_t missed;  /* lost before us: no descriptor free */
	uint64_t no_mbuf; /* times the pool had no mbuf for a received packet */
	uint64_t errors;  /* received damaged, or failed on the way out */
};

struct spx_port_ops {
	const char *name;

	/* Opens and starts. p->options is filled; sets rx_queues, tx_queues (0 = does not receive or send;
	 * may be fewer than options.workers), checksum_done, state. 0 or a negative errno with a message.
	 * Control thread. */
	int (*open)(struct spx_port *p, struct spx_error *err);

	/* Up to n packets, owned by the caller. n <= SPX_BURST_MAX. Worker that owns the queue. NULL: never
	 * receives. */
	uint16_t (*rx_burst)(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);

	/* Takes the first k of n packets and returns k; the rest stay the caller's. NULL: never sends. */
	uint16_t (*tx_burst)(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);

	/* Any thread outside the packet loops, several at once too. NULL: none. */
	void (*stats)(struct spx_port *p, struct spx_port_stats *stats);

	/* Whether the device is there and has a link. May make system calls: control thread. NULL: always. */
	bool (*up)(const struct spx_port *p);

	/* True when no further packet will ever come from this port (a replay at its end). Any thread. NULL:
	 * never. */
	bool (*finished)(const struct spx_port *p);

	/* Stops and frees; after the workers have stopped. 0, or a negative errno with what went wrong during
	 * the port's life and could not be said before (a capture file's write error, a trace damaged on its
	 * way). */
	int (*close)(struct spx_port *p, struct spx_error *err);
};

struct spx_port {
	const struct spx_port_ops *ops;
	void *state; /* the driver's */
	uint16_t id;
	uint16_t rx_queues, tx_queues;
	bool checksum_done; /* the device marks bad IPv4 checksums: parse need not compute them */
	uint8_t mac[6];     /* of the device; zeros where it has none */
	uint16_t mtu;       /* bytes of an IP packet that the device can send; UINT16_MAX: any */
	atomic_bool down;   /* the device is gone or has no link: workers drop what should go out */
	uint32_t kept; /* set by close: mbufs that the device has not given back and nobody will use again */
	struct spx_port_options options;
};

/* Finds the driver named in options, opens the port. 0 or a negative errno with a message that names port,
 * cause and remedy. Close with spx_port_close. Control thread. */
int spx_port_open(struct spx_port *p, const struct spx_port_options *options, struct spx_error *err);
int spx_port_close(struct spx_port *p, struct spx_error *err);

extern const struct spx_port_ops spx_ethdev_ops, spx_xdp_ops, spx_replay_ops, spx_capture_ops;

#endif
