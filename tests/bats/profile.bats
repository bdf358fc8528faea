# Profiles: what a job has from its profile, and what its children inherit of it.
load common

# The variable $2 as child $1 found it; empty where there was none.
variable_of() {
	tr '\0' '\n' <"$(job_field "$1" .output)" | sed -n "s/^$2=//p"
}

@test "the child finds its model, and nothing of what its caller had" {
	export SPAWND_MODEL=mine SPAWND_PROFILE=mine SPAWND_DISABLED_TOOLS=mine
	finish c --model 'big model/3.5' -- env -0
	assert_equal "$(variable_of c SPAWND_MODEL)" 'big model/3.5'
	assert_equal "$(variable_of c SPAWND_PROFILE)" ''
	assert_equal "$(variable_of c SPAWND_DISABLED_TOOLS)" ''
	assert_equal "$(job_field c .model)" 'big model/3.5'
	finish d -- env -0
	run grep -z '^SPAWND_\(MODEL\|PROFILE\|DISABLED_TOOLS\)' "$(job_field d .output)"
	assert_failure
	assert_equal "$(job_field d .model)" null
}

@test "a model that is no word is refused" {
	local model

	for model in '' -x $'a\nb' $'\xff'; do
		run -64 --separate-stderr spawnd enqueue --parent P --child c --model "$model" -- true
		assert [ -n "$stderr" ]
	done
}

@test "a job has from its profile what is not given, and a variable over its caller's" {
	configure '[profile base]' 'max_idle = 5m' 'max_output = 1M' 'env.A = base' 'env.B = base' \
		'[profile careful]' 'inherits = base' 'model = big' 'disabled_tools = shell, web' \
		'env.C = careful; x' 'nice = 3' 'approvals = deny'
	A=caller B=caller finish c --profile careful --env A=option -- env -0
	assert_equal "$(variable_of c SPAWND_PROFILE)" careful
	assert_equal "$(variable_of c SPAWND_MODEL)" big
	assert_equal "$(variable_of c SPAWND_DISABLED_TOOLS)" 'shell, web'
	assert_equal "$(variable_of c A)" option
	assert_equal "$(variable_of c B)" base
	assert_equal "$(variable_of c C)" 'careful; x'
	assert_equal "$(job_field c '[.profile, .model, .approvals, .limits.max_idle, .limits.max_output, .limits.nice] | join(" ")')" \
		'careful big deny 5m 1M 3'
	finish d --profile careful --model small --max-idle 7m --clean-env -- /usr/bin/env -0
	assert_equal "$(variable_of d SPAWND_MODEL)" small
	assert_equal "$(variable_of d B)" base
	assert_equal "$(job_field d .limits.max_idle)" 7m
}

@test "option, meta, profile, configuration, default: in this order" {
	configure '[watchdog]' 'max_total = 11m' 'max_idle = 12m' 'kill_grace = 13s' 'max_extend = 14m' \
		'[profile p]' 'max_total = 21m' 'max_idle = 22m' 'kill_grace = 23s'
	finish c --profile p --meta child_watchdog.max_total_secs=1860 --meta child_watchdog.max_idle_secs=1920 \
		--max-total 41m -- true
	assert_equal "$(job_field c '.limits | [.max_total, .max_idle, .kill_grace, .max_extend, .check_interval] | join(" ")')" \
		'41m 32m 23s 14m 0s'
}

@test "a profile that does not exist is refused, naming those that do" {
	configure '[profile one]' 'nice = 3' '[profile two]' 'nice = 4'
	run -64 --separate-stderr spawnd enqueue --parent P --child c --profile three -- true
	assert_regex "$stderr" "no profile 'three'; there are one, two"
	run -64 --separate-stderr spawnd enqueue --parent P --child c --profile 'a b' -- true
	assert_regex "$stderr" "profile id 'a b'"
}

@test "a policy is inherited from the job above, and only gets tighter" {
	configure '[profile loose]' 'approvals = allow' '[profile asking]' 'approvals = ask' \
		'[profile tight]' 'approvals = deny'
	policy_of() {
		job_field "$1" .approvals
	}
	spawnd enqueue --parent P --child none -- testjob stall
	spawnd enqueue --parent P --child loose --profile loose -- testjob stall
	spawnd enqueue --parent loose --child loose.none -- testjob stall
	spawnd enqueue --parent loose.none --child loose.asking --profile asking -- testjob stall
	spawnd enqueue --parent loose.none --child tight --profile tight -- testjob stall
	spawnd enqueue --parent tight --child tight.loose --profile loose -- true
	spawnd enqueue --parent none --child none.loose --profile loose -- true
	assert_equal "$(for c in none loose loose.none loose.asking tight tight.loose none.loose; do policy_of $c; done | tr '\n' ' ')" \
		'ask allow allow ask deny deny ask '
	# What was accepted stays, whatever the configuration says later.
	configure '[profile tight]' 'approvals = allow'
	spawnd reload
	spawnd enqueue --parent tight --child tight.later --profile tight -- true
	assert_equal "$(policy_of tight.later)" deny
}

@test "a job does not get a looser policy for what it enqueues elsewhere" {
	configure '[profile loose]' 'approvals = allow' '[profile tight]' 'approvals = deny'
	cat >elsewhere <<-'END'
		spawnd() { env -i SPAWND_HOME="$SPAWND_HOME" "$SPAWND" "$@"; }
		"$SPAWND" enqueue --parent other --child "$1.other" --profile loose -- true
		spawnd enqueue --parent other --child "$1.bare" --profile loose -- true
		SPAWND_JOB=1 "$SPAWND" enqueue --parent free --child "$1.claimed" --profile loose -- true
		setsid -w env -i SPAWND_HOME="$SPAWND_HOME" "$SPAWND" enqueue --child "$1.apart" --profile loose -- true
	END
	spawnd enqueue --parent P --child free --profile loose -- testjob stall
	for profile in tight loose; do
		spawnd run --parent P --child "$profile" --profile "$profile" -- sh "$TEST_DIR/elsewhere" "$profile"
	done
	spawnd run --parent P --child plain -- sh "$TEST_DIR/elsewhere" plain
	assert_equal "$(for c in tight loose plain; do for how in other bare claimed apart; do job_field $c.$how .approvals; done; done | tr '\n' ' ')" \
		'deny deny deny deny allow allow allow allow ask ask ask ask '
	spawnd cancel free
}

@test "what a job has of its profile it keeps when that changes" {
	configure '[spawnd]' 'max_running = 1' '[profile p]' 'model = before' 'env.X = before' 'max_idle = 5m'
	spawnd enqueue --parent P --child first -- testjob stall
	spawnd enqueue --parent P --child c --profile p -- env -0
	configure '[spawnd]' 'max_running = 1'
	spawnd reload
	spawnd cancel first
	await_record c
	assert_equal "$(variable_of c SPAWND_MODEL)" before
	assert_equal "$(variable_of c SPAWND_PROFILE)" p
	assert_equal "$(variable_of c X)" before
	assert_equal "$(job_field c .limits.max_idle)" 5m
}

@test "config check finds a circle, an unknown profile and an unknown key; config show tells where a value is from" {
	configure '[profile a]' 'inherits = b' '[profile b]' 'inherits = a' '[profile c]' 'inherits = d' 'modle = x' 'pool = e'
	run -78 --separate-stderr spawnd config check
	assert_regex "$stderr" 'spawnd.ini:8: \[profile c\] pool = e: there is no such pool'
	assert_regex "$stderr" 'spawnd.ini:2: \[profile a\] inherits = b: it inherits in a circle, a from b from a'
	assert_regex "$stderr" 'spawnd.ini:6: \[profile c\] inherits = d: there is no such profile'
	assert_regex "$stderr" 'spawnd.ini:7: \[profile c\] modle = x: unknown key; did you mean model'
	configure '[profile a]' 'max_idle = 300' 'env.X = y' '[profile b]' 'inherits = a' 'model = m'
	run -0 spawnd config show
	assert_line --regexp '^\[profile b\]$'
	assert_line --regexp '^max_idle +5m +[^ ]*/spawnd.ini:2 \(profile a\)$'
	run -0 spawnd config show --json
	assert_equal "$(jq -r '.["profile b"].max_idle.value, .["profile b"].model.origin' <<<"$output")" \
		"5m"$'\n'"$SPAWND_HOME/spawnd.ini:6"
}

@test "a priority is taken from the profile where none is given" {
	configure '[spawnd]' 'max_running = 1' '[profile first]' 'priority = 9' '[profile last]' 'inherits = first' 'priority = -9'
	spawnd enqueue --parent P --child busy -- testjob stall
	spawnd enqueue --parent P --child last --profile last -- true
	spawnd enqueue --parent P --child plain -- true
	spawnd enqueue --parent P --child first --profile first -- true
	spawnd enqueue --parent P --child zero --profile first --priority 0 -- true
	assert_equal "$(for c in last plain first zero; do job_field $c .priority; done | tr '\n' ' ')" '-9 0 9 0 '
	spawnd cancel busy
	await_record last
	assert_equal "$(spawnd results --parent P | jq -r .child | tr '\n' ' ')" 'busy first plain zero last '
	configure '[profile p]' 'priority = 101'
	run -78 --separate-stderr spawnd config check
	assert_regex "$stderr" ':2: \[profile p\] priority = 101: too large; write a whole number from -100 to 100'
}

@test "a request that is repeated gets its answer though its profile is gone" {
	local first

	configure '[profile p]' 'model = m' '[runner r]' 'match_model = m' 'command = echo %m'
	first=$(spawnd enqueue --token once --profile p --json | jq -c '[.job, .child, .parent]')
	configure '[spawnd]'
	spawnd reload
	assert_equal "$(spawnd enqueue --token once --profile p --json | jq -c '[.job, .child, .parent]')" "$first"
	run -64 spawnd enqueue --token twice --profile p
}

@test "jobs of a batch have their profiles, and their own variables over these" {
	configure '[profile p]' 'model = m' 'env.A = profile' 'env.B = profile' '[runner r]' 'match_child = r*' 'command = env -0'
	spawnd enqueue --batch - <<-'END'
		{"parent":"P","child":"c","profile":"p","env":{"A":"own"},"argv":["env","-0"]}
		{"parent":"P","child":"r","profile":"p","model":"other"}
	END
	await_record c
	await_record r
	assert_equal "$(variable_of c A) $(variable_of c B) $(variable_of c SPAWND_MODEL)" 'own profile m'
	assert_equal "$(variable_of r A) $(variable_of r SPAWND_MODEL)" 'profile other'
}
