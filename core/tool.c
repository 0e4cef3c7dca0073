/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update-initramfs puts its work off when it sees dpkg's variables, locales turn
 * messages around, and both talk a lot: such tools get a bare environment, and
 * of what they print only the last line is kept.
 */
#include "core/tool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/proc-path.h"
#include "core/base/proc.h"

#define TAIL 4096

static const char *const bare[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"LC_ALL=C.UTF-8",
	NULL,
};

/* The last line with anything in it of what a file holds; NULL: there is none. */
static char *last_line(int fd)
{
	char tail[TAIL + 1];
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t n = pread(fd, tail, TAIL, size > TAIL ? size - TAIL : 0);
	char *line;

	while (n > 0 && strchr("\n\r\t ", tail[n - 1]))
		n--;
	if (n <= 0)
		return NULL;
	tail[n] = '\0';
	line = strrchr(tail, '\n');
	return strdup(line ? line + 1 : tail);
}

int kiln_tool_run(const char *const *argv, char **last, struct kiln_err *err)
{
	_cleanup_(closep) int output = memfd_create("output", MFD_CLOEXEC);
	struct kiln_proc p = KILN_PROC_INIT;
	int r;

	*last = NULL;
	if (output < 0)
		return kiln_fail(err, -errno, "cannot run %s: %m", argv[0]);
	p.argv = argv;
	p.env = bare;
	p.out = output;
	p.err = output;
	r = kiln_proc_run(&p, err);
	*last = last_line(output);
	return r;
}

int kiln_tool_find(const char *program, char **ret)
{
	_cleanup_(kiln_strv_free) struct kiln_strv paths = KILN_STRV_INIT;
	int r = kiln_proc_path(program, bare, &paths);

	for (size_t i = 0; i < paths.n && r >= 0; i++)
		if (kiln_proc_have(paths.v[i])) {
			*ret = paths.v[i];
			paths.v[i] = NULL;
			return 0;
		}
	return r < 0 ? r : -ENOENT;
}

char *kiln_tool_text(const char *const *argv)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *text = NULL;

	for (size_t i = 0; argv[i]; i++)
		kiln_buf_addf(&b, "%s%s", i ? " " : "", argv[i]);
	kiln_buf_steal(&b, &text);
	return text;
}
