/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the machine a conf may ask about while it is evaluated in C.  The
 * evaluator does no I/O: it asks this.  Paths are as seen inside the root.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct kiln_conf_look {
	bool is_dir, is_file, is_link; /* is_link only where links are not followed */
	bool empty;                    /* of size 0 */
	unsigned mode;                 /* permissions */
};

struct kiln_conf_world {
	void *data;
	/* The text of a regular file, owned by the caller, NUL added; -errno. */
	int (*read)(void *data, const char *path, char **text, size_t *len);
	int (*look)(void *data, const char *path, bool follow, struct kiln_conf_look *ret);
	int processors;         /* that this process may use; 0: not known */
	int online;             /* that there are; 0: not known */
	const char *release;    /* uname -r; NULL: not known */
	const char *machine;    /* uname -m; NULL: not known */
	/* what override_dest_module_location says; NULL: its argument */
	const char *module_dir;
};

struct kiln_ctx;

/* This machine as seen inside the root of ctx, which has to stay as long.  conf-world.c */
void kiln_conf_world_of(struct kiln_ctx *ctx, struct kiln_conf_world *ret);
