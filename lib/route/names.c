/* Names of the enumerations of route.h. */
#include "lib/route/route.h"

const char *
spx_next_hop_kind_name(enum spx_next_hop_kind kind)
{
	static const char *const name[] = {
#define NAME(name, text) #name,
		SPX_NEXT_HOP_KINDS(NAME)
#undef NAME
	};

	return name[kind];
}

const char *
spx_neighbour_state_name(enum spx_neighbour_state state)
{
	static const char *const name[] = {
#define NAME(name, text) #name,
		SPX_NEIGHBOUR_STATES(NAME)
#undef NAME
	};

	return name[state];
}
