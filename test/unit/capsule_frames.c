/* Prints capsules for capsule_dissect.py: one line each, the frame in hexadecimal and then what a dissector
 * should say of it, NAME=VALUE; names are those of config/wireshark/sphex.lua without "sphex.". Several
 * values of one name have commas between. A text has '_' for spaces. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test/unit/capsule_fixture.h"

static void
print_bytes(const char *name, const uint8_t *bytes, size_t n)
{
	printf("%s", name);
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

/* A text as one word. */
static void
print_text(const char *name, const char *text)
{
	printf("%s", name);
	for (; *text != '\0'; text++)
		putchar(*text == ' ' ? '_' : *text);
}

/* What the summary begins with, in small letters. */
static void
print_summary(const struct spx_capsule_content *content)
{
	const struct spx_capsule_instruction *instruction = spx_capsule_instruction(content->opcode);
	const char *op = spx_capsule_operator(content->opcode, content->op);

	printf(" summary=%s", spx_capsule_kind_name(content->kind));
	if (content->kind == SPX_CAPSULE_ESP)
		printf("_%s%s%s", instruction == NULL ? "unknown" : instruction->name, op == NULL ? "" : "_",
			op == NULL ? "" : op);
}

static void
print_code(const struct capsule_sample *sample)
{
	const struct spx_capsule_content *content = &sample->content;

	switch (content->kind) {
	case SPX_CAPSULE_CARRIED:
		for (unsigned i = 0; i < content->code_words; i++)
			print_bytes(i == 0 ? " instruction=0x" : ",0x", content->code + i * 4, 4);
		break;
	case SPX_CAPSULE_NAMED:
		print_bytes(" name=", content->name, SPX_CAPSULE_NAME_BYTES);
		print_bytes(" home=", content->home, 16);
		printf(" home_port=%u", content->home_port);
		break;
	default:
		printf(" esp.opcode=%u esp.operator=%u", content->opcode, content->op);
	}
}

/* `why`: SPX_CAPSULE_seen, or how it is malformed. */
static void
print_capsule(const struct capsule_sample *sample, const struct frame *f, enum spx_capsule_counter why)
{
	const struct spx_capsule_content *content = &sample->content;

	printf("%s ", why == SPX_CAPSULE_seen ? "right" : "broken");
	print_bytes("", f->bytes, f->length);
	printf(" version=1 kind=%u flags=0x%02x code_words=%u scratch_words=%u fault=%u id=0x%016" PRIx64,
		content->kind, content->flags, content->code_words, content->scratch_words, content->fault,
		content->id);
	print_text(" fault_text=", spx_capsule_fault_text(content->fault));
	print_summary(content);
	print_code(sample);
	for (unsigned i = 0; i < content->scratch_words; i++)
		printf("%s%" PRIu64, i == 0 ? " word=" : ",", content->scratch[i]);
	printf(" malformed=%s", why == SPX_CAPSULE_seen ? "" : spx_capsule_counter_name(why));
	print_text(":_", spx_capsule_counter_text(why));
	putchar('\n');
}

/* With the bits `change` of byte `offset`, from the UDP header, turned over. */
static void
print_malformed(uint8_t kind, uint32_t offset, uint8_t change, enum spx_capsule_counter why)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, kind);
	capsule_frame(&f, &sample);
	f.bytes[f.udp + offset] ^= change;
	print_capsule(&sample, &f, why);
}

static void
print_all_malformed(void)
{
	print_malformed(SPX_CAPSULE_ESP, 8 + 0, 0x30, SPX_CAPSULE_malformed_version);
	print_malformed(SPX_CAPSULE_ESP, 8 + 0, 0x05, SPX_CAPSULE_malformed_kind);
	print_malformed(SPX_CAPSULE_ESP, 8 + 1, 0x01, SPX_CAPSULE_malformed_flag);
	print_malformed(SPX_CAPSULE_CARRIED, 8 + 6, 0x01, SPX_CAPSULE_malformed_zero);
	print_malformed(SPX_CAPSULE_NAMED, 8 + 66, 0x01, SPX_CAPSULE_malformed_zero);
	print_malformed(SPX_CAPSULE_ESP, 8 + 23, 0x01, SPX_CAPSULE_malformed_zero);
	print_malformed(SPX_CAPSULE_ESP, 8 + 4, 0x01, SPX_CAPSULE_malformed_code_words);
	print_malformed(SPX_CAPSULE_ESP, 8 + 5, 0x80, SPX_CAPSULE_malformed_scratchpad);
	print_malformed(SPX_CAPSULE_CARRIED, 8 + 3, 0x01, SPX_CAPSULE_malformed_length);
	print_malformed(SPX_CAPSULE_CARRIED, 8 + 28, 0x01, SPX_CAPSULE_malformed_padding);
	/* UDP length 63: 8, the capsule of 48, 7 of payload; now 47. */
	print_malformed(SPX_CAPSULE_ESP, 5, 0x10, SPX_CAPSULE_malformed_overrun);
}

int
main(void)
{
	static struct capsule_sample sample;
	static struct frame f;
	uint64_t random = 41;

	for (unsigned i = 0; i < 300; i++) {
		capsule_random(&sample, &random);
		if (sample.content.kind == SPX_CAPSULE_ESP && i % 2 == 0) {
			sample.content.opcode = (uint8_t)(i / 2 % 6);
			sample.content.op = (uint8_t)(i / 12 % 8);
			sample.content.flags |= SPX_CAPSULE_FAULT;
			sample.content.fault = (uint8_t)(i / 2 % 18);
		}
		capsule_frame(&f, &sample);
		print_capsule(&sample, &f, SPX_CAPSULE_seen);
	}
	print_all_malformed();
	return 0;
}
