package mtc_test

import (
	"errors"
	"testing"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// FuzzObjects decodes arbitrary objects. Nothing panics, decoding errors are typed,
// an itinerary is always selected, each flag is known or has an error, and the known
// flags satisfy the relations. Relations of HasStagePods are excepted: the condition
// can remain after the plan has lost its volumes.
func FuzzObjects(f *testing.F) {
	r := readRecorded(f)
	for i, m := range r.migrations {
		o := r.objects(m)
		f.Add(r.raw[m.Metadata], r.raw[o.Plan.Metadata], r.raw[o.Source.Metadata], r.raw[o.Destination.Metadata], i%2 == 0)
	}
	created := []byte(`{"status":{"conditions":[{"type":"StagePodsCreated","status":"True"}]}}`)
	f.Add(created, []byte(`{}`), []byte(`{"spec":{"url":"%zz"}}`), []byte(`null`), true)

	f.Fuzz(func(t *testing.T, migration, plan, source, destination []byte, hasISs bool) {
		streams := map[string]bool{}
		o := mtc.Objects{
			Migration:    tryDecode[mtc.Migration](t, migration),
			Plan:         tryDecode[mtc.Plan](t, plan),
			Source:       tryDecode[mtc.Cluster](t, source),
			Destination:  tryDecode[mtc.Cluster](t, destination),
			ImageStreams: mtc.ReadImageStreams{Namespaces: streams, Complete: true},
		}
		if o.Plan != nil && hasISs {
			for _, n := range o.Plan.Spec.Namespaces {
				streams[n] = true
			}
		}
		if o.Migration != nil {
			for _, name := range []string{mtc.Select(o.Migration), mtc.Current(o.Migration)} {
				if _, err := mtc.Itinerary(name); err != nil {
					t.Error(err)
				}
			}
			if mtc.RecordedPhase(o.Migration) == "" {
				t.Error("the recorded phase is empty")
			}
		}

		answer := ask(t, o)
		if got, want := len(answer.Errors), len(unknowns(answer)); got != want {
			t.Errorf("%d errors for %d unknown flags", got, want)
		}
		for _, err := range answer.Errors {
			if panicked := (*phases.PanicError)(nil); errors.As(err, &panicked) {
				t.Errorf("%v\n%s", err, panicked.Stack)
			}
		}
		for _, clause := range mtc.Vocabulary().Broken(answer.Facts) {
			if !clause.False.Has(mtc.HasStagePods) {
				t.Errorf("%v breaks %v", mtc.Vocabulary().Names(answer.Facts.True()), mtc.Vocabulary().Literals(clause))
			}
		}
	})
}

// tryDecode returns nil if the object cannot be decoded.
func tryDecode[T mtc.Decodable](t *testing.T, data []byte) *T {
	object, err := mtc.Decode[T](data)
	if typed := (*mtc.DecodeError)(nil); err != nil && (!errors.As(err, &typed) || object != nil) {
		t.Errorf("a decoding error is not typed, or comes with an object: %v", err)
	}
	return object
}
