package mtc

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"reflect"

	"sigs.k8s.io/json"
)

// The kinds that [Decode] reads, as objects write them.
const (
	KindMigration   = "MigMigration"
	KindPlan        = "MigPlan"
	KindCluster     = "MigCluster"
	KindImageStream = "ImageStream"
)

// Decodable are the types that [Decode] makes.
type Decodable interface {
	Migration | Plan | Cluster | ImageStream
}

// Decode reads one object from JSON as an API server reads it: names of
// fields are case-sensitive, fields that are not needed are ignored, and a
// field of the wrong type is an error. So is an object that says that it is of
// another kind; it need not say its kind. The error is a [*DecodeError], and
// the object is then nil. The object shares nothing with data.
func Decode[T Decodable](data []byte) (*T, error) {
	object := new(T)
	var head struct {
		Kind     string `json:"kind"`
		Metadata Ref    `json:"metadata"`
	}
	// Decoding goes on after a field of the wrong type, so that the error can
	// name the object.
	headErr := json.UnmarshalCaseSensitivePreserveInts(data, &head)
	err := json.UnmarshalCaseSensitivePreserveInts(data, object)
	if err == nil {
		err = headErr
	}

	failure := &DecodeError{Kind: kindOf(object), Object: head.Metadata}
	var mismatch *stdjson.UnmarshalTypeError
	switch {
	case errors.As(err, &mismatch):
		failure.Field = mismatch.Field
		failure.Err = &FieldTypeError{Got: mismatch.Value, Want: wanted(mismatch.Type)}
	case err != nil:
		failure.Err = err
	case bytes.Equal(bytes.TrimSpace(data), []byte("null")):
		failure.Err = &FieldTypeError{Got: "null", Want: "an object"}
	case head.Kind != "" && head.Kind != failure.Kind:
		failure.Field, failure.Err = "kind", &KindError{Got: head.Kind}
	default:
		return object, nil
	}
	return nil, failure
}

func kindOf(object any) string {
	switch object.(type) {
	case *Migration:
		return KindMigration
	case *Plan:
		return KindPlan
	case *Cluster:
		return KindCluster
	}
	return KindImageStream
}

// wanted says in words what a field of this type holds.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}
