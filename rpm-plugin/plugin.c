/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hooks of rpm.  They only watch: the elements of a transaction are scanned
 * before it starts; what a package is about to take away is undone before its
 * files go, and after its %preun, which may look at it, and may refuse; everything
 * else waits for one barrier, which stands before the
 * first scriptlet that runs after all packages are in place (that is where the
 * initramfs is made), or else at the end.  No hook ever fails: a transaction is
 * never worse off for having this plugin.
 */
#include <string.h>
#include <unistd.h>

#include <rpm/header.h>
#include <rpm/rpmte.h>
#include <rpm/rpmts.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"

#include "rpm-plugin/child.h"
#include "rpm-plugin/facts-rpm.h"
#include "rpm-plugin/hand-over.h"
#include "rpm-plugin/report-rpm.h"
#include "rpm-plugin/rpmhooks.h"

#define OFF_SWITCH "/etc/dkms/no-rpm-plugin"

/* One per rpmts: a process can have several. */
struct session {
	struct kiln_rpm_place place;
	struct kiln_rpm_items items; /* empty: this transaction is none of our business */
	rpmte going;                 /* is being removed, and its %preun has still to come; borrowed */
	bool no_preun;               /* this transaction runs none */
	bool looked;                 /* items are all that there is */
	bool scriptlets;             /* some have been run that may have left their work to us */
	bool done;                   /* the barrier is behind us */
};

/* Scriptlets that rpm runs once all packages are in place. */
static const char *const after_packages[] = {
	"%posttrans(", "%postuntrans(", "%transfiletriggerin(", "%transfiletriggerpostun(",
};

static void session_reset(struct session *s)
{
	kiln_rpm_place_close(&s->place);
	kiln_rpm_items_free(&s->items);
	s->going = NULL;
	s->looked = s->scriptlets = s->done = false;
}

static bool switched_off(rpmPlugin plugin, rpmts ts)
{
	_cleanup_(kiln_strv_free) struct kiln_strv options = KILN_STRV_INIT;
	_cleanup_(freep) char *there = kiln_strf("%s%s", rpmtsRootDir(ts) ?: "", OFF_SWITCH);
	const char *text = rpmPluginOpts(plugin);

	if (text && kiln_text_split(text, " \t", &options) == 0 && kiln_strv_has(&options, "off"))
		return true;
	return access(OFF_SWITCH, F_OK) == 0 || (there && access(there, F_OK) == 0);
}

static rpmRC init(rpmPlugin plugin, rpmts ts)
{
	struct session *s;

	if (switched_off(plugin, ts))
		return RPMRC_NOTFOUND;
	s = calloc(1, sizeof(*s));
	if (!s)
		return RPMRC_NOTFOUND;
	s->place = (struct kiln_rpm_place)KILN_RPM_PLACE_INIT;
	kiln_rpm_place_note_root(&s->place);
	rpmPluginSetData(plugin, s);
	return RPMRC_OK;
}

/* Called even if init() did not like to stay. */
static void cleanup(rpmPlugin plugin)
{
	struct session *s = rpmPluginGetData(plugin);

	if (!s)
		return;
	session_reset(s);
	free(s);
	rpmPluginSetData(plugin, NULL);
}

/* dnf runs every transaction twice on one rpmts, the first time as a test. */
static rpmRC tsm_pre(rpmPlugin plugin, rpmts ts)
{
	struct session *s = rpmPluginGetData(plugin);
	int r;

	session_reset(s);
	if (rpmtsFlags(ts) & (RPMTRANS_FLAG_TEST | RPMTRANS_FLAG_JUSTDB))
		return RPMRC_OK;
	s->no_preun = rpmtsFlags(ts) & RPMTRANS_FLAG_NOPREUN;
	r = kiln_rpm_items_scan(&s->items, ts);
	if (r == 0 && s->items.n > 0)
		r = kiln_rpm_place_open(&s->place, rpmtsRootDir(ts));
	s->looked = true;
	if (r < 0) {
		kiln_rpm_say(RPMLOG_WARNING, "out of memory; kernel modules are not looked after");
		session_reset(s);
	}
	return RPMRC_OK;
}

/* Only while rpm works on the files of an element does it have a list of them. */
static bool has_files(rpmte te)
{
	rpmfiles files = rpmteFiles(te);

	rpmfilesFree(files);
	return files;
}

static bool has_preun(rpmte te)
{
	Header header = rpmteHeader(te);
	bool has = header && (headerIsEntry(header, RPMTAG_PREUN) || headerIsEntry(header, RPMTAG_PREUNPROG));

	headerFree(header);
	return has;
}

static void before_files_go(struct session *s, rpmte te)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = kiln_facts_new();

	if (facts && kiln_rpm_facts_before(&s->items, te, facts) == 0 && kiln_facts_count(facts) > 0)
		kiln_rpm_hand_over(&s->place, facts, true);
}

static rpmRC psm_pre(rpmPlugin plugin, rpmte te)
{
	struct session *s = rpmPluginGetData(plugin);

	if (s->items.n == 0 || s->done || !has_files(te))
		return RPMRC_OK;
	kiln_rpm_items_begin(&s->items, te);
	if (rpmteType(te) == TR_REMOVED && !s->no_preun && has_preun(te))
		s->going = te;
	else
		before_files_go(s, te);
	return RPMRC_OK;
}

static rpmRC psm_post(rpmPlugin plugin, rpmte te, int res)
{
	struct session *s = rpmPluginGetData(plugin);

	s->going = NULL;
	if (s->items.n > 0 && !s->done && has_files(te))
		kiln_rpm_items_end(&s->items, te, res == RPMRC_OK);
	return RPMRC_OK;
}

static void barrier(struct session *s)
{
	_cleanup_(kiln_facts_freep) struct kiln_facts *facts = NULL;

	if (s->items.n == 0 || s->done)
		return;
	s->done = true;
	facts = kiln_facts_new();
	if (facts && kiln_rpm_facts_after(&s->items, facts) == 0 && (kiln_facts_count(facts) > 0 || s->scriptlets))
		kiln_rpm_hand_over(&s->place, facts, false);
}

static rpmRC scriptlet_pre(rpmPlugin plugin, const char *name, int type)
{
	struct session *s = rpmPluginGetData(plugin);

	(void)type;
	for (size_t i = 0; i < ARRAY_SIZE(after_packages); i++)
		if (kiln_text_starts(name, after_packages[i]))
			barrier(s);
	s->scriptlets |= !s->done;
	return RPMRC_OK;
}

/* A %preun that fails keeps its package. */
static rpmRC scriptlet_post(rpmPlugin plugin, const char *name, int type, int res)
{
	struct session *s = rpmPluginGetData(plugin);

	(void)type;
	if (s->going && kiln_text_starts(name, "%preun(") && res == RPMRC_OK)
		before_files_go(s, TAKE_PTR(s->going));
	return RPMRC_OK;
}

/*
 * In the scriptlet's own process: before the barrier dkms may leave its work to
 * us; afterwards, and where there is none, the file triggers of this suite have
 * nothing to do.
 */
static rpmRC scriptlet_fork_post(rpmPlugin plugin, const char *path, int type)
{
	struct session *s = rpmPluginGetData(plugin);

	(void)path;
	(void)type;
	if (s->looked)
		kiln_rpm_child_mark(s->done || !s->items.n ? "DKMS_RPM_PLUGIN_DONE" : "DKMS_RPM_PLUGIN");
	return RPMRC_OK;
}

/*
 * A positive result is a count of problems: rpm has not touched a thing.  dnf
 * keeps rpm's log in a file that it reads when the next package is worked on,
 * and forgets what is said now; so for once the log goes to the terminal.
 */
static rpmRC tsm_post(rpmPlugin plugin, rpmts ts, int res)
{
	struct session *s = rpmPluginGetData(plugin);

	(void)ts;
	if (res <= 0) {
		FILE *kept = rpmlogSetFile(NULL);

		barrier(s);
		rpmlogSetFile(kept);
	}
	session_reset(s);
	return RPMRC_OK;
}

__attribute__((visibility("default"))) struct rpmPluginHooks_s dkms_hooks = {
	.init = init,
	.cleanup = cleanup,
	.tsm_pre = tsm_pre,
	.tsm_post = tsm_post,
	.psm_pre = psm_pre,
	.psm_post = psm_post,
	.scriptlet_pre = scriptlet_pre,
	.scriptlet_fork_post = scriptlet_fork_post,
	.scriptlet_post = scriptlet_post,
};
