/* Lines of a connection: sent with a file that goes along, received bounded and read as JSON; see
 * client_line.h. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "app/spxctl/client_line.h"

#define READ_BYTES 65536u

/* The largest control message: one descriptor. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

double
spx_client_now(void)
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

int
spx_client_send(struct spx_client *client, const char *line, int fd, struct spx_error *err)
{
	size_t length = strlen(line);

	while (length > 0) {
		ssize_t n = send_some(client->fd, line, length, fd);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return spx_error(err, -ETIMEDOUT,
				"the appliance did not read the request within %d s",
				SPX_CLIENT_SEND_SECONDS);
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

/* Until there is something to read. `end` in seconds of spx_client_now(), infinite for no limit. */
static int
wait_readable(struct spx_client *client, double end, struct spx_error *err)
{
	struct pollfd in = {.fd = client->fd, .events = POLLIN};

	for (;;) {
		double left = end - spx_client_now();
		int n = poll(&in, 1, isinf(end) ? -1 : left > 0 ? (int)fmin(ceil(left * 1000), 1e9) : 0);

		if (n > 0)
			return 0;
		if (n == 0 && spx_client_now() >= end)
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

int
spx_client_message(struct spx_client *client, double end, json_t **message, struct spx_error *err)
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
	*message = NULL;
	return spx_error(
		err, -EPROTO, "the appliance sent no JSON-RPC; is %s a socket of sphex?", client->path);
}
