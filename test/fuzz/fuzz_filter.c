/* Fuzzes packet filters: the first line is a filter's text, the rest a frame. Any text is compiled or refused
 * with a printable message, and running it reads nothing beyond the frame, which ends where its allocation
 * does. Nobody is asked for the address of a name: the functions here stand in for the C library's, for
 * libpcap too. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libpcap has the C library read addresses, too. */
static bool
is_address(const char *name, const struct addrinfo *hints)
{
	struct in6_addr address;

	return (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0) ||
	       inet_pton(AF_INET6, name, &address) == 1;
}

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	(void)service;
	(void)result;
	if (name != NULL && !is_address(name, hints))
		abort();
	return EAI_NONAME;
}

int
getnetbyname_r(
	const char *name, struct netent *entry, char *buffer, size_t room, struct netent **result, int *error)
{
	(void)name;
	(void)entry;
	(void)buffer;
	(void)room;
	(void)result;
	(void)error;
	abort();
}

static void
run(const struct spx_filter *filter, const uint8_t *frame, size_t length)
{
	struct rte_mbuf m = {.buf_addr = malloc(length > 0 ? length : 1),
		.data_len = (uint16_t)length,
		.pkt_len = (uint32_t)length};

	if (m.buf_addr == NULL)
		abort();
	if (length > 0)
		memcpy(m.buf_addr, frame, length);
	(void)spx_filter_match(filter, &m);
	free(m.buf_addr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t length = line == NULL ? size : (size_t)(line - data);
	char *text = malloc(length + 1);
	struct spx_filter *filter = NULL;
	struct spx_error err = {""};

	if (text == NULL)
		abort();
	if (length > 0)
		memcpy(text, data, length);
	text[length] = '\0';
	if (spx_filter_create(text, &filter, &err) == 0) {
		size_t frame = line == NULL ? 0 : size - length - 1;

		run(filter, frame == 0 ? data : line + 1, RTE_MIN(frame, (size_t)UINT16_MAX));
	} else {
		if (filter != NULL || err.text[0] == '\0')
			abort();
		for (const char *c = err.text; *c != '\0'; c++)
			if (*c < ' ' || *c > '~')
				abort();
	}
	spx_filter_free(filter);
	free(text);
	return 0;
}
