/* The connection; see client.h. What comes from the other side is bounded and checked before it is used. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "app/spxctl/client.h"
#include "app/spxctl/text.h"

#define HELLO_SECONDS 10 /* for the first answer, and for sending: a living appliance takes microseconds */
#define READ_BYTES    65536u

/* The largest control message: one descriptor. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
spx_client_connect(const char *path)
{
	const struct timeval limit = {.tv_sec = HELLO_SECONDS};
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

/* CLOCK_MONOTONIC in seconds. */
static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- sending --------------------------------------------------------------------------------------- */

/* Sends some of it, the descriptor along with the first byte. */
static ssize_t
send_some(int socket, const char *data, size_t length, int fd)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union control control;
	struct cmsghdr *header;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL);
}

static int
send_line(struct spx_client *client, const char *line, int fd, struct spx_error *err)
{
	size_t length = strlen(line);

	while (length > 0) {
		ssize_t n = send_some(client->fd, line, length, fd);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return spx_error(err, -ETIMEDOUT,
				"the appliance did not read the request within %d s", HELLO_SECONDS);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return spx_error(err, -ECONNRESET, "the appliance closed the connection");
		if (n < 0)
			return spx_error(err, -errno, "cannot send to the appliance (%s)", strerror(errno));
		line += n;
		length -= (size_t)n;
		fd = -1;
	}
	return 0;
}

/* ---- receiving ------------------------------------------------------------------------------------- */

/* Until there is something to read. `end` in seconds of now(), infinite for no limit. */
static int
wait_readable(struct spx_client *client, double end, struct spx_error *err)
{
	struct pollfd in = {.fd = client->fd, .events = POLLIN};

	for (;;) {
		double left = end - now();
		int n = poll(&in, 1, isinf(end) ? -1 : left > 0 ? (int)fmin(ceil(left * 1000), 1e9) : 0);

		if (n > 0)
			return 0;
		if (n == 0 && now() >= end)
			return spx_error(err, -ETIMEDOUT, "the appliance did not answer in time");
	}
}

/* Appends what there is. */
static int
receive_some(struct spx_client *client, struct spx_error *err)
{
	ssize_t n;

	if (client->used >= SPX_CLIENT_LINE_MAX)
		return spx_error(err, -EPROTO, "the appliance sent a line of more than %u MiB",
			SPX_CLIENT_LINE_MAX >> 20);
	if (client->size - client->used < READ_BYTES) {
		size_t size = client->size == 0 ? READ_BYTES : client->size * 2;
		char *buffer = realloc(client->buffer, size);

		if (buffer == NULL)
			return spx_error(err, -ENOMEM, "no memory for what the appliance sent");
		client->buffer = buffer;
		client->size = size;
	}
	n = recv(client->fd, client->buffer + client->used, client->size - client->used, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return spx_error(err, -ECONNRESET, "the appliance closed the connection");
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return spx_error(err, -errno, "cannot read from the appliance (%s)", strerror(errno));
	client->used += n > 0 ? (size_t)n : 0;
	return 0;
}

/* The next line; it stands in the buffer until the next call. */
static int
next_line(struct spx_client *client, double end, const char **line, size_t *length, struct spx_error *err)
{
	char *newline;
	int r;

	if (client->line > 0) {
		client->used -= client->line;
		memmove(client->buffer, client->buffer + client->line, client->used);
		client->line = client->searched = 0;
	}
	for (;;) {
		if (client->used > client->searched &&
			(newline = memchr(client->buffer + client->searched, '\n',
				 client->used - client->searched)) != NULL)
			break;
		client->searched = client->used;
		if ((r = wait_readable(client, end, err)) != 0 || (r = receive_some(client, err)) != 0)
			return r;
	}
	*line = client->buffer;
	*length = (size_t)(newline - client->buffer);
	client->line = *length + 1;
	return 0;
}

static int
next_message(struct spx_client *client, double end, json_t **message, struct spx_error *err)
{
	json_error_t wrong;
	const char *line;
	size_t length;
	int r = next_line(client, end, &line, &length, err);

	if (r != 0)
		return r;
	*message = json_loadb(line, length, 0, &wrong);
	if (*message == NULL)
		return spx_error(err, -EPROTO,
			"the appliance sent what is no JSON (%s); is %s a socket of sphex?", wrong.text,
			client->path);
	if (json_is_object(*message))
		return 0;
	json_decref(*message);
	return spx_error(
		err, -EPROTO, "the appliance sent no JSON-RPC; is %s a socket of sphex?", client->path);
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

int
spx_client_call(struct spx_client *client, const char *method, json_t *params, int fd, double timeout,
	json_t **result, struct spx_error *err)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:o*}", "jsonrpc", "2.0", "id", ++client->id, "method",
		method, "params", params);
	char *line = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
	double end = timeout > 0 ? now() + timeout : INFINITY;
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
	r = send_line(client, line, fd, err);
	free(line);
	if (r == 0)
		r = send_line(client, "\n", -1, err);
	while (r == 0 && (r = next_message(client, end, &message, err)) == 0 &&
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
	double end = timeout > 0 ? now() + timeout : INFINITY;
	json_t *message = NULL;
	int r = 0;

	if (json_array_size(client->events) > 0) {
		message = json_incref(json_array_get(client->events, 0));
		json_array_remove(client->events, 0);
	} else {
		r = next_message(client, end, &message, err);
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
		HELLO_SECONDS, &client->hello, err);
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
