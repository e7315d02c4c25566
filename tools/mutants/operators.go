package main

import (
	"go/ast"
	"go/token"
)

// operator is a place in a file where gremlins makes mutants.
type operator struct {
	node  ast.Node
	token token.Token
	at    token.Pos
}

// operators returns the operators of a file, always in the same order. The order names an operator, because
// gremlins prints a file anew and thereby moves it.
func operators(tree *ast.File) (all []operator) {
	ast.Inspect(tree, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.BinaryExpr:
			all = append(all, operator{e, e.Op, e.OpPos})
		case *ast.IncDecStmt:
			all = append(all, operator{e, e.Tok, e.TokPos})
		case *ast.UnaryExpr:
			all = append(all, operator{e, e.Op, e.OpPos})
		}
		return true
	})
	return all
}

// changed returns the index of the one operator that differs and its new token, or -1.
func changed(original, mutated *ast.File) (int, token.Token) {
	a, b := operators(original), operators(mutated)
	if len(a) != len(b) {
		return -1, 0
	}
	for i := range a {
		if a[i].token != b[i].token {
			return i, b[i].token
		}
	}
	return -1, 0
}

// isBoundary reports whether a mutant only moves the boundary of a comparison.
func isBoundary(from, to token.Token) bool {
	switch from {
	case token.LSS:
		return to == token.LEQ
	case token.LEQ:
		return to == token.LSS
	case token.GTR:
		return to == token.GEQ
	case token.GEQ:
		return to == token.GTR
	}
	return false
}
