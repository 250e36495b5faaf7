/* The public functions of the trace reader and the words of its errors.
 *
 * file.c brings the bytes, pcap.c and pcapng.c walk over them, link.c strips link headers. This file chooses
 * the format and keeps what both formats share.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lib/trace/reader.h"

#define NAME_SHOWN 400 /* bytes of a path in a message: the reason behind it must fit as well */

int
spx_trace_fail(const struct spx_trace *trace, struct spx_error *err, int code, uint64_t offset,
	const char *format, ...)
{
	const char *name = trace->file.name;
	size_t length = strlen(name);
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return spx_error(err, code, "%s%s: byte %llu%s: %s", length > NAME_SHOWN ? "..." : "",
		length > NAME_SHOWN ? name + length - NAME_SHOWN : name, (unsigned long long)offset,
		trace->file.inflated ? " of the inflated data" : "", text);
}

int
spx_trace_end(const struct spx_trace *trace, struct spx_error *err)
{
	const struct spx_trace_file *file = &trace->file;

	if (file->damage == 0)
		return 0;
	return spx_trace_fail(
		trace, err, file->damage, file->size, "%s; more gzip data expected", file->damage_text);
}

int
spx_trace_cut(const struct spx_trace *trace, struct spx_error *err, uint64_t offset, uint64_t want,
	const char *what)
{
	if (trace->file.damage != 0)
		return spx_trace_end(trace, err);
	return spx_trace_fail(trace, err, -EBADMSG, offset,
		"the file ends inside %s: %llu bytes expected, %llu left", what, (unsigned long long)want,
		(unsigned long long)(trace->file.size - offset));
}

int
spx_trace_no_link(const struct spx_trace *trace, struct spx_error *err, uint64_t offset,
	const struct spx_trace_link *link, uint16_t type)
{
	return spx_trace_fail(trace, err, -ENOTSUP, offset,
		"link type %u (%s) carries neither Ethernet nor raw IP; a trace of an Ethernet, raw IP, "
		"Linux "
		"cooked, PPP or loopback interface expected",
		type, link->name);
}

/* Finds the format of the bytes and reads its header. */
static int
open_format(struct spx_trace *trace, struct spx_error *err)
{
	const uint8_t *p = trace->file.data;

	if (trace->file.size < 4)
		return spx_trace_cut(trace, err, 0, 4, "the magic number of pcap or pcapng");
	if (spx_trace_pcap_magic(trace))
		return spx_trace_pcap_open(trace, err);
	if (spx_trace_pcapng_magic(trace))
		return spx_trace_pcapng_open(trace, err);
	return spx_trace_fail(trace, err, -EINVAL, 0,
		"no capture format begins with %02x %02x %02x %02x; pcap (a1 b2 c3 d4, a1 b2 3c 4d, a1 b2 cd "
		"34, or "
		"reversed) or pcapng (0a 0d 0d 0a) expected",
		p[0], p[1], p[2], p[3]);
}

/* Takes over the file; *out is set on success only. */
static int
open_file(const struct spx_trace_file *file, struct spx_trace **out, struct spx_error *err)
{
	struct spx_trace *trace = calloc(1, sizeof(*trace));
	int rc;

	if (trace == NULL) {
		struct spx_trace_file closing = *file;

		rc = spx_error(err, -ENOMEM, "%s: no memory", file->name);
		spx_trace_file_close(&closing);
		return rc;
	}
	trace->file = *file;
	rc = open_format(trace, err);
	if (rc != 0) {
		spx_trace_close(trace);
		return rc;
	}
	*out = trace;
	return 0;
}

int
spx_trace_open(const char *path, struct spx_trace **out, struct spx_error *err)
{
	struct spx_trace_file file;
	int rc = spx_trace_file_open(&file, path, err);

	return rc != 0 ? rc : open_file(&file, out, err);
}

int
spx_trace_open_memory(
	const char *name, const uint8_t *data, size_t length, struct spx_trace **out, struct spx_error *err)
{
	struct spx_trace_file file;
	int rc = spx_trace_file_from_memory(&file, name, data, length, SPX_TRACE_INFLATED_MAX, err);

	return rc != 0 ? rc : open_file(&file, out, err);
}

int
spx_trace_next(struct spx_trace *trace, struct spx_trace_packet *packet, struct spx_error *err)
{
	return trace->next(trace, packet, err);
}

void
spx_trace_rewind(struct spx_trace *trace)
{
	trace->at = trace->start;
	trace->skipped = 0;
}

uint64_t
spx_trace_skipped(const struct spx_trace *trace)
{
	return trace->skipped;
}

uint64_t
spx_trace_size(const struct spx_trace *trace)
{
	return trace->file.size;
}

void
spx_trace_close(struct spx_trace *trace)
{
	if (trace == NULL)
		return;
	spx_trace_file_close(&trace->file);
	free(trace->pcapng.interface);
	free(trace);
}
