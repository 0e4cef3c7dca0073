// SPDX-License-Identifier: GPL-2.0-or-later
/* One of two modules of a package: the symbol the other one needs. */
#include <linux/module.h>

int kilnfirst_count(void);

int kilnfirst_count(void)
{
	return 1;
}
EXPORT_SYMBOL_GPL(kilnfirst_count);

MODULE_DESCRIPTION("modkiln test module, first of a pair");
MODULE_LICENSE("GPL");
