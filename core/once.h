/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large files of a kernel that many pairs of a run ask for: hashed once.  Each
 * is known by what stat() says of it, so a file that was replaced is read again.
 * Workers are forks: what the engine has asked for before, they have.
 */
#pragma once

#include "core/base/fs.h"

/* As kiln_fs_hash_file(). */
int kiln_once_hash(int dir, const char *path, char ret[KILN_HASH_SIZE]);
