/* Bytes to lines: any cuts give the same lines, long ones are skipped without being kept, and a thousand
 * malformed ones of a hundred clients leave everything as it was. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/server_fixture.h"

TestSuite(server_lines, .timeout = 60);

#define ECHO(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"test.echo\",\"params\":{\"a\":\"b\"}}\n"

static const char stream[] =
	ECHO(1) "\n{\n" ECHO(2) "[]\r\n   " ECHO(3) "{\"id\":\"\xc3\xa9\"}\n\xff\n" ECHO(4);
#define STREAM_ANSWERS 9

/* All answers to the stream, sent in chunks of the sizes that `next` gives; freed by the caller. */
static char *
answers(uint32_t (*next)(uint32_t *), uint32_t state)
{
	char *all = calloc(1, 65536);
	size_t sent = 0;
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	while (sent < sizeof(stream) - 1) {
		size_t n = RTE_MIN((size_t)next(&state), sizeof(stream) - 1 - sent);

		peer_send(&p, stream + sent, n);
		spx_server_poll(s.server, 0);
		sent += n;
	}
	for (int i = 0; i < STREAM_ANSWERS; i++) {
		strcat(all, peer_line(&p));
		strcat(all, "\n");
	}
	peer_leave(&p);
	served_stop(&s);
	return all;
}

static uint32_t
whole(uint32_t *state)
{
	return *state;
}

static uint32_t
random_size(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return 1 + (*state >> 24) % 60;
}

Test(server_lines, any_cuts_give_the_same)
{
	char *expected = answers(whole, 100000);

	for (uint32_t i = 1; i <= 40; i++) {
		char *all = i <= 8 ? answers(whole, i) : answers(random_size, i);

		cr_expect_str_eq(all, expected, "cuts %u", i);
		free(all);
	}
	free(expected);
}

static void
say_long(struct peer *p, size_t length)
{
	char *text = malloc(length + 1);

	memset(text, ' ', length);
	text[length] = '\n';
	memcpy(text, ECHO(1), sizeof(ECHO(1)) - 2);
	peer_send(p, text, length + 1);
	free(text);
}

static void
longest_lines(enum spx_role role, size_t max)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, role);
	say_long(&p, max);
	cr_expect_eq(answer_code(peer_line(&p)), 0, "%s", p.line);
	for (size_t longer = 1; longer < 200000; longer *= 7) {
		say_long(&p, max + longer);
		cr_expect_eq(answer_code(peer_line(&p)), SPX_RPC_NO_REQUEST, "%s", p.line);
		cr_expect(says(p.line, "at most so many expected"), "%s", p.line);
		cr_expect_eq(answer_code(peer_ask(&p, ECHO(1))), 0, "%s", p.line);
		cr_expect_eq(
			answer_code(peer_line(&p)), SPX_RPC_NO_JSON, "ECHO ends a line, peer_ask another");
	}
	peer_leave(&p);
	served_stop(&s);
}

Test(server_lines, of_a_reader_have_64_kib)
{
	longest_lines(SPX_ROLE_READER, 65536);
}

Test(server_lines, of_an_operator_have_8_mib)
{
	longest_lines(SPX_ROLE_OPERATOR, 8 << 20);
}

/* The rest of a line that is too long is not kept. */
Test(server_lines, what_is_skipped_takes_no_memory)
{
	char *chunk = malloc(1 << 20);
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	memset(chunk, 'x', 1 << 20);
	for (int i = 0; i < 20; i++) {
		peer_send(&p, chunk, 1 << 20);
		cr_expect_leq(s.server->client[0]->in_room, 256u << 10);
	}
	served_settle(&s);
	cr_expect_null(s.server->client[0]->in);
	cr_expect_eq(answer_code(peer_line(&p)), SPX_RPC_NO_REQUEST);
	cr_expect_eq(answer_code(peer_ask(&p, "\n" ECHO(1))), 0, "%s", p.line);
	free(chunk);
	peer_leave(&p);
	served_stop(&s);
}

/* A line without its newline is none. */
Test(server_lines, unfinished)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	peer_say(&p, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stop\"}");
	served_settle(&s);
	cr_expect_eq(s.server->n_clients, 1);
	peer_leave(&p);
	served_settle(&s);
	cr_expect(s.server->n_clients == 0 && !spx_server_stop_asked(s.server));
	served_stop(&s);
}

Test(server_lines, a_thousand_malformed_of_a_hundred_clients)
{
	static const char *const lines[10] = {"{\n", "[]\n", "\n", "nonsense\n", "{\"jsonrpc\":\"2.0\"}\n",
		"\xfe\xff\n", "\"\n", "{\"a\":{\"a\":}}\n", "{}{}\n", "{\"id\":{}}\n"};
	struct served s;
	struct peer p[100];

	served_start(&s);
	for (unsigned i = 0; i < RTE_DIM(p); i++)
		peer_join(&p[i], &s, i % 2 == 0 ? SPX_ROLE_OPERATOR : SPX_ROLE_READER);
	for (unsigned n = 0; n < 10; n++)
		for (unsigned i = 0; i < RTE_DIM(p); i++)
			peer_say(&p[i], lines[(n + i) % 10]);
	for (unsigned i = 0; i < RTE_DIM(p); i++) {
		for (unsigned n = 0; n < 10; n++)
			cr_expect_lt(answer_code(peer_line(&p[i])), 0, "%s", p[i].line);
		cr_expect_eq(answer_code(peer_ask(&p[i], ECHO(1))), 0, "%s", p[i].line);
	}
	cr_expect_eq(s.server->n_clients, RTE_DIM(p));
	cr_expect_geq(s.server->malformed, 1000);
	for (unsigned i = 0; i < RTE_DIM(p); i++)
		peer_leave(&p[i]);
	served_settle(&s);
	cr_expect_eq(s.server->n_clients, 0);
	served_stop(&s);
}
