/* A client's lines: taken one after the other out of what came in, and carried out. See server.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

static size_t
line_max(const struct spx_client *client)
{
	return client->role == SPX_ROLE_OPERATOR ? SPX_LINE_MAX : SPX_LINE_READER;
}

bool
spx_client_has_line(const struct spx_client *client)
{
	return client->in_begin < client->in_end &&
	       memchr(client->in + client->in_scanned, '\n', client->in_end - client->in_scanned) != NULL;
}

/* The file that came with the line [from, to) of the stream, or -1; files of the bytes before are closed. */
static int
take_file(struct spx_client *client, uint64_t from, uint64_t to)
{
	int fd = -1;
	unsigned kept = 0;

	for (unsigned i = 0; i < client->n_files; i++) {
		const struct spx_passed_file *f = &client->file[i];

		if (f->at >= to)
			client->file[kept++] = *f;
		else if (f->at >= from && fd < 0)
			fd = f->fd;
		else
			spx_server_discard(client->server, f->fd);
	}
	client->n_files = kept;
	return fd;
}

static void
answer(struct spx_client *client, const struct spx_request *request, int code, const json_t *result)
{
	char *line = request->silent ? NULL : spx_rpc_answer(request, code, result);

	if (line != NULL)
		spx_client_send(client, line, strlen(line));
	else if (!request->silent)
		spx_client_hang_up(client); /* no memory; an answer that never comes would be worse */
	free(line);
}

static void
refuse_long_line(struct spx_client *client)
{
	struct spx_request request = {.call.fd = -1};

	client->server->malformed++;
	spx_error(
		&request.err, 0, "a line of more than %zu bytes; at most so many expected", line_max(client));
	answer(client, &request, SPX_RPC_NO_REQUEST, NULL);
}

static void
carry_out(struct spx_client *client, const char *line, size_t length, int fd)
{
	struct spx_request request = {
		.call = {.app = client->server->app, .client = client, .fd = fd, .role = client->role}};
	json_t *result = NULL;
	int code = spx_rpc_read(&request, line, length);

	client->requests++;
	if (code == SPX_RPC_NO_JSON || code == SPX_RPC_NO_REQUEST)
		client->server->malformed++;
	if (code == 0 && request.method->slow) {
		code = spx_job_start(client, &request);
		if (code == 0)
			return;
	} else if (code == 0) {
		code = spx_rpc_run(&request, &result);
	}
	answer(client, &request, code, result);
	json_decref(result);
	spx_server_discard(client->server, request.call.fd);
	request.call.fd = -1;
	spx_rpc_free(&request);
}

/* Takes one line out of the buffer. False when there is none. */
static bool
next_line(struct spx_client *client)
{
	uint64_t at = client->in_base + client->in_begin;
	const char *from, *newline = NULL;
	size_t length;
	int fd;

	if (client->in_begin == client->in_end)
		return false;
	from = client->in + client->in_begin;
	if (client->in_scanned < client->in_end)
		newline = memchr(client->in + client->in_scanned, '\n', client->in_end - client->in_scanned);
	length = newline != NULL ? (size_t)(newline - from) : client->in_end - client->in_begin;
	client->in_scanned = client->in_begin + length + (newline != NULL);
	if (newline == NULL && !client->skipping && length <= line_max(client))
		return false;
	client->in_begin = client->in_scanned;
	fd = take_file(client, at, client->in_base + client->in_begin);
	if (!client->skipping && length <= line_max(client)) {
		carry_out(client, from, length, fd);
		return true;
	}
	spx_server_discard(client->server, fd);
	if (!client->skipping)
		refuse_long_line(client);
	client->skipping = newline == NULL;
	return newline != NULL;
}

bool
spx_client_turn(struct spx_client *client, uint64_t deadline)
{
	unsigned n = 0;

	while (client->job == NULL && n < SPX_CLIENT_LINES && spx_now_ns() < deadline && next_line(client))
		n++;
	if (client->in_begin == client->in_end && client->in != NULL) {
		client->in_base += client->in_begin;
		client->in_begin = client->in_scanned = client->in_end = client->in_room = 0;
		free(client->in); /* idle clients cost no memory */
		client->in = NULL;
	}
	spx_client_watch(client);
	return client->job == NULL && spx_client_has_line(client);
}
