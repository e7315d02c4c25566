package auth

import (
	"strconv"
	"testing"
	"time"
)

func TestRevoked(t *testing.T) {
	t.Parallel()
	now := time.Now()
	end := now.Add(time.Hour)
	id := Identity{User: "ann", ID: "t1", Issued: now.Add(-time.Hour), Expires: end}
	later := Identity{User: "ann", ID: "t2", Issued: now.Add(time.Minute), Expires: end}
	tokenless := Identity{User: "ann", Issued: now.Add(-time.Hour)}
	cases := map[string]struct {
		revoke      Revocation
		id          Identity
		wantRevoked bool
	}{
		"user":                    {Revocation{User: "ann"}, id, true},
		"other user":              {Revocation{User: "bob"}, id, false},
		"token":                   {Revocation{ID: "t1"}, id, true},
		"other token":             {Revocation{ID: "t2"}, id, false},
		"issued before":           {Revocation{User: "ann", Before: now}, id, true},
		"issued later":            {Revocation{User: "ann", Before: now}, later, false},
		"everybody, before":       {Revocation{Before: now}, id, true},
		"everybody, later":        {Revocation{Before: now}, later, false},
		"does not say when":       {Revocation{User: "ann", Before: now}, Identity{User: "ann", Expires: end}, true},
		"anonymous is not a user": {Revocation{User: "ann"}, Identity{}, false},
		"anonymous has no token":  {Revocation{Before: now}, Identity{}, false},
		"no token, the user":      {Revocation{User: "ann", Before: now}, tokenless, true},
		"no token, everybody":     {Revocation{Before: now}, tokenless, false},
		"no token, a token":       {Revocation{User: "ann", ID: "t1"}, tokenless, false},
		"until the past":          {Revocation{User: "ann", Until: now.Add(-time.Second)}, id, false},
		"until the future":        {Revocation{User: "ann", Until: end}, id, true},
	}
	for name, tc := range cases {
		var l Revocations
		l.Add(tc.revoke, now)
		if got := l.Revoked(tc.id); got != tc.wantRevoked {
			t.Errorf("%s: revoked %v, want %v", name, got, tc.wantRevoked)
		}
	}
}

func TestRevocationsAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var l Revocations
	for i := range maxRevocations {
		l.Add(Revocation{User: strconv.Itoa(i), Until: now.Add(time.Duration(i+1) * time.Minute)}, now)
	}
	if l.Add(Revocation{User: "new", Until: now.Add(time.Hour)}, now) {
		t.Error("a full list did not say that it forgot something")
	}
	if len(l.list) != maxRevocations || l.Revoked(Identity{User: "0"}) || !l.Revoked(Identity{User: "new"}) {
		t.Errorf("%d revocations; the one that ends first must go, the new one must be in", len(l.list))
	}
	if !l.Add(Revocation{User: "newer", Until: now.Add(time.Hour)}, now.Add(10*time.Minute)) {
		t.Error("ended revocations did not make room")
	}
}
