/* Writes pcapng: one section, one Ethernet interface, an enhanced packet block for each packet.
 *
 * Used by the capture port driver. DPDK's own writer (rte_pcapng) of 22.11 writes no comments, which carry
 * the drop reason here. Source: draft-ietf-opsawg-pcapng. Numbers are written in the machine's byte order,
 * which the section header tells the reader.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/trace/trace.h"

#define BUFFER       (1u << 20) /* bytes collected before they are written */
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
	OPTION_IF_RESOLUTION = 9
};

struct spx_capture_file {
	FILE *stream;
	uint32_t snap;
	int error; /* first negative errno, or 0 */
};

static void
put(struct spx_capture_file *file, const void *data, size_t length)
{
	/* No bytes may come with a null pointer, which fwrite does not allow. */
	if (length != 0 && file->error == 0 && fwrite_unlocked(data, 1, length, file->stream) != length)
		file->error = errno != 0 ? -errno : -EIO;
}

static void
put32(struct spx_capture_file *file, uint32_t value)
{
	put(file, &value, sizeof(value));
}

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

	put(file, head, sizeof(head));
	put(file, link, sizeof(link));
	put32(file, file->snap);
	put_option(file, OPTION_IF_NAME, name, name_length);
	put_option(file, OPTION_IF_RESOLUTION, &resolution, sizeof(resolution));
	put_option(file, OPTION_END, NULL, 0);
	put32(file, length);
}

int
spx_capture_file_create(const char *path, const char *interface, uint32_t snap, struct spx_capture_file **out,
	struct spx_error *err)
{
	struct spx_capture_file *file = calloc(1, sizeof(*file));
	int rc;

	if (file == NULL)
		return spx_error(err, -ENOMEM, "%s: no memory", path);
	file->snap = snap;
	file->stream = fopen(path, "we");
	if (file->stream == NULL) {
		rc = spx_error(err, -errno, "%s: cannot be created: %s", path, strerror(errno));
		free(file);
		return rc;
	}
	/* Where there is no memory for it, the stream keeps its own smaller buffer. */
	(void)setvbuf(file->stream, NULL, _IOFBF, BUFFER);
	put_section(file);
	put_interface(file, interface);
	*out = file;
	return 0;
}

int
spx_capture_file_write(struct spx_capture_file *file, const uint8_t *data, uint32_t captured, uint32_t length,
	uint64_t time, const char *comment)
{
	const uint32_t snap = file->snap == 0 || file->snap > CAPTURED_MAX ? CAPTURED_MAX : file->snap;
	const uint32_t comment_length = comment == NULL ? 0 : value_length(comment);
	const uint32_t kept = captured > snap ? snap : captured;
	const uint32_t options = comment == NULL ? 0 : option_size(comment_length) + option_size(0);
	const uint32_t block_length = 32 + kept + padding(kept) + options;
	const uint32_t head[] = {
		BLOCK_PACKET,
		block_length,
		0, /* interface */
		(uint32_t)(time >> 32),
		(uint32_t)time,
		kept,
		captured > length ? captured : length,
	};

	put(file, head, sizeof(head));
	put_padded(file, data, kept);
	if (comment != NULL) {
		put_option(file, OPTION_COMMENT, comment, comment_length);
		put_option(file, OPTION_END, NULL, 0);
	}
	put32(file, block_length);
	return file->error;
}

int
spx_capture_file_close(struct spx_capture_file *file)
{
	int error;

	if (file == NULL)
		return 0;
	error = file->error;
	/* fclose writes what is still buffered, so it can be the first to fail. */
	if (fclose(file->stream) != 0 && error == 0)
		error = errno != 0 ? -errno : -EIO;
	free(file);
	return error;
}
