/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of options, and which verbs each is for: parsing, --help and completion read it. */
#pragma once

#include "cli/cli.h"

enum cli_group { /* of an option: one; of a verb: those that it takes; 0: every verb takes it */
	CLI_G_MODULE = 1 << 0,
	CLI_G_KERNEL = 1 << 1,
	CLI_G_ALL = 1 << 2,
	CLI_G_MANY = 1 << 3,   /* --all-modules */
	CLI_G_CONF = 1 << 4,   /* what a dkms.conf says */
	CLI_G_BUILD = 1 << 5,
	CLI_G_PLACE = 1 << 6,
	CLI_G_FORCE = 1 << 7,
	CLI_G_RPM = 1 << 8,
	CLI_G_MATCH = 1 << 9,
	CLI_G_PLAN = 1 << 10,  /* --dry-run */
	CLI_G_JSON = 1 << 11,
	CLI_G_FAILED = 1 << 12,
	CLI_G_VIEW = 1 << 13,  /* dkms conf */
	CLI_G_DOCTOR = 1 << 14,
	CLI_G_WRITE = 1 << 15, /* dkms init */
	CLI_G_PACK = 1 << 16,  /* built modules, source, or both */
	CLI_G_SPEC = 1 << 17,  /* --spec */
	CLI_G_LEGACY = 1 << 18, /* --legacy-postinst */
	CLI_G_ARCHIVE = 1 << 19,
	CLI_G_DISK = 1 << 20,  /* dkms mkdriverdisk */

	CLI_G_SETS = CLI_G_MODULE | CLI_G_KERNEL | CLI_G_CONF | CLI_G_PLAN,
};

struct cli_option {
	const char *name;  /* without "--"; NULL: only a letter */
	char letter;
	bool value;
	bool begins;       /* what begins with the name means it, too, as in dkms */
	int (*set)(struct cli *c, const char *value); /* 0 or an exit status */
	const char *help;  /* NULL: accepted, but nothing to learn; else "VALUE   what it is" */
	unsigned group;
};

/* option-table.c */
const struct cli_option *cli_options(size_t *n);
/* M or M/V; also what a word that names a module does. */
int cli_set_module(struct cli *c, const char *value);
