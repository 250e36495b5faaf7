/* spxctl capsule: what its files share. It speaks to the nodes by packets, not to an appliance by its socket.
 *
 *   capsule.c         the forms: send, receive
 *   capsule_words.c   words of the command line -> what the capsule holds
 *   capsule_socket.c  ordinary UDP sockets
 *   capsule_print.c   a capsule for a person, or as JSON
 */
#ifndef SPX_CTL_CAPSULE_H
#define SPX_CTL_CAPSULE_H

#include <sys/socket.h>

#include "app/spxctl/ctl.h"
#include "lib/capsule/capsule.h"

#define SPX_CTL_DATAGRAM_MAX 65536u /* more than any UDP payload */
#define SPX_CTL_ADDRESS_MAX  64u    /* of an address as text */

/* ---- words ----------------------------------------------------------------------------------------- */

/* INSTRUCTION OPERAND... [OP] to content and to `scratch`, which it points to. The rest of *content is left
 * alone. 0 or -EINVAL with the message. */
int spx_capsule_words(int n, char **word, struct spx_capsule_content *content,
	uint64_t scratch[SPX_CAPSULE_OPERANDS_MAX], struct spx_error *err);

/* ---- sockets --------------------------------------------------------------------------------------- */

/* A socket that sends to port 3322 of the host, a name or an address, from `port` (0: any), and hears what
 * that says. *to is its address. Returns the descriptor, or a negative errno with the message. */
int spx_capsule_connect(const char *host, uint16_t port, struct sockaddr_storage *to, struct spx_error *err);

/* A socket that receives at `port`, over IPv4 and IPv6 where the machine has both. The same. */
int spx_capsule_listen(uint16_t port, struct spx_error *err);

/* Sends one datagram. 0; -ECONNREFUSED: the host has said that nobody listens, the datagram was not sent; or
 * another negative errno with the message. */
int spx_capsule_send(int fd, const uint8_t *bytes, size_t n, struct spx_error *err);

/* Waits until the monotonic time `end` for a datagram. Its length (`buffer` has SPX_CTL_DATAGRAM_MAX bytes)
 * and sender; -ETIMEDOUT, -ECONNREFUSED as above, or another negative errno. */
ssize_t spx_capsule_receive(int fd, double end, uint8_t *buffer, struct sockaddr_storage *from);

/* Address, without the port, as text; IPv4 as such also where it is mapped into IPv6. */
void spx_capsule_address(const struct sockaddr_storage *address, char text[SPX_CTL_ADDRESS_MAX]);
uint16_t spx_capsule_address_port(const struct sockaddr_storage *address);

/* Seconds of the monotonic clock. */
double spx_capsule_now(void);

/* ---- printing -------------------------------------------------------------------------------------- */

/* A datagram of `n` bytes as an object (new reference), and for a person. */
json_t *spx_capsule_json(uint8_t *bytes, size_t n, const struct sockaddr_storage *from);
void spx_capsule_print(const json_t *capsule);

#endif
