/* Addresses as people write them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/route/prefix.h"

char *
spx_route_format(enum spx_route_family family, const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], uint8_t length,
	char text[SPX_ROUTE_TEXT])
{
	size_t end;

	inet_ntop(family == SPX_ROUTE_IPV4 ? AF_INET : AF_INET6, address, text, SPX_ROUTE_TEXT);
	end = strlen(text);
	if (length != UINT8_MAX)
		snprintf(text + end, SPX_ROUTE_TEXT - end, "/%u", length);
	return text;
}

/* Up to three digits that end the text. */
static int
parse_length(const char *text, unsigned most, uint8_t *length, struct spx_error *err)
{
	unsigned value = 0;

	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || (value = value * 10 + (unsigned)(*c - '0')) > most)
			value = most + 1;
		if (value > most)
			break;
	}
	if (*text == '\0' || value > most)
		return spx_error(
			err, -EINVAL, "the prefix length \"%s\" is not a number of 0 to %u", text, most);
	*length = (uint8_t)value;
	return 0;
}

int
spx_route_parse_address(const char *text, enum spx_route_family *family,
	uint8_t address[SPX_ROUTE_ADDRESS_BYTES], uint8_t *length, struct spx_error *err)
{
	const char *slash = length != NULL ? strchr(text, '/') : NULL;
	const size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char plain[INET6_ADDRSTRLEN];

	memset(address, 0, SPX_ROUTE_ADDRESS_BYTES);
	if (n < sizeof(plain)) {
		memcpy(plain, text, n);
		plain[n] = '\0';
		*family = strchr(plain, ':') != NULL ? SPX_ROUTE_IPV6 : SPX_ROUTE_IPV4;
		if (inet_pton(*family == SPX_ROUTE_IPV4 ? AF_INET : AF_INET6, plain, address) == 1) {
			if (length != NULL)
				*length = (uint8_t)family_bits(*family);
			return slash != NULL ? parse_length(slash + 1, family_bits(*family), length, err) : 0;
		}
	}
	return spx_error(err, -EINVAL, "\"%.*s\" is no address: write 192.0.2.1 or 2001:db8::1%s",
		(int)RTE_MIN(n, (size_t)64), text,
		length != NULL ? ", for a prefix with /LENGTH behind it" : "");
}
