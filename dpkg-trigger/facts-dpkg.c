/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dpkg's view, told as facts.  The trigger itself says nothing but "something
 * below /usr/src changed": what was unpacked, and what was left half-way, only
 * the database knows.
 */
#include "dpkg-trigger/facts-dpkg.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

#include "dpkg-trigger/packages.h"
#include "dpkg-trigger/script.h"

/* ---- the operation ---- */

/*
 * By what dpkg called the script with.  A package that is deconfigured keeps
 * its files, and is configured again later: for us that is an upgrade.
 */
static enum kiln_dpkg_operation by_argument(const char *script)
{
	_cleanup_(freep) char *word = kiln_dpkg_script_argument(script);

	if (word && (!strcmp(word, "upgrade") || !strcmp(word, "failed-upgrade") || !strcmp(word, "deconfigure")))
		return KILN_DPKG_UPGRADE;
	return KILN_DPKG_REMOVE;
}

enum kiln_dpkg_operation kiln_dpkg_operation(const char *package, const char *script)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	bool gone, unpacking;

	if (!package)
		return KILN_DPKG_NONE;
	if (!script || (strcmp(script, "prerm") && strcmp(script, "postrm")))
		return KILN_DPKG_CONFIGURE;
	if (kiln_dpkg_wish(package, &gone, &unpacking, &err) < 0)
		return by_argument(script);
	if (gone)
		return KILN_DPKG_REMOVE;
	if (unpacking)
		return KILN_DPKG_UPGRADE;
	return by_argument(script); /* out of the way of another package: for a moment, or for good? */
}

const char *kiln_dpkg_operation_name(enum kiln_dpkg_operation op)
{
	switch (op) {
	case KILN_DPKG_CONFIGURE:
		return "configure";
	case KILN_DPKG_UPGRADE:
		return "upgrade";
	case KILN_DPKG_REMOVE:
		return "remove";
	case KILN_DPKG_NONE:
		break;
	}
	return "none";
}

/* ---- packages on their way ---- */

static int add_arriving(struct kiln_ctx *ctx, struct kiln_facts *facts, const char *dir)
{
	_cleanup_(freep) char *name = NULL, *version = NULL;

	if (kiln_source_identify(ctx, dir, &name, &version, NULL) < 0)
		return 0; /* its own postinst will say what is wrong with it */
	return kiln_facts_source(facts, KILN_FACT_SOURCE_ADDED, (struct kiln_mod){ name, version });
}

static int add_unsettled(struct kiln_facts *facts, const struct kiln_strv *dirs, struct kiln_mod mod)
{
	_cleanup_(freep) char *dir = kiln_strf("/usr/src/%s-%s", mod.name, mod.version);

	if (!dir)
		return -ENOMEM;
	return kiln_strv_has(dirs, dir) ? kiln_facts_source(facts, KILN_FACT_SOURCE_UNSETTLED, mod) : 0;
}

/*
 * A source that is only half there may lack its dkms.conf: which module it is,
 * the tree has to say.  One that the tree does not know is not built anyway.
 */
static int add_all_unsettled(struct kiln_ctx *ctx, struct kiln_facts *facts, const struct kiln_strv *dirs,
			     struct kiln_err *err)
{
	_cleanup_(kiln_state_freep) struct kiln_state *state = NULL;
	_cleanup_(freep) struct kiln_row *rows = NULL;
	size_t n = 0;
	int r;

	r = kiln_state_load(ctx, NULL, &state, err);
	if (r >= 0)
		r = kiln_state_rows(ctx, state, (struct kiln_mod){ NULL, NULL }, (struct kiln_kern){ NULL, NULL }, &rows, &n);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = add_unsettled(facts, dirs, rows[i].mod);
	return r;
}

int kiln_dpkg_facts(struct kiln_ctx *ctx, struct kiln_facts *facts, struct kiln_err *err)
{
	_cleanup_(kiln_dpkg_moving_done) struct kiln_dpkg_moving moving;
	int r;

	r = kiln_dpkg_moving_load(&moving, err);
	for (size_t i = 0; i < moving.arriving.n && r >= 0; i++)
		r = add_arriving(ctx, facts, moving.arriving.v[i]);
	if (moving.unsettled.n && r >= 0)
		r = add_all_unsettled(ctx, facts, &moving.unsettled, err);
	for (size_t i = 0; i < moving.kernels.n && r >= 0; i++) {
		struct kiln_kern kern = { moving.kernels.v[i], kiln_ctx_arch(ctx) };

		r = kiln_facts_kernel(facts, KILN_FACT_KERNEL_UNSETTLED, kern);
	}
	return r;
}
