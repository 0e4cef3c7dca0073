/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libdpkg ends the process, or jumps, when it does not like what it reads; a
 * postinst must go on.  This fence is the only place that knows about that.
 */
#include "dpkg-trigger/guard.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <dpkg/macros.h>
#include <dpkg/ehandle.h>

/* libdpkg's last words, on one line; its own buffer is reused by the next error. */
static char said[512];

static void keep_text(const char *text, const void *data)
{
	(void)data;
	snprintf(said, sizeof(said), "%s", text);
	for (char *c = said; (c = strchr(c, '\n'));)
		*c = ' ';
}

int kiln_dpkg_guard(int (*body)(void *data), void *data, struct kiln_err *err)
{
	jmp_buf trap;
	int r;

	if (setjmp(trap)) {
		pop_error_context(ehflag_bombout);
		return kiln_fail(err, -EUCLEAN, "dpkg's database: %s", said);
	}
	push_error_context_jump(&trap, keep_text, NULL);
	r = body(data);
	pop_error_context(ehflag_normaltidy);
	return r;
}
