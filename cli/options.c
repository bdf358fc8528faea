/*
 * options: see options.h. Run by every command, before anything else. Must not touch files or
 * sockets.
 */
#include "cli/options.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/id.h"
#include "base/quote.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define LIMIT_NAME_SIZE 32

/*
 * What getopt_long() answers for a long option: its row, or the number of its config_limit().
 */
#define VAL_ROW 256
#define VAL_LIMIT 512

/* What getopt_long() wants for one command. */
struct option_table {
	struct option longs[OPTION_COUNT + CONFIG_LIMITS_MAX + 1];
	char shorts[2 + 2 * OPTION_COUNT + 1];
	char limit_names[CONFIG_LIMITS_MAX][LIMIT_NAME_SIZE];
};

static void
limit_name(const struct config_row *row, char name[LIMIT_NAME_SIZE])
{
	strlcpy(name, row->key, LIMIT_NAME_SIZE);
	for (char *c = name; *c != '\0'; c++) {
		if (*c == '_')
			*c = '-';
	}
}

static void
table_make(struct option_table *t, const struct command *command)
{
	const struct config_row *limit;
	struct option *next = t->longs;
	char *s = t->shorts;

	memset(t, 0, sizeof(*t));
	if (command->bit & COMMANDS_OF_JOBS)
		*s++ = '+'; /* what follows the first operand belongs to the child's command */
	*s++ = ':';
	for (int id = 0; id < OPTION_COUNT; id++) {
		const struct option_row *row = option_row((enum option_id)id);

		if (!(row->commands & command->bit))
			continue;
		*next++ = (struct option){row->name,
		    row->argument != NULL ? required_argument : no_argument, NULL, VAL_ROW + id};
		if (row->letter != 0)
			*s++ = row->letter;
		if (row->letter != 0 && row->argument != NULL)
			*s++ = ':';
	}
	for (int i = 0; i < CONFIG_LIMITS_MAX && (command->bit & COMMANDS_OF_JOBS); i++) {
		limit = config_limit((size_t)i);
		if (limit == NULL)
			break;
		limit_name(limit, t->limit_names[i]);
		*next++ =
		    (struct option){t->limit_names[i], required_argument, NULL, VAL_LIMIT + i};
	}
}

/* The row of a short option's letter; the letter is one of the command's. */
static enum option_id
letter_id(int letter)
{
	int id = 0;

	while (id < OPTION_COUNT - 1 && option_row((enum option_id)id)->letter != letter)
		id++;
	return (enum option_id)id;
}

static int
words_add(struct option_words *words, const char *option, const char *text)
{
	const char *equals = strchr(text, '=');
	const char **items;

	if (equals == NULL || equals == text) {
		warnx("--%s '%s': no name and value; write --%s NAME=VALUE", option, QUOTE(text),
		    option);
		return -EINVAL;
	}
	items = reallocarray(words->items, words->count + 1, sizeof(*items));
	if (items == NULL) {
		warn("--%s", option);
		return -ENOMEM;
	}
	items[words->count++] = text;
	words->items = items;
	return 0;
}

static int
take_limit(struct options *o, size_t number)
{
	const struct config_row *row = config_limit(number);
	char name[LIMIT_NAME_SIZE];
	struct limits scratch;
	struct fault f;

	limits_default(&scratch);
	if (config_set_limit(&scratch, row, optarg, &f) < 0) {
		limit_name(row, name);
		warnx("--%s '%s': %s", name, QUOTE(optarg), f.text);
		return -EINVAL;
	}
	o->limit[number] = optarg;
	return 0;
}

static int
take_value(struct options *o, enum option_id id)
{
	o->value[id] = optarg != NULL ? optarg : "";
	if (id == OPTION_META)
		return words_add(&o->meta, "meta", optarg);
	if (id == OPTION_ENV)
		return words_add(&o->env, "env", optarg);
	if (id == OPTION_PARENT)
		return options_check_id("parent", optarg) == 0 ? 0 : -EINVAL;
	if (id == OPTION_PROFILE)
		return options_check_id("profile", optarg) == 0 ? 0 : -EINVAL;
	if (id == OPTION_CHILD)
		return options_check_id("child", optarg) == 0 ? 0 : -EINVAL;
	return 0;
}

/*
 * The options that text, len bytes with its dashes, may be short for, into names. Returns how many
 * there are; getopt_long() has refused what is the whole name of one, or short for one alone.
 */
static int
find_candidates(const struct option_table *t, const char *text, size_t len, char *names,
    size_t size)
{
	int count = 0;

	names[0] = '\0';
	if (len < strlen("--") || strncmp(text, "--", 2) != 0)
		return 0;
	for (const struct option *o = t->longs; o->name != NULL; o++) {
		if (strncmp(o->name, text + 2, len - 2) != 0)
			continue;
		strlcat(names, count++ == 0 ? "--" : ", --", size);
		strlcat(names, o->name, size);
	}
	return count;
}

static void
refuse_name(const struct options *o, const struct option_table *t, const char *text)
{
	char names[(sizeof(t->longs) / sizeof(t->longs[0])) * (LIMIT_NAME_SIZE + 4)];
	const char *quoted = QUOTE(text);
	int len = (int)strcspn(quoted, "=");

	if (find_candidates(t, text, strcspn(text, "="), names, sizeof(names)) > 1)
		warnx("option '%.*s' is ambiguous; it may be %s", len, quoted, names);
	else
		warnx("unknown option '%.*s'; 'spawnd %s --help' lists them", len, quoted,
		    o->command->name);
}

/* getopt_long() said '?' or ':'; optopt and text, the argument it was looking at, say why. */
static int
refuse(const struct options *o, const struct option_table *t, int answer, const char *text)
{
	const char *name = o->command->name, *quoted = QUOTE(text);
	int len = (int)strcspn(quoted, "=");

	if (answer == ':')
		warnx("option '%s' needs a value; see 'spawnd %s --help'", quoted, name);
	else if (optopt >= VAL_ROW)
		warnx("option '%.*s' takes no value", len, quoted);
	else if (optopt != 0)
		warnx("unknown option '-%s'; 'spawnd %s --help' lists them",
		    QUOTE(((const char[]){(char)optopt, '\0'})), name);
	else
		refuse_name(o, t, text);
	return -EINVAL;
}

static int
read_all(struct options *o, const struct option_table *t, int argc, char **argv)
{
	int answer, r = 0;

	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while (r == 0 && (answer = getopt_long(argc, argv, t->shorts, t->longs, NULL)) != -1) {
		if (answer == '?' || answer == ':')
			r = refuse(o, t, answer, argv[optind - 1]);
		else if (answer >= VAL_LIMIT)
			r = take_limit(o, (size_t)(answer - VAL_LIMIT));
		else if (answer >= VAL_ROW)
			r = take_value(o, (enum option_id)(answer - VAL_ROW));
		else
			r = take_value(o, letter_id(answer));
	}
	return r;
}

/* What stands before the operands in a synopsis. */
static const char *
operands_gap(const struct command *c)
{
	return c->operands[0] != '\0' ? " " : "";
}

static int
check_operands(const struct options *o)
{
	const struct command *c = o->command;

	if (o->operand_count < c->operands_min)
		warnx("an operand is missing: spawnd %s [OPTION...]%s%s", c->name, operands_gap(c),
		    c->operands);
	else if (c->operands_max != COMMAND_ANY && o->operand_count > c->operands_max)
		warnx("'%s' is one operand too many: spawnd %s [OPTION...]%s%s",
		    QUOTE(o->operands[c->operands_max]), c->name, operands_gap(c), c->operands);
	else
		return 0;
	return -EINVAL;
}

/* A copy of the words, which the caller may add to. */
static int
copy_words(struct option_words *words, const struct option_words *from)
{
	*words = (struct option_words){NULL, 0};
	if (from->count == 0)
		return 0;
	words->items = reallocarray(NULL, from->count, sizeof(*words->items));
	if (words->items == NULL)
		return -ENOMEM;
	memcpy(words->items, from->items, from->count * sizeof(*words->items));
	words->count = from->count;
	return 0;
}

int
options_parse_over(struct options *ret_o, const struct options *base, const struct command *command,
    int argc, char **argv)
{
	struct options o = *base;
	struct option_table t;
	int r;

	o.command = command;
	o.env = (struct option_words){NULL, 0};
	r = copy_words(&o.meta, &base->meta);
	if (r == 0)
		r = copy_words(&o.env, &base->env);
	if (r < 0)
		warn("options");
	table_make(&t, command);
	if (r == 0)
		r = read_all(&o, &t, argc, argv);
	if (r == 0) {
		o.operands = argv + optind;
		o.operand_count = argc - optind;
		if (o.value[OPTION_HELP] == NULL)
			r = check_operands(&o);
	}
	if (r < 0) {
		options_fini(&o);
		return r;
	}
	*ret_o = o;
	return 0;
}

int
options_parse(struct options *ret_o, const struct command *command, int argc, char **argv)
{
	static const struct options none;

	return options_parse_over(ret_o, &none, command, argc, argv);
}

void
options_fini(struct options *o)
{
	free(o->meta.items);
	free(o->env.items);
	o->meta = o->env = (struct option_words){NULL, 0};
}

static void
usage_line(FILE *out, char letter, const char *name, const char *argument, const char *help)
{
	char text[64];

	snprintf(text, sizeof(text), "--%s%s%s", name, argument != NULL ? " " : "",
	    argument != NULL ? argument : "");
	if (letter != 0)
		fprintf(out, "  -%c, %-26s %s\n", letter, text, help);
	else
		fprintf(out, "      %-26s %s\n", text, help);
}

/* The line of a limit; the words that it takes follow what it is. */
static void
usage_limit(FILE *out, const struct config_row *row)
{
	char name[LIMIT_NAME_SIZE], help[256];

	strlcpy(help, row->help, sizeof(help));
	for (const char *const *word = row->words; word != NULL && *word != NULL; word++) {
		if (word == row->words)
			strlcat(help, row->type == CONFIG_SET ? "; any of " : "; one of ",
			    sizeof(help));
		else
			strlcat(help, row->type == CONFIG_SET ? "," : ", ", sizeof(help));
		strlcat(help, *word, sizeof(help));
	}
	limit_name(row, name);
	usage_line(out, 0, name, "VALUE", help);
}

void
options_usage(const struct command *command, FILE *out)
{
	const struct config_row *limit;

	fprintf(out, "usage: spawnd %s [OPTION...]%s%s\n", command->name, operands_gap(command),
	    command->operands);
	if (command->summary != NULL)
		fprintf(out, "%s\n", command->summary);
	if (strstr(command->operands, "CHILD") != NULL)
		fputs("CHILD is a child's id, or a job's number where no child has that id\n", out);
	fputs("\n", out);
	for (size_t i = 0; (command->bit & COMMANDS_OF_JOBS) && (limit = config_limit(i)) != NULL;
	     i++)
		usage_limit(out, limit);
	for (int id = 0; id < OPTION_COUNT; id++) {
		const struct option_row *row = option_row((enum option_id)id);

		if (row->help != NULL && (row->commands & command->bit))
			usage_line(out, row->letter, row->name, row->argument,
			    option_help((enum option_id)id, command->bit));
	}
}

const char *
options_parent(const struct options *o)
{
	const char *own = getenv("SPAWND_CHILD");

	if (o->value[OPTION_PARENT] != NULL)
		return o->value[OPTION_PARENT];
	return own != NULL && id_fault(own) == NULL ? own : NULL;
}

int
options_number(const struct options *o, enum option_id id, int64_t minimum, int64_t maximum,
    int64_t *ret_number)
{
	const char *why;
	int64_t number;

	if (o->value[id] == NULL)
		return 0;
	number = strtonum(o->value[id], minimum, maximum, &why);
	if (why != NULL) {
		warnx("--%s '%s': %s; a number from %lld to %lld is wanted", option_row(id)->name,
		    QUOTE(o->value[id]), why, (long long)minimum, (long long)maximum);
		return EX_USAGE;
	}
	*ret_number = number;
	return 0;
}

int
options_duration_ms(const struct options *o, enum option_id id, int64_t *ret_ms)
{
	uint64_t ns = DURATION_OFF;
	int r = o->value[id] == NULL ? 0 : duration_parse(o->value[id], &ns);

	if (r < 0) {
		warnx("--%s '%s': %s; write 90, 90s, 1.5m, 2h, 1d or off", option_row(id)->name,
		    QUOTE(o->value[id]), r == -ERANGE ? "longer than 100 years" : "not a duration");
		return EX_USAGE;
	}
	*ret_ms =
	    ns == DURATION_OFF ? -1 : (int64_t)(ns / NSEC_PER_MSEC + (ns % NSEC_PER_MSEC != 0));
	return 0;
}

int
options_check_id(const char *kind, const char *id)
{
	const char *why = id_fault(id);

	if (why == NULL)
		return 0;
	warnx("%s id '%s': %s", kind, QUOTE(id), why);
	return EX_USAGE;
}

/* '-' is as good as '_' within a word. */
static bool
is_same_word(const char *given, const char *word)
{
	for (; *given != '\0' && (*given == *word || (*given == '-' && *word == '_')); given++)
		word++;
	return *given == *word;
}

int
options_check_word(const struct options *o, enum option_id id, const char *const *words)
{
	char all[128] = "";

	if (o->value[id] == NULL)
		return 0;
	for (const char *const *w = words; *w != NULL; w++) {
		if (is_same_word(o->value[id], *w))
			return 0;
		strlcat(all, w == words ? "" : ", ", sizeof(all));
		strlcat(all, *w, sizeof(all));
	}
	warnx("--%s '%s': no such word; one of these is wanted: %s", option_row(id)->name,
	    QUOTE(o->value[id]), all);
	return EX_USAGE;
}
