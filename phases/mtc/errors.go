package mtc

import (
	"fmt"
)

// MissingError says that a flag needs an object that [Objects] does not have.
type MissingError struct {
	// Kind is the kind of the object; [KindImageStream] stands for
	// Objects.ImageStreams.
	Kind string
	// Role is "source" or "destination" for a cluster, and empty otherwise.
	Role string
	// Object is the name under which another object refers to it, as far as
	// that is known.
	Object Ref
}

func (e *MissingError) Error() string {
	if e.Kind == KindImageStream {
		return "nobody looks for ImageStreams on the source cluster; set Objects.ImageStreams"
	}
	what := e.Kind
	if e.Role != "" {
		what = e.Role + " " + what
	}
	if e.Object != (Ref{}) {
		what += " " + e.Object.String()
	}
	return fmt.Sprintf("the %s is missing; read it together with the migration", what)
}

// ClusterURLError says that it is not known which host a cluster is on, since
// its URL cannot be parsed. It wraps the error of url.Parse.
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

// DecodeError says which object could not be read, and where.
type DecodeError struct {
	// Kind is what was to be read.
	Kind string
	// Object names the object, as far as its name could be read.
	Object Ref
	// Field is the path of the field that is wrong, without the positions in
	// lists; empty where it is the text as a whole.
	Field string
	// Err is a [*FieldTypeError], a [*KindError], or the syntax error.
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
	// Got is what stands there, in the words of encoding/json, such as
	// "string" or "number".
	Got string
	// Want says what has to stand there.
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
	return fmt.Sprintf("the object says that it is a %q; read it as that", e.Got)
}
