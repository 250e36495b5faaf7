/* See capsule_fixture.h. */
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/net/net.h"
#include "test/unit/capsule_fixture.h"

uint32_t
capsule_below(uint64_t *random, uint32_t n)
{
	return (uint32_t)(spx_random(random) % n);
}

static void
fill(void *at, size_t n, uint64_t *random)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)at)[i] = (uint8_t)spx_random(random);
}

/* Points the content to what the sample has. */
static void
point(struct capsule_sample *sample, unsigned kind, unsigned code_words, unsigned scratch_words,
	size_t payload)
{
	sample->content.kind = (uint8_t)kind;
	sample->content.code = sample->code;
	sample->content.code_words = kind == SPX_CAPSULE_CARRIED ? code_words : 0;
	sample->content.name = sample->name;
	sample->content.home = sample->home;
	sample->content.scratch = sample->scratch;
	sample->content.scratch_words = scratch_words;
	sample->content.payload = sample->payload;
	sample->content.payload_length = payload;
}

void
capsule_random(struct capsule_sample *sample, uint64_t *random)
{
	fill(sample, sizeof(*sample), random);
	point(sample, capsule_below(random, SPX_CAPSULE_KINDS),
		capsule_below(random, 8) == 0 ? capsule_below(random, SPX_CAPSULE_CODE_WORDS + 1)
					      : capsule_below(random, 12),
		capsule_below(random, 8) == 0 ? capsule_below(random, SPX_CAPSULE_SCRATCH_WORDS + 1)
					      : capsule_below(random, 6),
		capsule_below(random, sizeof(sample->payload) + 1));
	sample->content.flags &= (uint8_t)~SPX_CAPSULE_NO_FLAG;
	/* Few ones and zeros: sums that come near to 0 and 0xffff. */
	if (capsule_below(random, 4) == 0)
		memset(sample->scratch, capsule_below(random, 2) ? 0xff : 0, sizeof(sample->scratch));
	sample->envelope.vlan =
		capsule_below(random, 4) == 0 ? (uint16_t)(1 + capsule_below(random, 4094)) : 0;
	sample->envelope.v6 = capsule_below(random, 2);
	sample->envelope.no_checksum = capsule_below(random, 8) == 0;
}

void
capsule_plain(struct capsule_sample *sample, enum spx_capsule_kind kind)
{
	static const uint8_t source[4] = {192, 0, 2, 1}, destination[4] = {198, 51, 100, 2};

	memset(sample, 0, sizeof(*sample));
	memset(sample->code, 0x11, sizeof(sample->code));
	memset(sample->name, 0x22, sizeof(sample->name));
	memset(sample->home, 0x33, sizeof(sample->home));
	sample->scratch[0] = 1;
	sample->scratch[1] = UINT64_C(0x0123456789abcdef);
	memcpy(sample->payload, "payload", CAPSULE_PAYLOAD);
	point(sample, kind, 3, 3, CAPSULE_PAYLOAD);
	sample->content.flags = SPX_CAPSULE_INGRESS | SPX_CAPSULE_EGRESS;
	sample->content.id = 0x42;
	sample->content.opcode = SPX_CAPSULE_OPCODE_COLLECT;
	sample->content.op = 2;
	sample->content.home_port = 4000;
	memcpy(sample->envelope.src, source, sizeof(source));
	memcpy(sample->envelope.dst, destination, sizeof(destination));
	sample->envelope.sport = FRAME_SPORT;
	sample->envelope.ttl = 17;
}

void
capsule_frame(struct frame *f, const struct capsule_sample *sample)
{
	ssize_t length = spx_capsule_build(&sample->content, &sample->envelope, f->bytes, sizeof(f->bytes));

	cr_assert_gt(length, 0);
	f->length = (uint32_t)length;
	f->ip = sample->envelope.vlan != 0 ? 18 : 14;
	f->udp = f->ip + (sample->envelope.v6 ? 40 : 20);
}

void
capsule_insert6(struct frame *f, uint8_t next, uint32_t size)
{
	uint32_t at = f->ip + 40;

	cr_assert_leq(f->length + size, FRAME_MAX);
	memmove(f->bytes + at + size, f->bytes + at, f->length - at);
	memset(f->bytes + at, 0, size);
	f->bytes[at] = f->bytes[f->ip + 6];
	f->bytes[at + 1] = next == IPPROTO_FRAGMENT ? 0 : (uint8_t)(size / 8 - 1);
	f->bytes[f->ip + 6] = next;
	f->length += size;
	f->udp += size;
	frame_put16(f, f->ip + 4, (uint16_t)(f->length - f->ip - 40));
}

enum spx_capsule_verdict
capsule_parse(struct rte_mbuf *m, struct spx_capsule *c)
{
	static const struct spx_net_options options = {.max_frame = FRAME_MAX};
	static struct spx_burst b;
	uint8_t proto = 0;

	b.n = 1;
	b.alive = 1;
	b.pkt[0] = m;
	spx_net_parse(&b, &options);
	cr_assert_eq(b.drop, 0, "dropped: %s", spx_drop_name(b.reason[0]));
	if (b.ipv4)
		proto = b.key4[0].proto;
	if (b.ipv6)
		proto = b.key6[0].proto;
	return spx_capsule_parse(m, &b.layout[0], proto, c);
}

void
capsule_expect(const struct frame *f, enum spx_capsule_verdict verdict, enum spx_capsule_counter why)
{
	struct rte_mbuf *m = frame_mbuf(f->bytes, f->length);
	struct spx_capsule c;
	enum spx_capsule_verdict is = capsule_parse(m, &c);

	cr_assert_eq(is, verdict, "verdict %d", is);
	if (verdict == SPX_CAPSULE_PASS)
		cr_assert_eq(c.why, why, "%s", spx_capsule_counter_name(c.why));
	frame_mbuf_free(m);
}

void
capsule_expect_pass(const struct frame *f, enum spx_capsule_counter why)
{
	capsule_expect(f, SPX_CAPSULE_PASS, why);
}

void
capsule_expect_ready(const struct frame *f)
{
	capsule_expect(f, SPX_CAPSULE_READY, SPX_CAPSULE_seen);
}

void
capsule_plain_frame(struct frame *f, enum spx_capsule_kind kind, uint32_t *at)
{
	struct capsule_sample sample;

	capsule_plain(&sample, kind);
	capsule_frame(f, &sample);
	*at = f->udp + 8;
	capsule_expect_ready(f);
}

/* ---- checksums, from scratch ----------------------------------------------------------------------- */

static uint32_t
sum16(const uint8_t *bytes, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
	return sum;
}

static uint16_t
complement(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t
get16(const struct frame *f, uint32_t at)
{
	return (uint16_t)(f->bytes[at] << 8 | f->bytes[at + 1]);
}

uint16_t
capsule_udp_checksum(const struct frame *f)
{
	bool v6 = f->bytes[f->ip] >> 4 == 6;
	uint32_t length = get16(f, f->udp + 4);
	uint32_t sum = v6 ? sum16(f->bytes + f->ip + 8, 32) : sum16(f->bytes + f->ip + 12, 8);
	uint16_t checksum;

	sum += length + IPPROTO_UDP + sum16(f->bytes + f->udp, length) - get16(f, f->udp + 6);
	checksum = complement(sum);
	return checksum == 0 ? 0xffff : checksum;
}

bool
capsule_checksums_right(const struct frame *f)
{
	bool v6 = f->bytes[f->ip] >> 4 == 6;
	uint16_t udp = get16(f, f->udp + 6);
	uint32_t header = (uint32_t)(f->bytes[f->ip] & 0xf) * 4;

	if (!v6 && complement(sum16(f->bytes + f->ip, header) - get16(f, f->ip + 10)) != get16(f, f->ip + 10))
		return false;
	return udp == 0 || udp == capsule_udp_checksum(f);
}

void
capsule_fix_checksum(struct frame *f)
{
	frame_put16(f, f->udp + 6, capsule_udp_checksum(f));
}
