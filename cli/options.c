/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line as dkms 3.2 reads it: options and words in any order, long
 * options by their beginning (--modulefoo is --module), values as --opt=value
 * or --opt value, short options without a joined value.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

struct parser {
	struct cli *c;
	char **argv;
	int argc, i;
};

struct option_row {
	const char *name;  /* without "--"; NULL: only a letter */
	char letter;
	bool value;
	bool begins;       /* what begins with the name means it, too, as in dkms */
	int (*set)(struct cli *c, const char *value); /* 0 or an exit status */
	const char *help;  /* NULL: accepted, but nothing to learn */
};

/* A copy that lives as long as the command. */
static const char *keep(struct cli *c, const char *s)
{
	return kiln_strv_add(&c->words, s) < 0 ? NULL : c->words.v[c->words.n - 1];
}

static int set_words(char **name, char **version, const char *value)
{
	const char *slash = strchr(value, '/');

	free(*name);
	*name = slash ? strndup(value, (size_t)(slash - value)) : strdup(value);
	if (slash) {
		free(*version);
		*version = strdup(slash + 1);
	}
	return CLI_OK;
}

static int set_module(struct cli *c, const char *v)
{
	return set_words(&c->module, &c->version, v);
}

static int set_version(struct cli *c, const char *v)
{
	free(c->version);
	c->version = strdup(v);
	return CLI_OK;
}

/* -k K, or -k K/ARCH. */
static int set_kernel(struct cli *c, const char *v)
{
	_cleanup_(freep) char *kernel = strdup(v);
	char *slash = kernel ? strchr(kernel, '/') : NULL;

	if (slash) {
		*slash = '\0';
		kiln_strv_add(&c->archs, slash + 1);
	}
	kiln_strv_add(&c->kernels, kernel);
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
static int set_quiet(struct cli *c, const char *v) { (void)v; c->quiet = true; cli_quiet(); return CLI_OK; }
static int set_verbose(struct cli *c, const char *v) { (void)v; c->options.verbose = true; return CLI_OK; }
static int set_force(struct cli *c, const char *v) { (void)v; c->options.force = true; return CLI_OK; }
static int set_force_version(struct cli *c, const char *v) { (void)v; c->force_version = true; return CLI_OK; }
static int set_all(struct cli *c, const char *v) { (void)v; c->all = true; return CLI_OK; }
static int set_no_depmod(struct cli *c, const char *v) { (void)v; c->options.no_depmod = true; return CLI_OK; }
static int set_plain(struct cli *c, const char *v) { (void)v; c->plain = true; return CLI_OK; }
static int set_how(struct cli *c, const char *v) { (void)v; c->how = true; return CLI_OK; }
static int set_json(struct cli *c, const char *v) { (void)v; c->json = true; return CLI_OK; }
static int set_dry_run(struct cli *c, const char *v) { (void)v; c->dry_run = true; return CLI_OK; }
static int set_help(struct cli *c, const char *v) { (void)v; c->help = true; return CLI_OK; }
static int set_show_version(struct cli *c, const char *v) { (void)v; c->show_version = true; return CLI_OK; }

/* Options that dkms keeps for scripts written for 2.x. */
static int set_past(struct cli *c, const char *v)
{
	(void)c;
	(void)v;
	cli_warning("this option of dkms 2.x has no effect any more; leave it out.");
	return CLI_OK;
}

static const struct option_row rows[] = {
	{ "module", 'm', true, true, set_module, "NAME[/VERSION]   the module" },
	{ NULL, 'v', true, false, set_version, "VERSION          its version" },
	{ "kernelver", 'k', true, true, set_kernel, "RELEASE[/ARCH]   a kernel; may be repeated" },
	{ "arch", 'a', true, false, set_arch, "ARCH             architecture of the kernels" },
	{ "all", 0, false, false, set_all, "                 every kernel that the module is built for" },
	{ NULL, 'c', true, false, set_conf, "FILE             a dkms.conf to use instead of the module's" },
	{ "templatekernel", 0, true, true, set_template, "RELEASE          match: the kernel to be like" },
	{ "force", 0, false, false, set_force, "                 in spite of what is there" },
	{ "force-version-override", 0, false, false, set_force_version,
	  "                 install although the kernel's own is as new" },
	{ NULL, 'j', true, false, set_jobs, "N                jobs at once; 0: no limit" },
	{ "no-depmod", 0, false, false, set_no_depmod, "                 leave the module index as it is" },
	{ "directive", 0, true, true, set_directive, "NAME=VALUE       over what the dkms.conf says" },
	{ "dry-run", 0, false, false, set_dry_run, "                 print the plan, do nothing" },
	{ "plain", 0, false, false, set_plain, "                 conf: without the second evaluation" },
	{ "how", 0, false, false, set_how, "                 conf: whether it needs a shell, and for what" },
	{ "json", 0, false, false, set_json, "                 conf, lint: for programs" },
	{ "root", 0, true, false, set_root, "DIR              work on the system below DIR" },
	{ "dkmstree", 0, true, true, set_dkms_tree, "DIR              instead of /var/lib/dkms" },
	{ "sourcetree", 0, true, true, set_source_tree, "DIR              instead of /usr/src" },
	{ "installtree", 0, true, true, set_install_tree, "DIR              instead of /lib/modules" },
	{ "kernelsourcedir", 0, true, true, set_kernel_source, "DIR              headers of the kernel" },
	{ "config", 0, true, true, set_kernel_config, "FILE             config of the kernel" },
	{ "quiet", 'q', false, false, set_quiet, "                 say nothing" },
	{ "verbose", 0, false, false, set_verbose, "                 say each step" },
	{ "help", 'h', false, false, set_help, "                 this text" },
	{ "version", 'V', false, false, set_show_version, "                 the version of this program" },
	{ "no-initrd", 0, false, false, set_past, NULL },
	{ "no-clean-kernel", 0, false, false, set_past, NULL },
	{ "no-prepare-kernel", 0, false, false, set_past, NULL },
};

void cli_usage(void)
{
	size_t n;
	const struct cli_verb *verbs = cli_verbs(&n);

	printf("usage: dkms VERB [NAME/VERSION | DIRECTORY] [OPTION...]\n\nverbs:\n");
	for (size_t i = 0; i < n; i++)
		printf("  %-17s %s\n", verbs[i].name, verbs[i].summary);
	printf("\noptions:\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char letter[] = { '-', rows[i].letter, '\0' };

		if (rows[i].help)
			printf("  %2s %s%-22s %s\n", rows[i].letter ? letter : "", rows[i].name ? "--" : "  ",
			       rows[i].name ? rows[i].name : "", rows[i].help);
	}
}

static bool names(const struct option_row *row, const char *word, const char **value)
{
	const char *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) : strlen(word);

	*value = NULL;
	if (row->letter && word[0] == '-' && word[1] == row->letter && !word[2])
		return true;
	if (!row->name || strncmp(word, "--", 2) || (equals && !row->value))
		return false;
	if (row->begins ? !kiln_text_starts(word + 2, row->name) :
			  n - 2 != strlen(row->name) || strncmp(word + 2, row->name, n - 2))
		return false;
	*value = equals ? equals + 1 : NULL;
	return true;
}

static int parse_option(struct parser *p, const char *word)
{
	const char *value;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!names(&rows[i], word, &value))
			continue;
		if (rows[i].value && !value) {
			if (p->i + 1 >= p->argc) {
				cli_error("%s needs a value.", word);
				return CLI_UNKNOWN_OPTION;
			}
			value = p->argv[++p->i];
		}
		return rows[i].set(p->c, value);
	}
	cli_error("Unknown option: %s. \"dkms --help\" lists them.", word);
	return CLI_UNKNOWN_OPTION;
}

static bool holds_conf(const char *dir)
{
	_cleanup_(freep) char *conf = kiln_strf("%s/dkms.conf", dir);

	return conf && kiln_fs_is_file(AT_FDCWD, conf);
}

static int take_source(struct cli *c, const char *path)
{
	free(c->source);
	c->source = realpath(path, NULL);
	return c->source ? CLI_OK : CLI_BAD_ARGUMENTS;
}

static bool is_dir(const char *path)
{
	return kiln_fs_is_dir(AT_FDCWD, path);
}

/* A path for the verbs that look into it; false: it is none. */
static bool take_path(struct cli *c, const char *word)
{
	if (!c->verb || !(c->verb->needs & CLI_TAKES_PATH) || c->path)
		return false;
	if (!is_dir(word) && !kiln_fs_is_file(AT_FDCWD, word))
		return false;
	c->path = realpath(word, NULL);
	return c->path;
}

/* A word is a dkms.conf, a directory that holds one, or NAME[/VERSION], asked in this order as dkms does. */
static int parse_word(struct parser *p, const char *word)
{
	struct cli *c = p->c;

	if (take_path(c, word))
		return CLI_OK;
	if (kiln_fs_is_file(AT_FDCWD, word) && kiln_text_ends(word, "dkms.conf")) {
		_cleanup_(freep) char *dir = strdup(word);
		char *slash = dir ? strrchr(dir, '/') : NULL;

		if (slash)
			*slash = '\0';
		return take_source(c, slash ? (*dir ? dir : "/") : ".");
	}
	if (holds_conf(word))
		return take_source(c, word);
	if (kiln_fs_is_file(AT_FDCWD, word)) {
		cli_error("%s is not a dkms.conf, and archives are not supported by this version.", word);
		return CLI_BAD_ARGUMENTS;
	}
	if (!c->module)
		return set_module(c, word);
	cli_warning("nothing is known about the word \"%s\"; it is left out.", word);
	return CLI_OK;
}

/* DKMS_DIRECTIVE*=NAME=VALUE in the environment is --directive NAME=VALUE, for whoever cannot reach the options. */
static void take_environment(struct cli *c)
{
	for (char **e = environ; e && *e; e++) {
		const char *equals = strchr(*e, '=');

		if (equals && kiln_text_starts(*e, "DKMS_DIRECTIVE"))
			kiln_strv_add(&c->directives, equals + 1);
	}
}

int cli_parse(struct cli *c, int argc, char **argv)
{
	struct parser p = { c, argv, argc, 0 };
	int status = CLI_OK;

	take_environment(c);
	for (p.i = 1; p.i < argc && !status && !c->help && !c->show_version; p.i++) {
		const char *word = argv[p.i];
		const struct cli_verb *verb = cli_verb_find(word);

		if (verb && c->verb) {
			cli_error("Two verbs, %s and %s: give one.", c->verb->name, verb->name);
			return CLI_TWO_VERBS;
		}
		if (verb)
			c->verb = verb;
		else if (word[0] == '-')
			status = parse_option(&p, word);
		else
			status = parse_word(&p, word);
	}
	return status;
}

void cli_done(struct cli *c)
{
	free(c->module);
	free(c->version);
	free(c->source);
	free(c->template_kernel);
	free(c->path);
	free(c->targets);
	kiln_strv_free(&c->kernels);
	kiln_strv_free(&c->archs);
	kiln_strv_free(&c->directives);
	kiln_strv_free(&c->words);
	kiln_ctx_free(c->ctx);
}
