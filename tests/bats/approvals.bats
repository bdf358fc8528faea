# Approvals: a question of a job goes to whoever watches over it, is decided once, and in time, whoever dies
# meanwhile; and nobody allows himself anything.
load common

# asker CHILD [OPTION... --] [WORD...]: a job that asks "may I?", writes ask's exit code to CHILD.code and what it
# said to CHILD.said. WORDs are options of ask.
asker() {
	local child=$1

	shift
	spawnd enqueue --parent "${PARENT:-P}" --child "$child" -- \
		sh -c 'child=$1; shift; "$SPAWND" ask "$@" "may I?" >"$child.said" 2>&1; echo $? >"$child.code"' \
		sh "$TEST_DIR/$child" "$@"
}

# The id of the question that waits for somebody; one that a child asks.
question_of() {
	spawnd approvals --json | jq -r "select(.child == \"$1\") | .id"
}

has_question() {
	[[ -n $(question_of "$1") ]]
}

has_no_question() {
	[[ -z $(question_of "$1") ]]
}

# is_put_to CHILD ID: to whom its question is put; null: the user.
is_put_to() {
	[[ $(spawnd approvals --json | jq -r "select(.child == \"$1\") | .to") == "$2" ]]
}

await_question() {
	wait_until has_question "$1"
}

# assert_code CHILD CODE: what ask has exited with.
assert_code() {
	wait_until test -s "$TEST_DIR/$1.code"
	assert_equal "$(cat "$TEST_DIR/$1.code")" "$2"
}

# take FILE [OPTION...]: takes approvals in the background, into FILE; $TAKER is the process.
take() {
	"$SPAWND" events --approvals "${@:2}" >"$1" 2>"$1.err" 3>&- &
	TAKER=$!
}

hush() {
	kill "$1"
	await_exit "$1"
}

serves_anew() {
	local now

	now=$(daemon_field server_pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

kill_server() {
	local server

	server=$(daemon_field server_pid)
	kill -KILL "$server"
	wait_until serves_anew "$server"
}

# events_of KIND FILTER: of the stored events of a kind, each on a line.
events_of() {
	spawnd events | jq -c "select(.event == \"$1\") | $2"
}

@test "what is allowed exits 0, and what is denied 1" {
	asker a
	asker b
	await_question a
	await_question b
	spawnd answer "$(question_of a)" allow "go ahead"
	spawnd answer "$(question_of b)" deny "not today"
	assert_code a 0
	assert_code b 1
	assert_equal "$(cat "$TEST_DIR/a.said")" "go ahead"
	assert_regex "$(cat "$TEST_DIR/b.said")" "denied: by the user: not today"
	wait_until has_no_question a
}

@test "a question is put to the user, who sees who asks what" {
	asker a --timeout 1h
	await_question a
	run -0 spawnd approvals --json
	assert_equal "$(jq -c '[.child, .parent, .job, .question, .to, (.id | length)]' <<<"$output")" \
		'["a","P",1,"may I?",null,32]'
	assert_equal "$(jq '.expires_at > .asked_at' <<<"$output")" true
	run -0 spawnd approvals
	assert_output --partial "child a  asks you"
	assert_equal "$(job_field a '"\(.status) \(.waits_for)"')" 'running an answer from you'
	spawnd answer "$(question_of a)" deny
	assert_code a 1
}

@test "ids are random" {
	asker a
	asker b
	await_question a
	await_question b
	assert_regex "$(question_of a)" '^[0-9a-f]{32}$'
	assert_not_equal "$(question_of a)" "$(question_of b)"
	assert_not_equal "$(question_of a | cut -c1-16)" "$(question_of b | cut -c1-16)"
}

@test "without an answer it is denied, in time" {
	asker a --timeout 0.2
	assert_code a 1
	assert_regex "$(cat "$TEST_DIR/a.said")" "nobody has answered in time"
	assert_equal "$(events_of approval_decided '[.decision, .by]')" '["deny","timeout"]'
}

@test "one decision, once: who comes late is told what was decided, by whom, when" {
	local id

	asker a
	await_question a
	id=$(question_of a)
	spawnd answer "$id" allow
	run -65 spawnd answer "$id" deny
	assert_output --regexp "approval $id was decided already: allow, by user, at 20[0-9T:.-]+Z"
	asker b --timeout 0.1
	assert_code b 1
	id=$(events_of approval_decided 'select(.child == "b") | .id' | jq -r .)
	run -65 spawnd answer "$id" allow
	assert_output --partial "deny, by timeout"
	run -66 spawnd answer 00000000000000000000000000000000 allow
	assert_output --regexp "not found: approval 0+; 'spawnd approvals' lists them$"
	run -64 spawnd answer "$id" perhaps
	assert_code a 0
}

@test "a question is answered by the id of its child, too, if that has no other" {
	asker a
	await_question a
	run -66 spawnd answer b allow
	assert_output --partial "not found: approval b"
	spawnd answer a allow sure
	assert_code a 0
	run -66 spawnd answer a deny
	spawnd enqueue --parent P --child two -- sh -c '
		for i in 1 2; do
			("$SPAWND" ask "may I?" >/dev/null 2>&1; echo $? >"$TEST_DIR/two$i.code") &
		done
		wait'
	wait_until has_two_questions
	run -64 --separate-stderr spawnd answer two allow
	assert_equal "$stderr" "spawnd answer: id: this child has several questions that wait: answer one by its own id, \
'spawnd approvals' lists them"
	spawnd answer "$(question_of two | head -n 1)" deny
	spawnd answer two deny
	assert_code two1 1
	assert_code two2 1
}

has_two_questions() {
	[[ $(question_of two | wc -l) == 2 ]]
}

@test "the feed has it, durably" {
	asker a
	await_question a
	spawnd answer "$(question_of a)" allow sure
	assert_code a 0
	assert_equal "$(events_of approval_requested '[.child, .question, .to]')" '["a","may I?",null]'
	assert_equal "$(events_of approval_decided '[.child, .decision, .by, .ancestor, .reason]')" \
		'["a","allow","user",null,"sure"]'
	assert_equal "$(events_of approval_requested .id)" "$(events_of approval_decided .id)"
}

@test "outside of jobs nobody may ask, nor without a daemon" {
	run -69 spawnd ask "may I?"
	spawnd list
	run -77 spawnd ask "may I?"
	assert_output --partial "only a job that runs may ask"
	SPAWND_JOB=99 run -77 spawnd ask "may I?"
}

@test "bad input is refused" {
	run -64 spawnd ask
	run -64 spawnd ask --timeout soon "may I?"
	run -64 spawnd answer x
	asker a
	await_question a
	run -0 rawclient "$SPAWND_HOME/run/socket" send \
		"{\"method\":\"org.spawnd.Ask\",\"parameters\":{\"question\":\"\",\"token\":\"t\"}}" nul reply
	assert_output --partial InvalidArgument
	run -0 rawclient "$SPAWND_HOME/run/socket" send \
		"{\"method\":\"org.spawnd.Answer\",\"parameters\":{\"id\":\"x\",\"decision\":\"allow\"}}" nul reply
	assert_output --partial NotFound
	spawnd answer "$(question_of a)" deny
	assert_code a 1
}

# family: a shell script P, below it a, below that b, below that c, which asks. a and b run until DIR/NAME.go is there;
# if DIR/NAME.takes is there they take approvals, into DIR/NAME.taken.
family() {
	cat >"$TEST_DIR/node" <<-'END'
		cd "$TEST_DIR"
		name=$1 below=${2-}
		if [ -e "$name.takes" ]; then
			"$SPAWND" events --approvals >"$name.taken" &
			echo $! >"$name.taker"
		fi
		if [ -n "$below" ]; then
			shift
			"$SPAWND" enqueue --child "$below" -- sh "$TEST_DIR/node" "$@"
			until [ -e "$name.go" ]; do sleep 0.05; done
			exit
		fi
		"$SPAWND" ask "may I?" >"$name.said" 2>&1
		echo $? >"$name.code"
	END
	spawnd enqueue --parent P --child a -- sh "$TEST_DIR/node" a b c
	await_question c
}

let_go() {
	touch "$TEST_DIR/$1.go"
	await_record "$1"
}

@test "a question is put to the nearest ancestor who takes approvals, and goes on upward when it ends" {
	touch a.takes b.takes
	family
	wait_until is_put_to c b
	wait_until test -s b.taken
	assert_equal "$(jq -r 'select(.event) | [.event, .child, .to] | join(" ")' b.taken)" "approval_requested c b"
	let_go b
	wait_until is_put_to c a
	wait_until test -s a.taken
	let_go a
	wait_until is_put_to c null
	take "$TEST_DIR/top" --parent P
	wait_until is_put_to c P
	hush "$TAKER"
	wait_until is_put_to c null
	spawnd answer "$(question_of c)" allow
	assert_code c 0
	assert_equal "$(events_of approval_requested .to | tr '\n' ' ')" '"b" "a" null "P" null '
}

@test "it goes on upward when the subscriber has gone, and comes back with him" {
	touch b.takes
	family
	wait_until is_put_to c b
	kill "$(cat b.taker)"
	wait_until is_put_to c null
	take "$TEST_DIR/again" --parent b
	wait_until is_put_to c b
	spawnd answer --parent b "$(question_of c)" deny
	assert_code c 1
	assert_equal "$(events_of approval_decided '[.by, .ancestor]')" '["ancestor","b"]'
	hush "$TAKER"
	let_go b
	let_go a
}

@test "an approval crosses three levels, with the middle ones dead, while the server crashes" {
	local id server leaders

	touch a.takes b.takes
	family
	wait_until is_put_to c b
	id=$(question_of c)
	server=$(daemon_field server_pid)
	leaders=$(job_field a .pid && job_field b .pid)
	# The middle ones end while nobody looks, with those who take approvals for them.
	kill -STOP "$server"
	# shellcheck disable=SC2086 # one word for each process
	kill -KILL $leaders
	kill -KILL "$server"
	wait_until serves_anew "$server"
	wait_until is_put_to c null
	take "$TEST_DIR/top" --parent P
	wait_until is_put_to c P
	kill_server
	wait_until is_put_to c P
	assert_equal "$(question_of c)" "$id"
	spawnd answer --parent P "$id" allow
	assert_code c 0
	wait_until grep -q approval_decided "$TEST_DIR/top"
	hush "$TAKER"
	# It is told to P once, though the server was another.
	assert_equal "$(jq -r .event "$TEST_DIR/top" | sort | uniq -c | tr -s ' \n' ' ')" \
		" 1 approval_decided 1 approval_requested "
	assert_equal "$(events_of approval_decided '[.id, .decision]' | jq -c .)" "[\"$id\",\"allow\"]"
}

@test "a child cannot answer for itself, nor for its descendants, nor take what is put to others" {
	local id

	touch b.takes
	family
	wait_until is_put_to c b
	id=$(question_of c)
	# In a job of its own, as itself or as others.
	cat >try <<-'END'
		file=$1
		shift
		"$SPAWND" "$@" >"$file.said" 2>&1
		echo $? >"$file.tried"
	END
	for as in "" "--parent b" "--parent P"; do
		rm -f x.tried
		# shellcheck disable=SC2086 # two words
		finish x -- sh "$TEST_DIR/try" "$TEST_DIR/x" answer $as "$id" allow
		assert_equal "$(cat x.tried)" 77
		assert_regex "$(cat x.said)" "not allowed: the question is put to 'b'"
	done
	# Below c; with the name of the one whom it is put to; without its mark.
	spawnd enqueue --parent c --child y -- sh "$TEST_DIR/try" "$TEST_DIR/y" answer "$id" allow
	await_record y
	assert_equal "$(cat y.tried)" 77
	finish z -- sh "$TEST_DIR/try" "$TEST_DIR/z" events --approvals --parent b
	assert_equal "$(cat z.tried)" 77
	rm z.tried
	finish z -- prlimit --locks=0 sh "$TEST_DIR/try" "$TEST_DIR/z" answer "$id" allow
	assert_equal "$(cat z.tried)" 77
	wait_until is_put_to c b
	# What is put to the user, no job answers.
	kill "$(cat b.taker)"
	wait_until is_put_to c null
	rm z.tried
	finish z -- sh "$TEST_DIR/try" "$TEST_DIR/z" answer "$id" allow
	assert_equal "$(cat z.tried)" 77
	assert_regex "$(cat z.said)" "put to the user"
	spawnd answer "$id" deny
	assert_code c 1
	let_go b
	let_go a
}

@test "a child that puts on the mark of another job does not answer for that" {
	local id mark how tries=0

	touch b.takes
	family
	wait_until is_put_to c b
	id=$(question_of c)
	mark=$(prlimit --locks --noheadings --output SOFT --pid "$(job_field b .pid)")
	cat >forge <<-'END'
		cd "$TEST_DIR"
		escape limit "$1" "$1" true || exit 71
		case $2 in
		plainly) escape limit "$1" "$1" "$SPAWND" answer "$3" allow ;;
		apart) escape limit "$1" "$1" setsid -f sh -c '"$0" answer "$1" allow; echo $? >apart.tried' "$SPAWND" "$3" ;;
		esac
		echo $? >plainly.tried
		until [ -s "$2.tried" ]; do command sleep 0.01; done
	END
	for how in plainly apart; do
		# Without rights it can be but lowered, and marks are random.
		rm -f ./*.tried
		until [[ -s $how.tried ]]; do
			((++tries < 600)) || skip "every mark is below the other"
			spawnd run --parent c --child "forger$tries" -- sh "$TEST_DIR/forge" "$mark" "$how" "$id" || :
		done
		assert_equal "$(cat "$how.tried")" 77
		is_put_to c b
	done
	spawnd answer "$id" deny
	assert_code c 1
	let_go b
	let_go a
}

@test "an ancestor answers from inside of its job" {
	cat >node <<-'END'
		cd "$TEST_DIR"
		"$SPAWND" enqueue --child below -- sh -c '"$SPAWND" ask "may I?"; echo $? >below.code'
		"$SPAWND" events --approvals | while read -r line; do
			case $line in
			*approval_requested*)
				id=$(printf '%s' "$line" | jq -r .id)
				"$SPAWND" answer "$id" allow "says above"
				;;
			*approval_decided*) exit ;;
			esac
		done
	END
	spawnd enqueue --parent P --child above -- sh "$TEST_DIR/node"
	assert_code below 0
	assert_equal "$(events_of approval_decided '[.by, .ancestor, .reason]')" \
		'["ancestor","above","says above"]'
	spawnd cancel above
}

@test "a question ends with its job" {
	local id

	asker a
	await_question a
	id=$(question_of a)
	spawnd cancel a
	await_record a
	wait_until has_no_question a
	run -65 spawnd answer "$id" allow
	assert_output --partial "withdrawn, by end"
}

@test "the idle clock stands still meanwhile, and goes on then" {
	spawnd enqueue --parent P --child a --max-idle 2 -- \
		sh -c '"$SPAWND" ask --timeout 4 "may I?"; echo $? >a.code; sleep 100'
	assert_code a 1
	assert_equal "$(job_field a .status)" running
	await_record a
	assert_record .status timeout
	assert_record_like .error "idle timeout"
	assert_record '.elapsed_ms > 5500' true
}

@test "the idle clock stands still across the server's death" {
	spawnd enqueue --parent P --child a --max-idle 2 -- \
		sh -c '"$SPAWND" ask --timeout 4 "may I?"; echo $? >a.code'
	await_question a
	kill_server
	kill_server
	assert_code a 1
	await_record a
	assert_record .status completed
}

@test "a question survives both, its client asks on, and it is denied in time" {
	local id daemon

	asker a --timeout 1h
	asker b --timeout 3
	await_question a
	await_question b
	id=$(question_of a)
	daemon=$(daemon_field pid)
	kill -STOP "$daemon"
	kill -KILL "$(daemon_field server_pid)" "$daemon"
	spawnd list
	wait_until has_question a
	assert_equal "$(question_of a)" "$id"
	assert_code b 1
	spawnd answer "$id" allow
	assert_code a 0
	assert_equal "$(events_of approval_requested .child | sort | tr '\n' ' ')" '"a" "b" '
}

@test "the same token is the same question, with the same answer" {
	cat >asks <<-'END'
		cd "$TEST_DIR"
		timeout 1 "$SPAWND" ask --token one "may I?"
		touch again
		"$SPAWND" ask --token one "may I?"
		echo $? >a.code
		"$SPAWND" ask --token one "may I?"
		echo $? >b.code
		"$SPAWND" ask --token one "may I really?"
		echo $? >c.code
	END
	spawnd enqueue --parent P --child a -- sh "$TEST_DIR/asks"
	wait_until test -e again
	await_question a
	spawnd answer "$(question_of a)" allow
	assert_code a 0
	assert_code b 0
	assert_code c 64
	assert_equal "$(events_of approval_requested .child)" '"a"'
}

@test "a job has no more than 16 questions at once" {
	cat >asks <<-'END'
		cd "$TEST_DIR"
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
			"$SPAWND" ask "may I $i?" &
		done
		until [ -e full ]; do sleep 0.05; done
		"$SPAWND" ask "one more?" >a.said 2>&1
		echo $? >a.code
		wait
	END
	spawnd enqueue --parent P --child a -- sh "$TEST_DIR/asks"
	has_16() { (($(spawnd approvals --json | wc -l) == 16)); }
	wait_until has_16
	touch full
	assert_code a 75
	assert_regex "$(cat a.said)" "too many questions"
	spawnd cancel a
	await_record a
}

# policies CHILD PROFILE PARENT_PROFILE: what its question comes to, and what decided, without anybody asked; "waits"
# where somebody is.
policies() {
	cat >"$TEST_DIR/above" <<-'END'
		cd "$TEST_DIR"
		"$SPAWND" enqueue --child "$1" ${2:+--profile "$2"} -- \
			sh -c '"$SPAWND" ask "may I?"; echo $? >"$1.code"' sh "$1"
		until [ -e "$1.go" ]; do sleep 0.05; done
	END
	spawnd enqueue --parent P --child "above-$1" ${3:+--profile "$3"} -- sh "$TEST_DIR/above" "$1" "$2"
	is_settled() { [[ -s $TEST_DIR/$1.code ]] || has_question "$1"; }
	wait_until is_settled "$1"
	touch "$TEST_DIR/$1.go"
	if has_question "$1"; then
		DECIDED=waits
		spawnd cancel "$1"
	else
		DECIDED=$(events_of approval_decided "select(.child == \"$1\") | .decision + \" \" + .by" | jq -r .)
	fi
	await_record "above-$1"
}

@test "a profile decides by itself, is inherited, and never loosened" {
	configure '[profile yes]' 'approvals = allow' '[profile no]' 'approvals = deny' \
		'[profile maybe]' 'approvals = ask'
	policies a yes yes
	assert_equal "$DECIDED" "allow profile"
	policies b no yes
	assert_equal "$DECIDED" "deny profile"
	policies c yes no
	assert_equal "$DECIDED" "deny profile"
	policies d yes maybe
	assert_equal "$DECIDED" waits
	policies e "" no
	assert_equal "$DECIDED" "deny profile"
	assert_equal "$(cat a.code b.code c.code e.code | tr '\n' ' ')" "0 1 1 1 "
	assert_equal "$(events_of approval_requested 'select(.child == "e") | .to')" null
}
