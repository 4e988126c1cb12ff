package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	kjson "sigs.k8s.io/json"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/internal/yamltext"
)

// placeError is a problem at a position in a stream.
type placeError struct {
	// Stream is the file. Line counts from 1; zero means the whole stream. Item is
	// "items[3]" in a list, or empty.
	Stream  string
	Line    int
	Item    string
	Problem string
}

func (e *placeError) Error() string { return place(e.Stream, e.Line, e.Item) + ": " + e.Problem }

func place(stream string, line int, item string) string {
	if line > 0 {
		stream += fmt.Sprintf(":%d", line)
	}
	if item != "" {
		stream += ": " + item
	}
	return stream
}

// input holds what was read from streams.
type input struct {
	documents []*document
	// lost names the streams that could not be read to their end: what they hold is
	// unknown.
	lost []string
}

// document is one value of a stream: an object, or a list of objects.
type document struct {
	json    bool // read as JSON; otherwise as YAML
	text    json.RawMessage
	list    bool // its objects are in items
	array   bool // the value itself is an array of objects
	objects []*Object
}

// Ref names an object.
type Ref struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// String returns NAMESPACE/NAME, or the name if there is no namespace.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Name
	}
	return r.Namespace + "/" + r.Name
}

// Object is an object that was read from a stream.
type Object struct {
	APIVersion, Kind string
	Ref              Ref
	// JSON is its text. It is nil if the text is ambiguous, such as with repeated keys;
	// such an object is not printed.
	JSON json.RawMessage

	stream  string
	place   string
	walked  bool // found in a directory: messages name the file
	uid     string
	version string // its resourceVersion
	// broken reports whether the object exists but cannot be used. The reason has been
	// printed.
	broken bool
	// event is the type of the watch event that the object came in, and around the text of
	// that event. Event is empty if it came alone.
	event  string
	around json.RawMessage
}

// The types of watch events.
const (
	eventAdded    = "ADDED"
	eventModified = "MODIFIED"
	eventDeleted  = "DELETED"
	eventBookmark = "BOOKMARK"
	eventError    = "ERROR"
)

// String returns the kind and the name.
func (o *Object) String() string { return o.Kind + " " + o.Ref.String() }

// Broken reports whether the object exists but cannot be used. The reason has been printed.
func (o *Object) Broken() bool { return o.broken }

// Place returns where the object was read: a file, with a line or an index.
func (o *Object) Place() string { return o.place }

// InDirectory reports whether the object was found in a directory, so messages must name
// its file.
func (o *Object) InDirectory() bool { return o.walked }

// whole is the index for something that concerns the document as a whole.
const whole = -1

// reader reads one stream.
type reader struct {
	*app
	stream string
	// walked reports whether the stream was found in a directory, which may also hold files
	// without objects.
	walked bool
	// keep reports whether an object is needed; the others are dropped, so a large archive
	// takes little memory. If nil, all are needed.
	keep      func(*Object) bool
	documents []*document
	bad       bool // there was a problem
	lost      bool // it was not read to its end
	passed    bool // a value that is not an object was skipped
	some      bool // it holds a value
}

// wrong prints a problem that makes part of the stream unknown.
func (r *reader) wrong(line int, item, format string, args ...any) {
	r.lost = true
	r.wrongValue(line, item, format, args...)
}

// wrongValue prints a problem of one value that is otherwise identified, so nothing
// else becomes unknown.
func (r *reader) wrongValue(line int, item, format string, args ...any) {
	r.bad = true
	r.problemOf(r.stream, func() error {
		return &placeError{Stream: r.stream, Line: line, Item: item, Problem: fmt.Sprintf(format, args...)}
	})
}

// read splits a stream into documents. Lines "---" and "..." end a document whatever
// precedes them, so a malformed document does not hide the next.
func (r *reader) read(text []byte) {
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}), bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		r.wrong(0, "", "is UTF-16 text; save it as UTF-8")
		return
	case bytes.IndexByte(text, 0) >= 0:
		r.wrong(0, "", "is a binary file; give what kubectl get -o yaml or -o json prints")
		return
	}
	line := 1
	for len(text) > 0 {
		end := chunkEnd(text)
		r.chunk(line, text[:end])
		line += bytes.Count(text[:end], []byte("\n"))
		text = text[end:]
	}
}

// chunkEnd returns the offset of the next document: at a line "---" other than the first,
// or after a line "...".
func chunkEnd(text []byte) int {
	at := 0
	for {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		ended := isMarker(text[at:], "...")
		at += i + 1
		if ended || isMarker(text[at:], "---") {
			return at
		}
	}
}

// byteOrderMark may precede any document.
var byteOrderMark = []byte("\ufeff")

// isMarker reports whether text begins with that marker of YAML documents.
func isMarker(text []byte, marker string) bool {
	text = bytes.TrimPrefix(text, byteOrderMark)
	return bytes.HasPrefix(text, []byte(marker)) && (len(text) == 3 || strings.IndexByte(" \t\r\n", text[3]) >= 0)
}

// withoutMarks removes byte order marks before a document, and before the lines that may
// precede it.
func withoutMarks(text []byte) []byte {
	if !bytes.Contains(text, byteOrderMark) {
		return text
	}
	var out []byte
	for before := true; before && len(text) > 0; {
		text = bytes.TrimPrefix(text, byteOrderMark)
		end := len(text)
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			end = i + 1
		}
		rest := text[:end]
		if isMarker(rest, "---") {
			rest = rest[len("---"):]
		}
		rest = bytes.TrimSpace(rest)
		before = len(rest) == 0 || rest[0] == '#' || rest[0] == '%'
		out = append(out, text[:end]...)
		text = text[end:]
	}
	return append(out, text...)
}

// chunk reads the text between two markers.
func (r *reader) chunk(line int, text []byte) {
	text = withoutMarks(text)
	if at := yamltext.Invalid(text); at >= 0 {
		before, _ := yamltext.Position(text, at)
		r.wrong(line+before-1, "", "byte %#x is not valid UTF-8; save the text as UTF-8", text[at])
		return
	}
	body := text
	if isMarker(body, "---") {
		body = body[len("---"):]
	}
	if isJSON(body) {
		r.chunkJSON(line, text, len(text)-len(body))
		return
	}
	r.chunkYAML(line, text)
}

// isJSON reports whether text is JSON rather than YAML, whose flow mappings and sequences
// also begin with a brace or a bracket.
func isJSON(text []byte) bool {
	rest := bytes.TrimLeft(text, "[ \t\r\n") // without recursion: there may be millions
	arrays := bytes.TrimSpace(text[:len(text)-len(rest)])
	switch {
	case len(arrays) > 0 && bytes.HasPrefix(rest, []byte("]")):
		return true
	case len(arrays) > 0 && !bytes.HasPrefix(rest, []byte("{")):
		return isArrayOfJSON(text)
	case !bytes.HasPrefix(rest, []byte("{")):
		return false
	}
	text = bytes.TrimSpace(rest[1:])
	return len(text) == 0 || text[0] == '"' || text[0] == '}'
}

// isArrayOfJSON reports whether text is a JSON array without objects, as convert prints it,
// rather than a YAML sequence: it is JSON to its end, and no comment or key follows.
func isArrayOfJSON(text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	var array json.RawMessage
	if dec.Decode(&array) != nil {
		return false
	}
	next := bytes.TrimSpace(text[dec.InputOffset():])
	return len(next) == 0 || next[0] == '{' || next[0] == '['
}

// chunkJSON reads the consecutive JSON values in text[from:].
func (r *reader) chunkJSON(line int, text []byte, from int) {
	first, decoded := line, false
	counted := 0 // offset up to which lines are counted
	lineAt := func(at int) int {
		line += bytes.Count(text[counted:at], []byte("\n"))
		counted = at
		return line
	}
	for from < len(text) {
		dec := json.NewDecoder(bytes.NewReader(text[from:]))
		for {
			var value json.RawMessage
			err := dec.Decode(&value)
			if err == io.EOF {
				return
			}
			end := from + int(dec.InputOffset())
			if err == nil {
				decoded = true
				begin := end - len(value)
				at := lineAt(begin)
				broken := make(map[int]bool)
				for _, k := range repeatedKeys(value) {
					r.wrongValue(lineAt(begin+k.at), itemName(value, k.item), "key %q is repeated in one object; remove one", k.key)
					broken[k.item] = true
				}
				r.document(true, at, value, broken)
				if rest := bytes.TrimLeft(text[end:], " \t\r\n"); bytes.HasPrefix(rest, byteOrderMark) {
					from = len(text) - len(rest) + len(byteOrderMark)
					break
				}
				continue
			}
			var syntax *json.SyntaxError
			at := len(text)
			switch {
			case errors.As(err, &syntax):
				// A YAML flow mapping may have quoted keys, too. It is a whole document,
				// so no JSON precedes it.
				if !decoded && r.flow(first, text) {
					return
				}
				decoded = true // the rest is tried only as JSON
				at = min(from+int(syntax.Offset)-1, len(text))
				r.wrong(lineAt(at), "", "is not JSON: %v; correct it at this line or before it", err)
			default:
				begin := len(text) - len(bytes.TrimLeft(text[end:], " \t\r\n"))
				r.wrong(lineAt(begin), "", "the JSON that begins here does not end; was the text cut off?")
			}
			// Resume at the next line that begins with a brace: kubectl starts each object
			// there, and no nested value.
			next := bytes.Index(text[max(at-1, end):], []byte("\n{"))
			if next < 0 {
				return
			}
			from = max(at-1, end) + next + 1
			break
		}
	}
}

// flow reads a YAML document that looks like JSON, and reports whether it is one.
func (r *reader) flow(line int, text []byte) bool {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	if dec.Decode(&doc) != nil || dec.Decode(&next) != io.EOF {
		return false
	}
	r.documentYAML(line, &doc)
	return true
}

// itemName returns the name of an element in messages: text is that of its list or array.
// The name is empty for the whole.
func itemName(text []byte, i int) string {
	switch {
	case i == whole:
		return ""
	case text[0] == '[':
		return fmt.Sprintf("[%d]", i)
	}
	return fmt.Sprintf("items[%d]", i)
}

// document adds one value, which is valid JSON. Broken holds the indices of items that are
// ambiguous, or whole; their problems have been printed.
func (r *reader) document(isJSON bool, line int, text json.RawMessage, broken map[int]bool) {
	r.some = true
	d := &document{json: isJSON, text: text}
	head, items := r.head(text)
	var elements []json.RawMessage
	switch {
	case broken[whole]:
	case text[0] == '[':
		d.array = true
		_ = json.Unmarshal(text, &elements) // never fails for an array
		head = objectHead{}                 // an array has no head
	case text[0] != '{':
		r.wrong(line, "", "holds %s where an object is needed; give what kubectl get prints", rawjson.Type(text))
		return
	case strings.HasSuffix(head.Kind, "List") && !(rawjson.IsNull(items) && head.Kind != "List"):
		if err := json.Unmarshal(items, &elements); err != nil && len(items) > 0 {
			r.documents = append(r.documents, d)
			r.wrong(line, "items", "holds %s where a list is needed", rawjson.Type(items))
			return
		}
		d.list = true
		head.Kind = strings.TrimSuffix(head.Kind, "List")
	}
	if !d.list && !d.array {
		d.object(r, line, "", objectHead{}, text, len(broken) > 0)
	}
	for i, element := range elements {
		d.object(r, line, itemName(text, i), head, element, broken[i])
	}
	switch {
	case r.keep == nil:
		r.documents = append(r.documents, d)
	case len(d.objects) > 0:
		r.documents = append(r.documents, &document{objects: d.objects})
	}
}

// objectHead holds the identifying fields of an object.
type objectHead struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Ref
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	// Fields of a watch event.
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// isEvent reports whether the value is a watch event.
func (h objectHead) isEvent() bool {
	switch h.Type {
	case eventAdded, eventModified, eventDeleted, eventBookmark, eventError:
		return h.Kind == "" && len(h.Object) > 0 && h.Object[0] == '{'
	}
	return false
}

// head decodes the head of a value, and the items of a list.
func (r *reader) head(text []byte) (objectHead, json.RawMessage) {
	var list struct {
		objectHead
		Items json.RawMessage `json:"items"`
	}
	// A field of another type stays empty; decoding the object itself reports that.
	_ = kjson.UnmarshalCaseSensitivePreserveInts(text, &list)
	return list.objectHead, list.Items
}

// object adds one object to a document. Elements of a typed list may omit the kind and the
// group of the list. Only the head of a broken object is used.
func (d *document) object(r *reader, line int, item string, list objectHead, text json.RawMessage, broken bool) {
	o := &Object{stream: r.stream, place: place(r.stream, line, item), walked: r.walked, JSON: text, broken: broken}
	if text[0] != '{' && !broken {
		o.broken, o.Kind, o.APIVersion = true, list.Kind, list.APIVersion
		if r.keep == nil || r.keep(o) {
			d.objects = append(d.objects, o)
		}
		report := r.wrong
		if list.Kind != "" {
			report = r.wrongValue
		}
		report(line, item, "holds %s where an object is needed", rawjson.Type(text))
		return
	}
	head, items := r.head(text)
	if head.isEvent() {
		o.event, o.around, o.JSON = head.Type, text, head.Object
		head, items = r.head(head.Object)
	}
	if broken {
		o.JSON = nil
	}
	if head.Kind == "" {
		head.Kind = list.Kind
	}
	if head.APIVersion == "" && head.Kind == list.Kind && strings.Contains(list.APIVersion, "/") {
		head.APIVersion = list.APIVersion // includes the group
	}
	o.APIVersion, o.Kind, o.Ref = head.APIVersion, head.Kind, head.Metadata.Ref
	o.uid, o.version = head.Metadata.UID, head.Metadata.ResourceVersion
	switch {
	case o.event == eventBookmark:
		o.Kind = "" // it holds only a resourceVersion
	case o.event == eventError || head.Kind == "Status" && isFailure(o.JSON):
		r.wrong(line, item, "holds an error of the API server instead of objects: %s; read them again", errorText(o.JSON))
	case broken && (head.Kind == "" || strings.HasSuffix(head.Kind, "List")):
		r.lost = true // it could be any object
	case broken:
	case head.Kind == "" && r.walked && head.APIVersion == "":
		r.pass(line, item)
		return
	case head.Kind == "":
		r.wrong(line, item, "has no kind; give objects as kubectl get -o yaml or -o json prints them")
	case (item != "" || o.event != "") && strings.HasSuffix(head.Kind, "List") && items != nil:
		r.wrong(line, item, "is a %s inside a list; give its items themselves", head.Kind)
	}
	if r.keep == nil || r.keep(o) {
		d.objects = append(d.objects, o)
	}
}

// isFailure reports whether a Status is that of a failed request.
func isFailure(status []byte) bool {
	return string(rawjson.ParseObject(status).Get("status")) == `"Failure"`
}

// errorText returns the message of a Status.
func errorText(status []byte) (text string) {
	_ = json.Unmarshal(rawjson.ParseObject(status).Get("message"), &text) // stays empty if there is none
	return text
}

// pass notes, once for each file, that a value is not an object.
func (r *reader) pass(line int, item string) {
	if !r.passed {
		r.line("note: %s: is not a Kubernetes object; skipped", place(r.stream, line, item))
	}
	r.passed = true
}
