/* Edits of a capsule's packet that keep its checksums right; see capsule.h.
 *
 * RFC 1624: HC' = ~(~HC + ~m + m'), where m and m' are one's complement sums of the 16-bit words before and
 * after. Sums of words in memory order do not depend on the machine's byte order. Swapping addresses or ports
 * leaves every sum as it is. The fields of a capsule lie at even distances from the UDP header.
 */
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

#include "lib/capsule/capsule.h"

#define RETURN_TTL 64

static uint16_t
load16(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* The checksum after words with the sum `was` became words with the sum `is`. */
static uint16_t
updated(uint16_t checksum, uint16_t was, uint16_t is)
{
	return (uint16_t)~__rte_raw_cksum_reduce((uint32_t)(uint16_t)~checksum + (uint16_t)~was + is);
}

/* The UDP checksum: zero over IPv4 means that there is none, so a computed zero is sent as 0xffff, which is
 * the same number (RFC 768). */
static void
update_udp(const struct spx_capsule *c, uint16_t was, uint16_t is)
{
	uint16_t checksum = load16(c->udp + 6);

	if (checksum == 0)
		return;
	checksum = updated(checksum, was, is);
	if (checksum == 0)
		checksum = 0xffff;
	memcpy(c->udp + 6, &checksum, sizeof(checksum));
}

static void
update_ipv4(uint8_t *ip, uint16_t was, uint16_t is)
{
	uint16_t checksum = updated(load16(ip + 10), was, is);

	memcpy(ip + 10, &checksum, sizeof(checksum));
}

/* One byte at an odd distance from the UDP header, with the word that it ends. */
static void
set_byte(struct spx_capsule *c, uint8_t *byte, uint8_t value)
{
	uint16_t was = load16(byte - 1);

	*byte = value;
	update_udp(c, was, load16(byte - 1));
}

void
spx_capsule_set_flags(struct spx_capsule *c, uint8_t set, uint8_t clear)
{
	c->flags = (uint8_t)((c->flags & ~clear) | set);
	set_byte(c, c->header + 1, c->flags);
}

void
spx_capsule_set_fault(struct spx_capsule *c, uint8_t code)
{
	spx_capsule_set_flags(c, SPX_CAPSULE_FAULT, 0);
	c->fault = code;
	set_byte(c, c->header + 7, code);
}

void
spx_capsule_commit(struct spx_capsule *c, const uint8_t *scratch)
{
	size_t bytes = c->scratch_words * 8u;

	update_udp(c, rte_raw_cksum(c->scratch, bytes), rte_raw_cksum(scratch, bytes));
	memcpy(c->scratch, scratch, bytes);
}

static void
swap(uint8_t *a, uint8_t *b, size_t n)
{
	uint8_t was[16];

	memcpy(was, a, n);
	memcpy(a, b, n);
	memcpy(b, was, n);
}

void
spx_capsule_return(struct spx_capsule *c)
{
	swap(c->udp, c->udp + 2, 2);
	if (c->v6) {
		swap(c->ip + 8, c->ip + 24, 16);
		c->ip[7] = RETURN_TTL;
	} else {
		uint16_t was = load16(c->ip + 8);

		swap(c->ip + 12, c->ip + 16, 4);
		c->ip[8] = RETURN_TTL;
		update_ipv4(c->ip, was, load16(c->ip + 8));
	}
	spx_capsule_set_flags(c, SPX_CAPSULE_RETURNED, 0);
}

void
spx_capsule_set_destination(struct spx_capsule *c, const uint8_t *address)
{
	uint8_t *destination = c->ip + (c->v6 ? 24 : 16);
	size_t bytes = c->v6 ? 16 : 4;
	uint16_t was = rte_raw_cksum(destination, bytes), is = rte_raw_cksum(address, bytes);

	memcpy(destination, address, bytes);
	if (!c->v6)
		update_ipv4(c->ip, was, is);
	update_udp(c, was, is);
}
