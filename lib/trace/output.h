/* Bytes on their way to a descriptor; only the pcapng writer uses it. */
#ifndef SPX_TRACE_OUTPUT_H
#define SPX_TRACE_OUTPUT_H

#include "lib/base/base.h"

/* One thread's at a time. */
struct spx_trace_output {
	int fd;
	bool regular; /* a file: takes everything at once */
	bool (*give_up)(void *arg);
	void *arg;
};

/* The descriptor stays the caller's. */
void spx_trace_output_init(struct spx_trace_output *out, int fd, bool (*give_up)(void *arg), void *arg);

/* Writes all of it, or fewer bytes with *error a negative errno. Returns what was written. A pipe without a
 * reader is -EPIPE, without a signal; one whose reader does not read is waited for until give_up says true:
 * -ETIMEDOUT. */
size_t spx_trace_output_write(struct spx_trace_output *out, const void *data, size_t length, int *error);

#endif
