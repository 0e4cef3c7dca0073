/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The on-disk format in one place: whoever wants to know what dkms and we call
 * a thing, and where it lies, reads this file.
 */
#include "core/tree.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

/* ---- the tree of dkms ---- */

char *kiln_tree_module(const struct kiln_ctx *c, struct kiln_mod m)
{
	return kiln_strf("%s/%s/%s", c->settings.dkms_tree, m.name, m.version);
}

char *kiln_tree_source(const struct kiln_ctx *c, struct kiln_mod m)
{
	return kiln_strf("%s/%s/%s/source", c->settings.dkms_tree, m.name, m.version);
}

char *kiln_tree_build(const struct kiln_ctx *c, struct kiln_mod m)
{
	return kiln_strf("%s/%s/%s/build", c->settings.dkms_tree, m.name, m.version);
}

char *kiln_tree_kernel(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s/%s/%s/%s", c->settings.dkms_tree, m.name, m.version, k.release,
			 k.arch);
}

char *kiln_tree_modules(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s/%s/%s/%s/module", c->settings.dkms_tree, m.name, m.version,
			 k.release, k.arch);
}

char *kiln_tree_log(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s/%s/%s/%s/log", c->settings.dkms_tree, m.name, m.version, k.release,
			 k.arch);
}

char *kiln_tree_against(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k, const char *name)
{
	return kiln_strf("%s/%s/%s/%s/%s/.dep_%s", c->settings.dkms_tree, m.name, m.version, k.release,
			 k.arch, name);
}

char *kiln_tree_link(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s/kernel-%s-%s", c->settings.dkms_tree, m.name, k.release, k.arch);
}

char *kiln_tree_link_target(struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s/%s", m.version, k.release, k.arch);
}

char *kiln_tree_load(const struct kiln_ctx *c, bool decided)
{
	return kiln_strf("%s/.load%s", c->settings.dkms_tree, decided ? "" : ".new");
}

char *kiln_tree_disks(const struct kiln_ctx *c, struct kiln_mod m)
{
	return kiln_strf("%s/%s/%s/driver_disk", c->settings.dkms_tree, m.name, m.version);
}

char *kiln_tree_tarballs(const struct kiln_ctx *c, struct kiln_mod m)
{
	return kiln_strf("%s/%s/%s/tarball", c->settings.dkms_tree, m.name, m.version);
}

char *kiln_tree_originals(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s/original_module/%s/%s", c->settings.dkms_tree, m.name, k.release,
			 k.arch);
}

char *kiln_tree_staging(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s/%s/%s/.tmp_%s_modkiln", c->settings.dkms_tree, m.name, m.version,
			 k.release, k.arch);
}

bool kiln_tree_is_version(const char *name)
{
	const char *dash =
		kiln_text_starts(name, "kernel-") ? strchr(name + strlen("kernel-"), '-') : NULL;

	return kiln_name_valid(name) && !dash && strcmp(name, "original_module") != 0;
}

bool kiln_tree_is_kernel(const char *name)
{
	static const char *const others[] = {
		"source", "build", "tarball", "driver_disk", "rpm",
		"deb",	  "dsc",   "bmdeb",   "kmp",	     NULL,
	};

	return kiln_name_valid(name) && !kiln_text_in(name, others);
}

/* The link says V/K/A; one that somebody made absolute means the same. */
int kiln_tree_active(const struct kiln_ctx *c, const char *name, struct kiln_kern k, char **ret)
{
	_cleanup_(freep) char *link = kiln_tree_link(c, (struct kiln_mod){ name, NULL }, k);
	_cleanup_(freep) char *tail = kiln_strf("/%s/%s", k.release, k.arch), *text = NULL;
	char *start;
	int r = link && tail ? kiln_fs_read_link(c->root, kiln_rel(link), &text) : -ENOMEM;

	*ret = NULL;
	if (r == -ENOMEM || r == -EIO)
		return r;
	if (r < 0 || !kiln_text_ends(text, tail))
		return 0;
	text[strlen(text) - strlen(tail)] = '\0';
	start = strrchr(text, '/');
	*ret = strdup(start ? start + 1 : text);
	return *ret ? 0 : -ENOMEM;
}

bool kiln_tree_is_installed(const struct kiln_ctx *c, const char *name, struct kiln_kern but)
{
	_cleanup_(freep) char *left_out = but.release ? kiln_strf("kernel-%s-%s", but.release, but.arch) : NULL;
	_cleanup_(freep) char *dir = kiln_strf("%s/%s", c->settings.dkms_tree, name);
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	if (!dir || kiln_fs_list(c->root, kiln_rel(dir), &names) < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (kiln_text_starts(names.v[i], "kernel-") && !kiln_tree_is_version(names.v[i]) &&
		    (!left_out || strcmp(names.v[i], left_out)))
			return true;
	return false;
}

/* ---- beside it ---- */

char *kiln_tree_source_dir(const struct kiln_ctx *c, struct kiln_mod m)
{
	return kiln_strf("%s/%s-%s", c->settings.source_tree, m.name, m.version);
}

char *kiln_tree_install_dir(const struct kiln_ctx *c, struct kiln_kern k)
{
	return kiln_strf("%s/%s", c->settings.install_tree, k.release);
}

/* ---- our own state ---- */

char *kiln_state_path(const struct kiln_ctx *c, const char *name)
{
	return kiln_strf("%s/%s", c->state_dir, name);
}

/* A name in which the commas between the names are the only ones. */
static void add_part(struct kiln_buf *b, const char *s)
{
	if (b->len)
		kiln_buf_addc(b, ',');
	for (; *s; s++)
		if (*s == ',' || *s == '%')
			kiln_buf_addf(b, "%%%02X", (unsigned char)*s);
		else
			kiln_buf_addc(b, *s);
}

char *kiln_pair_name(struct kiln_mod m, struct kiln_kern k)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *name = NULL;

	add_part(&b, m.name);
	add_part(&b, m.version);
	if (k.release) {
		add_part(&b, k.release);
		add_part(&b, k.arch);
	}
	return kiln_buf_steal(&b, &name) < 0 ? NULL : name;
}

char *kiln_work_dir(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	_cleanup_(freep) char *name = kiln_pair_name(m, k);

	return name ? kiln_strf("%s/work/%s", c->state_dir, name) : NULL;
}

char *kiln_log_path(const struct kiln_ctx *c, struct kiln_mod m, struct kiln_kern k)
{
	return kiln_strf("%s/%s-%s-%s-%s.log", c->log_dir, m.name, m.version, k.release, k.arch);
}
