/* Writes pcapng: one section, Ethernet interfaces, an enhanced packet block for each packet.
 *
 * Used by the capture port driver and by captures of a running appliance. DPDK's own writer (rte_pcapng)
 * of 22.11 writes no comments, which carry the drop reason here. Whole blocks are collected in a buffer;
 * output.c writes them. Source: draft-ietf-opsawg-pcapng. Numbers are written in the machine's byte order,
 * which the section header tells the reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/trace/output.h"
#include "lib/trace/trace.h"

#define BUFFER       (1u << 20) /* bytes collected before they are written; every block fits */
#define CAPTURED_MAX 262144u    /* bytes of a packet that readers accept, ours and libpcap */
#define VALUE_MAX    65535u     /* bytes of an option's value */
#define LINK_TYPE    1u         /* Ethernet */
#define RESOLUTION   9u         /* stamps in units of 10^-9 s */

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_USER_APPLICATION = 4,
	OPTION_IF_NAME = 2,
	OPTION_IF_RESOLUTION = 9,
	OPTION_PACKET_FLAGS = 2
};

struct spx_capture_file {
	struct spx_trace_output output;
	uint32_t snap;
	int error;   /* first negative errno, or 0 */
	size_t used; /* bytes in the buffer: whole blocks between calls */
	struct spx_capture_written written;
	uint8_t buffer[BUFFER];
};

static_assert(CAPTURED_MAX + VALUE_MAX + 64 < BUFFER, "every block fits into the buffer");

/* ---- the buffer ------------------------------------------------------------------------------------ */

static void
put(struct spx_capture_file *file, const void *data, size_t length)
{
	/* No bytes may come with a null pointer, which memcpy does not allow. */
	if (length != 0)
		memcpy(file->buffer + file->used, data, length);
	file->used += length;
}

static void
put32(struct spx_capture_file *file, uint32_t value)
{
	put(file, &value, sizeof(value));
}

/* Counts the packets of the buffer's first `done` bytes, as far as they are whole. */
static void
count_written(struct spx_capture_file *file, size_t done)
{
	uint32_t head[7]; /* of a packet block: type, length, interface, time, captured, length */

	for (size_t at = 0; at < file->used; at += head[1]) {
		memcpy(head, file->buffer + at, RTE_MIN(sizeof(head), file->used - at));
		if (at + head[1] > done)
			break;
		if (head[0] == BLOCK_PACKET) {
			file->written.packets++;
			file->written.bytes += head[5];
		}
	}
}

int
spx_capture_file_flush(struct spx_capture_file *file)
{
	size_t done;

	if (file->error == 0 && file->used != 0) {
		done = spx_trace_output_write(&file->output, file->buffer, file->used, &file->error);
		count_written(file, done);
	}
	file->used = 0;
	return file->error;
}

/* Makes room for a block of that length. */
static int
reserve(struct spx_capture_file *file, uint32_t length)
{
	return file->used + length > BUFFER ? spx_capture_file_flush(file) : file->error;
}

/* ---- blocks ---------------------------------------------------------------------------------------- */

static uint32_t
padding(uint32_t length)
{
	return -length & 3;
}

/* Data and the zeros up to the next multiple of 4. */
static void
put_padded(struct spx_capture_file *file, const void *data, uint32_t length)
{
	static const uint8_t zero[4];

	put(file, data, length);
	put(file, zero, padding(length));
}

/* Bytes that put_option writes for a value. */
static uint32_t
option_size(uint32_t length)
{
	return 4 + length + padding(length);
}

static void
put_option(struct spx_capture_file *file, uint16_t code, const void *value, uint32_t length)
{
	const uint16_t head[2] = {code, (uint16_t)length};

	put(file, head, sizeof(head));
	put_padded(file, value, length);
}

static uint32_t
value_length(const char *text)
{
	size_t length = strlen(text);

	return length > VALUE_MAX ? VALUE_MAX : (uint32_t)length;
}

static void
put_section(struct spx_capture_file *file)
{
	static const char application[] = "sphex";
	const uint32_t length = 28 + option_size(sizeof(application) - 1) + option_size(0);
	const uint32_t head[] = {BLOCK_SECTION, length, 0x1a2b3c4d};
	const uint16_t version[] = {1, 0};
	const uint64_t section_length = UINT64_MAX; /* not said */

	put(file, head, sizeof(head));
	put(file, version, sizeof(version));
	put(file, &section_length, sizeof(section_length));
	put_option(file, OPTION_USER_APPLICATION, application, sizeof(application) - 1);
	put_option(file, OPTION_END, NULL, 0);
	put32(file, length);
}

static void
put_interface(struct spx_capture_file *file, const char *name)
{
	const uint8_t resolution = RESOLUTION;
	const uint32_t name_length = value_length(name);
	const uint32_t length =
		20 + option_size(name_length) + option_size(sizeof(resolution)) + option_size(0);
	const uint32_t head[] = {BLOCK_INTERFACE, length};
	const uint16_t link[] = {LINK_TYPE, 0};

	if (reserve(file, length) != 0)
		return;
	put(file, head, sizeof(head));
	put(file, link, sizeof(link));
	put32(file, file->snap);
	put_option(file, OPTION_IF_NAME, name, name_length);
	put_option(file, OPTION_IF_RESOLUTION, &resolution, sizeof(resolution));
	put_option(file, OPTION_END, NULL, 0);
	put32(file, length);
}

int
spx_capture_file_attach(int fd, const struct spx_capture_options *options, struct spx_capture_file **out,
	struct spx_error *err)
{
	/* Not calloc: the buffer's pages come when they are needed. */
	struct spx_capture_file *file = malloc(sizeof(*file));

	if (file == NULL) {
		close(fd);
		return spx_error(err, -ENOMEM, "%s: no memory", options->name);
	}
	spx_trace_output_init(&file->output, fd, options->give_up, options->arg);
	file->snap = options->snap;
	file->error = 0;
	file->used = 0;
	file->written = (struct spx_capture_written){0};
	put_section(file);
	for (uint32_t i = 0; i < options->n_interfaces; i++)
		put_interface(file, options->interface[i]);
	*out = file;
	return 0;
}

int
spx_capture_file_create(const char *path, const char *interface, uint32_t snap, struct spx_capture_file **out,
	struct spx_error *err)
{
	const struct spx_capture_options options = {
		.name = path, .interface = &interface, .n_interfaces = 1, .snap = snap};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return spx_error(err, -errno, "%s: cannot be created: %s", path, strerror(errno));
	return spx_capture_file_attach(fd, &options, out, err);
}

static void
put_packet_options(struct spx_capture_file *file, const struct spx_capture_packet *packet, uint32_t comment)
{
	const uint32_t flags = packet->direction;

	if (packet->comment != NULL)
		put_option(file, OPTION_COMMENT, packet->comment, comment);
	if (flags != 0)
		put_option(file, OPTION_PACKET_FLAGS, &flags, sizeof(flags));
	if (packet->comment != NULL || flags != 0)
		put_option(file, OPTION_END, NULL, 0);
}

int
spx_capture_file_write(struct spx_capture_file *file, const struct spx_capture_packet *packet)
{
	const uint32_t snap = file->snap == 0 || file->snap > CAPTURED_MAX ? CAPTURED_MAX : file->snap;
	const uint32_t kept = RTE_MIN(packet->captured, snap);
	const uint32_t comment = packet->comment == NULL ? 0 : value_length(packet->comment);
	const bool directed = packet->direction != SPX_CAPTURE_UNKNOWN;
	const uint32_t options = (packet->comment == NULL ? 0 : option_size(comment)) +
				 (directed ? option_size(sizeof(uint32_t)) : 0) +
				 (packet->comment != NULL || directed ? option_size(0) : 0);
	const uint32_t block_length = 32 + kept + padding(kept) + options;
	const uint32_t head[] = {
		BLOCK_PACKET,
		block_length,
		packet->interface,
		(uint32_t)(packet->time >> 32),
		(uint32_t)packet->time,
		kept,
		RTE_MAX(packet->captured, packet->length),
	};

	if (reserve(file, block_length) != 0)
		return file->error;
	put(file, head, sizeof(head));
	put_padded(file, packet->data, kept);
	put_packet_options(file, packet, comment);
	put32(file, block_length);
	return 0;
}

struct spx_capture_written
spx_capture_file_written(const struct spx_capture_file *file)
{
	return file->written;
}

int
spx_capture_file_close(struct spx_capture_file *file)
{
	int error;

	if (file == NULL)
		return 0;
	error = spx_capture_file_flush(file);
	if (close(file->output.fd) != 0 && error == 0)
		error = -errno;
	free(file);
	return error;
}
