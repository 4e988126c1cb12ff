package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// inventory holds the objects of streams that migrations need.
type inventory struct {
	migrations  []*migration // in the order read
	plans       map[mtc.Ref]*mtc.Plan
	clusters    map[mtc.Ref]*mtc.Cluster
	controllers map[string]*mtc.Controller // by namespace
	images      mtc.ReadImageStreams
	// broken maps the objects that exist but could not be read to their places.
	broken map[objectKey]string
	lost   []string // streams that could not be read to their end

	// What to note about image streams.
	noImages  bool            // none was read, so HasISs is unknown
	lostUsed  bool            // HasISs is unknown because a stream was not read to its end
	imageless map[string]bool // namespaces without image streams
	settled   bool            // --set decides HasISs
}

type objectKey struct {
	kind string
	ref  mtc.Ref
}

// migration is a MigMigration that was read.
type migration struct {
	*mtc.Migration
	object *command.Object
}

// BrokenError is the reason why an object is missing: it exists but could not be read.
type BrokenError struct {
	Place string
}

func (e *BrokenError) Error() string { return "correct it at " + e.Place }

// LostError is the reason why an object is missing: it may be in a stream that could not be
// read to its end.
type LostError struct {
	Streams []string
}

func (e *LostError) Error() string {
	return wording.Few(e.Streams) + " could not be read to the end; correct that first"
}

// NamespaceError is the reason why an object is missing: the reference to it has no
// namespace.
type NamespaceError struct {
	Kind string
	// Candidates are the objects of that name that were read.
	Candidates []mtc.Ref
}

func (e *NamespaceError) Error() string {
	var names []string
	for _, c := range e.Candidates {
		names = append(names, c.String())
	}
	return fmt.Sprintf("the reference has no namespace; %s %s was read, so add its namespace to the reference", e.Kind,
		wording.List(names, "or"))
}

// noImagesOption declares that there are no image streams other than those read.
const noImagesOption = "no-image-streams"

// newInventory sorts objects and prints problems with them.
func newInventory(t *command.Tool, all *command.Objects) *inventory {
	noImageStreams := all.Has(noImagesOption)
	inv := &inventory{
		plans:       make(map[mtc.Ref]*mtc.Plan),
		clusters:    make(map[mtc.Ref]*mtc.Cluster),
		controllers: make(map[string]*mtc.Controller),
		images:      mtc.ReadImageStreams{Namespaces: make(map[string]bool), Unread: make(map[string]error), Complete: noImageStreams},
		broken:      make(map[objectKey]string),
		lost:        all.Lost,
		imageless:   make(map[string]bool),
	}
	for _, o := range all.List {
		if !o.Broken() {
			err := inv.add(o)
			if err == nil {
				continue
			}
			t.ProblemOf(o, func() error { return err })
		}
		inv.broken[objectKey{o.Kind, mtc.Ref(o.Ref)}] = o.Place()
		if o.Kind == mtc.KindImageStream {
			inv.images.Unread[o.Ref.Namespace] = &BrokenError{o.Place()}
		}
	}
	if len(inv.lost) > 0 && inv.images.Unread[""] == nil {
		inv.images.Unread[""] = &LostError{inv.lost}
	}
	if noImageStreams {
		inv.images.Unread = nil
	}
	return inv
}

// reading finds the runs of the migrations.
func (inv *inventory) reading(t *command.Tool, all *command.Objects) command.Reading {
	r := command.Reading{
		Settled: func(flags phases.Flags) { inv.settled = flags.Has(mtc.HasISs) },
		Notes:   inv.notes,
		None:    noMigration(all),
	}
	adapter := legacy.NewAdapter(itineraries(), mtc.DataNames)
	for _, m := range inv.migrations {
		runs, holds := t.RunsOf(m.object, all)
		if !holds { // written by mig-controller
			runs = []*command.Run{{
				Object:    m.object,
				Itinerary: mtc.Current(m.Migration),
				Recorded:  func() command.Recorded { return m.recorded(adapter) },
			}}
		}
		objects, missing := inv.objects(m)
		for _, run := range runs {
			run.Sources = func() (*phases.Sources, error) { return mtc.Sources(objects) }
			run.Missing = missing
		}
		r.Runs = append(r.Runs, runs...)
	}
	return r
}

// selects returns the itinerary that a migration with a state of this project selects.
func selects(o *command.Object, _ string) (string, error) {
	m, err := mtc.Decode[mtc.Migration](o.JSON)
	if err != nil {
		return "", err
	}
	return mtc.Select(m), nil
}

func (inv *inventory) add(o *command.Object) error {
	switch o.Kind {
	case mtc.KindMigration:
		m, err := decode[mtc.Migration](o)
		if err == nil {
			inv.migrations = append(inv.migrations, &migration{m, o})
		}
		return err
	case mtc.KindPlan:
		return keep(inv.plans, mtc.Ref(o.Ref), o)
	case mtc.KindCluster:
		return keep(inv.clusters, mtc.Ref(o.Ref), o)
	case mtc.KindController:
		return keep(inv.controllers, o.Ref.Namespace, o)
	}
	_, err := decode[mtc.ImageStream](o)
	if err == nil && o.Ref.Namespace == "" {
		err = o.Wrong(errNoNamespace) // it could be in any namespace
	}
	if err == nil {
		inv.images.Namespaces[o.Ref.Namespace] = true
	}
	return err
}

// keep decodes an object into a map.
func keep[K comparable, T mtc.Decodable](all map[K]*T, key K, o *command.Object) error {
	one, err := decode[T](o)
	if err == nil {
		all[key] = one
	}
	return err
}

// decode decodes an object. Its error names an object without a name by its place.
func decode[T mtc.Decodable](o *command.Object) (*T, error) {
	object, err := mtc.Decode[T](o.JSON)
	switch {
	case o.Ref.Name != "" && (err == nil || !o.InDirectory()):
		return object, err
	case err == nil:
		err = fmt.Errorf("%s has no metadata.name; give it one", o.Kind)
	}
	return nil, fmt.Errorf("%s: %w", o.Place(), err)
}

// listObjects lists what a migration needs besides image streams.
const (
	listObjects = "kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml"
	listImages  = "kubectl get imagestreams --all-namespaces -o yaml"
)

// noMigration returns the error of streams without a migration.
func noMigration(all *command.Objects) error {
	ignored := ""
	for _, apiVersion := range slices.Sorted(maps.Keys(all.Foreign)) {
		ignored += fmt.Sprintf("; ignored: %d of %s, which is another project's", all.Foreign[apiVersion], apiVersion)
	}
	list := listObjects
	if ignored != "" { // plain names may then be ambiguous
		const group = ".migration.openshift.io"
		list = strings.NewReplacer("migrations,", "migrations"+group+",", "plans,", "plans"+group+",",
			"clusters,", "clusters"+group+",", "controllers ", "controllers"+group+" ").Replace(list)
	}
	return fmt.Errorf("there is no MigMigration in %s%s; list them with: %s", wording.List(all.Streams(), "and"), ignored, list)
}

var errNoNamespace = errors.New("metadata.namespace is missing, so the object does not count; add it")

var errNoPlanNamed = errors.New("spec.migPlanRef names no MigPlan; set it")

// objects returns the objects from which the flags of a migration are found. If its plan is
// missing, it returns an error, and all flags that depend on the plan are unknown.
func (inv *inventory) objects(m *migration) (mtc.Objects, error) {
	o := mtc.Objects{Migration: m.Migration, Controller: inv.controllers[m.object.Ref.Namespace], Unread: inv.unread}
	o.ImageStreams = mtc.ImageStreamsFunc(func(ctx context.Context, namespaces []string) (bool, error) {
		has, err := inv.images.HasImageStreams(ctx, namespaces)
		inv.noteImages(namespaces, has, err)
		return has, err
	})
	ref := m.Spec.PlanRef
	if ref.Name == "" {
		return o, m.object.Wrong(errNoPlanNamed)
	}
	o.Plan = inv.plans[ref]
	if o.Plan == nil {
		return o, m.object.Wrong(&mtc.MissingError{Kind: mtc.KindPlan, Object: ref, Err: inv.unread(mtc.KindPlan, ref)})
	}
	o.Source = inv.clusters[o.Plan.Spec.SourceRef]
	o.Destination = inv.clusters[o.Plan.Spec.DestinationRef]
	return o, nil
}

// unread returns the reason why an object is missing, for [mtc.Objects].
func (inv *inventory) unread(kind string, ref mtc.Ref) error {
	if kind == mtc.KindController { // one of that namespace, of any name
		for key, place := range inv.broken {
			if key.kind == kind && key.ref.Namespace == ref.Namespace {
				return &BrokenError{place}
			}
		}
	}
	if place, ok := inv.broken[objectKey{kind, ref}]; ok {
		return &BrokenError{place}
	}
	if ref.Namespace == "" && kind != mtc.KindController {
		if all := inv.named(kind, ref.Name); len(all) > 0 {
			return &NamespaceError{Kind: kind, Candidates: all}
		}
	}
	if len(inv.lost) > 0 {
		return &LostError{inv.lost}
	}
	return nil
}

// named returns the objects of that kind and name that were read, in any namespace.
func (inv *inventory) named(kind, name string) []mtc.Ref {
	var all []mtc.Ref
	add := func(ref mtc.Ref) {
		if ref.Name == name {
			all = append(all, ref)
		}
	}
	if kind == mtc.KindPlan {
		for ref := range inv.plans {
			add(ref)
		}
	} else {
		for ref := range inv.clusters {
			add(ref)
		}
	}
	slices.SortFunc(all, func(a, b mtc.Ref) int { return strings.Compare(a.Namespace, b.Namespace) })
	return all
}

// noteImages records the result of a lookup of image streams.
func (inv *inventory) noteImages(namespaces []string, has bool, err error) {
	switch {
	case has || inv.images.Complete || inv.settled:
	case err == nil:
		for _, n := range namespaces {
			inv.imageless[n] = true
		}
	case errors.As(err, new(*LostError)):
		inv.lostUsed = true
	case !errors.As(err, new(*BrokenError)): // otherwise its place has been printed
		inv.noImages = true
	}
}

// notes returns notes about image streams that were not read: the user may not know that
// they are needed.
func (inv *inventory) notes() (notes []string) {
	const how = "add the output of this command on the source cluster: " + listImages + ", or give --no-image-streams if there are none"
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if inv.lostUsed {
		note("%s could not be read to the end and may hold ImageStreams, so "+
			"it is unknown whether there are images (HasISs); correct that, %s",
			wording.Few(inv.lost), how)
	}
	if inv.noImages {
		note("no ImageStream was read, so it is unknown whether there are images (HasISs); %s", how)
	}
	if len(inv.imageless) > 0 {
		note("no ImageStream was read in %s, which counts as having none (HasISs); some were read in %s",
			namespaces(inv.imageless), namespaces(inv.images.Namespaces))
	}
	return notes
}

// namespaces lists namespaces, or some of them if there are many.
func namespaces(set map[string]bool) string {
	names := slices.Sorted(maps.Keys(set))
	what := "namespace "
	if len(names) > 1 {
		what = "namespaces "
	}
	return what + wording.Few(names)
}
