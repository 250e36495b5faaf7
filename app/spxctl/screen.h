/* A text that is written over in place on a terminal. */
#ifndef SPX_CTL_SCREEN_H
#define SPX_CTL_SCREEN_H

#include <stdio.h>

struct spx_screen {
	unsigned lines; /* of the text on it */
};

/* Prints lines over those before; what does not fit into `rows` lines of `columns` characters (0: any number)
 * is cut. */
void spx_screen_show(struct spx_screen *screen, const char *text, unsigned rows, unsigned columns, FILE *out);

/* Size of the terminal that standard output is, 0 and 0 when it does not say. */
void spx_screen_size(unsigned *rows, unsigned *columns);

#endif
