#!/usr/bin/env bats
# The manual and the program agree: commands, the options of each, and settings.

load common

manual() {
	echo "$BATS_TEST_DIRNAME/../../man/$1"
}

# The commands that spawnd(1) has: the headings below COMMANDS, without the lists that they share.
commands_in_manual() {
	awk '/^\.Sh /{on = $0 == ".Sh COMMANDS"} on && /^\.Ss / && NF == 2 {print $2}' \
		"$(manual spawnd.1)" | sort
}

commands_in_program() {
	"$SPAWND" help | awk '/^  [a-z]/{print $1}' | sort
}

# The pages that have commands: what is said of enqueue and run stands in one of its own.
pages() {
	printf '%s\n' "$(manual spawnd.1)" "$(manual spawnd-enqueue.1)"
}

# The options, short and long, below the heading $1 and in the shared lists that it names by .Sx.
options_in_manual() {
	local shared pages
	mapfile -t pages < <(pages)
	awk -v heading=".Ss $1" '
		/^\.S[sh] /{on = $0 == heading}
		on && /^\.It Fl /{
			for (i = 3; i <= NF && $i != "Ar"; i++)
				if ($i ~ /^-?[a-z]/)
					print "-" $i
		}' "${pages[@]}"
	awk -v heading=".Ss $1" '
		/^\.S[sh] /{on = $0 == heading}
		on && /^\.Sx Options /{sub(/^\.Sx /, ""); sub(/ [,.]$/, ""); print}' \
		"${pages[@]}" | while read -r shared; do
		options_in_manual "$shared"
	done
}

options_in_program() {
	"$SPAWND" "$1" --help | sed -nE 's/^  +((-[a-z], )?--[a-z-]+).*/\1/p' | tr -d ' ' | tr , '\n'
}

# The settings that spawnd.ini(5) describes, as "section.key".
settings_in_manual() {
	awk '
		/^\.S[sh] /{section = $2 == "Section" ? $3 : ""}
		section != "" && /^\.It Cm /{print section "." $3}' "$(manual spawnd.ini.5)" | sort
}

settings_in_program() {
	"$SPAWND" config show --json | jq -r 'to_entries[] | .key as $s | .value | keys[] | "\($s).\(.)"' | sort
}

@test "every command is in the manual, and the manual has no other" {
	commands_in_program >"$BATS_TEST_TMPDIR/program"
	commands_in_manual >"$BATS_TEST_TMPDIR/manual"
	assert [ -s "$BATS_TEST_TMPDIR/program" ]
	run diff -u "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/manual"
	assert_success
}

@test "every command is in the table of README, but for version and help" {
	local command

	for command in $(commands_in_program); do
		case $command in
		version | help) ;;
		*) assert grep -q "^|.*\`spawnd ${command}[ \`]" "$BATS_TEST_DIRNAME/../../README.md" ;;
		esac
	done
}

@test "every option of every command is in the manual, and the manual has no other" {
	local command
	for command in $(commands_in_program); do
		options_in_program "$command" | sort | sed "s/^/$command /"
	done >"$BATS_TEST_TMPDIR/program"
	for command in $(commands_in_program); do
		options_in_manual "$command" | sort | sed "s/^/$command /"
	done >"$BATS_TEST_TMPDIR/manual"
	assert [ -s "$BATS_TEST_TMPDIR/program" ]
	run diff -u "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/manual"
	assert_success
}

@test "every setting is in the manual, and the manual has no other" {
	settings_in_program >"$BATS_TEST_TMPDIR/program"
	settings_in_manual >"$BATS_TEST_TMPDIR/manual"
	assert [ -s "$BATS_TEST_TMPDIR/program" ]
	run diff -u "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/manual"
	assert_success
}

# Prints the example of spawnd.ini(5) that follows the line $1.
example_in_manual() {
	awk -v after="$1" '
		$0 == after {armed = 1}
		armed && /^\.Ed/{exit}
		on {print}
		armed && /^\.Bd -literal/{on = 1}' "$(manual spawnd.ini.5)"
}

# The values that are in force, in the table's order.
values() {
	"$SPAWND" config show --json | jq '[.[][] | .value]'
}

@test "the full example of spawnd.ini(5) has every setting, with its default" {
	mkdir -m 700 "$SPAWND_HOME"
	values >"$BATS_TEST_TMPDIR/defaults"
	example_in_manual "All settings, with their defaults:" >"$SPAWND_HOME/spawnd.ini"
	run "$SPAWND" config check
	assert_success
	values >"$BATS_TEST_TMPDIR/example"
	run diff -u "$BATS_TEST_TMPDIR/defaults" "$BATS_TEST_TMPDIR/example"
	assert_success
	run jq -e 'all(.[][]; .origin != "default")' <("$SPAWND" config show --json)
	assert_success
}
