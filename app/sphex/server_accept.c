/* New clients of the control server, and what each may do; see server.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

#define ACCEPTS_AT_ONCE 16
#define PAUSE_NS        100000000u /* without accepting, for want of file descriptors or memory */

static bool
is_operator(const struct spx_setup_control *control, uid_t uid)
{
	if (uid == 0 || uid == geteuid())
		return true;
	for (uint32_t i = 0; i < control->n_operators; i++)
		if (control->operators[i] == uid)
			return true;
	return false;
}

/* Says why and closes. */
static void __attribute__((format(printf, 4, 5)))
refuse(struct spx_server *server, int fd, int code, const char *format, ...)
{
	struct spx_request request = {.call.fd = -1};
	va_list args;
	char *line;

	va_start(args, format);
	vsnprintf(request.err.text, sizeof(request.err.text), format, args);
	va_end(args);
	line = spx_rpc_answer(&request, code, NULL);
	if (line != NULL && send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		spx_log(SPX_LOG_DEBUG, "a refused client was not told (%s)", strerror(errno));
	free(line);
	spx_server_disconnect(server, fd);
	server->refused++;
}

static unsigned
readers(const struct spx_server *server)
{
	unsigned n = 0;

	for (unsigned i = 0; i < server->n_clients; i++)
		n += server->client[i]->role == SPX_ROLE_READER;
	return n;
}

struct spx_client *
spx_server_add_client(struct spx_server *server, int fd, uid_t uid, pid_t pid, enum spx_role role)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct spx_client *client;

	if (server->n_clients == SPX_CLIENTS_MAX) {
		refuse(server, fd, SPX_RPC_BUSY, "there are %u clients already; try again", SPX_CLIENTS_MAX);
		return NULL;
	}
	if (role == SPX_ROLE_READER && readers(server) >= SPX_READERS_MAX) {
		refuse(server, fd, SPX_RPC_BUSY, "there are %u readers already; try again", SPX_READERS_MAX);
		return NULL;
	}
	client = calloc(1, sizeof(*client));
	event.data.ptr = client;
	if (client == NULL || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(client);
		refuse(server, fd, SPX_RPC_BUSY, "no memory for another client; try again");
		return NULL;
	}
	client->server = server;
	client->fd = fd;
	client->uid = uid;
	client->pid = pid;
	client->role = role;
	client->since = spx_now_ns();
	client->watched = event.events;
	server->client[server->n_clients++] = client;
	server->accepted++;
	return client;
}

static void
take(struct spx_server *server, int fd)
{
	const struct spx_setup_control *control = &server->app->setup->control;
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		refuse(server, fd, SPX_RPC_ROLE, "nobody knows who you are (%s)", strerror(errno));
	else if (is_operator(control, peer.uid))
		spx_server_add_client(server, fd, peer.uid, peer.pid, SPX_ROLE_OPERATOR);
	else if (control->readers == SPX_READERS_ANYONE)
		spx_server_add_client(server, fd, peer.uid, peer.pid, SPX_ROLE_READER);
	else
		refuse(server, fd, SPX_RPC_ROLE, "user %u is no operator, and control.readers is \"none\"",
			peer.uid);
}

/* New connections wait in the kernel meanwhile; watching the socket would only turn the loop. */
static void
pause_accepting(struct spx_server *server)
{
	epoll_ctl(server->epoll, EPOLL_CTL_DEL, server->listening, NULL);
	server->listen_again = spx_now_ns() + PAUSE_NS;
}

void
spx_server_accept_again(struct spx_server *server)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->listening};

	if (server->listen_again == 0 || spx_now_ns() < server->listen_again)
		return;
	server->listen_again = 0;
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listening, &event) < 0)
		server->listen_again = spx_now_ns() + PAUSE_NS;
}

void
spx_server_accept(struct spx_server *server)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = accept4(server->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take(server, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(server);
		return; /* none left, or one that is gone already */
	}
}
