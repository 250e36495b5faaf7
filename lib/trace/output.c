/* Writes to files and pipes without getting stuck; see output.h.
 *
 * A descriptor that blocks is the rule (making it non-blocking would change it for the process that it came
 * from, too). A pipe that poll() says can be written takes up to PIPE_BUF bytes without blocking, so that is
 * what a write has; between two writes there is time to give up. Regular files never keep a writer waiting
 * for a reader.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/trace/output.h"

#define WAIT_MS 50 /* between two looks at give_up */

void
spx_trace_output_init(struct spx_trace_output *out, int fd, bool (*give_up)(void *arg), void *arg)
{
	struct stat status;

	*out = (struct spx_trace_output){.fd = fd, .give_up = give_up, .arg = arg};
	out->regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* 0 when a write would not block, or a negative errno. */
static int
wait_writable(const struct spx_trace_output *out)
{
	struct pollfd p = {.fd = out->fd, .events = POLLOUT};

	for (;;) {
		int n;

		if (out->give_up != NULL && out->give_up(out->arg))
			return -ETIMEDOUT;
		n = poll(&p, 1, WAIT_MS);
		if (n > 0)
			return 0; /* an error, too: the write says which */
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static size_t
write_all(const struct spx_trace_output *out, const char *data, size_t length, int *error)
{
	size_t done = 0;

	while (done < length && *error == 0) {
		size_t most = out->regular ? length - done : RTE_MIN(length - done, (size_t)PIPE_BUF);
		ssize_t n;

		*error = out->regular ? 0 : wait_writable(out);
		if (*error != 0)
			break;
		n = write(out->fd, data + done, most);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			*error = -EIO;
		else if (errno != EINTR && errno != EAGAIN)
			*error = -errno;
	}
	return done;
}

size_t
spx_trace_output_write(struct spx_trace_output *out, const void *data, size_t length, int *error)
{
	static const struct timespec now;
	sigset_t pipe, before, pending;
	size_t done;
	bool was_pending;

	*error = 0;
	if (out->regular)
		return write_all(out, data, length, error);
	/* SIGPIPE goes to the thread that writes: kept away from it, and taken back. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	done = write_all(out, data, length, error);
	if (*error == -EPIPE && !was_pending)
		(void)sigtimedwait(&pipe, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return done;
}
