/* The pcapng writer: what it writes, the reader and tcpdump read back. */
#include <errno.h>
#include <unistd.h>

#include "test/unit/trace_build.h"

static char path[] = "/tmp/spx_capture.XXXXXX";

static void
make_file(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void
remove_file(void)
{
	(void)unlink(path);
}

static struct spx_capture_file *
create(const char *interface, uint32_t snap)
{
	struct spx_capture_file *file = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_capture_file_create(path, interface, snap, &file, &err), 0, "%s", err.text);
	return file;
}

/* A packet of the first interface. */
static int
write_packet(struct spx_capture_file *file, const uint8_t *data, uint32_t captured, uint32_t length,
	uint64_t time, const char *comment)
{
	return spx_capture_file_write(file, &(struct spx_capture_packet){.data = data,
						    .captured = captured,
						    .length = length,
						    .time = time,
						    .comment = comment});
}

static struct spx_trace *
open_path(void)
{
	struct spx_trace *trace = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_trace_open(path, &trace, &err), 0, "%s", err.text);
	return trace;
}

/* Lengths, padding, times and comments of every remainder modulo 4 come back as they were. */
Test(trace_capture_file, round_trip, .init = make_file, .fini = remove_file)
{
	static const char *const comments[] = {NULL, "", "a", "ab", "abc", "drop: rule_drop", "12345"};
	struct spx_capture_file *file = create("port0", 0);
	struct spx_trace *trace;
	uint8_t data[300];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (uint32_t i = 0; i < 280; i++)
		cr_assert_eq(write_packet(file, data + i % 16, i, i + i % 3 * 100,
				     UINT64_C(1704067200123456789) + i, comments[i % RTE_DIM(comments)]),
			0);
	cr_assert_eq(spx_capture_file_close(file), 0);
	trace = open_path();
	for (uint32_t i = 0; i < 280; i++) {
		struct spx_trace_packet packet = expect_packet(trace, i, i + i % 3 * 100, (uint8_t)(i % 16));

		cr_assert_eq(packet.time, UINT64_C(1704067200123456789) + i);
		cr_assert_eq(packet.ethertype, 0);
	}
	expect_end(trace);
	spx_trace_close(trace);
}

Test(trace_capture_file, snap_length_cuts_what_is_kept, .init = make_file, .fini = remove_file)
{
	static const uint8_t data[200];
	struct spx_capture_file *file = create("p", 64);
	struct spx_trace *trace;
	struct spx_trace_packet packet;
	struct spx_error err;

	write_packet(file, data, 200, 1500, 0, NULL);
	write_packet(file, data, 64, 64, 0, NULL);
	write_packet(file, data, 10, 5, 0, NULL); /* a length below what is there */
	cr_assert_eq(spx_capture_file_close(file), 0);
	trace = open_path();
	cr_assert_eq(spx_trace_next(trace, &packet, &err), 1);
	cr_assert(packet.captured == 64 && packet.length == 1500);
	cr_assert_eq(spx_trace_next(trace, &packet, &err), 1);
	cr_assert(packet.captured == 64 && packet.length == 64);
	cr_assert_eq(spx_trace_next(trace, &packet, &err), 1);
	cr_assert(packet.captured == 10 && packet.length == 10);
	expect_end(trace);
	spx_trace_close(trace);
}

/* Longer than an option can say: cut, and the file stays readable. So does one with the largest packet. */
Test(trace_capture_file, oversize_comment_and_packet, .init = make_file, .fini = remove_file)
{
	struct spx_capture_file *file = create("p", 0);
	char *comment = malloc(70000);
	uint8_t *data = calloc(1, 300000);
	struct spx_trace *trace;
	int rc;

	memset(comment, 'c', 69999);
	comment[69999] = '\0';
	cr_assert_eq(write_packet(file, data, 60, 60, 1, comment), 0);
	cr_assert_eq(write_packet(file, data, 300000, 300000, 2, NULL), 0);
	cr_assert_eq(spx_capture_file_close(file), 0);
	trace = open_path();
	cr_assert_eq(count_packets(trace, &rc), 2);
	cr_assert_eq(rc, 0);
	spx_trace_close(trace);
	free(comment);
	free(data);
}

/* The bytes themselves, field by field, for one packet with a comment. */
Test(trace_capture_file, layout, .init = make_file, .fini = remove_file)
{
	struct spx_capture_file *file = create("eth", 0);
	uint32_t word[64] = {0};
	FILE *f;
	size_t n;

	write_packet(file, (const uint8_t *)"abcde", 5, 9, UINT64_C(0x100000002), "why");
	cr_assert_eq(spx_capture_file_close(file), 0);
	f = fopen(path, "r");
	n = fread(word, 1, sizeof(word), f);
	fclose(f);
	cr_assert_eq(word[0], 0x0a0d0d0a);
	cr_assert_eq(word[2], 0x1a2b3c4d);
	cr_assert_eq(word[3], 1);
	cr_assert(word[4] == UINT32_MAX && word[5] == UINT32_MAX);
	cr_assert_eq(word[word[1] / 4 - 1], word[1]);
	{
		const uint32_t *interface = word + word[1] / 4;
		const uint32_t *packet = interface + interface[1] / 4;

		cr_assert(interface[0] == 1 && interface[2] == 1 && interface[3] == 0);
		cr_assert_eq(interface[4], 2 | 3u << 16); /* if_name */
		cr_assert_eq(memcmp(&interface[5], "eth\0", 4), 0);
		cr_assert_eq(interface[6], 9 | 1u << 16); /* if_tsresol */
		cr_assert_eq(interface[7], 9);
		cr_assert_eq(interface[8], 0); /* opt_endofopt */
		cr_assert_eq(interface[1], 40);
		cr_assert(packet[0] == 6 && packet[1] == 52 && packet[2] == 0);
		cr_assert(packet[3] == 1 && packet[4] == 2 && packet[5] == 5 && packet[6] == 9);
		cr_assert_eq(memcmp(&packet[7], "abcde\0\0\0", 8), 0);
		cr_assert_eq(packet[9], 1 | 3u << 16); /* opt_comment */
		cr_assert_eq(memcmp(&packet[10], "why\0", 4), 0);
		cr_assert_eq(packet[11], 0);
		cr_assert_eq(packet[12], 52);
		cr_assert_eq((const uint8_t *)(packet + 13), (const uint8_t *)word + n);
	}
}

Test(trace_capture_file, tcpdump_reads_it, .init = make_file, .fini = remove_file)
{
	static const uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	struct spx_capture_file *file = create("port0", 0);
	char command[256], line[256] = "";
	FILE *p;

	for (int i = 0; i < 1000; i++)
		write_packet(file, frame, sizeof(frame), 60, UINT64_C(1704067200000000000) + (uint64_t)i,
			"a comment");
	cr_assert_eq(spx_capture_file_close(file), 0);
	if (system("command -v tcpdump >/dev/null 2>&1") != 0)
		cr_skip_test("skipped: no tcpdump");
	snprintf(command, sizeof(command),
		"tcpdump --nano -tt -n -r %s 2>/dev/null | grep '^[0-9]' | tail -1", path);
	p = popen(command, "r");
	cr_assert_not_null(fgets(line, sizeof(line), p));
	pclose(p);
	cr_assert_eq(strncmp(line, "1704067200.000000999 ", 21), 0, "%s", line);
}

Test(trace_capture_file, errors)
{
	static const uint8_t data[1500];
	struct spx_capture_file *file = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_capture_file_create("/nonexistent/file", "p", 0, &file, &err), -ENOENT);
	cr_assert_not_null(
		strstr(err.text, "/nonexistent/file: cannot be created: No such file"), "%s", err.text);
	cr_assert_null(file);
	cr_assert_eq(spx_capture_file_close(NULL), 0);
	if (access("/dev/full", W_OK) != 0)
		cr_skip_test("skipped: no /dev/full");
	cr_assert_eq(spx_capture_file_create("/dev/full", "p", 0, &file, &err), 0);
	for (int i = 0; i < 2000; i++)
		(void)write_packet(file, data, sizeof(data), 1500, 0, NULL);
	cr_assert_eq(write_packet(file, data, 1, 1, 0, NULL), -ENOSPC);
	cr_assert_eq(spx_capture_file_close(file), -ENOSPC);
	/* Little enough to stay in the buffer: the error comes at the close. */
	cr_assert_eq(spx_capture_file_create("/dev/full", "p", 0, &file, &err), 0);
	cr_assert_eq(write_packet(file, data, 60, 60, 0, NULL), 0);
	cr_assert_eq(spx_capture_file_close(file), -ENOSPC);
}
