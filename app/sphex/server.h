/* The control server: clients of the control protocol (doc/control.md) on a Unix socket.
 *
 *   server.c          the loop over its file descriptors, the end
 *   server_event.c    what subscribers are told
 *   server_listen.c   the listening socket: where, who has it, who leaves it
 *   server_accept.c   new clients and their roles
 *   server_client.c   one client's connection: bytes, files that come along, what waits to be read
 *   server_lines.c    its lines
 *   server_job.c      slow methods, each on a thread
 *   server_discard.c  files and connections closed, on a thread
 *   rpc.h             requests and methods
 *
 * One thread runs it: the control thread while the appliance runs, at the end the one that waited for all the
 * others. Only what says so may be called by any thread. With NULL for a server everything that any thread
 * may call does nothing.
 */
#ifndef SPX_SERVER_H
#define SPX_SERVER_H

#include <jansson.h>

#include "app/sphex/appliance.h"

struct spx_server;

/* What clients can subscribe to. */
#define SPX_EVENTS(X)                                                                                        \
	X(condition) /* what the log says of the appliance's state */                                        \
	X(rules)     /* rules changed */                                                                     \
	X(capture)   /* a capture began or ended */                                                          \
	X(stop)      /* the appliance has stopped; with the report */

enum spx_event {
#define SPX_EVENT_ID(name) SPX_EVENT_##name,
	SPX_EVENTS(SPX_EVENT_ID)
#undef SPX_EVENT_ID
		SPX_EVENT_COUNT
};

const char *spx_event_name(enum spx_event event);

/* A server without clients and socket. app->server is set by the caller. 0 or a negative errno. */
int spx_server_create(struct spx_appliance *app, struct spx_server **out, struct spx_error *err);

/* Opens the socket that app->setup->control names. 0 or a negative errno: -EADDRINUSE when a living instance
 * has it. */
int spx_server_listen(struct spx_server *server, struct spx_error *err);

/* Path of the socket, or NULL when there is none. */
const char *spx_server_path(const struct spx_server *server);

/* A file descriptor that is readable when spx_server_poll has something to do. */
int spx_server_fd(const struct spx_server *server);

/* Does what there is to do, waiting up to timeout_ms for it (0: not at all). Bounded work: call it again. */
void spx_server_poll(struct spx_server *server, int timeout_ms);

/* True when a client has asked the appliance to stop. */
bool spx_server_stop_asked(const struct spx_server *server);

/* Cancels slow methods, waits for their ends and answers; from now on slow ones are refused. */
void spx_server_end_jobs(struct spx_server *server);

/* Sends what waits, for up to timeout_ms, closes all connections and removes the socket. */
void spx_server_close(struct spx_server *server, int timeout_ms);

/* All of it. Nobody else may have the server any more. NULL is allowed. */
void spx_server_free(struct spx_server *server);

/* Tells subscribers. `params` is an object whose reference is taken over, or NULL; kind and seconds are
 * added.
 */
void spx_server_event(struct spx_server *server, enum spx_event event, json_t *params);

/* The same from any thread, until spx_server_free: told at the next poll. When more than a thousand wait, it
 * is lost. */
void spx_server_post(struct spx_server *server, enum spx_event event, json_t *params);

/* Posts an event with a text. Any thread. */
void spx_server_say(struct spx_server *server, enum spx_event event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
