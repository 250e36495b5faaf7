/* What is built is what doc says of the wire, byte for byte, and what is read back. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>
#include <rte_ip.h>

#include "test/unit/capsule_fixture.h"

Test(capsule_build, esp_byte_for_byte)
{
	static const uint8_t expected[] = {0x12, 0xc0, 0x00, 0x28, 0, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7,
		8,                      /* header */
		3, 2, 0, 0, 0, 0, 0, 0, /* COLLECT, min */
		0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0, 0, 0, 0, 0, 0, 0, 9, 'h', 'i'};
	const uint64_t scratch[] = {UINT64_C(0xffeeddccbbaa9988), 9};
	const struct spx_capsule_content content = {
		.kind = SPX_CAPSULE_ESP,
		.flags = SPX_CAPSULE_INGRESS | SPX_CAPSULE_EGRESS,
		.opcode = SPX_CAPSULE_OPCODE_COLLECT,
		.op = 2,
		.id = UINT64_C(0x0102030405060708),
		.scratch = scratch,
		.scratch_words = 2,
		.payload = "hi",
		.payload_length = 2,
	};
	uint8_t buffer[sizeof(expected)];

	cr_assert_eq(spx_capsule_write(&content, buffer, sizeof(buffer)), sizeof(expected));
	cr_assert_arr_eq(buffer, expected, sizeof(expected));
	cr_assert_eq(spx_capsule_write(&content, buffer, sizeof(buffer) - 1), -ENOSPC);
	cr_assert_eq(spx_capsule_write(&content, buffer, 39), -ENOSPC);
}

Test(capsule_build, carried_is_padded)
{
	static const uint8_t code[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const uint8_t expected[] = {0x10, 0x40, 0x00, 0x20, 3, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 7, 1,
		2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0};
	const struct spx_capsule_content content = {.kind = SPX_CAPSULE_CARRIED,
		.flags = SPX_CAPSULE_EGRESS,
		.fault = 0x11,
		.id = 7,
		.code = code,
		.code_words = 3};
	uint8_t buffer[64];

	memset(buffer, 0xa5, sizeof(buffer));
	cr_assert_eq(spx_capsule_write(&content, buffer, sizeof(buffer)), sizeof(expected));
	cr_assert_arr_eq(buffer, expected, sizeof(expected));
}

Test(capsule_build, named_byte_for_byte)
{
	struct capsule_sample sample;
	uint8_t buffer[128];

	capsule_plain(&sample, SPX_CAPSULE_NAMED);
	cr_assert_eq(spx_capsule_write(&sample.content, buffer, sizeof(buffer)), 16 + 56 + 24 + 7);
	cr_assert_eq(buffer[0], 0x11);
	cr_assert_eq(buffer[3], 16 + 56 + 24);
	cr_assert_arr_eq(buffer + 16, sample.name, 32);
	cr_assert_arr_eq(buffer + 48, sample.home, 16);
	cr_assert_arr_eq(buffer + 64, ((const uint8_t[]){4000 >> 8, 4000 & 0xff, 0, 0, 0, 0, 0, 0}), 8);
	cr_assert_arr_eq(buffer + 72, ((const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 1}), 8);
	cr_assert_arr_eq(buffer + 96, "payload", 7);
}

Test(capsule_build, what_no_capsule_can_have)
{
	uint8_t buffer[2048];
	struct capsule_sample sample;

	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.content.kind = SPX_CAPSULE_KINDS;
	cr_assert_eq(spx_capsule_write(&sample.content, buffer, sizeof(buffer)), -EINVAL);
	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.content.flags |= SPX_CAPSULE_NO_FLAG;
	cr_assert_eq(spx_capsule_write(&sample.content, buffer, sizeof(buffer)), -EINVAL);
	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.content.code_words = 256;
	cr_assert_eq(spx_capsule_write(&sample.content, buffer, sizeof(buffer)), -EINVAL);
	capsule_plain(&sample, SPX_CAPSULE_ESP);
	sample.content.code_words = 1;
	cr_assert_eq(spx_capsule_write(&sample.content, buffer, sizeof(buffer)), -EINVAL);
	capsule_plain(&sample, SPX_CAPSULE_ESP);
	sample.content.scratch_words = 33;
	cr_assert_eq(spx_capsule_write(&sample.content, buffer, sizeof(buffer)), -EINVAL);
}

/* The largest of all fits what is said of it; every smaller buffer is refused. */
Test(capsule_build, the_largest)
{
	static uint8_t buffer[SPX_CAPSULE_MAX + 100];
	struct capsule_sample sample;

	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.content.code_words = SPX_CAPSULE_CODE_WORDS;
	sample.content.scratch_words = SPX_CAPSULE_SCRATCH_WORDS;
	sample.content.payload_length = 0;
	cr_assert_eq(spx_capsule_write(&sample.content, buffer, SPX_CAPSULE_MAX), SPX_CAPSULE_MAX);
	for (size_t size = 0; size < SPX_CAPSULE_MAX; size++)
		cr_assert_eq(spx_capsule_write(&sample.content, buffer, size), -ENOSPC);
	cr_assert_eq(spx_capsule_build(&sample.content, &sample.envelope, buffer, SPX_CAPSULE_MAX + 42),
		SPX_CAPSULE_MAX + 42);
	for (size_t size = 0; size < SPX_CAPSULE_MAX + 42; size++)
		cr_assert_eq(spx_capsule_build(&sample.content, &sample.envelope, buffer, size), -ENOSPC);
}

/* A total length above 65,535 is no IP packet. */
Test(capsule_build, more_than_ip_can_hold)
{
	static uint8_t buffer[70000], payload[66000];
	struct capsule_sample sample;

	capsule_plain(&sample, SPX_CAPSULE_ESP);
	sample.content.payload = payload;
	sample.content.payload_length = 65535 - 20 - 8 - 16 - 8 - 24;
	cr_assert_eq(
		spx_capsule_build(&sample.content, &sample.envelope, buffer, sizeof(buffer)), 14 + 65535);
	sample.content.payload_length++;
	cr_assert_eq(spx_capsule_build(&sample.content, &sample.envelope, buffer, sizeof(buffer)), -ENOSPC);
}

/* What was read is what was to be built. */
static void
expect_content(const struct spx_capsule *c, const struct capsule_sample *sample)
{
	const struct spx_capsule_content *content = &sample->content;

	cr_assert_eq(c->kind, content->kind);
	cr_assert_eq(c->flags, content->flags);
	cr_assert_eq(c->fault, content->fault);
	cr_assert_eq(c->id, content->id);
	cr_assert_eq(c->scratch_words, content->scratch_words);
	cr_assert_eq(c->code_words, content->code_words);
	cr_assert_eq(c->v6, sample->envelope.v6);
	if (content->kind == SPX_CAPSULE_CARRIED)
		cr_assert_arr_eq(c->code, content->code, content->code_words * 4);
	if (content->kind == SPX_CAPSULE_NAMED) {
		cr_assert_arr_eq(c->code, content->name, 32);
		cr_assert_arr_eq(c->code + 32, content->home, 16);
		cr_assert_eq(c->home_port, content->home_port);
	}
	if (content->kind == SPX_CAPSULE_ESP)
		cr_assert(c->opcode == content->opcode && c->op == content->op);
	for (unsigned i = 0; i < content->scratch_words; i++) {
		uint64_t word = 0;

		for (unsigned k = 0; k < 8; k++)
			word = word << 8 | c->scratch[i * 8 + k];
		cr_assert_eq(word, content->scratch[i]);
	}
	cr_assert_arr_eq(c->header + c->length, sample->payload, content->payload_length);
}

Test(capsule_build, random_ones_are_read_back)
{
	static struct capsule_sample sample;
	static struct frame f;
	uint64_t random = 11;

	for (unsigned round = 0; round < 200000; round++) {
		struct rte_mbuf m = {.buf_addr = f.bytes, .nb_segs = 1};
		struct spx_capsule c;
		enum spx_capsule_verdict verdict;
		bool right;

		capsule_random(&sample, &random);
		capsule_frame(&f, &sample);
		cr_assert(capsule_checksums_right(&f));
		m.data_len = (uint16_t)f.length;
		m.pkt_len = f.length;
		verdict = capsule_parse(&m, &c);
		expect_content(&c, &sample);
		cr_assert_eq(verdict == SPX_CAPSULE_READY,
			(sample.content.flags & 0x30) == 0 && (sample.content.flags & 0xc0) != 0);
		right = spx_capsule_verify(&m, &c);
		cr_assert_eq(right, !(sample.envelope.v6 && sample.envelope.no_checksum));
	}
}
