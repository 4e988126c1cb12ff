package phases

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// What [Load] reads at the most. A definition has dozens of phases and a few
// kilobytes; what is larger by orders is not one.
const (
	MaxFileSize   = 1 << 20
	MaxFilePhases = 10_000
)

// File is what a YAML file defines: one vocabulary, and itineraries that all
// use it. It is plain data, safe to share as long as nobody changes it.
type File struct {
	Vocabulary  *Vocabulary
	Itineraries []Itinerary
}

// Itinerary returns the itinerary of that name. The error is an
// [*UnknownItineraryError].
func (f *File) Itinerary(name string) (Itinerary, error) {
	known := make([]string, len(f.Itineraries))
	for i, it := range f.Itineraries {
		if it.Name == name {
			return it, nil
		}
		known[i] = it.Name
	}
	return Itinerary{}, &UnknownItineraryError{Name: name, Nearest: wording.Nearest(name, known), Known: known}
}

// LoadError says what is wrong at one place of a file.
type LoadError struct {
	// File is the name that Load was given.
	File string
	// Line and Column count from 1, the column in characters; 0 where the
	// place is not known.
	Line, Column int
	// Problem says what is wrong and what to do, on one line.
	Problem string
	// Err is the cause where it has a type of its own: a [*LimitError], an
	// [*UnknownFlagError], a [*VocabularyError], a [*DefinitionError], or what
	// the reader returned. It may be nil.
	Err error
}

func (e *LoadError) Error() string {
	place := e.File
	for _, number := range []int{e.Line, e.Column} {
		if number > 0 {
			place += ":" + strconv.Itoa(number)
		}
	}
	return place + ": " + e.Problem
}

// Unwrap returns the cause, or nil.
func (e *LoadError) Unwrap() error { return e.Err }

// LoadErrors are the problems of a file, in the order of its lines. Of a long
// list only the first are kept, and a last entry says how many more there
// are. errors.As finds the first as a [*LoadError], or by the type of its
// cause.
type LoadErrors []*LoadError

func (e LoadErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors one by one.
func (e LoadErrors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// LimitError says that a file has more of something than it may have.
type LimitError struct {
	// What is counted: "bytes", "phases" or "flags".
	What  string
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("a file holds at most %d %s; split it", e.Limit, e.What)
}

// maxLoadErrors is the number of problems that are listed: more are not read.
const maxLoadErrors = 20

// Load reads a file of itineraries, strictly: whatever it does not know or
// finds ill-formed is an error. The name stands for the file in messages. The
// error is a [LoadErrors] with all that was found; without an error every
// itinerary of the file passes [Itinerary.Validate]. At most [MaxFileSize]
// bytes are read from r, and one to see that there are more.
func Load(r io.Reader, name string) (*File, error) {
	l := &loader{file: name, refused: make(map[string]bool)}
	f := l.load(r)
	if len(l.errs) == 0 {
		return f, nil
	}
	slices.SortStableFunc(l.errs, func(a, b *LoadError) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	if more := l.found - maxLoadErrors; more > 0 {
		l.errs = append(l.errs[:maxLoadErrors:maxLoadErrors], &LoadError{File: name,
			Problem: fmt.Sprintf("%d more problems are not listed; correct those above first", more)})
	}
	return nil, l.errs
}

// loader is the state of one Load.
type loader struct {
	file  string
	errs  LoadErrors
	found int
	// refused are names under flags that could not be declared. They have
	// been reported, and are not reported as unknown again.
	refused map[string]bool
	phases  int
}

// add notes a problem at a place. err is its cause, or nil.
func (l *loader) add(line, column int, err error, format string, args ...any) {
	l.found++
	// A file of nothing but problems must not take the memory of thousands.
	if l.found <= 50*maxLoadErrors {
		l.errs = append(l.errs, &LoadError{File: l.file, Line: line, Column: column, Problem: fmt.Sprintf(format, args...), Err: err})
	}
}

// at notes a problem at a node.
func (l *loader) at(n *yaml.Node, format string, args ...any) {
	l.add(n.Line, n.Column, nil, format, args...)
}

func (l *loader) load(r io.Reader) *File {
	text, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		l.add(0, 0, err, "cannot be read: %v", err)
		return nil
	}
	if len(text) > MaxFileSize {
		limit := &LimitError{What: "bytes", Limit: MaxFileSize}
		l.add(0, 0, limit, "is too large: %v", limit)
		return nil
	}
	root := l.parse(text)
	if root == nil {
		return nil
	}
	top := l.mapping(root, "a file", "flags", "relations", "itineraries")
	if top == nil {
		return nil
	}
	f := &File{Vocabulary: l.vocabulary(top)}
	l.itineraries(root, top, f)
	return f
}

// parse returns the root of the only document, or nil where there is none.
func (l *loader) parse(text []byte) *yaml.Node {
	if at, problem := unreadable(text); problem != "" {
		line, column := position(text, at)
		l.add(line, column, nil, "%s", problem)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	err := decoder.Decode(&doc)
	switch {
	case err == io.EOF, err == nil && doc.Content[0].ShortTag() == "!!null":
		l.add(1, 1, nil, "is empty; list at least one itinerary under itineraries")
		return nil
	case err == nil:
		err = decoder.Decode(&second)
	}
	switch {
	case err == io.EOF:
		return doc.Content[0]
	case err == nil:
		l.at(&second, "a second document begins here; a file holds only one, so move it to a file of its own")
	default:
		l.broken(text, err)
	}
	return nil
}

// unreadable finds the first byte that YAML does not allow in any place.
func unreadable(text []byte) (at int, problem string) {
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return at, fmt.Sprintf("byte %#x is not valid UTF-8; save the file as UTF-8", text[at])
		case r == '\ufeff' && at == 0, r == '\t', r == '\n', r == '\r', r == '\u0085':
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\ufeff', r == 0xfffe, r == 0xffff:
			return at, fmt.Sprintf("character %U is not allowed in YAML; remove it, or write it as an escape in double quotes", r)
		}
		at += size
	}
	return 0, ""
}

// position is the line and the column of a byte.
func position(text []byte, at int) (line, column int) {
	before := text[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

var (
	yamlError = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	// What the parser says, as opposed to the scanner below it: the lines of
	// these count from 0.
	parserError  = regexp.MustCompile(`^did not find expected (<|node content|'|key)`)
	unknownAlias = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
	bareNegation = regexp.MustCompile(`(^|[\[,\s-])!\w`)
)

// broken notes what the YAML parser returned, where it was, and what may have
// been meant.
func (l *loader) broken(text []byte, err error) {
	line, problem := 1, err.Error()
	if m := yamlError.FindStringSubmatch(problem); m != nil {
		problem = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if parserError.MatchString(problem) {
				line++
			}
		}
	}
	if m := unknownAlias.FindStringSubmatch(problem); m != nil {
		line, _ = position(text, max(0, bytes.Index(text, []byte("*"+m[1]))))
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	line = min(line, len(lines))
	todo := "correct it at this line or before it"
	switch at := lines[line-1]; {
	case strings.HasPrefix(strings.TrimLeft(at, " "), "\t"):
		todo = "indent with spaces instead of tabs"
	case bareNegation.MatchString(at):
		todo = `put names that begin with "!" in quotes`
	}
	l.add(line, 0, err, "is not YAML: %s; %s", strings.ReplaceAll(problem, "\n", " "), todo)
}

// fields are the values of a mapping by key. spoiled says that some could not
// be read, which has been noted.
type fields struct {
	byKey   map[string]*yaml.Node
	spoiled bool
}

// usable notes what no value may be: an alias, tagged or null.
func (l *loader) usable(n *yaml.Node, what string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		l.at(n, "%s has an anchor or an alias, which are not supported; write the value out", what)
	case n.Style&yaml.TaggedStyle != 0:
		l.at(n, "%s has the YAML tag %q; put it in quotes if it negates a flag, or else remove it", what, n.Tag)
	case n.ShortTag() == "!!null":
		l.at(n, "%s has no value; give it one, or remove it", what)
	default:
		return true
	}
	return false
}

// mapping returns the values of a mapping that has only these keys, or nil
// where the node is something else.
func (l *loader) mapping(n *yaml.Node, what string, keys ...string) *fields {
	if !l.usable(n, what) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		l.at(n, "%s has to be a mapping with the keys %s, not %s", what, wording.List(keys, "and"), describe(n))
		return nil
	}
	fs := &fields{byKey: make(map[string]*yaml.Node, len(keys))}
	before := l.found
	lines := make(map[string]int, len(keys))
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			l.at(key, "merge keys are not supported; write the keys out")
			continue
		}
		found := l.found
		name, _ := l.text(key, "a key of "+what)
		switch first := lines[name]; {
		case l.found > found:
		case first > 0:
			l.at(key, "key %q stands twice, first in line %d; remove one", name, first)
		case !slices.Contains(keys, name):
			known := wording.DidYouMean(l.suggest(name, keys))
			if known == "" {
				known = "; the keys are " + wording.List(keys, "and")
			}
			l.at(key, "%s has no key %q%s", what, name, known)
		case l.usable(value, name):
			fs.byKey[name] = value
		}
		lines[name] = cmp.Or(lines[name], key.Line)
	}
	fs.spoiled = l.found > before
	return fs
}

// suggest is suggest for the first problems, since comparing takes time.
func (l *loader) suggest(name string, known []string) []string {
	if l.found > 5*maxLoadErrors {
		return nil
	}
	return wording.Nearest(name, known)
}

// items returns the entries of a list.
func (l *loader) items(n *yaml.Node, what string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		l.at(n, "%s has to be a list, not %s", what, describe(n))
		return nil
	}
	return n.Content
}

// text returns a string. What is no string to YAML, or not to all of its
// versions, is noted and returned as it is written, so that reading can go on;
// ok is false where there is nothing to go on with.
func (l *loader) text(n *yaml.Node, what string) (value string, ok bool) {
	if !l.usable(n, what) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		l.at(n, "%s has to be a string, not %s", what, describe(n))
		return "", false
	}
	plain := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	if n.ShortTag() != "!!str" || plain && oldBool(n.Value) {
		l.at(n, "%s has to be a string, not %s; quote it: %q", what, describe(n), short(n.Value))
	}
	return n.Value, true
}

// oldBool reports whether YAML 1.1, which many tools still read, takes a word
// for a boolean that YAML 1.2 takes for a string.
func oldBool(word string) bool {
	switch strings.ToLower(word) {
	case "yes", "no", "on", "off":
		return true
	}
	return false
}

// describe says what a usable node is, for messages.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	}
	kind := "string"
	switch n.ShortTag() {
	case "!!int", "!!float":
		kind = "number"
	case "!!bool":
		kind = "boolean"
	case "!!timestamp":
		kind = "date"
	case "!!str":
		if oldBool(n.Value) {
			kind = "boolean"
		}
	}
	return fmt.Sprintf("the %s %q", kind, short(n.Value))
}

// short cuts a long value for a message.
func short(value string) string {
	if len(value) <= 40 {
		return value
	}
	return strings.ToValidUTF8(value[:40], "") + "..."
}

// string is text for an optional key.
func (l *loader) string(fs *fields, key string) string {
	n := fs.byKey[key]
	if n == nil {
		return ""
	}
	value, ok := l.text(n, key)
	fs.spoiled = fs.spoiled || !ok
	return value
}

// vocabulary reads the flags and the relations.
func (l *loader) vocabulary(top *fields) *Vocabulary {
	var defs []FlagDef
	var nodes []*yaml.Node
	var rows []int
	over := false
	for row, n := range l.items(top.byKey["flags"], "flags") {
		fs := l.mapping(n, "a flag", "name", "description")
		if fs == nil {
			continue
		}
		def := FlagDef{Name: l.string(fs, "name"), Description: l.string(fs, "description")}
		switch {
		case fs.spoiled && def.Name == "":
		case len(defs) == MaxFlags:
			if !over {
				limit := &LimitError{What: "flags", Limit: MaxFlags}
				l.add(n.Line, n.Column, limit, "is one flag too many: %v", limit)
			}
			over = true
			l.refused[def.Name] = true
		default:
			defs, nodes, rows = append(defs, def), append(nodes, n), append(rows, row)
		}
	}
	// NewVocabulary says what is wrong with the first bad row. That row is
	// taken out, and the rest tried again.
	for {
		for i := range defs {
			defs[i].Flag = 1 << i
		}
		v, err := NewVocabulary(defs)
		var bad *VocabularyError
		if !errors.As(err, &bad) {
			return l.relations(top, v)
		}
		i := bad.Row
		bad.Row = rows[i]
		todo := "rename it"
		if bad.Name == "" {
			todo = "give it one"
		}
		l.add(nodes[i].Line, nodes[i].Column, bad, "flag %q %s; %s", bad.Name, bad.Problem, todo)
		l.refused[bad.Name] = true
		defs, nodes, rows = slices.Delete(defs, i, i+1), slices.Delete(nodes, i, i+1), slices.Delete(rows, i, i+1)
	}
}

// relations adds the relations to a vocabulary.
func (l *loader) relations(top *fields, v *Vocabulary) *Vocabulary {
	var clauses []Clause
	for _, n := range l.items(top.byKey["relations"], "relations") {
		if !l.usable(n, "a relation") {
			continue
		}
		items := l.items(n, "a relation")
		if n.Kind == yaml.SequenceNode && len(items) == 0 {
			l.at(n, "a relation without flags can never hold; list at least one flag")
		}
		var c Clause
		for _, item := range items {
			literal, ok := l.text(item, "an entry of a relation")
			if !ok {
				continue
			}
			name, negated := strings.CutPrefix(literal, "!")
			set := &c.True
			if negated {
				set = &c.False
			}
			l.flag(item, "a relation", name, v, set)
		}
		if c != (Clause{}) {
			clauses = append(clauses, c)
		}
	}
	if len(clauses) == 0 {
		return v
	}
	// The rows and the clauses have been checked, so this makes no errors.
	return MustVocabulary(v.Defs(), clauses...)
}

// flag adds the flag of that name to a set.
func (l *loader) flag(n *yaml.Node, what, name string, v *Vocabulary, set *Flags) {
	flag, ok := v.Lookup(name)
	switch {
	case ok && *set&flag != 0:
		l.at(n, "flag %q stands twice in %s; remove one", name, what)
	case ok:
		*set |= flag
	case !l.refused[name]:
		unknown := &UnknownFlagError{Name: name, Nearest: l.suggest(name, v.Names(v.All()))}
		todo := ""
		switch {
		case strings.HasPrefix(name, "!"):
			unknown.Nearest = nil
			todo = `; only relations negate with "!", a guard lists the flag under none`
		case len(unknown.Nearest) == 0:
			todo = "; declare it under flags"
		}
		l.add(n.Line, n.Column, unknown, "%v%s", unknown, todo)
	}
}

// flags reads a list of flags.
func (l *loader) flags(fs *fields, key string, v *Vocabulary) (set Flags) {
	for _, item := range l.items(fs.byKey[key], key) {
		if name, ok := l.text(item, "an entry of "+key); ok {
			l.flag(item, key, name, v, &set)
		}
	}
	return set
}

// guard reads the keys of a guard.
func (l *loader) guard(fs *fields, v *Vocabulary) Guard {
	return Guard{All: l.flags(fs, PartAll, v), Any: l.flags(fs, PartAny, v), None: l.flags(fs, PartNone, v)}
}

// itineraries reads the itineraries into f and validates each.
func (l *loader) itineraries(root *yaml.Node, top *fields, f *File) {
	n := top.byKey["itineraries"]
	items := l.items(n, "itineraries")
	switch {
	case n == nil && !top.spoiled:
		l.at(root, "has no itineraries; list at least one under itineraries")
	case n != nil && n.Kind == yaml.SequenceNode && len(items) == 0:
		l.at(n, "itineraries is empty; list at least one")
	}
	first := make(map[string]int)
	for _, n := range items {
		fs := l.mapping(n, "an itinerary", "name", "cleanup", "result", "phases")
		if fs == nil {
			continue
		}
		it := Itinerary{Name: l.string(fs, "name"), Vocabulary: f.Vocabulary, Cleanup: l.bool(fs, "cleanup"), Result: l.result(fs)}
		if line := first[it.Name]; line > 0 {
			err := duplicateItinerary(it.Name)
			l.add(n.Line, n.Column, err, "%v; the first is in line %d", err, line)
		} else if it.Name != "" {
			first[it.Name] = n.Line
		}
		l.itinerary(n, fs, &it)
		f.Itineraries = append(f.Itineraries, it)
	}
}

func duplicateItinerary(name string) *DefinitionError {
	return &DefinitionError{Itinerary: name, Index: -1, Reason: ReasonDuplicateName, Problem: "stands twice; rename one of them"}
}

func (l *loader) bool(fs *fields, key string) bool {
	n := fs.byKey[key]
	if n == nil {
		return false
	}
	if n.ShortTag() != "!!bool" {
		l.at(n, "%s has to be true or false, without quotes, not %s", key, describe(n))
	}
	return strings.EqualFold(n.Value, "true")
}

func (l *loader) result(fs *fields) Result {
	n := fs.byKey["result"]
	if n == nil {
		return ""
	}
	word, ok := l.text(n, "result")
	r := Result(word)
	if ok && !slices.Contains(results, r) {
		l.at(n, "result must be %s, not %q", resultList(), word)
	}
	if !ok || r == Succeeded || !slices.Contains(results, r) {
		return ""
	}
	return r
}

// itinerary reads the phases of an itinerary and validates it.
func (l *loader) itinerary(n *yaml.Node, fs *fields, it *Itinerary) {
	nodes := l.items(fs.byKey["phases"], "phases")
	if node := fs.byKey["phases"]; node != nil && node.Kind != yaml.SequenceNode {
		fs.spoiled = true
	}
	within := l.phases <= MaxFilePhases
	l.phases += len(nodes)
	if l.phases > MaxFilePhases {
		if within {
			limit := &LimitError{What: "phases", Limit: MaxFilePhases}
			extra := nodes[len(nodes)-(l.phases-MaxFilePhases)]
			l.add(extra.Line, extra.Column, limit, "is one phase too many: %v", limit)
		}
		return
	}
	// A phase that could not be read has been noted: what the itinerary lacks
	// for that reason alone is not noted again.
	spoiled := make([]bool, len(nodes))
	incomplete := false
	for i, node := range nodes {
		var p Phase
		p, spoiled[i] = l.phase(node, it.Vocabulary)
		incomplete = incomplete || spoiled[i] && (p.Name == "" || p.Step == "")
		it.Phases = append(it.Phases, p)
	}
	var errs DefinitionErrors
	errors.As(it.Validate(), &errs)
	for _, e := range errs {
		place := n
		switch {
		case e.Index < 0 && fs.spoiled,
			e.Index >= 0 && spoiled[e.Index] && e.Reason == ReasonEmptyName,
			incomplete && (e.Reason == ReasonRidingStep || e.Reason == ReasonUnknownJump):
			continue
		case e.Index >= 0:
			place = nodes[e.Index]
		}
		l.add(place.Line, place.Column, e, "%v", e)
	}
}

// phase reads a phase, and says whether something of it could not be read.
func (l *loader) phase(n *yaml.Node, v *Vocabulary) (p Phase, spoiled bool) {
	fs := l.mapping(n, "a phase", "name", "step", "description", "all", "any", "none", "rides", "decides", "jumps", "formerly")
	if fs == nil {
		return p, true
	}
	p = Phase{
		Name:        l.string(fs, "name"),
		Step:        l.string(fs, "step"),
		Description: l.string(fs, "description"),
		Guard:       l.guard(fs, v),
		Decides:     l.flags(fs, "decides", v),
		Rides:       l.bool(fs, "rides"),
	}
	for _, item := range l.items(fs.byKey["jumps"], "jumps") {
		js := l.mapping(item, "a jump", "to", "all", "any", "none")
		if js == nil {
			continue
		}
		j := Jump{To: l.string(js, "to"), Guard: l.guard(js, v)}
		switch {
		case j.To != "":
			p.Jumps = append(p.Jumps, j)
		case !js.spoiled:
			l.at(item, "a jump goes nowhere; name the phase to go on with under to")
		}
	}
	for _, item := range l.items(fs.byKey["formerly"], "formerly") {
		if name, ok := l.text(item, "an entry of formerly"); ok {
			p.Formerly = append(p.Formerly, name)
		}
	}
	return p, fs.spoiled
}
