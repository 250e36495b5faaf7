/* The driver xdp: DPDK's AF_XDP device with our steering program on an interface of the kernel (xdp.h).
 *
 * The packet loop is the ethdev's. Opening is a row of steps: look whether it can work, take the interface,
 * clear away what a killed process left, start the device with our program, find the program's maps, fill
 * them. Until the last step the maps are empty and the kernel gets every frame.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_mempool.h>

#include "drivers/xdp/object.h"
#include "drivers/xdp/xdp_internal.h"

#define SEND_OUT_US 10000u       /* for frames to leave at the end */
#define RINGS       (2u * 2048u) /* mbufs in a transmit and a completion ring, at most */

/* DPDK's device wants the program as a file: one in memory, which leaves nothing behind. Returns its
 * descriptor or a negative errno. */
static int
program_file(void)
{
	int fd = memfd_create("spx_steer", MFD_CLOEXEC), r;
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < spx_steer_object_size) {
		ssize_t n = write(fd, spx_steer_object + done, spx_steer_object_size - done);

		if (n < 0) {
			r = -errno;
			close(fd);
			return r;
		}
		done += (size_t)n;
	}
	return fd;
}

/* In generic mode the socket may not share the driver's memory: the driver does not run the program. */
static int
start_device(struct spx_xdp *x, struct spx_port *p, struct spx_error *err)
{
	char device[160];
	unsigned in_use = rte_mempool_in_use_count(p->options.pool);
	int fd = program_file(), r;

	if (fd < 0)
		return spx_error(err, fd, "no file in memory for the steering program (%s)", strerror(-fd));
	snprintf(device, sizeof(device),
		"net_af_xdp_port%u,iface=%s,queue_count=%u,force_copy=%d,xdp_prog=/proc/self/fd/%d", p->id,
		p->options.interface, x->queues, p->options.mode == SPX_XDP_GENERIC, fd);
	r = spx_ethdev_start(p, &x->ethdev, device, err);
	close(fd);
	x->filled = rte_mempool_in_use_count(p->options.pool) - in_use;
	return r < 0 ? spx_xdp_explain(x, p, r, err) : 0;
}

static int
start_steering(struct spx_xdp *x, struct spx_port *p, struct spx_error *err)
{
	int r = spx_xdp_find(x, p, err);

	for (uint32_t i = 0; r == 0 && i < p->options.n_targets; i++)
		r = spx_xdp_steer(p, &p->options.target[i], true, err);
	if (r < 0)
		spx_ethdev_stop(p, NULL);
	return r;
}

static void
free_state(struct spx_xdp *x)
{
	spx_xdp_release(x);
	if (x->lock >= 0)
		close(x->lock);
	free(x);
}

static int
xdp_open(struct spx_port *p, struct spx_error *err)
{
	struct spx_xdp *x = calloc(1, sizeof(*x));
	int r;

	if (x == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	x->lock = x->program = -1;
	x->maps = (struct spx_xdp_maps){.settings = -1, .udp_ports = -1, .prefixes4 = -1, .prefixes6 = -1};
	spx_xdp_listen();
	r = spx_xdp_check(x, p, err);
	if (r == 0)
		r = spx_xdp_lock(x, p, err);
	if (r == 0)
		r = spx_xdp_clear(x, p, err);
	if (r == 0)
		r = start_device(x, p, err);
	if (r == 0)
		r = start_steering(x, p, err);
	if (r < 0)
		free_state(x);
	return r;
}

/* Sent frames come back when something is sent; a burst of none does for the last ones. What an interface
 * that is down still has to send stays in the rings. */
static void
take_back_sent(struct spx_port *p, const struct spx_xdp *x)
{
	for (unsigned i = 0; i < 2; i++) {
		for (uint16_t q = 0; q < p->tx_queues; q++)
			spx_ethdev_tx_burst(p, q, NULL, 0);
		rte_delay_us_sleep(SEND_OUT_US);
	}
	p->kept = x->filled + (spx_ethdev_up(p) ? 0 : p->tx_queues * RINGS);
}

static int
xdp_close(struct spx_port *p, struct spx_error *err)
{
	struct spx_xdp *x = p->state;
	int r;

	take_back_sent(p, x);
	r = spx_ethdev_stop(p, err);
	free_state(x);
	return r;
}

const struct spx_port_ops spx_xdp_ops = {
	.name = "xdp",
	.open = xdp_open,
	.rx_burst = spx_ethdev_rx_burst,
	.tx_burst = spx_ethdev_tx_burst,
	.stats = spx_ethdev_stats,
	.up = spx_ethdev_up,
	.close = xdp_close,
};
