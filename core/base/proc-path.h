/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/base/strv.h"

/*
 * Where a program may be: itself if it has a slash, else the directories of PATH
 * in env (NULL: ours), relative ones left out.  Found before the fork, as the
 * child may not allocate, and tried there, as prepare may change the root.
 */
int kiln_proc_path(const char *program, const char *const *env, struct kiln_strv *ret);
