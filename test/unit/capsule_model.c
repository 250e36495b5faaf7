/* See capsule_model.h. */
#include "test/unit/capsule_model.h"

/* Where things are, from the start of the frame. */
struct place {
	uint32_t ip, udp, end; /* end: of the IP packet */
	bool v6;
	bool fragment, first;
};

static uint32_t
number(const uint8_t *bytes, uint32_t at, unsigned n)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value * 256 + bytes[at + i];
	return value;
}

static bool
zero(const uint8_t *bytes, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (bytes[at + i] != 0)
			return false;
	return true;
}

static bool
is_tag(uint32_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

static bool
is_extension(uint32_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135 ||
	       next == 139 || next == 140;
}

/* UDP over IPv4. */
static bool
find4(const uint8_t *frame, struct place *place)
{
	uint32_t flags = number(frame, place->ip + 6, 2);

	place->end = place->ip + number(frame, place->ip + 2, 2);
	place->udp = place->ip + (frame[place->ip] % 16u) * 4;
	place->fragment = flags % 0x4000 != 0;
	place->first = flags % 0x2000 == 0;
	return frame[place->ip + 9] == 17;
}

/* UDP over IPv6, behind its extension headers. */
static bool
find6(const uint8_t *frame, struct place *place)
{
	uint32_t next = frame[place->ip + 6], at = place->ip + 40;

	place->v6 = place->first = true;
	place->end = at + number(frame, place->ip + 4, 2);
	while (is_extension(next) && !place->fragment) {
		uint32_t size = frame[at + 1] * 8u + 8;

		if (next == 51)
			size = frame[at + 1] * 4u + 8;
		if (next == 44) {
			uint32_t field = number(frame, at + 2, 2);

			size = 8;
			place->fragment = field / 8 != 0 || field % 2 != 0;
			place->first = field / 8 == 0;
		}
		next = frame[at];
		at += size;
	}
	place->udp = at;
	return next == 17;
}

static bool
find_udp(const uint8_t *frame, struct place *place)
{
	uint32_t type, at = 12;

	*place = (struct place){0};
	type = number(frame, at, 2);
	for (unsigned tags = 0; tags < 2 && is_tag(type); tags++) {
		at += 4;
		type = number(frame, at, 2);
	}
	place->ip = at + 2;
	if (type == 0x0800)
		return find4(frame, place);
	return type == 0x86dd && find6(frame, place);
}

/* The first rule of the format that the capsule breaks, or SPX_CAPSULE_seen. */
static enum spx_capsule_counter
broken(const uint8_t *frame, uint32_t at, uint32_t payload, uint32_t contiguous)
{
	uint32_t kind, code = 0, length;

	if (payload < 16)
		return SPX_CAPSULE_malformed_truncated;
	if (contiguous < at + 16)
		return SPX_CAPSULE_not_contiguous;
	kind = frame[at] % 16;
	length = number(frame, at + 2, 2);
	if (frame[at] / 16 != 1)
		return SPX_CAPSULE_malformed_version;
	if (kind != 0 && kind != 1 && kind != 2)
		return SPX_CAPSULE_malformed_kind;
	if (frame[at + 1] % 2 == 1)
		return SPX_CAPSULE_malformed_flag;
	if (frame[at + 6] != 0)
		return SPX_CAPSULE_malformed_zero;
	if (kind > 0 && frame[at + 4] > 0)
		return SPX_CAPSULE_malformed_code_words;
	if (frame[at + 5] > 32)
		return SPX_CAPSULE_malformed_scratchpad;
	if (kind == 0)
		code = (frame[at + 4] + 1u) / 2 * 8;
	if (kind == 1)
		code = 32 + 16 + 2 + 6;
	if (kind == 2)
		code = 1 + 1 + 6;
	if (length != 16 + code + 8u * frame[at + 5])
		return SPX_CAPSULE_malformed_length;
	if (length > payload)
		return SPX_CAPSULE_malformed_overrun;
	if (at + length > contiguous)
		return SPX_CAPSULE_not_contiguous;
	if (kind == 0 && !zero(frame, at + 16 + frame[at + 4] * 4u, code - frame[at + 4] * 4u))
		return SPX_CAPSULE_malformed_padding;
	if ((kind == 1 && !zero(frame, at + 66, 6)) || (kind == 2 && !zero(frame, at + 18, 6)))
		return SPX_CAPSULE_malformed_zero;
	if (frame[at + 1] & 0x20)
		return SPX_CAPSULE_returned;
	if (frame[at + 1] & 0x10)
		return SPX_CAPSULE_fault;
	return (frame[at + 1] & 0xc0) == 0 ? SPX_CAPSULE_no_stage : SPX_CAPSULE_seen;
}

static bool
checksum_right(const uint8_t *frame, const struct place *place)
{
	uint32_t length = number(frame, place->udp + 4, 2), sum = 17 + length;
	uint32_t addresses = place->v6 ? place->ip + 8 : place->ip + 12;

	if (number(frame, place->udp + 6, 2) == 0)
		return !place->v6;
	for (uint32_t i = 0; i < (place->v6 ? 32 : 8); i += 2)
		sum += number(frame, addresses + i, 2);
	for (uint32_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? frame[place->udp + i] * 256u : frame[place->udp + i];
	return sum % 0xffff == 0;
}

struct capsule_model
capsule_model(const uint8_t *frame, uint32_t contiguous)
{
	struct capsule_model model = {.verdict = SPX_CAPSULE_NOT};
	struct place place;

	if (!find_udp(frame, &place))
		return model;
	if (place.fragment && (!place.first || place.udp + 4 > place.end || place.udp + 4 > contiguous))
		return model;
	if (number(frame, place.udp + 2, 2) != 3322)
		return model;
	model.verdict = SPX_CAPSULE_PASS;
	model.why = SPX_CAPSULE_fragment;
	if (place.fragment)
		return model;
	model.at = place.udp + 8;
	model.why = broken(frame, model.at, number(frame, place.udp + 4, 2) - 8, contiguous);
	if (model.why != SPX_CAPSULE_seen)
		return model;
	model.verdict = SPX_CAPSULE_READY;
	model.checksum = checksum_right(frame, &place);
	model.code = model.at + 16;
	model.scratch = model.at + number(frame, model.at + 2, 2) - 8u * frame[model.at + 5];
	return model;
}
