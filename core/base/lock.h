/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/*
 * flock() on a directory, so that it works for any tree and without root, and
 * goes with its holder.  Returns a descriptor that holds the lock until closed
 * (forked workers that keep it open keep the lock), or -EAGAIN when seconds
 * passed (0: do not wait; negative: wait for ever), or -errno.
 */
int kiln_lock_dir(int dir, bool shared, int seconds);
