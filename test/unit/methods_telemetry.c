/* The commands on the socket of DPDK's telemetry: what they answer while an appliance runs and when none
 * does, and that an end comes between two answers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>

#include "app/sphex/telemetry.h"
#include "test/unit/methods_running.h"

TestSuite(methods_telemetry, .timeout = 60);

static int
connect_to_telemetry(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char hello[1024];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dpdk_telemetry.v2",
		rte_eal_get_runtime_dir());
	cr_assert_eq(
		connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0, "%s", address.sun_path);
	cr_assert_gt(read(fd, hello, sizeof(hello)), 0);
	return fd;
}

/* What the command answers, under its name; new reference. */
static json_t *
ask(int fd, const char *command)
{
	static char answer[16384];
	json_t *whole, *part;
	ssize_t n;

	cr_assert_eq(write(fd, command, strlen(command)), (ssize_t)strlen(command));
	n = read(fd, answer, sizeof(answer));
	cr_assert_gt(n, 0);
	whole = json_loadb(answer, (size_t)n, JSON_DISABLE_EOF_CHECK, NULL);
	cr_assert_not_null(whole, "%.*s", (int)n, answer);
	part = json_incref(json_object_get(whole, command));
	json_decref(whole);
	return part;
}

static void
expect_nothing(int fd)
{
	static const char *const commands[] = {
		"/sphex/ports", "/sphex/stages", "/sphex/drops", "/sphex/cache"};

	for (size_t i = 0; i < RTE_DIM(commands); i++) {
		json_t *answer = ask(fd, commands[i]);

		cr_expect(json_is_null(answer), "%s", commands[i]);
		json_decref(answer);
	}
}

/* The whole numbers and texts of an element are those of the method, which are not more than a second answer.
 */
static void
expect_plain(const json_t *shown, const json_t *told, const json_t *later)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)shown, key, value) {
		const json_t *other = json_object_get(told, key);

		if (json_is_integer(value)) {
			cr_expect_leq(json_integer_value(value), json_integer_value(other), "%s", key);
			cr_expect_leq(json_integer_value(other),
				json_integer_value(json_object_get(later, key)), "%s", key);
		} else if (json_is_string(value)) {
			cr_expect(json_equal(value, other), "%s", key);
		}
	}
}

/* Each element of the method's array is told under its name, or its number. */
static void
expect_array(
	struct running *r, int fd, const char *command, running_method run, const char *part, const char *key)
{
	json_t *shown = running_call(r, run, NULL), *told = ask(fd, command),
	       *later = running_call(r, run, NULL);
	const json_t *elements = json_object_get(shown, part);

	cr_assert(json_is_object(told), "%s", command);
	cr_expect_eq(json_object_size(told), json_array_size(elements));
	for (size_t i = 0; i < json_array_size(elements); i++) {
		const json_t *element = json_array_get(elements, i);
		char number[24];

		snprintf(number, sizeof(number), "%zu", i);
		expect_plain(element,
			json_object_get(told,
				key == NULL ? number : json_string_value(json_object_get(element, key))),
			json_array_get(json_object_get(later, part), i));
	}
	json_decref(shown);
	json_decref(told);
	json_decref(later);
}

static void
expect_cache(struct running *r, int fd)
{
	json_t *told = ask(fd, "/sphex/cache"), *later = running_call(r, spx_method_show_cache, NULL);
	const json_t *exact = json_object_get(told, "exact");

	cr_expect_str_eq(json_string_value(json_object_get(told, "mode")), "exact");
	cr_expect_eq(json_integer_value(json_object_get(exact, "resident")), 2 * TRACE_FLOWS + 1);
	expect_plain(exact, exact, json_object_get(json_object_get(later, "cache"), "exact"));
	cr_expect_gt(json_integer_value(json_object_get(exact, "hits")), 0);
	json_decref(told);
	json_decref(later);
}

Test(methods_telemetry, answers_while_an_appliance_runs)
{
	struct running r;
	int fd;

	running_start(&r);
	fd = connect_to_telemetry();
	spx_telemetry_begin(r.app);
	expect_array(&r, fd, "/sphex/ports", spx_method_show_ports, "ports", NULL);
	expect_array(&r, fd, "/sphex/stages", spx_method_show_stages, "stages", "name");
	expect_array(&r, fd, "/sphex/drops", spx_method_show_drops, "drops", "reason");
	expect_cache(&r, fd);
	spx_telemetry_end();
	expect_nothing(fd);
	spx_telemetry_begin(r.app); /* a second run of the process */
	expect_cache(&r, fd);
	spx_telemetry_end();
	close(fd);
	running_end(&r);
}

static void *
ask_on(void *arg)
{
	const int fd = *(const int *)arg;
	bool answered;

	do {
		json_t *answer = ask(fd, "/sphex/stages");

		answered = json_is_object(answer);
		json_decref(answer);
	} while (answered);
	return NULL;
}

/* Who asks without pause is told of nobody after the end. */
Test(methods_telemetry, the_end_comes_between_two_answers)
{
	struct running r;
	pthread_t thread;
	int fd;

	running_start(&r);
	fd = connect_to_telemetry();
	spx_telemetry_begin(r.app);
	cr_assert_eq(pthread_create(&thread, NULL, ask_on, &fd), 0);
	running_wait(&r);
	spx_telemetry_end();
	pthread_join(thread, NULL); /* it was told that there is nobody */
	close(fd);
	running_end(&r);
}
