/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every verb needs for --json. */
#pragma once

#include <jansson.h>

/* A string of unknown encoding, NULL as null; what is not UTF-8 becomes U+FFFD. */
json_t *cli_json_text(const char *s);
/* Prints and drops it; an exit status. */
int cli_json_print(json_t *value);
