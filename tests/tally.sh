# shellcheck shell=sh disable=SC2154 # work and limit are contrib/check's
#
# Counts tests and checks, for contrib/check: sourced, not run. Each count is a line `pass NAME` or
# `fail NAME` in $work/tally; logs are in $work/log. A skipped test is a failure: it has shown nothing.

pass()
{
	echo "pass $1" >>"$work/tally"
}

# fail NAME LOG
fail()
{
	echo "fail $1" >>"$work/tally"
	echo "FAILED: $1"
	[ ! -s "$2" ] || tail -n 60 "$2" | sed 's/^/    /'
}

# judge NAME COMMAND...: one count, and the success of a command, or of a function, that ends by itself.
judge()
{
	name=$1
	shift
	log=$work/log/$(echo "$name" | tr -c 'A-Za-z0-9\n' _)
	began=$(date +%s)
	if "$@" >"$log" 2>&1 </dev/null; then
		pass "$name"
		echo "passed: $name ($(($(date +%s) - began)) s)"
	else
		fail "$name" "$log"
		return 1
	fi
}

# must NAME PROGRAM...: the same for a program; one that hangs is a failure too.
must()
{
	name=$1
	shift
	judge "$name" timeout --kill-after=10 "$limit" "$@"
}

# check NAME PROGRAM...: one count; whatever comes of it, the run goes on.
check()
{
	must "$@" || :
}

# Counts each line of a TAP log, and compares with its plans: what did not run has failed.
count_tap()
{
	awk -v name="$1" '
	/^1\.\.[0-9]+/ { planned += substr($1, 4) }
	/^(not )?ok / {
		good = /^ok / && !/# *[Ss][Kk][Ii][Pp]/
		sub(/^(not )?ok [0-9]+ *(- )?/, "")
		print (good ? "pass " : "fail ") name ": " $0
		seen++
	}
	END {
		if (seen == 0)
			print "fail " name ": no test at all"
		else if (seen < planned)
			print "fail " name ": " planned - seen " of " planned " tests did not run"
	}' "$2"
}

# tap NAME COMMAND...: a test program that speaks TAP; one count for each of its tests.
tap()
{
	name=$1
	shift
	log=$work/log/$(echo "$name" | tr -c 'A-Za-z0-9\n' _)
	began=$(date +%s)
	code=0
	timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || code=$?
	count_tap "$name" "$log" >"$log.count"
	if [ "$code" -ne 0 ] && ! grep -q '^fail' "$log.count"; then
		echo "fail $name: ended with code $code" >>"$log.count"
	fi
	cat "$log.count" >>"$work/tally"
	failed=$(grep -c '^fail' "$log.count" || :)
	echo "$name: $(grep -c '^pass' "$log.count" || :) passed, $failed failed ($(($(date +%s) - began)) s)"
	if [ "$failed" -gt 0 ]; then
		sed -n 's/^fail /FAILED: /p' "$log.count"
		# What bats and cmocka say about a failure stands in comments behind it.
		awk '/^not ok /{ on = 1 } /^ok /{ on = 0 } on || !/^(#|ok |1\.\.)/' "$log" |
			tail -n 120 | sed 's/^/    /'
	fi
}

# The line that says it all, last; fails if anything failed.
summary()
{
	failed=$(grep -c '^fail' "$work/tally" || :)
	if [ "$failed" -gt 0 ]; then
		echo
		sed -n 's/^fail /FAILED: /p' "$work/tally"
	fi
	echo "$(grep -c '^pass' "$work/tally" || :) passed, $failed failed"
	[ "$failed" -eq 0 ]
}
