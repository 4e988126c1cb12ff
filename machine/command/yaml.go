package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/internal/yamltext"
)

// chunkYAML reads a YAML document.
func (r *reader) chunkYAML(line int, text []byte) {
	if onlyDirectives(text) {
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if err == io.EOF {
			return
		}
		if err != nil {
			at, problem := yamltext.Locate(err)
			if at == 0 {
				r.wrong(line, "", "the document that begins here is not YAML: %s", problem)
			} else {
				r.wrong(line+at-1, "", "is not YAML: %s; correct it at this line or before it", problem)
			}
			return
		}
		r.documentYAML(line, &doc)
	}
}

// documentYAML adds one YAML document of a text that begins at that line.
func (r *reader) documentYAML(line int, doc *yaml.Node) {
	root := doc.Content[0]
	if root.ShortTag() == "!!null" {
		return
	}
	broken := make(map[int]bool)
	w := jsonWriter{line: line}
	w.item = func(i int, n *yaml.Node) error {
		begin := len(w.buf)
		if err := w.value(n); err != nil {
			r.wrongYAML(line, itemName(w.buf, i), err)
			w.buf = append(w.buf[:begin], headYAML(n)...)
			broken[i] = true
		}
		return nil
	}
	if err := w.value(root); err != nil {
		r.wrongYAML(line, "", err)
		w.buf = headYAML(root)
		broken[whole] = true
	}
	r.document(false, line+root.Line-1, w.buf, broken)
}

func (r *reader) wrongYAML(line int, item string, err error) {
	var at *lineError
	errors.As(err, &at)
	r.wrongValue(line+at.line-1, item, "%s", at.problem)
}

// lookUp returns the value of the first member of that key, without merged members; nil if
// there is none.
func lookUp(n *yaml.Node, key string) *yaml.Node {
	if n = target(n); n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			if k := target(n.Content[i]); k.Kind == yaml.ScalarNode && k.Value == key {
				return target(n.Content[i+1])
			}
		}
	}
	return nil
}

// target returns the node, or the node that an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func lookUpString(n *yaml.Node, key string) (string, bool) {
	v := lookUp(n, key)
	if v == nil || v.Kind != yaml.ScalarNode || v.ShortTag() != "!!str" {
		return "", false
	}
	return v.Value, true
}

// headYAML returns, as JSON, the identity of an object that cannot be read: its group,
// kind, name and version.
func headYAML(n *yaml.Node) []byte {
	var head, metadata rawjson.Object
	for _, key := range []string{"apiVersion", "kind"} {
		if value, ok := lookUpString(n, key); ok {
			head.Set(key, rawjson.Quote(value))
		}
	}
	for _, key := range []string{"name", "namespace", "uid", "resourceVersion"} {
		if value, ok := lookUpString(lookUp(n, "metadata"), key); ok {
			metadata.Set(key, rawjson.Quote(value))
		}
	}
	head.Set("metadata", metadata.Text())
	return head.Text()
}

// onlyDirectives reports whether a text holds only what may precede the first marker. The
// YAML parser requires a document after it.
func onlyDirectives(text []byte) bool {
	for l := range bytes.Lines(text) {
		if l = bytes.TrimSpace(l); len(l) > 0 && l[0] != '#' && l[0] != '%' && string(l) != "..." {
			return false
		}
	}
	return true
}

// lineError reports a value of a YAML document that cannot be read.
type lineError struct {
	line    int
	problem string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.problem) }

func atLine(n *yaml.Node, format string, args ...any) error {
	return &lineError{n.Line, fmt.Sprintf(format, args...)}
}

// maxAliased is the number of bytes that aliases may add to a document: a few lines of
// nested aliases can expand beyond memory.
const maxAliased = 1 << 20

// jsonWriter writes YAML as JSON, with order and numbers unchanged. Errors are
// [*lineError].
type jsonWriter struct {
	buf       []byte
	line      int          // line of the document in the stream
	within    []*yaml.Node // the targets of the aliases being expanded
	outermost int          // offset at which the outermost alias began
	aliased   int          // bytes that aliases have added, and one for each alias
	depth     int          // of open objects and arrays
	// item writes one item of the document.
	item func(i int, n *yaml.Node) error
}

// maxDepth is the nesting limit of encoding/json.
const maxDepth = 10000

func (w *jsonWriter) value(n *yaml.Node) error {
	switch n.Kind {
	case yaml.AliasNode:
		return w.alias(n, w.value)
	case yaml.SequenceNode, yaml.MappingNode:
		w.depth++
		defer func() { w.depth-- }()
		if w.depth > maxDepth {
			return atLine(n, "is nested too deeply")
		}
	}
	switch n.Kind {
	case yaml.SequenceNode:
		if w.depth == 1 {
			return w.sequence(n, w.item) // the document is an array
		}
		return w.sequence(n, func(_ int, item *yaml.Node) error { return w.value(item) })
	case yaml.MappingNode:
		m := mapping{first: make(map[string]int, len(n.Content)/2)}
		w.buf = append(w.buf, '{')
		if err := w.members(n, &m); err != nil {
			return err
		}
		w.buf = append(w.buf, '}')
		return nil
	}
	return w.scalar(n)
}

func (w *jsonWriter) sequence(n *yaml.Node, write func(int, *yaml.Node) error) error {
	w.buf = append(w.buf, '[')
	for i, item := range n.Content {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := write(i, item); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, ']')
	return nil
}

// alias expands an alias.
func (w *jsonWriter) alias(n *yaml.Node, write func(*yaml.Node) error) error {
	if slices.Contains(w.within, n.Alias) {
		return atLine(n, "the alias *%s is part of its own value; write the value out", n.Value)
	}
	if len(w.within) == 0 {
		w.outermost = len(w.buf)
	}
	w.within = append(w.within, n.Alias)
	w.aliased++ // even if it is empty
	err := write(n.Alias)
	if written := len(w.buf) - w.outermost; err == nil && w.aliased+written > maxAliased {
		err = atLine(n, "aliases expand to more than %d MiB; write the values out", maxAliased>>20)
	}
	w.within = w.within[:len(w.within)-1]
	if len(w.within) == 0 {
		w.aliased += len(w.buf) - w.outermost
	}
	return err
}

// mapping records what has been written of a mapping.
type mapping struct {
	first  map[string]int // the lines of its keys
	merged bool           // existing keys win
}

func (w *jsonWriter) members(n *yaml.Node, m *mapping) error {
	var merges []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return atLine(n.Content[i], "a key is a list or a mapping; write a string")
		case key.ShortTag() == "!!merge":
			merges = append(merges, value)
			continue
		}
		name := keyText(key)
		switch first := m.first[name]; {
		case first > 0 && m.merged:
			w.aliased++
			continue
		case first > 0:
			return atLine(n.Content[i], "key %q is repeated, first on line %d; remove one", name, w.line+first-1)
		}
		if len(m.first) > 0 {
			w.buf = append(w.buf, ',')
		}
		m.first[name] = max(n.Content[i].Line, 1)
		w.buf = append(rawjson.AppendQuote(w.buf, name), ':')
		var err error
		if w.depth == 1 && name == "items" && value.Kind == yaml.SequenceNode {
			w.depth++
			err = w.sequence(value, w.item)
			w.depth--
		} else {
			err = w.value(value)
		}
		if err != nil {
			return err
		}
	}
	m.merged = true
	for _, merge := range merges {
		if err := w.merge(merge, m); err != nil {
			return err
		}
	}
	return nil
}

// merge writes the members that a merge key adds: a mapping, or several.
func (w *jsonWriter) merge(n *yaml.Node, m *mapping) error {
	switch n.Kind {
	case yaml.AliasNode:
		return w.alias(n, func(n *yaml.Node) error { return w.merge(n, m) })
	case yaml.MappingNode:
		return w.members(n, m)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if err := w.merge(item, m); err != nil {
				return err
			}
		}
		return nil
	}
	return atLine(n, "a merge key takes a mapping, or a list of mappings")
}

// keyText returns the JSON key of a scalar. JSON keys are strings; like kubectl, it formats
// the value of a scalar that is not written as in JSON.
func keyText(n *yaml.Node) string {
	if b, ok := boolean(n); ok {
		return strconv.FormatBool(b)
	}
	var v int64
	if n.ShortTag() == "!!int" && !jsonNumber.MatchString(n.Value) && n.Decode(&v) == nil {
		return strconv.FormatInt(v, 10)
	}
	return n.Value
}

// boolean returns the value of a scalar that is a boolean for kubectl. The parser follows
// YAML 1.2 and takes only true and false for booleans.
func boolean(n *yaml.Node) (value, ok bool) {
	if n.ShortTag() != "!!bool" && n.Style != 0 { // quoted, block or tagged
		return false, false
	}
	return yamltext.Bool(n.Value)
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

func (w *jsonWriter) scalar(n *yaml.Node) error {
	if b, ok := boolean(n); ok {
		w.buf = strconv.AppendBool(w.buf, b)
		return nil
	}
	switch n.ShortTag() {
	case "!!null":
		w.buf = append(w.buf, "null"...)
		return nil
	case "!!str", "!!timestamp": // Kubernetes objects hold dates as strings
		w.buf = rawjson.AppendQuote(w.buf, n.Value)
		return nil
	case "!!int", "!!float":
		if number := strings.TrimPrefix(n.Value, "+"); jsonNumber.MatchString(number) {
			w.buf = append(w.buf, number...)
			return nil
		}
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return atLine(n, "%q is not a valid %s", n.Value, n.ShortTag())
	}
	text, err := json.Marshal(v)
	if err != nil {
		return atLine(n, "%s has no form in JSON, which is how Kubernetes keeps it; write another value", n.Value)
	}
	w.buf = append(w.buf, text...)
	return nil
}

// writeYAML writes JSON as YAML in the same order, as kubectl prints objects. Strings are
// quoted if any version of YAML could read them as something else. Indent is that of the
// lines after the first.
func writeYAML(b *bytes.Buffer, text []byte, indent int) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	w := yamlWriter{Buffer: b, dec: dec}
	w.value(w.next(), indent, true)
}

type yamlWriter struct {
	*bytes.Buffer
	dec *json.Decoder
}

// next returns the next token. Valid JSON has no error.
func (w *yamlWriter) next() json.Token {
	token, _ := w.dec.Token()
	return token
}

// value writes a value and ends the line. Inline reports whether its first line has begun;
// otherwise it is indented.
func (w *yamlWriter) value(token json.Token, indent int, inline bool) {
	open, _ := token.(json.Delim)
	if open == 0 || !w.dec.More() {
		switch open {
		case '{':
			w.WriteString("{}")
			w.next()
		case '[':
			w.WriteString("[]")
			w.next()
		default:
			w.WriteString(yamlScalar(token))
		}
		w.WriteByte('\n')
		return
	}
	for w.dec.More() {
		if !inline {
			w.indent(indent)
		}
		inline = false
		if open == '[' {
			w.WriteString("- ")
			w.value(w.next(), indent+2, true)
			continue
		}
		w.member(indent)
	}
	w.next()
}

// member writes a key and its value.
func (w *yamlWriter) member(indent int) {
	key := yamlScalar(w.next())
	if len(key) > 120 { // YAML limits the length of a simple key
		w.WriteString("? " + key + "\n")
		w.indent(indent)
	} else {
		w.WriteString(key)
	}
	token := w.next()
	open, _ := token.(json.Delim)
	switch {
	case open == 0 || !w.dec.More():
		w.WriteString(": ")
		w.value(token, indent, true)
	case open == '[':
		w.WriteString(":\n")
		w.value(token, indent, false)
	default:
		w.WriteString(":\n")
		w.value(token, indent+2, false)
	}
}

func (w *yamlWriter) indent(n int) {
	for range n {
		w.WriteByte(' ')
	}
}

// yamlPlain matches strings that every version of YAML reads as a string, except for
// ambiguous words.
var yamlPlain = regexp.MustCompile(`^[A-Za-z/]([A-Za-z0-9_./,;()=+@ -]*[A-Za-z0-9_./,;()=+@-])?$`)

func yamlScalar(token json.Token) string {
	switch v := token.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		// YAML parsers may read a number that is too large as a string.
		n := yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}
		if tag := n.ShortTag(); tag != "!!int" && tag != "!!float" {
			return "!!float " + v.String()
		}
		return v.String()
	}
	s := token.(string)
	if yamlPlain.MatchString(s) && !yamltext.Ambiguous(s) {
		return s
	}
	return yamlQuote(s)
}

// yamlQuote returns a string in double quotes. That is the JSON form, except for characters
// that YAML does not allow or reads as the end of a line.
func yamlQuote(s string) string {
	quoted := string(rawjson.Quote(s))
	if !strings.ContainsFunc(quoted, yamlEscaped) {
		return quoted
	}
	var b strings.Builder
	for _, r := range quoted {
		if yamlEscaped(r) {
			fmt.Fprintf(&b, `\u%04X`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// yamlEscaped reports whether a character that JSON does not escape must be escaped: YAML
// does not allow it, or reads it as the end of a line.
func yamlEscaped(r rune) bool { return !yamltext.Allowed(r) || r == '\u0085' }
