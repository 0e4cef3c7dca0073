/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of the calls of one undisturbed run. */
#pragma once

#include "tests/fault/shim.h"

/* How many renames to a final name are not safe from a power cut, each told on stderr; *checked: of how many. */
size_t fault_check_order(const struct fault_event *e, size_t n, size_t *checked);
