/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest file that libkmod and depmod take for a kernel module: an ELF
 * object with a .modinfo section and an empty symbol table.
 */
#pragma once

#include <elf.h>

#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

static const char unit_ko_names[] = "\0.modinfo\0.symtab\0.strtab\0.shstrtab";

enum { UNIT_KO_MODINFO = 1, UNIT_KO_SYMTAB = 10, UNIT_KO_STRTAB = 18, UNIT_KO_SHSTRTAB = 26 };

struct unit_ko {
	Elf64_Ehdr head;
	Elf64_Shdr sections[5];
	Elf64_Sym symbol;
	char names[sizeof(unit_ko_names)];
	char info[256];
};

static inline Elf64_Shdr unit_ko_section(Elf64_Word name, Elf64_Word type, size_t offset,
					 size_t size)
{
	return (Elf64_Shdr){ .sh_name = name,
			     .sh_type = type,
			     .sh_offset = offset,
			     .sh_size = size,
			     .sh_addralign = 1 };
}

/* info: "key=value" words with a newline after each. */
static inline void unit_write_ko(const struct unit_root *root, const char *path, const char *info)
{
	struct unit_ko ko = { 0 };
	size_t len = strlen(info);
	int fd;

	assert_true(len < sizeof(ko.info));
	for (size_t i = 0; i < len; i++)
		ko.info[i] = info[i] == '\n' ? '\0' : info[i];
	memcpy(ko.names, unit_ko_names, sizeof(ko.names));
	ko.head = (Elf64_Ehdr){ .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					     __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB
										    : ELFDATA2LSB,
					     EV_CURRENT },
				.e_type = ET_REL,
				.e_machine = EM_X86_64,
				.e_version = EV_CURRENT,
				.e_ehsize = sizeof(Elf64_Ehdr),
				.e_shoff = offsetof(struct unit_ko, sections),
				.e_shentsize = sizeof(Elf64_Shdr),
				.e_shnum = ARRAY_SIZE(ko.sections),
				.e_shstrndx = 4 };
	ko.sections[1] =
		unit_ko_section(UNIT_KO_MODINFO, SHT_PROGBITS, offsetof(struct unit_ko, info), len);
	ko.sections[2] = unit_ko_section(UNIT_KO_SYMTAB, SHT_SYMTAB,
					 offsetof(struct unit_ko, symbol), sizeof(ko.symbol));
	ko.sections[2].sh_link = 3;
	ko.sections[2].sh_entsize = sizeof(Elf64_Sym);
	ko.sections[3] =
		unit_ko_section(UNIT_KO_STRTAB, SHT_STRTAB, offsetof(struct unit_ko, names), 1);
	ko.sections[4] = unit_ko_section(UNIT_KO_SHSTRTAB, SHT_STRTAB,
					 offsetof(struct unit_ko, names), sizeof(ko.names));
	unit_dir_of(root, path);
	fd = openat(root->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, &ko, sizeof(ko)), sizeof(ko));
	close(fd);
}
