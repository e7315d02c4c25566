package auth

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// oracle is an Authorizer made of a function, which counts its calls.
type oracle struct {
	calls  atomic.Int64
	answer func(context.Context, Question) (Answer, error)
}

func (o *oracle) Authorize(ctx context.Context, q Question) (Answer, error) {
	o.calls.Add(1)
	return o.answer(ctx, q)
}

func always(a Answer, err error) *oracle {
	return &oracle{answer: func(context.Context, Question) (Answer, error) { return a, err }}
}

func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func TestGuardRemembersDecisions(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for name, tc := range map[string]struct {
			answer Answer
			good   time.Duration // for how long the answer says that it is good; 0: it does not
			err    error
			calls  int64 // of two in a row
		}{
			"yes":               {Answer{User: "ann"}, 0, nil, 1},
			"no":                {Answer{}, 0, ErrDenied, 1},
			"who are you":       {Answer{}, 0, ErrUnauthorized, 1},
			"no idea":           {Answer{}, 0, errors.New("refused"), 2},
			"yes, for a moment": {Answer{}, time.Second, nil, 1},
			"yes, once":         {Answer{}, -1, nil, 2},
		} {
			if tc.good != 0 {
				tc.answer.Expires = time.Now().Add(tc.good)
			}
			o := always(tc.answer, tc.err)
			g := NewGuard(o, GuardOptions{})
			q := Question{Action: Subscribe, Channel: "a", User: "ann"}
			ask := func() {
				a, err := g.Authorize(t.Context(), q)
				if !errors.Is(err, tc.err) || a.User != tc.answer.User || !decided(tc.err) && !errors.Is(err, ErrUnavailable) {
					t.Errorf("%s: %v, %v", name, a, err)
				}
			}
			ask()
			ask()
			if n := o.calls.Load(); n != tc.calls {
				t.Errorf("%s: asked %d times", name, n)
			}
			time.Sleep(g.options.Remember)
			if ask(); o.calls.Load() != tc.calls+1 {
				t.Errorf("%s: an old answer counts", name)
			}
		}
	})
}

func about(a Action, channel, user, handshake string) Question {
	return Question{Action: a, Channel: channel, User: user, Handshake: handshake}
}

// Whatever makes questions differ makes them different ones.
func TestGuardTellsQuestionsApart(t *testing.T) {
	t.Parallel()
	o := always(Answer{}, nil)
	g := NewGuard(o, GuardOptions{})
	questions := []Question{
		about(Subscribe, "a", "b", ""), about(Publish, "a", "b", ""), about(Subscribe, "ab", "", ""), about(Subscribe, "", "ab", ""),
		about(Subscribe, "a", "", "b"), about(Connect, "", "", ""), about(Subscribe, "a", "b", "c"),
	}
	for _, q := range questions {
		if _, err := g.Authorize(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.calls.Load(); n != int64(len(questions)) {
		t.Errorf("%d questions were asked %d times", len(questions), n)
	}
}

func TestGuardMemoryIsBounded(t *testing.T) {
	t.Parallel()
	g := NewGuard(always(Answer{}, nil), GuardOptions{Answers: 10, Remember: time.Hour})
	for i := range 1000 {
		if _, err := g.Authorize(t.Context(), Question{User: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
		if n := len(g.answers); n > 10 || n == 0 {
			t.Fatalf("%d answers are remembered", n)
		}
	}
	off := NewGuard(always(Answer{}, nil), GuardOptions{Remember: -1})
	if _, err := off.Authorize(t.Context(), Question{}); err != nil || len(off.answers) != 0 {
		t.Errorf("%v, %d answers are remembered", err, len(off.answers))
	}
}

// Questions wait for their turn, but not longer than for an answer.
func TestGuardBoundsQuestions(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var open, most atomic.Int64
		o := &oracle{answer: func(ctx context.Context, _ Question) (Answer, error) {
			most.Store(max(most.Load(), open.Add(1)))
			defer open.Add(-1)
			<-ctx.Done()
			return Answer{}, ctx.Err()
		}}
		g := NewGuard(o, GuardOptions{Concurrency: 3, Timeout: time.Second})
		began := time.Now()
		results := make(chan error)
		for i := range 10 {
			go func() {
				_, err := g.Authorize(t.Context(), Question{User: strconv.Itoa(i)})
				results <- err
			}()
		}
		for range 10 {
			if err := <-results; !errors.Is(err, ErrUnavailable) {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != time.Second || most.Load() != 3 {
			t.Errorf("it took %v, with %d questions at once", took, most.Load())
		}
	})
}

// A panic does not take a turn away from the others.
func TestGuardSurvivesPanics(t *testing.T) {
	t.Parallel()
	broken := true
	o := &oracle{answer: func(context.Context, Question) (Answer, error) {
		if broken {
			panic("broken")
		}
		return Answer{}, nil
	}}
	g := NewGuard(o, GuardOptions{Concurrency: 1})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = g.Authorize(t.Context(), Question{})
	}()
	broken = false
	if _, err := g.Authorize(t.Context(), Question{}); err != nil {
		t.Error(err)
	}
}

func TestActionString(t *testing.T) {
	t.Parallel()
	for a, want := range map[Action]string{0: "", Connect: "connect", Subscribe | Publish: "subscribe,publish"} {
		if got := a.String(); got != want {
			t.Errorf("%d is %q, want %q", a, got, want)
		}
	}
}

// Of whom something has become known, the app is asked anew: about who asked, about who
// it turned out to be, and also when its answer was on its way.
func TestGuardForgets(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		o := always(Answer{User: "ann"}, nil)
		g := NewGuard(o, GuardOptions{})
		questions := []Question{{Action: Connect, Handshake: "cookie"}, {Action: Publish, Channel: "a", User: "ann"}}
		ask := func() int64 {
			before := o.calls.Load()
			for _, q := range questions {
				if _, err := g.Authorize(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			return o.calls.Load() - before
		}
		for _, step := range []struct {
			forget string
			asked  int64
		}{{"bob", 2}, {"bob", 0}, {"ann", 2}, {"bob", 0}} {
			g.Forget(step.forget)
			if n := ask(); n != step.asked {
				t.Errorf("after %q was forgotten: asked %d times", step.forget, n)
			}
		}
	})
}

// A yes that was on its way when its user was forgotten does not count: the question is
// asked again, whether it named the user or the answer did. A no counts, and neither is
// remembered. The answer is as old as the last question.
func TestGuardAsksAgain(t *testing.T) {
	unknown := errors.New("away")
	for name, tc := range map[string]struct {
		q       Question
		first   Answer
		err     error
		forget  string
		asked   int64
		want    error
		answers int // remembered
	}{
		"who asked":               {Question{User: "ann"}, Answer{}, nil, "ann", 2, ErrDenied, 1},
		"who it turned out to be": {Question{Handshake: "cookie"}, Answer{User: "ann"}, nil, "ann", 2, ErrDenied, 1},
		"somebody else":           {Question{User: "ann"}, Answer{}, nil, "bob", 1, nil, 0},
		"a no":                    {Question{User: "ann"}, Answer{}, ErrUnauthorized, "ann", 1, ErrUnauthorized, 0},
		"no answer":               {Question{User: "ann"}, Answer{}, unknown, "ann", 1, unknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var g *Guard
				o := new(oracle)
				o.answer = func(context.Context, Question) (Answer, error) {
					if o.calls.Load() > 1 {
						return Answer{}, ErrDenied
					}
					time.Sleep(2500 * time.Millisecond)
					g.Forget(tc.forget)
					return tc.first, tc.err
				}
				g = NewGuard(o, GuardOptions{})
				_, err := g.Authorize(t.Context(), tc.q)
				if !errors.Is(err, tc.want) || tc.want == nil && err != nil || o.calls.Load() != tc.asked {
					t.Errorf("%v after %d questions", err, o.calls.Load())
				}
				if len(g.answers) != tc.answers || len(g.open) != 0 {
					t.Errorf("%d answers and %d questions are left", len(g.answers), len(g.open))
				}
			})
		})
	}
}

// Who is forgotten for ever is not let in, and does not keep a turn for ever. So many
// others that they are not listed are like the user.
func TestGuardGivesUpAskingAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var g *Guard
		many := always(Answer{}, nil)
		g = NewGuard(many, GuardOptions{})
		forget := func(users int) func(context.Context, Question) (Answer, error) {
			return func(context.Context, Question) (Answer, error) {
				for i := range users {
					g.Forget(strconv.Itoa(i))
				}
				return Answer{}, nil
			}
		}
		for users, want := range map[int]int64{1: maxAsks, maxForgotten: 1, maxForgotten + 1: maxAsks} {
			many.calls.Store(0)
			many.answer = forget(users)
			user := "0"
			if users > 1 {
				user = "ann"
			}
			_, err := g.Authorize(t.Context(), Question{User: user})
			if many.calls.Load() != want || (want == maxAsks) != errors.Is(err, ErrUnavailable) {
				t.Errorf("%d were forgotten: %v after %d questions", users, err, many.calls.Load())
			}
		}
	})
}

// A remembered answer is as old as it is, so that a revocation covers it.
func TestGuardSaysWhenItAsked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g, asked := NewGuard(always(Answer{}, nil), GuardOptions{}), time.Now()
		for range 2 {
			a, err := g.Authorize(t.Context(), Question{})
			if err != nil || !a.Asked.Equal(asked) {
				t.Errorf("asked at %v instead of %v, %v", a.Asked, asked, err)
			}
			time.Sleep(time.Second)
		}
	})
}

// What clients send is as long as they like, and secret.
func TestGuardKeepsNoQuestions(t *testing.T) {
	// Not in parallel: it looks at the memory of the process.
	g := NewGuard(always(Answer{}, nil), GuardOptions{Remember: time.Hour})
	handshake := strings.Repeat("x", 16<<10)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 5000 {
		if _, err := g.Authorize(t.Context(), Question{Handshake: handshake + strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("%d answers take %d MiB", len(g.answers), grown>>20)
	}
	runtime.KeepAlive(g)
}
