/* The words of "capture start". */
#ifndef SPX_CTL_CAPTURE_H
#define SPX_CTL_CAPTURE_H

#include <jansson.h>

#include "lib/base/base.h"

/* `n` words such as: port in drops filter "udp port 53" FILE. 0 with *params of capture.start (new reference,
 * "file" included) and *file (one of the words), or -EINVAL with the message. */
int spx_capture_words(int n, char *const *word, json_t **params, const char **file, struct spx_error *err);

/* A file for a capture that is yet to be accepted. */
struct spx_target {
	int fd;
	const char *path; /* that it gets */
	char *made; /* what was created, or NULL: a device or a pipe that was there, or standard output */
};

/* Opens "-" (standard output) or `path`; a regular file that is there is an error without `force`, and with
 * it is replaced once the capture has begun. 0, or a negative errno with the message. */
int spx_target_open(struct spx_target *target, const char *path, bool force, struct spx_error *err);

/* The capture has begun, or not (then what was created is removed). Closes. 0, or a negative errno with the
 * message. */
int spx_target_close(struct spx_target *target, bool begun, struct spx_error *err);

#endif
