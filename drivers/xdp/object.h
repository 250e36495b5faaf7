/* The steering program's object file as bytes: made from bytecode/xdp/steer.bpf.c by the build. */
#ifndef SPX_XDP_OBJECT_H
#define SPX_XDP_OBJECT_H

#include <stddef.h>

extern const unsigned char spx_steer_object[];
extern const size_t spx_steer_object_size;

#endif
