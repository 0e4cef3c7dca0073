/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the evaluator makes of a dkms.conf, in the words of run-oracle:
 *
 *	conf-dump plain|dkms|many-plain|many-dkms|shell|type|time FILE [NAME=VALUE...]
 *
 * plain, dkms and many- as there (many- has "-- WHY" where a file needs a shell
 * or is refused); shell: through the confined bash; type: the typed
 * conf that the engine works with, on Debian; time: what evaluating it takes.
 * Exit status 0: evaluated; 3: needs a shell (the construct on stderr);
 * 1: refused (the reason on stderr).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#include "core/conf-eval.h"

enum { REFUSED = 1, USAGE = 2, NEEDS_SHELL = 3, LARGEST = 16 << 20 };

static void print_value(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", stdout);
		else if (*s == '\r')
			fputs("\\r", stdout);
		else if (*s == '\\')
			fputs("\\\\", stdout);
		else
			putchar(*s);
	}
	putchar('\n');
}

static void print_vars(const struct kiln_vars *vars)
{
	for (const char *const *name = kiln_conf_names(); *name; name++) {
		size_t first, n = kiln_vars_elements(vars, *name, &first);

		for (size_t i = first; i < first + n; i++) {
			printf("%s[%zu]=", *name, vars->v[i].index);
			print_value(vars->v[i].value);
		}
	}
}

static int refuse(struct kiln_err *err)
{
	fprintf(stderr, "%s\n", kiln_err_text(err));
	kiln_err_clear(err);
	return REFUSED;
}

static const char *argument(char **argv, const char *name)
{
	for (; *argv; argv++)
		if (!strncmp(*argv, name, strlen(name)) && (*argv)[strlen(name)] == '=')
			return *argv + strlen(name) + 1;
	return NULL;
}

static struct kiln_conf_env env_of(char **argv, const char *file)
{
	const char *jobs = argument(argv, "parallel_jobs");

	return (struct kiln_conf_env){
		.mod = { argument(argv, "module"), argument(argv, "module_version") },
		.kern = { argument(argv, "kernelver"), argument(argv, "arch") },
		.kernel_source_dir = argument(argv, "kernel_source_dir"),
		.kernel_config = argument(argv, "kernel_config"),
		.dkms_tree = argument(argv, "dkms_tree"),
		.source_tree = argument(argv, "source_tree"),
		.install_tree = argument(argv, "install_tree"),
		.tmp_location = argument(argv, "tmp_location"),
		.distribution = argument(argv, "running_distribution"),
		.running = argument(argv, "current_kernel"),
		.jobs = jobs ? atoi(jobs) : 0,
		.conf_path = file,
	};
}

static int dump_native(const struct kiln_sh_source *src)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_err err = KILN_ERR_INIT;
	struct kiln_conf_class class;

	if (kiln_conf_eval_source(src, &vars, &class, &err) < 0)
		return refuse(&err);
	if (class.exactness == KILN_CONF_NEEDS_SHELL) {
		fprintf(stderr, "line %u: %s\n", class.at.line, class.construct);
		return NEEDS_SHELL;
	}
	print_vars(&vars);
	return 0;
}

/* Files that a file lists, each below a line of its own. */
static int dump_many(const struct kiln_sh_source *list)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;

	if (kiln_text_lines(list->text, &files) < 0)
		return REFUSED;
	for (size_t i = 0; i < files.n; i++) {
		_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
		_cleanup_(freep) char *text = NULL;
		struct kiln_conf_env env = *list->env;
		struct kiln_sh_source src = *list;
		struct kiln_conf_class class = { 0 };
		struct kiln_err err = KILN_ERR_INIT;

		env.conf_path = src.name = files.v[i];
		src.env = &env;
		if (kiln_fs_read(AT_FDCWD, src.name, LARGEST, &text, &src.len) < 0)
			return REFUSED;
		src.text = text;
		printf("== %s\n", src.name);
		if (kiln_conf_eval_source(&src, &vars, &class, &err) < 0)
			printf("-- refused: %s\n", kiln_err_text(&err));
		else if (class.exactness == KILN_CONF_NEEDS_SHELL)
			printf("-- line %u: %s\n", class.at.line, class.construct);
		else
			print_vars(&vars);
		kiln_err_clear(&err);
	}
	return 0;
}

/* Microseconds for one evaluation, out of a thousand. */
static int print_time(const struct kiln_sh_source *src)
{
	enum { ROUNDS = 1000 };
	struct timespec start, end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
		struct kiln_conf_class class;
		struct kiln_err err = KILN_ERR_INIT;

		if (kiln_conf_eval_source(src, &vars, &class, &err) < 0)
			return refuse(&err);
		if (class.exactness == KILN_CONF_NEEDS_SHELL)
			return NEEDS_SHELL;
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	printf("%.1f\n", ((double)(end.tv_sec - start.tv_sec) * 1e9 +
			  (double)(end.tv_nsec - start.tv_nsec)) / ROUNDS / 1000);
	return 0;
}

static int read_in_shell(const struct kiln_sh_source *src, struct kiln_vars *vars,
			 struct kiln_err *err)
{
	char tmp[] = "/tmp", root[] = "";
	_cleanup_(closep) int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct kiln_ctx ctx = { .root = slash,
				.root_path = root,
				.settings = { .tmp_location = tmp } };
	_cleanup_(kiln_strv_free) struct kiln_strv paths = KILN_STRV_INIT;

	if (kiln_strv_add(&paths, src->name) < 0)
		return kiln_fail(err, -ENOMEM, "out of memory");
	return kiln_conf_shell(&ctx, &paths, src->env, vars, err);
}

static int dump_shell(const struct kiln_sh_source *src)
{
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	struct kiln_err err = KILN_ERR_INIT;

	if (read_in_shell(src, &vars, &err) < 0)
		return refuse(&err);
	print_vars(&vars);
	return 0;
}

static void print_conf(const struct kiln_conf *c)
{
	printf("%s/%s, autoinstall %d, depends %zu\n", c->name, c->version, c->autoinstall,
	       c->build_depends.n);
	printf("make     %s\n", c->make ? c->make : "as usual");
	for (size_t i = 0; i < c->patches.n; i++)
		printf("patch    %s\n", c->patches.v[i]);
	for (size_t i = 0; i < c->n_modules; i++)
		printf("module   %s%s to %s/%s%s\n", c->modules[i].built_location,
		       c->modules[i].built_name, c->modules[i].dest_location,
		       c->modules[i].dest_name, c->modules[i].strip ? "" : ", not stripped");
	if (c->excluded)
		printf("excluded %s\n", c->excluded);
	for (size_t i = 0; i < c->warnings.n; i++)
		printf("warning  %s\n", c->warnings.v[i]);
}

static int dump_typed(const struct kiln_sh_source *src)
{
	const struct kiln_distro debian = { .module_dir = "/updates/dkms" };
	_cleanup_(kiln_vars_free) struct kiln_vars vars = { 0 };
	_cleanup_(kiln_conf_freep) struct kiln_conf *conf = NULL;
	struct kiln_err err = KILN_ERR_INIT;
	struct kiln_conf_class class;
	int r = kiln_conf_eval_source(src, &vars, &class, &err);

	if (r == 0 && class.exactness == KILN_CONF_NEEDS_SHELL)
		r = read_in_shell(src, &vars, &err);
	if (r == 0)
		r = kiln_conf_type(src->name, &vars, &src->env->kern, NULL, &debian, &conf, &err);
	if (r < 0)
		return refuse(&err);
	print_conf(conf);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(freep) char *text = NULL;
	struct kiln_sh_source src = { .accepted = kiln_conf_names() };
	char root[] = "";
	struct kiln_ctx ctx = { .root = open("/", O_PATH | O_DIRECTORY), .root_path = root };
	struct kiln_conf_world world;
	struct kiln_conf_env env;
	int r;

	if (argc < 3) {
		fputs("usage: conf-dump plain|dkms|shell|type FILE [NAME=VALUE...]\n", stderr);
		return USAGE;
	}
	r = kiln_fs_read(AT_FDCWD, argv[2], LARGEST, &text, &src.len);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(-r));
		return REFUSED;
	}
	env = env_of(argv + 3, argv[2]);
	kiln_conf_world_of(&ctx, &world);
	env.world = &world;
	src.name = argv[2];
	src.text = text;
	src.env = &env;
	src.once = kiln_text_ends(argv[1], "plain");
	if (kiln_text_starts(argv[1], "many-"))
		return dump_many(&src);
	if (!strcmp(argv[1], "time"))
		return print_time(&src);
	if (!strcmp(argv[1], "type"))
		return dump_typed(&src);
	return !strcmp(argv[1], "shell") ? dump_shell(&src) : dump_native(&src);
}
