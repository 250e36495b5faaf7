/* The connection: requests, answers, events; see client.h. Its lines are client_line.c's. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/spxctl/client_line.h"
#include "app/spxctl/text.h"

int
spx_client_connect(const char *path)
{
	const struct timeval limit = {.tv_sec = SPX_CLIENT_SEND_SECONDS};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, r = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		r = errno == EAGAIN ? -ETIMEDOUT : -errno;
		close(fd);
	}
	return r < 0 ? r : fd;
}

/* An answer's result, or its error as the message. */
static int
read_answer(const struct spx_client *client, const json_t *answer, json_t **result, struct spx_error *err)
{
	const json_t *error = json_object_get(answer, "error"), *id = json_object_get(answer, "id");
	const char *text = json_string_value(json_object_get(error, "message"));

	if (json_is_object(error) && text != NULL)
		return spx_error(err, -EREMOTEIO, "%s", text);
	*result = json_incref(json_object_get(answer, "result"));
	if (*result != NULL && json_is_integer(id) && json_integer_value(id) == client->id)
		return 0;
	json_decref(*result);
	return spx_error(err, -EPROTO, "the appliance sent what is no answer to the request");
}

/* An appliance that wants no client says why and closes, perhaps before it has read anything: then what it
 * said is still to be received. */
static int
send_request(struct spx_client *client, const char *line, int fd, struct spx_error *err)
{
	int r = spx_client_send(client, line, fd, err);

	if (r == 0)
		r = spx_client_send(client, "\n", -1, err);
	return r == -ECONNRESET ? 0 : r;
}

int
spx_client_call(struct spx_client *client, const char *method, json_t *params, int fd, double timeout,
	json_t **result, struct spx_error *err)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:o*}", "jsonrpc", "2.0", "id", ++client->id, "method",
		method, "params", params);
	char *line = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
	double end = timeout > 0 ? spx_client_now() + timeout : INFINITY;
	json_t *message = NULL;
	int r;

	json_decref(request);
	if (line == NULL)
		return spx_error(err, -ENOMEM, "no memory for the request");
	if (strlen(line) >= SPX_CLIENT_SEND_MAX) {
		free(line);
		return spx_error(err, -EMSGSIZE,
			"%s: the request has more than %u MiB, the most that sphex takes", method,
			SPX_CLIENT_SEND_MAX >> 20);
	}
	r = send_request(client, line, fd, err);
	free(line);
	while (r == 0 && (r = spx_client_message(client, end, &message, err)) == 0 &&
		json_object_get(message, "method") != NULL) {
		json_array_append_new(client->events, message);
		message = NULL;
	}
	if (r == 0)
		r = read_answer(client, message, result, err);
	json_decref(message);
	if (r != 0)
		spx_clean(err->text);
	return r;
}

int
spx_client_event(struct spx_client *client, double timeout, json_t **params, struct spx_error *err)
{
	double end = timeout > 0 ? spx_client_now() + timeout : INFINITY;
	json_t *message = NULL;
	int r = 0;

	if (json_array_size(client->events) > 0) {
		message = json_incref(json_array_get(client->events, 0));
		json_array_remove(client->events, 0);
	} else {
		r = spx_client_message(client, end, &message, err);
	}
	if (r != 0)
		return r;
	*params = json_incref(json_object_get(message, "params"));
	json_decref(message);
	if (json_is_object(*params))
		return 0;
	json_decref(*params);
	return spx_error(err, -EPROTO, "the appliance sent what is no event");
}

int
spx_client_open(struct spx_client *client, int fd, const char *path, struct spx_error *err)
{
	int r;

	*client = (struct spx_client){.fd = fd, .events = json_array()};
	snprintf(client->path, sizeof(client->path), "%s", path);
	r = spx_client_call(client, "hello", json_pack("{s:i}", "protocol", SPX_CLIENT_PROTOCOL), -1,
		SPX_CLIENT_SEND_SECONDS, &client->hello, err);
	if (r != 0) {
		spx_error_at(err, r, "%s", path);
		spx_client_close(client);
	}
	return r;
}

void
spx_client_close(struct spx_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->buffer);
	json_decref(client->hello);
	json_decref(client->events);
	*client = (struct spx_client){.fd = -1};
}
