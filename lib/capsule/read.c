/* The capsule in the UDP payload: one check after the other, each with its name; see capsule.h. parse.c finds
 * the payload. */
#include <string.h>

#include <rte_byteorder.h>

#include "lib/capsule/capsule.h"

#define NAMED_CODE 56u /* name, home address, home port, zero */
#define ESP_CODE   8u

static uint16_t
read16(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return rte_be_to_cpu_16(value);
}

static bool
all_zero(const uint8_t *bytes, unsigned n)
{
	uint8_t any = 0;

	for (unsigned i = 0; i < n; i++)
		any |= bytes[i];
	return any == 0;
}

static unsigned
code_part(unsigned kind, unsigned code_words)
{
	switch (kind) {
	case SPX_CAPSULE_CARRIED:
		return RTE_ALIGN(code_words * 4u, 8u);
	case SPX_CAPSULE_NAMED:
		return NAMED_CODE;
	default:
		return ESP_CODE;
	}
}

/* The 16 bytes of the header. SPX_CAPSULE_seen, or the reason why it is malformed; the version comes first,
 * as another one may mean anything by the rest. */
static enum spx_capsule_counter
read_header(const uint8_t *header, struct spx_capsule *c)
{
	uint64_t id;

	c->kind = header[0] & 0xf;
	c->flags = header[1];
	c->length = read16(header + 2);
	c->code_words = header[4];
	c->scratch_words = header[5];
	c->fault = header[7];
	memcpy(&id, header + 8, sizeof(id));
	c->id = rte_be_to_cpu_64(id);
	if (header[0] >> 4 != SPX_CAPSULE_VERSION)
		return SPX_CAPSULE_malformed_version;
	if (c->kind >= SPX_CAPSULE_KINDS)
		return SPX_CAPSULE_malformed_kind;
	if (c->flags & SPX_CAPSULE_NO_FLAG)
		return SPX_CAPSULE_malformed_flag;
	if (header[6] != 0)
		return SPX_CAPSULE_malformed_zero;
	if (c->kind != SPX_CAPSULE_CARRIED && c->code_words != 0)
		return SPX_CAPSULE_malformed_code_words;
	if (c->scratch_words > SPX_CAPSULE_SCRATCH_WORDS)
		return SPX_CAPSULE_malformed_scratchpad;
	if (c->length != SPX_CAPSULE_HEADER + code_part(c->kind, c->code_words) + c->scratch_words * 8u)
		return SPX_CAPSULE_malformed_length;
	return SPX_CAPSULE_seen;
}

/* The code part behind it: the same. */
static enum spx_capsule_counter
read_code(const uint8_t *code, struct spx_capsule *c)
{
	switch (c->kind) {
	case SPX_CAPSULE_CARRIED:
		if (c->code_words % 2 != 0 && !all_zero(code + c->code_words * 4u, 4))
			return SPX_CAPSULE_malformed_padding;
		return SPX_CAPSULE_seen;
	case SPX_CAPSULE_NAMED:
		c->home_port = read16(code + SPX_CAPSULE_NAME_BYTES + 16);
		return all_zero(code + NAMED_CODE - 6, 6) ? SPX_CAPSULE_seen : SPX_CAPSULE_malformed_zero;
	default:
		c->opcode = code[0];
		c->op = code[1];
		return all_zero(code + 2, ESP_CODE - 2) ? SPX_CAPSULE_seen : SPX_CAPSULE_malformed_zero;
	}
}

/* A well-formed capsule that no node runs: the same. */
static enum spx_capsule_counter
read_flags(uint8_t flags)
{
	if (flags & SPX_CAPSULE_RETURNED)
		return SPX_CAPSULE_returned;
	if (flags & SPX_CAPSULE_FAULT)
		return SPX_CAPSULE_fault;
	if (!(flags & (SPX_CAPSULE_INGRESS | SPX_CAPSULE_EGRESS)))
		return SPX_CAPSULE_no_stage;
	return SPX_CAPSULE_seen;
}

/* All of it, from the outside in. SPX_CAPSULE_seen: it may run. */
static enum spx_capsule_counter
read_capsule(uint8_t *bytes, uint32_t contiguous, uint32_t length, struct spx_capsule *c)
{
	enum spx_capsule_counter why;

	if (length < SPX_CAPSULE_HEADER)
		return SPX_CAPSULE_malformed_truncated;
	if (contiguous < SPX_CAPSULE_HEADER)
		return SPX_CAPSULE_not_contiguous;
	why = read_header(bytes, c);
	if (why != SPX_CAPSULE_seen)
		return why;
	if (c->length > length)
		return SPX_CAPSULE_malformed_overrun;
	if (c->length > contiguous)
		return SPX_CAPSULE_not_contiguous;
	c->header = bytes;
	c->code = bytes + SPX_CAPSULE_HEADER;
	c->scratch = bytes + c->length - c->scratch_words * 8u;
	why = read_code(c->code, c);
	return why == SPX_CAPSULE_seen ? read_flags(c->flags) : why;
}

enum spx_capsule_verdict
spx_capsule_read(uint8_t *bytes, uint32_t contiguous, uint32_t length, struct spx_capsule *c)
{
	enum spx_capsule_counter why;

	*c = (struct spx_capsule){0};
	why = read_capsule(bytes, contiguous, length, c);
	c->why = (uint8_t)why;
	return why == SPX_CAPSULE_seen ? SPX_CAPSULE_READY : SPX_CAPSULE_PASS;
}
