/* The program spxgen as a user meets it: files, messages, exit status. SPXGEN in the environment names it. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/trace_build.h"

static char folder[] = "/tmp/spx_spxgen.XXXXXX";
static char output[4096]; /* of the last run, both streams */

static void
make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void
remove_folder(void)
{
	(void)unlink("t.pcap");
	(void)rmdir(folder);
}

/* Runs spxgen with the arguments; returns its exit status. */
static int
run(const char *arguments)
{
	const char *program = getenv("SPXGEN");
	char command[1024];
	FILE *p;
	size_t n;
	int status;

	cr_assert_not_null(program, "SPXGEN is not set");
	snprintf(command, sizeof(command), "%s %s 2>&1", program, arguments);
	p = popen(command, "r");
	cr_assert_not_null(p);
	n = fread(output, 1, sizeof(output) - 1, p);
	output[n] = '\0';
	status = pclose(p);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
expect_usage_error(const char *arguments, const char *message)
{
	cr_assert_eq(run(arguments), 2, "%s: %s", arguments, output);
	cr_assert_not_null(strstr(output, message), "%s: %s", arguments, output);
	cr_assert_neq(access("t.pcap", F_OK), 0);
}

Test(spxgen, writes_a_trace_and_says_what, .init = make_folder, .fini = remove_folder)
{
	struct spx_trace *trace;
	struct spx_error err;
	struct stat st;
	char line[128];
	int rc;

	cr_assert_eq(
		run("--packets 3000 --flows 200 --seed 9 --snap 96 --scan 0 --flood 1 --malformed 2 t.pcap"),
		0);
	cr_assert_eq(stat("t.pcap", &st), 0);
	snprintf(line, sizeof(line), "t.pcap: 3000 packets, 200 flows, %lld bytes\n", (long long)st.st_size);
	cr_assert_str_eq(output, line);
	cr_assert_eq(spx_trace_open("t.pcap", &trace, &err), 0);
	cr_assert_eq(count_packets(trace, &rc), 3000);
	spx_trace_close(trace);
}

Test(spxgen, help_and_version, .init = make_folder, .fini = remove_folder)
{
	cr_assert_eq(run("--help"), 0);
	cr_assert_not_null(strstr(output, "usage: spxgen"));
	cr_assert_not_null(strstr(output, "--malformed PM"));
	cr_assert_eq(run("--version"), 0);
	cr_assert_eq(strncmp(output, "spxgen ", 7), 0);
}

Test(spxgen, usage_errors, .init = make_folder, .fini = remove_folder)
{
	expect_usage_error("", "0 file names; exactly one expected");
	expect_usage_error("t.pcap u.pcap", "2 file names; exactly one expected");
	expect_usage_error("--packets", "packets");
	expect_usage_error(
		"--packets x t.pcap", "--packets: 'x'; a whole number from 1 to 4000000000 expected");
	expect_usage_error("--packets 5k t.pcap", "--packets: '5k'");
	expect_usage_error("--packets 4000000001 t.pcap", "--packets: '4000000001'");
	expect_usage_error("--packets 99999999999999999999999 t.pcap", "--packets:");
	expect_usage_error("--flows 0 t.pcap", "--flows: '0'; a whole number from 1 to 8388608 expected");
	expect_usage_error("--seed -1 t.pcap", "--seed: '-1'; a whole number from 0 to 18446744073709551615");
	expect_usage_error("--snap 1519 t.pcap", "--snap: '1519'; a whole number from 1 to 1518 expected");
	expect_usage_error("--scan 1001 t.pcap", "--scan: '1001'; a whole number from 0 to 1000 expected");
	expect_usage_error("--flood '' t.pcap", "--flood: ''");
	expect_usage_error("--malformed ' 1' t.pcap", "--malformed: ' 1'");
	expect_usage_error("--scan 600 --flood 600 t.pcap", "at most 1000 together");
	expect_usage_error("--packets 50 --flows 100 t.pcap", "packets: 50; at least 10");
	expect_usage_error("--no-such t.pcap", "--help lists the options");
}

Test(spxgen, files_that_cannot_be_written, .init = make_folder, .fini = remove_folder)
{
	cr_assert_eq(run("--packets 100 --flows 10 /nonexistent/t.pcap"), 1);
	cr_assert_not_null(strstr(output, "/nonexistent/t.pcap"), "%s", output);
	cr_assert_eq(run("--packets 100 --flows 10 /dev/null"), 1);
	cr_assert_not_null(strstr(output, "not a regular file"), "%s", output);
}
