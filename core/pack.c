/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packages out of a dkms.conf: from the wish to the file that makes its kind. */
#include "core/pack.h"

#include "core/base/buf.h"
#include "core/base/cleanup.h"

static const struct {
	int (*make)(struct kiln_pack *p, struct kiln_err *err);
	const char *folder; /* in the tree, as dkms 2.x had it */
} forms[] = {
	[KILN_PACKAGE_RPM] = { kiln_pack_rpm, "rpm" },
	[KILN_PACKAGE_DEB] = { kiln_pack_deb, "deb" },
	[KILN_PACKAGE_DSC] = { kiln_pack_deb, "dsc" },
	[KILN_PACKAGE_BMDEB] = { kiln_pack_kmods, "bmdeb" },
	[KILN_PACKAGE_KMOD] = { kiln_pack_kmods, "rpm" },
	[KILN_PACKAGE_KMP] = { kiln_pack_rpm, "rpm" },
};

int kiln_package_make(struct kiln_ctx *ctx, const struct kiln_package_wish *wish, struct kiln_strv *made,
		      struct kiln_err *err)
{
	_cleanup_(kiln_pack_close) struct kiln_pack p = { .work_dir = -1, .source = -1 };
	int r = kiln_pack_open(ctx, wish, &p, err);

	if (r < 0)
		return r;
	if (wish->form == KILN_PACKAGE_SPEC)
		return kiln_pack_spec(&p, made, err);
	if (wish->form == KILN_PACKAGE_DEBIAN)
		return kiln_pack_debian(&p, made, err);
	r = forms[wish->form].make(&p, err);
	return r < 0 ? r : kiln_pack_deliver(&p, made, err);
}

char *kiln_package_folder(struct kiln_ctx *ctx, struct kiln_mod mod, enum kiln_package_form form)
{
	return kiln_strf("%s/%s/%s/%s", ctx->settings.dkms_tree, mod.name, mod.version, forms[form].folder);
}
