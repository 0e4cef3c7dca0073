/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer's way into the evaluator of dkms.conf: any text, with a machine on
 * which some files are there and one is the conf itself.  Whatever comes, it
 * must end, and soon, without touching memory that is not its own; run builds
 * and starts it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/conf-eval.h"

enum { MOST_SECONDS = 20 }; /* the most work there can be takes half a second; the sanitizers make ten of it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *self;
static size_t self_len;

static int give(const char *s, size_t n, char **text, size_t *len)
{
	*text = malloc(n + 1);
	if (!*text)
		return -ENOMEM;
	memcpy(*text, s, n);
	(*text)[n] = '\0';
	*len = n;
	return 0;
}

static int read_file(void *data, const char *path, char **text, size_t *len)
{
	static const char config[] = "#\nCONFIG_PCI=y\nCONFIG_USB=m\nCONFIG_X=\"a b\"\n";

	(void)data;
	if (strstr(path, "self"))
		return give(self, self_len, text, len);
	if (strstr(path, ".config"))
		return give(config, sizeof(config) - 1, text, len);
	return strstr(path, "loop") ? -ELOOP : -ENOENT;
}

static int look_at(void *data, const char *path, bool follow, struct kiln_conf_look *ret)
{
	(void)data;
	*ret = (struct kiln_conf_look){ .is_file = true, .is_link = !follow, .mode = 0644 };
	return strstr(path, "config") ? 0 : -ENOENT;
}

/* Of this process: how long it waits for a processor says nothing. */
static double seconds_used(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const double start = seconds_used();
	const struct kiln_conf_world world = {
		.read = read_file,
		.look = look_at,
		.processors = 4,
		.online = 8,
		.release = "6.1.0-9-amd64",
		.machine = "x86_64",
	};
	const struct kiln_conf_env env = {
		.kern = { "6.1.0-9-amd64", "x86_64" },
		.kernel_source_dir = "/k",
		.kernel_config = "/k/.config",
		.jobs = 4,
		.conf_path = "/self",
		.patient = size % 2,
		.world = &world,
	};
	struct kiln_vars vars = { 0 };
	struct kiln_err err = KILN_ERR_INIT;
	struct kiln_conf_class class;

	self = (const char *)data;
	self_len = size;
	kiln_conf_eval("/self", self, size, &env, &vars, &class, &err);
	kiln_vars_free(&vars);
	kiln_err_clear(&err);
	if (seconds_used() - start > MOST_SECONDS)
		abort();
	return 0;
}
