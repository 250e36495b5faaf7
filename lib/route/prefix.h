/* Bits of addresses: lengths of families, masks, comparisons. For the files of lib/route. */
#ifndef SPX_ROUTE_PREFIX_H
#define SPX_ROUTE_PREFIX_H

#include "lib/route/route.h"

static inline unsigned
family_bytes(enum spx_route_family family)
{
	return family == SPX_ROUTE_IPV4 ? 4 : 16;
}

static inline unsigned
family_bits(enum spx_route_family family)
{
	return 8 * family_bytes(family);
}

/* The bits of byte i that belong to a prefix. */
static inline uint8_t
prefix_mask(unsigned length, unsigned i)
{
	if (length >= 8 * i + 8)
		return UINT8_MAX;
	return length <= 8 * i ? 0 : (uint8_t)(UINT8_MAX << (8 * i + 8 - length));
}

static inline void
prefix_of(const uint8_t *address, unsigned length, uint8_t prefix[SPX_ROUTE_ADDRESS_BYTES])
{
	for (unsigned i = 0; i < SPX_ROUTE_ADDRESS_BYTES; i++)
		prefix[i] = address[i] & prefix_mask(length, i);
}

static inline bool
prefix_covers(const uint8_t *prefix, unsigned length, const uint8_t *address)
{
	for (unsigned i = 0; i < SPX_ROUTE_ADDRESS_BYTES && 8 * i < length; i++)
		if (((prefix[i] ^ address[i]) & prefix_mask(length, i)) != 0)
			return false;
	return true;
}

/* An address that a single station can have: neither unspecified, multicast, IPv4 broadcast nor class E. */
static inline bool
is_station(enum spx_route_family family, const uint8_t *address)
{
	static const uint8_t zero[SPX_ROUTE_ADDRESS_BYTES];

	if (memcmp(address, zero, family_bytes(family)) == 0)
		return false;
	return family == SPX_ROUTE_IPV4 ? address[0] < 224 : address[0] != 0xff;
}

#endif
