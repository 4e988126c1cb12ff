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

// placeError is something wrong at a place of a stream.
type placeError struct {
	// Stream is the file; Line counts from 1, 0 if it is about all of it;
	// Item is "items[3]" in a list, or empty.
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

// input is what streams hold.
type input struct {
	documents []*document
	// lost are the names of the streams that could not be read to their end:
	// what they would have said is unknown.
	lost []string
}

// document is one value of a stream: an object, or a list of objects.
type document struct {
	json    bool // read as JSON; otherwise as YAML
	text    json.RawMessage
	list    bool // its objects are those of items
	array   bool // its objects are those of the value itself
	objects []*Object
}

// Ref is the namespace and the name of an object.
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

// Object is an object of a stream, as JSON.
type Object struct {
	APIVersion, Kind string
	Ref              Ref
	// JSON is its text. It is nil if the object was read, but has no one meaning.
	// Then it is not printed either.
	JSON json.RawMessage

	stream  string
	place   string
	walked  bool // it was read in a directory, so that messages name the file
	uid     string
	version string // its resourceVersion
	// broken reports that the object is there and cannot be used, and that what
	// is wrong with it has been printed.
	broken bool
	// event is the type of the event of a watch that the object came in, and
	// around the text of that; empty if it came alone.
	event  string
	around json.RawMessage
}

// The types of the events of a watch.
const (
	eventAdded    = "ADDED"
	eventModified = "MODIFIED"
	eventDeleted  = "DELETED"
	eventBookmark = "BOOKMARK"
	eventError    = "ERROR"
)

// String returns the kind and the name.
func (o *Object) String() string { return o.Kind + " " + o.Ref.String() }

// Broken reports whether the object is there and cannot be used. What is wrong
// with it has been printed.
func (o *Object) Broken() bool { return o.broken }

// Place is where the object was read: a file, with a line or an index.
func (o *Object) Place() string { return o.place }

// InDirectory reports whether the object was read in a file of a directory, which
// messages then name.
func (o *Object) InDirectory() bool { return o.walked }

// whole stands for the index of an element of a list if something is about
// the document as a whole.
const whole = -1

// reader reads one stream.
type reader struct {
	*app
	stream string
	// walked reports that the stream was found in a directory, which may hold
	// files that are not about objects.
	walked bool
	// keep reports whether an object is of interest, so that a large archive takes
	// little memory; nil for all.
	keep      func(*Object) bool
	documents []*document
	bad       bool // something is wrong with the stream
	lost      bool // it could not be read to its end
	passed    bool // something that is no object was passed over
	some      bool // it holds some value
}

// wrong prints a problem, because of which something that the stream holds is
// not known.
func (r *reader) wrong(line int, item, format string, args ...any) {
	r.lost = true
	r.wrongValue(line, item, format, args...)
}

// wrongValue prints a problem of a value of which it is known what it is about.
func (r *reader) wrongValue(line int, item, format string, args ...any) {
	r.bad = true
	r.problemOf(r.stream, func() error {
		return &placeError{Stream: r.stream, Line: line, Item: item, Problem: fmt.Sprintf(format, args...)}
	})
}

// read takes a stream apart. Lines "---" and "..." end a document whatever is
// before them, so that what is wrong with one does not hide the next.
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

// chunkEnd is where the next document begins: at a line "---" other than the
// first, or behind a line "...".
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

// byteOrderMark may stand before any document.
var byteOrderMark = []byte("\ufeff")

// isMarker reports whether the text begins with that marker of YAML documents.
func isMarker(text []byte, marker string) bool {
	text = bytes.TrimPrefix(text, byteOrderMark)
	return bytes.HasPrefix(text, []byte(marker)) && (len(text) == 3 || strings.IndexByte(" \t\r\n", text[3]) >= 0)
}

// withoutMarks removes byte order marks before a document, and before the lines
// that may stand before it.
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

// chunk reads what is between two markers.
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

// isJSON tells JSON from YAML, whose flow mappings and sequences begin with a
// brace or a bracket as well.
func isJSON(text []byte) bool {
	rest := bytes.TrimLeft(text, "[ \t\r\n") // not by recursion: there may be millions
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

// isArrayOfJSON tells an array that holds no objects, as convert prints it, from a
// sequence of YAML: it is JSON to its end, and no comment or key follows.
func isArrayOfJSON(text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	var array json.RawMessage
	if dec.Decode(&array) != nil {
		return false
	}
	next := bytes.TrimSpace(text[dec.InputOffset():])
	return len(next) == 0 || next[0] == '{' || next[0] == '['
}

// chunkJSON reads JSON values that follow each other in text[from:].
func (r *reader) chunkJSON(line int, text []byte, from int) {
	first, decoded := line, false
	counted := 0 // up to where lines have been counted; places only go forward
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
					r.wrongValue(lineAt(begin+k.at), itemName(value, k.item), "key %q stands twice in one object; remove one", k.key)
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
				// A flow mapping of YAML may have quoted keys as well. It is
				// all of its document; so nothing was JSON before it.
				if !decoded && r.flow(first, text) {
					return
				}
				decoded = true // the next is tried as JSON alone
				at = min(from+int(syntax.Offset)-1, len(text))
				r.wrong(lineAt(at), "", "is not JSON: %v; correct it at this line or before it", err)
			default:
				begin := len(text) - len(bytes.TrimLeft(text[end:], " \t\r\n"))
				r.wrong(lineAt(begin), "", "the JSON that begins here has no end; was the text cut off?")
			}
			// kubectl begins each object at the beginning of a line, and
			// nothing inside an object stands there.
			next := bytes.Index(text[max(at-1, end):], []byte("\n{"))
			if next < 0 {
				return
			}
			from = max(at-1, end) + next + 1
			break
		}
	}
}

// flow reads a YAML document that looked like JSON, if it is one.
func (r *reader) flow(line int, text []byte) bool {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	if dec.Decode(&doc) != nil || dec.Decode(&next) != io.EOF {
		return false
	}
	r.documentYAML(line, &doc)
	return true
}

// itemName is what messages call an element of a list or an array, whose text
// begins like that; empty for the whole.
func itemName(text []byte, i int) string {
	switch {
	case i == whole:
		return ""
	case text[0] == '[':
		return fmt.Sprintf("[%d]", i)
	}
	return fmt.Sprintf("items[%d]", i)
}

// document takes up one value, which is valid JSON. Broken are those of its
// items that have no one meaning, or the whole; what is wrong has been printed.
func (r *reader) document(isJSON bool, line int, text json.RawMessage, broken map[int]bool) {
	r.some = true
	d := &document{json: isJSON, text: text}
	head, items := r.head(text)
	var elements []json.RawMessage
	switch {
	case broken[whole]:
	case text[0] == '[':
		d.array = true
		_ = json.Unmarshal(text, &elements) // it is an array
		head = objectHead{}                 // which has none
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

// objectHead is what an object says of itself.
type objectHead struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Ref
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	// Of an event of a watch.
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// isEvent reports whether it is that of an event of a watch.
func (h objectHead) isEvent() bool {
	switch h.Type {
	case eventAdded, eventModified, eventDeleted, eventBookmark, eventError:
		return h.Kind == "" && len(h.Object) > 0 && h.Object[0] == '{'
	}
	return false
}

// head reads the head of a value, and the items of a list.
func (r *reader) head(text []byte) (objectHead, json.RawMessage) {
	var list struct {
		objectHead
		Items json.RawMessage `json:"items"`
	}
	// A field of another type stays empty, which is a problem of its own:
	// whoever decodes the object names it.
	_ = kjson.UnmarshalCaseSensitivePreserveInts(text, &list)
	return list.objectHead, list.Items
}

// object takes up one object of a document. Elements of typed lists need not
// repeat the kind of the list and its group. Of a broken one only its head is
// taken.
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
		head.APIVersion = list.APIVersion // and with it the group
	}
	o.APIVersion, o.Kind, o.Ref = head.APIVersion, head.Kind, head.Metadata.Ref
	o.uid, o.version = head.Metadata.UID, head.Metadata.ResourceVersion
	switch {
	case o.event == eventBookmark:
		o.Kind = "" // it has only a resourceVersion
	case o.event == eventError || head.Kind == "Status" && isFailure(o.JSON):
		r.wrong(line, item, "holds an error of the API server in place of objects: %s; read them again", errorText(o.JSON))
	case broken && (head.Kind == "" || strings.HasSuffix(head.Kind, "List")):
		r.lost = true // it may be about anything
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

// isFailure reports whether a Status is that of a request that failed.
func isFailure(status []byte) bool {
	return string(rawjson.ParseObject(status).Get("status")) == `"Failure"`
}

// errorText is the message of a Status.
func errorText(status []byte) (text string) {
	_ = json.Unmarshal(rawjson.ParseObject(status).Get("message"), &text) // empty if it has none
	return text
}

// pass notes, once for each file, that it holds something that is no object.
func (r *reader) pass(line int, item string) {
	if !r.passed {
		r.line("note: %s: is no object of Kubernetes, and passed over", place(r.stream, line, item))
	}
	r.passed = true
}
