// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for a host adapter's driver of 2003: it has a table of devices, and nothing behind it. */
#include <linux/module.h>
#include <linux/pci.h>

static const struct pci_device_id qla_ids[] = {
	{ PCI_DEVICE(0x1077, 0x2200) },
	{ }
};

MODULE_DEVICE_TABLE(pci, qla_ids);
MODULE_DESCRIPTION("QLogic-like host adapter driver for QLA2200");
MODULE_AUTHOR("modkiln tests");
MODULE_VERSION("6.04.00");
MODULE_LICENSE("GPL");
