/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module.symvers: which symbols there are, whose, with which checksum, and for whom. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kiln_symbol {
	const char *name, *module; /* borrowed from the table; module: "vmlinux", "drivers/net/mii" */
	const char *space;         /* namespace; "": none */
	uint32_t crc;              /* 0: none */
	bool gpl;
};

struct kiln_symvers {
	char *text; /* the file, cut into words */
	struct kiln_symbol *v;
	size_t n;
	uint32_t *slots; /* index + 1 by hash of the name; 0: free */
	size_t n_slots;  /* a power of two */
};

void kiln_symvers_done(struct kiln_symvers *t);
/*
 * Takes text, also on failure.  Lines are CRC NAME MODULE EXPORT_* [NAMESPACE],
 * or of Linux 5.4 and 5.5 CRC NAME NAMESPACE MODULE EXPORT_*; others are passed
 * over.  0 or -ENOMEM.
 */
int kiln_symvers_parse(char *text, struct kiln_symvers *ret);
/* The first symbol of a name, or (several modules may offer one) the next after `after`; NULL: no more. */
const struct kiln_symbol *kiln_symvers_find(const struct kiln_symvers *t, const char *name,
					    const struct kiln_symbol *after);
