/* Names and texts of drop reasons, stages and exceptions, from the lists in base.h. */
#include "lib/base/base.h"

const char *
spx_drop_name(enum spx_drop reason)
{
	static const char *const names[SPX_DROP_COUNT] = {
#define SPX_NAME(name, stage, text) [SPX_DROP_##name] = #name,
		SPX_DROP_REASONS(SPX_NAME)
#undef SPX_NAME
	};
	return names[reason];
}

const char *
spx_drop_text(enum spx_drop reason)
{
	static const char *const texts[SPX_DROP_COUNT] = {
#define SPX_TEXT(name, stage, text) [SPX_DROP_##name] = text,
		SPX_DROP_REASONS(SPX_TEXT)
#undef SPX_TEXT
	};
	return texts[reason];
}

const char *
spx_drop_stage(enum spx_drop reason)
{
	static const char *const stages[SPX_DROP_COUNT] = {
#define SPX_STAGE(name, stage, text) [SPX_DROP_##name] = #stage,
		SPX_DROP_REASONS(SPX_STAGE)
#undef SPX_STAGE
	};
	return stages[reason];
}

const char *
spx_stage_name(enum spx_stage stage)
{
	static const char *const names[SPX_STAGE_COUNT] = {
#define SPX_NAME(name) [SPX_STAGE_##name] = #name,
		SPX_STAGES(SPX_NAME)
#undef SPX_NAME
	};
	return names[stage];
}

const char *
spx_exception_name(enum spx_exception exception)
{
	static const char *const names[SPX_EXCEPTION_COUNT] = {
#define SPX_NAME(name, text) [SPX_EXCEPTION_##name] = #name,
		SPX_EXCEPTIONS(SPX_NAME)
#undef SPX_NAME
	};
	return names[exception];
}

const char *
spx_exception_text(enum spx_exception exception)
{
	static const char *const texts[SPX_EXCEPTION_COUNT] = {
#define SPX_TEXT(name, text) [SPX_EXCEPTION_##name] = text,
		SPX_EXCEPTIONS(SPX_TEXT)
#undef SPX_TEXT
	};
	return texts[exception];
}
