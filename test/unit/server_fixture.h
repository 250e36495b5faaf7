/* A control server without an appliance around it, and clients that are driven by the same thread. Its table
 * of methods has the server's own and some of the tests': test.echo, test.big, test.fail, test.file,
 * test.wait, test.read_slowly.
 */
#ifndef SPX_TEST_SERVER_FIXTURE_H
#define SPX_TEST_SERVER_FIXTURE_H

#include "app/sphex/server_internal.h"

struct served {
	struct spx_setup setup;
	struct spx_appliance app;
	struct spx_server *server;
	unsigned fds; /* open before the server was made */
};

/* One end of a connection, with what came that is not taken yet. */
struct peer {
	struct served *served;
	int fd;
	char *text;
	size_t used, room;
	char *line; /* the last one taken */
};

void served_start(struct served *s);

/* Frees the server; no file descriptor is left. */
void served_stop(struct served *s);

/* A client by a socket pair. */
void peer_join(struct peer *p, struct served *s, enum spx_role role);

/* A client by the listening socket, with this process's rights. False when it is refused a connection. */
bool peer_connect(struct peer *p, struct served *s);

void peer_leave(struct peer *p);

/* Sends bytes, letting the server work whenever it has to. */
void peer_send(struct peer *p, const void *bytes, size_t length);
void peer_say(struct peer *p, const char *text);

/* Sends text with files in one message. */
void peer_pass(struct peer *p, const char *text, const int *fds, unsigned n);

/* The next line without its newline, waiting up to 10 s; NULL when the connection is at its end. Valid until
 * the next call. */
const char *peer_line(struct peer *p);

/* Sends a line and returns the next one that comes. */
const char *peer_ask(struct peer *p, const char *line);

/* The error code of an answer, 0 for a result. */
int answer_code(const char *line);

/* True when text is part of line (which may be NULL). */
bool says(const char *line, const char *text);

/* Lets the server do what there is to do until it finds nothing. */
void served_settle(struct served *s);

/* File descriptors that this process has open. */
unsigned open_fds(void);

/* What test.wait has seen: calls under way and calls that ended by being cancelled. */
extern atomic_uint test_waiting, test_cancelled;

/* What ends test.wait. */
extern atomic_bool test_go;

#endif
