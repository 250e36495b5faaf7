/* What clients do to the server: do not read, leave, come in too great numbers, subscribe. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/server_fixture.h"

TestSuite(server_clients, .timeout = 60);

#define ASK(rest)  "{\"jsonrpc\":\"2.0\",\"id\":1," rest "}"
#define SUBSCRIBE  ASK("\"method\":\"subscribe\"")
#define BIG(bytes) ASK("\"method\":\"test.big\",\"params\":{\"bytes\":" #bytes "}")

/* ---- reading ----------------------------------------------------------------------------------------- */

/* One answer may be larger than what may wait: it is sent as it is read. */
Test(server_clients, a_large_answer_comes_whole)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	cr_expect_eq(strlen(peer_ask(&p, BIG(16000000))),
		16000000 + strlen("{'jsonrpc':'2.0','id':1,'result':''}"));
	cr_expect_eq(s.server->cut_off, 0);
	cr_expect_null(s.server->client[0]->out, "what was sent takes no memory");
	peer_leave(&p);
	served_stop(&s);
}

Test(server_clients, who_does_not_read_answers_is_cut_off)
{
	struct served s;
	struct peer p, q;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	peer_join(&q, &s, SPX_ROLE_READER);
	for (int i = 0; i < 12; i++)
		peer_say(&p, BIG(1000000) "\n");
	served_settle(&s);
	cr_expect_eq(s.server->cut_off, 1);
	cr_expect_eq(s.server->n_clients, 1);
	cr_expect(says(peer_ask(&q, ASK("\"method\":\"show.clients\"")), "\"cut_off\":1"), "%s", q.line);
	while (peer_line(&p) != NULL) /* what the kernel has, then the end */
		;
	peer_leave(&q);
	peer_leave(&p);
	served_stop(&s);
}

Test(server_clients, who_does_not_read_events_is_cut_off)
{
	char *text = malloc(100001);
	struct served s;
	struct peer slow, fast;
	int told;

	memset(text, 'e', 100000);
	text[100000] = '\0';
	served_start(&s);
	peer_join(&slow, &s, SPX_ROLE_READER);
	peer_join(&fast, &s, SPX_ROLE_READER);
	cr_assert_eq(answer_code(peer_ask(&slow, SUBSCRIBE)), 0);
	cr_assert_eq(answer_code(peer_ask(&fast, SUBSCRIBE)), 0);
	for (told = 0; s.server->cut_off == 0 && told < 100; told++) {
		spx_server_event(s.server, SPX_EVENT_condition, json_pack("{s:s}", "text", text));
		cr_expect(says(peer_line(&fast), "\"kind\":\"condition\""));
	}
	cr_expect(told > 4194304 / 100100 && told < 50, "%d events", told);
	served_settle(&s);
	cr_expect(s.server->n_clients == 1 && s.server->client[0]->events != 0);
	free(text);
	peer_leave(&fast);
	peer_leave(&slow);
	served_stop(&s);
}

/* ---- leaving ----------------------------------------------------------------------------------------- */

Test(server_clients, what_was_sent_before_leaving_is_carried_out)
{
	struct served s;
	struct peer p;

	served_start(&s);
	for (int i = 0; i < 20; i++) {
		peer_join(&p, &s, SPX_ROLE_OPERATOR);
		cr_assert_eq(write(p.fd, "{\n{\n{\n", 6), 6);
		peer_leave(&p);
		served_settle(&s);
	}
	cr_expect(s.server->malformed == 60 && s.server->n_clients == 0 && s.server->accepted == 20);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	for (unsigned i = 0; i < 3 * SPX_CLIENT_LINES; i++) /* several turns */
		cr_assert_eq(write(p.fd, "{\n", 2), 2);
	cr_assert_gt(write(p.fd, ASK("\"method\":\"stop\"") "\n", sizeof(ASK("\"method\":\"stop\""))), 0);
	peer_leave(&p);
	served_settle(&s);
	cr_expect(spx_server_stop_asked(s.server) && s.server->n_clients == 0);
	served_stop(&s);
}

/* As `nc -N` does: says all, then waits for the answers. */
Test(server_clients, half_closed_connections_get_their_answers)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	for (int i = 0; i < 100; i++)
		cr_assert_gt(write(p.fd, BIG(10000) "\n", sizeof(BIG(10000))), 0);
	shutdown(p.fd, SHUT_WR);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(answer_code(peer_line(&p)), 0);
	cr_expect_null(peer_line(&p));
	cr_expect_eq(s.server->n_clients, 0);
	peer_leave(&p);
	served_stop(&s);
}

/* ---- many -------------------------------------------------------------------------------------------- */

Test(server_clients, more_than_128_are_told_so)
{
	struct served s;
	struct peer p[SPX_CLIENTS_MAX], more;

	served_start(&s);
	for (unsigned i = 0; i < SPX_CLIENTS_MAX; i++)
		peer_join(&p[i], &s, i < SPX_READERS_MAX ? SPX_ROLE_READER : SPX_ROLE_OPERATOR);
	peer_join(&more, &s, SPX_ROLE_OPERATOR);
	cr_expect_eq(answer_code(peer_line(&more)), SPX_RPC_BUSY, "%s", more.line);
	cr_expect(says(more.line, "128 clients already"), "%s", more.line);
	cr_expect_null(peer_line(&more));
	peer_leave(&more);
	cr_expect_eq(s.server->refused, 1);
	peer_leave(&p[7]);
	served_settle(&s);
	peer_join(&p[7], &s, SPX_ROLE_READER);
	cr_expect(says(peer_ask(&p[7], ASK("\"method\":\"show.clients\"")), "\"accepted\":129,\"refused\":1"),
		"there is room again");
	for (unsigned i = 0; i < SPX_CLIENTS_MAX; i++)
		peer_leave(&p[i]);
	served_stop(&s);
}

/* Whoever is on the machine can be a reader: they do not keep operators out. */
Test(server_clients, readers_leave_places_for_operators)
{
	struct served s;
	struct peer p[SPX_READERS_MAX], more, operator;

	served_start(&s);
	for (unsigned i = 0; i < SPX_READERS_MAX; i++)
		peer_join(&p[i], &s, SPX_ROLE_READER);
	peer_join(&more, &s, SPX_ROLE_READER);
	cr_expect_eq(answer_code(peer_line(&more)), SPX_RPC_BUSY, "%s", more.line);
	cr_expect(says(more.line, "96 readers already"), "%s", more.line);
	cr_expect_null(peer_line(&more));
	peer_leave(&more);
	peer_join(&operator, & s, SPX_ROLE_OPERATOR);
	cr_expect_eq(answer_code(peer_ask(&operator, ASK("\"method\":\"stop\""))), 0);
	peer_leave(&operator);
	for (unsigned i = 0; i < SPX_READERS_MAX; i++)
		peer_leave(&p[i]);
	served_stop(&s);
}

/* A client with thousands of requests at once does not keep others waiting. */
Test(server_clients, turns_are_fair)
{
	char lines[4000];
	struct served s;
	struct peer busy, p;

	served_start(&s);
	peer_join(&busy, &s, SPX_ROLE_READER);
	peer_join(&p, &s, SPX_ROLE_READER);
	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = "{\n"[i % 2];
	cr_assert_eq(write(busy.fd, lines, sizeof(lines)), (ssize_t)sizeof(lines));
	cr_assert_gt(write(p.fd, ASK("\"method\":\"hello\"") "\n", sizeof(ASK("\"method\":\"hello\""))), 0);
	spx_server_poll(s.server, 0);
	cr_expect_leq(s.server->malformed, SPX_CLIENT_LINES);
	cr_expect(says(peer_line(&p), "\"protocol\":1"), "%s", p.line);
	cr_expect_lt(s.server->malformed, 2000);
	served_settle(&s);
	cr_expect_eq(s.server->malformed, 2000);
	peer_leave(&p);
	peer_leave(&busy);
	served_stop(&s);
}

/* ---- events ------------------------------------------------------------------------------------------ */

Test(server_clients, events_go_to_those_who_want_them)
{
	struct served s;
	struct peer all, some, none;

	served_start(&s);
	peer_join(&all, &s, SPX_ROLE_READER);
	peer_join(&some, &s, SPX_ROLE_READER);
	peer_join(&none, &s, SPX_ROLE_READER);
	cr_expect(says(peer_ask(&all, SUBSCRIBE),
			  "{\"events\":[\"condition\",\"rules\",\"capture\",\"stop\"]}"),
		"%s", all.line);
	cr_expect(says(peer_ask(&some, ASK("\"method\":\"subscribe\",\"params\":{\"events\":[\"rules\"]}")),
			  "{\"events\":[\"rules\"]}"),
		"%s", some.line);
	spx_server_say(s.server, SPX_EVENT_condition, "port %s is down", "out");
	spx_server_event(s.server, SPX_EVENT_rules, json_pack("{s:i}", "generation", 4));
	spx_server_event(s.server, SPX_EVENT_stop, NULL);
	cr_expect(says(peer_line(&all), "\"kind\":\"rules\",\"seconds\":"), "%s", all.line);
	cr_expect(says(all.line, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{"), "%s", all.line);
	cr_expect(says(all.line, "\"generation\":4}"), "%s", all.line);
	cr_expect(says(peer_line(&all), "\"kind\":\"stop\""), "%s", all.line);
	cr_expect(says(peer_line(&all), "\"text\":\"port out is down\"}"), "posted: %s", all.line);
	cr_expect(says(peer_line(&some), "\"kind\":\"rules\""), "%s", some.line);
	cr_expect(says(peer_ask(&some, ASK("\"method\":\"subscribe\",\"params\":{\"events\":[]}")),
			  "{\"events\":[]}"),
		"%s", some.line);
	spx_server_event(s.server, SPX_EVENT_rules, NULL);
	cr_expect(says(peer_ask(&some, ASK("\"method\":\"hello\"")), "\"protocol\""), "%s", some.line);
	cr_expect(says(peer_ask(&none, ASK("\"method\":\"hello\"")), "\"protocol\""), "%s", none.line);
	peer_leave(&all);
	peer_leave(&some);
	peer_leave(&none);
	served_stop(&s);
}

#define POSTERS 4
#define POSTS   200

static void *
post(void *arg)
{
	for (int i = 0; i < POSTS; i++)
		spx_server_say(arg, SPX_EVENT_capture, "%d", i);
	return NULL;
}

Test(server_clients, any_thread_posts)
{
	pthread_t thread[POSTERS];
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	cr_assert_eq(answer_code(peer_ask(&p, SUBSCRIBE)), 0);
	for (int i = 0; i < POSTERS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, post, s.server), 0);
	for (int i = 0; i < POSTERS * POSTS; i++)
		cr_expect(says(peer_line(&p), "\"kind\":\"capture\""), "%s", p.line);
	for (int i = 0; i < POSTERS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < SPX_POSTS_MAX + 10; i++)
		post(NULL); /* without a server nothing happens */
	for (unsigned i = 0; i < SPX_POSTS_MAX / POSTS + 2; i++)
		post(s.server);
	cr_expect_eq(s.server->n_posts, SPX_POSTS_MAX, "more are lost, and what waits is freed");
	peer_leave(&p);
	served_stop(&s);
}

/* What waits at the end is still sent. */
Test(server_clients, the_end)
{
	struct served s;
	struct peer p, q;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	peer_join(&q, &s, SPX_ROLE_READER);
	cr_assert_eq(answer_code(peer_ask(&p, SUBSCRIBE)), 0);
	peer_say(&q, BIG(4000000) "\n");
	spx_server_say(s.server, SPX_EVENT_condition, "posted");
	spx_server_event(s.server, SPX_EVENT_stop, NULL);
	uint64_t begun = spx_now_ns();
	spx_server_close(s.server, 50); /* q does not read */
	cr_expect(spx_now_ns() - begun >= 50000000 && spx_now_ns() - begun < 2000000000);
	cr_expect(says(peer_line(&p), "\"stop\""), "%s", p.line);
	cr_expect(says(peer_line(&p), "posted"), "%s", p.line);
	cr_expect_null(peer_line(&p));
	peer_leave(&p);
	peer_leave(&q);
	served_stop(&s);
}
