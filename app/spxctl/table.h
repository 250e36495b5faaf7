/* Tables for a person: columns as wide as what is in them, numbers at the right. */
#ifndef SPX_CTL_TABLE_H
#define SPX_CTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

struct spx_table;

/* `columns` are the titles with commas between; one that begins with '>' stands at the right (numbers). */
struct spx_table *spx_table_new(const char *columns);
void spx_table_free(struct spx_table *table);

/* The next cell, row by row. Control characters are replaced; what is not there (NULL, no number) is "-". */
void spx_table_text(struct spx_table *table, const char *text);
void spx_table_number(struct spx_table *table, const json_t *number);
void spx_table_format(struct spx_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Rows of which every cell is there. */
size_t spx_table_rows(const struct spx_table *table);

/* Titles and rows. */
void spx_table_print(const struct spx_table *table, FILE *out);

/* Prints it to standard output, or the line `none` when it has no rows, and frees it. */
void spx_table_finish(struct spx_table *table, const char *none);

#endif
