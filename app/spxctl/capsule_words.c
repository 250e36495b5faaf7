/* Instruction, operands and operator of a capsule to send; see capsule.h. */
#include <errno.h>
#include <string.h>

#include "app/spxctl/capsule.h"
#include "app/spxctl/words.h"

#define ID_MAX 63u /* of a child: its bit in a word */

static const struct spx_word instructions[] = {
	{"count"}, {"compare"}, {"collect"}, {"rchld"}, {"rcollect"}, {NULL}};

/* The operator's number. */
static int
read_operator(const char *what, const struct spx_capsule_instruction *instruction, const char *word,
	uint8_t *op, struct spx_error *err)
{
	struct spx_word names[8] = {{NULL}};
	int i;

	for (i = 0; instruction->operators[i] != NULL; i++)
		names[i].name = instruction->operators[i];
	i = spx_word_find(what, names, sizeof(names[0]), word, err);
	if (i < 0)
		return i;
	*op = (uint8_t)(i + 1);
	return 0;
}

int
spx_capsule_words(int n, char **word, struct spx_capsule_content *content,
	uint64_t scratch[SPX_CAPSULE_OPERANDS_MAX], struct spx_error *err)
{
	const struct spx_capsule_instruction *instruction;
	char what[64];
	int opcode = spx_word_find("capsule send", instructions, sizeof(instructions[0]), word[0], err),
	    expected;

	if (opcode < 0)
		return opcode;
	opcode++;
	instruction = spx_capsule_instruction((uint8_t)opcode);
	expected = 1 + (int)instruction->n_operands + (instruction->operators != NULL);
	for (unsigned i = 0; i < instruction->n_operands; i++) {
		const char *operand = instruction->operand[i];
		int r;

		snprintf(what, sizeof(what), "capsule send %s: %s", instruction->name, operand);
		r = spx_word_number64(what, (int)i + 1 < n ? word[i + 1] : NULL,
			strcmp(operand, "id") == 0 ? ID_MAX : UINT64_MAX, &scratch[i], err);
		if (r != 0)
			return r;
	}
	snprintf(what, sizeof(what), "capsule send %s", instruction->name);
	if (n > expected)
		return spx_error(err, -EINVAL, "%s: \"%s\" is too much", what, word[expected]);
	content->kind = SPX_CAPSULE_ESP;
	content->opcode = (uint8_t)opcode;
	content->op = 0;
	content->scratch = scratch;
	content->scratch_words = instruction->n_operands;
	if (instruction->operators == NULL)
		return 0;
	return read_operator(what, instruction, n == expected ? word[expected - 1] : NULL, &content->op, err);
}
