/* Closing what clients have a hand in. That may wait for as long as a client likes: for what a TCP socket has
 * still to send (SO_LINGER), or for the program behind a file of FUSE; and a connection takes with it the
 * files that nobody has taken out of it. So a thread of its own does it, which nobody waits for. See
 * server.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "app/sphex/server_internal.h"

#define PATIENCE_S 1 /* for the thread at the end */

/* All signals are for others. The CPUs are those of the server's thread. */
int
spx_server_thread(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(thread, NULL, run, arg);
	if (rc == 0)
		pthread_setname_np(*thread, name);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

/* Has nothing of the server, which it may outlive. A socket that is asked not to linger seldom keeps it. */
static void *
close_files(void *arg)
{
	const struct linger none = {0};
	int from = (int)(intptr_t)arg, fd;

	while (read(from, &fd, sizeof(fd)) == sizeof(fd)) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		close(fd);
	}
	close(from);
	return NULL;
}

int
spx_discard_begin(struct spx_server *server)
{
	int end[2], r;

	if (pipe2(end, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	fcntl(end[0], F_SETFL, 0); /* the thread waits, the server does not */
	r = spx_server_thread(&server->discarder, "spx-close", close_files, (void *)(intptr_t)end[0]);
	if (r < 0) {
		close(end[0]);
		close(end[1]);
		return r;
	}
	server->discard = end[1];
	return 0;
}

void
spx_discard_end(struct spx_server *server)
{
	struct timespec limit;

	if (server->discard < 0)
		return;
	close(server->discard);
	server->discard = -1;
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += PATIENCE_S;
	if (pthread_clockjoin_np(server->discarder, NULL, CLOCK_MONOTONIC, &limit) != 0)
		pthread_detach(server->discarder); /* a file keeps it; it ends with the process */
}

void
spx_server_discard(struct spx_server *server, int fd)
{
	if (fd >= 0 && (server->discard < 0 || write(server->discard, &fd, sizeof(fd)) != sizeof(fd)))
		close(fd);
}

void
spx_server_disconnect(struct spx_server *server, int fd)
{
	epoll_ctl(server->epoll, EPOLL_CTL_DEL, fd, NULL);
	shutdown(fd, SHUT_RDWR); /* the peer knows at once */
	spx_server_discard(server, fd);
}
