package command

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Objects are the objects that were read.
type Objects struct {
	// List holds the objects of interest, each once, in the order in which they were first
	// read. Of several versions it holds the one that counts.
	List []*Object
	// Others holds the other versions, and objects that have been deleted.
	Others []*Object
	// Lost names the streams that could not be read to their end: what they hold is
	// unknown.
	Lost []string
	// Foreign counts objects of the catalogue's kind that belong to another project, by
	// apiVersion.
	Foreign map[string]int

	files     []string
	documents []*document
	options   map[string]*bool
}

// Has reports whether an option of [Catalogue].Options was given.
func (o *Objects) Has(option string) bool {
	given := o.options[option]
	return given != nil && *given
}

// Streams returns the names of what was read, for messages.
func (o *Objects) Streams() []string { return streamNames(o.files) }

// ObjectError is a problem of one object.
type ObjectError struct {
	Kind   string
	Object Ref
	// Place is where the object was read, if it was found in a directory.
	Place string
	Err   error
}

func (e *ObjectError) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Kind, e.Object, e.Err)
	if e.Place != "" {
		text = e.Place + ": " + text
	}
	return text
}

// Unwrap returns the problem.
func (e *ObjectError) Unwrap() error { return e.Err }

// Wrong returns a problem of the object as an [*ObjectError].
func (o *Object) Wrong(err error) error {
	e := &ObjectError{Kind: o.Kind, Object: o.Ref, Err: err}
	if o.walked {
		e.Place = o.place
	}
	return e
}

// objectKey identifies an object.
type objectKey struct {
	kind string
	ref  Ref
}

// sort fills List, Others and Foreign from the objects of documents.
func (o *Objects) sort(a *app, documents []*document) {
	index := make(map[objectKey]int)
	for _, d := range documents {
		for _, one := range d.objects {
			kind, ours := a.kindOf(one)
			if !ours {
				if one.Kind == a.catalogue.Kind {
					o.Foreign[one.APIVersion]++
				}
				continue
			}
			key := objectKey{kind, one.Ref}
			i, again := index[key]
			if !again || one.Ref.Name == "" {
				index[key] = len(o.List)
				o.List = append(o.List, one)
				continue
			}
			older := o.List[i]
			if older.supersedes(a, one) {
				older, one = one, older
			}
			o.List[i] = one
			o.Others = append(o.Others, older)
		}
	}
	o.List = slices.DeleteFunc(o.List, func(one *Object) bool {
		if one.event != eventDeleted {
			return false
		}
		o.Others = append(o.Others, one)
		return true
	})
}

// kindOf returns a key of the object's kind, and reports whether the object is of interest.
func (a *app) kindOf(o *Object) (string, bool) {
	if a.isBuiltin() && a.catalogue.KindOf != nil {
		return a.catalogue.KindOf(o.APIVersion, o.Kind)
	}
	group, _, _ := strings.Cut(o.APIVersion, "/")
	return group + " " + o.Kind, true
}

// supersedes reports whether o counts although another version was read later: its
// resourceVersion is higher. A version that cannot be read also counts, unless the other is
// known to be as new: the object is then unknown.
func (o *Object) supersedes(a *app, later *Object) bool {
	if digits(o.version) && digits(later.version) && o.uid == later.uid {
		if later.broken && !higher(later.version, o.version) {
			return true // later is as old or older
		}
		return higher(o.version, later.version)
	}
	if o.broken || later.broken {
		return o.broken
	}
	if later.event == "" && !sameData(o.JSON, later.JSON) {
		a.line("note: %s differs between %s and %s; the later one counts, since nothing shows which is newer", o, o.place, later.place)
	}
	return false
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// higher reports whether number a, of any size, is greater than b.
func higher(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

func sameData(a, b json.RawMessage) bool {
	var one, other any
	return json.Unmarshal(a, &one) == nil && json.Unmarshal(b, &other) == nil && reflect.DeepEqual(one, other)
}
