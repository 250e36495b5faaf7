/* The listening socket: whose it is, what is in its way, what is left at the end, and want of file
 * descriptors.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/unit/server_fixture.h"

TestSuite(server_listen, .timeout = 60);

#define HELLO "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}"

static char folder[64];

/* A folder of its own, and a path in it. */
static char *
path_in_folder(const char *name)
{
	char *path;

	if (folder[0] == '\0') {
		strcpy(folder, "/tmp/spx_test_XXXXXX");
		cr_assert_not_null(mkdtemp(folder));
	}
	cr_assert_gt(asprintf(&path, "%s/%s", folder, name), 0);
	return path;
}

static bool
exists(const char *path)
{
	struct stat is;

	return lstat(path, &is) == 0;
}

/* A server at a path; its result. */
static int
serve_at(struct served *s, const char *path, struct spx_error *err)
{
	served_start(s);
	s->setup.control.socket = strdup(path);
	err->text[0] = '\0';
	return spx_server_listen(s->server, err);
}

/* A socket that nobody listens at any more. */
static void
leave_behind(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	close(fd);
	cr_assert(exists(path));
}

static void
remove_folder(void)
{
	cr_expect_eq(rmdir(folder), 0, "%s: %s", folder, strerror(errno));
}

Test(server_listen, clients_come_and_the_socket_goes, .fini = remove_folder)
{
	char *path = path_in_folder("s");
	struct spx_error err;
	struct served s;
	struct peer p;
	struct stat is;

	leave_behind(path);
	cr_assert_eq(serve_at(&s, path, &err), 0, "%s", err.text);
	cr_expect_str_eq(spx_server_path(s.server), path);
	cr_assert_eq(lstat(path, &is), 0);
	cr_expect_eq(is.st_mode & 0777, 0666);
	cr_assert(peer_connect(&p, &s));
	cr_expect(says(peer_ask(&p, HELLO), "\"role\":\"operator\""), "%s", p.line);
	peer_leave(&p);
	served_stop(&s);
	cr_expect(!exists(path));
	free(path);
}

Test(server_listen, a_living_instance_keeps_its_socket, .fini = remove_folder)
{
	char *path = path_in_folder("s");
	struct served s, other;
	struct spx_error err;
	struct peer p;

	cr_assert_eq(serve_at(&s, path, &err), 0, "%s", err.text);
	cr_expect_eq(serve_at(&other, path, &err), -EADDRINUSE);
	cr_expect(says(err.text, "another program has it"), "%s", err.text);
	served_stop(&other);
	cr_assert(peer_connect(&p, &s), "it is still there");
	cr_expect(says(peer_ask(&p, HELLO), s.server->instance), "%s", p.line);
	peer_leave(&p);
	served_stop(&s);
	free(path);
}

Test(server_listen, what_is_in_the_way, .fini = remove_folder)
{
	char *path = path_in_folder("s"), *deep = path_in_folder("no/s");
	char longer[140];
	struct spx_error err;
	struct served s;

	fclose(fopen(path, "w"));
	cr_expect_eq(serve_at(&s, path, &err), -EEXIST);
	cr_expect(says(err.text, "something that is no socket is there"), "%s", err.text);
	served_stop(&s);
	cr_expect(exists(path), "a file is not removed");
	cr_expect_eq(unlink(path), 0);

	cr_expect_eq(serve_at(&s, deep, &err), -ENOENT);
	cr_expect(says(err.text, "folder "), "%s", err.text);
	served_stop(&s);

	memset(longer, 'x', sizeof(longer));
	snprintf(longer, sizeof(longer), "%s/", folder);
	longer[strlen(longer)] = 'x';
	longer[139] = '\0';
	cr_expect_eq(serve_at(&s, longer, &err), -ENAMETOOLONG);
	cr_expect(says(err.text, "at most 107 expected"), "%s", err.text);
	served_stop(&s);
	free(deep);
	free(path);
}

/* Somebody has put another socket there: it is not ours to remove. */
Test(server_listen, anothers_socket_stays, .fini = remove_folder)
{
	char *path = path_in_folder("s");
	struct spx_error err;
	struct served s;

	cr_assert_eq(serve_at(&s, path, &err), 0, "%s", err.text);
	cr_expect_eq(unlink(path), 0);
	leave_behind(path);
	served_stop(&s);
	cr_expect(exists(path));
	unlink(path);
	free(path);
}

#define RACERS 8

static char *contested;
static atomic_uint winners;

static void *
race(void *arg)
{
	struct served *s = arg;
	struct spx_error err;

	if (spx_server_listen(s->server, &err) == 0)
		atomic_fetch_add(&winners, 1);
	return NULL;
}

/* Many start at once over an old socket: one gets it. */
Test(server_listen, one_wins, .fini = remove_folder)
{
	static struct served s[RACERS];
	pthread_t thread[RACERS];

	contested = path_in_folder("s");
	for (int round = 0; round < 20; round++) {
		leave_behind(contested);
		atomic_store(&winners, 0);
		for (int i = 0; i < RACERS; i++) {
			served_start(&s[i]);
			s[i].setup.control.socket = strdup(contested);
		}
		for (int i = 0; i < RACERS; i++)
			cr_assert_eq(pthread_create(&thread[i], NULL, race, &s[i]), 0);
		for (int i = 0; i < RACERS; i++)
			pthread_join(thread[i], NULL);
		cr_expect_eq(atomic_load(&winners), 1);
		for (int i = RACERS - 1; i > 0; i--) {
			spx_server_free(s[i].server);
			spx_setup_free(&s[i].setup);
		}
		served_stop(&s[0]);
		cr_expect(!exists(contested));
	}
	free(contested);
}

/* Without a path: in the run directory, from which sockets of dead instances go. */
Test(server_listen, in_the_run_directory)
{
	char *run = path_in_folder("sphex"), *dead = path_in_folder("sphex/99.sock"),
	     *other = path_in_folder("sphex/x.sock"), *living = path_in_folder("sphex/7.sock");
	char expected[128];
	struct served s, neighbour;
	struct spx_error err;

	if (geteuid() == 0)
		cr_assert(chown(folder, 65534, 65534) == 0 && seteuid(65534) == 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	cr_assert_eq(mkdir(run, 0755), 0);
	leave_behind(dead);
	leave_behind(other);
	cr_assert_eq(serve_at(&neighbour, living, &err), 0, "%s", err.text);
	served_start(&s);
	cr_assert_eq(spx_server_listen(s.server, &err), 0, "%s", err.text);
	snprintf(expected, sizeof(expected), "%s/%d.sock", run, getpid());
	cr_expect_str_eq(spx_server_path(s.server), expected);
	cr_expect(!exists(dead) && exists(other) && exists(living));
	served_stop(&s);
	cr_expect(!exists(expected));

	cr_assert_eq(chmod(run, 0777), 0);
	served_start(&s);
	cr_expect_eq(spx_server_listen(s.server, &err), -EPERM);
	cr_expect(says(err.text, "a folder that only user"), "%s", err.text);
	served_stop(&s);
	served_stop(&neighbour);
	unlink(other);
	cr_expect_eq(rmdir(run), 0);
	cr_expect(seteuid(getuid()) == 0);
	remove_folder();
	free(run);
	free(dead);
	free(other);
	free(living);
}

/* Who may do what is decided by the user at the other end. As root: others are tried by their numbers. */
Test(server_listen, roles, .fini = remove_folder)
{
	static const struct {
		uid_t uid;
		bool closed;
		const char *says;
	} table[] = {
		{0, true, "\"role\":\"operator\""},
		{1000, true, "\"role\":\"operator\""},
		{65534, true, "\"code\":-32000"},
		{65534, false, "\"role\":\"reader\""},
		{1000, false, "\"role\":\"operator\""},
	};
	char *path = path_in_folder("s");
	struct spx_error err;

	if (geteuid() != 0) {
		free(path);
		cr_skip_test("needs root to be somebody else");
	}
	cr_assert_eq(chmod(folder, 0755), 0);
	for (size_t i = 0; i < RTE_DIM(table); i++) {
		struct served s;
		struct peer p;
		bool connected;

		served_start(&s);
		s.setup.control.socket = strdup(path);
		s.setup.control.operators = calloc(1, sizeof(uid_t));
		s.setup.control.operators[0] = 1000;
		s.setup.control.n_operators = 1;
		s.setup.control.readers = table[i].closed ? SPX_READERS_NONE : SPX_READERS_ANYONE;
		cr_assert_eq(spx_server_listen(s.server, &err), 0, "%s", err.text);
		cr_assert_eq(seteuid(table[i].uid), 0);
		connected = peer_connect(&p, &s);
		cr_assert_eq(seteuid(0), 0);
		cr_assert(connected, "user %u", table[i].uid);
		cr_expect(says(peer_ask(&p, HELLO), table[i].says), "user %u: %s", table[i].uid, p.line);
		peer_leave(&p);
		served_stop(&s);
	}
	free(path);
}

/* Out of file descriptors: whoever knocks waits, and the loop does not turn for nothing. */
Test(server_listen, no_file_descriptors, .fini = remove_folder)
{
	char *path = path_in_folder("s");
	struct spx_error err;
	struct rlimit before, few;
	struct served s;
	struct peer p;
	unsigned turns = 0;

	cr_assert_eq(serve_at(&s, path, &err), 0, "%s", err.text);
	cr_assert(peer_connect(&p, &s));
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = (rlim_t)p.fd + 1, .rlim_max = before.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (uint64_t end = spx_now_ns() + 300000000; spx_now_ns() < end; turns++)
		spx_server_poll(s.server, 50);
	cr_expect_leq(turns, 20);
	cr_expect_eq(s.server->n_clients, 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_expect(says(peer_ask(&p, HELLO), "\"protocol\":1"), "%s", p.line);
	peer_leave(&p);
	served_stop(&s);
	free(path);
}

/* A hundred at once, ten malformed lines each. */
Test(server_listen, a_hundred_at_once, .fini = remove_folder)
{
	char *path = path_in_folder("s");
	struct spx_error err;
	struct served s;
	struct peer p[100];

	cr_assert_eq(serve_at(&s, path, &err), 0, "%s", err.text);
	for (unsigned i = 0; i < RTE_DIM(p); i++)
		cr_assert(peer_connect(&p[i], &s));
	for (unsigned i = 0; i < RTE_DIM(p); i++)
		peer_say(&p[i], "{\n[]\n\n5\n\"\n{{\n[[\n\xff\n{}\n.\n");
	for (unsigned i = 0; i < RTE_DIM(p); i++) {
		for (unsigned n = 0; n < 10; n++)
			cr_expect_lt(answer_code(peer_line(&p[i])), 0);
		cr_expect(says(peer_ask(&p[i], HELLO), "\"protocol\":1"), "%s", p[i].line);
	}
	cr_expect(s.server->malformed == 1000 && s.server->n_clients == 100);
	for (unsigned i = 0; i < RTE_DIM(p); i++)
		peer_leave(&p[i]);
	served_stop(&s);
	free(path);
}
