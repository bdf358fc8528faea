# Order: who is started when there is room for one more.
load common

# Room for one, taken until go() says so: what is enqueued meanwhile waits.
occupy() {
	configure '[spawnd]' 'max_running = 1' 'durability = normal'
	spawnd enqueue --parent first --child first -- testjob wait-for "$TEST_DIR/go"
	wait_until is_status first running
}

# Lets them run, and prints the children in the order in which they ended; there is room for one, so
# they were started in that order.
go() {
	touch "$TEST_DIR/go"
	wait_until no_job_waits
	spawnd results | jq -r 'select(.child != "first") | .child' | tr '\n' ' '
}

# ask PARAMETERS: calls Enqueue with these, as no command would.
ask() {
	rawclient "$(daemon_field socket)" send "{\"method\":\"org.spawnd.Enqueue\",\"parameters\":$1}" nul reply
}

no_job_waits() {
	[[ -z $(spawnd list --status queued --json; spawnd list --status running --json) ]]
}

@test "within a parent, first in is first out" {
	occupy
	for c in a b c d; do
		enqueue "$c" -- true
	done
	run -0 go
	assert_output 'a b c d '
}

@test "parents take turns: who comes last is behind one of each" {
	local i

	occupy
	for i in {1..40}; do
		spawnd enqueue --parent many --child "m$i" -- true
	done
	spawnd enqueue --parent other --child o1 -- true
	spawnd enqueue --parent other --child o2 -- true
	spawnd enqueue --parent third --child t1 -- true
	run -0 go
	assert_output --regexp '^m1 o1 t1 m2 o2 m3 m4 .*m40 $'
}

@test "a higher priority is first, whoever its parent is" {
	occupy
	spawnd enqueue --parent P --child low --priority -5 -- true
	spawnd enqueue --parent P --child usual -- true
	spawnd enqueue --parent Q --child high --priority 100 -- true
	spawnd enqueue --parent P --child higher --priority 7 -- true
	run -0 go
	assert_output 'high higher usual low '
}

@test "the order is the same after a crash of the server, and after a stop" {
	occupy
	spawnd enqueue --parent P --child a -- true
	spawnd enqueue --parent P --child b --priority 3 -- true
	spawnd enqueue --parent Q --child c -- true
	spawnd enqueue --parent P --child d -- true
	kill -KILL "$(daemon_field server_pid)"
	spawnd stop --now
	run -0 go
	assert_output 'b a c d '
}

@test "status and list show the priority" {
	occupy
	enqueue c --priority -100 -- true
	assert_equal "$(job_field c .priority)" -100
	assert_equal "$(job_field first .priority)" 0
	run -0 spawnd status c
	assert_line --regexp '^priority +-100$'
}

@test "a priority that is none is refused, by command and daemon, with what would be right" {
	local word

	for word in 101 -101 1.5 high ''; do
		run -64 --separate-stderr enqueue c --priority "$word" -- true
		[[ $stderr == *"--priority '$word'"*' from -100 to 100'* ]]
	done
	spawnd daemon --detach
	run -0 ask '{"argv":["true"],"priority":101}'
	[[ $output == *InvalidArgument*priority*'from -100 to 100'* ]]
	run -0 ask '{"argv":["true"],"priority":"1"}'
	[[ $output == *InvalidArgument*priority* ]]
}
