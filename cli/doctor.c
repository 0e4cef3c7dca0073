/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms doctor: says what is broken and, asked to, has it mended. */
#include "cli/cli.h"

#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/kiln-repair.h"

static int fail(struct kiln_err *err)
{
	cli_error("%s", kiln_err_text(err));
	return CLI_DOCTOR_HELPLESS;
}

static void say(const struct kiln_ailments *f)
{
	for (size_t i = 0; i < kiln_ailments_count(f); i++) {
		struct kiln_ailment x = kiln_ailments_get(f, i);

		cli_say("%s: %s.\n    %s: %s.", x.path, x.what, x.curable ? "--repair" : "By hand", x.help);
	}
}

/* What is left in the end decides, whatever was done. */
int cli_doctor(struct cli *c)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	_cleanup_(kiln_ailments_freep) struct kiln_ailments *found = NULL, *left = NULL;
	bool repair = c->repair && !c->dry_run;
	size_t n, still;

	if (repair && geteuid()) {
		cli_error("dkms doctor --repair needs root.");
		return CLI_NEEDS_ROOT;
	}
	if (kiln_doctor_look(c->ctx, &found, &err) < 0)
		return fail(&err);
	n = kiln_ailments_count(found);
	say(found);
	if (!repair || !n) {
		cli_say(n ? "%zu found; \"dkms doctor --repair\" mends what it can." : "Nothing is broken.", n);
		return n ? CLI_DOCTOR_FOUND : CLI_OK;
	}
	if (kiln_doctor_mend(c->ctx, found, cli_progress, c, &err) < 0 || kiln_doctor_look(c->ctx, &left, &err) < 0)
		return fail(&err);
	still = kiln_ailments_count(left);
	cli_say("%zu found, %zu left%s", n, still, still ? ":" : ".");
	say(left);
	return still ? CLI_DOCTOR_FOUND : CLI_OK;
}
