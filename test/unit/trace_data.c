/* The trace reader on real and hostile captures under SPX_DATA (../shared/data beside the project); skipped
 * where they are not there. */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/trace_build.h"

static const char *
data_folder(void)
{
	const char *folder = getenv("SPX_DATA");

	return folder != NULL && access(folder, R_OK) == 0 ? folder : NULL;
}

/* What opening and reading a file came to. */
struct outcome {
	unsigned packets;
	uint64_t skipped;
	int rc;
	bool opened;
	struct spx_error err;
};

static struct outcome
read_file(const char *path)
{
	struct outcome o = {.err = {""}};
	struct spx_trace *trace;
	struct spx_trace_packet packet;
	volatile uint8_t sum = 0;

	o.rc = spx_trace_open(path, &trace, &o.err);
	if (o.rc != 0)
		return o;
	o.opened = true;
	while ((o.rc = spx_trace_next(trace, &packet, &o.err)) == 1) {
		cr_assert_geq(packet.length, packet.captured);
		for (uint32_t i = 0; i < packet.captured; i++)
			sum = (uint8_t)(sum + packet.data[i]);
		o.packets++;
	}
	o.skipped = spx_trace_skipped(trace);
	spx_trace_close(trace);
	return o;
}

/* nftw gives its callback no argument. */
static unsigned files, readable;

static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct outcome o;

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	files++;
	o = read_file(path);
	readable += o.rc == 0;
	if (o.rc < 0) {
		cr_assert_not_null(strstr(o.err.text, path), "%s", o.err.text);
		cr_assert_not_null(strstr(o.err.text, ": byte "), "%s", o.err.text);
	}
	return 0;
}

static void
visit_all(const char *sub)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", data_folder(), sub);
	files = readable = 0;
	cr_assert_eq(nftw(path, visit, 16, FTW_PHYS), 0);
	cr_assert_gt(files, 0);
}

Test(trace_data, every_trace_is_read_or_named)
{
	if (data_folder() == NULL)
		cr_skip_test("skipped: no ../shared/data");
	visit_all("traces");
	/* 802.11, FDDI, ARCNET and their like, an ERF file and an empty one are the rest. */
	cr_assert_geq(readable * 100, files * 95, "%u of %u", readable, files);
}

Test(trace_data, every_bad_input_is_read_or_named)
{
	if (data_folder() == NULL)
		cr_skip_test("skipped: no ../shared/data");
	visit_all("badinput");
}

Test(trace_data, known_numbers_of_packets)
{
	static const struct {
		const char *path;
		unsigned packets;
	} known[] = {
		{"traces/backbone/wits/auckland-uplink-20000125.pcap", 31249},
		{"traces/backbone/wits/isp-vlan-20100113.pcap", 10000},
		{"traces/backbone/snabb/sanitized4k.pcap", 4096},
		{"traces/flood/amp.UDP.bacnet.IOT.37810.pcapng", 9617},
		{"traces/flood/amp.UDP.snmp.src161.pcapng", 4373},
		{"traces/flood/synscan.pcap", 2011},
		{"traces/manyflow/emix.pcap", 7133},
	};

	if (data_folder() == NULL)
		cr_skip_test("skipped: no ../shared/data");
	for (size_t i = 0; i < RTE_DIM(known); i++) {
		char path[4096];
		struct outcome o;

		snprintf(path, sizeof(path), "%s/%s", data_folder(), known[i].path);
		o = read_file(path);
		cr_assert_eq(o.rc, 0, "%s", o.err.text);
		cr_assert_eq(o.packets, known[i].packets, "%s: %u", path, o.packets);
		cr_assert_eq(o.skipped, 0);
	}
}

/* Packets that tcpdump counts before the end or the damage; -1 when it refuses the file. */
static int
tcpdump_count(const char *path)
{
	char command[4200], line[256] = "";
	FILE *p;
	int n = -1;

	snprintf(command, sizeof(command), "tcpdump --count -r '%s' 2>/dev/null", path);
	p = popen(command, "r");
	if (fgets(line, sizeof(line), p) == NULL || sscanf(line, "%d packet", &n) != 1)
		n = -1;
	pclose(p);
	return n;
}

static unsigned compared;

static int
compare(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = strlen(path);
	struct outcome o;
	int theirs;

	(void)st;
	(void)ftw;
	/* One file in three; libpcap reads no pcapng with interfaces of different link types, so pcap only.
	 */
	if (type != FTW_F || files++ % 3 != 0 || n < 5 || strcmp(path + n - 5, ".pcap") != 0)
		return 0;
	o = read_file(path);
	theirs = tcpdump_count(path);
	if (!o.opened || theirs < 0)
		return 0;
	cr_assert_eq(o.packets + o.skipped, (uint64_t)theirs, "%s: %u + %lu, tcpdump %d", path, o.packets,
		o.skipped, theirs);
	compared++;
	return 0;
}

Test(trace_data, tcpdump_counts_the_same)
{
	if (data_folder() == NULL)
		cr_skip_test("skipped: no ../shared/data");
	if (system("tcpdump --count -r /dev/null 2>&1 | grep -q 'unrecognized option'") == 0 ||
		system("command -v tcpdump >/dev/null 2>&1") != 0)
		cr_skip_test("skipped: no tcpdump that counts");
	files = compared = 0;
	cr_assert_eq(nftw(data_folder(), compare, 16, FTW_PHYS), 0);
	cr_assert_gt(compared, 100, "%u", compared);
}
