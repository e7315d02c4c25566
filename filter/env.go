package filter

import (
	"sync"

	"cel.dev/cel-go/cel"
)

// environments are the declarations of both scopes. They are made when the first filter is
// compiled: a server without filters does not pay for them.
var environments = sync.OnceValue(func() [2]*cel.Env {
	message := []cel.EnvOption{
		cel.Variable("tags", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("event", cel.StringType),
		cel.Variable("sender", cel.StringType),
		cel.Variable("content", cel.DynType),
		// A filter is short, and a deep one would only keep the parser busy.
		cel.ParserRecursionLimit(64),
		cel.ParserExpressionSizeLimit(MaxLength),
	}
	subscriber := []cel.EnvOption{
		cel.Variable("user", cel.StringType),
		cel.Variable("claim", cel.MapType(cel.StringType, cel.StringType)),
	}
	return [2]*cel.Env{Client: environment(message), Config: environment(append(message, subscriber...))}
})

func environment(o []cel.EnvOption) *cel.Env {
	env, err := cel.NewEnv(o...)
	if err != nil {
		panic("filter: " + err.Error()) // the declarations are constant, and a test compiles with them
	}
	return env
}
