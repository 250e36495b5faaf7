/* Shared by client.c and client_line.c only. */
#ifndef SPX_CTL_CLIENT_LINE_H
#define SPX_CTL_CLIENT_LINE_H

#include "app/spxctl/client.h"

#define SPX_CLIENT_SEND_SECONDS 10 /* a living appliance reads within microseconds */

/* CLOCK_MONOTONIC in seconds. */
double spx_client_now(void);

/* Sends bytes, the file `fd` (-1: none) along with the first. 0 or a negative errno with the message. */
int spx_client_send(struct spx_client *client, const char *line, int fd, struct spx_error *err);

/* The next message, an object (new reference), until spx_client_now() is `end` (may be infinite). 0, or a
 * negative errno with the message and *message NULL. */
int spx_client_message(struct spx_client *client, double end, json_t **message, struct spx_error *err);

#endif
