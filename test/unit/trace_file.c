/* Files of every sort: plain, gzip, damaged, none at all. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/trace/reader.h"
#include "test/unit/trace_build.h"

#define PACKETS 200u

struct buffer {
	uint8_t *data;
	size_t n;
};

/* A pcap file of PACKETS packets of 60 bytes. */
static struct buffer
make_trace(void)
{
	struct buffer file = {malloc(24 + PACKETS * 76), 0};

	for (unsigned i = 0; i < PACKETS; i++) {
		struct build b;
		size_t skip = i == 0 ? 0 : 24;

		build_pcap(&b, false, 0xa1b2c3d4, 1);
		build_record(&b, i, 0, 60, 60, (uint8_t)(i * 7));
		memcpy(file.data + file.n, b.data + skip, b.n - skip);
		file.n += b.n - skip;
	}
	return file;
}

/* One gzip member of n bytes, appended. */
static void
append_gzip(struct buffer *out, const uint8_t *data, size_t n)
{
	z_stream z = {.zalloc = Z_NULL};
	size_t room = n + 1024;

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	out->data = realloc(out->data, out->n + room);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)n;
	z.next_out = out->data + out->n;
	z.avail_out = (uInt)room;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n += room - z.avail_out;
	deflateEnd(&z);
}

/* Packets in the memory's trace and how it ended; -1 packets when it does not open. */
static int
read_all(const uint8_t *data, size_t n, int *rc, struct spx_error *err)
{
	struct spx_trace *trace;
	struct spx_trace_packet packet;
	int packets = 0;

	*rc = spx_trace_open_memory("made", data, n, &trace, err);
	if (*rc != 0)
		return -1;
	while ((*rc = spx_trace_next(trace, &packet, err)) == 1) {
		for (unsigned i = 0; i < packet.captured; i++)
			cr_assert_eq(packet.data[i], (uint8_t)(packets * 7 + (int)i));
		packets++;
	}
	spx_trace_close(trace);
	return packets;
}

Test(trace_file, gzip_in_one_member_and_in_three)
{
	struct buffer plain = make_trace(), one = {NULL, 0}, three = {NULL, 0};
	struct spx_error err;
	int rc;

	append_gzip(&one, plain.data, plain.n);
	append_gzip(&three, plain.data, 13);
	append_gzip(&three, plain.data + 13, 1000);
	append_gzip(&three, plain.data + 1013, plain.n - 1013);
	cr_assert_eq(read_all(one.data, one.n, &rc, &err), PACKETS);
	cr_assert_eq(rc, 0);
	cr_assert_eq(read_all(three.data, three.n, &rc, &err), PACKETS);
	cr_assert_eq(rc, 0);
	free(plain.data);
	free(one.data);
	free(three.data);
}

Test(trace_file, gzip_cut_at_every_byte)
{
	struct buffer plain = make_trace(), gzip = {NULL, 0};
	struct spx_error err;
	int last = -1, rc;

	append_gzip(&gzip, plain.data, 5000);
	append_gzip(&gzip, plain.data + 5000, plain.n - 5000);
	for (size_t cut = 2; cut < gzip.n; cut++) {
		uint8_t *copy = malloc(cut);
		int n;

		memcpy(copy, gzip.data, cut);
		n = read_all(copy, cut, &rc, &err);
		cr_assert_lt(rc, 0);
		cr_assert_not_null(strstr(err.text, "made: byte "), "%s", err.text);
		cr_assert_not_null(strstr(err.text, "of the inflated data"), "%s", err.text);
		/* More bytes never give fewer packets; all are there before the trailer is. */
		cr_assert_geq(n, last);
		last = n;
		free(copy);
	}
	cr_assert_eq(last, PACKETS);
	free(plain.data);
	free(gzip.data);
}

Test(trace_file, gzip_damage_comes_after_the_packets_before_it)
{
	struct buffer plain = make_trace(), gzip = {NULL, 0};
	struct spx_error err;
	int n, rc;

	append_gzip(&gzip, plain.data, 24 + 100 * 76);
	n = (int)gzip.n;
	append_gzip(&gzip, plain.data + 24 + 100 * 76, 100 * 76);
	gzip.data[n - 6] ^= 1; /* checksum of the first member */
	cr_assert_eq(read_all(gzip.data, gzip.n, &rc, &err), 100);
	cr_assert_eq(rc, -EBADMSG);
	expect_message(&err, 24 + 100 * 76, "of the inflated data: incorrect data check");
	gzip.data[n - 6] ^= 1;
	gzip.data[n] = 0x1e; /* the second member does not begin as gzip does */
	cr_assert_eq(read_all(gzip.data, gzip.n, &rc, &err), 100);
	cr_assert_eq(rc, -EBADMSG);
	expect_message(&err, 24 + 100 * 76, "bytes that are not gzip follow");
	free(plain.data);
	free(gzip.data);
}

Test(trace_file, zeros_behind_gzip_data_are_padding)
{
	struct buffer plain = make_trace(), gzip = {NULL, 0};
	struct spx_error err;
	int rc;

	append_gzip(&gzip, plain.data, plain.n);
	gzip.data = realloc(gzip.data, gzip.n + 500);
	memset(gzip.data + gzip.n, 0, 500);
	cr_assert_eq(read_all(gzip.data, gzip.n + 500, &rc, &err), PACKETS);
	cr_assert_eq(rc, 0);
	free(plain.data);
	free(gzip.data);
}

/* 8 MiB of zeros make the memory grow several times. */
Test(trace_file, gzip_limit_of_the_inflated_size)
{
	const size_t size = 8u << 20;
	struct buffer gzip = {NULL, 0};
	uint8_t *zeros = calloc(1, size);
	struct spx_trace_file file;
	struct spx_error err;

	append_gzip(&gzip, zeros, size);
	cr_assert_eq(spx_trace_file_from_memory(&file, "made", gzip.data, gzip.n, size, &err), 0);
	cr_assert_eq(file.size, size);
	cr_assert_eq(memcmp(file.data, zeros, size), 0);
	spx_trace_file_close(&file);
	cr_assert_eq(spx_trace_file_from_memory(&file, "made", gzip.data, gzip.n, size - 1, &err), -EFBIG);
	expect_message(&err, (long)size - 1, "inflates to more than");
	append_gzip(&gzip, zeros, 1);
	cr_assert_eq(spx_trace_file_from_memory(&file, "made", gzip.data, gzip.n, size, &err), -EFBIG);
	free(zeros);
	free(gzip.data);
}

/* ---- files ----------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/spx_trace_file.XXXXXX";
static char path[128];

static void
make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
}

static void
remove_folder(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

static void
write_path(const void *data, size_t n)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(data, 1, n, f), n);
	fclose(f);
}

static void
expect_no_open(const char *name, int code, const char *reason)
{
	struct spx_trace *trace = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_trace_open(name, &trace, &err), code, "%s", err.text);
	cr_assert_null(trace);
	cr_assert_eq(strncmp(err.text, name, strlen(name)), 0, "%s", err.text);
	cr_assert_not_null(strstr(err.text, reason), "%s", err.text);
}

Test(trace_file, plain_and_gzip_from_disk, .init = make_folder, .fini = remove_folder)
{
	struct buffer plain = make_trace(), gzip = {NULL, 0};

	append_gzip(&gzip, plain.data, plain.n);
	for (int i = 0; i < 2; i++) {
		struct spx_trace *trace;
		struct spx_error err;
		int rc;

		write_path(i == 0 ? plain.data : gzip.data, i == 0 ? plain.n : gzip.n);
		cr_assert_eq(spx_trace_open(path, &trace, &err), 0);
		cr_assert_eq(spx_trace_size(trace), plain.n);
		cr_assert_eq(count_packets(trace, &rc), PACKETS);
		cr_assert_eq(rc, 0);
		spx_trace_close(trace);
	}
	free(plain.data);
	free(gzip.data);
}

Test(trace_file, things_that_are_no_trace, .init = make_folder, .fini = remove_folder)
{
	expect_no_open(path, -ENOENT, "No such file");
	expect_no_open(folder, -EISDIR, "is a directory; a pcap or pcapng file expected");
	expect_no_open("/dev/zero", -EINVAL, "not a regular file");
	write_path("", 0);
	expect_no_open(path, -EBADMSG, "byte 0: the file is empty");
	write_path("\x1f\x8b", 2);
	expect_no_open(path, -EBADMSG, "the gzip data end too early");
	write_path("\x1f\x8b\x08\x00garbage, not deflate", 24);
	expect_no_open(path, -EBADMSG, "byte 0 of the inflated data");
	write_path("hello", 5);
	expect_no_open(path, -EINVAL, "byte 0: no capture format begins with 68 65 6c 6c");
}

Test(trace_file, fifo_does_not_hang, .init = make_folder, .fini = remove_folder, .timeout = 5)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_no_open(path, -EINVAL, "not a regular file");
}

Test(trace_file, unreadable, .init = make_folder, .fini = remove_folder)
{
	write_path("x", 1);
	cr_assert_eq(chmod(path, 0), 0);
	if (geteuid() == 0)
		cr_skip_test("skipped: root may read everything");
	expect_no_open(path, -EACCES, "Permission denied");
}

Test(trace_file, close_of_nothing)
{
	spx_trace_close(NULL);
}
