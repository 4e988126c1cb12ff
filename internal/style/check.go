package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

const (
	maxColumns      = 140 // of a line of Go; a tab counts 4
	maxTableColumns = 180 // of a line of a table: a composite literal of several lines
	maxLines        = 80  // of a function, without its tables
)

// phrases are expressions that readers stumble over, with what to write instead.
var phrases = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?i)\b(says?|tells?) whether\b`), `"reports whether"`},
	{regexp.MustCompile(`(?i)\bat the most\b`), `"at most"`},
	{regexp.MustCompile(`(?i)\b(somebody|nobody)\b`), `the actor: "another client", "the user"`},
	{regexp.MustCompile(`(?i)\banew\b`), `"again", or a verb with "re"`},
	{regexp.MustCompile(`(?i)\bhangs? on\b`), `"depends on"`},
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), `"fix"`},
	// "Where it is nil, ...", and after what only a condition follows.
	{regexp.MustCompile(`(?:^|[.;:] )Where [^.?:]*, `), `"if" or "when", since "where" is a place`},
	{regexp.MustCompile(`(?i)\b(but|even|except|only|unless) where\b`), `"if" or "when", since "where" is a place`},
	{regexp.MustCompile(`\bwhere (there (is|are)|it (is|has)|they (are|have)|that is|possible|needed|necessary)\b`), `"if" or "when", since "where" is a place`},
}

// misnamed matches tests that begin with a word other than what they test.
var misnamed = regexp.MustCompile(`^(Test|Fuzz|Benchmark)(A|All|An|Each|Every|It|No|One|The|These|This|What|When)([A-Z].*)?$`)

type problem struct {
	file string
	line int
	text string
}

func (p problem) String() string { return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.text) }

// count is a number of words, and how many of them are "where" and "if".
type count struct{ words, where, ifs int }

func (c count) add(d count) count {
	return count{c.words + d.words, c.where + d.where, c.ifs + d.ifs}
}

func (c count) String() string {
	share := func(n int) float64 { return 1000 * float64(n) / float64(max(c.words, 1)) }
	return fmt.Sprintf("%d words; of 1,000 %.2f are \"where\" (%d) and %.2f are \"if\"", c.words, share(c.where), c.where, share(c.ifs))
}

var word = regexp.MustCompile(`[A-Za-z][A-Za-z'-]*`)

func countWords(text string) count {
	var c count
	for _, w := range word.FindAllString(text, -1) {
		c.words++
		switch strings.ToLower(w) {
		case "where":
			c.where++
		case "if":
			c.ifs++
		}
	}
	return c
}

// checkGo returns the problems of the Go file src, and the count of the words of
// its comments. It fails if src does not parse.
func checkGo(file string, src []byte) ([]problem, count, error) {
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, count{}, err
	}
	if ast.IsGenerated(tree) {
		return nil, count{}, nil
	}
	line := func(pos token.Pos) int { return files.Position(pos).Line }
	var problems []problem
	report := func(line int, format string, args ...any) {
		problems = append(problems, problem{file, line, fmt.Sprintf(format, args...)})
	}
	var words count
	for _, group := range tree.Comments {
		words = words.add(countWords(group.Text()))
		for _, text := range findPhrases(group.Text()) {
			report(line(group.Pos()), "%s", text)
		}
	}
	tables := tableLines(tree, line)
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
				for _, found := range findPhrases(text) {
					report(line(n.Pos()), "%s", found)
				}
			}
		case *ast.FuncDecl:
			if n.Recv == nil && strings.HasSuffix(file, "_test.go") && misnamed.MatchString(n.Name.Name) {
				report(line(n.Pos()), "%s: begin the name with what it tests: a function, a type or a word of the domain", n.Name.Name)
			}
			if lines := functionLines(n, tables, line); lines > maxLines {
				report(line(n.Pos()), "%s has %d lines without its tables: at most %d", n.Name.Name, lines, maxLines)
			}
		case *ast.FuncLit:
			if lines := functionLines(n, tables, line); lines > maxLines {
				report(line(n.Pos()), "a function literal has %d lines without its tables: at most %d", lines, maxLines)
			}
		}
		return true
	})
	for i, text := range strings.Split(string(src), "\n") {
		limit := maxColumns
		if tables[i+1] != nil {
			limit = maxTableColumns
		}
		if columns := len([]rune(strings.ReplaceAll(text, "\t", "    "))); columns > limit {
			report(i+1, "the line has %d columns: at most %d", columns, limit)
		}
	}
	return problems, words, nil
}

// tableLines returns the composite literal around each line of a table, by the
// number of the line. The lines of a function literal in a table do not belong to
// the table.
func tableLines(tree *ast.File, line func(token.Pos) int) map[int]ast.Node {
	tables := map[int]ast.Node{}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if first, last := line(n.Lbrace), line(n.Rbrace); first != last {
				for i := first; i <= last; i++ {
					tables[i] = n
				}
			}
		case *ast.FuncLit:
			for i := line(n.Body.Lbrace) + 1; i < line(n.Body.Rbrace); i++ {
				delete(tables, i)
			}
		}
		return true
	})
	return tables
}

// functionLines returns how many lines fn has, without those of the tables that
// it holds.
func functionLines(fn ast.Node, tables map[int]ast.Node, line func(token.Pos) int) int {
	lines := 0
	for i := line(fn.Pos()); i <= line(fn.End()); i++ {
		if table := tables[i]; table == nil || table.Pos() < fn.Pos() {
			lines++
		}
	}
	return lines
}

// checkMarkdown returns the problems of the document src, and the count of its
// words. It skips blocks of code, which quote files and outputs that are checked
// themselves.
func checkMarkdown(file string, src []byte) ([]problem, count) {
	var problems []problem
	var words count
	inCode, first := false, 1
	var paragraph []string
	end := func() {
		text := strings.Join(paragraph, "\n")
		words = words.add(countWords(text))
		for _, found := range findPhrases(text) {
			problems = append(problems, problem{file, first, found})
		}
		paragraph = nil
	}
	for i, text := range strings.Split(string(src), "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(text), "```")
		if fence || inCode || strings.TrimSpace(text) == "" {
			end()
			inCode = inCode != fence
			continue
		}
		if len(paragraph) == 0 {
			first = i + 1
		}
		paragraph = append(paragraph, text)
	}
	end()
	return problems, words
}

// findPhrases returns a line for each phrase of text that readers stumble over.
func findPhrases(text string) []string {
	text = strings.Join(strings.Fields(text), " ")
	var found []string
	for _, p := range phrases {
		for _, match := range p.pattern.FindAllString(text, -1) {
			if len(match) > 40 {
				match = match[:40] + "..."
			}
			found = append(found, fmt.Sprintf("%q: write %s", strings.TrimLeft(match, ".;: "), p.instead))
		}
	}
	return found
}
