#!/usr/bin/env bats
# What the machine lacks for a while keeps a job waiting and fails none: it goes back to the queue, and is started when
# there is enough again.
load common

# starve RESOURCE MORE: the daemon's supervisor may have no more of it than that beyond what it has, for now; feed
# gives it back.
starve() {
	local has=0

	SUPERVISOR=$(daemon_field pid)
	[[ $1 != nofile ]] || has=$(find "/proc/$SUPERVISOR/fd" -type l | wc -l)
	HARD=$(prlimit --pid "$SUPERVISOR" "--$1" --noheadings --output HARD)
	prlimit --pid "$SUPERVISOR" "--$1=$((has + $2)):$HARD"
}

feed() {
	prlimit --pid "$SUPERVISOR" "--$1=$HARD:$HARD"
}

# The job was put back, and says so in the log.
was_put_back() {
	grep -q "job $1 .*is put back into the queue" "$SPAWND_HOME/state/spawnd.log"
}

check_scarce() {
	finish first -- true
	starve "$1" "$2"
	enqueue c -- sh -c 'echo ran >>"$1"' sh "$TEST_DIR/ran"
	wait_until was_put_back 2
	assert_equal "$(job_field c .status)" queued
	assert_not_exists "$TEST_DIR/ran"
	feed "$1"
	await_record c
	assert_record '[.status, .ran, .run] | tojson' '["completed",true,1]'
	assert_equal "$(<"$TEST_DIR/ran")" ran
	assert_equal "$(spawnd results --parent P | grep -c '"child":"c"')" 1
}

@test "no descriptor for a message: the job waits until there are some" {
	check_scarce nofile 2
}

@test "no descriptor, or no process, for the child: the job waits until there is one" {
	# Root may have any number of processes.
	if ((EUID == 0)); then
		check_scarce nofile 7
	else
		check_scarce nproc 1
	fi
}
