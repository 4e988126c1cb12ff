package mtc

import (
	"errors"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// MissingError is the error of a flag that depends on an object which was not
// read. What was not read is not absent: the flag is unknown.
type MissingError struct {
	// Kind is the kind of the object. For [KindImageStream] it is about all
	// image streams of a namespace, or of any.
	Kind string
	// Role is "source" or "destination" for a cluster, and empty otherwise.
	Role string
	// Object is the name under which another object refers to it, as far as
	// that is known. It has a namespace alone for kinds that are looked for in
	// one: [KindImageStream] and [KindController].
	Object Ref
	// Err is why the object was not read. If nil, nothing that was read has it.
	Err error
}

var errNoLister = errors.New("Objects.ImageStreams is nil; set it")

func (e *MissingError) Error() string {
	if e.Kind == KindImageStream && e.Err == nil {
		return "no ImageStream was read, so that there may be some; read those of the source cluster"
	}
	what := e.Kind
	if e.Role != "" {
		what = e.Role + " " + what
	}
	switch {
	case e.Object.Name != "":
		what += " " + e.Object.String()
	case e.Object.Namespace != "":
		what += " of namespace " + e.Object.Namespace
	}
	if e.Err != nil {
		return fmt.Sprintf("the %s could not be read: %v", what, e.Err)
	}
	return fmt.Sprintf("the %s is missing; read it together with the migration", what)
}

// Unwrap returns why the object was not read, or nil.
func (e *MissingError) Unwrap() error { return e.Err }

// ClusterURLError is the error of a flag that depends on the host of a cluster
// whose URL cannot be parsed. It wraps the error of url.Parse.
type ClusterURLError struct {
	Cluster Ref
	URL     string
	Err     error
}

func (e *ClusterURLError) Error() string {
	return fmt.Sprintf("spec.url of %s %s is no URL: %v; correct it", KindCluster, e.Cluster, e.Err)
}

// Unwrap returns the error of url.Parse.
func (e *ClusterURLError) Unwrap() error { return e.Err }

// DecodeError names an object that could not be read, and the field.
type DecodeError struct {
	// Kind is what was to be read.
	Kind string
	// Object names the object, as far as its name could be read.
	Object Ref
	// Field is the path of the field that is wrong, without the positions in
	// lists; empty if it is the text as a whole.
	Field string
	// Err is a [*FieldTypeError], a [*KindError], a [*GroupError], or the
	// syntax error.
	Err error
}

func (e *DecodeError) Error() string {
	text := e.Kind
	if e.Object != (Ref{}) {
		text += " " + e.Object.String()
	}
	if e.Field != "" {
		text += ": " + e.Field
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *DecodeError) Unwrap() error { return e.Err }

// FieldTypeError is a field that holds a value of the wrong type.
type FieldTypeError struct {
	// Got is what the field holds, in the words of encoding/json, such as
	// "string" or "number".
	Got string
	// Want describes what it must hold.
	Want string
}

func (e *FieldTypeError) Error() string {
	return fmt.Sprintf("holds a JSON %s; write %s", e.Got, e.Want)
}

// KindError is an object of another kind than was to be read.
type KindError struct {
	Got string
}

func (e *KindError) Error() string {
	return fmt.Sprintf("the object is a %q; read it as that", e.Got)
}

// GroupError is an object of a kind that MTC has too, but of another project.
type GroupError struct {
	Kind string
	// Got is the apiVersion of the object.
	Got string
}

func (e *GroupError) Error() string {
	want := groupMigration
	if e.Kind == KindImageStream {
		want = groupImage
	}
	return fmt.Sprintf("the object is of %q, and MTC's %s of the group %s; leave it out", e.Got, e.Kind, want)
}

// UnknownNameError is a name in [Options] that MTC's catalogue does not have.
type UnknownNameError struct {
	// Kind is "phase" or "step".
	Kind string
	// Itinerary is the itinerary that does not have the name. It is empty if none
	// has it.
	Itinerary string
	Name      string
	// Nearest are the names that resemble it, nearest first.
	Nearest []string
	// Known are the names of all that exist, in order.
	Known []string
}

func (e *UnknownNameError) Error() string {
	hint := wording.DidYouMean(e.Nearest)
	if hint == "" {
		hint = "; there is " + wording.Few(e.Known)
	}
	if e.Itinerary != "" {
		return fmt.Sprintf("itinerary %q: unknown %s %q%s", e.Itinerary, e.Kind, e.Name, hint)
	}
	return fmt.Sprintf("unknown %s %q%s", e.Kind, e.Name, hint)
}
