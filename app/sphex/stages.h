/* The stages of the packet's way, one function each, one file each. worker.c calls them in order.
 *
 * Every stage takes the whole burst, works on the sets it names, and leaves arrival order as it is. None
 * allocates memory, logs, makes a system call or waits for a lock.
 */
#ifndef SPX_STAGES_H
#define SPX_STAGES_H

#include <string.h>

#include <rte_byteorder.h>

#include "app/sphex/worker.h"

/* Port to burst: fills n, in_port, pkt, alive. False when the queue was empty. */
bool spx_stage_receive(struct spx_worker *w, struct spx_burst *b, const struct spx_worker_rx *rx);

/* Headers to keys, hashes, layouts; malformed packets to drop. `net` are the options of the input port. */
void spx_stage_parse(struct spx_worker *w, struct spx_burst *b, const struct spx_net_options *net);

/* Keys to actions by flow cache and rules; verdicts: drop, punt, or out_port and the set edit. Makes the
 * mirror copies.
 */
void spx_stage_lookup(struct spx_worker *w, struct spx_burst *b);

/* Destinations to next hops and ports, for packets whose action says route; what has no way is dropped, or
 * punted where its sender is told; what is for this node is punted. */
void spx_stage_route(struct spx_worker *w, struct spx_burst *b);

/* The members of `set` (IPv4, IPv6) whose addresses are routed; the others come to their end
 * (route_addresses.c).
 */
uint64_t spx_route_addresses4(struct spx_burst *b, uint64_t set);
uint64_t spx_route_addresses6(const struct spx_worker *w, struct spx_burst *b, uint64_t set);

/* Whether packets to a next hop leave by a port, towards a neighbour. */
static inline bool
spx_is_way_out(const struct spx_next_hop *hop)
{
	return hop->kind == SPX_NEXT_HOP_KIND_gateway || hop->kind == SPX_NEXT_HOP_KIND_connected;
}

/* The first eight bytes of a frame or of a struct spx_config_port, of which six are a MAC address. */
static inline uint64_t
spx_load64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

#define SPX_MAC_MASK rte_cpu_to_le_64(UINT64_C(0xffffffffffff))

/* Of route, what it remembers of flows (route_memo.c).
 *
 * take_remembered4: most of IPv4 in one go, its next hops taken. Returns the others, of which nothing is
 * done. recall: the members of `set`, all IP, whose next hop is remembered, with its port up: next_hop[].
 * remember: the next hops of `set`, just looked up, each the one that its flow has with all ports up. */
uint64_t spx_route_take_remembered4(const struct spx_worker *w, struct spx_burst *b, uint64_t set);
uint64_t spx_route_recall(const struct spx_worker *w, struct spx_burst *b, uint64_t set);
void spx_route_remember(const struct spx_worker *w, struct spx_burst *b, uint64_t set);

static inline bool
spx_is_link_local6(const uint8_t ip[16])
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

/* MAC addresses, TTL or hop limit of the set edit and of routed packets; a TTL that would reach zero is
 * punted. */
void spx_stage_rewrite(struct spx_worker *w, struct spx_burst *b);

/* The living and the mirror copies to the batches of their output ports. */
void spx_stage_enqueue(struct spx_worker *w, struct spx_burst *b);

/* Batches to ports, or to the worker that owns the port. */
void spx_stage_transmit(struct spx_worker *w, struct spx_burst *b);

/* Exceptions to the slow path's ring. */
void spx_stage_punt(struct spx_worker *w, struct spx_burst *b);

/* Packets of hand-over rings to the ports that this worker owns. Returns packets taken. */
unsigned spx_transmit_handed_over(struct spx_worker *w);

/* ---- shaped.c: ports that this worker owns and that have a port queue
 * --------------------------------------
 */

/* The batches of shaped ports to their queues. */
void spx_shaped_take_batches(struct spx_worker *w);

/* n packets to the queue of a shaped port; what it refuses is dropped as queue_full. */
void spx_shaped_enqueue(struct spx_worker *w, uint16_t port, struct rte_mbuf **pkts, uint16_t n);

/* Sends what is due in all queues. Returns packets that left them. */
unsigned spx_shaped_transmit(struct spx_worker *w);

/* Nanoseconds until the next packet of any queue is due; 0: one is; UINT64_MAX: none waits. */
uint64_t spx_shaped_wait(struct spx_worker *w);

/* Keeps the clock of the queues right: to be called more than once a second. */
void spx_shaped_housekeep(struct spx_worker *w);

/* ---- ends
 * --------------------------------------------------------------------------------------------------
 */

/* Ends the members of b->drop: counts them by their reasons and frees them. */
void spx_drop_marked(struct spx_worker *w, struct spx_burst *b);

/* The same for n packets of one reason, which came in by a port or should have gone out by it. */
void spx_drop(struct spx_worker *w, uint16_t port, struct rte_mbuf **pkts, uint16_t n, enum spx_drop reason);

/* Gives n packets to a port's queue: counts what it takes, drops the rest as tx_full, or all as port_down. */
void
spx_transmit(struct spx_worker *w, struct spx_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);

/* Gives n packets to the queue of a port that is not down, and counts what it takes: the first of them, whose
 * number is returned, and their bytes. */
uint16_t spx_send(struct spx_worker *w, struct spx_port *port, uint16_t queue, struct rte_mbuf **pkts,
	uint16_t n, uint64_t *bytes);

/* Adds packet i to the batch of port `out`. */
static inline void
spx_batch_add(struct spx_worker *w, uint16_t out, struct rte_mbuf *m)
{
	struct spx_tx_batch *batch = &w->batch[out];

	batch->pkt[batch->n++] = m;
	w->batch_ports |= spx_set_one(out);
}

#endif
