/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module's conf as a whole: which files there are and in which order
 * (dkms-interface.md 2.1), what they may read, and which of the two ways,
 * in C or through a confined bash, evaluates them.
 */
#include "core/conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/conf-eval.h"
#include "core/kernel.h"

enum { LARGEST_CONF = 1024 * 1024, LARGEST_KERNEL_CONFIG = 4 * 1024 * 1024 };

static int add_if_there(struct kiln_ctx *ctx, struct kiln_strv *files, char *path)
{
	_cleanup_(freep) char *owned = path;

	if (!path)
		return -ENOMEM;
	return kiln_fs_is_file(ctx->root, kiln_rel(path)) ? kiln_strv_add(files, path) : 0;
}

/* The overlays of /etc/dkms, from the general to the particular; what is not known names none. */
static int add_overlays(struct kiln_ctx *ctx, struct kiln_mod m, struct kiln_kern k,
			struct kiln_strv *files)
{
	int r = m.name ? add_if_there(ctx, files, kiln_strf("/etc/dkms/%s.conf", m.name)) : 0;

	if (r < 0 || !m.name || !m.version)
		return r;
	r = add_if_there(ctx, files, kiln_strf("/etc/dkms/%s-%s.conf", m.name, m.version));
	if (r < 0 || !k.release)
		return r;
	r = add_if_there(ctx, files,
			 kiln_strf("/etc/dkms/%s-%s-%s.conf", m.name, m.version, k.release));
	if (r == 0)
		r = add_if_there(ctx, files,
				 kiln_strf("/etc/dkms/%s-%s-%s-%s.conf", m.name, m.version,
					   k.release, k.arch));
	if (r == 0)
		r = add_if_there(ctx, files, kiln_strf("/etc/dkms/%s--%s.conf", m.name, k.release));
	if (r == 0)
		r = add_if_there(ctx, files,
				 kiln_strf("/etc/dkms/%s--%s-%s.conf", m.name, k.release, k.arch));
	return r;
}

/* Links on the way are followed inside the root: a source in the tree is one. */
static int read_below_root(struct kiln_ctx *ctx, const char *path, size_t max, char **text,
			   size_t *len)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
	_cleanup_(closep) int dir =
		folder ? kiln_ctx_open(ctx, folder, O_RDONLY | O_DIRECTORY) : -ENOMEM;

	return dir < 0 ? dir : kiln_fs_read(dir, slash + 1, max, text, len);
}

int kiln_conf_text(struct kiln_ctx *ctx, const char *path, char **text, size_t *len,
		   struct kiln_err *err)
{
	int r = read_below_root(ctx, path, LARGEST_CONF, text, len);

	if (r == -EFBIG)
		return kiln_fail(err, -KILN_E_CONF, "%s is larger than a dkms.conf can be", path);
	if (r == -ENOENT)
		return kiln_fail(err, -KILN_E_BROKEN, "%s is missing", path);
	if (r < 0)
		return kiln_fail(err, -KILN_E_CONF, "%s cannot be read: %s", path, strerror(-r));
	return 0;
}

/* One file in C; ret->construct is set when it needs a shell. */
static int evaluate_file(struct kiln_ctx *ctx, const char *path, struct kiln_conf_env *env,
			 struct kiln_conf_reading *ret, struct kiln_err *err)
{
	_cleanup_(freep) char *text = NULL, *modern = NULL;
	struct kiln_conf_class class;
	struct kiln_sh_source src = { .name = path,
				      .env = env,
				      .accepted = kiln_conf_names(),
				      .once = ret->once };
	int r = kiln_conf_text(ctx, path, &text, &src.len, err);

	if (r < 0)
		return r;
	if (kiln_conf_modernise(text, src.len, &modern) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	src.text = modern ? modern : text;
	src.len = modern ? strlen(modern) : src.len;
	env->conf_path = path;
	r = kiln_conf_eval_source(&src, &ret->vars, &class, err);
	if (class.late && !ret->late) {
		ret->late = class.late;
		ret->late_file = path;
		ret->late_at = class.late_at;
	}
	ret->at = class.at;
	if (r < 0 || class.exactness == KILN_CONF_EXACT)
		return r;
	ret->file = path;
	ret->construct = class.construct;
	return 0;
}

bool kiln_conf_is_administrators(const char *file)
{
	return kiln_text_starts(file, "/etc/dkms/") || !strcmp(file, KILN_FROM_COMMAND_LINE);
}

/* What was made of a value that waits is not what was meant. */
static bool reads_late(const struct kiln_vars *vars)
{
	for (size_t i = 0; i < vars->n; i++)
		if (!vars->v[i].late && strstr(vars->v[i].value, KILN_SH_LATE_TEXT))
			return true;
	return false;
}

static int evaluate_in_shell(struct kiln_ctx *ctx, struct kiln_conf_env *env,
			     struct kiln_conf_reading *ret, struct kiln_err *err)
{
	int r;

	kiln_log(ctx, KILN_LOG_DEBUG, "%s:%u: %s: read by a confined bash", ret->file, ret->at.line,
		 ret->construct);
	env->conf_path = ret->files.v[0];
	kiln_vars_free(&ret->vars);
	r = kiln_conf_shell(ctx, &ret->files, env, &ret->vars, err);
	if (r == 0 && reads_late(&ret->vars)) {
		kiln_vars_free(&ret->vars);
		env->patient = false;
		r = kiln_conf_shell(ctx, &ret->files, env, &ret->vars, err);
	}
	ret->late = kiln_vars_wait(&ret->vars) ? ret->construct : NULL;
	ret->late_file = NULL;
	if (r == -KILN_E_SHELL)
		kiln_err_wrap(err, "%s:%u: %s", ret->file, ret->at.line, ret->construct);
	return r;
}

/* What the command line says comes last, as element 0 of what dkms knows. */
static int apply_directives(const struct kiln_ctx *ctx, struct kiln_vars *vars)
{
	const struct kiln_strv *all = &ctx->settings.directives;
	int r = 0;

	if (all->n)
		r = kiln_vars_in_file(vars, KILN_FROM_COMMAND_LINE);
	for (size_t i = 0; i < all->n && r == 0; i++) {
		const char *equals = strchr(all->v[i], '=');
		_cleanup_(freep) char *name = strndup(all->v[i], (size_t)(equals - all->v[i]));

		if (!name)
			return -ENOMEM;
		if (kiln_conf_accepts(name))
			r = kiln_vars_set(vars, name, 0, equals + 1, KILN_NOWHERE);
	}
	return r;
}

/* All files in C, or when one needs it all of them in a shell. */
static int evaluate_files(struct kiln_ctx *ctx, struct kiln_conf_env *env,
			  struct kiln_conf_reading *ret, struct kiln_err *err)
{
	int r = 0;

	for (size_t i = 0; i < ret->files.n && r == 0 && !ret->construct; i++)
		r = evaluate_file(ctx, ret->files.v[i], env, ret, err);
	if (r == 0 && ret->construct && ret->once && !ret->no_shell)
		r = kiln_fail(err, -KILN_E_SHELL, "%s:%u: %s: needs a shell, which reads it twice",
			      ret->file, ret->at.line, ret->construct);
	else if (r == 0 && ret->construct && !ret->no_shell)
		r = evaluate_in_shell(ctx, env, ret, err);
	return r;
}

/*
 * In a shell that has read the module's conf nobody can tell who set SIGN_TOOL:
 * the administrator's files are asked for it by themselves.
 */
static int ask_for_sign_tool(struct kiln_ctx *ctx, struct kiln_conf_env *env,
			     struct kiln_conf_reading *ret, struct kiln_err *err)
{
	_cleanup_(kiln_conf_reading_done) struct kiln_conf_reading own = { .patient = true };
	const struct kiln_var *v;
	struct kiln_var found;
	int r = 0;

	for (size_t i = 0; i < ret->files.n && r == 0; i++)
		if (kiln_conf_is_administrators(ret->files.v[i]))
			r = kiln_strv_add(&own.files, ret->files.v[i]);
	if (r < 0)
		return kiln_fail(err, r, "out of memory");
	r = own.files.n ? evaluate_files(ctx, env, &own, err) : 0;
	v = r == 0 ? kiln_vars_find(&own.vars, "SIGN_TOOL", 0) : NULL;
	if (!v)
		return r;
	found = *v;
	if (!found.file)
		found.file = own.files.v[own.files.n - 1];
	return kiln_vars_put(&ret->vars, &found) < 0 ? kiln_fail(err, -ENOMEM, "out of memory") : 0;
}

static int evaluate(struct kiln_ctx *ctx, struct kiln_conf_env *env, struct kiln_conf_reading *ret,
		    struct kiln_err *err)
{
	int r = evaluate_files(ctx, env, ret, err);

	if (r == 0 && ret->construct && kiln_vars_get(&ret->vars, "SIGN_TOOL", 0))
		r = ask_for_sign_tool(ctx, env, ret, err);
	if (r == 0 && apply_directives(ctx, &ret->vars) < 0)
		r = kiln_fail(err, -ENOMEM, "out of memory");
	return r;
}

/* default_config: where the kernel's config would be, as dkms names one even if it is not there. */
static void fill_env(struct kiln_ctx *ctx, struct kiln_mod mod, const struct kiln_kernel *kernel,
		     const char *default_config, struct kiln_conf_env *env)
{
	const struct kiln_settings *s = &ctx->settings;

	*env = (struct kiln_conf_env){ .mod = mod,
				       .dkms_tree = s->dkms_tree,
				       .source_tree = s->source_tree,
				       .install_tree = s->install_tree,
				       .tmp_location = s->tmp_location,
				       .jobs = s->jobs,
				       .distribution = ctx->distro.id,
				       .running = ctx->running,
				       .directives = &s->directives };
	if (kernel->release) {
		env->kern = (struct kiln_kern){ kernel->release, kernel->arch };
		env->kernel_source_dir = kernel->source;
		env->kernel_config = kernel->config ? kernel->config : default_config;
	}
}

/*
 * A packager forgot to fill in the version, and nobody noticed: the module is
 * registered under its true one, which is all that dkms uses, too.
 */
static int fill_in_version(struct kiln_vars *vars, struct kiln_mod mod, struct kiln_strv *warnings)
{
	const struct kiln_var *v = kiln_vars_find(vars, "PACKAGE_VERSION", 0);
	int r;

	if (!mod.version || !v || !kiln_conf_is_placeholder(v->value))
		return 0;
	r = kiln_strv_addf(warnings,
			   "%s:%u: PACKAGE_VERSION is still the placeholder %s; %s is taken",
			   v->file ? v->file : "dkms.conf", v->at.line, v->value, mod.version);
	return r < 0 ? r : kiln_vars_set(vars, "PACKAGE_VERSION", 0, mod.version, v->at);
}

void kiln_conf_reading_done(struct kiln_conf_reading *r)
{
	kiln_strv_free(&r->files);
	kiln_vars_free(&r->vars);
	*r = (struct kiln_conf_reading){ 0 };
}

int kiln_conf_read(struct kiln_ctx *ctx, const char *conf, struct kiln_mod mod,
		   const struct kiln_kernel *kernel, struct kiln_conf_reading *ret,
		   struct kiln_err *err)
{
	_cleanup_(freep) char *default_config =
		kiln_strf("%s/.config", kernel->source ? kernel->source : "");
	struct kiln_kern kern = { kernel->release, kernel->arch };
	struct kiln_conf_world world;
	struct kiln_conf_env env;
	int r = default_config ? kiln_strv_add(&ret->files, conf) : -ENOMEM;

	if (r == 0)
		r = add_overlays(ctx, mod, kern, &ret->files);
	if (r < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	fill_env(ctx, mod, kernel, default_config, &env);
	kiln_conf_world_of(ctx, &world);
	env.world = &world;
	env.patient = ret->patient;
	return evaluate(ctx, &env, ret, err);
}

int kiln_conf_read_config(struct kiln_ctx *ctx, const struct kiln_kernel *kernel, char **ret)
{
	return kernel->config ? read_below_root(ctx, kernel->config, LARGEST_KERNEL_CONFIG, ret,
						NULL)
			      : -ENOENT;
}

/* Few confs ask for it, and it is large. */
static bool asks_config(const struct kiln_vars *vars)
{
	for (size_t i = 0; i < vars->n; i++)
		if (!strcmp(vars->v[i].name, "BUILD_EXCLUSIVE_CONFIG"))
			return true;
	return false;
}

static int load_for(struct kiln_ctx *ctx, const char *conf, struct kiln_mod mod,
		    const struct kiln_kernel *kernel, bool patient, struct kiln_conf **ret,
		    struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv warnings = KILN_STRV_INIT;
	_cleanup_(kiln_conf_reading_done) struct kiln_conf_reading got = { .patient = patient };
	_cleanup_(freep) char *config = NULL;
	struct kiln_kern kern = { kernel->release, kernel->arch };
	int r = kiln_conf_read(ctx, conf, mod, kernel, &got, err);

	if (r == 0 && fill_in_version(&got.vars, mod, &warnings) < 0)
		r = kiln_fail(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	/* without one BUILD_EXCLUSIVE_CONFIG is passed over, as in dkms */
	if (asks_config(&got.vars))
		kiln_conf_read_config(ctx, kernel, &config);
	r = kiln_conf_type(conf, &got.vars, &kern, config, &ctx->distro, ret, err);
	if (r == 0)
		(*ret)->late = got.late;
	for (size_t i = 0; i < warnings.n && r == 0; i++)
		if (kiln_strv_add(&(*ret)->warnings, warnings.v[i]) < 0)
			r = kiln_fail(err, -ENOMEM, "out of memory");
	return r;
}

static int load(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
		struct kiln_kern kern, bool patient, struct kiln_conf **ret, struct kiln_err *err)
{
	_cleanup_(freep) char *own = kiln_strf("%s/dkms.conf", source_dir);
	_cleanup_(kiln_kernel_done) struct kiln_kernel kernel = { 0 };
	int r = 0;

	if (!own)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (kern.release) {
		if (!kern.arch)
			kern.arch = ctx->arch;
		r = kiln_kernel_load(ctx, kern, &kernel, err);
	}
	return r < 0 ? r
		     : load_for(ctx, ctx->settings.conf ? ctx->settings.conf : own, mod, &kernel,
				patient, ret, err);
}

int kiln_conf_load(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
		   struct kiln_kern kern, struct kiln_conf **ret, struct kiln_err *err)
{
	return load(ctx, source_dir, mod, kern, false, ret, err);
}

int kiln_conf_load_early(struct kiln_ctx *ctx, const char *source_dir, struct kiln_mod mod,
			 struct kiln_kern kern, struct kiln_conf **ret, struct kiln_err *err)
{
	return load(ctx, source_dir, mod, kern, true, ret, err);
}
