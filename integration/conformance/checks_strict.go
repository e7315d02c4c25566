package conformance

var strictChecks = []Check{
	{"with conflict strict a change of an older version is rejected, whatever it touches", "Documents", []need{needRoom(Strict)}, func(r *run) {
		channel := r.channel(Strict)
		a, b := edit(r, channel), edit(r, channel)
		old := a.version
		a.change(object{"a": 1})
		state := object{"a": 1}
		for _, patch := range []any{
			object{"b": 2},
			[]object{{"op": "increment", "path": "/votes", "value": 1}},
		} {
			b.rejectedChange(old, patch, "CONFLICT").want("serverState", state, "serverVersion", a.version)
		}
		b.version = a.version
		b.change(object{"b": 2})
		wantState(r.open().subscribe(channel), b.version, object{"a": 1, "b": 2})
	}},
	{"with conflict strict a change that is sent again is made once", "Documents", []need{needRoom(Strict)}, func(r *run) {
		channel := r.channel(Strict)
		a, b := edit(r, channel), edit(r, channel)
		again := a.propose(a.version, object{"a": 1})
		first := a.do("change", again, "change-accepted")
		b.do("change", again, "change-accepted").want("duplicate", true, "serverVersion", first.Payload["serverVersion"])
	}},
}
