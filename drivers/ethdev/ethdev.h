/* A DPDK device behind a port: the parts that the driver ethdev is made of, for drivers that are a device and
 * something more (xdp). The port's state begins with a struct spx_ethdev, so that the functions of the packet
 * loop are the same for all of them.
 */
#ifndef SPX_ETHDEV_H
#define SPX_ETHDEV_H

#include <pthread.h>

#include "drivers/port.h"

struct spx_ethdev {
	uint16_t port_id; /* DPDK's */
	bool started;
	unsigned if_index; /* of the kernel's interface below the device; 0: none */
	bool tap;          /* its interface may be in another network namespace, where nobody sees its link */
	atomic_bool removed; /* the bus says that the device is gone */

	/* Drivers read counters into memory of the device's, clearing them in hardware, and take one caller
	 * at a time for granted: here those are the control thread and whoever asks telemetry. */
	pthread_mutex_t asking;
};

/* Attaches the device that devargs name, unless EAL has it already: *port_id is its number (attach.c). 0, or
 * -ENODEV with a message that says what to do. Control thread. */
int spx_ethdev_attach(const char *device, uint16_t *port_id, struct spx_error *err);

/* Attaches, configures and starts the device that devargs name, with what p->options say, and makes e, zeroed
 * by the caller and owned by it, p->state. 0 or a negative errno with a message; then nothing is left of the
 * device. Control thread. */
int spx_ethdev_start(struct spx_port *p, struct spx_ethdev *e, const char *device, struct spx_error *err);

/* Stops, closes and detaches it; p->state stays. 0 or a negative errno with a message. Control thread. */
int spx_ethdev_stop(struct spx_port *p, struct spx_error *err);

/* Members of struct spx_port_ops, for p->state as above. */
uint16_t spx_ethdev_rx_burst(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t spx_ethdev_tx_burst(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
void spx_ethdev_stats(struct spx_port *p, struct spx_port_stats *stats);
bool spx_ethdev_up(const struct spx_port *p);

#endif
