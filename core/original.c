/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules that were there before ours and that are not ours: a kernel's own, an
 * administrator's, another package's.  They are archived as dkms does, in
 * <tree>/M/original_module/K/A with <file>.origin beside each, and given back
 * when ours goes.  One that ours wins over in depmod's order stays where its
 * package put it, and only a copy is archived.
 */
#include "core/placement.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"
#include "core/base/text.h"

#define ORDER_MAX (16 << 20)

/* ---- archiving ---- */

/* Content of <archived>.origin without its newline; *ret stays NULL: there is none. 0, -ENOMEM, -EIO. */
static int read_origin(const struct kiln_placement *p, const char *archived, char **ret)
{
	_cleanup_(freep) char *path = kiln_strf("%s.origin", archived), *text = NULL;
	int r = path ? kiln_fs_read(p->ctx->root, kiln_rel(path), 65536, &text, NULL) : -ENOMEM;

	if (r < 0)
		return r == -ENOMEM || r == -EIO ? r : 0;
	text[strcspn(text, "\n")] = '\0';
	*ret = TAKE_PTR(text);
	return 0;
}

static bool is_planned(const struct kiln_journal *j, const char *archived)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->lines[i].b && !strcmp(j->lines[i].b, archived))
			return true;
	return false;
}

/* Whether a name in the archive is that of an original from elsewhere: 1, 0, or as read_origin(). */
static int is_used(const struct kiln_placement *p, const struct kiln_journal *j,
		   const char *archived, const char *from)
{
	_cleanup_(freep) char *origin = NULL;
	int r;

	if (is_planned(j, archived))
		return 1;
	if (!kiln_fs_exists(p->ctx->root, kiln_rel(archived)))
		return 0;
	r = read_origin(p, archived, &origin);
	return r < 0 ? r : !origin || strcmp(origin, from) != 0;
}

/* foo.ko.xz, or for a second one foo.2.ko.xz, which dkms finds and restores just the same. */
static int archive_name(const struct kiln_placement *p, const struct kiln_journal *j,
			const char *from, char **ret)
{
	const char *file = strrchr(from, '/') + 1;
	const char *suffix = strstr(file, ".ko");
	_cleanup_(freep) char *name = kiln_strf("%s/%s", p->originals, file);
	int r;

	for (unsigned n = 2; name && (r = is_used(p, j, name, from)); n++) {
		if (r < 0)
			return r;
		free(name);
		name = kiln_strf("%s/%.*s.%u%s", p->originals, (int)(suffix - file), file, n,
				 suffix);
	}
	*ret = TAKE_PTR(name);
	return *ret ? 0 : -ENOMEM;
}

static int archive(const struct kiln_placement *p, const struct kiln_found *f, bool keep,
		   struct kiln_journal *j)
{
	_cleanup_(freep) char *to = NULL;
	int r = archive_name(p, j, f->path, &to);

	if (r < 0)
		return r;
	return kiln_journal_add(j, keep ? KILN_ACT_ARCHIVE_COPY : KILN_ACT_ARCHIVE, f->path, to,
				f->hash);
}

/*
 * What would be overwritten is copied, and the rename that follows replaces it
 * in one step: there is no moment without a module.
 */
int kiln_original_archive(const struct kiln_placement *p, const char *key, const char *dest,
			  struct kiln_journal *j, struct kiln_buf *notes)
{
	size_t rank = kiln_depmod_rank(&p->order, dest + strlen(p->dir) + 1);
	const struct kiln_found *stays = NULL;
	bool displaced = false;
	int r = 0;

	for (size_t i = 0; i < p->n_found && r >= 0; i++) {
		const struct kiln_found *f = &p->found[i];
		bool same = !strcmp(f->path, dest);

		if (f->ours || strcmp(f->name, key) != 0)
			continue;
		if (!same && rank < f->rank) {
			stays = stays ? stays : f;
			continue;
		}
		displaced = true;
		kiln_note(notes, "archived the original %s", f->path);
		r = archive(p, f, same, j);
	}
	if (r < 0 || displaced || !stays)
		return r;
	kiln_note(notes, "%s stays, ours comes first", stays->path);
	return archive(p, stays, true, j);
}

/* ---- giving back ---- */

/* Place of a module that an old dkms archived without .origin, from the kernel's own list. */
static char *origin_from_order(const struct kiln_placement *p, const char *file)
{
	_cleanup_(freep) char *path = kiln_strf("%s/modules.order", p->dir), *text = NULL;
	_cleanup_(freep) char *key = kiln_module_key(file);
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;

	if (!path || !key ||
	    kiln_fs_read(p->ctx->root, kiln_rel(path), ORDER_MAX, &text, NULL) < 0 ||
	    kiln_text_lines(text, &lines) < 0)
		return NULL;
	for (size_t i = 0; i < lines.n; i++) {
		const char *slash = strrchr(lines.v[i], '/');
		_cleanup_(freep) char *other = slash ? kiln_module_key(slash + 1) : NULL;

		if (other && !strcmp(other, key))
			return kiln_strf("%s/%.*s/%s", p->dir, (int)(slash - lines.v[i]),
					 lines.v[i], file);
	}
	return NULL;
}

/* Whether an origin is a module's place in this kernel's directory. */
static bool is_sound(const struct kiln_placement *p, const char *origin)
{
	return kiln_text_starts(origin, p->dir) && origin[strlen(p->dir)] == '/' &&
	       !strstr(origin, "/../");
}

static int add_restore(const struct kiln_placement *p, const char *archived, const char *origin,
		       struct kiln_journal *j, struct kiln_buf *notes)
{
	const struct kiln_found *f = kiln_placement_at(p, origin);
	const char *ours = f && f->ours && f->hash[0] ? f->hash : NULL;

	if (!f || f->ours)
		kiln_note(notes, "restored the original %s", origin);
	return kiln_journal_add(j, KILN_ACT_RESTORE, archived, origin, ours);
}

/*
 * The same module in the same directory, packed in another way: the kernel's
 * package was upgraded, and what is archived has no place any more.
 */
static const struct kiln_found *repacked(const struct kiln_placement *p, const char *key, const char *origin)
{
	size_t dir = (size_t)(strrchr(origin, '/') - origin) + 1;

	for (size_t i = 0; i < p->n_found; i++) {
		const struct kiln_found *f = &p->found[i];

		if (!f->ours && !strcmp(f->name, key) && !strncmp(f->path, origin, dir) && !strchr(f->path + dir, '/'))
			return f;
	}
	return NULL;
}

static int restore_one(const struct kiln_placement *p, const char *file,
		       const struct kiln_strv *except, struct kiln_journal *j,
		       struct kiln_buf *notes)
{
	_cleanup_(freep) char *archived = kiln_strf("%s/%s", p->originals, file);
	_cleanup_(freep) char *origin = NULL, *key = NULL;
	const struct kiln_found *there;
	int r = archived ? read_origin(p, archived, &origin) : -ENOMEM;

	if (r < 0)
		return r;
	if (!origin)
		origin = origin_from_order(p, file);
	if (!origin || !is_sound(p, origin)) {
		kiln_note(notes, "%s stays in the archive: where it came from is not known",
			  archived);
		return 0;
	}
	key = kiln_module_key(strrchr(origin, '/') + 1);
	if (except && key && kiln_strv_has(except, key))
		return 0;
	there = key ? repacked(p, key, origin) : NULL;
	return add_restore(p, archived, there ? there->path : origin, j, notes);
}

/* An .origin whose module, for certain, is not there any more. */
static bool is_stray(const struct kiln_placement *p, const char *file)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s", p->originals, file);
	char *suffix = path ? strrchr(path, '.') : NULL;
	struct stat st;

	if (!suffix || strcmp(suffix, ".origin") != 0)
		return false;
	*suffix = '\0';
	return fstatat(p->ctx->root, kiln_rel(path), &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Of an archive's names those that are modules: 1, 0, -EIO. */
static int is_module(const struct kiln_placement *p, const char *path)
{
	struct stat st;

	if (kiln_text_ends(path, ".origin"))
		return 0;
	if (fstatat(p->ctx->root, kiln_rel(path), &st, 0) < 0)
		return errno == EIO ? -errno : 0;
	return S_ISREG(st.st_mode);
}

int kiln_original_restore(const struct kiln_placement *p, const struct kiln_strv *except,
			  struct kiln_journal *j, struct kiln_buf *notes)
{
	_cleanup_(kiln_strv_free) struct kiln_strv files = KILN_STRV_INIT;
	int r = kiln_fs_list(p->ctx->root, kiln_rel(p->originals), &files);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < files.n && r >= 0; i++) {
		_cleanup_(freep) char *path = kiln_strf("%s/%s", p->originals, files.v[i]);

		if (!path)
			return -ENOMEM;
		r = is_module(p, path);
		if (r > 0)
			r = restore_one(p, files.v[i], except, j, notes);
		else if (r == 0 && is_stray(p, files.v[i]))
			r = kiln_journal_add(j, KILN_ACT_DELETE, path, NULL, NULL);
	}
	return r;
}
