/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entries: what is asked, what was answered, and how many of them there may be. */
#include "core/conf-cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "core/conf-eval.h"
#include "core/conf-shell.h"
#include "core/conf-world.h"
#include "core/sandbox.h"
#include "core/tree.h"

#define FIRST_LINE "modkiln-conf 1"
#define FOLDER "confs"

enum { LARGEST_ENTRY = 64 * 1024, MOST_ENTRIES = 256, LARGEST_SCRIPT_LINE = 128, LARGEST_SCRIPT = 1 << 20,
       LENGTH_OF_END = KILN_HASH_SIZE /* with its newline */ };

/* ---- the question ---- */

/* What bash makes up anew each time. */
static bool is_fickle(const char *text)
{
	static const char *const words[] = { "RANDOM", "EPOCH", "SECONDS", "BASHPID", "PPID", "$$", "%(" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

static void add_text(struct kiln_buf *b, const char *text)
{
	kiln_buf_add(b, text, strlen(text) + 1);
}

static void add_machine(struct kiln_ctx *ctx, struct kiln_buf *b)
{
	struct kiln_user user = kiln_user_find(ctx->root);
	struct kiln_conf_world world;
	struct utsname u;

	kiln_conf_world_of(ctx, &world);
	kiln_buf_addf(b, "%u %u %u %d %d", geteuid(), user.uid, user.gid, world.processors, world.online);
	if (uname(&u) < 0)
		return;
	add_text(b, u.nodename);
	add_text(b, u.release);
	add_text(b, u.version);
	add_text(b, u.machine);
}

/* What was not evaluated before, as something needs a shell already, was not looked at either. */
static int add_file(struct kiln_ctx *ctx, struct kiln_buf *b, const char *path, bool *fickle, struct kiln_err *err)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r = kiln_conf_text(ctx, path, &text, &len, err);

	if (r < 0)
		return r;
	if (strlen(text) != len)
		return kiln_fail(err, -KILN_E_CONF, "%s: has a NUL byte: this is no dkms.conf", path);
	*fickle |= is_fickle(text);
	kiln_buf_addf(b, "%zu", len);
	kiln_buf_add(b, text, len);
	return 0;
}

int kiln_conf_question_begin(struct kiln_ctx *ctx, struct kiln_conf_question *q, struct kiln_err *err)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	bool fickle = !ctx->state_dir; /* of a tool: nothing is kept */
	int r = 0;

	q->key[0] = '\0';
	clock_gettime(CLOCK_REALTIME, &q->since);
	add_text(&b, FIRST_LINE);
	add_machine(ctx, &b);
	for (size_t i = 0; i < q->argv->n; i++)
		add_text(&b, q->argv->v[i]);
	for (size_t i = 0; i < q->paths->n && r == 0; i++)
		r = add_file(ctx, &b, q->paths->v[i], &fickle, err);
	if (r == 0 && !fickle && kiln_buf_ok(&b))
		kiln_hash_bytes(b.data, b.len, q->key);
	return r;
}

/* ---- finding an entry ---- */

static char *path_of(struct kiln_ctx *ctx, const char *key)
{
	_cleanup_(freep) char *dir = kiln_state_path(ctx, FOLDER);

	return dir ? kiln_strf("%s/%s", dir, key) : NULL;
}

/* "WORD REST": *line moves on to the rest; NULL: there is no blank. */
static char *take_word(char **line)
{
	char *word = *line, *blank = strchr(word, ' ');

	if (!blank)
		return NULL;
	*blank = '\0';
	*line = blank + 1;
	return word;
}

static bool still_looks(char *line, bool opened)
{
	const char *look = take_word(&line);
	_cleanup_(freep) char *now = NULL;

	if (!look)
		return false;
	kiln_text_unquote(line);
	now = kiln_conf_look(line, opened);
	return now && !strcmp(now, look);
}

static bool take_variable(char *line, struct kiln_vars *vars)
{
	const char *name = take_word(&line), *number = name ? take_word(&line) : NULL;
	unsigned long index;

	if (!number || !kiln_conf_accepts(name) || !kiln_text_number(number, 9999999, &index))
		return false;
	kiln_text_unquote(line);
	return kiln_shell_take(vars, name, index, line) == 0;
}

static bool take_line(const char *key, char *line, struct kiln_vars *vars)
{
	if (!strcmp(key, "var"))
		return take_variable(line, vars);
	return (!strcmp(key, "look") || !strcmp(key, "open")) && still_looks(line, !strcmp(key, "open"));
}

static bool take_entry(const struct kiln_strv *lines, struct kiln_vars *vars)
{
	if (!lines->n || strcmp(lines->v[0], FIRST_LINE))
		return false;
	for (size_t i = 1; i < lines->n; i++) {
		char *line = lines->v[i];
		const char *key = take_word(&line);

		if (!key || !take_line(key, line, vars))
			return false;
	}
	return true;
}

/* A last line, which goes, has the hash of all before it. */
static bool is_whole(char *text, size_t len)
{
	size_t n = len > LENGTH_OF_END ? len - LENGTH_OF_END : 0;
	char sum[KILN_HASH_SIZE];

	kiln_hash_bytes(text, n, sum);
	if (!n || strncmp(text + n, sum, KILN_HASH_SIZE - 1))
		return false;
	text[n] = '\0';
	return true;
}

/* What others can write to says nothing. */
static bool is_ours(struct kiln_ctx *ctx, const char *path)
{
	struct stat st;

	return fstatat(ctx->root, kiln_rel(path), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022);
}

bool kiln_conf_cache_find(struct kiln_ctx *ctx, const struct kiln_conf_question *q,
			  struct kiln_vars *vars)
{
	_cleanup_(freep) char *path = q->key[0] ? path_of(ctx, q->key) : NULL, *text = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(kiln_vars_free) struct kiln_vars found = { 0 };
	size_t len;

	if (!path || !is_ours(ctx, path) ||
	    kiln_fs_read(ctx->root, kiln_rel(path), LARGEST_ENTRY, &text, &len) < 0 ||
	    !is_whole(text, len) || kiln_text_lines(text, &lines) < 0 || !take_entry(&lines, &found))
		return false;
	return kiln_vars_copy(vars, &found) == 0;
}

/* ---- making one ---- */

struct entry {
	struct kiln_ctx *ctx;
	const struct kiln_conf_question *q;
	struct kiln_buf text;
	bool good;
};

/* The text of these is part of the question. */
static bool is_asked_for(const struct entry *e, const char *path)
{
	const char *inside = kiln_text_starts(path, e->ctx->root_path) ?
				     path + strlen(e->ctx->root_path) : path;

	return kiln_strv_has(e->q->paths, inside);
}

/* What is sourced may ask for chance and time as well; the system's own scripts are taken to know better. */
static bool may_be_fickle(const char *path)
{
	static const char *const system[] = { "/bin/", "/sbin/", "/usr/bin/", "/usr/lib", "/usr/sbin/", "/usr/share/" };
	_cleanup_(freep) char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(system); i++)
		if (kiln_text_starts(path, system[i]))
			return false;
	return kiln_fs_read(AT_FDCWD, path, LARGEST_SCRIPT, &text, NULL) == 0 && is_fickle(text);
}

static void add_look(struct entry *e, const char *path, bool opened)
{
	_cleanup_(freep) char *look = NULL, *quoted = NULL;

	e->good = e->good && kiln_conf_look_holds(path, opened, e->q->since) &&
		  !(opened && may_be_fickle(path));
	if (!e->good || is_asked_for(e, path))
		return;
	look = kiln_conf_look(path, opened);
	quoted = kiln_text_quote(path);
	e->good = look && quoted;
	if (e->good)
		kiln_buf_addf(&e->text, "%s %s %s\n", opened ? "open" : "look", look, quoted);
}

/* The kernel opens it, and so nobody is told. */
static void add_interpreter(struct entry *e, const char *path)
{
	_cleanup_(closep) int fd = access(path, X_OK) == 0 ? kiln_fs_open_file(AT_FDCWD, path, 0) : -1;
	char line[LARGEST_SCRIPT_LINE + 1], *name;
	ssize_t n = fd < 0 ? 0 : read(fd, line, LARGEST_SCRIPT_LINE);

	line[n < 0 ? 0 : n] = '\0';
	if (!kiln_text_starts(line, "#!"))
		return;
	name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t\r\n")] = '\0';
	if (name[0] == '/')
		add_look(e, name, true);
}

static void add_looks(struct entry *e, const struct kiln_watch *watch, const char *empty)
{
	const char *path;
	bool opened;
	size_t at = 0;

	while (e->good && (path = kiln_watch_next(watch, &at, &opened))) {
		if (empty && kiln_text_starts(path, empty))
			continue;
		add_look(e, path, opened);
		add_interpreter(e, path);
		e->good = e->good && e->text.len < LARGEST_ENTRY;
	}
}

static void add_variables(struct entry *e, const struct kiln_vars *vars)
{
	for (size_t i = 0; i < vars->n && e->good; i++) {
		_cleanup_(freep) char *quoted = kiln_text_quote(vars->v[i].value);

		e->good = quoted;
		if (quoted)
			kiln_buf_addf(&e->text, "var %s %zu %s\n", vars->v[i].name, vars->v[i].index, quoted);
	}
}

struct kept {
	const char *name;
	struct timespec made;
};

static int compare_ages(const void *a, const void *b)
{
	const struct timespec x = ((const struct kept *)a)->made, y = ((const struct kept *)b)->made;

	return x.tv_sec != y.tv_sec ? (x.tv_sec > y.tv_sec) - (x.tv_sec < y.tv_sec) :
				      (x.tv_nsec > y.tv_nsec) - (x.tv_nsec < y.tv_nsec);
}

/* A quarter at a time, the oldest first; also of what a run that was killed left. */
static void make_room(int dir)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;
	_cleanup_(freep) struct kept *all = NULL;
	struct stat st;

	if (kiln_fs_list(dir, ".", &names) < 0 || names.n < MOST_ENTRIES)
		return;
	all = calloc(names.n, sizeof(*all));
	for (size_t i = 0; all && i < names.n; i++) {
		all[i].name = names.v[i];
		if (fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			all[i].made = st.st_mtim;
	}
	if (all)
		qsort(all, names.n, sizeof(*all), compare_ages);
	for (size_t i = 0; all && i < names.n - MOST_ENTRIES * 3 / 4; i++)
		kiln_fs_unlink(dir, all[i].name);
}

void kiln_conf_cache_keep(struct kiln_ctx *ctx, const struct kiln_conf_question *q,
			  const struct kiln_watch *watch, const char *empty,
			  const struct kiln_vars *vars)
{
	_cleanup_(freep) char *folder = kiln_state_path(ctx, FOLDER);
	struct entry e = { .ctx = ctx, .q = q, .text = KILN_BUF_INIT };
	_cleanup_(closep) int dir = -1;
	char sum[KILN_HASH_SIZE];

	e.good = q->key[0] && folder && kiln_watch_is_complete(watch);
	kiln_buf_adds(&e.text, FIRST_LINE "\n");
	add_looks(&e, watch, empty);
	add_variables(&e, vars);
	kiln_hash_bytes(kiln_buf_str(&e.text), e.text.len, sum);
	kiln_buf_addf(&e.text, "%s\n", sum);
	if (e.good && kiln_buf_ok(&e.text) && e.text.len <= LARGEST_ENTRY)
		dir = kiln_fs_open_new_dir(ctx->root, kiln_rel(folder), 0755);
	if (dir >= 0) {
		make_room(dir);
		kiln_fs_replace(dir, q->key, e.text.data, e.text.len, 0644);
	}
	kiln_buf_free(&e.text);
}
