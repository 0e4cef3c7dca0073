/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line as dkms 3.2 reads it: options and words in any order, long
 * options by their beginning (--modulefoo is --module), values as --opt=value
 * or --opt value, short options without a joined value.
 */
#include "cli/options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

struct parser {
	struct cli *c;
	char **argv;
	int argc, i;
	bool named; /* a word has named a module or a directory: the next one is a further one */
};

/* ---- options ---- */

static bool names(const struct cli_option *row, const char *word, const char **value)
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

/* As dkms reads a value: its first line, without blanks around it. */
static int set_value(struct cli *c, const struct cli_option *row, const char *value)
{
	const char *from = value + strspn(value, " \t");
	size_t n = strcspn(from, "\n");
	_cleanup_(freep) char *line = NULL;

	while (n && strchr(" \t", from[n - 1]))
		n--;
	line = strndup(from, n);
	return line ? row->set(c, line) : CLI_BAD_ARGUMENTS;
}

static int parse_option(struct parser *p, const char *word)
{
	const char *value;
	size_t n;
	const struct cli_option *table = cli_options(&n);

	for (size_t i = 0; i < n; i++) {
		if (!names(&table[i], word, &value))
			continue;
		if (!table[i].value)
			return table[i].set(p->c, NULL);
		if (!value && p->i + 1 >= p->argc) {
			cli_error("%s needs a value.", word);
			return CLI_UNKNOWN_OPTION;
		}
		return set_value(p->c, &table[i], value ? value : p->argv[++p->i]);
	}
	cli_error("Unknown option: %s. \"dkms --help\" lists them.", word);
	return CLI_UNKNOWN_OPTION;
}

/* ---- words ---- */

static bool holds_conf(const char *dir)
{
	_cleanup_(freep) char *conf = kiln_strf("%s/dkms.conf", dir);

	return conf && kiln_fs_is_file(AT_FDCWD, conf);
}

static int take_more(struct cli *c, const char *word)
{
	return kiln_strv_add(&c->more, word) < 0 ? CLI_BAD_ARGUMENTS : CLI_OK;
}

/* Over what -m says, as in dkms. */
static int take_source(struct parser *p, const char *path)
{
	_cleanup_(freep) char *full = realpath(path, NULL);

	if (!full)
		return CLI_BAD_ARGUMENTS;
	if (p->named)
		return take_more(p->c, full);
	p->named = true;
	p->c->source = TAKE_PTR(full);
	return CLI_OK;
}

/* After -m a word that names a module is a further one, too. */
static int take_module(struct parser *p, const char *word)
{
	if (p->named || p->c->module)
		return take_more(p->c, word);
	p->named = true;
	return cli_set_module(p->c, word);
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

/* Any other file is an archive. */
static int take_archive(struct cli *c, const char *word)
{
	if (c->archive)
		cli_warning("two archives, %s and %s: the second one counts.", c->archive, word);
	if (kiln_strv_add(&c->words, word) < 0)
		return CLI_BAD_ARGUMENTS;
	c->archive = c->words.v[c->words.n - 1];
	return CLI_OK;
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
		return take_source(p, slash ? (*dir ? dir : "/") : ".");
	}
	if (holds_conf(word))
		return take_source(p, word);
	if (kiln_fs_is_file(AT_FDCWD, word))
		return take_archive(c, word);
	return take_module(p, word);
}

/* A name alone means mktarball's own directory; whatever else is typed is seen from here. */
static int settle_archive(struct cli *c)
{
	_cleanup_(freep) char *here = NULL;

	if (!c->archive || c->archive[0] == '/')
		return CLI_OK;
	if (c->verb && c->verb->run == cli_mktarball && !strchr(c->archive, '/'))
		return CLI_OK;
	here = get_current_dir_name();
	if (!here || kiln_strv_addf(&c->words, "%s/%s", here, c->archive) < 0)
		return CLI_BAD_ARGUMENTS;
	c->archive = c->words.v[c->words.n - 1];
	return CLI_OK;
}

/* A second word without a version says nothing to dkms but where it lists; it goes on without it, and so does this. */
static void drop_unknown(struct cli *c)
{
	unsigned needs = c->verb ? c->verb->needs : 0;

	for (size_t i = 0; i < c->more.n;) {
		if (needs & CLI_SEVERAL && (needs & CLI_READS || strchr(c->more.v[i], '/'))) {
			i++;
			continue;
		}
		if (c->verb)
			cli_warning("nothing is known about the word \"%s\"; it is left out.", c->more.v[i]);
		kiln_strv_remove(&c->more, i);
	}
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
	struct parser p = { c, argv, argc, 0, false };
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
	if (!status)
		drop_unknown(c);
	return status ? status : settle_archive(c);
}

void cli_done(struct cli *c)
{
	free(c->module);
	free(c->version);
	free(c->source);
	free(c->template_kernel);
	free(c->path);
	free(c->targets);
	cli_mods_free(c);
	kiln_state_free(c->seen);
	kiln_strv_free(&c->more);
	kiln_strv_free(&c->kernels);
	kiln_strv_free(&c->archs);
	kiln_strv_free(&c->directives);
	kiln_strv_free(&c->disk.releases);
	kiln_strv_free(&c->words);
	kiln_ctx_free(c->ctx);
}
