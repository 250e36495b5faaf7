/* Every reason why a capsule is malformed, or well-formed and not run; capsule_packet.c has the packets
 * around it. */
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/capsule_fixture.h"

/* Byte `offset` of the plain capsule of the kind with other contents. */
static void
expect_changed(enum spx_capsule_kind kind, uint32_t offset, uint8_t value, enum spx_capsule_counter why)
{
	struct frame f;
	uint32_t at;

	capsule_plain_frame(&f, kind, &at);
	f.bytes[at + offset] = value;
	capsule_expect_pass(&f, why);
}

Test(capsule_read, version)
{
	for (unsigned version = 0; version < 16; version++)
		if (version != SPX_CAPSULE_VERSION)
			expect_changed(SPX_CAPSULE_ESP, 0, (uint8_t)(version << 4 | 2),
				SPX_CAPSULE_malformed_version);
}

Test(capsule_read, kind)
{
	for (unsigned kind = SPX_CAPSULE_KINDS; kind < 16; kind++)
		expect_changed(SPX_CAPSULE_ESP, 0, (uint8_t)(0x10 | kind), SPX_CAPSULE_malformed_kind);
}

Test(capsule_read, the_flag_that_is_none)
{
	for (unsigned flags = 1; flags < 256; flags += 2)
		expect_changed(SPX_CAPSULE_ESP, 1, (uint8_t)flags, SPX_CAPSULE_malformed_flag);
}

Test(capsule_read, zero_fields)
{
	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++)
		expect_changed((enum spx_capsule_kind)kind, 6, 1, SPX_CAPSULE_malformed_zero);
	for (unsigned i = 0; i < 6; i++) {
		expect_changed(SPX_CAPSULE_NAMED, 16 + 50 + i, 0x80, SPX_CAPSULE_malformed_zero);
		expect_changed(SPX_CAPSULE_ESP, 16 + 2 + i, 0x80, SPX_CAPSULE_malformed_zero);
	}
}

Test(capsule_read, padding)
{
	for (unsigned i = 0; i < 4; i++)
		expect_changed(SPX_CAPSULE_CARRIED, 16 + 12 + i, 1, SPX_CAPSULE_malformed_padding);
}

Test(capsule_read, code_words_of_other_kinds)
{
	expect_changed(SPX_CAPSULE_NAMED, 4, 1, SPX_CAPSULE_malformed_code_words);
	expect_changed(SPX_CAPSULE_ESP, 4, 255, SPX_CAPSULE_malformed_code_words);
}

Test(capsule_read, scratchpad)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_ESP);
	sample.content.scratch_words = SPX_CAPSULE_SCRATCH_WORDS;
	capsule_frame(&f, &sample);
	capsule_expect_ready(&f);
	f.bytes[f.udp + 8 + 5] = SPX_CAPSULE_SCRATCH_WORDS + 1;
	capsule_expect_pass(&f, SPX_CAPSULE_malformed_scratchpad);
	f.bytes[f.udp + 8 + 5] = 255;
	capsule_expect_pass(&f, SPX_CAPSULE_malformed_scratchpad);
}

/* The length has to be exactly the sum of its parts: every other value is wrong, for every kind. */
Test(capsule_read, length)
{
	struct frame f;
	uint32_t at;

	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++) {
		uint16_t right;

		capsule_plain_frame(&f, (enum spx_capsule_kind)kind, &at);
		right = (uint16_t)(f.length - at - CAPSULE_PAYLOAD);
		for (unsigned length = 0; length < 65536; length++) {
			frame_put16(&f, at + 2, (uint16_t)length);
			if (length != right)
				capsule_expect_pass(&f, SPX_CAPSULE_malformed_length);
			else
				capsule_expect_ready(&f);
		}
	}
}

/* One instruction or scratchpad word more or less than the length says. */
Test(capsule_read, length_of_other_parts)
{
	expect_changed(SPX_CAPSULE_CARRIED, 4, 2, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_CARRIED, 4, 5, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_CARRIED, 5, 2, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_NAMED, 5, 4, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_ESP, 0, 0x11, SPX_CAPSULE_malformed_length);
}

/* The UDP payload ends early: by the UDP length, with the frame going on, or with the frame. */
Test(capsule_read, longer_than_the_payload)
{
	struct frame f;
	uint32_t at, capsule;

	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++) {
		capsule_plain_frame(&f, (enum spx_capsule_kind)kind, &at);
		capsule = f.length - at - CAPSULE_PAYLOAD;
		for (uint32_t payload = 0; payload < capsule; payload++) {
			enum spx_capsule_counter why = payload < SPX_CAPSULE_HEADER
							       ? SPX_CAPSULE_malformed_truncated
							       : SPX_CAPSULE_malformed_overrun;

			frame_put16(&f, f.udp + 4, (uint16_t)(8 + payload));
			capsule_expect_pass(&f, why);
			f.length = at + payload;
			frame_close(&f);
			capsule_expect_pass(&f, why);
			capsule_plain_frame(&f, (enum spx_capsule_kind)kind, &at);
		}
		frame_put16(&f, f.udp + 4, (uint16_t)(8 + capsule));
		capsule_expect_ready(&f);
	}
}

/* Bytes that the UDP length does not count belong to nobody; neither does padding of the frame. */
Test(capsule_read, more_than_the_udp_length)
{
	struct frame f;
	uint32_t at;

	capsule_plain_frame(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.udp + 4, (uint16_t)(f.length - f.udp - CAPSULE_PAYLOAD));
	capsule_fix_checksum(&f);
	capsule_expect_ready(&f);
	frame_data(&f, 9);
	capsule_expect_ready(&f);
}

/* A carried program without an instruction is well-formed: whoever runs it says fault 1. */
Test(capsule_read, no_instruction)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.content.code_words = 0;
	capsule_frame(&f, &sample);
	capsule_expect_ready(&f);
	sample.content.scratch_words = 0;
	sample.content.payload_length = 0;
	capsule_frame(&f, &sample);
	capsule_expect_ready(&f);
}

Test(capsule_read, flags_that_keep_it_from_running)
{
	for (unsigned flags = 0; flags < 256; flags += 2) {
		struct capsule_sample sample;
		struct frame f;

		capsule_plain(&sample, SPX_CAPSULE_ESP);
		sample.content.flags = (uint8_t)flags;
		capsule_frame(&f, &sample);
		if (flags & SPX_CAPSULE_RETURNED)
			capsule_expect_pass(&f, SPX_CAPSULE_returned);
		else if (flags & SPX_CAPSULE_FAULT)
			capsule_expect_pass(&f, SPX_CAPSULE_fault);
		else if (flags & (SPX_CAPSULE_INGRESS | SPX_CAPSULE_EGRESS))
			capsule_expect_ready(&f);
		else
			capsule_expect_pass(&f, SPX_CAPSULE_no_stage);
	}
}

/* ---- texts ----------------------------------------------------------------------------------------- */

Test(capsule_read, names_and_texts)
{
	for (unsigned i = 0; i < SPX_CAPSULE_COUNTER_COUNT; i++) {
		cr_assert_gt(strlen(spx_capsule_counter_name((enum spx_capsule_counter)i)), 2);
		cr_assert_gt(strlen(spx_capsule_counter_text((enum spx_capsule_counter)i)), 10);
	}
	cr_assert_str_eq(spx_capsule_counter_name(SPX_CAPSULE_bad_checksum), "bad_checksum");
	cr_assert_str_eq(spx_capsule_fault_text(9), "one key mapped twice");
	cr_assert_str_eq(spx_capsule_fault_text(6), "unknown");
	cr_assert_str_eq(spx_capsule_fault_text(16), "the program's own");
	cr_assert_str_eq(spx_capsule_fault_text(255), "the program's own");
	cr_assert_null(spx_capsule_instruction(0));
	cr_assert_null(spx_capsule_instruction(6));
	cr_assert_str_eq(spx_capsule_instruction(5)->name, "rcollect");
	cr_assert_str_eq(spx_capsule_operator(SPX_CAPSULE_OPCODE_COMPARE, 6), "ne");
	cr_assert_null(spx_capsule_operator(SPX_CAPSULE_OPCODE_COMPARE, 7));
	cr_assert_null(spx_capsule_operator(SPX_CAPSULE_OPCODE_COMPARE, 0));
	cr_assert_null(spx_capsule_operator(SPX_CAPSULE_OPCODE_COUNT, 1));
	cr_assert_null(spx_capsule_operator(77, 1));
}
