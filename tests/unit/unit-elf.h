/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module files with symbols, made at test time: what a module asks for, with
 * checksums in __versions, and what it offers, as __crc_ symbols.
 */
#pragma once

#include <elf.h>

#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

struct unit_import {
	const char *name;
	uint32_t crc; /* 0: no entry in __versions */
	bool weak;
};

struct unit_elf {
	const char *info;             /* "key=value" words with a newline after each */
	struct unit_import imports[4];
	struct unit_import exports[2];
	unsigned machine;             /* 0: EM_X86_64 */
	bool is_signed;
};

enum { UNIT_ELF_SECTIONS = 6, UNIT_ELF_VERSION = 64 };

/* Adds bytes to the file and, if there is a section for them, says where they are. */
static inline void unit_elf_put(struct kiln_buf *b, Elf64_Shdr *s, const void *data, size_t n)
{
	static const char zeros[8];

	kiln_buf_add(b, zeros, -b->len % 8);
	if (s) {
		s->sh_offset = b->len;
		s->sh_size = n;
		s->sh_addralign = 8;
	}
	kiln_buf_add(b, data, n);
}

static inline void unit_elf_version(struct kiln_buf *b, const struct unit_import *i)
{
	char entry[UNIT_ELF_VERSION] = { 0 };
	uint64_t crc = i->crc;

	memcpy(entry, &crc, sizeof(crc));
	snprintf(entry + sizeof(crc), sizeof(entry) - sizeof(crc), "%s", i->name);
	kiln_buf_add(b, entry, sizeof(entry));
}

static inline void unit_elf_symbol(struct kiln_buf *table, struct kiln_buf *names, const char *name, Elf64_Sym s)
{
	s.st_name = (Elf64_Word)names->len;
	kiln_buf_add(names, name, strlen(name) + 1);
	kiln_buf_add(table, &s, sizeof(s));
}

static inline void unit_elf_symbols(const struct unit_elf *e, struct kiln_buf *table, struct kiln_buf *names,
				    struct kiln_buf *versions)
{
	unit_elf_symbol(table, names, "", (Elf64_Sym){ 0 });
	for (const struct unit_import *i = e->imports; i < e->imports + ARRAY_SIZE(e->imports) && i->name; i++) {
		if (strcmp(i->name, "module_layout") != 0)
			unit_elf_symbol(table, names, i->name,
					(Elf64_Sym){ .st_info = ELF64_ST_INFO(i->weak ? STB_WEAK : STB_GLOBAL, 0) });
		if (i->crc)
			unit_elf_version(versions, i);
	}
	for (const struct unit_import *i = e->exports; i < e->exports + ARRAY_SIZE(e->exports) && i->name; i++) {
		_cleanup_(freep) char *name = kiln_strf("__crc_%s", i->name);

		unit_elf_symbol(table, names, name,
				(Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, 0), .st_shndx = SHN_ABS, .st_value = i->crc });
	}
}

/* struct module_signature behind a signature of four bytes: scripts/sign-file.c */
static inline void unit_elf_sign(struct kiln_buf *b)
{
	static const unsigned char tail[] = { 's', 'i', 'g', 'n', 1, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 4 };

	kiln_buf_add(b, tail, sizeof(tail));
	kiln_buf_adds(b, "~Module signature appended~\n");
}

static inline void unit_elf_body(const struct unit_elf *e, struct kiln_buf *b, Elf64_Shdr s[UNIT_ELF_SECTIONS])
{
	static const char names[] = "\0.modinfo\0__versions\0.symtab\0.strtab\0.shstrtab";
	static const struct {
		Elf64_Word name, type;
	} kinds[] = { { 0, SHT_NULL }, { 1, SHT_PROGBITS }, { 10, SHT_PROGBITS }, { 21, SHT_SYMTAB },
		      { 29, SHT_STRTAB }, { 37, SHT_STRTAB } };
	_cleanup_(kiln_buf_free) struct kiln_buf table = KILN_BUF_INIT, words = KILN_BUF_INIT, versions = KILN_BUF_INIT;
	_cleanup_(freep) char *info = strdup(e->info);

	for (size_t i = 0; i < UNIT_ELF_SECTIONS; i++)
		s[i] = (Elf64_Shdr){ .sh_name = kinds[i].name, .sh_type = kinds[i].type };
	for (char *c = info; *c; c++)
		*c = *c == '\n' ? '\0' : *c;
	unit_elf_symbols(e, &table, &words, &versions);
	unit_elf_put(b, &s[1], info, strlen(e->info));
	unit_elf_put(b, &s[2], versions.data ? versions.data : "", versions.len);
	unit_elf_put(b, &s[3], table.data, table.len);
	s[3].sh_link = 4;
	s[3].sh_entsize = sizeof(Elf64_Sym);
	unit_elf_put(b, &s[4], words.data, words.len);
	unit_elf_put(b, &s[5], names, sizeof(names));
}

static inline void unit_write_elf(const struct unit_root *root, const char *path, const struct unit_elf *e)
{
	Elf64_Ehdr head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_REL, .e_machine = (Elf64_Half)(e->machine ? e->machine : EM_X86_64),
			    .e_version = EV_CURRENT, .e_ehsize = sizeof(head), .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = UNIT_ELF_SECTIONS, .e_shstrndx = 5 };
	Elf64_Shdr sections[UNIT_ELF_SECTIONS];
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	int fd;

	kiln_buf_add(&b, &head, sizeof(head));
	unit_elf_body(e, &b, sections);
	unit_elf_put(&b, NULL, "", 0);
	head.e_shoff = b.len;
	memcpy(b.data, &head, sizeof(head));
	kiln_buf_add(&b, sections, sizeof(sections));
	if (e->is_signed)
		unit_elf_sign(&b);
	unit_dir_of(root, path);
	fd = openat(root->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b.data, b.len), (ssize_t)b.len);
	close(fd);
}
