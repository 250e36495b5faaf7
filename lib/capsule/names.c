/* Names and texts of counters, fault codes, kinds and ESP instructions; see capsule.h. */
#include "lib/capsule/capsule.h"

const char *
spx_capsule_counter_name(enum spx_capsule_counter counter)
{
	static const char *const names[SPX_CAPSULE_COUNTER_COUNT] = {
#define SPX_NAME(name, text) [SPX_CAPSULE_##name] = #name,
		SPX_CAPSULE_COUNTERS(SPX_NAME)
#undef SPX_NAME
	};
	return names[counter];
}

const char *
spx_capsule_counter_text(enum spx_capsule_counter counter)
{
	static const char *const texts[SPX_CAPSULE_COUNTER_COUNT] = {
#define SPX_TEXT(name, text) [SPX_CAPSULE_##name] = text,
		SPX_CAPSULE_COUNTERS(SPX_TEXT)
#undef SPX_TEXT
	};
	return texts[counter];
}

const char *
spx_capsule_fault_text(uint8_t code)
{
	if (code >= SPX_CAPSULE_FAULT_OWN)
		return "the program's own";
	switch (code) {
#define SPX_CASE(name, number, text)                                                                         \
	case number:                                                                                         \
		return text;
		SPX_CAPSULE_FAULTS(SPX_CASE)
#undef SPX_CASE
	default:
		return "unknown";
	}
}

const char *
spx_capsule_kind_name(enum spx_capsule_kind kind)
{
	static const char *const names[SPX_CAPSULE_KINDS] = {"carried", "named", "esp"};

	return names[kind];
}

static const char *const comparisons[] = {"lt", "le", "gt", "ge", "eq", "ne", NULL};
static const char *const combinations[] = {"sum", "min", "max", "and", "or", NULL};

const struct spx_capsule_instruction *
spx_capsule_instruction(uint8_t opcode)
{
	static const struct spx_capsule_instruction instructions[SPX_CAPSULE_OPCODE_END] = {
		[SPX_CAPSULE_OPCODE_COUNT] = {"count", NULL, 2, {"C", "T"}},
		[SPX_CAPSULE_OPCODE_COMPARE] = {"compare", comparisons, 2, {"V", "val"}},
		[SPX_CAPSULE_OPCODE_COLLECT] = {"collect", combinations, 3, {"C", "V", "val"}},
		[SPX_CAPSULE_OPCODE_RCHLD] = {"rchld", NULL, 2, {"B", "id"}},
		[SPX_CAPSULE_OPCODE_RCOLLECT] = {"rcollect", combinations, 5, {"B", "D", "V", "id", "val"}},
	};

	return opcode == 0 || opcode >= SPX_CAPSULE_OPCODE_END ? NULL : &instructions[opcode];
}

const char *
spx_capsule_operator(uint8_t opcode, uint8_t op)
{
	const struct spx_capsule_instruction *instruction = spx_capsule_instruction(opcode);

	if (instruction == NULL || instruction->operators == NULL || op == 0)
		return NULL;
	for (unsigned i = 0; instruction->operators[i] != NULL; i++)
		if (i + 1u == op)
			return instruction->operators[i];
	return NULL;
}
