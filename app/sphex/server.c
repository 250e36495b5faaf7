/* The control server's loop and its life; see server.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

#define EVENTS_AT_ONCE 32
#define TURNS_NS       2000000 /* for lines of all clients in one poll */
#define JOB_LOOK_MS    100     /* between two looks at slow methods at the end: no more than a safety net */

/* ---- the loop ---------------------------------------------------------------------------------------- */

void
spx_server_wake(struct spx_server *server)
{
	const uint64_t one = 1;

	/* A full counter wakes as well. */
	if (write(server->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		spx_log(SPX_LOG_ERROR, "the control server cannot be woken (%s)", strerror(errno));
}

static void
slept(struct spx_server *server)
{
	uint64_t count;

	while (read(server->wake, &count, sizeof(count)) > 0)
		;
}

/* Clients without anything left leave. */
static void
remove_done(struct spx_server *server)
{
	for (unsigned i = 0; i < server->n_clients;)
		if (spx_client_done(server->client[i])) {
			spx_client_free(server->client[i]);
			server->client[i] = server->client[--server->n_clients];
		} else {
			i++;
		}
}

/* Every client's turn. When the time is over the others have theirs at the next poll, where another one
 * begins. */
static void
turn_clients(struct spx_server *server)
{
	uint64_t deadline = spx_now_ns() + TURNS_NS;
	bool more = false;

	for (unsigned i = 0; i < server->n_clients; i++)
		more = spx_client_turn(server->client[(server->first + i) % server->n_clients], deadline) ||
		       more;
	server->first++;
	remove_done(server);
	if (more)
		spx_server_wake(server);
}

void
spx_server_poll(struct spx_server *server, int timeout_ms)
{
	struct epoll_event event[EVENTS_AT_ONCE];
	int n;

	spx_server_accept_again(server);
	n = epoll_wait(server->epoll, event, EVENTS_AT_ONCE, timeout_ms);
	for (int i = 0; i < n; i++) {
		if (event[i].data.ptr == server)
			slept(server);
		else if (event[i].data.ptr == &server->listening)
			spx_server_accept(server);
		else
			spx_client_ready(event[i].data.ptr, event[i].events);
	}
	if (n <= 0)
		return;
	spx_jobs_finish(server);
	spx_server_tell_posts(server);
	turn_clients(server);
}

int
spx_server_fd(const struct spx_server *server)
{
	return server->epoll;
}

bool
spx_server_stop_asked(const struct spx_server *server)
{
	return server->stop_asked;
}

/* ---- life -------------------------------------------------------------------------------------------- */

static int
draw_instance(char text[17])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(text, 17, "%016lx", number);
	return 0;
}

static int
open_loop(struct spx_server *server)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = server};

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->epoll < 0 || server->wake < 0 ||
		epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->wake, &event) < 0)
		return -errno;
	return 0;
}

int
spx_server_create(struct spx_appliance *app, struct spx_server **out, struct spx_error *err)
{
	struct spx_server *server = calloc(1, sizeof(*server));
	int r;

	if (server == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	server->app = app;
	server->listening = server->epoll = server->wake = server->discard = -1;
	pthread_mutex_init(&server->lock, NULL);
	r = draw_instance(server->instance);
	if (r == 0)
		r = open_loop(server);
	if (r == 0)
		r = spx_discard_begin(server);
	if (r < 0) {
		spx_server_free(server);
		return spx_error(err, r, "the control server does not start (%s)", strerror(-r));
	}
	*out = server;
	return 0;
}

static bool
any_job(const struct spx_server *server)
{
	for (unsigned i = 0; i < SPX_JOBS_MAX; i++)
		if (server->job[i].client != NULL)
			return true;
	return false;
}

void
spx_server_end_jobs(struct spx_server *server)
{
	server->ending = true;
	for (unsigned i = 0; i < SPX_JOBS_MAX; i++)
		atomic_store(&server->job[i].cancelled, true);
	while (any_job(server))
		spx_server_poll(server, JOB_LOOK_MS);
}

static bool
anything_waits(const struct spx_server *server)
{
	for (unsigned i = 0; i < server->n_clients; i++)
		if (server->client[i]->out_begin < server->client[i]->out_end)
			return true;
	return false;
}

void
spx_server_close(struct spx_server *server, int timeout_ms)
{
	uint64_t begun = spx_now_ns(), limit = (uint64_t)timeout_ms * 1000000;

	spx_server_unlisten(server);
	spx_server_end_jobs(server);
	spx_server_tell_posts(server);
	while (anything_waits(server) && spx_now_ns() - begun < limit)
		spx_server_poll(server, 1);
	while (server->n_clients > 0) {
		spx_client_hang_up(server->client[--server->n_clients]);
		spx_client_free(server->client[server->n_clients]);
	}
}

void
spx_server_free(struct spx_server *server)
{
	if (server == NULL)
		return;
	spx_server_close(server, 0);
	for (unsigned i = 0; i < server->n_posts; i++)
		json_decref(server->post[i].params);
	spx_discard_end(server);
	if (server->wake >= 0)
		close(server->wake);
	if (server->epoll >= 0)
		close(server->epoll);
	pthread_mutex_destroy(&server->lock);
	free(server->path);
	free(server);
}
