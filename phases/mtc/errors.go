package mtc

import (
	"errors"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// MissingError reports that a flag is unknown because it depends on an object that
// was not read. Such an object does not count as absent.
type MissingError struct {
	// Kind is the kind of the object. For [KindImageStream] the error is about all
	// image streams of a namespace or, without one, of all namespaces.
	Kind string
	// Role is "source" or "destination" for a cluster, and empty otherwise.
	Role string
	// Object is the reference of another object to it, if known. For kinds that
	// are searched in a namespace, [KindImageStream] and [KindController], it has
	// only a namespace.
	Object Ref
	// Err is the reason why the object was not read. If nil, the input did not
	// contain it.
	Err error
}

var errNoLister = errors.New("Objects.ImageStreams is nil; set it")

func (e *MissingError) Error() string {
	if e.Kind == KindImageStream && e.Err == nil {
		return "no ImageStream was read, but there may be some; read those of the source cluster"
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

// Unwrap returns the reason why the object was not read, or nil.
func (e *MissingError) Unwrap() error { return e.Err }

// ClusterURLError reports that a flag is unknown because it depends on the host of a
// cluster whose URL cannot be parsed. It wraps the error of url.Parse.
type ClusterURLError struct {
	Cluster Ref
	URL     string
	Err     error
}

func (e *ClusterURLError) Error() string {
	return fmt.Sprintf("spec.url of %s %s is not a URL: %v; correct it", KindCluster, e.Cluster, e.Err)
}

// Unwrap returns the error of url.Parse.
func (e *ClusterURLError) Unwrap() error { return e.Err }

// DecodeError reports that an object could not be decoded, and names the field.
type DecodeError struct {
	// Kind is the expected kind.
	Kind string
	// Object is the name of the object, as far as it could be decoded.
	Object Ref
	// Field is the path of the invalid field, without positions in lists. It is
	// empty if the error concerns the whole text.
	Field string
	// Err is a [*FieldTypeError], a [*KindError], a [*GroupError] or a syntax
	// error.
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

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// FieldTypeError reports a field with a value of the wrong type.
type FieldTypeError struct {
	// Got is the type of the value, in the words of encoding/json, such as
	// "string" or "number".
	Got string
	// Want describes the expected value.
	Want string
}

func (e *FieldTypeError) Error() string {
	return fmt.Sprintf("holds a JSON %s; write %s", e.Got, e.Want)
}

// KindError reports an object of another kind than expected.
type KindError struct {
	Got string
}

func (e *KindError) Error() string {
	return fmt.Sprintf("the object is a %q; decode it as that", e.Got)
}

// GroupError reports an object of another project, with a kind that MTC also has.
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
	return fmt.Sprintf("the object belongs to %q, but MTC's %s belongs to the group %s; leave it out", e.Got, e.Kind, want)
}

// UnknownNameError reports a name in [Options] that MTC's catalogue does not have.
type UnknownNameError struct {
	// Kind is "phase" or "step".
	Kind string
	// Itinerary is the itinerary that does not have the name. It is empty if no
	// itinerary has it.
	Itinerary string
	Name      string
	// Nearest holds similar names that exist, nearest first.
	Nearest []string
	// Known holds all names that exist, in order.
	Known []string
}

func (e *UnknownNameError) Error() string {
	hint := wording.DidYouMean(e.Nearest)
	if hint == "" {
		hint = "; known: " + wording.Few(e.Known)
	}
	if e.Itinerary != "" {
		return fmt.Sprintf("itinerary %q: unknown %s %q%s", e.Itinerary, e.Kind, e.Name, hint)
	}
	return fmt.Sprintf("unknown %s %q%s", e.Kind, e.Name, hint)
}
