/* The control server's loop, its events, and its life; see server.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

#define EVENTS_AT_ONCE 32
#define JOB_LOOK_MS    100 /* between two looks at slow methods at the end: no more than a safety net */

static const char *const event_names[] = {
#define EVENT_NAME(name) #name,
	SPX_EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

const char *
spx_event_name(enum spx_event event)
{
	return event_names[event];
}

/* ---- events ------------------------------------------------------------------------------------------ */

/* The line that tells, or NULL for want of memory. Takes params over. */
static char *
event_line(const struct spx_server *server, enum spx_event event, json_t *params)
{
	double seconds = (double)(spx_now_ns() - server->app->begun) / 1e9;
	json_t *told = json_pack("{s:s, s:f}", "kind", spx_event_name(event), "seconds", seconds);
	char *body = NULL, *line = NULL;

	if (told != NULL && (params == NULL || json_object_update(told, params) == 0))
		body = json_dumps(told, JSON_COMPACT | JSON_REAL_PRECISION(9));
	if (body != NULL &&
		asprintf(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":%s}\n", body) < 0)
		line = NULL;
	free(body);
	json_decref(told);
	json_decref(params);
	return line;
}

void
spx_server_event(struct spx_server *server, enum spx_event event, json_t *params)
{
	char *line = event_line(server, event, params);

	for (unsigned i = 0; line != NULL && i < server->n_clients; i++)
		if (server->client[i]->events & 1u << event)
			spx_client_send(server->client[i], line, strlen(line));
	free(line);
}

void
spx_server_post(struct spx_server *server, enum spx_event event, json_t *params)
{
	bool room;

	if (server == NULL) {
		json_decref(params);
		return;
	}
	pthread_mutex_lock(&server->lock);
	room = server->n_posts < SPX_POSTS_MAX;
	if (room)
		server->post[server->n_posts++] = (struct spx_post){.event = event, .params = params};
	pthread_mutex_unlock(&server->lock);
	if (room)
		spx_server_wake(server);
	else
		json_decref(params);
}

void
spx_server_say(struct spx_server *server, enum spx_event event, const char *format, ...)
{
	struct spx_error text;
	va_list args;

	va_start(args, format);
	vsnprintf(text.text, sizeof(text.text), format, args);
	va_end(args);
	spx_server_post(server, event, json_pack("{s:s}", "text", text.text));
}

/* Copied first: nobody who posts waits while clients are told. */
static void
tell_posts(struct spx_server *server)
{
	struct spx_post post[SPX_POSTS_MAX];
	unsigned n;

	pthread_mutex_lock(&server->lock);
	n = server->n_posts;
	memcpy(post, server->post, n * sizeof(post[0]));
	server->n_posts = 0;
	pthread_mutex_unlock(&server->lock);
	for (unsigned i = 0; i < n; i++)
		spx_server_event(server, post[i].event, post[i].params);
}

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

/* Every client's turn; those with nothing left leave. */
static void
turn_clients(struct spx_server *server)
{
	bool more = false;

	for (unsigned i = 0; i < server->n_clients;) {
		struct spx_client *client = server->client[i];

		more = spx_client_turn(client) || more;
		if (!spx_client_done(client)) {
			i++;
			continue;
		}
		spx_client_free(client);
		server->client[i] = server->client[--server->n_clients];
	}
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
	tell_posts(server);
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
	server->listening = server->epoll = server->wake = -1;
	pthread_mutex_init(&server->lock, NULL);
	r = draw_instance(server->instance);
	if (r == 0)
		r = open_loop(server);
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
	tell_posts(server);
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
	if (server->wake >= 0)
		close(server->wake);
	if (server->epoll >= 0)
		close(server->epoll);
	pthread_mutex_destroy(&server->lock);
	free(server->path);
	free(server);
}
