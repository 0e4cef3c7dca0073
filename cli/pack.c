/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs that make packages, from a module that is registered or from a
 * directory that holds a dkms.conf.  Results of the first go to the folders that
 * dkms 2.x had in the tree, those of the second beside the directory.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

enum part { NOTHING = -1 };

static const struct form {
	const char *verb;
	int source;   /* enum kiln_package_form; NOTHING: none of the kind */
	int binaries; /* likewise, of built modules */
} forms[] = {
	{ "mkspec", KILN_PACKAGE_SPEC, NOTHING },   { "mkdebian", KILN_PACKAGE_DEBIAN, NOTHING },
	{ "mkrpm", KILN_PACKAGE_RPM, KILN_PACKAGE_KMOD }, { "mkdeb", KILN_PACKAGE_DEB, KILN_PACKAGE_BMDEB },
	{ "mkdsc", KILN_PACKAGE_DSC, NOTHING },     { "mkkmp", KILN_PACKAGE_KMP, NOTHING },
	{ "mkbmdeb", NOTHING, KILN_PACKAGE_BMDEB }, { "mkkmod", NOTHING, KILN_PACKAGE_KMOD },
};

struct packing {
	struct cli *c;
	const struct form *form;
	struct cli_private private;
	bool plain;     /* a directory, not a registered module */
	char *source;   /* of the module */
	char *packager;
};

static void packing_done(struct packing *p)
{
	cli_private_done(p->c, &p->private);
	free(p->source);
	free(p->packager);
}

static int fail(struct kiln_err *err, int r)
{
	cli_error("%s.", kiln_err_text(err));
	return kiln_code_status(r);
}

/* ---- who ---- */

static const char *first_set(const char *const names[])
{
	for (size_t i = 0; names[i]; i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return NULL;
}

/* As Debian's tools ask for it: DEBFULLNAME and DEBEMAIL, or who is logged in. */
char *cli_packager(void)
{
	const char *name = first_set((const char *const[]){ "DEBFULLNAME", "NAME", NULL });
	const char *mail = first_set((const char *const[]){ "DEBEMAIL", "EMAIL", NULL });
	const struct passwd *user = getpwuid(getuid());
	char host[HOST_NAME_MAX + 1] = "localhost";

	if (mail && strchr(mail, '<'))
		return strdup(mail);
	if (!name)
		name = user && *user->pw_gecos && *user->pw_gecos != ',' ? user->pw_gecos : user ? user->pw_name : "unknown";
	gethostname(host, sizeof(host) - 1);
	if (mail)
		return kiln_strf("%.*s <%s>", (int)strcspn(name, ","), name, mail);
	return kiln_strf("%.*s <%s@%s>", (int)strcspn(name, ","), name, user ? user->pw_name : "unknown", host);
}

/* So that who builds twice gets the same bytes: reproducible-builds.org. */
long long cli_packed_when(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	unsigned long n;

	return epoch && kiln_text_number(epoch, LONG_MAX, &n) ? (long long)n : (long long)time(NULL);
}

/* ---- what ---- */

/* A directory that was named, or this one if it holds a dkms.conf and nothing was. */
static bool find_directory(struct packing *p)
{
	struct cli *c = p->c;

	if (c->path && kiln_text_ends(c->path, "/dkms.conf") && kiln_fs_is_file(AT_FDCWD, c->path))
		p->source = strndup(c->path, strlen(c->path) - strlen("/dkms.conf"));
	else if (c->path)
		p->source = strdup(c->path);
	else if (!c->module && kiln_fs_is_file(AT_FDCWD, "dkms.conf"))
		p->source = get_current_dir_name();
	else
		return false;
	p->plain = true;
	return true;
}

static int identify_directory(struct packing *p)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct cli *c = p->c;
	int r;

	if (!p->source)
		return CLI_BAD_ARGUMENTS;
	free(c->source);
	c->source = strdup(p->source);
	r = c->source ? kiln_source_identify(c->ctx, cli_inside_root(c, p->source), &c->module, &c->version, &err) : -ENOMEM;
	return r < 0 ? fail(&err, r) : CLI_OK;
}

static int identify_module(struct packing *p)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(freep) char *conf = NULL;
	struct cli *c = p->c;
	struct kiln_mod mod;
	const struct kiln_state *s;
	int status = cli_identify(c), r;

	if (status)
		return status;
	mod = (struct kiln_mod){ c->module, c->version };
	s = cli_seen(c, &status);
	if (!s)
		return status;
	if (!kiln_state_has_module(s, mod)) {
		cli_error("%s/%s is not added: dkms add %s/%s, or name a directory that holds it.", mod.name, mod.version,
			  mod.name, mod.version);
		return kiln_code_status(KILN_E_NOTADDED);
	}
	r = kiln_conf_find(c->ctx, mod, &conf, &err);
	if (r < 0)
		return fail(&err, r);
	*strrchr(conf, '/') = '\0';
	p->source = realpath(conf, NULL);
	return p->source ? CLI_OK : CLI_BAD_ARGUMENTS;
}

static int find_form(struct packing *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].verb, p->c->verb->name))
			p->form = &forms[i];
	if (p->form->source == NOTHING && p->c->source_only) {
		cli_error("dkms %s packs built modules: --source-only leaves nothing.", p->form->verb);
		return CLI_BAD_ARGUMENTS;
	}
	if (p->form->binaries == NOTHING && p->c->binaries_only) {
		cli_error("dkms %s packs the source: --binaries-only leaves nothing.", p->form->verb);
		return CLI_BAD_ARGUMENTS;
	}
	return CLI_OK;
}

/* ---- for which kernels ---- */

/* --all of a registered module: what it is built for. */
static int built_targets(struct packing *p)
{
	_cleanup_(freep) struct kiln_row *rows = NULL;
	struct cli *c = p->c;
	struct kiln_mod mod = { c->module, c->version };
	const struct kiln_state *s;
	int status;
	size_t n;

	s = cli_seen(c, &status);
	if (!s)
		return status;
	if (kiln_state_rows(c->ctx, s, mod, (struct kiln_kern){ NULL, NULL }, &rows, &n) < 0)
		return CLI_BAD_ARGUMENTS;
	c->targets = calloc(n ? n : 1, sizeof(*c->targets));
	for (size_t i = 0; i < n && c->targets; i++)
		if (rows[i].kern.release && rows[i].level >= KILN_BUILT)
			c->targets[c->n_targets++] = rows[i].kern;
	if (c->n_targets)
		return CLI_OK;
	cli_error("%s/%s is not built for any kernel: name one with -k.", c->module, c->version);
	return kiln_code_status(KILN_E_PACKAGE);
}

static int find_kernels(struct packing *p)
{
	if (p->c->all && !p->plain)
		return built_targets(p);
	if (p->c->all) {
		p->c->all = false;
		p->c->every_kernel = true;
	}
	return cli_targets(p->c);
}

static bool wants_binaries(const struct packing *p)
{
	const struct cli *c = p->c;

	if (p->form->binaries == NOTHING || c->source_only)
		return false;
	return p->form->source == NOTHING || c->binaries_only || c->all || c->every_kernel || c->kernels.n;
}

static int build(struct packing *p)
{
	struct cli *c = p->c;
	int status = find_kernels(p);

	if (!status && !p->plain) {
		free(c->source);
		c->source = NULL;
	}
	if (!status)
		status = cli_mods(c);
	return status ? status : cli_pack_build(c, p->plain ? &p->private : NULL);
}

/* ---- where to ---- */

/* What a person keeps goes to the directory itself, or here; owned by the caller. */
static char *folder_of(const struct packing *p, enum kiln_package_form form)
{
	struct cli *c = p->c;
	char *slash, *ret;

	if (form == KILN_PACKAGE_SPEC || form == KILN_PACKAGE_DEBIAN)
		return p->plain ? strdup(p->source) : get_current_dir_name();
	if (!p->plain)
		return kiln_package_folder(c->ctx, (struct kiln_mod){ c->module, c->version }, form);
	ret = strdup(p->source);
	slash = ret ? strrchr(ret, '/') : NULL;
	if (slash)
		slash[slash == ret] = '\0';
	return ret;
}

/* ---- doing it ---- */

/* --spec is for the package that the verb is named after. */
static bool wants_spec(const struct packing *p, enum kiln_package_form form)
{
	return p->form->source == NOTHING || (int)form == p->form->source;
}

static int make(struct packing *p, enum kiln_package_form form, int to, const char *folder)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv made = KILN_STRV_INIT;
	struct cli *c = p->c;
	struct kiln_package_wish wish = {
		.form = form, .mod = { c->module, c->version }, .source = cli_inside_root(c, p->source), .kerns = c->targets,
		.n_kerns = c->n_targets, .spec = wants_spec(p, form) ? c->spec : NULL,
		.packager = p->packager, .when = cli_packed_when(),
		.legacy_postinst = c->legacy_postinst, .force = c->options.force, .to = to,
	};
	int r = kiln_package_make(c->ctx, &wish, &made, &err);

	if (r < 0)
		return fail(&err, r);
	for (size_t i = 0; i < made.n; i++)
		cli_say("Made %s/%s.", folder, made.v[i]);
	return CLI_OK;
}

static const char *kind_of(enum kiln_package_form form)
{
	static const char *const names[] = {
		[KILN_PACKAGE_SPEC] = "A spec file",          [KILN_PACKAGE_DEBIAN] = "A debian/ folder",
		[KILN_PACKAGE_RPM] = "RPMs of the source",    [KILN_PACKAGE_DEB] = "A .deb of the source",
		[KILN_PACKAGE_DSC] = "A source package",      [KILN_PACKAGE_BMDEB] = "A .deb of the modules",
		[KILN_PACKAGE_KMOD] = "RPMs of the modules",  [KILN_PACKAGE_KMP] = "A source RPM",
	};

	return names[form];
}

static int make_in_folder(struct packing *p, enum kiln_package_form form)
{
	_cleanup_(freep) char *folder = folder_of(p, form);
	_cleanup_(closep) int to = -ENOMEM;
	int status;

	if (folder && p->c->dry_run) {
		cli_say("%s of %s/%s would be written to %s.", kind_of(form), p->c->module, p->c->version, folder);
		return CLI_OK;
	}
	if (folder)
		to = kiln_fs_open_new_dir(AT_FDCWD, folder, 0755);
	if (to < 0) {
		cli_error("Cannot write to %s: %s.", folder ? folder : "the results", kiln_code_text(to));
		return CLI_BAD_ARGUMENTS;
	}
	status = make(p, form, to, folder);
	if (status)
		rmdir(folder); /* where it is empty, it was made for nothing */
	return status;
}

int cli_pack(struct cli *c)
{
	_cleanup_(packing_done) struct packing p = { .c = c, .packager = cli_packager() };
	int status = find_form(&p);

	if (!status)
		status = find_directory(&p) ? identify_directory(&p) : identify_module(&p);
	if (!status && wants_binaries(&p))
		status = build(&p);
	if (!status && p.form->source != NOTHING && !c->binaries_only)
		status = make_in_folder(&p, (enum kiln_package_form)p.form->source);
	if (!status && wants_binaries(&p))
		status = make_in_folder(&p, (enum kiln_package_form)p.form->binaries);
	return status;
}
