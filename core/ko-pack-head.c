/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a module file's first bytes say: libkmod tells everything about a module but the machine it is for. */
#include "core/ko.h"

#include <elf.h>
#include <string.h>

/* e_ident, e_type and e_machine stand at the same place in files of both classes. */
enum { HEAD = 20, TYPE_AT = 16, MACHINE_AT = 18 };

static unsigned half_word(const unsigned char *at, bool big)
{
	return big ? at[0] << 8 | at[1] : at[1] << 8 | at[0];
}

int kiln_ko_head(int dir, const char *path, struct kiln_ko_head *ret)
{
	unsigned char head[HEAD];
	int r = kiln_ko_read_start(dir, path, head, sizeof(head));
	bool big;

	if (r < 0)
		return r == -EBADMSG ? -ENOEXEC : r;
	if (memcmp(head, ELFMAG, SELFMAG))
		return -ENOEXEC;
	big = head[EI_DATA] == ELFDATA2MSB;
	*ret = (struct kiln_ko_head){ head[EI_CLASS], head[EI_DATA], half_word(head + TYPE_AT, big),
				      half_word(head + MACHINE_AT, big) };
	return 0;
}
