/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which forms of ${x…} are evaluated here.  To teach the evaluator one, take its
 * line away.
 */
#include "core/conf-eval.h"

#include <string.h>

#include "core/base/text.h"

static bool op_known(const struct kiln_sh_param *p)
{
	static const char *const ops[] = {
		"", "-", ":-", "+", ":+", "=", ":=", "%", "%%", "#", "##", "/", "//", "/#", "/%",
		",", ",,", "^", "^^", ":", NULL,
	};

	return kiln_text_in(p->op, ops);
}

/* What can be done to each element. */
static bool op_for_all(const struct kiln_sh_param *p)
{
	return !p->length && !p->indirect && strchr("%#/,^", p->op[0]);
}

/* $? always, $1 $# $@ and $* where a function is called. */
static const char *special_construct(const struct kiln_sh_param *p, bool in_function)
{
	bool argument = strchr("#@*123456789", p->name[0]) && !p->name[1];

	if (!strcmp(p->name, "?") && !p->length && !p->op[0] && !p->indirect)
		return NULL;
	if (!argument || !in_function || p->indirect ||
	    (strchr("#@*", p->name[0]) && (p->op[0] || p->length)))
		return "a positional or special parameter";
	return op_known(p) ? NULL : "an expansion of a kind that is not read here";
}

const char *kiln_sh_param_construct(const struct kiln_sh_param *p, bool in_function)
{
	if (!kiln_sh_is_name_start(p->name[0]))
		return special_construct(p, in_function);
	if (kiln_sh_is_foreign(p->name))
		return "a variable of the shell itself";
	if (p->indirect && (p->op[0] || p->subscript))
		return "an indirect expansion (${!…})";
	if (!op_known(p))
		return "an expansion of a kind that is not read here";
	if (p->all && p->op[0] && !op_for_all(p))
		return "an operation on all elements of an array";
	if (p->length && p->op[0])
		return "an expansion of a kind that is not read here";
	if (strchr(",^", p->op[0]) && p->op[0] && p->word->parts)
		return "a change of case by pattern";
	return NULL;
}
