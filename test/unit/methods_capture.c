/* capture.* and show.captures under traffic: what is in the files, who may be asked for what, and what a
 * capture that has ended by itself leaves behind. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/trace/trace.h"
#include "test/unit/methods_running.h"

TestSuite(methods_capture, .timeout = 60);

static int
start(struct running *r, const char *params, int fd, json_t **result, struct spx_error *err)
{
	struct spx_call call = {.app = r->app,
		.method = "capture.start",
		.fd = fd,
		.role = SPX_ROLE_OPERATOR,
		.err = err,
		.params = json_loads(params, 0, NULL)};
	int rc;

	cr_assert_not_null(call.params, "%s", params);
	*result = NULL;
	rc = spx_method_capture_start(&call, result);
	json_decref(call.params);
	if (call.fd >= 0)
		close(call.fd); /* as the server does with what nobody took */
	return rc;
}

static json_int_t
started(struct running *r, const char *params, int fd)
{
	struct spx_error err = {""};
	json_t *result;
	json_int_t id;

	cr_assert_eq(start(r, params, fd, &result, &err), 0, "%s: %s", params, err.text);
	id = json_integer_value(json_object_get(result, "id"));
	cr_assert_gt(id, 0);
	json_decref(result);
	return id;
}

static int
terminal(void)
{
	int other = posix_openpt(O_RDWR | O_NOCTTY), fd;

	cr_assert(other >= 0 && grantpt(other) == 0 && unlockpt(other) == 0);
	fd = open(ptsname(other), O_RDWR | O_NOCTTY);
	cr_assert_geq(fd, 0);
	return fd;
}

/* Nothing has been begun, and the descriptor is closed. */
static void
refused(struct running *r, const char *params, int fd, int code, const char *text)
{
	struct spx_error err = {""};
	json_t *result;

	cr_expect_eq(start(r, params, fd, &result, &err), code, "%s: %s", params, err.text);
	cr_expect_null(result);
	cr_expect_eq(strncmp(err.text, "capture.start: ", 15), 0, "%s", err.text);
	cr_expect_not_null(strstr(err.text, text), "%s: '%s' should say '%s'", params, err.text, text);
	cr_expect(fd < 0 || fcntl(fd, F_GETFD) == -1, "%s", params);
}

/* The only capture there is, as show.captures has it. */
static json_t *
shown(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_captures, NULL), *capture;

	cr_assert_eq(json_array_size(json_object_get(result, "captures")), 1);
	capture = json_incref(json_array_get(json_object_get(result, "captures"), 0));
	json_decref(result);
	return capture;
}

static size_t
count(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_captures, NULL);
	size_t n = json_array_size(json_object_get(result, "captures"));

	json_decref(result);
	return n;
}

static json_int_t
number(const json_t *object, const char *key)
{
	cr_assert(json_is_integer(json_object_get(object, key)), "%s", key);
	return json_integer_value(json_object_get(object, key));
}

static void
wait_ended(struct running *r)
{
	bool ended = false;

	while (!ended) {
		json_t *capture = shown(r);

		ended = json_is_true(json_object_get(capture, "ended"));
		json_decref(capture);
	}
}

/* Packets in the file, all of `length` bytes. */
static unsigned
packets_of(const char *path, uint32_t length)
{
	struct spx_trace *trace;
	struct spx_trace_packet packet;
	struct spx_error err = {""};
	unsigned n = 0;
	int rc;

	cr_assert_eq(spx_trace_open(path, &trace, &err), 0, "%s", err.text);
	while ((rc = spx_trace_next(trace, &packet, &err)) == 1) {
		cr_assert_eq(packet.length, length);
		n++;
	}
	cr_assert_eq(rc, 0, "%s", err.text);
	spx_trace_close(trace);
	return n;
}

/* Dropped are only frames of TRACE_FRAMES' malformed kind: a version that is none. */
Test(methods_capture, drops_into_a_file)
{
	char path[] = "/tmp/spx_capture_XXXXXX";
	struct running r;
	json_t *result;
	json_int_t id, n;

	running_start(&r);
	cr_assert_eq(count(&r), 0);
	id = started(&r,
		"{\"file\": \"drops\", \"points\": [\"drop\"], \"port\": \"in\", \"filter\": \"ip\"}",
		mkstemp(path));
	running_wait(&r);
	result = shown(&r);
	cr_assert_eq(number(result, "id"), id);
	cr_assert_str_eq(json_string_value(json_object_get(result, "file")), "drops");
	cr_assert_str_eq(json_string_value(json_object_get(result, "port")), "in");
	cr_assert_str_eq(json_string_value(json_object_get(result, "filter")), "ip");
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(result, "points"), 0)), "drop");
	cr_assert(json_is_false(json_object_get(result, "ended")));
	cr_assert(json_is_null(json_object_get(result, "error")));
	json_decref(result);
	result = running_call(&r, spx_method_capture_stop, NULL);
	cr_assert_eq(number(result, "id"), id);
	n = number(result, "packets");
	cr_assert_gt(n, 0);
	cr_assert_eq(number(result, "bytes"), 62 * n);
	json_decref(result);
	cr_assert_eq(packets_of(path, 62), n);
	cr_assert_eq(count(&r), 0);
	unlink(path);
	running_end(&r);
}

/* Ends after its count, stays in the list, and makes way when its place is needed. */
Test(methods_capture, counts_and_places)
{
	char path[] = "/tmp/spx_capture_XXXXXX";
	struct running r;
	json_t *result;
	json_int_t first;

	running_start(&r);
	first = started(&r, "{\"file\": \"a\", \"filter\": \"udp port 80\", \"count\": 10}", mkstemp(path));
	wait_ended(&r);
	result = shown(&r);
	cr_assert_eq(number(result, "packets"), 10);
	json_decref(result);
	cr_assert_eq(packets_of(path, 62), 10);
	for (int i = 1; i <= 4; i++)
		cr_assert_eq(started(&r, "{\"file\": \"null\", \"snap\": 64, \"port\": \"right\"}",
				     open("/dev/null", O_WRONLY)),
			first + i);
	cr_assert_eq(count(&r), 4);
	refused(&r, "{\"file\": \"b\"}", open("/dev/null", O_WRONLY), -EBUSY, "4 captures are under way");
	running_refuses(&r, spx_method_capture_stop, NULL, -EINVAL, "\"id\" is missing, and there are 4");
	running_refuses(&r, spx_method_capture_stop, "{\"id\": 1}", -ENOENT, "there is no capture 1");
	json_decref(running_call(&r, spx_method_capture_stop, "{\"id\": 3}"));
	cr_assert_eq(count(&r), 3);
	unlink(path);
	running_end(&r); /* ends the others */
}

/* A reader that goes away ends a capture; one that does not read loses packets, and holds nobody up. */
Test(methods_capture, pipes)
{
	struct running r;
	json_int_t lost = 0;
	json_t *result;
	int fd[2];

	running_start(&r);
	cr_assert_eq(pipe(fd), 0);
	started(&r, "{\"file\": \"-\"}", fd[1]);
	running_wait(&r);
	close(fd[0]);
	wait_ended(&r);
	result = running_call(&r, spx_method_capture_stop, NULL);
	cr_assert_str_eq(json_string_value(json_object_get(result, "error")), "its reader has gone away");
	json_decref(result);
	cr_assert_eq(pipe(fd), 0);
	started(&r, "{\"file\": \"-\", \"points\": [\"receive\", \"transmit\", \"drop\"]}", fd[1]);
	while (lost == 0) {
		running_wait(&r);
		result = shown(&r);
		lost = number(result, "lost");
		json_decref(result);
	}
	running_end(&r);
	close(fd[0]);
}

Test(methods_capture, mistakes)
{
	struct running r;
	int fd[2];

	running_start(&r);
	refused(&r, "{}", open("/dev/null", O_WRONLY), -EINVAL, "\"file\" is missing");
	refused(&r, "{\"file\": \"a\"}", -1, -EINVAL, "no open file came along; send one");
	refused(&r, "{\"file\": \"a\"}", open("/dev/null", O_RDONLY), -EINVAL, "is not open for writing");
	refused(&r, "{\"file\": \"a\"}", open("/tmp", O_RDONLY), -EINVAL, "is a directory");
	refused(&r, "{\"file\": \"a\"}", open("/dev/null", O_PATH), -EINVAL, "is not open for writing");
	refused(&r, "{\"file\": \"a\"}", open("/dev/full", O_WRONLY), -ENOSPC,
		"a: cannot be written: No space");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	refused(&r, "{\"file\": \"a\"}", fd[0], -EINVAL, "is a socket");
	refused(&r, "{\"file\": \"a\"}", terminal(), -EINVAL, "is a terminal");
	refused(&r, "{\"file\": \"a\", \"filter\": \"udpp\"}", open("/dev/null", O_WRONLY), -EINVAL,
		"did you mean \"udp\"?");
	refused(&r, "{\"file\": \"a\", \"port\": \"inn\"}", fd[1], -EINVAL, "did you mean \"in\"?");
	refused(&r, "{\"file\": \"a\", \"points\": [\"recieve\"]}", -1, -EINVAL, "did you mean \"receive\"?");
	refused(&r, "{\"file\": \"a\", \"points\": []}", -1, -EINVAL, "an array of one or more");
	refused(&r, "{\"file\": \"a\", \"points\": \"drop\"}", -1, -EINVAL, "an array of one or more");
	refused(&r, "{\"file\": \"a\", \"snap\": -1}", -1, -EINVAL, "snap");
	refused(&r, "{\"file\": \"a\", \"flter\": \"udp\"}", -1, -EINVAL, "did you mean \"filter\"?");
	running_refuses(&r, spx_method_capture_stop, NULL, -ENOENT, "there is no capture");
	running_refuses(&r, spx_method_show_captures, "{\"id\": 1}", -EINVAL, "takes no parameters");
	cr_assert_eq(count(&r), 0);
	running_end(&r);
}
