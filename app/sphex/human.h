/* Numbers that a person reads at a glance. */
#ifndef SPX_HUMAN_H
#define SPX_HUMAN_H

/* "12.3 M", "999", "1.20 k" into text. */
void spx_human(char text[16], double value);

#endif
