/* Names of the X-macros in flow.h. */
#include "lib/flow/flow.h"

const char *
spx_flow_mode_name(enum spx_flow_mode mode)
{
	static const char *const name[] = {
#define SPX_FLOW_MODE_NAME(mode) #mode,
		SPX_FLOW_MODES(SPX_FLOW_MODE_NAME)
#undef SPX_FLOW_MODE_NAME
	};

	return name[mode];
}

const char *
spx_flow_end_name(enum spx_flow_end end)
{
	static const char *const name[] = {
#define SPX_FLOW_END_NAME(name, text) #name,
		SPX_FLOW_ENDS(SPX_FLOW_END_NAME)
#undef SPX_FLOW_END_NAME
	};

	return name[end];
}
