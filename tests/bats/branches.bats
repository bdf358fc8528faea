# tree: what is going on as a tree.
load common

# P has top, which has a and b; a, which has ended, has aa. Somebody else has alone.
grow() {
	configure '[spawnd]' 'max_running = 3'
	enqueue top -- testjob stall
	spawnd enqueue --parent top --child a -- testjob wait-for "$TEST_DIR/go"
	spawnd enqueue --parent a --child aa -- testjob stall
	touch go
	await_record a
	wait_until is_status aa running
	spawnd enqueue --parent Q --child alone -- testjob stall
	wait_until is_status alone running
	spawnd enqueue --parent top --child b -- testjob stall
}

# "child:level" of each line, from the indentation of its child.
shape() {
	spawnd tree "$@" | sed 1d | sed -E 's/^.{8} .{9} .{9}  ( *)([^ ]+) .*/\2:\1/' |
		awk -F: '{print $1 ":" length($2) / 2}' | paste -sd ' '
}

@test "tree shows each job below the one that it is below, those that have ended too" {
	grow
	assert_equal "$(shape)" 'top:0 a:1 aa:2 b:1 alone:0'
	run -0 spawnd tree top
	assert_line --regexp '^ +1 running +[0-9.]+s  top +testjob stall'
	assert_line --regexp '^ +2 completed +[0-9.]+s    a '
	assert_line --regexp '^ +5 queued +-    b .*\(waits for room'
}

@test "tree of a child begins there, tree of a parent with its children" {
	grow
	assert_equal "$(shape top)" 'top:0 a:1 aa:2 b:1'
	assert_equal "$(shape a)" 'a:0 aa:1'
	assert_equal "$(shape 2)" 'a:0 aa:1'
	assert_equal "$(shape Q)" 'alone:0'
	assert_equal "$(shape P)" 'top:0 a:1 aa:2 b:1'
	run -66 --separate-stderr spawnd tree nobody
	[[ $stderr == *nobody* ]]
}

@test "tree --json names the job above" {
	grow
	assert_equal "$(spawnd tree top --json | jq -rc '[.child, .depth, .above]' | paste -sd ' ')" \
		'["top",0,null] ["a",1,1] ["aa",2,2] ["b",1,1]'
}

@test "a family of which nobody lives is shown only by the name of its child" {
	finish top -- sh -c '"$1" run --child a -- true' sh "$SPAWND"
	run -0 spawnd tree
	assert_output ''
	run -0 spawnd tree P
	assert_output ''
	assert_equal "$(shape top)" 'top:0 a:1'
}

@test "another run of a child has its own children" {
	finish top -- sh -c '"$1" run --child a -- true' sh "$SPAWND"
	enqueue top -- sh -c '"$1" run --child b -- testjob stall' sh "$SPAWND"
	wait_until spawnd status b
	assert_equal "$(shape top)" 'top:0 b:1'
	assert_equal "$(shape 1)" 'top:0 a:1'
	wait_until is_status b running
	run -0 spawnd tree
	assert_line --regexp 'top .*\(waits for others, and has lent its room\)'
}

@test "a tree of many jobs comes whole, and in order" {
	local i

	configure '[spawnd]' 'max_running = 1' 'durability = normal'
	enqueue top -- testjob stall
	for ((i = 0; i < 250; i++)); do
		printf '{"parent":"top","child":"c%d","argv":["true"]}\n' "$i"
	done | spawnd enqueue --batch - >/dev/null
	assert_equal "$(spawnd tree --json | jq -s 'length')" 251
	assert_equal "$(spawnd tree --json | jq -s '[.[].job] == ([.[].job] | sort)')" true
}
