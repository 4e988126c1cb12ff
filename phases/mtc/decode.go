package mtc

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"reflect"

	"sigs.k8s.io/json"
)

// Decodable is the constraint of [Decode].
type Decodable interface {
	Migration | Plan | Cluster | Controller | ImageStream
}

// Decode decodes one object from JSON as an API server does: names of fields are
// case-sensitive, fields that the type does not have are ignored, and a field of
// the wrong type is an error. Another kind, or an apiVersion of another project,
// is also an error; both may be absent. The error is a [*DecodeError], and the
// object is then nil. The object does not share memory with data.
func Decode[T Decodable](data []byte) (*T, error) {
	object := new(T)
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   Ref    `json:"metadata"`
	}
	// Decoding continues after a field of the wrong type; the error can therefore
	// name the object.
	headErr := json.UnmarshalCaseSensitivePreserveInts(data, &head)
	err := json.UnmarshalCaseSensitivePreserveInts(data, object)
	if err == nil {
		err = headErr
	}
	if m, ok := any(object).(*Migration); ok && err == nil && m.Status.Itinerary == "" {
		err = m.takeFormerItinerary(data)
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
	case !isOf(head.APIVersion, failure.Kind):
		failure.Field, failure.Err = "apiVersion", &GroupError{Kind: failure.Kind, Got: head.APIVersion}
	default:
		return object, nil
	}
	return nil, failure
}

// takeFormerItinerary reads the itinerary of a status that MTC 1.2 wrote.
func (m *Migration) takeFormerItinerary(data []byte) error {
	var former struct {
		Status struct {
			Itinerary string `json:"itenerary"`
		} `json:"status"`
	}
	err := json.UnmarshalCaseSensitivePreserveInts(data, &former)
	m.Status.Itinerary = former.Status.Itinerary
	return err
}

func kindOf(object any) string {
	switch object.(type) {
	case *Migration:
		return KindMigration
	case *Plan:
		return KindPlan
	case *Cluster:
		return KindCluster
	case *Controller:
		return KindController
	}
	return KindImageStream
}

// wanted describes the JSON value of a field of this type.
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
