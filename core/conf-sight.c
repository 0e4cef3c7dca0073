/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a shell that reads a conf may open: the programs of the system, the
 * module's source, the kernel with its headers, /etc/dkms, and what says which
 * system this is.  A driver's conf has no business in anything else, and the
 * build user may be able to read much of it.
 */
#include "core/conf-shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

/* Everything in dir but two names, which others keep their sources or modules in. */
static int add_all_but(struct kiln_strv *to, int root, const char *dir, const char *name, const char *other)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	int r = kiln_fs_list(root, root < 0 ? dir : kiln_rel(dir), &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.n && r == 0; i++)
		if (strcmp(names.v[i], name) != 0 && strcmp(names.v[i], other) != 0)
			r = kiln_strv_addf(to, "%s/%s", dir, names.v[i]);
	return r;
}

static int add_system(struct kiln_strv *to, int root)
{
	static const char *const paths[] = {
		"/bin", "/sbin", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/os-release",
		"/etc/lsb-release", "/etc/debian_version", "/etc/redhat-release", "/etc/SuSE-release",
		/* without the second one what links libselinux looks into mounts, which differ */
		"/proc/cpuinfo", "/proc/filesystems", "/proc/meminfo", "/proc/version", "/sys/devices/system/cpu",
		"/dev/urandom", "/dev/zero",
	};
	int r = add_all_but(to, root, "/usr", "src", "lib");

	if (r == 0)
		r = add_all_but(to, root, "/usr/lib", "modules", "dkms");
	if (r == 0)
		r = add_all_but(to, root, "/lib", "modules", "dkms");
	for (size_t i = 0; i < ARRAY_SIZE(paths) && r == 0; i++)
		r = kiln_strv_add(to, paths[i]);
	return r;
}

/* The directory of a file: dkms.conf stands in the source. */
static int add_folder(struct kiln_strv *to, const char *root, const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? kiln_strv_addf(to, "%s%.*s", root, (int)(slash - file), file) : 0;
}

static int add_kernel(struct kiln_strv *to, const char *root, const struct kiln_conf_env *env)
{
	const char *k = env->kern.release;
	int r = 0;

	if (env->kernel_source_dir)
		r = kiln_strv_addf(to, "%s%s/", root, env->kernel_source_dir);
	if (r == 0 && env->kernel_config)
		r = kiln_strv_addf(to, "%s%s", root, env->kernel_config);
	if (r < 0 || !k || !env->install_tree)
		return r;
	r = kiln_strv_addf(to, "%s%s/%s", root, env->install_tree, k);
	if (r == 0)
		r = kiln_strv_addf(to, "%s%s/%s/source/", root, env->install_tree, k);
	return r == 0 ? kiln_strv_addf(to, "%s/boot/config-%s", root, k) : r;
}

int kiln_conf_sight(const struct kiln_shell *s, struct kiln_strv *ret)
{
	const struct kiln_conf_env *env = s->env;
	const struct kiln_strv *paths = s->paths;
	const char *root = kiln_shell_prefix(s);
	int r = add_system(ret, s->inside);

	if (r == 0)
		r = add_kernel(ret, root, env);
	if (r == 0)
		r = kiln_strv_addf(ret, "%s/etc/dkms", root);
	if (r == 0 && env->mod.name && env->mod.version && env->source_tree)
		r = kiln_strv_addf(ret, "%s%s/%s-%s", root, env->source_tree, env->mod.name,
				   env->mod.version);
	for (size_t i = 0; i < paths->n && r == 0; i++)
		r = add_folder(ret, root, paths->v[i]);
	return r;
}
