/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/base/err.h"

/*
 * Runs body(data) with the errors of libdpkg turned into ours: its result, or
 * -EUCLEAN with err.  An error jumps out of body, so that body must not own
 * anything: what it collects belongs to the caller.
 */
int kiln_dpkg_guard(int (*body)(void *data), void *data, struct kiln_err *err);
