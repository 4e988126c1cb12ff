package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// operators maps each operator of two operands to its replacement: another comparison or bound, the
// other connective, or the opposite arithmetic or bit operation.
var operators = map[token.Token]struct {
	name string
	to   token.Token
}{
	token.EQL: {"compare", token.NEQ}, token.NEQ: {"compare", token.EQL},
	token.LSS: {"bound", token.LEQ}, token.LEQ: {"bound", token.LSS},
	token.GTR: {"bound", token.GEQ}, token.GEQ: {"bound", token.GTR},
	token.LAND: {"connective", token.LOR}, token.LOR: {"connective", token.LAND},
	token.ADD: {"arithmetic", token.SUB}, token.SUB: {"arithmetic", token.ADD},
	token.MUL: {"arithmetic", token.QUO}, token.QUO: {"arithmetic", token.MUL}, token.REM: {"arithmetic", token.MUL},
	token.AND: {"bits", token.OR}, token.OR: {"bits", token.AND}, token.AND_NOT: {"bits", token.AND},
	token.XOR: {"bits", token.OR}, token.SHL: {"bits", token.SHR}, token.SHR: {"bits", token.SHL},

	token.ADD_ASSIGN: {"arithmetic", token.SUB_ASSIGN}, token.SUB_ASSIGN: {"arithmetic", token.ADD_ASSIGN},
	token.MUL_ASSIGN: {"arithmetic", token.QUO_ASSIGN}, token.QUO_ASSIGN: {"arithmetic", token.MUL_ASSIGN},
	token.AND_ASSIGN: {"bits", token.OR_ASSIGN}, token.OR_ASSIGN: {"bits", token.AND_ASSIGN},
	token.AND_NOT_ASSIGN: {"bits", token.OR_ASSIGN}, token.XOR_ASSIGN: {"bits", token.OR_ASSIGN},
	token.INC: {"arithmetic", token.DEC}, token.DEC: {"arithmetic", token.INC},
}

// finder collects the edits of one declaration.
type finder struct {
	fset  *token.FileSet
	src   []byte
	found []found
}

type found struct {
	pos      token.Pos
	operator string
	edit     edit
}

// replace adds the mutant that has text in place of the source from pos to end.
func (f *finder) replace(operator string, pos, end token.Pos, text string) {
	f.found = append(f.found, found{pos, operator, edit{f.offset(pos), f.offset(end), text}})
}

func (f *finder) offset(pos token.Pos) int { return f.fset.Position(pos).Offset }

func (f *finder) text(n ast.Node) string {
	return string(f.src[f.offset(n.Pos()):f.offset(n.End())])
}

// scope visits the nodes of one function. The types of its results determine what its return
// statements can return instead.
type scope struct {
	*finder
	results []string // the types of the results, as written
}

// Visit adds the mutants of one node. It omits undetectable ones: capacities, and assertions that a
// type implements an interface.
func (s scope) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return scope{s.finder, results(n.Type)}
	case *ast.FuncLit:
		return scope{s.finder, results(n.Type)}
	case *ast.ValueSpec:
		if n.Names[0].Name == "_" {
			return nil
		}
	case *ast.ImportSpec, *ast.Field: // a tag, the length of an array in a signature
		return nil
	case *ast.CallExpr:
		if isCapacity(n) {
			return nil
		}
	case *ast.BinaryExpr:
		if n.Op != token.ADD || !isText(n) {
			s.operator(n.OpPos, n.Op)
		}
	case *ast.BasicLit:
		s.constant(n)
	case *ast.Ident:
		if other := map[string]string{"true": "false", "false": "true"}[n.Name]; other != "" {
			s.replace("boolean", n.Pos(), n.End(), other)
		}
	case *ast.IfStmt:
		s.guard(n.Cond)
	case *ast.ForStmt:
		s.guard(n.Cond)
	case *ast.ReturnStmt:
		s.returned(n)
	case *ast.IncDecStmt:
		s.operator(n.TokPos, n.Tok)
	case *ast.AssignStmt:
		if n.Tok != token.ADD_ASSIGN || !isText(n.Rhs[0]) {
			s.operator(n.TokPos, n.Tok)
		}
	case *ast.BlockStmt:
		s.statements(n.List)
	case *ast.CaseClause:
		s.statements(n.Body)
	case *ast.CommClause:
		s.statements(n.Body)
	}
	return s
}

// operator adds the mutant with the replacement of op, if there is one.
func (s scope) operator(pos token.Pos, op token.Token) {
	if to, ok := operators[op]; ok {
		s.replace(to.name, pos, pos+token.Pos(len(op.String())), to.to.String())
	}
}

// constant adds the mutants that change an integer by one.
func (s scope) constant(n *ast.BasicLit) {
	value, err := strconv.ParseInt(n.Value, 0, 64)
	if n.Kind != token.INT || err != nil {
		return
	}
	s.replace("constant", n.Pos(), n.End(), strconv.FormatInt(value+1, 10))
	if value > 0 {
		s.replace("constant", n.Pos(), n.End(), strconv.FormatInt(value-1, 10))
	}
}

// guard adds the mutants of a condition: negated, unless another operator does the same, and never
// true.
func (s scope) guard(cond ast.Expr) {
	if cond == nil {
		return
	}
	if !isEquality(cond) {
		s.replace("guard negated", cond.Pos(), cond.End(), "!("+s.text(cond)+")")
	}
	s.replace("guard off", cond.Pos(), cond.End(), "false && ("+s.text(cond)+")")
}

// returned adds the mutants of returned values: no error, the other boolean, an empty string, and
// two results of the same type swapped.
func (s scope) returned(n *ast.ReturnStmt) {
	if len(n.Results) != len(s.results) {
		return
	}
	for i, result := range n.Results {
		to := ""
		switch text := s.text(result); s.results[i] {
		case "error":
			to = "nil"
		case "bool":
			if text != "true" && text != "false" && !isEquality(result) {
				to = "!(" + text + ")"
			}
		case "string":
			to = `""`
		}
		if to != "" && to != s.text(result) {
			s.replace("returned", result.Pos(), result.End(), to)
		}
		if i > 0 && s.results[i] == s.results[i-1] && s.text(result) != s.text(n.Results[i-1]) {
			s.replace("returned swapped", n.Results[i-1].Pos(), result.End(), s.text(result)+", "+s.text(n.Results[i-1]))
		}
	}
}

// statements adds the mutants that remove one statement. An assignment keeps its right-hand side,
// so nothing becomes unused.
func (s scope) statements(list []ast.Stmt) {
	for _, stmt := range list {
		switch stmt := stmt.(type) {
		case *ast.AssignStmt:
			if stmt.Tok == token.DEFINE || isBlank(stmt.Lhs) {
				continue
			}
			blanks := strings.TrimSuffix(strings.Repeat("_, ", len(stmt.Lhs)), ", ")
			value := string(s.src[s.offset(stmt.Rhs[0].Pos()):s.offset(stmt.End())])
			s.replace("dropped", stmt.Pos(), stmt.End(), blanks+" = "+value)
		case *ast.ExprStmt:
			if call, ok := stmt.X.(*ast.CallExpr); !ok || !isCapacity(call) {
				s.replace("dropped", stmt.Pos(), stmt.End(), "")
			}
		case *ast.ReturnStmt:
			if len(stmt.Results) == 0 {
				s.replace("dropped", stmt.Pos(), stmt.End(), "")
			}
		case *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt, *ast.BranchStmt:
			s.replace("dropped", stmt.Pos(), stmt.End(), "")
		}
	}
}

// results returns the types of the results of a function, one for each.
func results(fn *ast.FuncType) []string {
	if fn.Results == nil {
		return nil
	}
	var all []string
	for _, field := range fn.Results.List {
		for range max(1, len(field.Names)) {
			all = append(all, types.ExprString(field.Type))
		}
	}
	return all
}

// isCapacity reports whether a call only allocates capacity: make of an empty slice or of a map,
// and Grow.
func isCapacity(call *ast.CallExpr) bool {
	switch fn := call.Fun.(type) {
	case *ast.IndexExpr:
		return false
	case *ast.SelectorExpr:
		return fn.Sel.Name == "Grow"
	case *ast.Ident:
		if fn.Name != "make" || len(call.Args) == 0 {
			return false
		}
		if _, ok := call.Args[0].(*ast.MapType); ok {
			return true
		}
		if len(call.Args) < 3 {
			return false
		}
		length, ok := call.Args[1].(*ast.BasicLit)
		return ok && length.Value == "0"
	}
	return false
}

// isText reports whether an expression is a string literal, or a sum that contains one.
func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (isText(e.X) || isText(e.Y))
	}
	return false
}

// isEquality reports whether an expression is a comparison with == or !=, which replacing the
// operator negates.
func isEquality(e ast.Expr) bool {
	binary, ok := e.(*ast.BinaryExpr)
	return ok && (binary.Op == token.EQL || binary.Op == token.NEQ)
}

func isBlank(list []ast.Expr) bool {
	return !slices.ContainsFunc(list, func(e ast.Expr) bool {
		name, ok := e.(*ast.Ident)
		return !ok || name.Name != "_"
	})
}
