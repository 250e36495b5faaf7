/* Requests and answers: every code of the protocol, ids, roles, notifications. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/server_fixture.h"

TestSuite(server_rpc, .timeout = 60);

#define ASK(rest) "{\"jsonrpc\":\"2.0\",\"id\":1," rest "}"

Test(server_rpc, every_mistake_has_its_code)
{
	static const struct {
		const char *line;
		int code;
		const char *says; /* in the answer */
	} table[] = {
		{"", SPX_RPC_NO_JSON, "\"id\":null"},
		{"{", SPX_RPC_NO_JSON, "no valid JSON: byte 1"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"hello\"}", SPX_RPC_NO_JSON,
			"duplicate"},
		{"\"\xff\"", SPX_RPC_NO_JSON, "\"id\":null"},
		{ASK("\"method\":\"\xc3\x28\""), SPX_RPC_NO_JSON, "no valid JSON"},
		{ASK("\"method\":\"a\\u0000b\""), SPX_RPC_NO_JSON, "\\\\u0000"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"hello\"}", SPX_RPC_NO_JSON, "overflow"},
		{"[]", SPX_RPC_NO_REQUEST, "a batch"},
		{"[" ASK("\"method\":\"hello\"") "]", SPX_RPC_NO_REQUEST, "a batch"},
		{"5", SPX_RPC_NO_REQUEST, "no object"},
		{"null", SPX_RPC_NO_REQUEST, "no object"},
		{"{}", SPX_RPC_NO_REQUEST, "\"id\":null"},
		{"{\"id\":4,\"method\":\"hello\"}", SPX_RPC_NO_REQUEST, "\"id\":4"},
		{"{\"jsonrpc\":2.0,\"id\":4,\"method\":\"hello\"}", SPX_RPC_NO_REQUEST, "\"id\":4"},
		{"{\"jsonrpc\":\"1.0\",\"id\":4,\"method\":\"hello\"}", SPX_RPC_NO_REQUEST, "is missing"},
		{"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"hello\"}", SPX_RPC_NO_REQUEST, "\"id\":null"},
		{"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"hello\"}", SPX_RPC_NO_REQUEST, "\"id\":null"},
		{ASK("\"method\":7"), SPX_RPC_NO_REQUEST, "\\\"method\\\" is missing or no string"},
		{ASK("\"method\":\"hello\",\"parms\":{}"), SPX_RPC_NO_REQUEST,
			"did you mean \\\"params\\\"?"},
		{ASK("\"method\":\"helo\""), SPX_RPC_NO_METHOD, "did you mean \\\"hello\\\"?"},
		{ASK("\"method\":\"\\u00e9\\u0001\""), SPX_RPC_NO_METHOD, "is no method"},
		{ASK("\"method\":\"hello\",\"params\":[]"), SPX_RPC_PARAMS, "hello: params: is no object"},
		{ASK("\"method\":\"hello\",\"params\":null"), SPX_RPC_PARAMS, "hello: params: is no object"},
		{ASK("\"method\":\"hello\",\"params\":{\"protocol\":2}"), SPX_RPC_PARAMS,
			"hello: params.protocol: is 2; a version that is spoken expected: 1"},
		{ASK("\"method\":\"hello\",\"params\":{\"protocl\":1}"), SPX_RPC_PARAMS,
			"did you mean \\\"protocol\\\"?"},
		{ASK("\"method\":\"stop\",\"params\":{\"now\":1}"), SPX_RPC_PARAMS,
			"params.now: is no key of stop; nothing expected"},
		{ASK("\"method\":\"test.big\""), SPX_RPC_PARAMS, "params: \\\"bytes\\\" is missing"},
		{ASK("\"method\":\"subscribe\",\"params\":{\"events\":[\"stop\",\"rule\"]}"), SPX_RPC_PARAMS,
			"subscribe: params.events[1]: is \\\"rule\\\""},
		{ASK("\"method\":\"test.fail\""), SPX_RPC_FAILED, "\"data\":{\"errno\":\"EEXIST\"}"},
		{ASK("\"method\":\"test.fail_silently\""), SPX_RPC_FAILED,
			"test.fail_silently: Input/output error"},
		{ASK("\"method\":\"test.file\""), SPX_RPC_PARAMS, "no file came along"},
	};
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	for (size_t i = 0; i < RTE_DIM(table); i++) {
		const char *answer = peer_ask(&p, table[i].line);

		cr_expect_eq(answer_code(answer), table[i].code, "%s: %s", table[i].line, answer);
		cr_expect(says(answer, table[i].says), "%s: %s", table[i].line, answer);
	}
	cr_expect(says(peer_ask(&p, ASK("\"method\":\"show.clients\"")), "\"malformed\":19"), "%s", p.line);
	peer_leave(&p);
	served_stop(&s);
}

Test(server_rpc, ids_come_back)
{
	static const char *const ids[] = {"1", "-7", "0.1", "0.1234567890123456", "1e300", "\"\"",
		"\"a\\u0001\\n\"", "null", "9007199254740993"};
	struct served s;
	struct peer p;
	char line[128];

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	for (size_t i = 0; i < RTE_DIM(ids); i++) {
		json_t *answer, *id = json_loads(ids[i], JSON_DECODE_ANY, NULL);

		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"hello\"}", ids[i]);
		answer = json_loads(peer_ask(&p, line), 0, NULL);
		cr_expect(json_equal(json_object_get(answer, "id"), id), "%s: %s", ids[i], p.line);
		cr_expect_not_null(json_object_get(answer, "result"));
		json_decref(answer);
		json_decref(id);
	}
	peer_leave(&p);
	served_stop(&s);
}

Test(server_rpc, hello_says_who_is_there)
{
	struct served s, other;
	struct peer p, q;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	cr_expect(says(peer_ask(&p, ASK("\"method\":\"hello\",\"params\":{\"protocol\":1}")),
			  "{\"protocol\":1,\"version\":\""),
		"%s", p.line);
	cr_expect(says(p.line, "\"role\":\"operator\",\"seconds\":"), "%s", p.line);
	served_start(&other);
	cr_expect_str_neq(s.server->instance, other.server->instance);
	peer_join(&q, &other, SPX_ROLE_READER);
	cr_expect(says(peer_ask(&q, ASK("\"method\":\"hello\"")), "\"role\":\"reader\""), "%s", q.line);
	peer_leave(&q);
	spx_server_free(other.server);
	spx_setup_free(&other.setup);
	peer_leave(&p);
	served_stop(&s);
}

Test(server_rpc, readers_may_not_change_things)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_READER);
	cr_expect_eq(answer_code(peer_ask(&p, ASK("\"method\":\"stop\""))), SPX_RPC_ROLE, "%s", p.line);
	cr_expect(says(p.line, "stop: not for readers"), "%s", p.line);
	cr_expect(!spx_server_stop_asked(s.server));
	cr_expect_eq(answer_code(peer_ask(&p, ASK("\"method\":\"test.wait\""))), SPX_RPC_ROLE);
	cr_expect_eq(answer_code(peer_ask(&p, ASK("\"method\":\"test.echo\",\"params\":{\"a\":0.5}"))), 0);
	cr_expect(says(p.line, "{\"a\":0.5}"), "%s", p.line);
	peer_leave(&p);
	served_stop(&s);
}

Test(server_rpc, stop_is_seen)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	cr_expect(!spx_server_stop_asked(s.server));
	cr_expect(says(peer_ask(&p, ASK("\"method\":\"stop\"")), "{\"stopping\":true}"), "%s", p.line);
	cr_expect(spx_server_stop_asked(s.server));
	peer_leave(&p);
	served_stop(&s);
}

/* Carried out, not answered, whatever becomes of them. */
Test(server_rpc, notifications)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	peer_say(&p, "{\"jsonrpc\":\"2.0\",\"method\":\"nonsense\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"test."
		     "fail\"}\n"
		     "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":[]}\n"
		     "{\"jsonrpc\":\"2.0\",\"method\":\"stop\"}\n");
	cr_expect(says(peer_ask(&p, ASK("\"method\":\"test.echo\",\"params\":{}")), "\"result\":{}"), "%s",
		p.line);
	cr_expect(spx_server_stop_asked(s.server));
	peer_leave(&p);
	served_stop(&s);
}

/* As deep as the parser goes, and deeper. */
Test(server_rpc, deep_nesting)
{
	char *line = malloc(200000);
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	memset(line, '[', 100000);
	line[100000] = '\0';
	cr_expect_eq(answer_code(peer_ask(&p, line)), SPX_RPC_NO_JSON);
	strcpy(line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.echo\",\"params\":{\"a\":");
	memset(line + strlen(line), '[', 2000);
	memset(strchr(line, '[') + 2000, ']', 2000);
	strcpy(strchr(line, '[') + 4000, "}}");
	cr_expect_eq(answer_code(peer_ask(&p, line)), 0, "%s", p.line);
	free(line);
	peer_leave(&p);
	served_stop(&s);
}
