/* One client of the control server: what it sends becomes lines, lines are carried out one after the other,
 * and answers wait until it reads them. See server.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

#define READ_SIZE 65536u /* bytes of one system call */
#define FDS_SEEN  253    /* files of one system call: as many as the kernel passes; it would close others */

/* Reading rests while a request is under way or lines are left. */
void
spx_client_watch(struct spx_client *client)
{
	struct epoll_event event = {.data.ptr = client};

	if (client->fd < 0)
		return;
	if (!client->eof && client->job == NULL && !spx_client_has_line(client))
		event.events |= EPOLLIN;
	if (client->out_begin < client->out_end)
		event.events |= EPOLLOUT;
	if (event.events != client->watched &&
		epoll_ctl(client->server->epoll, EPOLL_CTL_MOD, client->fd, &event) == 0)
		client->watched = event.events;
}

/* ---- out --------------------------------------------------------------------------------------------- */

static void
close_connection(struct spx_client *client)
{
	if (client->fd >= 0)
		spx_server_disconnect(client->server, client->fd);
	client->fd = -1;
	client->eof = true;
	client->events = 0;
	client->out_begin = client->out_end = 0;
	if (client->job != NULL)
		atomic_store(&client->job->cancelled, true);
}

void
spx_client_hang_up(struct spx_client *client)
{
	close_connection(client);
	client->in_begin = client->in_scanned = client->in_end;
	spx_server_wake(client->server); /* it leaves at the next turn */
}

/* Sends what waits, as far as the socket takes it. A peer that is gone is seen by reading. */
static void
flush(struct spx_client *client)
{
	while (client->out_begin < client->out_end) {
		ssize_t n = send(client->fd, client->out + client->out_begin,
			client->out_end - client->out_begin, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		client->out_begin = n < 0 ? client->out_end : client->out_begin + (size_t)n;
	}
	free(client->out); /* idle clients cost no memory */
	client->out = NULL;
	client->out_begin = client->out_end = client->out_room = 0;
}

/* Room for `more` bytes in a buffer of which [begin, end) is in use. False for want of memory. */
static bool
make_room(char **buffer, size_t *room, size_t *begin, size_t *end, size_t more)
{
	size_t used = *end - *begin, wanted = *room == 0 ? 4096 : *room;
	char *larger;

	if (*begin > 0 && *room - *end < more) {
		memmove(*buffer, *buffer + *begin, used);
		*begin = 0;
		*end = used;
	}
	if (*room - *end >= more)
		return true;
	while (wanted - used < more)
		wanted *= 2;
	larger = realloc(*buffer, wanted);
	if (larger == NULL)
		return false;
	*buffer = larger;
	*room = wanted;
	return true;
}

void
spx_client_send(struct spx_client *client, const char *text, size_t length)
{
	if (client->fd < 0)
		return;
	if (client->out_end - client->out_begin > SPX_OUT_MAX ||
		!make_room(&client->out, &client->out_room, &client->out_begin, &client->out_end, length)) {
		client->server->cut_off++;
		spx_client_hang_up(client);
		return;
	}
	memcpy(client->out + client->out_end, text, length);
	client->out_end += length;
	flush(client);
	spx_client_watch(client);
}

/* ---- in ---------------------------------------------------------------------------------------------- */

/* The first of the files that came with one message; others are closed. */
static int
passed_file(struct spx_server *server, struct msghdr *message)
{
	int first = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (first < 0)
				first = fd;
			else
				spx_server_discard(server, fd);
		}
	}
	return first;
}

/* A file belongs to the line that the last byte which came with it is in: the kernel never puts bytes of a
 * later message behind it. */
static void
keep_file(struct spx_client *client, int fd)
{
	if (client->n_files == SPX_FILES_MAX)
		spx_server_discard(client->server, fd);
	else
		client->file[client->n_files++] =
			(struct spx_passed_file){.fd = fd, .at = client->in_base + client->in_end - 1};
}

/* Bytes read, 0 at the end of the stream or when nothing more can come, -1 when there is nothing now. */
static ssize_t
read_some(struct spx_client *client)
{
	char control[CMSG_SPACE(FDS_SEEN * sizeof(int))];
	struct iovec iov;
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	size_t begin = client->in_begin;
	ssize_t n;
	int fd;

	if (!make_room(&client->in, &client->in_room, &client->in_begin, &client->in_end, READ_SIZE))
		return 0;
	client->in_base += begin - client->in_begin; /* moved to the front */
	client->in_scanned -= begin - client->in_begin;
	iov = (struct iovec){.iov_base = client->in + client->in_end, .iov_len = READ_SIZE};
	do
		n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? -1 : 0;
	client->in_end += (size_t)n;
	fd = passed_file(client->server, &message);
	if (fd >= 0)
		keep_file(client, fd);
	return n;
}

void
spx_client_ready(struct spx_client *client, uint32_t events)
{
	bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
	ssize_t n = 1;

	if (client->fd < 0)
		return;
	if (events & EPOLLOUT)
		flush(client);
	if (gone)
		while ((n = read_some(client)) > 0) /* the kernel holds no more than its buffer */
			;
	else if (events & EPOLLIN)
		n = read_some(client);
	client->eof = client->eof || n == 0;
	if (gone)
		close_connection(client);
}

/* ---- the end ------------------------------------------------------------------------------------------ */

bool
spx_client_done(const struct spx_client *client)
{
	return client->eof && client->job == NULL && client->out_begin == client->out_end &&
	       !spx_client_has_line(client);
}

void
spx_client_free(struct spx_client *client)
{
	if (client->fd >= 0)
		spx_server_disconnect(client->server, client->fd);
	for (unsigned i = 0; i < client->n_files; i++)
		spx_server_discard(client->server, client->file[i].fd);
	free(client->in);
	free(client->out);
	free(client);
}
