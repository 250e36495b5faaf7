/* What the control server tells subscribers, at once or posted by other threads; see server.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/server_internal.h"

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
void
spx_server_tell_posts(struct spx_server *server)
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
