/* Slow methods: others do not wait for them, they end when nobody waits for them any more, and at most eight
 * are under way. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/server_fixture.h"

TestSuite(server_jobs, .timeout = 60);

#define ASK(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\"}"
#define WAIT_ASK        ASK(1, "test.wait")

static void
until_waiting(struct served *s, unsigned n)
{
	uint64_t begun = spx_now_ns();

	while (atomic_load(&test_waiting) != n) {
		cr_assert_lt(spx_now_ns() - begun, UINT64_C(10000000000), "%u wait, not %u",
			atomic_load(&test_waiting), n);
		spx_server_poll(s->server, 1);
	}
}

static void
until_no_client(struct served *s)
{
	uint64_t begun = spx_now_ns();

	while (s->server->n_clients > 0) {
		cr_assert_lt(spx_now_ns() - begun, UINT64_C(10000000000), "a client stays");
		spx_server_poll(s->server, 1);
	}
}

Test(server_jobs, others_are_answered_meanwhile)
{
	struct served s;
	struct peer p, q;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	peer_join(&q, &s, SPX_ROLE_OPERATOR);
	peer_say(&p, WAIT_ASK "\n" ASK(2, "hello") "\n{\n");
	until_waiting(&s, 1);
	cr_expect_eq(answer_code(peer_ask(&q, ASK(3, "hello"))), 0);
	served_settle(&s);
	peer_say(&p, ASK(4, "hello") "\n");
	served_settle(&s);
	cr_expect_eq(s.server->malformed, 0, "lines behind it wait");
	atomic_store(&test_go, true);
	cr_expect(says(peer_line(&p), "\"id\":1,\"result\":\"waited\""), "%s", p.line);
	cr_expect(says(peer_line(&p), "\"id\":2"), "%s", p.line);
	cr_expect_eq(answer_code(peer_line(&p)), SPX_RPC_NO_JSON, "%s", p.line);
	cr_expect(says(peer_line(&p), "\"id\":4"), "%s", p.line);
	cr_expect_eq(atomic_load(&test_cancelled), 0);
	peer_leave(&p);
	peer_leave(&q);
	served_stop(&s);
}

Test(server_jobs, eight_at_once)
{
	struct peer p[SPX_JOBS_MAX + 1];
	struct served s;

	served_start(&s);
	for (unsigned i = 0; i <= SPX_JOBS_MAX; i++)
		peer_join(&p[i], &s, SPX_ROLE_OPERATOR);
	for (unsigned i = 0; i < SPX_JOBS_MAX; i++)
		peer_say(&p[i], WAIT_ASK "\n");
	until_waiting(&s, SPX_JOBS_MAX);
	cr_expect_eq(answer_code(peer_ask(&p[SPX_JOBS_MAX], WAIT_ASK)), SPX_RPC_BUSY);
	cr_expect(says(p[SPX_JOBS_MAX].line, "8 requests that may wait are under way already; try again"),
		"%s", p[SPX_JOBS_MAX].line);
	peer_leave(&p[3]);
	until_waiting(&s, SPX_JOBS_MAX - 1);
	served_settle(&s);
	peer_say(&p[SPX_JOBS_MAX], WAIT_ASK "\n");
	until_waiting(&s, SPX_JOBS_MAX);
	atomic_store(&test_go, true);
	for (unsigned i = 0; i <= SPX_JOBS_MAX; i++)
		if (i != 3) {
			cr_expect_eq(answer_code(peer_line(&p[i])), 0, "%s", p[i].line);
			peer_leave(&p[i]);
		}
	cr_expect_eq(atomic_load(&test_cancelled), 1);
	served_stop(&s);
}

/* Readers do not keep operators from rules, traces and captures. */
Test(server_jobs, four_of_readers)
{
	struct peer p[SPX_JOBS_READERS + 2];
	struct served s;

	served_start(&s);
	for (unsigned i = 0; i < RTE_DIM(p); i++)
		peer_join(&p[i], &s, i < SPX_JOBS_READERS + 1 ? SPX_ROLE_READER : SPX_ROLE_OPERATOR);
	for (unsigned i = 0; i < SPX_JOBS_READERS; i++)
		peer_say(&p[i], ASK(1, "test.read_slowly") "\n");
	until_waiting(&s, SPX_JOBS_READERS);
	cr_expect_eq(answer_code(peer_ask(&p[SPX_JOBS_READERS], ASK(1, "test.read_slowly"))), SPX_RPC_BUSY);
	cr_expect(says(p[SPX_JOBS_READERS].line, "4 requests of readers that may wait"), "%s",
		p[SPX_JOBS_READERS].line);
	peer_say(&p[SPX_JOBS_READERS + 1], WAIT_ASK "\n");
	until_waiting(&s, SPX_JOBS_READERS + 1);
	atomic_store(&test_go, true);
	for (unsigned i = 0; i < RTE_DIM(p); i++) {
		if (i != SPX_JOBS_READERS)
			cr_expect_eq(answer_code(peer_line(&p[i])), 0, "%s", p[i].line);
		peer_leave(&p[i]);
	}
	served_stop(&s);
}

/* What it sent before is carried out, cancelled where it waits. */
Test(server_jobs, who_leaves_cancels)
{
	int file[2];
	struct served s;
	struct peer p;

	served_start(&s);
	cr_assert_eq(pipe2(file, O_CLOEXEC | O_NONBLOCK), 0);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	peer_say(&p, WAIT_ASK "\n" WAIT_ASK "\n");
	peer_pass(&p, ASK(5, "test.slow_file") "\n", &file[1], 1);
	peer_say(&p, ASK(2, "stop") "\n");
	until_waiting(&s, 1);
	served_settle(&s);
	cr_expect(s.server->n_clients == 1 && !spx_server_stop_asked(s.server));
	peer_leave(&p);
	until_no_client(&s);
	cr_expect(spx_server_stop_asked(s.server));
	cr_expect(atomic_load(&test_cancelled) == 2 && atomic_load(&test_waiting) == 0);
	char text[8];
	cr_expect_eq(read(file[0], text, sizeof(text)), 4, "a change is made");
	close(file[0]);
	close(file[1]);
	served_stop(&s);
}

/* Whoever only says no more still listens. */
Test(server_jobs, a_half_closed_connection_does_not_cancel)
{
	struct served s;
	struct peer p;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	peer_say(&p, WAIT_ASK "\n");
	shutdown(p.fd, SHUT_WR);
	until_waiting(&s, 1);
	served_settle(&s);
	cr_expect_eq(atomic_load(&test_waiting), 1);
	atomic_store(&test_go, true);
	cr_expect(says(peer_line(&p), "waited"), "%s", p.line);
	cr_expect_null(peer_line(&p));
	peer_leave(&p);
	served_stop(&s);
}

/* The end of the appliance cancels; results are still answered, and no slow method begins any more. */
Test(server_jobs, the_end_cancels)
{
	struct served s;
	struct peer p, q;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	peer_join(&q, &s, SPX_ROLE_OPERATOR);
	peer_say(&p, WAIT_ASK "\n" ASK(2, "test.wait") "\n");
	until_waiting(&s, 1);
	spx_server_end_jobs(s.server);
	cr_expect_eq(atomic_load(&test_cancelled), 1);
	cr_expect(says(peer_line(&p), "\"id\":1,\"result\":\"waited\""), "%s", p.line);
	cr_expect_eq(answer_code(peer_line(&p)), SPX_RPC_BUSY, "%s", p.line);
	cr_expect(says(p.line, "the appliance is stopping"), "%s", p.line);
	cr_expect_eq(answer_code(peer_ask(&q, ASK(3, "hello"))), 0, "%s", q.line);
	peer_leave(&p);
	peer_leave(&q);
	served_stop(&s);
}

/* With requests under way whose clients are there or gone. */
Test(server_jobs, freed_under_way)
{
	struct served s;
	struct peer p, q;

	served_start(&s);
	peer_join(&p, &s, SPX_ROLE_OPERATOR);
	peer_join(&q, &s, SPX_ROLE_OPERATOR);
	peer_say(&p, WAIT_ASK "\n");
	peer_say(&q, "{\"jsonrpc\":\"2.0\",\"method\":\"test.wait\"}\n");
	until_waiting(&s, 2);
	peer_leave(&q);
	s.fds++; /* p's end */
	served_stop(&s);
	cr_expect_eq(atomic_load(&test_cancelled), 2);
	peer_leave(&p);
}
