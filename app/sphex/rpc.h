/* What can be asked of a running appliance: methods of the control protocol (doc/control.md).
 *
 *   server.c          sockets: clients, lines, roles, what is sent and not yet read
 *   rpc.c             one line: JSON-RPC 2.0, which method, the answer
 *   methods.c         the table of all methods
 *   methods_show.c    show.*
 *   methods_rule.c    rule.*
 *   methods_trace.c   trace
 *   methods_capture.c capture.*
 *
 * A method reads its parameters by table, as a configuration is read (setup_reader.h), and returns a result. One
 * that may wait (for a grace period, a name server, packets) is `slow` and runs on a thread of its own; the others
 * run on the control thread and take microseconds.
 */
#ifndef SPX_RPC_H
#define SPX_RPC_H

#include <stdatomic.h>

#include <jansson.h>

#include "app/sphex/appliance.h"
#include "app/sphex/setup_reader.h"

#define SPX_PROTOCOL 1 /* version of the control protocol */

/* What a client may do: readers see counters and configuration; operators see packets too, and change things. */
enum spx_role { SPX_ROLE_READER, SPX_ROLE_OPERATOR };

/* One request that is being answered. */
struct spx_call {
	struct spx_appliance *app;
	const char *method;
	json_t *params;         /* object, or NULL; borrowed */
	int fd;                 /* file that came along with the request, or -1; a method that takes it sets -1 */
	enum spx_role role;
	atomic_bool *cancelled; /* slow methods look at it at least every 100 ms: whoever asked is gone, or the
				 * appliance ends; NULL: never */
	struct spx_error *err;
};

struct spx_method {
	const char *name;
	enum spx_role role; /* that may call it */
	bool slow;          /* may wait: runs on a thread of its own */

	/* 0 with *result (new reference), or a negative errno with call->err: -EINVAL for wrong parameters. */
	int (*run)(struct spx_call *call, json_t **result);
};

/* All methods, sorted by name; ends with a NULL name. */
extern const struct spx_method spx_methods[];

/* Reads call->params by table into the struct at `into`; messages begin with the method's name. Missing params
 * count as {}. 0, -EINVAL, -ENOMEM. */
int spx_call_read(struct spx_call *call, const struct spx_keys *keys, void *into);

#endif
