/* Tables; see table.h. Cells are kept as texts until all are there and the widths are known. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "app/spxctl/ctl.h"
#include "app/spxctl/table.h"
#include "app/spxctl/text.h"

#define COLUMNS_MAX 16u
#define GAP         2 /* blanks between columns */

struct spx_table {
	char *titles; /* what the titles point into */
	const char *title[COLUMNS_MAX];
	bool right[COLUMNS_MAX];
	unsigned n;  /* columns */
	char **cell; /* row by row */
	size_t n_cells, size;
};

struct spx_table *
spx_table_new(const char *columns)
{
	struct spx_table *table = spx_ctl_memory(calloc(1, sizeof(*table)));
	char *rest;

	table->titles = spx_ctl_memory(strdup(columns));
	rest = table->titles;
	while (rest != NULL && table->n < COLUMNS_MAX) {
		const char *title = strsep(&rest, ",");

		table->right[table->n] = title[0] == '>';
		table->title[table->n++] = title + (title[0] == '>');
	}
	return table;
}

void
spx_table_free(struct spx_table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cell[i]);
	free(table->cell);
	free(table->titles);
	free(table);
}

/* Takes over the text. */
static void
add_cell(struct spx_table *table, char *text)
{
	if (table->n_cells == table->size) {
		table->size = table->size == 0 ? 64 : table->size * 2;
		table->cell = spx_ctl_memory(realloc(table->cell, table->size * sizeof(*table->cell)));
	}
	spx_clean(text);
	table->cell[table->n_cells++] = text;
}

void
spx_table_text(struct spx_table *table, const char *text)
{
	add_cell(table, spx_ctl_memory(strdup(text != NULL && text[0] != '\0' ? text : "-")));
}

void
spx_table_format(struct spx_table *table, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	add_cell(table, spx_ctl_memory(n < 0 ? NULL : text));
}

void
spx_table_number(struct spx_table *table, const json_t *number)
{
	if (json_is_integer(number))
		spx_table_format(table, "%" PRId64, (int64_t)json_integer_value(number));
	else
		spx_table_text(table, NULL);
}

size_t
spx_table_rows(const struct spx_table *table)
{
	return table->n_cells / table->n;
}

static const char *
cell_at(const struct spx_table *table, size_t row, unsigned column)
{
	return table->cell[row * table->n + column];
}

static size_t
column_width(const struct spx_table *table, unsigned column)
{
	size_t width = strlen(table->title[column]);

	for (size_t row = 0; row < spx_table_rows(table); row++)
		width = RTE_MAX(width, spx_columns(cell_at(table, row, column)));
	return width;
}

/* *blanks are printed before the next text that there is: no line ends with some. */
static void
print_cell(const struct spx_table *table, unsigned column, size_t width, const char *text, size_t *blanks,
	FILE *out)
{
	size_t fill = width - spx_columns(text);

	*blanks += table->right[column] ? fill : 0;
	if (text[0] != '\0') {
		fprintf(out, "%*s%s", (int)*blanks, "", text);
		*blanks = 0;
	}
	*blanks += GAP + (table->right[column] ? 0 : fill);
}

static void
print_row(const struct spx_table *table, const size_t *width, const char *const *text, FILE *out)
{
	size_t blanks = 0;

	for (unsigned c = 0; c < table->n; c++)
		print_cell(table, c, width[c], text[c], &blanks, out);
	putc('\n', out);
}

void
spx_table_print(const struct spx_table *table, FILE *out)
{
	size_t width[COLUMNS_MAX];

	for (unsigned c = 0; c < table->n; c++)
		width[c] = column_width(table, c);
	print_row(table, width, table->title, out);
	for (size_t row = 0; row < spx_table_rows(table); row++)
		print_row(table, width, (const char *const *)&table->cell[row * table->n], out);
}

void
spx_table_finish(struct spx_table *table, const char *none)
{
	if (spx_table_rows(table) > 0)
		spx_table_print(table, stdout);
	else
		printf("%s\n", none);
	spx_table_free(table);
}
