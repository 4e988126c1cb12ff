package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// inventory is what a stream holds of the kinds that migrations need.
type inventory struct {
	migrations []*migration // in the order read
	plans      map[mtc.Ref]*mtc.Plan
	clusters   map[mtc.Ref]*mtc.Cluster
	streams    imageStreams
	// broken are the objects that are there, but could not be read.
	broken map[objectKey]bool
}

// imageStreams are those of a stream. It answers from them.
type imageStreams struct {
	read mtc.ReadImageStreams
	// unreadable are the places of those that are there, but could not be
	// read, by namespace; those whose namespace is not known are under "".
	unreadable map[string]string
}

// UnreadableStreamsError says that it is not known whether namespaces hold an
// ImageStream, since one could not be read.
type UnreadableStreamsError struct {
	Place string
}

func (e *UnreadableStreamsError) Error() string {
	return fmt.Sprintf("the ImageStream at %s could not be read; correct that first", e.Place)
}

// HasImageStreams implements [mtc.ImageStreams]. What could be read settles it
// where it can.
func (s imageStreams) HasImageStreams(ctx context.Context, namespaces []string) (bool, error) {
	has, err := s.read.HasImageStreams(ctx, namespaces)
	if has || err != nil {
		return has, err
	}
	for _, n := range append(slices.Clone(namespaces), "") {
		if place, ok := s.unreadable[n]; ok {
			return false, &UnreadableStreamsError{place}
		}
	}
	return false, nil
}

type objectKey struct {
	kind string
	ref  mtc.Ref
}

// migration is a MigMigration that was read.
type migration struct {
	*mtc.Migration
	object *object
}

// UnreadableError says that an object cannot be used since another one, which
// it refers to, is there and could not be read.
type UnreadableError struct {
	Kind   string
	Object mtc.Ref
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("its %s %s could not be read; correct that first", e.Kind, e.Object)
}

// ObjectError says which object of a stream a problem is about.
type ObjectError struct {
	Kind   string
	Object mtc.Ref
	Err    error
}

func (e *ObjectError) Error() string {
	return fmt.Sprintf("%s %s: %v", e.Kind, e.Object, e.Err)
}

// Unwrap returns the problem.
func (e *ObjectError) Unwrap() error { return e.Err }

func (o *object) wrong(err error) error {
	return &ObjectError{Kind: o.kind, Object: o.ref, Err: err}
}

// take sorts the objects of a stream, and prints what is wrong with them.
func (a *app) take(documents []*document) *inventory {
	inv := &inventory{
		plans:    make(map[mtc.Ref]*mtc.Plan),
		clusters: make(map[mtc.Ref]*mtc.Cluster),
		streams:  imageStreams{read: mtc.ReadImageStreams{Namespaces: make(map[string]bool), Complete: true}, unreadable: make(map[string]string)},
		broken:   make(map[objectKey]bool),
	}
	first := make(map[objectKey]*object)
	for _, d := range documents {
		for _, o := range d.objects {
			switch o.kind {
			case mtc.KindMigration, mtc.KindPlan, mtc.KindCluster, mtc.KindImageStream:
			default:
				continue
			}
			key := objectKey{o.kind, o.ref}
			if one := first[key]; one != nil && o.ref.Name != "" {
				a.problem(&TwiceError{Kind: o.kind, Object: o.ref, First: one.place, Second: o.place})
				continue
			}
			first[key] = o
			if !o.broken {
				err := inv.add(o)
				if err == nil {
					continue
				}
				a.problem(err)
			}
			inv.broken[key] = true
			if _, known := inv.streams.unreadable[o.ref.Namespace]; o.kind == mtc.KindImageStream && !known {
				inv.streams.unreadable[o.ref.Namespace] = o.place
			}
		}
	}
	return inv
}

func (inv *inventory) add(o *object) error {
	switch o.kind {
	case mtc.KindMigration:
		m, err := decode[mtc.Migration](o)
		if err == nil {
			inv.migrations = append(inv.migrations, &migration{m, o})
		}
		return err
	case mtc.KindPlan:
		p, err := decode[mtc.Plan](o)
		if err == nil {
			inv.plans[o.ref] = p
		}
		return err
	case mtc.KindCluster:
		c, err := decode[mtc.Cluster](o)
		if err == nil {
			inv.clusters[o.ref] = c
		}
		return err
	}
	_, err := decode[mtc.ImageStream](o)
	if err == nil {
		inv.streams.read.Namespaces[o.ref.Namespace] = true
	}
	return err
}

// decode reads an object. An object that does not even say its name is told
// by its place.
func decode[T mtc.Decodable](o *object) (*T, error) {
	object, err := mtc.Decode[T](o.text)
	switch {
	case o.ref.Name != "":
		return object, err
	case err == nil:
		err = fmt.Errorf("%s has no metadata.name; give it one", o.kind)
	}
	return nil, fmt.Errorf("%s: %w", o.place, err)
}

var errNoPlanNamed = errors.New("spec.migPlanRef names no MigPlan; set it")

// objects are those that the flags of a migration are found from. Without its
// plan there are none, and the error says so.
func (inv *inventory) objects(m *migration) (mtc.Objects, error) {
	o := mtc.Objects{Migration: m.Migration, ImageStreams: inv.streams}
	ref := m.Spec.PlanRef
	if ref.Name == "" {
		return o, m.object.wrong(errNoPlanNamed)
	}
	o.Plan = inv.plans[ref]
	if o.Plan == nil {
		if inv.broken[objectKey{mtc.KindPlan, ref}] {
			return o, m.object.wrong(&UnreadableError{mtc.KindPlan, ref})
		}
		return o, m.object.wrong(&mtc.MissingError{Kind: mtc.KindPlan, Object: ref})
	}
	o.Source = inv.clusters[o.Plan.Spec.SourceRef]
	o.Destination = inv.clusters[o.Plan.Spec.DestinationRef]
	return o, nil
}

// reasons are the errors of flags, with clusters that are missing told from
// those that are there and could not be read.
func (inv *inventory) reasons(errs []*phases.FlagError) []*phases.FlagError {
	all := slices.Clone(errs)
	for i, e := range all {
		var missing *mtc.MissingError
		if errors.As(e, &missing) && inv.broken[objectKey{missing.Kind, missing.Object}] {
			all[i] = &phases.FlagError{Flag: e.Flag, Err: &UnreadableError{missing.Role + " " + missing.Kind, missing.Object}}
		}
	}
	return all
}

// noteImageStreams says what it means that a stream has no image streams: a
// person may not know that they had to be listed.
func (a *app) noteImageStreams(inv *inventory) {
	if len(inv.streams.read.Namespaces) == 0 && !inv.brokenKind(mtc.KindImageStream) {
		a.line("note: there is no ImageStream, so that HasISs is false everywhere; if the source cluster has some, add what this prints there: kubectl get imagestreams --all-namespaces -o yaml")
	}
}

func (inv *inventory) brokenKind(kind string) bool {
	for key := range inv.broken {
		if key.kind == kind {
			return true
		}
	}
	return false
}
