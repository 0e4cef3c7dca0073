/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variables that dkms takes out of a dkms.conf.  The order is the one in
 * which dkms 3.2.2 passes them back, which is visible: a value may use what was
 * passed back before it.  Behind them what other versions take.
 */
#include "core/conf-eval.h"

#include "core/base/text.h"

static const char *const names[] = {
	"PACKAGE_NAME", "PACKAGE_VERSION",
	"POST_ADD", "POST_BUILD", "POST_INSTALL", "POST_REMOVE", "PRE_BUILD", "PRE_INSTALL",
	"BUILD_DEPENDS",
	"BUILD_EXCLUSIVE_ARCH", "BUILD_EXCLUSIVE_CONFIG", "BUILD_EXCLUSIVE_KERNEL",
	"BUILD_EXCLUSIVE_KERNEL_MIN", "BUILD_EXCLUSIVE_KERNEL_MAX", "build_exclude",
	"OBSOLETE_BY",
	"MAKE", "MAKE_MATCH", "PATCH", "PATCH_MATCH", "patch_array",
	"BUILT_MODULE_NAME", "built_module_name", "BUILT_MODULE_LOCATION", "built_module_location",
	"DEST_MODULE_NAME", "dest_module_name", "DEST_MODULE_LOCATION", "dest_module_location",
	"STRIP", "strip",
	"AUTOINSTALL", "NO_WEAK_MODULES", "BUILD_DEPENDS_REBUILD",
	"CLEAN", "REMAKE_INITRD",
	"MODULES_CONF", "MODULES_CONF_OBSOLETES", "MODULES_CONF_ALIAS_TYPE",
	"MODULES_CONF_OBSOLETE_ONLY",
	/* 3.0 only, and without effect: */
	"SIGN_FILE", "MOK_SIGNING_KEY", "MOK_CERTIFICATE",
	/* 2.8 to 3.0.3: */
	"SIGN_TOOL",
	NULL,
};

const char *const *kiln_conf_names(void)
{
	return names;
}

bool kiln_conf_accepts(const char *name)
{
	return kiln_text_in(name, names);
}
