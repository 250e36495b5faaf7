/* A connection to a running sphex (doc/control.md): lines of JSON-RPC 2.0, one request at a time. */
#ifndef SPX_CTL_CLIENT_H
#define SPX_CTL_CLIENT_H

#include <stdio.h>

#include <jansson.h>

#include "lib/base/base.h"

#define SPX_CLIENT_PROTOCOL 1           /* version of the control protocol */
#define SPX_CLIENT_LINE_MAX (64u << 20) /* bytes of a line that the appliance may send */
#define SPX_CLIENT_SEND_MAX (8u << 20)  /* bytes of a line that it accepts */
#define SPX_CLIENT_PATH_MAX 108u        /* of a socket's path with its terminating zero (sun_path) */

struct spx_client {
	int fd; /* -1: not connected */
	char path[SPX_CLIENT_PATH_MAX];
	char *buffer;      /* bytes received */
	size_t used, size; /* of buffer: filled, allocated */
	size_t line;       /* bytes at its beginning that were the line before */
	size_t searched;   /* bytes of it without a newline */
	json_int_t id;     /* of the last request */
	json_t *hello;     /* what it said of itself */
	json_t *events;    /* array: notifications that came before an answer */
};

/* Connects to the socket at path. Returns the descriptor, or a negative errno: -ECONNREFUSED where nobody
 * listens any more, -ENAMETOOLONG. */
int spx_client_connect(const char *path);

/* Takes over a connected descriptor and says hello. 0, or a negative errno with the message; then it is
 * closed. */
int spx_client_open(struct spx_client *client, int fd, const char *path, struct spx_error *err);

/* Sends one request, with the file `fd` where it is not -1, and waits `timeout` seconds (0: without limit)
 * for the answer. `params` (may be NULL) is given away. 0 with *result (new reference), or a negative errno
 * with the message: -EREMOTEIO the appliance said no, -ECONNRESET it is gone, -ETIMEDOUT, -EPROTO it sent
 * what is no answer. */
int spx_client_call(struct spx_client *client, const char *method, json_t *params, int fd, double timeout,
	json_t **result, struct spx_error *err);

/* Waits for the next notification and gives its params (new reference). Errors as above. */
int spx_client_event(struct spx_client *client, double timeout, json_t **params, struct spx_error *err);

void spx_client_close(struct spx_client *client);

/* The socket to use: `named`, else the environment's SPX_SOCKET, else the one living instance of the default
 * directories. Returns a connected descriptor and its path, or a negative errno with the message: -EINVAL
 * when there are several to choose from. */
int spx_find(const char *named, char path[SPX_CLIENT_PATH_MAX], struct spx_error *err);

#endif
