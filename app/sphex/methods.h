/* The methods of the control protocol, one function each (doc/control.md says what they do). */
#ifndef SPX_METHODS_H
#define SPX_METHODS_H

#include "app/sphex/rpc.h"

/* methods_server.c */
int spx_method_hello(struct spx_call *call, json_t **result);
int spx_method_show_clients(struct spx_call *call, json_t **result);
int spx_method_stop(struct spx_call *call, json_t **result);
int spx_method_subscribe(struct spx_call *call, json_t **result);

/* methods_steer.c */
int spx_method_show_steer(struct spx_call *call, json_t **result);
int spx_method_steer_add(struct spx_call *call, json_t **result);
int spx_method_steer_delete(struct spx_call *call, json_t **result);

#endif
