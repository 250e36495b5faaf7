/* Fuzzer of the trace reader: any bytes, as a file in memory, give packets that lie within them and an end or
 * an error, and the same again after a rewind. */
#include <stdlib.h>
#include <string.h>

#include "lib/trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	uint64_t packets, skipped, sum;
	int rc;
};

static struct result
read_all(struct spx_trace *trace)
{
	struct result r = {0};
	struct spx_trace_packet packet;
	struct spx_error err;

	while ((r.rc = spx_trace_next(trace, &packet, &err)) == 1) {
		if (packet.captured > packet.length)
			abort();
		for (uint32_t i = 0; i < packet.captured; i++)
			r.sum += packet.data[i];
		r.sum += packet.time + packet.offset + packet.ethertype;
		r.packets++;
	}
	if (r.rc < 0 && strncmp(err.text, "fuzz: byte ", 11) != 0)
		abort();
	r.skipped = spx_trace_skipped(trace);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spx_trace *trace;
	struct spx_error err;
	struct result first, second;

	if (spx_trace_open_memory("fuzz", data, size, &trace, &err) != 0) {
		if (strncmp(err.text, "fuzz: byte ", 11) != 0)
			abort();
		return 0;
	}
	first = read_all(trace);
	spx_trace_rewind(trace);
	second = read_all(trace);
	if (memcmp(&first, &second, sizeof(first)) != 0)
		abort();
	spx_trace_close(trace);
	return 0;
}
