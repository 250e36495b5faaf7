#include "test/unit/server_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "app/sphex/methods.h"

#define PATIENCE_NS UINT64_C(10000000000)

/* ---- methods of the tests ---------------------------------------------------------------------------- */

atomic_uint test_waiting, test_cancelled;
atomic_bool test_go;

static int
echo(struct spx_call *call, json_t **result)
{
	*result = json_incref(call->params);
	return 0;
}

/* As many bytes as params.bytes says. */
static int
big(struct spx_call *call, json_t **result)
{
	static const struct spx_field fields[] = {
		{"bytes", spx_read_u64, .min = 1, .max = 1 << 24, .required = true}};
	static const struct spx_keys keys = SPX_KEYS("test.big", fields);
	uint64_t bytes;
	int rc = spx_call_read(call, &keys, &bytes);
	char *text;

	if (rc != 0)
		return rc;
	text = malloc(bytes);
	memset(text, 'x', bytes);
	*result = json_stringn(text, bytes);
	free(text);
	return 0;
}

static int
fail(struct spx_call *call, json_t **result)
{
	(void)result;
	return spx_error(call->err, -EEXIST, "test.fail: order 7 is taken");
}

static int
fail_silently(struct spx_call *call, json_t **result)
{
	(void)call;
	(void)result;
	return -EIO;
}

/* Takes the file, writes a word into it and closes it. */
static int
take_file(struct spx_call *call, json_t **result)
{
	int fd = call->fd;

	if (fd < 0)
		return spx_error(call->err, -EINVAL, "test.file: no file came along");
	call->fd = -1;
	*result = json_integer(write(fd, "word", 4));
	close(fd);
	return 0;
}

static int
wait_for_it(struct spx_call *call, json_t **result)
{
	atomic_fetch_add(&test_waiting, 1);
	while (!atomic_load(&test_go) && !atomic_load(call->cancelled))
		usleep(1000);
	if (!atomic_load(&test_go))
		atomic_fetch_add(&test_cancelled, 1);
	atomic_fetch_sub(&test_waiting, 1);
	*result = json_string("waited");
	return 0;
}

const struct spx_method spx_methods[] = {
	{"hello", SPX_ROLE_READER, false, spx_method_hello},
	{"show.clients", SPX_ROLE_READER, false, spx_method_show_clients},
	{"stop", SPX_ROLE_OPERATOR, false, spx_method_stop},
	{"subscribe", SPX_ROLE_READER, false, spx_method_subscribe},
	{"test.big", SPX_ROLE_READER, false, big},
	{"test.echo", SPX_ROLE_READER, false, echo},
	{"test.fail", SPX_ROLE_READER, false, fail},
	{"test.fail_silently", SPX_ROLE_READER, false, fail_silently},
	{"test.file", SPX_ROLE_OPERATOR, false, take_file},
	{"test.read_slowly", SPX_ROLE_READER, true, wait_for_it},
	{"test.slow_file", SPX_ROLE_OPERATOR, true, take_file},
	{"test.wait", SPX_ROLE_OPERATOR, true, wait_for_it},
	{.name = NULL},
};

/* ---- the server -------------------------------------------------------------------------------------- */

unsigned
open_fds(void)
{
	DIR *list = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(list) != NULL)
		n++;
	closedir(list);
	return n;
}

void
served_start(struct served *s)
{
	struct spx_error err;

	*s = (struct served){.fds = open_fds()};
	cr_assert_eq(spx_setup_init(&s->setup), 0);
	s->app.setup = &s->setup;
	s->app.begun = spx_now_ns();
	cr_assert_eq(spx_server_create(&s->app, &s->server, &err), 0, "%s", err.text);
	s->app.server = s->server;
}

void
served_stop(struct served *s)
{
	spx_server_free(s->server);
	spx_setup_free(&s->setup);
	cr_expect_eq(open_fds(), s->fds, "%u file descriptors, %u before", open_fds(), s->fds);
}

void
served_settle(struct served *s)
{
	struct pollfd ready = {.fd = spx_server_fd(s->server), .events = POLLIN};

	for (int quiet = 0; quiet < 3;) {
		quiet = poll(&ready, 1, 5) == 0 ? quiet + 1 : 0;
		spx_server_poll(s->server, 0);
	}
}

/* ---- peers ------------------------------------------------------------------------------------------- */

void
peer_join(struct peer *p, struct served *s, enum spx_role role)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	*p = (struct peer){.served = s, .fd = pair[0]};
	spx_server_add_client(s->server, pair[1], getuid(), getpid(), role);
}

bool
peer_connect(struct peer *p, struct served *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", spx_server_path(s->server));
	*p = (struct peer){.served = s, .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	return p->fd >= 0 && connect(p->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

void
peer_leave(struct peer *p)
{
	close(p->fd);
	free(p->text);
	free(p->line);
}

void
peer_send(struct peer *p, const void *bytes, size_t length)
{
	uint64_t begun = spx_now_ns();

	while (length > 0) {
		ssize_t n = send(p->fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return; /* it has been cut off */
		cr_assert(n > 0 || spx_now_ns() - begun < PATIENCE_NS, "the server does not read");
		spx_server_poll(p->served->server, 0);
		bytes = (const char *)bytes + RTE_MAX(n, (ssize_t)0);
		length -= (size_t)RTE_MAX(n, (ssize_t)0);
	}
}

void
peer_say(struct peer *p, const char *text)
{
	peer_send(p, text, strlen(text));
}

void
peer_pass(struct peer *p, const char *text, const int *fds, unsigned n)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 253)] = {0};
	struct iovec iov = {.iov_base = (char *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(sizeof(int) * n)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	*c = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * n)};
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	cr_assert_eq(sendmsg(p->fd, &message, MSG_NOSIGNAL), (ssize_t)iov.iov_len, "%s", strerror(errno));
}

/* Reads once. False at the end of the connection. */
static bool
receive(struct peer *p)
{
	ssize_t n;

	if (p->room - p->used < 65536) {
		p->room = 2 * p->room + 65536;
		p->text = realloc(p->text, p->room);
	}
	n = recv(p->fd, p->text + p->used, p->room - p->used, 0);
	p->used += (size_t)RTE_MAX(n, (ssize_t)0);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

const char *
peer_line(struct peer *p)
{
	uint64_t begun = spx_now_ns();
	char *newline = NULL;
	size_t looked = 0, length;

	for (bool open = true; newline == NULL; looked = p->used) {
		cr_assert_lt(spx_now_ns() - begun, PATIENCE_NS, "no answer");
		spx_server_poll(p->served->server, looked == p->used ? 1 : 0);
		newline = p->used == 0 ? NULL : memchr(p->text, '\n', p->used);
		if (newline == NULL && !open)
			return NULL;
		if (newline == NULL)
			open = receive(p);
	}
	length = (size_t)(newline - p->text);
	free(p->line);
	p->line = strndup(p->text, length);
	p->used -= length + 1;
	memmove(p->text, newline + 1, p->used);
	return p->line;
}

const char *
peer_ask(struct peer *p, const char *line)
{
	peer_say(p, line);
	peer_say(p, "\n");
	return peer_line(p);
}

int
answer_code(const char *line)
{
	json_t *answer = line == NULL ? NULL : json_loads(line, 0, NULL);
	const json_t *error = json_object_get(answer, "error");
	int code = (int)json_integer_value(json_object_get(error, "code"));

	cr_expect_not_null(answer, "%s", line);
	cr_expect((error != NULL) != (json_object_get(answer, "result") != NULL), "%s", line);
	cr_expect_not_null(json_object_get(answer, "id"), "%s", line);
	json_decref(answer);
	return code;
}

bool
says(const char *line, const char *text)
{
	return line != NULL && strstr(line, text) != NULL;
}
