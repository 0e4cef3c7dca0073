/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framework.conf and framework.conf.d: the administrator's settings, in the
 * shell syntax of dkms, read by the same evaluator as a dkms.conf.
 */
#include "core/ctx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/conf-eval.h"
#include "core/conf-shell.h"
#include "core/sandbox.h"

#define FILE_OF_ALL "etc/dkms/framework.conf"
#define FOLDER "etc/dkms/framework.conf.d"

enum { LARGEST = 1024 * 1024, MOST_SECONDS = 7 * 24 * 3600 };

static const char *const names[] = {
	"source_tree", "dkms_tree", "install_tree", "tmp_location", "verbose", "symlink_modules",
	"modprobe_on_install", "parallel_jobs", "compress_gzip_opts",
	"compress_xz_opts", "compress_zstd_opts", "sign_file", "mok_signing_key", "mok_certificate",
	"mok_pin_file", "sign_tool", "try_sign_modules",
	"post_transaction", "build_environment", "defer", "lock_wait", "build_seconds", "skip_proof", "index",
	"build_isolation", "reuse", "on_build_failure", "critical", NULL,
};

static int list_files(int root, struct kiln_strv *ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv more = KILN_STRV_INIT;
	int r = kiln_fs_is_file(root, FILE_OF_ALL) ? kiln_strv_add(ret, FILE_OF_ALL) : 0;

	if (kiln_fs_list(root, FOLDER, &more) < 0)
		return r;
	for (size_t i = 0; i < more.n && r >= 0; i++)
		if (kiln_text_ends(more.v[i], ".conf") && more.v[i][0] != '.')
			r = kiln_strv_addf(ret, FOLDER "/%s", more.v[i]);
	return r;
}

/*
 * Which kernel and module a value is for is known only when it is used: until then $kernelver,
 * $arch, $module and $module_version stand for themselves.
 */
#define ANY_KERNEL "$kernelver"
#define SOME_KERNEL "5.4.3-2-probe"

/* What the files say, read one after the other. */
struct reading {
	const struct kiln_conf_env *env;
	struct kiln_vars *vars;
	bool shell;  /* one of them needs one */
	char *doubt; /* as in kiln_settings */
};

/* bash reads on, or does not, without a word that anybody would see: dkms shows its message. */
static int doubt(struct reading *f, const char *name, const struct kiln_conf_class *class)
{
	if (!class->mistake)
		return 0;
	free(f->doubt);
	f->doubt = kiln_strf("%s:%u: %s: what follows may not count", name, class->at.line, class->construct);
	return f->doubt ? 0 : -ENOMEM;
}

/* In C. */
static int read_one(struct reading *f, int root, const char *path, struct kiln_err *err)
{
	_cleanup_(freep) char *text = NULL, *name = kiln_strf("/%s", path);
	struct kiln_sh_source src = { .name = name, .env = f->env, .accepted = names };
	struct kiln_conf_class class;
	int r = name ? kiln_fs_read(root, path, LARGEST, &text, &src.len) : -ENOMEM;

	if (r < 0)
		return kiln_fail(err, -KILN_E_CONF, "/%s cannot be read: %s", path, strerror(-r));
	src.text = text;
	r = kiln_conf_eval_source(&src, f->vars, &class, err);
	f->shell = class.exactness == KILN_CONF_NEEDS_SHELL;
	if (r == 0 && doubt(f, name, &class) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	return r;
}

static int read_in_shell(int root, const struct kiln_strv *files, const struct kiln_conf_env *env,
			 struct kiln_vars *vars, struct kiln_err *err)
{
	const struct kiln_shell s = {
		.name = "/" FILE_OF_ALL,
		.accepted = names,
		.env = env,
		.paths = files,
		.root_path = "./",
		.inside = -1,
		.cwd = root,
	};

	kiln_vars_free(vars);
	return kiln_shell_read(&s, vars, err);
}

static int read_all(struct reading *f, int root, const struct kiln_strv *files, struct kiln_err *err)
{
	int r = 0;

	f->shell = false;
	for (size_t i = 0; i < files->n && r == 0 && !f->shell; i++)
		r = read_one(f, root, files->v[i], err);
	return r == 0 && f->shell ? read_in_shell(root, files, f->env, f->vars, err) : r;
}

static bool same_with(const char *a, const char *b)
{
	while (*a) {
		size_t n = kiln_text_starts(a, ANY_KERNEL) ? strlen(ANY_KERNEL) : 0;

		if (n ? !kiln_text_starts(b, SOME_KERNEL) : *a != *b)
			return false;
		a += n ? n : 1;
		b += n ? strlen(SOME_KERNEL) : 1;
	}
	return !*b;
}

/* A value that does more with $kernelver than to name it cannot be kept as text. */
static int check_kernel_free(const struct kiln_vars *any, const struct kiln_vars *some,
			     struct kiln_err *err)
{
	for (size_t i = 0; i < any->n; i++) {
		const struct kiln_var *v = &any->v[i];
		const char *other = kiln_vars_get(some, v->name, v->index);

		if (!other || !same_with(v->value, other))
			return kiln_fail(err, -KILN_E_CONF,
					 "%s:%u: %s may name $kernelver, but not depend on it in "
					 "another way",
					 v->file ? v->file : "/" FILE_OF_ALL, v->at.line, v->name);
	}
	return any->n == some->n
		       ? 0
		       : kiln_fail(err, -KILN_E_CONF,
				   "/" FILE_OF_ALL
				   ": which settings there are must not depend on $kernelver");
}

static int read_settings(int root, struct kiln_settings *s, struct kiln_vars *vars,
			 struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	_cleanup_(kiln_vars_free) struct kiln_vars some = { 0 };
	struct kiln_conf_env env = { .kern = { ANY_KERNEL, "$arch" },
				     .mod = { "$module", "$module_version" },
				     .dkms_tree = s->dkms_tree,
				     .source_tree = s->source_tree,
				     .install_tree = s->install_tree,
				     .tmp_location = s->tmp_location,
				     .jobs = s->jobs };
	struct reading f = { &env, vars, false, NULL };
	int r = list_files(root, &files);

	if (r < 0 || !files.n)
		return r < 0 ? kiln_fail(err, r, "out of memory") : 0;
	r = read_all(&f, root, &files, err);
	env.kern.release = SOME_KERNEL;
	f.vars = &some;
	if (r >= 0)
		r = read_all(&f, root, &files, err);
	s->doubt = f.doubt;
	return r < 0 ? r : check_kernel_free(vars, &some, err);
}

/* ---- taking values over ---- */

static int take_text(const struct kiln_vars *vars, const char *name, char **place,
		     struct kiln_err *err)
{
	const char *v = kiln_vars_get(vars, name, 0);
	char *copied;

	if (!v || (!*v && !kiln_text_starts(name, "compress_"))) /* no options are options, too */
		return 0;
	copied = strdup(v);
	if (!copied)
		return kiln_fail(err, -ENOMEM, "out of memory");
	free(*place);
	*place = copied;
	return 0;
}

static int take_path(const struct kiln_vars *vars, const char *name, char **place,
		     struct kiln_err *err)
{
	const char *v = kiln_vars_get(vars, name, 0);

	if (v && *v && *v != '/')
		return kiln_fail(err, -KILN_E_CONF,
				 "framework.conf: %s=\"%s\" is not an absolute path", name, v);
	return take_text(vars, name, place, err);
}

static int take_number(const struct kiln_vars *vars, const char *name, unsigned long max,
		       unsigned long *place, struct kiln_err *err)
{
	const char *v = kiln_vars_get(vars, name, 0);

	if (!v || !*v || kiln_text_number(v, max, place))
		return 0;
	return kiln_fail(err, -KILN_E_CONF, "framework.conf: %s=\"%s\" is not a number up to %lu",
			 name, v, max);
}

/* Empty is off, anything else is on, as in dkms. */
static void take_flag(const struct kiln_vars *vars, const char *name, bool *place)
{
	const char *v = kiln_vars_get(vars, name, 0);

	if (v)
		*place = *v;
}

/* A setting that is one of two words. */
struct choice {
	const char *name, *usual, *other;
	bool *is_other;
};

static int take_choice(const struct kiln_vars *vars, const struct choice *c, struct kiln_err *err)
{
	const char *v = kiln_vars_get(vars, c->name, 0);

	if (!v || !*v)
		return 0;
	if (strcmp(v, c->usual) && strcmp(v, c->other))
		return kiln_fail(err, -KILN_E_CONF, "framework.conf: %s=\"%s\" is none of %s, %s", c->name, v, c->usual,
				 c->other);
	*c->is_other = !strcmp(v, c->other);
	return 0;
}

static int take_choices(const struct kiln_vars *vars, struct kiln_settings *s, struct kiln_err *err)
{
	const struct choice choices[] = {
		{ "index", "incremental", "full", &s->whole_index },
		{ "reuse", "off", "proven", &s->reuse },
		{ "on_build_failure", "warn", "fail", &s->fails_runs },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(choices) && r >= 0; i++)
		r = take_choice(vars, &choices[i], err);
	return r;
}

/* A setting that is one of a few words. */
static int check_word(const char *name, const char *value, const char *const *words, struct kiln_err *err)
{
	_cleanup_(kiln_buf_free) struct kiln_buf all = KILN_BUF_INIT;

	if (!value || kiln_text_in(value, words))
		return 0;
	for (const char *const *w = words; *w; w++)
		kiln_buf_addf(&all, "%s%s", w == words ? "" : ", ", *w);
	return kiln_fail(err, -KILN_E_CONF, "framework.conf: %s=\"%s\" is none of %s", name, value, kiln_buf_str(&all));
}

static int take_texts(const struct kiln_vars *vars, struct kiln_settings *s, struct kiln_err *err)
{
	const struct {
		const char *name;
		char **place;
		int (*take)(const struct kiln_vars *vars, const char *name, char **place,
			    struct kiln_err *err);
	} rows[] = {
		{ "source_tree", &s->source_tree, take_path },
		{ "dkms_tree", &s->dkms_tree, take_path },
		{ "install_tree", &s->install_tree, take_path },
		{ "tmp_location", &s->tmp_location, take_path },
		{ "sign_file", &s->sign_file, take_text },
		{ "mok_signing_key", &s->mok_signing_key, take_text },
		{ "mok_certificate", &s->mok_certificate, take_text },
		{ "mok_pin_file", &s->mok_pin_file, take_path },
		{ "sign_tool", &s->sign_tool, take_text },
		{ "try_sign_modules", &s->try_sign_modules, take_text },
		{ "post_transaction", &s->post_transaction, take_text },
		{ "build_environment", &s->build_environment, take_path },
		{ "compress_gzip_opts", &s->compress_gzip_opts, take_text },
		{ "compress_xz_opts", &s->compress_xz_opts, take_text },
		{ "compress_zstd_opts", &s->compress_zstd_opts, take_text },
		{ "defer", &s->defer, take_text },
		{ "critical", &s->critical, take_text },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r >= 0; i++)
		r = rows[i].take(vars, rows[i].name, rows[i].place, err);
	if (r >= 0)
		r = check_word("defer", s->defer, (const char *const[]){ "auto", "always", "never", NULL }, err);
	if (r >= 0)
		r = check_word("try_sign_modules", s->try_sign_modules,
			       (const char *const[]){ "true", "false", "not_in_chroot", NULL }, err);
	return r;
}

static int take_numbers(const struct kiln_vars *vars, struct kiln_settings *s, struct kiln_err *err)
{
	unsigned long jobs = (unsigned long)s->jobs, wait = (unsigned long)s->lock_wait,
		      limit = s->build_seconds;
	int r = take_number(vars, "parallel_jobs", 4096, &jobs, err);

	if (r >= 0)
		r = take_number(vars, "lock_wait", MOST_SECONDS, &wait, err);
	if (r >= 0)
		r = take_number(vars, "build_seconds", MOST_SECONDS, &limit, err);
	s->jobs = (int)jobs;
	s->lock_wait = (int)wait;
	s->build_seconds = (unsigned)limit;
	return r;
}

static int take_isolation(const struct kiln_vars *vars, struct kiln_settings *s, struct kiln_err *err)
{
	const char *v = kiln_vars_get(vars, "build_isolation", 0);

	if (!v || !*v || kiln_isolation_wish_parse(v, &s->build_isolation) == 0)
		return 0;
	return kiln_fail(err, -KILN_E_CONF,
			 "framework.conf: build_isolation=\"%s\" is none of auto, strict, user, none", v);
}

int kiln_framework_load(int root, struct kiln_settings *s, struct kiln_err *err)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	int r = read_settings(root, s, &vars, err);

	if (r < 0)
		return r;
	take_flag(&vars, "verbose", &s->verbose);
	take_flag(&vars, "symlink_modules", &s->symlink_modules);
	take_flag(&vars, "skip_proof", &s->skip_proof);
	take_flag(&vars, "modprobe_on_install", &s->modprobe_on_install);
	r = take_numbers(&vars, s, err);
	if (r >= 0)
		r = take_choices(&vars, s, err);
	if (r >= 0)
		r = take_isolation(&vars, s, err);
	return r < 0 ? r : take_texts(&vars, s, err);
}

void kiln_settings_free(struct kiln_settings *s)
{
	free(s->dkms_tree);
	free(s->source_tree);
	free(s->install_tree);
	free(s->tmp_location);
	free(s->kernel_source);
	free(s->kernel_config);
	free(s->conf);
	free(s->sign_file);
	free(s->mok_signing_key);
	free(s->mok_certificate);
	free(s->mok_pin_file);
	free(s->sign_tool);
	free(s->try_sign_modules);
	free(s->post_transaction);
	free(s->build_environment);
	free(s->compress_gzip_opts);
	free(s->compress_xz_opts);
	free(s->compress_zstd_opts);
	free(s->defer);
	free(s->critical);
	free(s->doubt);
	kiln_strv_free(&s->directives);
}
