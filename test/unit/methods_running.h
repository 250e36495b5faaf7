/* An appliance that runs in this process while the test asks its methods, as the control thread would: a
 * trace without end comes in by port `in`, and goes out by the null ports `left` and `right`.
 *
 * The frames of the trace, over and over: TRACE_FLOWS UDP flows 10.0.0.<1...> to port 53, as many to port 80,
 * one of IPv6 to port 53, an ARP message, a frame whose EtherType and IP version differ, and a packet to port
 * 53 whose TTL is 1.
 */
#ifndef SPX_TEST_METHODS_RUNNING_H
#define SPX_TEST_METHODS_RUNNING_H

#include <pthread.h>

#include "app/sphex/methods.h"
#include "app/sphex/report.h"

#define TRACE_FLOWS  4
#define TRACE_FRAMES (2 * TRACE_FLOWS + 4)

struct running {
	struct spx_setup setup;
	struct spx_appliance *app;
	pthread_t thread;
	int ended; /* what the run returned */
	struct spx_error err;
};

/* Starts DPDK and the appliance: two workers, exact flow caches, `linear` rules; waits until every frame of
 * the trace has gone through. Actions: 1 web (forward to left, counted, TTL), 2 other (forward to right), 3
 * look (punt), 4 deny (drop), the default. Rules: 16 port 53 -> web, 32 ARP -> look, 48 port 80 -> other. */
void running_start(struct running *r);

/* The same with routing: port left has the address 192.0.2.1/24 and a queue of 1000 kbit/s and 100 packets;
 * a route 172.16.0.0/12 via 192.0.2.2, and that neighbour. */
void running_start_routing(struct running *r);

/* Ends the run as a user would; its counters must add up. */
void running_end(struct running *r);

/* Waits until each worker has taken its share of the trace again, every packet of it the whole way. */
void running_wait(const struct running *r);

typedef int (*running_method)(struct spx_call *call, json_t **result);

/* The result of a method, which must succeed; params is JSON or NULL. New reference. */
json_t *running_call(struct running *r, running_method run, const char *params);

/* A call that must be refused. */
struct running_mistake {
	running_method run;
	const char *params;
	int code;
	const char *says;
};

/* The method must refuse with this code and a message that begins with "name" and has the text. */
void running_refuses(struct running *r, running_method run, const char *params, int code, const char *text);
void running_refuses_all(struct running *r, const struct running_mistake *mistake, size_t n);

/* Members of a result, which must be there: a whole number, a text. */
json_int_t running_number(const json_t *object, const char *key);
const char *running_word(const json_t *object, const char *key);

#endif
