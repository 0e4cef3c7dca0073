/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which key signs here, whether one may be made, and what there is to say about it. No libcrypto. */
#pragma once

#include "core/sign.h"

/* A setting of framework.conf with $kernelver filled in (release NULL: left as it is); owned by the caller. */
char *kiln_setting_expand(const char *raw, const char *release);

/* Where the key for a kernel is or would be: framework.conf, else as the distribution has it. 0 or -ENOMEM. */
int kiln_key_place_find(const struct kiln_ctx *ctx, const char *release, struct kiln_key_place *ret);
/* 0, or -ENOKEY naming what is missing. */
int kiln_key_place_check(const struct kiln_ctx *ctx, const struct kiln_key_place *at, struct kiln_err *err);
/* try_sign_modules of framework.conf. */
bool kiln_signing_wished(const struct kiln_ctx *ctx);

/* Whether a kernel, once it runs here, loads only what is signed; kernel NULL: whatever kernel. */
bool kiln_signing_enforced(struct kiln_ctx *ctx, const struct kiln_kernel *kernel);
/* kiln_signing_load() for those who may not read the key: whether there is a certificate, and what the machine thinks of it. */
int kiln_signing_of_certificate(struct kiln_ctx *ctx, const char *release, struct kiln_signing *ret, struct kiln_err *err);
/*
 * Before the builds of a run, of which this is one kernel: makes the key if there
 * is none and this is a machine of its own, and says once what is wrong with it.
 */
void kiln_signing_prepare(struct kiln_ctx *ctx, const struct kiln_kernel *kernel);
