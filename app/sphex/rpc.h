/* What can be asked of a running appliance: methods of the control protocol (doc/control.md).
 *
 *   server.h          sockets: clients, lines, roles, what is sent and not yet read
 *   rpc.c             one line: JSON-RPC 2.0, which method, the answer
 *   methods.c         the table of all methods
 *   methods_server.c  hello, show.clients, subscribe, stop
 *   methods_show.c    show.*
 *   methods_rule.c    rule.*
 *   methods_trace.c   trace
 *   methods_capture.c capture.*
 *   methods_steer.c   show.steer, steer.*
 *   methods_route.c, show_routes.c           route.*, show.routes
 *   methods_address.c  address.*, neighbour.*, show.addresses, show.neighbours
 *   methods_port.c    port.*, queue.*, show.queues
 *
 * A method reads its parameters by table, as a configuration is read (setup_reader.h), and returns a result.
 * One that may wait (for a grace period, a name server, packets) is `slow` and runs on a thread of its own;
 * the others run on the control thread and take microseconds.
 */
#ifndef SPX_RPC_H
#define SPX_RPC_H

#include <stdatomic.h>

#include <jansson.h>

#include "app/sphex/appliance.h"
#include "app/sphex/setup_reader.h"

#define SPX_PROTOCOL 1 /* version of the control protocol */

/* What a client may do: readers see counters and configuration; operators see packets too, and change things.
 */
enum spx_role { SPX_ROLE_READER, SPX_ROLE_OPERATOR };

struct spx_client; /* of the server */

/* One request that is being answered. */
struct spx_call {
	struct spx_appliance *app;
	struct spx_client *client; /* whose request it is; for methods of the server alone */
	const char *method;
	json_t *params; /* object, or NULL; borrowed */
	int fd;         /* file that came along with the request, or -1; a method that takes it sets -1 */
	enum spx_role role;
	atomic_bool *cancelled; /* slow methods look at it at least every 100 ms: whoever asked is gone, or
				 * the appliance ends; NULL: never */
	struct spx_error *err;
};

struct spx_method {
	const char *name;
	enum spx_role role; /* that may call it */
	bool slow;          /* may wait: runs on a thread of its own */

	/* 0 with *result (new reference), or a negative errno with call->err: -EINVAL for wrong parameters.
	 */
	int (*run)(struct spx_call *call, json_t **result);
};

/* All methods, sorted by name; ends with a NULL name. */
extern const struct spx_method spx_methods[];

/* Reads call->params by table into the struct at `into`; messages begin with the method's name. Missing
 * params count as {}. 0, -EINVAL, -ENOMEM. */
int spx_call_read(struct spx_call *call, const struct spx_keys *keys, void *into);

/* ---- for the server --------------------------------------------------------------------------------- */

/* Codes of the protocol's errors. */
enum spx_rpc_code {
	SPX_RPC_NO_JSON = -32700,
	SPX_RPC_NO_REQUEST = -32600,
	SPX_RPC_NO_METHOD = -32601,
	SPX_RPC_PARAMS = -32602,
	SPX_RPC_ROLE = -32000,
	SPX_RPC_FAILED = -32001,
	SPX_RPC_BUSY = -32002,
};

/* One line and what became of it. */
struct spx_request {
	json_t *root; /* owned; NULL: no JSON */
	json_t *id;   /* in root, or NULL: answered with null */
	bool silent;  /* a request without id: not answered */
	int failed;   /* errno of SPX_RPC_FAILED */
	const struct spx_method *method;
	struct spx_call call;
	struct spx_error err;
};

/* Reads a line: what is asked, and whether the client (call.client, call.role, call.app are filled) may. 0,
 * or a code with err. Free with spx_rpc_free whatever it returned. */
int spx_rpc_read(struct spx_request *request, const char *line, size_t length);

/* Runs the method. 0 with *result (new reference), or a code with err. */
int spx_rpc_run(struct spx_request *request, json_t **result);

/* The line that answers, with newline, freed by the caller: a result (borrowed) if code is 0, else an error
 * with err. NULL for want of memory. */
char *spx_rpc_answer(const struct spx_request *request, int code, const json_t *result);

/* Closes a file that nobody took. */
void spx_rpc_free(struct spx_request *request);

#endif
