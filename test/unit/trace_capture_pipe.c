/* The pcapng writer on open descriptors: several interfaces, directions, what has been written when it goes
 * wrong, and pipes that nobody reads. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/trace_build.h"

TestSuite(trace_capture_pipe, .timeout = 60);

static const char *const interfaces[] = {"in", "out", "a port"};

static struct spx_capture_file *
attach(int fd, bool (*give_up)(void *), void *arg)
{
	const struct spx_capture_options options = {.name = "test",
		.interface = interfaces,
		.n_interfaces = RTE_DIM(interfaces),
		.give_up = give_up,
		.arg = arg};
	struct spx_capture_file *file = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_capture_file_attach(fd, &options, &file, &err), 0, "%s", err.text);
	return file;
}

static int
write_frame(struct spx_capture_file *file, uint32_t interface, uint32_t length,
	enum spx_capture_direction direction, const char *comment)
{
	static const uint8_t frame[1500] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	const struct spx_capture_packet packet = {.data = frame,
		.captured = length,
		.length = length,
		.time = UINT64_C(1704067200000000000),
		.interface = interface,
		.direction = direction,
		.comment = comment};

	return spx_capture_file_write(file, &packet);
}

/* Everything that is in the pipe. */
static size_t
drain(int fd, uint8_t *data, size_t room)
{
	size_t n = 0;
	ssize_t r;

	while (n < room && (r = read(fd, data + n, room - n)) > 0)
		n += (size_t)r;
	return n;
}

Test(trace_capture_pipe, interfaces_directions_comments)
{
	uint8_t data[4096];
	uint32_t word[1024];
	struct spx_trace_packet packet;
	struct spx_trace *trace;
	struct spx_capture_file *file;
	struct spx_error err;
	const uint32_t *w;
	size_t n;
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	file = attach(fd[1], NULL, NULL);
	cr_assert_eq(write_frame(file, 2, 60, SPX_CAPTURE_OUTBOUND, "why"), 0);
	cr_assert_eq(write_frame(file, 1, 61, SPX_CAPTURE_INBOUND, NULL), 0);
	cr_assert_eq(write_frame(file, 0, 62, SPX_CAPTURE_UNKNOWN, NULL), 0);
	cr_assert_eq(spx_capture_file_written(file).packets, 0);
	cr_assert_eq(spx_capture_file_flush(file), 0);
	cr_assert_eq(spx_capture_file_written(file).packets, 3);
	cr_assert_eq(spx_capture_file_written(file).bytes, 60 + 61 + 62);
	cr_assert_eq(spx_capture_file_close(file), 0);
	n = drain(fd[0], data, sizeof(data));
	close(fd[0]);
	memcpy(word, data, n);
	w = word + word[1] / 4;
	for (unsigned i = 0; i < RTE_DIM(interfaces); i++, w += w[1] / 4) {
		cr_assert_eq(w[0], 1);
		cr_assert_eq(memcmp(w + 5, interfaces[i], strlen(interfaces[i])), 0);
	}
	cr_assert(w[0] == 6 && w[1] == 32 + 60 + 8 + 8 + 4 && w[2] == 2);
	cr_assert(w[22] == (1 | 3u << 16) && w[24] == (2 | 4u << 16) && w[25] == 2 && w[26] == 0);
	w += w[1] / 4;
	cr_assert(w[0] == 6 && w[1] == 32 + 64 + 8 + 4 && w[2] == 1);
	cr_assert(w[23] == (2 | 4u << 16) && w[24] == 1 && w[25] == 0);
	w += w[1] / 4;
	cr_assert(w[0] == 6 && w[1] == 32 + 64 && w[2] == 0);
	cr_assert_eq(spx_trace_open_memory("pipe", data, n, &trace, &err), 0, "%s", err.text);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(spx_trace_next(trace, &packet, &err), 1, "%s", err.text);
		cr_assert_eq(packet.length, 60 + i);
	}
	cr_assert_eq(spx_trace_next(trace, &packet, &err), 0);
	spx_trace_close(trace);
}

/* An error, and neither this process nor this thread gets a signal, now or later. */
Test(trace_capture_pipe, reader_goes_away)
{
	struct spx_capture_file *file;
	sigset_t pending;
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	file = attach(fd[1], NULL, NULL);
	write_frame(file, 0, 60, SPX_CAPTURE_UNKNOWN, NULL);
	cr_assert_eq(spx_capture_file_flush(file), 0);
	close(fd[0]);
	write_frame(file, 0, 60, SPX_CAPTURE_UNKNOWN, NULL);
	cr_assert_eq(spx_capture_file_flush(file), -EPIPE);
	cr_assert_eq(write_frame(file, 0, 60, SPX_CAPTURE_UNKNOWN, NULL), -EPIPE);
	cr_assert_eq(spx_capture_file_written(file).packets, 1);
	cr_assert_eq(spx_capture_file_close(file), -EPIPE);
	sigpending(&pending);
	cr_assert_eq(sigismember(&pending, SIGPIPE), 0);
}

struct patience {
	unsigned asked, times;
};

static bool
impatient(void *arg)
{
	struct patience *p = arg;

	return p->asked++ == p->times;
}

/* What fits into the pipe is written and counted, block by block; then give_up ends it. */
Test(trace_capture_pipe, reader_does_not_read)
{
	struct patience patience = {.times = 20};
	struct spx_capture_file *file;
	struct spx_trace_packet packet;
	struct spx_trace *trace;
	struct spx_error err;
	uint8_t *data = malloc(1 << 20);
	uint64_t n = 0;
	size_t length;
	int fd[2], rc;

	cr_assert_eq(pipe(fd), 0);
	file = attach(fd[1], impatient, &patience);
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(write_frame(file, 0, 1500, SPX_CAPTURE_INBOUND, NULL), 0);
	cr_assert_eq(spx_capture_file_flush(file), -ETIMEDOUT);
	cr_assert_eq(patience.asked, 21);
	cr_assert_gt(spx_capture_file_written(file).packets, 30);
	cr_assert_lt(spx_capture_file_written(file).packets, 50);
	n = spx_capture_file_written(file).packets;
	cr_assert_eq(spx_capture_file_written(file).bytes, n * 1500);
	cr_assert_eq(spx_capture_file_close(file), -ETIMEDOUT);
	length = drain(fd[0], data, 1 << 20);
	cr_assert_eq(spx_trace_open_memory("pipe", data, length, &trace, &err), 0, "%s", err.text);
	while ((rc = spx_trace_next(trace, &packet, &err)) == 1)
		n--;
	cr_assert_eq(n, 0);
	cr_assert_lt(rc, 0); /* the block after it is cut */
	spx_trace_close(trace);
	free(data);
}

/* More than pipe and buffer hold, through a reader that takes its time. */
Test(trace_capture_pipe, slow_reader)
{
	struct spx_capture_file *file;
	uint8_t data[60000];
	size_t n = 0;
	int fd[2], status;
	ssize_t r;

	cr_assert_eq(pipe(fd), 0);
	if (fork() == 0) {
		close(fd[0]);
		file = attach(fd[1], NULL, NULL);
		for (unsigned i = 0; i < 1500; i++)
			write_frame(file, 0, 1500, SPX_CAPTURE_INBOUND, NULL);
		_exit(spx_capture_file_close(file) == 0 ? 0 : 1);
	}
	close(fd[1]);
	while ((r = read(fd[0], data, sizeof(data))) > 0) {
		n += (size_t)r;
		usleep(1000);
	}
	cr_assert_gt(n, 1500u * 1500);
	wait(&status);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd[0]);
}

/* A descriptor that does not block is waited for like one that does. */
Test(trace_capture_pipe, nonblocking_pipe)
{
	struct patience patience = {.times = 20};
	struct spx_capture_file *file;
	int fd[2];

	cr_assert_eq(pipe2(fd, O_NONBLOCK), 0);
	file = attach(fd[1], impatient, &patience);
	for (unsigned i = 0; i < 100; i++)
		write_frame(file, 0, 1500, SPX_CAPTURE_INBOUND, NULL);
	cr_assert_eq(spx_capture_file_close(file), -ETIMEDOUT);
	close(fd[0]);
}

/* Everything before the error counts, nothing after it; regular files ask nobody for patience. */
Test(trace_capture_pipe, counts_up_to_the_error)
{
	struct patience patience = {.times = 0};
	char path[] = "/tmp/spx_capture.XXXXXX";
	struct spx_capture_file *file = attach(mkstemp(path), impatient, &patience);

	write_frame(file, 0, 100, SPX_CAPTURE_INBOUND, NULL);
	cr_assert_eq(spx_capture_file_flush(file), 0);
	cr_assert_eq(patience.asked, 0);
	cr_assert_eq(spx_capture_file_close(file), 0);
	unlink(path);
	file = attach(open("/dev/full", O_WRONLY), NULL, NULL);
	write_frame(file, 0, 100, SPX_CAPTURE_INBOUND, NULL);
	cr_assert_eq(spx_capture_file_flush(file), -ENOSPC);
	cr_assert_eq(spx_capture_file_written(file).packets, 0);
	cr_assert_eq(spx_capture_file_close(file), -ENOSPC);
	file = attach(open("/dev/null", O_RDONLY), NULL, NULL);
	cr_assert_eq(spx_capture_file_close(file), -EBADF);
}

Test(trace_capture_pipe, tcpdump_names_interfaces_and_directions)
{
	char path[] = "/tmp/spx_capture.XXXXXX", command[256], line[256] = "";
	struct spx_capture_file *file = attach(mkstemp(path), NULL, NULL);
	FILE *p;

	for (uint32_t i = 0; i < 9; i++)
		write_frame(file, i % 3, 60, SPX_CAPTURE_INBOUND, "drop lookup rule_drop: a rule said drop");
	cr_assert_eq(spx_capture_file_close(file), 0);
	if (system("command -v tcpdump >/dev/null 2>&1") != 0)
		cr_skip_test("skipped: no tcpdump");
	snprintf(command, sizeof(command), "tcpdump -tt -n -r %s 2>/dev/null | grep -c '^1704067200'", path);
	p = popen(command, "r");
	cr_assert_not_null(fgets(line, sizeof(line), p));
	pclose(p);
	unlink(path);
	cr_assert_str_eq(line, "9\n");
}
