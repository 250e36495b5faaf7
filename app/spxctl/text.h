/* Texts of the appliance as they may be printed on a terminal. */
#ifndef SPX_CTL_TEXT_H
#define SPX_CTL_TEXT_H

#include <stddef.h>

/* Replaces control characters (also those of Unicode: C1, line separators, marks that turn the direction of
 * writing) by '?'. Text is UTF-8. */
void spx_clean(char *text);

/* Columns that the text takes: its code points. */
size_t spx_columns(const char *text);

#endif
