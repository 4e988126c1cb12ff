package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// inventory is what streams hold of the kinds that migrations need.
type inventory struct {
	migrations  []*migration // in the order read
	plans       map[mtc.Ref]*mtc.Plan
	clusters    map[mtc.Ref]*mtc.Cluster
	controllers map[string]*mtc.Controller // by namespace
	images      mtc.ReadImageStreams
	// broken are the objects that are there, but could not be read, by their
	// places.
	broken map[objectKey]string
	lost   []string // streams that could not be read to their end
	// others are the migrations that another version of the same object
	// supersedes, or that have been deleted.
	others []*object
	// foreign counts the MigMigrations of other projects, by their apiVersion.
	foreign map[string]int

	// What is to be noted of image streams.
	noImages  bool            // none was read, and whether there are some is unknown
	lostUsed  bool            // it is unknown since a stream was not read to its end
	imageless map[string]bool // namespaces that have none
	settled   bool            // --set decides whether there are some
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

// ObjectError names the object of a stream that a problem is about.
type ObjectError struct {
	Kind   string
	Object mtc.Ref
	// Place is where it was read, if that was in a directory.
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

func (o *object) wrong(err error) error {
	e := &ObjectError{Kind: o.kind, Object: o.ref, Err: err}
	if o.walked {
		e.Place = o.place
	}
	return e
}

// BrokenError is the reason why an object is missing that is there, but could
// not be read.
type BrokenError struct {
	Place string
}

func (e *BrokenError) Error() string { return "correct it at " + e.Place }

// LostError is the reason why an object is missing that may be in what could
// not be read.
type LostError struct {
	Streams []string
}

func (e *LostError) Error() string {
	return wording.Few(e.Streams) + " could not be read to the end; correct that first"
}

// NamespaceError is the reason why an object is missing that is referred to
// without its namespace.
type NamespaceError struct {
	Kind string
	// Candidates are those of that name that were read.
	Candidates []mtc.Ref
}

func (e *NamespaceError) Error() string {
	var names []string
	for _, c := range e.Candidates {
		names = append(names, c.String())
	}
	return fmt.Sprintf("the reference has no namespace; %s %s was read, so add its namespace to the reference", e.Kind, wording.List(names, "or"))
}

// take sorts the objects of streams, and prints what is wrong with them.
// NoImageStreams means that there are none but those that were read.
func (a *app) take(in *input, noImageStreams bool) *inventory {
	inv := &inventory{
		plans:       make(map[mtc.Ref]*mtc.Plan),
		clusters:    make(map[mtc.Ref]*mtc.Cluster),
		controllers: make(map[string]*mtc.Controller),
		images:      mtc.ReadImageStreams{Namespaces: make(map[string]bool), Unread: make(map[string]error), Complete: noImageStreams},
		broken:      make(map[objectKey]string),
		lost:        in.lost,
		foreign:     make(map[string]int),
		imageless:   make(map[string]bool),
	}
	for _, o := range inv.newest(a, in.documents) {
		if !o.broken {
			err := inv.add(o)
			if err == nil {
				continue
			}
			a.problemOf(o.stream, func() error { return err })
		}
		inv.broken[objectKey{o.kind, o.ref}] = o.place
		if o.kind == mtc.KindImageStream {
			inv.images.Unread[o.ref.Namespace] = &BrokenError{o.place}
		}
	}
	a.moreProblems()
	if len(inv.lost) > 0 && inv.images.Unread[""] == nil {
		inv.images.Unread[""] = &LostError{inv.lost}
	}
	if noImageStreams {
		inv.images.Unread = nil
	}
	return inv
}

// newest returns the objects of MTC, each once, in the order in which they were
// first read: of several versions the one that counts.
func (inv *inventory) newest(a *app, documents []*document) []*object {
	var all []*object
	index := make(map[objectKey]int)
	for _, d := range documents {
		for _, o := range d.objects {
			if _, ours := mtc.KindOf(o.apiVersion, o.kind); !ours {
				if o.kind == mtc.KindMigration {
					inv.foreign[o.apiVersion]++
				}
				continue
			}
			key := objectKey{o.kind, o.ref}
			i, again := index[key]
			if !again || o.ref.Name == "" {
				index[key] = len(all)
				all = append(all, o)
				continue
			}
			older := all[i]
			if older.supersedes(a, o) {
				older, o = o, older
			}
			all[i] = o
			inv.others = append(inv.others, older)
		}
	}
	return slices.DeleteFunc(all, func(o *object) bool {
		if o.event != eventDeleted {
			return false
		}
		inv.others = append(inv.others, o)
		return true
	})
}

// supersedes reports whether an object counts although another of its name was
// read later: its resourceVersion is higher. One that cannot be read counts as
// well, unless the other is known to be as new: then the object is not known.
func (o *object) supersedes(a *app, later *object) bool {
	if digits(o.version) && digits(later.version) && o.uid == later.uid {
		if later.broken && !higher(later.version, o.version) {
			return true // the same or older
		}
		return higher(o.version, later.version)
	}
	if o.broken || later.broken {
		return o.broken
	}
	if later.event == "" && !sameData(o.text, later.text) {
		a.line("note: %s was read at %s and at %s, and differs; the later one counts, since nothing shows which is newer", o, o.place, later.place)
	}
	return false
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// higher compares two numbers of any size.
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

func (inv *inventory) add(o *object) error {
	switch o.kind {
	case mtc.KindMigration:
		m, err := decode[mtc.Migration](o)
		if err == nil {
			inv.migrations = append(inv.migrations, &migration{m, o})
		}
		return err
	case mtc.KindPlan:
		return keep(inv.plans, o.ref, o)
	case mtc.KindCluster:
		return keep(inv.clusters, o.ref, o)
	case mtc.KindController:
		return keep(inv.controllers, o.ref.Namespace, o)
	}
	_, err := decode[mtc.ImageStream](o)
	if err == nil && o.ref.Namespace == "" {
		err = o.wrong(errNoNamespace) // it may be one of any namespace
	}
	if err == nil {
		inv.images.Namespaces[o.ref.Namespace] = true
	}
	return err
}

// keep decodes an object into a map.
func keep[K comparable, T mtc.Decodable](all map[K]*T, key K, o *object) error {
	one, err := decode[T](o)
	if err == nil {
		all[key] = one
	}
	return err
}

// decode reads an object. An object without even a name is named by its place.
func decode[T mtc.Decodable](o *object) (*T, error) {
	object, err := mtc.Decode[T](o.text)
	switch {
	case o.ref.Name != "" && (err == nil || !o.walked):
		return object, err
	case err == nil:
		err = fmt.Errorf("%s has no metadata.name; give it one", o.kind)
	}
	return nil, fmt.Errorf("%s: %w", o.place, err)
}

// listObjects lists what a migration needs beside image streams.
const (
	listObjects = "kubectl get migmigrations,migplans,migclusters -n openshift-migration -o yaml"
	listImages  = "kubectl get imagestreams --all-namespaces -o yaml"
)

// noMigration is the error of streams without a migration.
func (inv *inventory) noMigration(files []string) error {
	ignored := ""
	for _, apiVersion := range slices.Sorted(maps.Keys(inv.foreign)) {
		ignored += fmt.Sprintf("; ignored: %d of %s, which is another project's", inv.foreign[apiVersion], apiVersion)
	}
	list := listObjects
	if ignored != "" { // then the names alone may mean the other's
		const group = ".migration.openshift.io"
		list = strings.NewReplacer("migrations,", "migrations"+group+",", "plans,", "plans"+group+",", "clusters ", "clusters"+group+" ").Replace(list)
	}
	return fmt.Errorf("there is no MigMigration in %s%s; list them with: %s", wording.List(streamNames(files), "and"), ignored, list)
}

var errNoNamespace = errors.New("metadata.namespace is missing, so that the object does not count; add it")

var errNoPlanNamed = errors.New("spec.migPlanRef names no MigPlan; set it")

// objects are those that the flags of a migration are found from. The error is
// that its plan is missing; then all flags that depend on it are unknown.
func (inv *inventory) objects(m *migration) (mtc.Objects, error) {
	o := mtc.Objects{Migration: m.Migration, Controller: inv.controllers[m.object.ref.Namespace], Unread: inv.unread}
	o.ImageStreams = mtc.ImageStreamsFunc(func(ctx context.Context, namespaces []string) (bool, error) {
		has, err := inv.images.HasImageStreams(ctx, namespaces)
		inv.noteImages(namespaces, has, err)
		return has, err
	})
	ref := m.Spec.PlanRef
	if ref.Name == "" {
		return o, m.object.wrong(errNoPlanNamed)
	}
	o.Plan = inv.plans[ref]
	if o.Plan == nil {
		return o, m.object.wrong(&mtc.MissingError{Kind: mtc.KindPlan, Object: ref, Err: inv.unread(mtc.KindPlan, ref)})
	}
	o.Source = inv.clusters[o.Plan.Spec.SourceRef]
	o.Destination = inv.clusters[o.Plan.Spec.DestinationRef]
	return o, nil
}

// unread is why an object is missing, as for [mtc.Objects].
func (inv *inventory) unread(kind string, ref mtc.Ref) error {
	if kind == mtc.KindController { // of the namespace, whatever its name
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

// named are the objects of that kind and name that were read, in any namespace.
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

// noteImages takes down what came of a question for image streams.
func (inv *inventory) noteImages(namespaces []string, has bool, err error) {
	switch {
	case has || inv.images.Complete || inv.settled:
	case err == nil:
		for _, n := range namespaces {
			inv.imageless[n] = true
		}
	case errors.As(err, new(*LostError)):
		inv.lostUsed = true
	case !errors.As(err, new(*BrokenError)): // else the place of that has been printed
		inv.noImages = true
	}
}

// printNotes prints what it means that image streams were not read: the user
// may not know that they are needed.
func (inv *inventory) printNotes(a *app) {
	const how = "add what this prints on the source cluster: " + listImages + ", or give --no-image-streams if there are none"
	if inv.lostUsed {
		a.line("note: %s could not be read to the end and may hold ImageStreams, so that it is unknown whether there are images (HasISs); correct that, %s", wording.Few(inv.lost), how)
	}
	if inv.noImages {
		a.line("note: no ImageStream was read, so that it is unknown whether there are images (HasISs); %s", how)
	}
	if len(inv.imageless) > 0 {
		a.line("note: no ImageStream was read in %s, which counts as having none (HasISs); some were read in %s", namespaces(inv.imageless), namespaces(inv.images.Namespaces))
	}
}

// namespaces lists some of them.
func namespaces(set map[string]bool) string {
	names := slices.Sorted(maps.Keys(set))
	what := "namespace "
	if len(names) > 1 {
		what = "namespaces "
	}
	return what + wording.Few(names)
}

// finding is what the objects say of a migration now.
type finding struct {
	facts phases.Facts
	// errors are why flags are unknown.
	errors []*phases.FlagError
	// plan is the error that its MigPlan is missing, or nil. It explains all
	// flags that are unknown.
	plan error
}

// find finds the flags of a migration, with the values of --set over those of
// the objects, and prints what that changes.
func (a *app) find(ctx context.Context, inv *inventory, m *migration, set settings) finding {
	var f finding
	inv.settled = set.flags.Has(mtc.HasISs)
	objects, err := inv.objects(m)
	f.plan = err
	sources, err := mtc.Sources(objects)
	if err != nil {
		a.problem(err) // without sources all flags are unknown
	}
	answer := sources.Evaluate(ctx, phases.Request{Read: mtc.Vocabulary().All()})
	if set.flags != 0 {
		answer = a.override(ctx, sources, answer, set, m.object.wrong)
	}
	f.facts, f.errors = answer.Facts, answer.Errors
	return f
}

// print prints of each unknown flag that a plan depends on why it is unknown.
func (f finding) print(a *app, p *machine.Plan, wrong func(error) error) {
	if f.plan != nil {
		a.problem(f.plan)
		return
	}
	a.unknownFlags(p, f.errors, wrong)
}
