// SPDX-License-Identifier: GPL-2.0-or-later
/* The smallest module that another one can depend on. */
#include <linux/module.h>

int kilnhello_answer(void);

int kilnhello_answer(void)
{
	return 42;
}
EXPORT_SYMBOL_GPL(kilnhello_answer);

static int __init kilnhello_init(void)
{
	pr_info("kilnhello: loaded\n");
	return 0;
}

static void __exit kilnhello_exit(void)
{
}

module_init(kilnhello_init);
module_exit(kilnhello_exit);
MODULE_DESCRIPTION("modkiln test module");
MODULE_LICENSE("GPL");
