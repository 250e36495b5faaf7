/* What the server's files share; nobody else includes it, tests and methods.h aside. All of it belongs to the
 * thread that runs the server, unless said otherwise. */
#ifndef SPX_SERVER_INTERNAL_H
#define SPX_SERVER_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "app/sphex/rpc.h"
#include "app/sphex/server.h"

#define SPX_CLIENTS_MAX  128u
#define SPX_READERS_MAX  96u /* of the clients: operators always find a place */
#define SPX_JOBS_MAX     8u
#define SPX_JOBS_READERS 4u /* of the jobs, likewise */
#define SPX_POSTS_MAX    1024u
#define SPX_LINE_MAX     (8u << 20)  /* bytes of an operator's line, newline aside */
#define SPX_LINE_READER  (64u << 10) /* of a reader's */
#define SPX_OUT_MAX      (4u << 20)  /* bytes that may wait for a client before it is cut off */
#define SPX_FILES_MAX    2u          /* files that came along and whose lines have not ended */
#define SPX_CLIENT_LINES 64u         /* lines of one client before the others have their turn */

/* A file that came along with a client's bytes. */
struct spx_passed_file {
	int fd;
	uint64_t at; /* the byte of the stream that it came with: the line with that byte gets it */
};

struct spx_client {
	struct spx_server *server;
	int fd; /* -1: the connection is closed, and what the client sent before is still carried out */
	uid_t uid;
	pid_t pid;
	enum spx_role role;
	uint64_t since; /* ns */
	uint64_t requests;
	unsigned events;  /* subscribed: bit `enum spx_event` */
	uint32_t watched; /* events that epoll watches for */
	bool eof;         /* nothing more comes in */

	char *in; /* received: [in_begin, in_end) is not carried out yet; up to in_scanned there is no newline
		   */
	size_t in_begin, in_scanned, in_end, in_room;
	uint64_t in_base; /* bytes of the stream before in[0] */
	bool skipping;    /* the rest of a line that was too long */
	struct spx_passed_file file[SPX_FILES_MAX];
	unsigned n_files;

	char *out; /* to be sent: [out_begin, out_end) */
	size_t out_begin, out_end, out_room;

	struct spx_job *job; /* its slow method under way, or NULL */
};

/* A slow method under way. The thread has the request and makes the answer until it sets `done`; the request
 * is freed then. */
struct spx_job {
	struct spx_server *server;
	struct spx_client *client; /* NULL: the slot is free */
	struct spx_request request;
	char *answer; /* the line, NULL when there is none to be sent or no memory for it */
	atomic_bool cancelled, done;
	pthread_t thread;
};

struct spx_post {
	enum spx_event event;
	json_t *params;
};

struct spx_server {
	struct spx_appliance *app;
	char instance[17]; /* another one for each start */
	int epoll, wake;   /* wake: eventfd; a job is done, an event is posted, or lines were left over */

	int discard; /* pipe to the thread that closes files, or -1 */
	pthread_t discarder;

	int listening; /* or -1 */
	char *path;
	dev_t device; /* of the socket's file: whether it is still ours at the end */
	ino_t inode;
	uint64_t listen_again; /* ns; accepting has paused for want of file descriptors. 0: it has not */

	struct spx_client *client[SPX_CLIENTS_MAX];
	unsigned n_clients;
	unsigned first; /* client whose turn is the first next time, modulo their number */
	struct spx_job job[SPX_JOBS_MAX];
	bool ending; /* no slow method begins any more */

	uint64_t accepted, refused, cut_off, malformed;
	bool stop_asked;

	pthread_mutex_t lock; /* for the posts: any thread */
	struct spx_post post[SPX_POSTS_MAX];
	unsigned n_posts;
};

/* ---- server.c --------------------------------------------------------------------------------------- */

/* Makes the next poll come back at once. Any thread. */
void spx_server_wake(struct spx_server *server);

/* ---- server_discard.c --------------------------------------------------------------------------------- */

/* Starts a thread that takes no signal. 0 or a negative errno. */
int spx_server_thread(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg);

/* The thread that closes files. 0 or a negative errno. */
int spx_discard_begin(struct spx_server *server);
void spx_discard_end(struct spx_server *server);

/* Closes a file that came from a client, without waiting; -1 is allowed. Any thread. */
void spx_server_discard(struct spx_server *server, int fd);

/* Ends a connection, or the listening for some, without waiting. */
void spx_server_disconnect(struct spx_server *server, int fd);

/* ---- server_event.c ---------------------------------------------------------------------------------- */

/* Tells what other threads have posted. */
void spx_server_tell_posts(struct spx_server *server);

/* ---- server_listen.c --------------------------------------------------------------------------------- */

/* Closes the listening socket and removes its file if it is still the same. */
void spx_server_unlisten(struct spx_server *server);

/* ---- server_accept.c --------------------------------------------------------------------------------- */

/* Takes new connections, some at a time. */
void spx_server_accept(struct spx_server *server);

/* Accepts again after a pause that is over. */
void spx_server_accept_again(struct spx_server *server);

/* Makes a client of a connected socket, which it owns from now on also when this fails: NULL for want of
 * room. */
struct spx_client *
spx_server_add_client(struct spx_server *server, int fd, uid_t uid, pid_t pid, enum spx_role role);

/* ---- server_client.c --------------------------------------------------------------------------------- */

/* What epoll said. */
void spx_client_ready(struct spx_client *client, uint32_t events);

/* Tells epoll what to watch for. */
void spx_client_watch(struct spx_client *client);

/* True when nothing is left to be done for it. */
bool spx_client_done(const struct spx_client *client);

/* Queues text and sends what the socket takes. A client that has not read is cut off instead. */
void spx_client_send(struct spx_client *client, const char *text, size_t length);

/* Closes the connection and cancels its request; what the client sent before is still carried out. */
void spx_client_hang_up(struct spx_client *client);

/* Frees a client without a job. */
void spx_client_free(struct spx_client *client);

/* ---- server_lines.c ---------------------------------------------------------------------------------- */

/* Carries out lines that are there, beginning none after the deadline (ns). True when some were left over for
 * the next turn. */
bool spx_client_turn(struct spx_client *client, uint64_t deadline);

/* True when a whole line is there. */
bool spx_client_has_line(const struct spx_client *client);

/* ---- server_job.c ------------------------------------------------------------------------------------ */

/* Begins a slow method; the job takes the request over. 0, or a code of the protocol with the request's err.
 */
int spx_job_start(struct spx_client *client, struct spx_request *request);

/* Answers for jobs that are done. */
void spx_jobs_finish(struct spx_server *server);

#endif
