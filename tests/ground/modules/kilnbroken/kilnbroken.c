// SPDX-License-Identifier: GPL-2.0-or-later
/* A module that no kernel's headers can satisfy. */
#include <linux/module.h>

#error "kilnbroken does not compile, on purpose"
