/* A worker wired by hand to fake ports, for the tests of the packet's way: what goes in is given by the test,
 * what comes out is kept for it.
 */
#ifndef SPX_TEST_WORKER_FIXTURE_H
#define SPX_TEST_WORKER_FIXTURE_H

#include "app/sphex/stages.h"

#define FAKE_PORTS 4
#define FAKE_ROOM  512

/* A port whose receive queue the test fills and whose sent packets it reads. */
struct fake_port {
	struct spx_port port;
	struct rte_mbuf *in[FAKE_ROOM], *out[FAKE_ROOM];
	unsigned n_in, n_out;
	unsigned takes; /* packets a tx_burst may still take in all */
};

struct fixture {
	struct rte_mempool *pool;
	struct rte_ring *exception;
	struct fake_port fake[FAKE_PORTS];
	struct spx_worker *worker;
	struct spx_config *config;
	struct spx_config *_Atomic in_force;
	struct spx_rules *rules;
	_Atomic int phase;
};

/* Starts EAL and wires everything: 4 ports, actions: [0] drop by default (no rule), no rules. mbufs: pool
 * size. */
void fixture_init(struct fixture *f, unsigned mbufs);
void fixture_init_with(struct fixture *f, unsigned mbufs, const char *megabytes); /* of EAL; otherwise 64 */

/* Puts rules and actions in force. */
void fixture_rules(struct fixture *f, const struct spx_rule *rule, size_t n);
void fixture_action(struct fixture *f, uint32_t id, struct spx_action action);

/* Another worker on the same ports, without receive queues. */
struct spx_worker *fixture_worker(struct fixture *f, uint16_t id);

/* Gives a worker, which has none (mode none) at first, a small flow cache. */
void fixture_cache(struct spx_worker *w, enum spx_flow_mode mode);

/* A UDP packet of 60 bytes: source 10.0.0.<host>, destination port `dport`, TTL as given. */
struct rte_mbuf *fixture_udp(struct fixture *f, uint8_t host, uint16_t dport, uint8_t ttl);

/* Any frame. */
struct rte_mbuf *fixture_frame(struct fixture *f, const void *bytes, uint16_t length);

/* Gives a packet to a port's receive queue. */
void fixture_give(struct fixture *f, unsigned port, struct rte_mbuf *m);

/* Asserts that the worker's counters add up, with in_flight packets in hand-over rings. */
void fixture_balanced(const struct spx_counters *c, uint64_t in_flight);

/* The rule "destination port `dport` gets `action`". */
struct spx_rule fixture_dport_rule(uint32_t order, uint16_t dport, uint32_t action);

#endif
