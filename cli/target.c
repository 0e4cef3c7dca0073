/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kernels are meant: the same answer for every verb. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"

const struct kiln_state *cli_seen(struct cli *c, int *status)
{
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	int r = c->seen ? 0 : kiln_state_load(c->ctx, NULL, &c->seen, &err);

	*status = CLI_OK;
	if (r >= 0)
		return c->seen;
	cli_error("%s", kiln_err_text(&err));
	*status = kiln_code_status(r);
	return NULL;
}

static int add_target(struct cli *c, const char *release, const char *arch)
{
	struct kiln_kern *t = reallocarray(c->targets, c->n_targets + 1, sizeof(*t));

	if (!t)
		return CLI_BAD_ARGUMENTS;
	c->targets = t;
	t[c->n_targets++] = (struct kiln_kern){ release, arch };
	return CLI_OK;
}

/* The running kernel is meant only where it is installed: in a chroot or an image it is somebody else's. */
static int no_kernel(struct cli *c)
{
	_cleanup_(kiln_state_freep) struct kiln_state *s = NULL;
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) struct kiln_kern *kernels = NULL;
	size_t n = 0;

	if (kiln_state_load(c->ctx, NULL, &s, NULL) >= 0)
		kiln_state_kernels(s, &kernels, &n);
	for (size_t i = 0; i < n; i++)
		kiln_buf_addf(&b, "%s%s", i ? ", " : "", kernels[i].release);
	cli_error("The running kernel is not installed in this system: name one with -k. Installed: %s.",
		  n ? kiln_buf_str(&b) : "none");
	return CLI_NO_HEADERS;
}

static int default_target(struct cli *c)
{
	const char *arch = c->archs.n ? c->archs.v[0] : kiln_ctx_arch(c->ctx);
	const char *running = kiln_ctx_running(c->ctx);
	struct utsname u;

	if (running)
		return add_target(c, running, arch);
	if (!(c->verb->needs & CLI_KERNEL_MAY_BE_GONE))
		return no_kernel(c);
	if (uname(&u) < 0 || kiln_strv_add(&c->words, u.release) < 0)
		return CLI_BAD_ARGUMENTS;
	return add_target(c, c->words.v[c->words.n - 1], arch);
}

static const char *arch_of(const struct cli *c, size_t i)
{
	if (!c->archs.n)
		return kiln_ctx_arch(c->ctx);
	return c->archs.v[c->archs.n == 1 ? 0 : i];
}

/* -k all: every kernel that is installed, for an undoing verb every one that the module has something for. */
static int all_targets(struct cli *c)
{
	_cleanup_(freep) struct kiln_kern *kernels = NULL;
	const struct kiln_state *s;
	int status;
	size_t n;

	if (c->verb->needs & CLI_KERNEL_MAY_BE_GONE)
		return add_target(c, NULL, NULL);
	s = cli_seen(c, &status);
	if (!s)
		return status;
	if (kiln_state_targets(s, &kernels, &n) < 0)
		return CLI_BAD_ARGUMENTS;
	for (size_t i = 0; i < n && !status; i++)
		status = add_target(c, kernels[i].release, kernels[i].arch);
	if (!n)
		cli_error("No kernel is installed in this system.");
	return n ? status : CLI_NO_HEADERS;
}

int cli_targets(struct cli *c)
{
	int status = CLI_OK;

	if (c->all)
		return add_target(c, NULL, NULL);
	if (c->every_kernel)
		return all_targets(c);
	if (!c->kernels.n)
		return default_target(c);
	for (size_t i = 0; i < c->kernels.n && !status; i++) {
		if (!kiln_name_valid(c->kernels.v[i])) {
			cli_error("\"%s\" cannot be the release of a kernel.", c->kernels.v[i]);
			return *c->kernels.v[i] ? CLI_BAD_ARGUMENTS : CLI_EMPTY_KERNEL;
		}
		status = add_target(c, c->kernels.v[i], arch_of(c, i));
	}
	return status;
}
