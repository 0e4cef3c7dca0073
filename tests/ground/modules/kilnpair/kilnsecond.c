// SPDX-License-Identifier: GPL-2.0-or-later
/* One of two modules of a package: it cannot be loaded without kilnfirst. */
#include <linux/module.h>

int kilnfirst_count(void);

static int __init kilnsecond_init(void)
{
	pr_info("kilnsecond: loaded, after %d other\n", kilnfirst_count());
	return 0;
}

static void __exit kilnsecond_exit(void)
{
}

module_init(kilnsecond_init);
module_exit(kilnsecond_exit);
MODULE_DESCRIPTION("modkiln test module, second of a pair");
MODULE_LICENSE("GPL");
