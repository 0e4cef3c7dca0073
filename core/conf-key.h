/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that make a typed conf out of variables. */
#pragma once

#include "core/conf.h"

struct kiln_typing {
	const char *name; /* of the file, for messages */
	const struct kiln_vars *vars;
	const struct kiln_kern *kern;
	const char *kernel_config;
	const struct kiln_distro *distro;
	struct kiln_conf *conf;
	struct kiln_err *err;
};

/* NULL: unset or empty */
const char *kiln_typing_value(const struct kiln_typing *t, const char *name, size_t i);
/* "FILE:LINE" of a variable, as far as they are known; NULL: out of memory. */
char *kiln_typing_place(const struct kiln_typing *t, const struct kiln_var *v);
/* Both set the error "FILE:LINE: DIRECTIVE reason" and return its code. */
int kiln_typing_complain(const struct kiln_typing *t, const char *directive, size_t i,
			 const char *reason);
int kiln_typing_complain_at(const struct kiln_typing *t, const char *directive, size_t i,
			    const char *reason);
int kiln_typing_no_memory(const struct kiln_typing *t);
int kiln_typing_copy(const struct kiln_typing *t, char **ret, const char *s); /* NULL stays NULL */

/* conf-record.c */
size_t kiln_typing_count(const struct kiln_typing *t); /* of records in the file */
int kiln_typing_records(const struct kiln_typing *t);
void kiln_conf_module_done(struct kiln_conf_module *m);
