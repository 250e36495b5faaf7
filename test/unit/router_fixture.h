/* A router whose threads are turned by hand: what comes in is the test's, what goes out is kept for it.
 *
 * Ports: IN has 10.9.0.1/24 and 2001:db8:9::1/64, SIDE 10.8.0.1/24 and 2001:db8:8::1/64, PLAIN no address.
 * Known neighbours on SIDE: 10.8.0.2 and 2001:db8:8::2. Everything is routed.
 */
#ifndef SPX_TEST_ROUTER_FIXTURE_H
#define SPX_TEST_ROUTER_FIXTURE_H

#include "app/sphex/appliance_internal.h"
#include "test/unit/frames.h"

enum { IN, SIDE, PLAIN, ROUTER_PORTS };

struct router_sent {
	unsigned n;       /* frames that went out by the port */
	struct frame it;  /* the last of them */
	uint16_t id[256]; /* IPv4 identifications, of the first ones */
};

extern struct spx_appliance *router;
extern struct router_sent router_sent[ROUTER_PORTS];

/* For TestSuite. */
void router_start(void);
void router_stop(void);

/* A frame comes in by a port, for the port's MAC address unless the test wrote another over the one of
 * frame_start, and everything that follows from it happens. */
void router_give(unsigned port, const struct frame *f);

/* The same, but the slow path's turn is left to the test. */
void router_give_worker(unsigned port, const struct frame *f);

/* Lets time go by and what is due happen. */
void router_wait(unsigned ms);

/* Packets dropped for a reason, by workers and slow path. */
uint64_t router_drops(enum spx_drop reason);

/* Writes source and destination of the IP header; IPv4 checksum and ICMPv6 checksum are made anew. */
void router_between4(struct frame *f, const char *from, const char *to);
void router_between6(struct frame *f, const char *from, const char *to);

/* 10.9.0.2 to 10.8.0.2 by UDP, and the same for IPv6: what is sent on. */
void router_udp4(struct frame *f, uint32_t data);
void router_udp6(struct frame *f, uint32_t data);

#endif
