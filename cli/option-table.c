/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every option of the command: its names, its verbs, what it sets.  A new option is a new row. */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

/* A copy that lives as long as the command. */
static const char *keep(struct cli *c, const char *s)
{
	return kiln_strv_add(&c->words, s) < 0 ? NULL : c->words.v[c->words.n - 1];
}

/* ---- which module, which kernels ---- */

int cli_set_module(struct cli *c, const char *value)
{
	const char *slash = strchr(value, '/');

	free(c->module);
	c->module = slash ? strndup(value, (size_t)(slash - value)) : strdup(value);
	if (slash) {
		free(c->version);
		c->version = strdup(slash + 1);
	}
	return CLI_OK;
}

static int set_version(struct cli *c, const char *v)
{
	free(c->version);
	c->version = strdup(v);
	return CLI_OK;
}

/* K, or K/ARCH; "all": those that are installed. */
static int add_kernel(struct cli *c, char *kernel)
{
	char *slash = strchr(kernel, '/');

	if (!strcmp(kernel, "all")) {
		c->every_kernel = true;
		return CLI_OK;
	}
	if (slash) {
		*slash = '\0';
		kiln_strv_add(&c->archs, slash + 1);
	}
	kiln_strv_add(&c->kernels, kernel);
	return CLI_OK;
}

/* One, or several with commas between them; what is empty reaches the check of names, and fails there. */
static int set_kernel(struct cli *c, const char *v)
{
	_cleanup_(kiln_strv_free) struct kiln_strv list = KILN_STRV_INIT;

	if (kiln_text_split(v, ",", &list) < 0)
		return CLI_BAD_ARGUMENTS;
	if (!list.n)
		kiln_strv_add(&c->kernels, "");
	for (size_t i = 0; i < list.n; i++)
		add_kernel(c, list.v[i]);
	return CLI_OK;
}

static int set_arch(struct cli *c, const char *v)
{
	kiln_strv_add(&c->archs, v);
	return CLI_OK;
}

static int set_template(struct cli *c, const char *v)
{
	free(c->template_kernel);
	c->template_kernel = strdup(v);
	return CLI_OK;
}

/* ---- values ---- */

static int set_directive(struct cli *c, const char *v)
{
	kiln_strv_add(&c->directives, v);
	return CLI_OK;
}

static int set_jobs(struct cli *c, const char *v)
{
	unsigned long n;

	if (!kiln_text_number(v, 4096, &n)) {
		cli_error("-j needs a number of jobs (0: no limit), not \"%s\".", v);
		return CLI_UNKNOWN_OPTION;
	}
	c->options.jobs = n ? (int)n : -1;
	return CLI_OK;
}

/* Paths are kept as typed; relative ones are made absolute, because nothing later runs in this directory. */
static const char *keep_path(struct cli *c, const char *v)
{
	_cleanup_(freep) char *here = v[0] == '/' ? NULL : get_current_dir_name();
	_cleanup_(freep) char *full = here ? kiln_strf("%s/%s", here, v) : NULL;

	return keep(c, full ? full : v);
}

static int set_conf(struct cli *c, const char *v) { c->options.conf = keep_path(c, v); return CLI_OK; }
static int set_dkms_tree(struct cli *c, const char *v) { c->options.dkms_tree = keep_path(c, v); return CLI_OK; }
static int set_source_tree(struct cli *c, const char *v) { c->options.source_tree = keep_path(c, v); return CLI_OK; }
static int set_install_tree(struct cli *c, const char *v) { c->options.install_tree = keep_path(c, v); return CLI_OK; }
static int set_kernel_source(struct cli *c, const char *v) { c->options.kernel_source = keep_path(c, v); return CLI_OK; }
static int set_kernel_config(struct cli *c, const char *v) { c->options.kernel_config = keep_path(c, v); return CLI_OK; }
static int set_root(struct cli *c, const char *v) { c->options.root = keep_path(c, v); return CLI_OK; }

/* ---- switches ---- */

static int set_quiet(struct cli *c, const char *v) { (void)v; c->quiet = true; cli_quiet(); return CLI_OK; }
static int set_verbose(struct cli *c, const char *v) { (void)v; c->options.verbose = true; return CLI_OK; }
static int set_force(struct cli *c, const char *v) { (void)v; c->options.force = true; return CLI_OK; }
static int set_force_version(struct cli *c, const char *v) { (void)v; c->force_version = true; return CLI_OK; }
static int set_all(struct cli *c, const char *v) { (void)v; c->all = true; return CLI_OK; }
static int set_all_modules(struct cli *c, const char *v) { (void)v; c->all_modules = true; return CLI_OK; }
static int set_no_depmod(struct cli *c, const char *v) { (void)v; c->options.no_depmod = true; return CLI_OK; }
static int set_symlinks(struct cli *c, const char *v) { (void)v; c->options.symlink_modules = true; return CLI_OK; }
static int set_modprobe(struct cli *c, const char *v) { (void)v; c->options.modprobe = true; return CLI_OK; }
static int set_rpm(struct cli *c, const char *v) { (void)v; c->rpm_safe_upgrade = true; return CLI_OK; }
static int set_archive(struct cli *c, const char *v) { c->archive = keep(c, v); return CLI_OK; }
static int set_binaries(struct cli *c, const char *v) { (void)v; c->binaries_only = true; return CLI_OK; }
static int set_sources(struct cli *c, const char *v) { (void)v; c->source_only = true; return CLI_OK; }
static int set_spec(struct cli *c, const char *v) { c->spec = strchr(v, '/') ? keep_path(c, v) : keep(c, v); return CLI_OK; }
static int set_plain(struct cli *c, const char *v) { (void)v; c->plain = true; return CLI_OK; }
static int set_how(struct cli *c, const char *v) { (void)v; c->how = true; return CLI_OK; }
static int set_json(struct cli *c, const char *v) { (void)v; c->json = true; return CLI_OK; }
static int set_repair(struct cli *c, const char *v) { (void)v; c->repair = true; return CLI_OK; }
static int set_write(struct cli *c, const char *v) { (void)v; c->write = true; return CLI_OK; }
static int set_failed(struct cli *c, const char *v) { (void)v; c->failed = true; return CLI_OK; }
static int set_dry_run(struct cli *c, const char *v) { (void)v; c->dry_run = true; return CLI_OK; }
static int set_help(struct cli *c, const char *v) { (void)v; c->help = true; return CLI_OK; }
static int set_show_version(struct cli *c, const char *v) { (void)v; c->show_version = true; return CLI_OK; }

static int set_legacy(struct cli *c, const char *v)
{
	c->legacy_postinst = !strcmp(v, "1");
	if (c->legacy_postinst || !strcmp(v, "0"))
		return CLI_OK;
	cli_error("--legacy-postinst is 0 or 1, not \"%s\".", v);
	return CLI_UNKNOWN_OPTION;
}

/* ---- driver disks ---- */

static int set_disk(struct cli *c, const char *v) { c->disk.kind = keep(c, v); return CLI_OK; }
static int set_medium(struct cli *c, const char *v) { c->disk.medium = keep(c, v); return CLI_OK; }
static int set_size(struct cli *c, const char *v) { c->disk.size = keep(c, v); return CLI_OK; }
static int set_key(struct cli *c, const char *v) { c->disk.key = keep(c, v); return CLI_OK; }

/* One, or several with commas between them. */
static int set_release(struct cli *c, const char *v)
{
	return kiln_text_split(v, ",", &c->disk.releases) < 0 ? CLI_BAD_ARGUMENTS : CLI_OK;
}

/* Options that dkms keeps for scripts written for 2.x. */
static int set_past(struct cli *c, const char *v)
{
	(void)c;
	(void)v;
	cli_warning("this option of dkms 2.x has no effect any more; leave it out.");
	return CLI_OK;
}

/* ---- the table: a name that begins with another one comes first ---- */

static const struct cli_option table[] = {
	{ "module", 'm', true, true, cli_set_module, "NAME[/VERSION]   the module", CLI_G_MODULE },
	{ NULL, 'v', true, false, set_version, "VERSION          its version", CLI_G_MODULE },
	{ "kernelver", 'k', true, true, set_kernel, "RELEASE[/ARCH]   a kernel, several (A,B or repeated), or \"all\"",
	  CLI_G_KERNEL },
	{ "archive", 0, true, true, set_archive, "FILE             the archive; its end names the compression", CLI_G_ARCHIVE },
	{ "arch", 'a', true, true, set_arch, "ARCH             architecture of the kernels", CLI_G_KERNEL },
	{ "all", 0, false, false, set_all, "                 every kernel that the module is built for", CLI_G_ALL },
	{ "all-modules", 0, false, false, set_all_modules, "                 every module that is registered, in its newest version",
	  CLI_G_MANY },
	{ NULL, 'c', true, false, set_conf, "FILE             a dkms.conf to use instead of the module's", CLI_G_CONF },
	{ "directive", 0, true, true, set_directive, "NAME=VALUE       over what the dkms.conf says", CLI_G_CONF },
	{ "templatekernel", 0, true, true, set_template, "RELEASE          the kernel to be like", CLI_G_MATCH },
	{ "distro", 'd', true, true, set_disk, "KIND             redhat[1-3], suse, suse1, UnitedLinux, ubuntu", CLI_G_DISK },
	{ "release", 'r', true, true, set_release, "RELEASE[,...]    of the distribution (suse, suse1, UnitedLinux)", CLI_G_DISK },
	{ "media", 0, true, true, set_medium, "MEDIUM           floppy, iso, tar or cpio", CLI_G_DISK },
	{ "size", 0, true, true, set_size, "KIB              of a floppy; 1440 if not said", CLI_G_DISK },
	{ "sign", 0, true, true, set_key, "KEY              sign the disk with this key of gpg's", CLI_G_DISK },
	{ "force", 0, false, false, set_force, "                 in spite of what is there", CLI_G_FORCE },
	{ "force-version-override", 0, false, false, set_force_version,
	  "                 install although the kernel's own is as new", CLI_G_PLACE },
	{ NULL, 'j', true, false, set_jobs, "N                jobs at once; 0: no limit", CLI_G_BUILD },
	{ "kernelsourcedir", 0, true, true, set_kernel_source, "DIR              headers of the kernel", CLI_G_BUILD },
	{ "config", 0, true, true, set_kernel_config, "FILE             config of the kernel", CLI_G_BUILD },
	{ "no-depmod", 0, false, false, set_no_depmod, "                 leave the module index as it is", CLI_G_PLACE },
	{ "symlink-modules", 0, false, false, set_symlinks, "                 links into the tree instead of copies",
	  CLI_G_PLACE },
	{ "modprobe-on-install", 0, false, false, set_modprobe,
	  "                 load what the running kernel's devices call for", CLI_G_PLACE },
	{ "rpm_safe_upgrade", 0, false, false, set_rpm, "                 in a package's scriptlets: an upgrade keeps the module",
	  CLI_G_RPM },
	{ "failed", 0, false, false, set_failed, "                 only what is wanted and not installed; 11: there is some",
	  CLI_G_FAILED },
	{ "repair", 0, false, false, set_repair, "                 mend what is found", CLI_G_DOCTOR },
	{ "json", 0, false, false, set_json, "                 for programs", CLI_G_JSON },
	{ "plain", 0, false, false, set_plain, "                 without the second evaluation", CLI_G_VIEW },
	{ "how", 0, false, false, set_how, "                 whether it needs a shell, and for what", CLI_G_VIEW },
	{ "write", 0, false, false, set_write, "                 write the file, if there is none", CLI_G_WRITE },
	{ "dry-run", 0, false, false, set_dry_run, "                 print the plan, do nothing", CLI_G_PLAN },
	{ "root", 0, true, false, set_root, "DIR              work on the system below DIR", 0 },
	{ "dkmstree", 0, true, true, set_dkms_tree, "DIR              instead of /var/lib/dkms", 0 },
	{ "sourcetree", 0, true, true, set_source_tree, "DIR              instead of /usr/src", 0 },
	{ "installtree", 0, true, true, set_install_tree, "DIR              instead of /lib/modules", 0 },
	{ "quiet", 'q', false, false, set_quiet, "                 say nothing", 0 },
	{ "verbose", 0, false, false, set_verbose, "                 say each step", 0 },
	{ "binaries-only", 0, false, false, set_binaries, "                 only what is built", CLI_G_PACK },
	{ "source-only", 0, false, false, set_sources, "                 only the source", CLI_G_PACK },
	{ "spec", 0, true, true, set_spec, "FILE             the template to use", CLI_G_SPEC },
	{ "legacy-postinst", 0, true, true, set_legacy, "0|1              with a postinst of its own, for old systems",
	  CLI_G_LEGACY },
	{ "debug", 0, false, false, set_verbose, NULL, 0 },
	{ "help", 'h', false, false, set_help, "                 this text, or that of a verb", 0 },
	{ "version", 'V', false, false, set_show_version, "                 the version of this program", 0 },
	{ "no-initrd", 0, false, false, set_past, NULL, 0 },
	{ "no-clean-kernel", 0, false, false, set_past, NULL, 0 },
	{ "no-prepare-kernel", 0, false, false, set_past, NULL, 0 },
};

const struct cli_option *cli_options(size_t *n)
{
	*n = ARRAY_SIZE(table);
	return table;
}
