/* Files that come along with requests: they reach the request that they came with, and none stays open. Every
 * test ends with served_stop, which counts. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/server_fixture.h"

TestSuite(server_files, .timeout = 60);

#define FILE_ASK "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.file\"}\n"
#define SLOW_ASK "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.slow_file\"}\n"
#define ECHO_ASK "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.echo\",\"params\":{}}\n"

static struct served s;
static struct peer p;
static int file[2]; /* a pipe: what comes out was written to the file that was passed */

static void
begin(void)
{
	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	cr_assert_eq(pipe2(file, O_CLOEXEC | O_NONBLOCK), 0);
}

static void
end(void)
{
	close(file[0]);
	close(file[1]);
	peer_leave(&p);
	served_stop(&s);
}

/* How often "word" was written. */
static int
words(void)
{
	char text[64];
	ssize_t n = read(file[0], text, sizeof(text));

	return n < 0 ? 0 : (int)n / 4;
}

Test(server_files, a_method_takes_it)
{
	begin();
	peer_pass(&p, FILE_ASK, &file[1], 1);
	cr_expect_eq(answer_code(peer_line(&p)), 0, "%s", p.line);
	peer_pass(&p, SLOW_ASK, &file[1], 1);
	cr_expect_eq(answer_code(peer_line(&p)), 0, "%s", p.line);
	cr_expect_eq(words(), 2);
	end();
}

Test(server_files, nobody_takes_it)
{
	static const char *const lines[] = {
		ECHO_ASK, "{\n", "[]\n", "\n", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}\n"};

	begin();
	for (size_t i = 0; i < RTE_DIM(lines); i++) {
		peer_pass(&p, lines[i], &file[1], 1);
		peer_line(&p);
		peer_say(&p, FILE_ASK);
		cr_expect_eq(answer_code(peer_line(&p)), SPX_RPC_PARAMS, "not for the next: %s", p.line);
	}
	end();
}

Test(server_files, too_many)
{
	int many[253];

	begin();
	for (size_t i = 0; i < RTE_DIM(many); i++)
		many[i] = file[1];
	for (unsigned n = 1; n <= RTE_DIM(many); n = n * 2 + 1) {
		peer_pass(&p, FILE_ASK, many, n);
		cr_expect_eq(answer_code(peer_line(&p)), 0, "%u: %s", n, p.line);
		cr_expect_eq(words(), 1);
	}
	peer_pass(&p, "{\"jsonrpc\":\"2.0\",", many, 2); /* parts of one line, each with files */
	served_settle(&s);
	peer_pass(&p, "\"id\":1,", many, 1);
	served_settle(&s);
	peer_pass(&p, "\"method\":", many, 3);
	served_settle(&s);
	peer_pass(&p, "\"test.file\"}\n", many, 1);
	cr_expect_eq(answer_code(peer_line(&p)), 0, "%s", p.line);
	cr_expect_eq(words(), 1);
	end();
}

/* Requests sent one after the other: each file goes with its own. */
Test(server_files, each_to_its_request)
{
	begin();
	peer_say(&p, ECHO_ASK FILE_ASK);
	peer_pass(&p, FILE_ASK, &file[1], 1);
	cr_assert_eq(write(p.fd, FILE_ASK ECHO_ASK, strlen(FILE_ASK ECHO_ASK)),
		(ssize_t)strlen(FILE_ASK ECHO_ASK));
	peer_pass(&p, FILE_ASK, &file[1], 1);
	peer_pass(&p, FILE_ASK, &file[1], 1);
	static const int codes[] = {0, SPX_RPC_PARAMS, 0, SPX_RPC_PARAMS, 0, 0, 0};
	for (size_t i = 0; i < RTE_DIM(codes); i++)
		cr_expect_eq(answer_code(peer_line(&p)), codes[i], "%zu: %s", i, p.line);
	cr_expect_eq(words(), 3);
	end();
}

/* A line that comes in pieces of which the first has the file, other requests right before and behind it. */
Test(server_files, with_the_beginning_of_a_line)
{
	begin();
	for (int i = 0; i < 2; i++) {
		cr_assert_gt(write(p.fd, ECHO_ASK, strlen(ECHO_ASK)), 0);
		peer_pass(&p, "{\"jsonrpc\":\"2.0\",\"id\":1,", &file[1], 1);
		served_settle(&s);
		cr_assert_gt(write(p.fd, "\"method\":\"test.file\"}\n", 22), 0);
		peer_pass(&p, FILE_ASK, &file[1], 1);
		for (int line = 0; line < 3; line++)
			cr_expect_eq(answer_code(peer_line(&p)), 0, "%s", p.line);
	}
	cr_expect_eq(words(), 4);
	end();
}

/* With a line that is too long, or never ends. */
Test(server_files, with_no_line)
{
	static char longer[SPX_LINE_READER + 2];
	struct peer reader, gone;

	begin();
	memset(longer, 'x', SPX_LINE_READER + 1);
	peer_join(&reader, &s, SPX_ROLE_READER);
	peer_pass(&reader, "x", &file[1], 1);
	peer_say(&reader, longer);
	peer_pass(&reader, "x", &file[1], 1);
	cr_expect_eq(answer_code(peer_line(&reader)), SPX_RPC_NO_REQUEST);
	peer_pass(&reader, "x\n", &file[1], 1);
	cr_expect_eq(answer_code(peer_ask(&reader, "{")), SPX_RPC_NO_JSON, "%s", reader.line);

	peer_join(&gone, &s, SPX_ROLE_OPERATOR);
	peer_pass(&gone, "{\"jsonrpc\"", &file[1], 1);
	served_settle(&s);
	peer_leave(&gone);
	served_settle(&s);
	cr_expect_eq(s.server->n_clients, 2);
	peer_pass(&p, "{", &file[1], 1); /* still there at the end */
	served_settle(&s);
	peer_leave(&reader);
	end();
}

/* One end of a TCP connection that has much to send, and whose last close waits for that for 20 s; *other
 * does not read. */
static int
lingering(int *other)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 20};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0), one = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[65536] = {0};

	cr_assert_eq(bind(listening, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(listening, 1), 0);
	cr_assert_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	cr_assert_eq(connect(one, (struct sockaddr *)&address, size), 0);
	*other = accept(listening, NULL, NULL);
	close(listening);
	while (send(one, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	cr_assert_eq(setsockopt(one, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	return one;
}

/* Anybody could stop the control thread with such a file. */
Test(server_files, one_whose_close_waits_holds_nobody_up)
{
	static const char *const lines[] = {ECHO_ASK, "{\n", "{"};
	uint64_t begun = spx_now_ns();
	int file_of, waits[RTE_DIM(lines)];

	begin();
	for (size_t i = 0; i < RTE_DIM(lines); i++) {
		file_of = lingering(&waits[i]);
		peer_pass(&p, lines[i], &file_of, 1);
		close(file_of);
	}
	cr_expect_eq(answer_code(peer_line(&p)), 0, "%s", p.line);
	cr_expect_eq(answer_code(peer_line(&p)), SPX_RPC_NO_JSON, "%s", p.line);
	for (size_t i = 0; i < RTE_DIM(lines); i++)
		close(waits[i]);
	end();
	cr_expect_lt(spx_now_ns() - begun, UINT64_C(10000000000), "the server waited");
}

/* Nobody has received it: it is closed with the connection. */
Test(server_files, one_that_a_refused_client_has_sent_holds_nobody_up)
{
	struct peer reader[SPX_READERS_MAX], refused = {.served = &s};
	uint64_t begun = spx_now_ns();
	int file_of, other, pair[2];

	begin();
	for (size_t i = 0; i < SPX_READERS_MAX; i++)
		peer_join(&reader[i], &s, SPX_ROLE_READER);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	refused.fd = pair[0];
	file_of = lingering(&other);
	peer_pass(&refused, "{", &file_of, 1);
	close(file_of);
	cr_expect_null(spx_server_add_client(s.server, pair[1], 1, 1, SPX_ROLE_READER));
	cr_expect(says(peer_line(&refused), "readers already"), "%s", refused.line);
	cr_expect_null(peer_line(&refused), "the end, though it is not closed");
	peer_say(&p, ECHO_ASK);
	cr_expect_eq(answer_code(peer_line(&p)), 0, "%s", p.line);
	cr_expect_lt(spx_now_ns() - begun, UINT64_C(10000000000), "the server waited");
	close(other); /* and the connection is over */
	peer_leave(&refused);
	for (size_t i = 0; i < SPX_READERS_MAX; i++)
		peer_leave(&reader[i]);
	end();
}
