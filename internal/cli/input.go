package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	kjson "sigs.k8s.io/json"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// maxStream is the number of bytes that one stream may have.
const maxStream = 64 << 20

// TooLargeError is a stream that is larger than what is read.
type TooLargeError struct {
	Stream string
	Limit  int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is larger than %d MiB, which is all that is read; split it, or list fewer objects", e.Stream, e.Limit>>20)
}

// PlaceError is something wrong at a place of a stream.
type PlaceError struct {
	// Stream is the file; Line counts from 1, 0 where it is about all of it;
	// Item is "items[3]" in a list, or empty.
	Stream  string
	Line    int
	Item    string
	Problem string
}

func (e *PlaceError) Error() string { return place(e.Stream, e.Line, e.Item) + ": " + e.Problem }

func place(stream string, line int, item string) string {
	if line > 0 {
		stream += fmt.Sprintf(":%d", line)
	}
	if item != "" {
		stream += ": " + item
	}
	return stream
}

// TwiceError is an object that a stream has twice. The first one counts.
type TwiceError struct {
	Kind          string
	Object        mtc.Ref
	First, Second string // places
}

func (e *TwiceError) Error() string {
	return fmt.Sprintf("%s %s stands twice, at %s and at %s, and the first counts; remove one", e.Kind, e.Object, e.First, e.Second)
}

// document is one value of a stream: an object, or a list of objects.
type document struct {
	json    bool // read as JSON; otherwise as YAML
	text    json.RawMessage
	list    bool
	objects []*object
}

// object is an object of a stream, as JSON.
type object struct {
	place string
	kind  string
	ref   mtc.Ref
	// text is nil where the object was read, but has no one meaning. Then it
	// is not printed either.
	text json.RawMessage
	// broken says that the object is there and cannot be used, and that what
	// is wrong with it has been printed.
	broken bool
}

func (o *object) String() string { return o.kind + " " + o.ref.String() }

// documents reads streams, and prints what is wrong with them; what can be
// read is returned all the same.
func (a *app) documents(files []string) []*document {
	var all []*document
	for _, file := range files {
		r := reader{app: a, stream: streamNames([]string{file})[0]}
		text, err := r.slurp(file)
		if err != nil {
			a.problem(err)
			continue
		}
		r.read(text)
		if len(r.documents) == 0 && !r.bad {
			r.wrong(0, "", "is empty; give what kubectl get -o yaml or -o json prints")
		}
		all = append(all, r.documents...)
	}
	return all
}

// streamNames are what messages call the files.
func streamNames(files []string) []string {
	names := slices.Clone(files)
	for i, file := range names {
		if file == "-" {
			names[i] = "standard input"
		}
	}
	return names
}

// whole stands for the index of an element of a list where something is about
// the document as a whole.
const whole = -1

// reader reads one stream.
type reader struct {
	*app
	stream    string
	documents []*document
	bad       bool // something is wrong with the stream
}

func (r *reader) wrong(line int, item, format string, args ...any) {
	r.bad = true
	r.problem(&PlaceError{Stream: r.stream, Line: line, Item: item, Problem: fmt.Sprintf(format, args...)})
}

// slurp reads the text of a stream, unless that is too large.
func (r *reader) slurp(file string) ([]byte, error) {
	in := r.stdin
	var text bytes.Buffer
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, cannotRead(err)
		}
		defer f.Close()
		in = f
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			if info.Size() > maxStream {
				return nil, &TooLargeError{Stream: r.stream, Limit: maxStream}
			}
			text.Grow(int(info.Size()) + bytes.MinRead) // one read, and one to find the end
		}
	}
	if _, err := text.ReadFrom(io.LimitReader(in, maxStream+1)); err != nil {
		return nil, cannotRead(err)
	}
	if text.Len() > maxStream {
		return nil, &TooLargeError{Stream: r.stream, Limit: maxStream}
	}
	return text.Bytes(), nil
}

// cannotRead says that a file cannot be read, and what to do where that is
// clear.
func cannotRead(err error) error {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = "; check the name"
	case errors.Is(err, syscall.EISDIR):
		hint = "; name the files in it"
	}
	return fmt.Errorf("cannot read: %w%s", err, hint)
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
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
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

// isMarker says whether the text begins with that marker of YAML documents.
func isMarker(text []byte, marker string) bool {
	return bytes.HasPrefix(text, []byte(marker)) && (len(text) == 3 || strings.IndexByte(" \t\r\n", text[3]) >= 0)
}

// chunk reads what is between two markers.
func (r *reader) chunk(line int, text []byte) {
	if !utf8.Valid(text) {
		i := 0
		for {
			c, size := utf8.DecodeRune(text[i:])
			if c == utf8.RuneError && size == 1 {
				break
			}
			i += size
		}
		r.wrong(line+bytes.Count(text[:i], []byte("\n")), "", "byte %#x is not valid UTF-8; save the text as UTF-8", text[i])
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

// isJSON tells JSON from YAML, whose flow mappings begin with a brace as well.
func isJSON(text []byte) bool {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte("{")) {
		return false
	}
	text = bytes.TrimSpace(text[1:])
	return len(text) == 0 || text[0] == '"' || text[0] == '}'
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
					r.wrong(lineAt(begin+k.at), itemName(k.item), "key %q stands twice in one object; remove one", k.key)
					broken[k.item] = true
				}
				r.document(true, at, value, broken)
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

// itemName is what messages call an element of a list; empty for the list.
func itemName(i int) string {
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("items[%d]", i)
}

// document takes up one value, which is valid JSON. Broken are those of its
// items that have no one meaning, or the whole; what is wrong has been printed.
func (r *reader) document(isJSON bool, line int, text json.RawMessage, broken map[int]bool) {
	if text[0] != '{' {
		if broken[whole] {
			return
		}
		r.wrong(line, "", "holds %s where an object is needed; give what kubectl get prints", jsonType(text))
		return
	}
	d := &document{json: isJSON, text: text}
	r.documents = append(r.documents, d)
	kind, items := r.head(text)
	if broken[whole] || isNull(items) && kind != "List" || !strings.HasSuffix(kind, "List") {
		d.object(r, line, "", "", text, len(broken) > 0)
		return
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(items, &elements); err != nil && len(items) > 0 {
		r.wrong(line, "items", "holds %s where a list is needed", jsonType(items))
		return
	}
	d.list = true
	for i, element := range elements {
		d.object(r, line, itemName(i), strings.TrimSuffix(kind, "List"), element, broken[i])
	}
}

// head reads what tells a list from an object.
func (r *reader) head(text []byte) (kind string, items json.RawMessage) {
	var head struct {
		Kind  string          `json:"kind"`
		Items json.RawMessage `json:"items"`
	}
	// A kind that is no string leaves it empty, which is a problem of its own.
	_ = kjson.UnmarshalCaseSensitivePreserveInts(text, &head)
	return head.Kind, head.Items
}

// object takes up one object of a document. Elements of typed lists need not
// say their kind. Of a broken one only its kind and its name are taken.
func (d *document) object(r *reader, line int, item, kind string, text json.RawMessage, broken bool) {
	o := &object{place: place(r.stream, line, item), kind: kind, text: text, broken: broken}
	d.objects = append(d.objects, o)
	if broken {
		o.text = nil
	} else if text[0] != '{' {
		o.broken = true
		r.wrong(line, item, "holds %s where an object is needed", jsonType(text))
		return
	}
	var head struct {
		Kind     string  `json:"kind"`
		Metadata mtc.Ref `json:"metadata"`
	}
	_ = kjson.UnmarshalCaseSensitivePreserveInts(text, &head) // mtc.Decode says it better
	if head.Kind != "" {
		kind = head.Kind
	}
	o.kind, o.ref = kind, head.Metadata
	switch {
	case broken:
	case kind == "":
		r.wrong(line, item, "has no kind; give objects as kubectl get -o yaml or -o json prints them")
	case item != "" && strings.HasSuffix(kind, "List") && parseMembers(text).get("items") != nil:
		r.wrong(line, item, "is a %s inside a list; give its items themselves", kind)
	}
}

// jsonType says what a JSON text is.
func jsonType(text []byte) string {
	switch text[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}
