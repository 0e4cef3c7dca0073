/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a system that distrusts files wants to know of those that we put into
 * /lib/modules: the label that its SELinux policy has for them (label.c), and
 * that fapolicyd may trust them (trust.c).  Nothing is done, opened or loaded
 * where the root has neither.
 */
#pragma once

#include <sys/types.h>

#include "core/ctx.h"

/*
 * Labels files and directories (paths inside the root) as the policy of the root
 * wants them; what has the right type already stays as it is, as with restorecon.
 * What cannot be labelled is said to the log.
 */
void kiln_label_files(struct kiln_ctx *ctx, const struct kiln_strv *paths);
/* The files of a kernel's index. */
void kiln_label_index(struct kiln_ctx *ctx, struct kiln_kern kern);
/*
 * The label that the policy has for a path inside the root, owned by the caller.
 * -ENOENT: it has none for it; -ENOTSUP: there is no policy, or no libselinux.
 */
int kiln_label_wanted(struct kiln_ctx *ctx, const char *path, mode_t mode, char **ret);

/*
 * Writes /etc/fapolicyd/trust.d/modkiln-RELEASE: the installed modules of a kernel
 * as fapolicyd.trust(5) wants them, or no file where there are none; and tells the
 * daemon, if it runs.  trust.c
 */
void kiln_trust_update(struct kiln_ctx *ctx, struct kiln_kern kern);
