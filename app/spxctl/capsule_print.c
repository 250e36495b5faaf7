/* What a received capsule says, as JSON and from that for a person; see capsule.h. Numbers of 64 bits are
 * texts in JSON: many a reader keeps only 53 of them. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "app/spxctl/capsule.h"
#include "app/spxctl/show.h"

static const char *const flag_names[] = {
	"ingress", "egress", "returned", "fault", "unknown", "operator", "local"}; /* from 0x80 down */

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *
json_number64(uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return json_string(text);
}

static json_t *
json_hex(const uint8_t *bytes, size_t n)
{
	char text[2 * 4 * SPX_CAPSULE_CODE_WORDS + 1] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

static json_t *
json_flags(uint8_t flags)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < RTE_DIM(flag_names); i++)
		if (flags & (0x80u >> i))
			json_array_append_new(a, json_string(flag_names[i]));
	return a;
}

static json_t *
json_words(const struct spx_capsule *c)
{
	const struct spx_capsule_instruction *instruction =
		c->kind == SPX_CAPSULE_ESP ? spx_capsule_instruction(c->opcode) : NULL;
	json_t *a = json_array();

	for (unsigned i = 0; i < c->scratch_words; i++) {
		uint64_t word;

		memcpy(&word, c->scratch + i * 8u, sizeof(word));
		json_array_append_new(a,
			json_pack("{s:s?, s:o}", "name",
				instruction != NULL && i < instruction->n_operands ? instruction->operand[i]
										   : NULL,
				"value", json_number64(rte_be_to_cpu_64(word))));
	}
	return a;
}

static void
add_code(json_t *o, const struct spx_capsule *c)
{
	const struct spx_capsule_instruction *instruction = spx_capsule_instruction(c->opcode);
	char home[INET6_ADDRSTRLEN];

	switch (c->kind) {
	case SPX_CAPSULE_CARRIED:
		json_object_set_new(o, "code", json_hex(c->code, c->code_words * 4u));
		break;
	case SPX_CAPSULE_NAMED:
		inet_ntop(AF_INET6, c->code + SPX_CAPSULE_NAME_BYTES, home, sizeof(home));
		json_object_set_new(o, "name", json_hex(c->code, SPX_CAPSULE_NAME_BYTES));
		json_object_set_new(o, "home", json_string(home));
		json_object_set_new(o, "home_port", json_integer(c->home_port));
		break;
	default:
		json_object_set_new(o, "opcode", json_integer(c->opcode));
		json_object_set_new(
			o, "instruction", json_string(instruction != NULL ? instruction->name : "unknown"));
		json_object_set_new(o, "op", json_integer(c->op));
		json_object_set_new(o, "operator", json_pack("s?", spx_capsule_operator(c->opcode, c->op)));
	}
}

/* What is no printable ASCII is '?'. */
static json_t *
json_payload(const uint8_t *bytes, size_t n)
{
	char *text = spx_ctl_memory(malloc(n + 1));
	json_t *string;

	for (size_t i = 0; i < n; i++)
		text[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '?';
	string = json_stringn(text, n);
	free(text);
	return string;
}

/* A capsule that can be read: malformed ones have no code and no words. */
static void
add_capsule(json_t *o, const struct spx_capsule *c, const uint8_t *payload, size_t n)
{
	json_object_set_new(o, "kind", json_string(spx_capsule_kind_name(c->kind)));
	json_object_set_new(o, "flags", json_flags(c->flags));
	json_object_set_new(o, "id", json_number64(c->id));
	json_object_set_new(o, "fault",
		c->flags & SPX_CAPSULE_FAULT
			? json_pack("{s:i, s:s}", "code", c->fault, "text", spx_capsule_fault_text(c->fault))
			: json_null());
	add_code(o, c);
	json_object_set_new(o, "words", json_words(c));
	json_object_set_new(o, "payload", json_payload(payload, n));
}

json_t *
spx_capsule_json(uint8_t *bytes, size_t n, const struct sockaddr_storage *from)
{
	char address[SPX_CTL_ADDRESS_MAX];
	struct spx_capsule c;
	enum spx_capsule_verdict verdict = spx_capsule_read(bytes, (uint32_t)n, (uint32_t)n, &c);
	bool malformed = verdict == SPX_CAPSULE_PASS && c.why >= SPX_CAPSULE_malformed_truncated;
	json_t *o = json_object();

	spx_capsule_address(from, address);
	json_object_set_new(o, "from", json_string(address));
	json_object_set_new(o, "port", json_integer(spx_capsule_address_port(from)));
	json_object_set_new(o, "bytes", json_integer((json_int_t)n));
	json_object_set_new(
		o, "malformed", json_pack("s?", malformed ? spx_capsule_counter_text(c.why) : NULL));
	if (!malformed)
		add_capsule(o, &c, bytes + c.length, n - c.length);
	return o;
}

/* ---- for a person ---------------------------------------------------------------------------------- */

static const char *
text_of(const json_t *o, const char *key)
{
	const char *text = spx_member_text(o, key);

	return text == NULL ? "" : text;
}

static void
print_code(const json_t *capsule)
{
	const char *kind = text_of(capsule, "kind"), *operator= text_of(capsule, "operator");

	if (strcmp(kind, "esp") == 0)
		printf("%s%s%s", text_of(capsule, "instruction"), operator[0] != '\0' ? " " : "", operator);
	else if (strcmp(kind, "named") == 0)
		printf("program %.16s...", text_of(capsule, "name"));
	else
		printf("program of %zu instructions", strlen(text_of(capsule, "code")) / 8);
}

void
spx_capsule_print(const json_t *capsule)
{
	const json_t *fault = json_object_get(capsule, "fault"), *item;
	const char *payload = text_of(capsule, "payload");
	size_t i;

	printf("from %s: ", text_of(capsule, "from"));
	if (spx_member_text(capsule, "malformed") != NULL) {
		printf("malformed: %s\n", text_of(capsule, "malformed"));
		return;
	}
	print_code(capsule);
	printf(", id %s, flags", text_of(capsule, "id"));
	json_array_foreach (json_object_get(capsule, "flags"), i, item)
		printf(" %s", json_string_value(item));
	putchar('\n');
	if (json_is_object(fault))
		printf("  fault %" PRId64 ": %s\n", (int64_t)spx_member_number(fault, "code"),
			text_of(fault, "text"));
	json_array_foreach (json_object_get(capsule, "words"), i, item)
		printf("  %2zu %-3s %s\n", i, text_of(item, "name"), text_of(item, "value"));
	if (payload[0] != '\0')
		printf("  payload \"%s\"\n", payload);
}
