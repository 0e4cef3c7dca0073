/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module files with symbols that are exported and symbols that are needed, as
 * far as depmod looks at them: the smallest ELF objects from which it makes a
 * whole index.
 */
#pragma once

#include <elf.h>

#include "tests/unit/unit.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

struct unit_ko_text {
	const char *info, *exports, *needs; /* words with a newline after each */
};

enum { UKO_NULL, UKO_INFO, UKO_EXPORTS, UKO_SYMTAB, UKO_STRTAB, UKO_NAMES, UKO_SECTIONS };

static const char uko_names[] = "\0.modinfo\0__ksymtab_strings\0.symtab\0.strtab\0.shstrtab";

/* Words with a NUL after each, as section s at the end of the file. */
static inline void uko_section(struct kiln_buf *b, Elf64_Shdr *s, const char *words, size_t len)
{
	s->sh_offset = sizeof(Elf64_Ehdr) + b->len;
	s->sh_size = len;
	s->sh_addralign = 1;
	for (size_t i = 0; i < len; i++)
		kiln_buf_addc(b, words[i] == '\n' ? '\0' : words[i]);
}

/* An undefined symbol for each word; their names begin at 1 in .strtab. */
static inline void uko_symbols(struct kiln_buf *b, Elf64_Shdr *s, const char *words)
{
	_cleanup_(kiln_buf_free) struct kiln_buf symbols = KILN_BUF_INIT;
	Elf64_Sym sym = { 0 };

	kiln_buf_add(&symbols, &sym, sizeof(sym));
	for (const char *p = words; *p; p = strchr(p, '\n') + 1) {
		sym.st_name = (Elf64_Word)(p - words + 1);
		sym.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE);
		kiln_buf_add(&symbols, &sym, sizeof(sym));
	}
	s->sh_offset = sizeof(Elf64_Ehdr) + b->len;
	s->sh_size = symbols.len;
	s->sh_entsize = sizeof(sym);
	s->sh_link = UKO_STRTAB;
	s->sh_addralign = 1;
	kiln_buf_add(b, symbols.data, symbols.len);
}

static inline void uko_head(Elf64_Ehdr *h, size_t sections_at)
{
	*h = (Elf64_Ehdr){ .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB : ELFDATA2LSB,
					EV_CURRENT },
			   .e_type = ET_REL,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_shoff = sections_at,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = UKO_SECTIONS,
			   .e_shstrndx = UKO_NAMES };
}

static inline void unit_make_ko(const struct unit_ko_text *ko, struct kiln_buf *ret)
{
	static const Elf64_Word types[] = { SHT_NULL,	SHT_PROGBITS, SHT_PROGBITS,
					    SHT_SYMTAB, SHT_STRTAB,   SHT_STRTAB };
	static const Elf64_Word names[] = { 0, 1, 10, 28, 36, 44 };
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(freep) char *strings = kiln_strf("\n%s", ko->needs);
	Elf64_Shdr s[UKO_SECTIONS] = { 0 };
	Elf64_Ehdr head;

	for (size_t i = 0; i < UKO_SECTIONS; i++) {
		s[i].sh_name = names[i];
		s[i].sh_type = types[i];
	}
	uko_section(&b, &s[UKO_INFO], ko->info, strlen(ko->info));
	uko_section(&b, &s[UKO_EXPORTS], ko->exports, strlen(ko->exports));
	uko_symbols(&b, &s[UKO_SYMTAB], ko->needs);
	uko_section(&b, &s[UKO_STRTAB], strings, strlen(strings));
	uko_section(&b, &s[UKO_NAMES], uko_names, sizeof(uko_names));
	while (b.len % 8)
		kiln_buf_addc(&b, '\0');
	uko_head(&head, sizeof(head) + b.len);
	kiln_buf_add(ret, &head, sizeof(head));
	kiln_buf_add(ret, b.data, b.len);
	kiln_buf_add(ret, s, sizeof(s));
	assert_true(kiln_buf_ok(ret));
}

/* A new file takes the place of an old one, as a package's does. */
static inline void unit_put_ko(const struct unit_root *root, const char *path, const struct unit_ko_text *ko)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;

	unit_make_ko(ko, &b);
	unit_dir_of(root, path);
	assert_int_equal(kiln_fs_replace(root->fd, path, b.data, b.len, 0644), 0);
}
