/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last resort for a conf that uses more of the shell than is evaluated
 * here: bash itself reads it, confined, in the same way as dkms does.  The
 * script is ours; everything that varies reaches it as an argument.
 */
#include "core/conf-shell.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/proc.h"
#include "core/base/text.h"

#include "core/conf-cache.h"
#include "core/conf-eval.h"
#include "core/confine-watch.h"
#include "core/confine.h"

enum { SECONDS = 20, MOST_OUTPUT = 1 << 20 };

#define END_MARK "modkiln-end"

/*
 * Arguments: the accepted names; those of them that wait for a build, and what
 * stands there until then; how many variables; NAME=VALUE for each; the files.
 * What waits is what has a command left in its value, which would run when it is
 * read back.  All is read before a conf is, since bash loses its place in a script
 * when an eval in it meets an open quote.  The function that reads a file has
 * the names that confs may see in that of dkms.  VER and
 * override_dest_module_location are functions of dkms that confs in the field
 * call.  What a conf prints goes where errors go, which is nowhere, also in a
 * root without /dev/null.
 */
static const char script[] =
	"shopt -s extglob\n"
	"VER() {\n"
	"	local rest=$1 padded= number\n"
	"	while [[ $rest =~ ^([^0-9]*)([0-9]+)(.*)$ ]]; do\n"
	"		number=${BASH_REMATCH[2]}\n"
	"		while ((${#number} < 3)); do number=0$number; done\n"
	"		padded+=${BASH_REMATCH[1]}$number rest=${BASH_REMATCH[3]}\n"
	"	done\n"
	"	builtin echo \"$padded$rest\"\n"
	"}\n"
	"override_dest_module_location() {\n"
	"	builtin echo \"${modkiln_module_dir:-$1}\"\n"
	"}\n"
	"modkiln_waits() {\n"
	"	[[ $modkiln_late = *\" $1 \"* ]] && local -n modkiln_value=$1[$2] &&\n"
	"		[[ $modkiln_value = *'$('* || $modkiln_value = *'`'* ]]\n"
	"}\n"
	"modkiln_read() {\n"
	"	local to_source_file=$1 modkiln_back modkiln_whole\n"
	"	shift\n"
	"	[[ -r $to_source_file ]] || exit 124\n"
	"	local -r CR=$'\\r'\n"
	"	local -r -a export_envs=($1)\n"
	"	modkiln_back=$(\n"
	"		. \"$to_source_file\" >&2\n"
	"		for _export_env in \"${export_envs[@]}\"; do\n"
	"			for _i in $(eval echo \"\\${!$_export_env[@]}\"); do\n"
	"				if modkiln_waits \"$_export_env\" \"$_i\"; then\n"
	"					builtin echo \"$_export_env[$_i]='$modkiln_later'\"\n"
	"					continue\n"
	"				fi\n"
	"				eval echo "
	"\"\\$_export_env[\\$_i]=\\\\\\\"\\${$_export_env[\\$_i]%\\$CR}\\\\\\\"\"\n"
	"			done\n"
	"		done\n"
	"		builtin echo modkiln_whole=yes\n"
	"	)\n"
	"	[[ $modkiln_back = *modkiln_whole=yes ]] || exit 125\n"
	"	eval \"$modkiln_back\" >&2\n"
	"}\n"
	"modkiln_print() {\n"
	"	local -n modkiln_var=$1\n"
	"	local modkiln_i\n"
	"	for modkiln_i in \"${!modkiln_var[@]}\"; do\n"
	"		builtin printf '%s\\0%s\\0%s\\0' "
	"\"$1\" \"$modkiln_i\" \"${modkiln_var[modkiln_i]}\"\n"
	"	done\n"
	"}\n"
	"modkiln_main() {\n"
	"	local -r modkiln_names=$1 modkiln_late=$2 modkiln_later=$3\n"
	"	local modkiln_count=$4 modkiln_file modkiln_name\n"
	"	shift 4\n"
	"	for ((; modkiln_count > 0; modkiln_count--)); do\n"
	"		printf -v \"${1%%=*}\" %s \"${1#*=}\"\n"
	"		shift\n"
	"	done\n"
	"	for modkiln_file; do modkiln_read \"$modkiln_file\" \"$modkiln_names\"; done\n"
	"	for modkiln_name in $modkiln_names; do modkiln_print \"$modkiln_name\"; done\n"
	"	builtin printf '" END_MARK "\\0'\n"
	"}\n"
	"modkiln_main \"$@\"\n";

/* ---- arguments ---- */

/* A file read over another one may ask for what waits, and so nothing does there. */
static bool is_patient(const struct kiln_shell *s)
{
	return s->env->patient && s->paths->n == 1;
}

static int add_names(const struct kiln_shell *s, struct kiln_strv *argv)
{
	_cleanup_(kiln_buf_free) struct kiln_buf names = KILN_BUF_INIT, late = KILN_BUF_INIT;
	int r;

	for (const char *const *name = s->accepted; *name; name++) {
		kiln_buf_addf(&names, "%s ", *name);
		if (is_patient(s) && kiln_sh_is_late_name(*name))
			kiln_buf_addf(&late, " %s ", *name);
	}
	if (!kiln_buf_ok(&names) || !kiln_buf_ok(&late))
		return -ENOMEM;
	r = kiln_strv_add(argv, kiln_buf_str(&names));
	if (r == 0)
		r = kiln_strv_add(argv, kiln_buf_str(&late));
	return r == 0 ? kiln_strv_add(argv, KILN_SH_LATE_TEXT) : r;
}

static int add_variables(const struct kiln_shell *s, struct kiln_strv *argv)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	int r = kiln_sh_define_env(&vars, s->env);

	kiln_vars_unset(&vars, "BASH_SOURCE"); /* bash knows better */
	if (r == 0 && s->module_dir)
		r = kiln_vars_set(&vars, "modkiln_module_dir", 0, s->module_dir, KILN_NOWHERE);
	if (r == 0)
		r = kiln_strv_addf(argv, "%zu", vars.n);
	for (size_t i = 0; i < vars.n && r == 0; i++)
		r = kiln_strv_addf(argv, "%s=%s", vars.v[i].name, vars.v[i].value);
	return r;
}

const char *kiln_shell_prefix(const struct kiln_shell *s)
{
	return s->inside < 0 ? s->root_path : "";
}

static int make_argv(const struct kiln_shell *s, struct kiln_strv *argv)
{
	const char *const first[] = { "bash", "--noprofile", "--norc", "-c", script, "modkiln" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(first) && r == 0; i++)
		r = kiln_strv_add(argv, first[i]);
	if (r == 0)
		r = add_names(s, argv);
	if (r == 0)
		r = add_variables(s, argv);
	for (size_t i = 0; i < s->paths->n && r == 0; i++)
		r = kiln_strv_addf(argv, "%s%s", kiln_shell_prefix(s), s->paths->v[i]);
	return r;
}

/* ---- output ---- */

/* The next string of the output; NULL: there is none that ends. */
static const char *next(const char **p, const char *end)
{
	const char *s = *p, *nul = memchr(s, '\0', (size_t)(end - s));

	if (!nul)
		return NULL;
	*p = nul + 1;
	return s;
}

int kiln_shell_take(struct kiln_vars *vars, const char *name, size_t index, const char *value)
{
	const struct kiln_var v = {
		.name = (char *)name,
		.index = index,
		.value = (char *)value,
		.late = kiln_sh_is_late_name(name) && !strcmp(value, KILN_SH_LATE_TEXT),
	};

	return kiln_vars_put(vars, &v);
}

/* Whoever reads a conf can print what it likes: only what can be a variable counts. */
static int take_output(const struct kiln_shell *s, const struct kiln_buf *out,
		       struct kiln_vars *vars, struct kiln_err *err)
{
	const char *p = kiln_buf_str(out), *end = p + out->len, *name;
	unsigned long index;

	while ((name = next(&p, end)) && strcmp(name, END_MARK)) {
		const char *number = next(&p, end), *value = number ? next(&p, end) : NULL;

		if (!value || !kiln_text_in(name, s->accepted) ||
		    !kiln_text_number(number, 9999999, &index))
			return kiln_fail(err, -KILN_E_CONF,
					 "%s: interferes with the shell that reads it", s->name);
		if (kiln_shell_take(vars, name, index, value) < 0)
			return kiln_fail(err, -ENOMEM, "out of memory");
	}
	return name ? 0 : kiln_fail(err, -KILN_E_CONF, "%s: ends the shell that reads it", s->name);
}

/* ---- the child ---- */

/* Patterns in a conf are looked up where the shell stands: where there is nothing. */
static int make_empty_dir(const struct kiln_shell *s, char **path)
{
	_cleanup_(freep) char *template =
		kiln_strf("%s%s/modkiln-conf-XXXXXX", s->root_path, s->tmp_location);
	int fd;

	if (!template || !mkdtemp(template))
		return -errno;
	fd = kiln_fs_open_dir(AT_FDCWD, template);
	if (fd >= 0 && fchmod(fd, 0755) < 0) {
		closep(&fd);
		fd = -errno;
	}
	*path = TAKE_PTR(template);
	return fd;
}

static void remove_dir(char **path)
{
	if (*path)
		rmdir(*path);
	free(*path);
}

/* A read-only system has no place for it; then the root is as good as any other. */
static int open_cwd(const struct kiln_shell *s, char **path)
{
	int fd = s->cwd >= 0 ? fcntl(s->cwd, F_DUPFD_CLOEXEC, 3) : make_empty_dir(s, path);

	return fd >= 0 ? fd : kiln_fs_open_dir(AT_FDCWD, "/");
}

static int explain(const struct kiln_shell *s, int r, const struct kiln_confine *confine,
		   struct kiln_err *err)
{
	kiln_err_clear(err);
	switch (r) {
	case -ENOENT:
		return kiln_fail(err, -KILN_E_SHELL, "%s needs a shell: install bash", s->name);
	case -ETIMEDOUT:
		return kiln_fail(err, -KILN_E_CONF, "%s: reading it took longer than %d seconds",
				 s->name, SECONDS);
	case -E2BIG:
		return kiln_fail(err, -KILN_E_CONF, "%s: sets more than any conf needs", s->name);
	case 124:
		return kiln_fail(err, -KILN_E_SHELL,
				 "%s needs a shell, and is not readable for the unprivileged user "
				 "that runs it",
				 s->name);
	case 125:
		return kiln_fail(
			err, -KILN_E_CONF,
			"%s: ends the shell that reads it, or takes too much time or memory",
			s->name);
	case 126:
		return kiln_fail(
			err, -KILN_E_SHELL,
			"%s needs a shell, which can only be run %s here; that is not enough",
			s->name, kiln_confinement_text(kiln_confine_reached(confine)));
	default:
		if (r < 0)
			return kiln_fail(err, r, "%s: bash cannot be run: %s", s->name,
					 strerror(-r));
		return kiln_fail(err, -KILN_E_CONF,
				 "%s: the shell that reads it ended with status %d", s->name, r);
	}
}

static int run(const struct kiln_shell *s, const struct kiln_strv *argv, int cwd,
	       struct kiln_vars *vars, struct kiln_err *err)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	_cleanup_(kiln_confine_freep) struct kiln_confine *confine = NULL;
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	struct kiln_proc p = KILN_PROC_INIT;
	int r = kiln_confine_new(KILN_CONFINED_CALLS, s->sight, &confine, err);

	if (r < 0)
		return r;
	kiln_confine_watch(confine, s->watch);
	kiln_confine_inside(confine, s->inside);
	p.argv = (const char *const *)argv->v;
	p.env = env;
	p.cwd = cwd;
	p.capture = &out;
	p.capture_max = MOST_OUTPUT;
	p.seconds = SECONDS;
	p.prepare = kiln_confine_child;
	p.prepare_data = confine;
	r = kiln_proc_run(&p, err);
	return r ? explain(s, r, confine, err) : take_output(s, &out, vars, err);
}

int kiln_shell_read(const struct kiln_shell *s, struct kiln_vars *vars, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv argv = KILN_STRV_INIT;
	_cleanup_(remove_dir) char *dir = NULL;
	_cleanup_(closep) int cwd = open_cwd(s, &dir);

	if (make_argv(s, &argv) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	return run(s, &argv, cwd, vars, err);
}

/* ---- of a module ---- */

/* Asks bash, and keeps the answer. */
static int ask(struct kiln_ctx *ctx, struct kiln_shell *s, const struct kiln_conf_question *q,
	       struct kiln_vars *vars, struct kiln_err *err)
{
	_cleanup_(kiln_watch_freep) struct kiln_watch *watch = q->key[0] ? kiln_watch_new() : NULL;
	_cleanup_(kiln_vars_free) struct kiln_vars got = { 0 };
	_cleanup_(remove_dir) char *dir = NULL;
	_cleanup_(closep) int cwd = open_cwd(s, &dir);
	int r;

	s->watch = watch;
	r = run(s, q->argv, cwd, &got, err);
	if (r < 0)
		return r;
	if (watch)
		kiln_conf_cache_keep(ctx, q, watch, dir, &got);
	return kiln_vars_copy(vars, &got) < 0 ? kiln_fail(err, -ENOMEM, "out of memory") : 0;
}

/* A folder without programs of its own is no system: then it is read as a part of this one. */
static int find_system(struct kiln_ctx *ctx, struct kiln_shell *s, struct kiln_err *err)
{
	struct stat st;

	if (!*ctx->root_path || !kiln_fs_is_dir(ctx->root, "usr/bin"))
		return 0;
	if (fstatat(ctx->root, "dev/null", &st, 0) < 0 || !S_ISCHR(st.st_mode))
		return kiln_fail(err, -KILN_E_SHELL,
				 "%s needs a shell, and %s has no /dev/null: \"mount --bind /dev %s/dev\" gives it one",
				 s->name, ctx->root_path, ctx->root_path);
	s->inside = ctx->root;
	return 0;
}

/* What was kept is about the files of this system. */
static int find_answer(struct kiln_ctx *ctx, const struct kiln_shell *s, struct kiln_conf_question *q,
		       struct kiln_vars *vars, struct kiln_err *err)
{
	int r = kiln_conf_question_begin(ctx, q, err);

	if (s->inside >= 0)
		q->key[0] = '\0';
	return r < 0 ? r : q->key[0] && kiln_conf_cache_find(ctx, q, vars);
}

int kiln_conf_shell(struct kiln_ctx *ctx, const struct kiln_strv *paths,
		    const struct kiln_conf_env *env, struct kiln_vars *vars, struct kiln_err *err)
{
	_cleanup_(kiln_strv_free) struct kiln_strv sight = KILN_STRV_INIT, argv = KILN_STRV_INIT;
	struct kiln_conf_question q = { .argv = &argv, .paths = paths };
	struct kiln_shell s = {
		.name = paths->v[0],
		.accepted = kiln_conf_names(),
		.env = env,
		.paths = paths,
		.root_path = ctx->root_path,
		.tmp_location = ctx->settings.tmp_location,
		.module_dir = ctx->distro.module_dir,
		.inside = -1,
		.cwd = -1,
		.sight = &sight,
	};
	int r = find_system(ctx, &s, err);

	if (r < 0)
		return r;
	if (make_argv(&s, &argv) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	r = find_answer(ctx, &s, &q, vars, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (kiln_conf_sight(&s, &sight) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	return ask(ctx, &s, &q, vars, err);
}
