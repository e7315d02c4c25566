package filter

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
)

// The sizes that the estimate assumes. A content may have longer lists and strings: then the
// evaluation stops at the bound.
const (
	assumedItems = 64
	assumedText  = 256
)

// checkCost rejects an expression that costs too much with a message of usual size.
func checkCost(env *cel.Env, tree *cel.Ast) error {
	cost, err := env.EstimateCost(tree, sizes{})
	if err != nil {
		return fmt.Errorf("the cost of the filter can not be estimated: %w", err)
	}
	if cost.Max > MaxCost {
		return fmt.Errorf("the filter is too costly: about %d, and %d are allowed; compare fewer values, and avoid nested loops and long patterns", cost.Max, MaxCost)
	}
	return nil
}

// sizes tells the estimate how large the values of a message are.
type sizes struct{}

// EstimateSize returns the size of a value that the expression does not determine.
func (sizes) EstimateSize(at checker.AstNode) *checker.SizeEstimate {
	most := uint64(assumedItems)
	switch path := at.Path(); {
	case len(path) == 1 && (path[0] == "tags" || path[0] == "claim"):
		most = maxTags
	case at.Type().Kind() == cel.StringKind, len(path) > 0 && path[0] == "tags":
		most = assumedText
	}
	return &checker.SizeEstimate{Max: most}
}

// EstimateCallCost leaves the costs of functions to the library.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
