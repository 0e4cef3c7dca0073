// SPDX-License-Identifier: GPL-2.0-or-later
/* Built through a path that its dkms.conf names in full. */
#include <linux/module.h>

static int __init kilnpath_init(void)
{
	pr_info("kilnpath: loaded\n");
	return 0;
}

static void __exit kilnpath_exit(void)
{
}

module_init(kilnpath_init);
module_exit(kilnpath_exit);
MODULE_DESCRIPTION("modkiln test module");
MODULE_LICENSE("GPL");
