/* Addresses that are not routed, of source and destination: a part of the stage route (route.c). */
#include <string.h>

#include <rte_branch_prediction.h>

#include "app/sphex/stages.h"

#define PROTO_ICMP6 58

/* By the first byte of an IPv4 address: 1 = some of them are not routed. */
static const uint8_t maybe_special4[256] = {[0] = 1, [127] = 1, [169] = 1, [224 ... 255] = 1};

/* Of IPv4: RFC 1812 5.3.7, RFC 6890. True: the packet has come to its end here. */
static bool
special4(struct spx_burst *b, unsigned i)
{
	const uint8_t *sip = b->key4[i].sip, *dip = b->key4[i].dip;

	if (sip[0] == 0 || sip[0] == 127 || sip[0] >= 224)
		spx_burst_drop(b, i, SPX_DROP_martian_source);
	else if (dip[0] == 255 && dip[1] == 255 && dip[2] == 255 && dip[3] == 255)
		spx_burst_drop(b, i, SPX_DROP_broadcast);
	else if (dip[0] == 0 || dip[0] == 127 || dip[0] >= 240)
		spx_burst_drop(b, i, SPX_DROP_martian_destination);
	else if (dip[0] >= 224)
		spx_burst_drop(b, i, SPX_DROP_multicast);
	else if ((sip[0] == 169 && sip[1] == 254) || (dip[0] == 169 && dip[1] == 254))
		spx_burst_drop(b, i, SPX_DROP_link_local);
	else
		return false;
	return true;
}

uint64_t
spx_route_addresses4(struct spx_burst *b, uint64_t set)
{
	uint64_t maybe = 0, ended = 0;
	unsigned i;

	SPX_FOREACH (i, set)
		maybe |= (uint64_t)(maybe_special4[b->key4[i].sip[0]] | maybe_special4[b->key4[i].dip[0]])
			 << i;
	SPX_FOREACH (i, maybe)
		ended |= (uint64_t)special4(b, i) << i;
	return set & ~ended;
}

/* :: and ::1. */
static bool
is_nobody6(const uint8_t ip[16])
{
	static const uint8_t zero[15];

	return memcmp(ip, zero, sizeof(zero)) == 0 && ip[15] <= 1;
}

/* Of IPv6: RFC 4291. True: the packet has come to its end here. What is for the link, neighbour discovery
 * above all, is for this node too where it has addresses on it. */
static bool
special6(const struct spx_worker *w, struct spx_burst *b, unsigned i)
{
	const struct spx_key6 *key = &b->key6[i];
	const uint8_t *sip = key->sip, *dip = key->dip;
	bool for_link = (dip[0] == 0xff && (dip[1] & 0xf) == 2) || spx_is_link_local6(dip);

	if (likely((sip[0] & 0xe0) == 0x20 && (dip[0] & 0xe0) == 0x20))
		return false; /* global unicast on both sides */
	if (for_link && key->proto == PROTO_ICMP6 && w->now->port[b->in_port].addressed && sip[0] != 0xff)
		spx_burst_punt(b, i, SPX_EXCEPTION_local);
	else if (sip[0] == 0xff || is_nobody6(sip))
		spx_burst_drop(b, i, SPX_DROP_martian_source);
	else if (is_nobody6(dip))
		spx_burst_drop(b, i, SPX_DROP_martian_destination);
	else if (dip[0] == 0xff)
		spx_burst_drop(b, i, SPX_DROP_multicast);
	else if (spx_is_link_local6(dip))
		spx_burst_drop(b, i, SPX_DROP_link_local);
	else
		return false;
	return true;
}

uint64_t
spx_route_addresses6(const struct spx_worker *w, struct spx_burst *b, uint64_t set)
{
	uint64_t ended = 0;
	unsigned i;

	SPX_FOREACH (i, set)
		ended |= (uint64_t)special6(w, b, i) << i;
	return set & ~ended;
}
