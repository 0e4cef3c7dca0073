/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms generate_mok: the key that modules are signed with, made if there is none, and what remains to be done with it. */
#include "cli/cli.h"

#include "core/base/cleanup.h"

static int say_key(const struct kiln_signing *s)
{
	if (s->why_not) {
		cli_error("It cannot be used: %s.", s->why_not);
		return CLI_BAD_ARGUMENTS;
	}
	cli_say("It is \"%s\", SHA-1 %s.", s->signer, s->fingerprint);
	if (s->trust == KILN_TRUSTED)
		cli_say("This machine trusts it.");
	else if (s->advice)
		cli_say("%s.", s->advice);
	return CLI_OK;
}

int cli_generate_mok(struct cli *c)
{
	_cleanup_(kiln_signing_done) struct kiln_signing s = { 0 };
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = c->dry_run ? kiln_mok_check(c->ctx, &err) : kiln_mok_make(c->ctx, &err);
	bool would = c->dry_run && r > 0;

	if (r >= 0)
		r = kiln_signing_load(c->ctx, kiln_ctx_running(c->ctx), &s, &err);
	if (r < 0) {
		cli_error("%s", kiln_err_text(&err));
		return kiln_code_status(r);
	}
	cli_say("Signing key%s: %s", would ? " that would be made" : "", s.key);
	cli_say("Public certificate (MOK): %s", s.certificate);
	return would ? CLI_OK : say_key(&s);
}
