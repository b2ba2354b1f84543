// SPDX-License-Identifier: GPL-2.0
/*
 * Run a command under a seccomp filter that a file of rules describes; docker.seccomp has their
 * form. libseccomp resolves the names and makes the filter. What no rule names fails with EPERM.
 *
 * usage: seccomp_exec RULES COMMAND [ARGUMENTS]
 * Exit: COMMAND's; 125 when the filter could not be made, 127 when COMMAND could not be run.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_FILTER 125
#define STATUS_EXEC 127
#define BLANKS " \t\n"

static const char *rules;
static int line_number;

static void die(const char *what, int err)
{
	fprintf(stderr, "seccomp_exec: %s:%d: %s%s%s\n", rules, line_number, what,
		err ? ": " : "", err ? strerror(err) : "");
	exit(STATUS_FILTER);
}

static unsigned long decimal(const char *word)
{
	unsigned long value;
	char *end;

	if (!word)
		die("a number is missing", 0);
	errno = 0;
	value = strtoul(word, &end, 10);
	if (errno || end == word || *end)
		die("not a number", 0);
	return value;
}

static struct scmp_arg_cmp condition(unsigned int arg)
{
	const char *op = strtok(NULL, BLANKS);
	unsigned long value = decimal(strtok(NULL, BLANKS));

	if (op && strcmp(op, "==") == 0)
		return SCMP_CMP(arg, SCMP_CMP_EQ, value);
	if (op && strcmp(op, "!=") == 0)
		return SCMP_CMP(arg, SCMP_CMP_NE, value);
	if (op && strcmp(op, "&0==") == 0)
		return SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, value, 0);
	die("neither ==, != nor &0==", 0);
	abort();
}

static void rule_add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned int count,
		     const struct scmp_arg_cmp *args)
{
	int call = seccomp_syscall_resolve_name(name);
	int err;

	/* Negative: a call of another architecture, for which libseccomp would make up a rule. */
	if (call < 0)
		return;
	err = seccomp_rule_add_array(filter, action, call, count, args);
	if (err)
		die(name, -err);
}

static void rules_add(scmp_filter_ctx filter, uint32_t action)
{
	const char *name = strtok(NULL, BLANKS);
	const char *word = strtok(NULL, BLANKS);

	if (!name)
		die("which system call?", 0);
	if (word && word[0] >= '0' && word[0] <= '9') {
		struct scmp_arg_cmp arg = condition(decimal(word));

		rule_add(filter, action, name, 1, &arg);
		return;
	}
	for (; name; name = word, word = strtok(NULL, BLANKS))
		rule_add(filter, action, name, 0, NULL);
}

static void line_add(scmp_filter_ctx filter, char *line)
{
	const char *verb = strtok(line, BLANKS);

	if (!verb || verb[0] == '#')
		return;
	if (strcmp(verb, "allow") == 0)
		rules_add(filter, SCMP_ACT_ALLOW);
	else if (strcmp(verb, "errno") == 0)
		rules_add(filter, SCMP_ACT_ERRNO(decimal(strtok(NULL, BLANKS))));
	else
		die("neither allow nor errno", 0);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter;
	char line[256];
	FILE *file;
	int err;

	if (argc < 3) {
		fprintf(stderr, "usage: seccomp_exec RULES COMMAND [ARGUMENTS]\n");
		return STATUS_FILTER;
	}
	rules = argv[1];
	file = fopen(rules, "r");
	if (!file)
		die("cannot be read", errno);
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		die("libseccomp gave no filter", 0);
	for (line_number = 1; fgets(line, sizeof(line), file); line_number++)
		line_add(filter, line);
	if (ferror(file))
		die("reading failed", errno);
	fclose(file);
	err = seccomp_load(filter);
	if (err)
		die("the kernel takes no filter", -err);
	seccomp_release(filter);
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return STATUS_EXEC;
}
