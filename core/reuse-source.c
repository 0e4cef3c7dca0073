/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a driver's source can tell one kernel from another of equal headers.
 * It can only through the kernel's name, which a C file gets from a few macros
 * and a Makefile from KERNELRELEASE or a program that it runs.  What is not
 * known to be harmless is not: the module is built then.
 */
#include "core/reuse.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#define SOURCE_MAX (64 << 20)

/* ---- one file ---- */

static const char *const c_suffixes[] = { ".c", ".h", ".S", ".cc", ".cpp", ".hpp", ".inc", ".rs", NULL };
static const char *const make_suffixes[] = { ".mk", ".mak", ".inc", ".in", NULL };
static const char *const make_names[] = { "Makefile", "GNUmakefile", "makefile", "Kbuild", NULL };

/* Macros and headers that hold a kernel's name, version string or build. */
static const char *const c_names[] = {
	"UTS_RELEASE", "UTS_VERSION", "utsrelease.h", "utsversion.h", "LINUX_PACKAGE_ID", "generated/package.h",
	"generated/compile.h", "LINUX_COMPILE_", "BUILD_SALT", "KERNELRELEASE", NULL,
};

/* What a Makefile may say about the kernel's name without depending on it. */
static const char *const harmless[] = {
	"^[[:space:]]*(else[[:space:]]+)?ifn?eq[[:space:]]*\\([[:space:]]*\\$[({]KERNELRELEASE[)}][[:space:]]*,[[:space:]]*\\)",
	"^[[:space:]]*(else[[:space:]]+)?ifn?eq[[:space:]]*\\([[:space:]]*,[[:space:]]*\\$[({]KERNELRELEASE[)}][[:space:]]*\\)",
	"^[[:space:]]*(else[[:space:]]+)?ifn?def[[:space:]]+KERNELRELEASE",
	/* where the headers, or modules to be installed, are */
	"^[[:space:]]*(export[[:space:]]+|override[[:space:]]+)?[A-Za-z_]+[[:space:]]*[:?]*=[^`]*/lib/modules/\\$[({](KERNELRELEASE|shell uname -r)[)}][^`$]*$",
	"^[[:space:]]*(export[[:space:]]+|override[[:space:]]+)?[A-Za-z_]+[[:space:]]*[:?]*=[[:space:]]*\\$[({]shell[[:space:]]+(uname -[rm]|pwd|/bin/pwd|cat [A-Za-z0-9_.-]+)[)}][[:space:]]*$",
	/* recipes that only begin a build by hand, install, or clean up */
	"^\t.*(\\$[({]MAKE[)}]|make |depmod|modprobe|insmod|rmmod|install |rm |cp |mkdir )",
	NULL,
};

static const char *const make_questions[] = { "KERNELRELEASE", "shell", "`", "uname", "!=", NULL };

static bool contains_any(const char *s, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strstr(s, words[i]))
			return true;
	return false;
}

static bool ends_with_any(const char *s, const char *const *suffixes)
{
	for (size_t i = 0; suffixes[i]; i++)
		if (kiln_text_ends(s, suffixes[i]))
			return true;
	return false;
}

static bool is_makefile(const char *name)
{
	for (size_t i = 0; make_names[i]; i++)
		if (kiln_text_starts(name, make_names[i]))
			return true;
	return ends_with_any(name, make_suffixes);
}

/* Releases in branches that kbuild never takes are harmless, and cannot be told from others by a line. */
static bool line_asks(const char *line)
{
	const char *p = line + strspn(line, " \t");

	if (*p == '#' || !contains_any(line, make_questions))
		return false;
	for (size_t i = 0; harmless[i]; i++)
		if (kiln_text_matches(line, harmless[i]))
			return false;
	return true;
}

/* The first line of a Makefile that asks; 0: none. */
static long makefile_asks(const char *text)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;

	if (kiln_text_lines(text, &lines) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < lines.n; i++)
		if (line_asks(lines.v[i]))
			return (long)i + 1;
	return 0;
}

/* ---- the tree ---- */

struct search {
	const char *release;
	char *stem;
	char *found; /* the sentence */
};

static int found(struct search *s, char *sentence)
{
	s->found = sentence;
	return sentence ? 1 : -ENOMEM;
}

static int look(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct search *s = data;
	_cleanup_(freep) char *text = NULL;
	size_t n;
	long line;
	int r;

	if (!S_ISREG(st->st_mode))
		return 0;
	r = kiln_fs_read(dir, name, SOURCE_MAX, &text, &n);
	if (r < 0)
		return r;
	if (memmem(text, n, s->stem, strlen(s->stem)))
		return found(s, kiln_strf("%s names %s", path, s->stem));
	if (ends_with_any(name, c_suffixes) && contains_any(text, c_names))
		return found(s, kiln_strf("%s asks for the kernel's name or build", path));
	line = is_makefile(name) ? makefile_asks(text) : 0;
	if (line > 0)
		return found(s, kiln_strf("line %ld of %s may depend on the kernel's name", line, path));
	return (int)line;
}

int kiln_reuse_source_asks(int source, const char *release, char **ret)
{
	struct search s = { .release = release, .stem = kiln_release_stem(release) };
	int r = s.stem ? kiln_fs_walk(source, ".", look, &s) : -ENOMEM;

	free(s.stem);
	*ret = s.found;
	return r < 0 ? r : 0;
}

/* ---- the MAKE command ---- */

static bool is_assignment(const char *word)
{
	size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n && word[n] == '=';
}

bool kiln_reuse_make_is_plain(const char *make, const char *headers, const char *install_tree, const char *release)
{
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;
	_cleanup_(freep) char *usual = kiln_strf("%s/%s/build", install_tree, release);
	bool in_headers = false, of_module = false;

	if (!make)
		return true;
	if (!usual || make[strcspn(make, "'\"\\`$&|;<>()*?[]#~!{}\n")] || kiln_text_split(make, " \t", &words) < 0 ||
	    !words.n || strcmp(words.v[0], "make"))
		return false;
	for (size_t i = 1; i < words.n; i++) {
		const char *w = words.v[i];
		bool directory = !strcmp(w, "-C") && i + 1 < words.n;
		const char *at = directory ? words.v[++i] : kiln_text_starts(w, "-C") ? w + 2 : NULL;

		if (at && strcmp(at, headers) && strcmp(at, usual))
			return false;
		in_headers |= at != NULL;
		of_module |= kiln_text_starts(w, "M=") || kiln_text_starts(w, "SUBDIRS=");
		if (!at && !is_assignment(w) && !kiln_text_starts(w, "-j") && strcmp(w, "modules"))
			return false;
	}
	return in_headers && of_module;
}

/* ---- the log ---- */

/* Words that are paths or settings of make name the kernel in every build. */
static bool is_usual_in_log(const char *word)
{
	return strchr(word, '/') || is_assignment(word);
}

static bool line_names(const char *line, const char *stem)
{
	_cleanup_(kiln_strv_free) struct kiln_strv words = KILN_STRV_INIT;

	if (*line == '#' || kiln_text_starts(line, "DKMS") || !strstr(line, stem))
		return false;
	if (kiln_text_split(line, " \t", &words) < 0)
		return true;
	for (size_t i = 0; i < words.n; i++)
		if (strstr(words.v[i], stem) && !is_usual_in_log(words.v[i]))
			return true;
	return false;
}

bool kiln_reuse_log_names(const char *log, const char *release)
{
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *stem = kiln_release_stem(release);

	if (!stem || kiln_text_lines(log, &lines) < 0)
		return true;
	for (size_t i = 0; i < lines.n; i++)
		if (line_names(lines.v[i], stem))
			return true;
	return false;
}
