/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dkms command: a table of verbs, the checks that they share, and the way in. */
#include "cli/options.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"

#include "config.h"

/* What `dkms --version` has to say, for scripts that compare it: the dkms whose interface this is. */
#define DKMS_INTERFACE "3.4.3"

#define ANY_MODULE "NAME/VERSION | DIRECTORY..."
#define MODULES (CLI_MODULE | CLI_SEVERAL)
#define UNDOES (CLI_G_SETS | CLI_G_ALL)
#define PACKED "[NAME/VERSION | DIRECTORY]"
#define PACKS (CLI_G_MODULE | CLI_G_KERNEL | CLI_G_CONF | CLI_G_ALL | CLI_G_BUILD | CLI_G_PACK | CLI_G_PLAN)
#define BUILDS (CLI_G_SETS | CLI_G_BUILD | CLI_G_FORCE | CLI_G_MANY)

static const struct cli_verb verbs[] = {
	{ "add", "register a module", MODULES | CLI_NO_ALL, KILN_OP_ADD, cli_apply, ANY_MODULE,
	  CLI_G_MODULE | CLI_G_CONF | CLI_G_FORCE | CLI_G_RPM | CLI_G_PLAN },
	{ "build", "compile it for a kernel", MODULES | CLI_NO_ALL, KILN_OP_BUILD, cli_apply, ANY_MODULE, BUILDS },
	{ "install", "compile it if need be, and place it for a kernel", CLI_ROOT | MODULES | CLI_NO_ALL,
	  KILN_OP_INSTALL, cli_apply, ANY_MODULE, BUILDS | CLI_G_PLACE | CLI_G_RPM },
	{ "uninstall", "take it out of a kernel, keep the build", CLI_ROOT | MODULES | CLI_KERNEL_MAY_BE_GONE,
	  KILN_OP_UNINSTALL, cli_apply, "NAME/VERSION...", UNDOES },
	{ "unbuild", "take it out of a kernel and delete the build", MODULES | CLI_KERNEL_MAY_BE_GONE,
	  KILN_OP_UNBUILD, cli_apply, "NAME/VERSION...", UNDOES },
	{ "remove", "forget it, for a kernel or for --all", MODULES | CLI_KERNEL_MAY_BE_GONE, KILN_OP_REMOVE, cli_apply,
	  "NAME/VERSION...", UNDOES | CLI_G_RPM },
	{ "status", "list modules and what they are built and installed for", CLI_READS | CLI_SEVERAL, 0, cli_status, "[NAME[/VERSION]]...",
	  CLI_G_MODULE | CLI_G_KERNEL | CLI_G_JSON | CLI_G_FAILED },
	{ "why", "say for each module and kernel what holds and what to do", CLI_READS | CLI_SEVERAL, 0, cli_why, "[NAME[/VERSION]]...",
	  CLI_G_MODULE | CLI_G_KERNEL | CLI_G_JSON | CLI_G_CONF },
	{ "conf", "print what a dkms.conf says", CLI_READS | CLI_TAKES_PATH, 0, cli_conf, "[NAME/VERSION | DIRECTORY | FILE]",
	  CLI_G_MODULE | CLI_G_KERNEL | CLI_G_CONF | CLI_G_VIEW | CLI_G_JSON },
	{ "lint", "say what is wrong with a dkms.conf", CLI_READS | CLI_TAKES_PATH, 0, cli_lint,
	  "[NAME/VERSION | DIRECTORY | FILE]", CLI_G_MODULE | CLI_G_KERNEL | CLI_G_CONF | CLI_G_JSON },
	{ "init", "propose a dkms.conf for a driver's source", CLI_READS | CLI_TAKES_PATH, 0, cli_init, "DIRECTORY",
	  CLI_G_WRITE | CLI_G_PLAN },
	{ "autoinstall", "install for a kernel all that installs itself", CLI_ROOT | CLI_NO_ALL, KILN_OP_INSTALL,
	  cli_autoinstall, NULL, CLI_G_KERNEL | CLI_G_BUILD | CLI_G_PLAN },
	{ "rollback", "bring the set back that the last install replaced", CLI_ROOT | CLI_NO_ALL, KILN_OP_ROLLBACK,
	  cli_rollback, "[NAME[/VERSION]]", CLI_G_MODULE | CLI_G_KERNEL | CLI_G_PLAN },
	{ "doctor", "say what is broken in the tree, and with --repair mend it", CLI_NO_ALL, 0, cli_doctor, NULL,
	  CLI_G_DOCTOR | CLI_G_PLAN },
	{ "fsck", "another name of doctor", CLI_NO_ALL, 0, cli_doctor, NULL,
	  CLI_G_DOCTOR | CLI_G_PLAN },
	{ "match", "install for a kernel what another one has", CLI_ROOT | CLI_SEVERAL | CLI_NO_ALL, KILN_OP_INSTALL, cli_match,
	  "[NAME/VERSION]", CLI_G_SETS | CLI_G_BUILD | CLI_G_MATCH },
	{ "mktarball", "pack source and built modules into an archive", CLI_MODULE | CLI_STAYS_OUTSIDE, 0, cli_mktarball,
	  "NAME/VERSION", CLI_G_MODULE | CLI_G_KERNEL | CLI_G_ALL | CLI_G_ARCHIVE | CLI_G_PACK | CLI_G_PLAN },
	{ "ldtarball", "load source and built modules from an archive", CLI_NO_ALL, KILN_OP_LOAD, cli_ldtarball, "FILE",
	  CLI_G_ARCHIVE | CLI_G_FORCE | CLI_G_PLAN },
	{ "mkspec", "write a spec file for a module's source, to be kept", CLI_TAKES_PATH | CLI_NO_ALL, 0, cli_pack, PACKED,
	  CLI_G_MODULE | CLI_G_FORCE | CLI_G_SPEC | CLI_G_PLAN },
	{ "mkdebian", "write a debian/ folder for it, to be kept", CLI_TAKES_PATH | CLI_NO_ALL, 0, cli_pack, PACKED,
	  CLI_G_MODULE | CLI_G_FORCE | CLI_G_PLAN },
	{ "mkrpm", "make RPMs of a module", CLI_TAKES_PATH, KILN_OP_BUILD, cli_pack, PACKED, PACKS | CLI_G_SPEC | CLI_G_LEGACY },
	{ "mkdeb", "make Debian packages of a module", CLI_TAKES_PATH, KILN_OP_BUILD, cli_pack, PACKED, PACKS | CLI_G_LEGACY },
	{ "mkdsc", "make a Debian source package of a module", CLI_TAKES_PATH | CLI_NO_ALL, 0, cli_pack, PACKED,
	  CLI_G_MODULE | CLI_G_PLAN },
	{ "mkbmdeb", "make a Debian package of its modules for a kernel", CLI_TAKES_PATH, KILN_OP_BUILD, cli_pack, PACKED,
	  PACKS & ~CLI_G_PACK },
	{ "mkkmod", "make an RPM of its modules for a kernel", CLI_TAKES_PATH, KILN_OP_BUILD, cli_pack, PACKED,
	  (PACKS & ~CLI_G_PACK) | CLI_G_SPEC },
	{ "mkkmp", "make a source RPM for SUSE and Red Hat to build", CLI_TAKES_PATH | CLI_NO_ALL, 0, cli_pack, PACKED,
	  CLI_G_MODULE | CLI_G_SPEC | CLI_G_PLAN },
	{ "mkdriverdisk", "make a disk from which installers take the modules", CLI_MODULE, KILN_OP_BUILD,
	  cli_mkdriverdisk, "NAME/VERSION",
	  CLI_G_MODULE | CLI_G_KERNEL | CLI_G_ALL | CLI_G_BUILD | CLI_G_DISK | CLI_G_SPEC | CLI_G_PLAN },
	{ "generate_mok", "make the key that modules are signed with", CLI_ROOT, 0, cli_generate_mok, NULL, CLI_G_PLAN },
	{ "kernel_postinst", "do what a kernel's package wants once it is there", CLI_ROOT | CLI_NO_ALL | CLI_ONE_K,
	  KILN_OP_INSTALL, cli_autoinstall, NULL, CLI_G_KERNEL | CLI_G_PLAN },
	{ "kernel_preinst", "do what a kernel's package wants before it is replaced", CLI_ROOT | CLI_NO_ALL | CLI_ONE_K,
	  KILN_OP_RECOVER, cli_kernel_replaced, NULL, CLI_G_KERNEL | CLI_G_PLAN },
	{ "kernel_prerm", "do what a kernel's package wants before it goes", CLI_ROOT | CLI_NO_ALL | CLI_ONE_K,
	  KILN_OP_RECOVER, cli_kernel_gone, NULL, CLI_G_KERNEL | CLI_G_PLAN },
};

const struct cli_verb *cli_verbs(size_t *n)
{
	*n = ARRAY_SIZE(verbs);
	return verbs;
}

const struct cli_verb *cli_verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* In the order in which dkms asks, because the first answer is the exit status. */
static int check_arguments(const struct cli *c)
{
	unsigned needs = c->verb->needs;

	if (c->binaries_only && c->source_only) {
		cli_error("--binaries-only and --source-only contradict each other: give one.");
		return CLI_BOTH_ONLY;
	}
	if (c->archs.n > 1 && c->archs.n != c->kernels.n) {
		cli_error("%zu architectures do not fit %zu kernels: give one for all, or one for each.", c->archs.n,
			  c->kernels.n);
		return CLI_BAD_ARGUMENTS;
	}
	if ((c->kernels.n || c->every_kernel) && c->all && !(needs & CLI_READS)) {
		cli_error("-k and --all contradict each other: give one.");
		return CLI_KERNEL_AND_ALL;
	}
	if (c->archs.n && c->all && !(needs & CLI_READS)) {
		cli_error("-a and --all contradict each other: give one.");
		return CLI_ARCH_AND_ALL;
	}
	if (needs & CLI_NO_ALL && c->all) {
		cli_error("dkms %s does not know --all: name the kernels with -k.", c->verb->name);
		return CLI_NOT_WITH_ALL;
	}
	if (needs & CLI_ONE_K && (c->kernels.n != 1 || c->every_kernel)) {
		cli_error("dkms %s needs one kernel: -k RELEASE.", c->verb->name);
		return CLI_ONE_KERNEL;
	}
	if (!(needs & CLI_READS) && kiln_strv_has(&c->archs, "")) {
		cli_error("An architecture has a name: -a ARCH, or -k RELEASE/ARCH.");
		return CLI_EMPTY_KERNEL;
	}
	if (needs & CLI_ROOT && geteuid() && !c->dry_run) {
		cli_error("dkms %s needs root.", c->verb->name);
		return CLI_NEEDS_ROOT;
	}
	return CLI_OK;
}

/*
 * What changes another system runs inside it, as rpm --root and dpkg --root
 * do: its compiler, its scripts, its depmod.  What only reads stays outside.
 */
static int enter_root(struct cli *c)
{
	const char *root = c->options.root;

	if (!root || !strcmp(root, "/") || c->verb->needs & (CLI_READS | CLI_STAYS_OUTSIDE) || c->dry_run)
		return CLI_OK;
	if (c->archive && cli_inside_root(c, c->archive) == c->archive) {
		cli_error("%s is not below %s: copy it there first.", c->archive, root);
		return kiln_code_status(KILN_E_NOSOURCE);
	}
	if (c->archive)
		c->archive = cli_inside_root(c, c->archive);
	if (chroot(root) < 0 || chdir("/") < 0) {
		cli_error("Cannot enter %s: %m.", root);
		return CLI_NEEDS_ROOT;
	}
	c->options.root = NULL;
	return CLI_OK;
}

/* What -c names has to be there, whatever the module's own conf would say. */
static int check_conf(const struct cli *c)
{
	const char *conf = c->options.conf;

	if (!conf || c->options.root || c->verb->needs & CLI_READS || kiln_fs_is_file(AT_FDCWD, conf))
		return CLI_OK;
	cli_error("There is no dkms.conf %s, which -c names.", conf);
	return CLI_NO_SUCH_CONF;
}

static int open_context(struct cli *c)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	const char *dpkg_root = getenv("DPKG_ROOT");
	int r, status;

	c->options.arch = c->archs.n ? c->archs.v[0] : NULL;
	c->options.directives = &c->directives;
	c->options.leave_pending = cli_in_package_script(c);
	if (dpkg_root && *dpkg_root)
		c->options.root = dpkg_root;
	else if ((status = enter_root(c)) != CLI_OK)
		return status;
	r = kiln_ctx_new(&c->options, &c->ctx, &err);
	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return kiln_code_status(r);
	}
	kiln_ctx_set_log(c->ctx, cli_log, c);
	return check_conf(c);
}

/* Scripts have got used to it that dkms ends with 0 here. */
static int no_verb(const struct cli *c)
{
	if (c->module)
		cli_error("No verb is called \"%s\": \"dkms --help\" lists them.", c->module);
	else
		cli_error("No verb: \"dkms --help\" lists them.");
	cli_usage(NULL);
	return CLI_OK;
}

static int run(struct cli *c)
{
	int status;

	if (c->help) {
		cli_usage(c->verb);
		return CLI_OK;
	}
	if (c->show_version) {
		printf("dkms-%s (modkiln %s)\n", DKMS_INTERFACE, PACKAGE_VERSION);
		return CLI_OK;
	}
	if (!c->verb)
		return no_verb(c);
	cli_spare_debconf(c);
	status = check_arguments(c);
	if (!status)
		status = open_context(c);
	return status ? status : c->verb->run(c);
}

int main(int argc, char **argv)
{
	_cleanup_(cli_done) struct cli c = { 0 };
	int status;

	umask(022);
	setlocale(LC_COLLATE, ""); /* the order of rows */
	c.options.nested = getenv(KILN_NESTED) != NULL;
	setenv(KILN_NESTED, "1", 1);
	status = cli_parse(&c, argc, argv);
	return status ? status : run(&c);
}
