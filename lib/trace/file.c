/* The bytes of a trace: maps the file, or inflates it into memory when it is gzip.
 *
 * trace.c calls this before it looks for a format. What is gzip is told from the first bytes, not the name.
 * Damage inside gzip data is kept for the reader, which hands out what came before it first.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/trace/reader.h"

#define GZIP_WINDOW  (15 + 16) /* zlib: 32 KiB window, gzip header and trailer expected */
#define GROWTH_FIRST (UINT64_C(1) << 20)

/* Memory that grows by mremap, so that nothing is copied and only touched pages count. */
struct growing {
	uint8_t *data;
	uint64_t used, room;
};

static int
grow(struct growing *g)
{
	uint64_t room = g->room == 0 ? GROWTH_FIRST : 2 * g->room;
	void *data = g->data == NULL
			     ? mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
			     : mremap(g->data, g->room, room, MREMAP_MAYMOVE);

	if (data == MAP_FAILED)
		return -ENOMEM;
	g->data = data;
	g->room = room;
	return 0;
}

static bool
is_gzip(const uint8_t *data, uint64_t size)
{
	return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

static void
damaged(struct spx_trace_file *file, const char *why)
{
	file->damage = -EBADMSG;
	snprintf(file->damage_text, sizeof(file->damage_text), "%s", why);
}

/* After one gzip member: true when another begins. Padding with zeros, as tapes and block devices leave it,
 * ends the file; anything else is damage. */
static bool
next_member(struct spx_trace_file *file, z_stream *z, const uint8_t *end)
{
	const uint8_t *p = z->next_in;

	if (is_gzip(p, (uint64_t)(end - p)))
		return inflateReset(z) == Z_OK;
	while (p < end && *p == 0)
		p++;
	if (p < end)
		damaged(file, "bytes that are not gzip follow the gzip data");
	return false;
}

/* Inflates all members until the end, damage, or the limit. Returns 0 also when there is damage. */
static int
inflate_members(struct spx_trace_file *file, z_stream *z, const uint8_t *in, uint64_t size, uint64_t max,
	struct growing *out)
{
	const uint8_t *end = in + size;

	z->next_in = (Bytef *)(uintptr_t)in;
	for (;;) {
		uint64_t left = (uint64_t)(end - z->next_in), room;
		int rc;

		if (out->used > max)
			return -EFBIG;
		if (out->used == out->room && grow(out) != 0)
			return -ENOMEM;
		room = RTE_MIN(out->room - out->used, (uint64_t)UINT_MAX);
		z->avail_in = (uInt)RTE_MIN(left, (uint64_t)UINT_MAX);
		z->next_out = out->data + out->used;
		z->avail_out = (uInt)room;
		rc = inflate(z, Z_NO_FLUSH);
		out->used += room - z->avail_out;
		if (rc == Z_STREAM_END) {
			if (!next_member(file, z, end))
				return out->used > max ? -EFBIG : 0;
		} else if (rc == Z_MEM_ERROR) {
			return -ENOMEM;
		} else if (rc == Z_BUF_ERROR || (rc == Z_OK && z->next_in == end && z->avail_out > 0)) {
			damaged(file, "the gzip data end too early");
			return 0;
		} else if (rc != Z_OK) {
			damaged(file, z->msg != NULL ? z->msg : "the gzip data are damaged");
			return 0;
		}
	}
}

/* Replaces the bytes of the file by what they inflate to. */
static int
inflate_file(struct spx_trace_file *file, uint64_t max, struct spx_error *err)
{
	struct growing out = {NULL, 0, 0};
	z_stream z = {.zalloc = Z_NULL};
	int rc;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return spx_error(err, -ENOMEM, "%s: no memory to inflate gzip data", file->name);
	rc = inflate_members(file, &z, file->data, file->size, max, &out);
	inflateEnd(&z);
	if (file->mapping != NULL)
		munmap(file->mapping, file->mapped);
	file->mapping = out.data;
	file->mapped = out.room;
	file->data = out.data;
	file->size = out.used;
	file->inflated = true;
	if (rc == -EFBIG)
		return spx_error(err, rc,
			"%s: byte %llu of the inflated data: inflates to more than the largest size of %llu "
			"bytes; inflate it with gzip and open the plain file",
			file->name, (unsigned long long)max, (unsigned long long)max);
	if (rc != 0)
		return spx_error(err, rc, "%s: byte %llu of the inflated data: no memory for more",
			file->name, (unsigned long long)out.used);
	return 0;
}

/* Maps a regular file; anything else is refused, so that a FIFO or a device can neither block nor surprise.
 */
static int
map(struct spx_trace_file *file, int fd, struct spx_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return spx_error(err, -errno, "%s: %s", file->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return spx_error(
			err, -EISDIR, "%s: is a directory; a pcap or pcapng file expected", file->name);
	if (!S_ISREG(st.st_mode))
		return spx_error(
			err, -EINVAL, "%s: not a regular file; a pcap or pcapng file expected", file->name);
	if (st.st_size == 0)
		return spx_error(err, -EBADMSG,
			"%s: byte 0: the file is empty; a pcap or pcapng header expected", file->name);
	file->mapping = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file->mapping == MAP_FAILED) {
		file->mapping = NULL;
		return spx_error(err, -errno, "%s: cannot be mapped: %s", file->name, strerror(errno));
	}
	file->mapped = (size_t)st.st_size;
	file->data = file->mapping;
	file->size = (uint64_t)st.st_size;
	/* Advice only: where it is refused, reading is merely slower. */
	(void)madvise(file->mapping, file->mapped, MADV_SEQUENTIAL);
	(void)madvise(file->mapping, file->mapped, MADV_WILLNEED);
	return 0;
}

int
spx_trace_file_open(struct spx_trace_file *file, const char *path, struct spx_error *err)
{
	int fd, rc;

	*file = (struct spx_trace_file){.name = strdup(path)};
	if (file->name == NULL)
		return spx_error(err, -ENOMEM, "%s: no memory", path);
	/* Without O_NONBLOCK the opening of a FIFO would wait for its writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		rc = spx_error(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
	} else {
		rc = map(file, fd, err);
		close(fd);
	}
	if (rc == 0 && is_gzip(file->data, file->size))
		rc = inflate_file(file, SPX_TRACE_INFLATED_MAX, err);
	if (rc != 0)
		spx_trace_file_close(file);
	return rc;
}

int
spx_trace_file_from_memory(struct spx_trace_file *file, const char *name, const uint8_t *data, size_t length,
	uint64_t inflated_max, struct spx_error *err)
{
	int rc = 0;

	*file = (struct spx_trace_file){.name = strdup(name), .data = data, .size = length};
	if (file->name == NULL)
		return spx_error(err, -ENOMEM, "%s: no memory", name);
	if (is_gzip(data, length))
		rc = inflate_file(file, inflated_max, err);
	if (rc != 0)
		spx_trace_file_close(file);
	return rc;
}

void
spx_trace_file_close(struct spx_trace_file *file)
{
	if (file->mapping != NULL)
		munmap(file->mapping, file->mapped);
	free(file->name);
	*file = (struct spx_trace_file){.name = NULL};
}
