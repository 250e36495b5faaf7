/* The built-in trace: plays the sources of the plan in order of time into a nanosecond pcap file.
 *
 * The demonstration and the benchmarks use it through trace.h. The file is written under a name of its own
 * and renamed when it is whole, so nobody ever reads half a trace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/trace/generate.h"

#define START          (UINT64_C(1704067200) * SECOND) /* 2024-01-01 00:00 UTC, ns */
#define SECOND         UINT64_C(1000000000)
#define BUFFER         (1u << 20)
#define PROGRESS_EVERY (1u << 16) /* packets */
#define SNAP_HEADERS                                                                                         \
	78u /* Ethernet, VLAN tag, IPv6, TCP: what is kept of a frame whatever the snap length               \
	     */

/* When a source sends next. */
struct event {
	uint64_t time; /* ns from the start of the trace */
	uint32_t source;
};

/* Binary heap, the earliest event on top; of two at the same time the lower source. */
struct heap {
	struct event *event;
	uint32_t n;
};

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->time != b->time ? a->time < b->time : a->source < b->source;
}

/* Puts the event at or below `place`, where its parents are earlier. */
static void
sift_down(struct heap *heap, uint32_t place, struct event event)
{
	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child + 1 < heap->n && earlier(&heap->event[child + 1], &heap->event[child]))
			child++;
		if (child >= heap->n || !earlier(&heap->event[child], &event))
			break;
		heap->event[place] = heap->event[child];
		place = child;
	}
	heap->event[place] = event;
}

static int
heap_init(struct heap *heap, const struct spx_generate_plan *plan)
{
	heap->n = plan->n;
	heap->event = calloc(plan->n, sizeof(*heap->event));
	if (heap->event == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n; i++)
		heap->event[i] = (struct event){.time = plan->begin[i], .source = i};
	for (uint32_t i = plan->n / 2; i-- > 0;)
		sift_down(heap, i, heap->event[i]);
	return 0;
}

static bool
write_header(FILE *stream, uint32_t snap)
{
	const uint32_t magic = 0xa1b23c4d;
	const uint16_t version[2] = {2, 4};
	const uint32_t rest[4] = {0, 0, RTE_MAX(snap, SNAP_HEADERS), 1 /* Ethernet */};

	return fwrite(&magic, sizeof(magic), 1, stream) == 1 &&
	       fwrite(version, sizeof(version), 1, stream) == 1 && fwrite(rest, sizeof(rest), 1, stream) == 1;
}

static bool
write_packet(FILE *stream, const struct spx_generate_frame *frame, uint32_t snap, uint64_t time)
{
	const uint32_t wanted = RTE_MAX(snap, frame->headers);
	const uint32_t kept = RTE_MIN(frame->length, wanted);
	const uint32_t record[4] = {
		(uint32_t)(time / SECOND), (uint32_t)(time % SECOND), kept, frame->length};

	return fwrite_unlocked(record, sizeof(record), 1, stream) == 1 &&
	       fwrite_unlocked(frame->bytes, kept, 1, stream) == 1;
}

/* Writes all packets of the plan. False: errno says why. */
static bool
play(struct spx_generate_plan *plan, struct heap *heap, FILE *stream, uint32_t snap, uint64_t *random,
	void (*progress)(void *arg, uint64_t done), void *arg)
{
	struct spx_generate_frame frame = {.headers = 0};
	uint64_t done = 0;

	if (!write_header(stream, snap))
		return false;
	while (heap->n > 0) {
		struct event event = heap->event[0];
		struct spx_source *source = &plan->source[event.source];
		uint64_t gap = spx_source_send(source, &frame, random);

		if (!write_packet(stream, &frame, snap, START + event.time))
			return false;
		event.time += gap;
		if (source->left == 0)
			event = heap->event[--heap->n];
		sift_down(heap, 0, event);
		if (++done % PROGRESS_EVERY == 0 && progress != NULL)
			progress(arg, done);
	}
	if (progress != NULL)
		progress(arg, done);
	return true;
}

/* A device or a directory in the place of the file must not be replaced. */
static int
check_path(const char *path, struct spx_error *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return spx_error(
			err, -EEXIST, "%s: exists and is not a regular file; another name expected", path);
	return 0;
}

/* Plays the plan into the file `path`. */
static int
write_file(const struct spx_generate *g, struct spx_generate_plan *plan, struct heap *heap, const char *path,
	uint64_t *random, void (*progress)(void *arg, uint64_t done), void *arg)
{
	FILE *stream = fopen(path, "we");
	int rc = 0;

	if (stream == NULL)
		return -errno;
	(void)setvbuf(stream, NULL, _IOFBF, BUFFER);
	if (!play(plan, heap, stream, g->snap, random, progress, arg))
		rc = errno != 0 ? -errno : -EIO;
	if (fclose(stream) != 0 && rc == 0)
		rc = errno != 0 ? -errno : -EIO;
	if (rc != 0)
		(void)unlink(path);
	return rc;
}

/* The same under a name beside it first. */
static int
write_and_rename(const struct spx_generate *g, struct spx_generate_plan *plan, struct heap *heap,
	const char *path, uint64_t *random, void (*progress)(void *arg, uint64_t done), void *arg,
	struct spx_error *err)
{
	char *part = NULL;
	int rc;

	if (asprintf(&part, "%s.%ld.part", path, (long)getpid()) < 0)
		return spx_error(err, -ENOMEM, "%s: no memory", path);
	rc = write_file(g, plan, heap, part, random, progress, arg);
	if (rc != 0) {
		spx_error(err, rc, "%s: cannot be written: %s", part, strerror(-rc));
	} else if (rename(part, path) != 0) {
		rc = spx_error(err, -errno, "%s: cannot be renamed to %s: %s", part, path, strerror(errno));
		(void)unlink(part);
	}
	free(part);
	return rc;
}

void
spx_generate_defaults(struct spx_generate *g)
{
	*g = (struct spx_generate){
		.seed = 1,
		.packets = 1200000,
		.flows = 80000,
		.snap = 64,
		.scan = 20,
		.flood = 50,
		.malformed = 5,
	};
}

int
spx_generate_write(const struct spx_generate *g, const char *path, void (*progress)(void *arg, uint64_t done),
	void *arg, struct spx_error *err)
{
	struct spx_generate_plan plan;
	struct heap heap = {NULL, 0};
	uint64_t random = g->seed;
	int rc = spx_generate_plan(g, &plan, &random, err);

	if (rc != 0)
		return rc;
	rc = check_path(path, err);
	if (rc == 0 && heap_init(&heap, &plan) != 0)
		rc = spx_error(err, -ENOMEM, "%s: no memory for %u events", path, plan.n);
	if (rc == 0)
		rc = write_and_rename(g, &plan, &heap, path, &random, progress, arg, err);
	free(heap.event);
	spx_generate_plan_free(&plan);
	return rc;
}
