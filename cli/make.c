/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The make that builds find first in their PATH.  It leaves out an -j of the
 * module's own, wherever that is written, and becomes the real make, which then
 * works with the tokens of the whole run.  -j1 stays: it says that the module
 * cannot be built in parallel.  Nothing is read, and no process is added.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/kiln.h"

#define JOBSERVER "--jobserver-auth="
/* make 4.4 to the commands of a recipe that does not start a make by its own name, whose pipes it closes. */
#define JOBSERVER_CLOSED JOBSERVER "-2,-2"

/* ---- the command line, as GNU make reads it ---- */

static bool is_number(const char *s)
{
	return s && *s && !s[strspn(s, "0123456789")];
}

/* Long options whose argument may be the next word. */
static bool takes_word(const char *option)
{
	static const char *const names[] = {
		"--directory", "--file",     "--makefile", "--include-dir", "--old-file", "--assume-old",
		"--new-file",  "--assume-new", "--what-if",  "--eval",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(option, names[i]))
			return true;
	return false;
}

/* One word and what belongs to it. */
struct option {
	char *word;       /* cut where -j stood; NULL: nothing is left of it */
	bool with_next;   /* the next word is its argument, */
	bool drop_next;   /* and goes with it */
	bool serial;      /* -j1 */
};

static struct option jobs(char *word, char *at, char *value, const char *next)
{
	bool apart = !*value && is_number(next);
	const char *n = apart ? next : value;

	if (!strcmp(n, "1"))
		return (struct option){ word, apart, false, true };
	*at = '\0';
	return (struct option){ !strcmp(word, "-") || !*word ? NULL : word, apart, apart, false };
}

static struct option read_long(char *word, const char *next)
{
	if (!strcmp(word, "--jobs"))
		return jobs(word, word, word + strlen(word), next);
	if (!strncmp(word, "--jobs=", strlen("--jobs=")))
		return jobs(word, word, word + strlen("--jobs="), NULL);
	return (struct option){ word, takes_word(word), false, false };
}

static struct option read_short(char *word, const char *next)
{
	for (char *at = word + 1; *at; at++) {
		if (*at == 'j')
			return jobs(word, at, at + 1, next);
		if (strchr("CfIoWE", *at)) /* the rest is its argument */
			return (struct option){ word, !at[1], false, false };
		if (strchr("lO", *at))
			break;
	}
	return (struct option){ word, false, false, false };
}

/* Whether one job at a time was asked for. */
static bool tame_arguments(char **argv)
{
	char **to = argv + 1, **from = argv + 1;
	bool serial = false;

	while (*from && strcmp(*from, "--")) {
		struct option o = { *from, false, false, false };

		if (!strncmp(*from, "--", 2))
			o = read_long(*from, from[1]);
		else if (**from == '-')
			o = read_short(*from, from[1]);
		serial = serial || o.serial;
		from++;
		if (o.word)
			*to++ = o.word;
		if (o.with_next && *from && o.drop_next)
			from++;
		else if (o.with_next && *from)
			*to++ = *from++;
	}
	while (*from)
		*to++ = *from++;
	*to = NULL;
	return serial;
}

/* ---- MAKEFLAGS ---- */

static bool is_jobs(const char *word, size_t n)
{
	return (n >= 2 && !strncmp(word, "-j", 2) && (n == 2 || isdigit((unsigned char)word[2]))) ||
	       (n >= 6 && !strncmp(word, "--jobs", 6) && (n == 6 || word[6] == '=')) ||
	       !strncmp(word, JOBSERVER, strlen(JOBSERVER));
}

/* Blanks in place of the options that ask for jobs; behind "--" there are variables. */
static void blank_jobs(char *flags)
{
	for (char *p = flags; *p;) {
		size_t n = strcspn(p, " ");

		if (n == 2 && !strncmp(p, "--", 2))
			return;
		if (is_jobs(p, n))
			memset(p, ' ', n);
		p += n;
		p += strspn(p, " ");
	}
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* By number: a configure script opens its log as 5, for instance. */
static bool is_open(const char *flags)
{
	const char *auth = strstr(flags, JOBSERVER);
	int take, give;

	return auth && sscanf(auth + strlen(JOBSERVER), "%d,%d", &take, &give) == 2 && is_pipe(take) && is_pipe(give);
}

/*
 * Cut off from the tokens, it has one job.  With dkms it would find the fifo of
 * make 4.4 and say nothing: the warning has been seen in a header that a module's
 * configure script writes from what its makes say (ipt-netflow).
 */
static bool mend_closed(char *flags)
{
	if (!strstr(flags, JOBSERVER_CLOSED))
		return false;
	blank_jobs(flags);
	setenv("MAKEFLAGS", flags, 1);
	return true;
}

/* Flags of a conf, or none, in place of ours: our jobserver comes behind a first word of bare letters. */
static void mend_flags(const char *ours)
{
	const char *flags = getenv("MAKEFLAGS");
	_cleanup_(freep) char *mine = strdup(flags ? flags : ""), *both = NULL;
	size_t letters;

	if (!mine || mend_closed(mine) || strstr(mine, JOBSERVER) || !is_open(ours))
		return;
	blank_jobs(mine);
	letters = strcspn(mine, " ");
	if (*mine == '-' || memchr(mine, '=', letters))
		letters = 0;
	if (asprintf(&both, "%.*s%s %s", (int)letters, mine, ours, mine + letters) >= 0)
		setenv("MAKEFLAGS", both, 1);
}

/* ---- the real make ---- */

static bool is_me(const struct stat *st)
{
	const char *path = (const char *)getauxval(AT_EXECFN);
	struct stat me;

	return path && !stat(path, &me) && me.st_dev == st->st_dev && me.st_ino == st->st_ino;
}

static void become(const char *dir, size_t n, char **argv)
{
	_cleanup_(freep) char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%.*s/make", (int)n, n ? dir : ".") < 0) {
		path = NULL;
		return;
	}
	if (!stat(path, &st) && S_ISREG(st.st_mode) && !is_me(&st))
		execv(path, argv);
}

int main(int argc, char **argv)
{
	const char *ours = getenv(KILN_MAKE_JOBS), *path = getenv("PATH");

	if (argc > 0 && ours && !tame_arguments(argv))
		mend_flags(ours);
	for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
		size_t n = strcspn(p, ":");

		become(p, n, argv);
		p += n + (p[n] == ':');
	}
	fprintf(stderr, "make: cannot be run: %s\n", strerror(errno ? errno : ENOENT));
	return 127;
}
